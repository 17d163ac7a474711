//! The words of alerts: the shipped ones, and a desk's own in their place.

use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::{Action, audit};
use crate::config::AlertLang;
use crate::db::{DbError, Tx};
use crate::notify::channel::chat_form;
use crate::notify::lexicon::Lexicon;
use crate::notify::own_text::{OwnText, Refusal, tidy};
use crate::notify::sample::{Scene, Wanted};
use crate::notify::shipped::{self, Shipped};
use crate::notify::words::Lang;
use crate::store::alert_texts::{self as store, Kept};

/// Texts that are not kept yet, in one preview.
pub const DRAFTS_MAX: usize = 20;

/// Why a text is not changed, or a preview not made.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// There is no such text.
    #[error("{}", unknown(.0))]
    Unknown(String),
    /// There is nothing to take back.
    #[error("{id} has no text of the desk's own in \"{lang}\": the shipped one is used")]
    NotOwn {
        /// In which language.
        lang: &'static str,
        /// Which.
        id: String,
    },
    /// The text cannot stand there.
    #[error("{refusal}")]
    Refused {
        /// Which.
        id: String,
        /// Why.
        refusal: Refusal,
    },
    /// A sample cannot be so.
    #[error("{field} is one of {}", .possible.join(", "))]
    Sample {
        /// Which field of [`Wanted`].
        field: &'static str,
        /// What is possible.
        possible: Vec<&'static str>,
    },
    /// More drafts than that.
    #[error("a preview takes at most {DRAFTS_MAX} texts")]
    TooMany,
}

fn unknown(id: &str) -> String {
    let parts = shipped::all().iter().map(|text| text.id.as_str());
    let parts: Vec<&str> =
        parts.filter(|known| known.strip_prefix(id).is_some_and(|rest| rest.starts_with('.'))).collect();
    if parts.is_empty() {
        return format!("there is no text called \"{id}\"; the list of texts has them all");
    }
    format!("\"{id}\" has parts: {}", parts.join(", "))
}

/// A text in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TextView {
    /// Which text.
    pub id: String,
    /// `zh` or `en`.
    pub lang: String,
    /// What it belongs to.
    pub section: String,
    /// What the program is shipped with; null where a kept text has no place any more.
    pub shipped: Option<String>,
    /// The desk's own, which is used in its place; null where there is none.
    pub own: Option<String>,
    /// The variables that it may be made of, without the dollar.
    pub variables: Vec<String>,
    /// Those of the shipped text that the desk's own leaves out.
    pub left_out: Vec<String>,
    /// Whether it may have more than one line.
    pub paragraph: bool,
    /// Who wrote the desk's own.
    pub by: Option<String>,
    /// When.
    pub at: Option<String>,
    /// Why the desk's own is not used although it is kept: it was written for another version of the program.
    pub problem: Option<String>,
}

impl TextView {
    fn new(text: &Shipped, lang: Lang, kept: Option<&Kept>) -> Self {
        let read = kept.map(|kept| OwnText::read(text, &kept.text));
        let left_out = match &read {
            Some(Ok(own)) => text.uses(lang).difference(own.uses()).cloned().collect(),
            _ => Vec::new(),
        };
        Self {
            id: text.id.clone(),
            lang: lang.name().to_owned(),
            section: text.section(lang).to_owned(),
            shipped: Some(text.text(lang).to_owned()),
            own: kept.map(|kept| kept.text.clone()),
            variables: text.variables.iter().cloned().collect(),
            left_out,
            paragraph: text.is_paragraph,
            by: kept.map(|kept| kept.by.clone()),
            at: kept.map(|kept| kept.at.to_rfc3339()),
            problem: read.and_then(Result::err).map(|refusal| refusal.detail),
        }
    }

    /// A kept text that has no place in this version of the program.
    fn stray(kept: &Kept) -> Self {
        Self {
            id: kept.id.clone(),
            lang: kept.lang.clone(),
            section: String::new(),
            shipped: None,
            own: Some(kept.text.clone()),
            variables: Vec::new(),
            left_out: Vec::new(),
            paragraph: true,
            by: Some(kept.by.clone()),
            at: Some(kept.at.to_rfc3339()),
            problem: Some(unknown(&kept.id)),
        }
    }
}

/// Every text in both languages, in the order in which they are shipped; kept ones that have no place at the end.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<TextView>, DbError> {
    let kept = store::all(tx)?;
    let own = |id: &str, lang: Lang| kept.iter().find(|kept| kept.id == id && kept.lang == lang.name());
    let mut texts = Vec::new();
    for text in shipped::all() {
        texts.extend(Lang::ALL.map(|lang| TextView::new(text, lang, own(&text.id, lang))));
    }
    texts.extend(kept.iter().filter(|kept| shipped::find(&kept.id).is_none()).map(TextView::stray));
    Ok(texts)
}

/// Keeps a text of the desk's own; nothing happens where it is kept already.
///
/// # Errors
/// When there is no such text, or this one cannot stand there.
pub fn put(
    tx: &mut Tx<'_>,
    (lang, id): (Lang, &str),
    text: &str,
    (by, now): (&str, UnixMs),
) -> Result<TextView, TextError> {
    let shipped = of(id)?;
    let text = tidy(text);
    read(shipped, &text)?;
    tx.lock(&[store::lock_key()])?;
    let before = store::find(tx, lang.name(), id)?;
    if let Some(before) = before.as_ref().filter(|before| before.text == text) {
        return Ok(TextView::new(shipped, lang, Some(before)));
    }
    let kept = Kept { lang: lang.name().to_owned(), id: id.to_owned(), text, by: by.to_owned(), at: now };
    store::put(tx, &kept)?;
    store::count_change(tx)?;
    let detail = json!({ "text": kept.text, "before": before.map(|before| before.text) });
    audit(tx, now.0, by, Action::AlertTextSet, &format!("{}/{id}", lang.name()), Some(&detail))?;
    Ok(TextView::new(shipped, lang, Some(&kept)))
}

/// Takes a text of the desk's own back: the shipped one is used again.
///
/// # Errors
/// When there is none.
pub fn reset(tx: &mut Tx<'_>, (lang, id): (Lang, &str), (by, now): (&str, UnixMs)) -> Result<(), TextError> {
    tx.lock(&[store::lock_key()])?;
    let Some(before) = store::find(tx, lang.name(), id)? else {
        // A text without a place may still be taken back.
        of(id)?;
        return Err(TextError::NotOwn { lang: lang.name(), id: id.to_owned() });
    };
    store::remove(tx, lang.name(), id)?;
    store::count_change(tx)?;
    let detail = json!({ "before": before.text });
    audit(tx, now.0, by, Action::AlertTextReset, &format!("{}/{id}", lang.name()), Some(&detail))?;
    Ok(())
}

fn of(id: &str) -> Result<&'static Shipped, TextError> {
    shipped::find(id).map(|(_, text)| text).ok_or_else(|| TextError::Unknown(id.to_owned()))
}

fn read(shipped: &Shipped, text: &str) -> Result<OwnText, TextError> {
    let refused = |refusal| TextError::Refused { id: shipped.id.clone(), refusal };
    OwnText::read(shipped, text).map_err(refused)
}

/// A text that is not kept yet.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// `zh` or `en`.
    pub lang: String,
    /// Which text.
    pub id: String,
    /// What it would say.
    pub text: String,
}

/// What is to be previewed.
#[derive(Clone, Debug)]
pub struct Asked {
    /// In which languages.
    pub lang: AlertLang,
    /// In place of what is kept.
    pub drafts: Vec<Draft>,
    /// A text that is to be seen in it.
    pub id: Option<String>,
    /// What the sample is about.
    pub wanted: Wanted,
    /// What links begin with.
    pub base: String,
    /// In which times are written.
    pub time_zone: String,
}

/// What a sample alert comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TextPreview {
    /// A mail's subject; an SMS is this alone.
    pub subject: String,
    /// A mail as plain text.
    pub plain: String,
    /// A mail as HTML.
    pub html: String,
    /// What chats show; each service cuts it to the length that it takes.
    pub chat: String,
    /// What the sample is about.
    pub kind: String,
    /// What about it.
    pub mark: String,
    /// In which form it is told: `alert`, `again`, `night`, `digest`, `storm`, `day` or `desk_day`.
    pub form: String,
    /// Whether it was learnt late.
    pub late: bool,
}

/// Writes a sample with what is kept and what is not kept yet.
///
/// # Errors
/// When a draft cannot stand where it should, or a sample cannot be so.
pub fn preview(tx: &mut Tx<'_>, asked: &Asked, now: UnixMs) -> Result<TextPreview, TextError> {
    if asked.drafts.len() > DRAFTS_MAX {
        return Err(TextError::TooMany);
    }
    for draft in &asked.drafts {
        read(of(&draft.id)?, &draft.text)?;
    }
    let mut scene = Scene::new(&asked.base, &asked.time_zone, now);
    let mut texts = store::all(tx)?;
    if let Some(id) = &asked.id {
        of(id)?;
        scene = scene.showing(id);
        texts.extend(around(id, &texts));
    }
    scene = scene.with(&asked.wanted).map_err(|(field, possible)| TextError::Sample { field, possible })?;
    let draft = |draft: &Draft| Kept {
        lang: draft.lang.clone(),
        id: draft.id.clone(),
        text: tidy(&draft.text),
        by: String::new(),
        at: now,
    };
    // The last of several for one place is the one that counts.
    texts.extend(asked.drafts.iter().map(draft));
    let lexicon = Lexicon::new(0, &texts).map_err(|e| DbError::Data(e.to_string()))?;
    let writer = lexicon.writer(asked.lang);
    let text = scene.write(&writer, now);
    // Mails alone have the link by which their receiver takes the alert: a chat is read by many.
    scene.alert.telling.take = None;
    Ok(TextPreview {
        chat: chat_form(&scene.write(&writer, now)),
        subject: text.subject,
        plain: text.plain,
        html: text.html,
        kind: scene.alert.kind,
        mark: scene.alert.mark,
        form: scene.form,
        late: scene.alert.late,
    })
}

/// What has to be there for a text to be seen: `learnt-late` stands around texts of a desk's own that do not say it.
fn around(id: &str, kept: &[Kept]) -> Vec<Kept> {
    let Some(part) = id.strip_prefix("learnt-late.") else { return Vec::new() };
    let id = format!("restoration-missed.{part}");
    let missing = Lang::ALL
        .into_iter()
        .filter(|lang| !kept.iter().any(|text| text.id == id && text.lang == lang.name()));
    let text = |lang: Lang| Kept {
        lang: lang.name().to_owned(),
        id: id.clone(),
        text: "{ $due }".to_owned(),
        by: String::new(),
        at: UnixMs::default(),
    };
    missing.map(text).collect()
}
