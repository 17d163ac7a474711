//! `linewatch-server alert`: the words of alerts.

use std::io::Read;

use anyhow::bail;
use clap::{Args, Subcommand};

use super::admin::table;
use super::{Desk, out};
use crate::app::alert_texts::{self, Asked, TextError, TextPreview, TextView};
use crate::app::users::COMMAND;
use crate::config::AlertLang;
use crate::db::{DbError, Priority};
use crate::notify::sample::Wanted;
use crate::notify::words::Lang;

/// Bytes of a text that are read from standard input.
const TEXT_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum AlertCommand {
    /// List the texts that alerts are made of: the desk's own where there is one, else the shipped one.
    Texts {
        /// Only in this language: zh or en.
        #[arg(long, value_parser = lang)]
        lang: Option<Lang>,
        /// Only texts of the desk's own.
        #[arg(long)]
        own: bool,
        /// Print JSON, with the variables that each text may be made of.
        #[arg(long)]
        json: bool,
    },
    /// Replace a text by the desk's own, from the next message on.
    SetText {
        /// zh or en.
        #[arg(value_parser = lang)]
        lang: Lang,
        /// Which, such as restoration-missed.what.
        id: String,
        /// The text, as Fluent writes it: { $due } is a variable. `-` reads it from standard input.
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Use the shipped text again.
    ResetText {
        /// zh or en.
        #[arg(value_parser = lang)]
        lang: Lang,
        /// Which, such as restoration-missed.what.
        id: String,
    },
    /// Write a sample alert as it would go out; nothing is sent.
    Preview(PreviewArgs),
}

#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    /// zh, en or both; as configured where it is left out.
    #[arg(long, value_parser = langs)]
    lang: Option<AlertLang>,
    /// Choose the sample so that this text is in it.
    #[arg(long)]
    id: Option<String>,
    /// The promise: restoration, feedback, repair, callback, supervisor, interruption or availability; of a matter
    /// answer, routing, resolution, progress, callback, visit, patrol, review, permit or supervisor.
    #[arg(long)]
    kind: Option<String>,
    /// What about it: `warn_50`, `warn_80`, `missed`, `met_late` or `corrected`; of a matter also `changed` and `outcome`.
    #[arg(long)]
    mark: Option<String>,
    /// About a matter and not about a fault: complaint, request, defect, promise, visit or patrol.
    #[arg(long)]
    matter: Option<String>,
    /// How it is told: `alert`, `again`, `night`, `digest`, `storm`, `day` or `desk_day`.
    #[arg(long)]
    form: Option<String>,
    /// As if it had been learnt late.
    #[arg(long)]
    late: bool,
    /// Print JSON, with the HTML and the form for chats.
    #[arg(long)]
    json: bool,
}

fn lang(text: &str) -> Result<Lang, String> {
    Lang::parse(text).ok_or_else(|| "zh or en".to_owned())
}

fn langs(text: &str) -> Result<AlertLang, String> {
    match text {
        "zh" => Ok(AlertLang::Zh),
        "en" => Ok(AlertLang::En),
        "both" => Ok(AlertLang::Both),
        _ => Err("zh, en or both".to_owned()),
    }
}

pub(super) async fn run(desk: &Desk, command: AlertCommand) -> anyhow::Result<()> {
    let now = desk.now();
    match command {
        AlertCommand::Texts { lang, own, json } => {
            let all: Result<Vec<TextView>, DbError> = desk.db.read(alert_texts::list).await;
            let wanted = all?.into_iter().filter(|text| lang.is_none_or(|lang| text.lang == lang.name()));
            print(wanted.filter(|text| !own || text.own.is_some()).collect(), json)
        }
        AlertCommand::SetText { lang, id, text } => {
            let text = if text == "-" { read_text()? } else { text };
            let (said, at) = (id.clone(), (COMMAND, now));
            let put: Result<TextView, TextError> =
                desk.db.write(Priority::Api, move |tx| alert_texts::put(tx, (lang, &id), &text, at)).await;
            let left_out = put?.left_out.iter().map(|name| format!("${name}")).collect::<Vec<_>>().join(", ");
            let but = if left_out.is_empty() { left_out } else { format!("; it leaves out {left_out}") };
            out::line(format_args!("{said} in {} is the desk's own now{but}", lang.name()));
            Ok(())
        }
        AlertCommand::ResetText { lang, id } => {
            let (said, at) = (id.clone(), (COMMAND, now));
            let reset: Result<(), TextError> =
                desk.db.write(Priority::Api, move |tx| alert_texts::reset(tx, (lang, &id), at)).await;
            reset?;
            out::line(format_args!("{said} in {} is the shipped text again", lang.name()));
            Ok(())
        }
        AlertCommand::Preview(args) => preview(desk, args).await,
    }
}

fn read_text() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        bail!("the text is larger than {TEXT_BYTES_MAX} bytes");
    }
    Ok(text)
}

fn print(texts: Vec<TextView>, json: bool) -> anyhow::Result<()> {
    if json {
        return out::json(&texts);
    }
    let rows = texts.into_iter().map(|text| {
        let whose = match (&text.problem, &text.own) {
            (Some(_), _) => "own, not used",
            (None, Some(_)) => "own",
            (None, None) => "",
        };
        let said = text.own.or(text.shipped).unwrap_or_default();
        vec![text.lang, text.id, whose.to_owned(), said]
    });
    table(&["lang", "id", "", "text"], rows);
    Ok(())
}

async fn preview(desk: &Desk, args: PreviewArgs) -> anyhow::Result<()> {
    let PreviewArgs { lang, id, kind, mark, matter, form, late, json } = args;
    let zone = desk.packs.iter().next().map_or("UTC", |loaded| loaded.pack.time_zone.name());
    let base = desk.settings.public_url.clone();
    let asked = Asked {
        lang: lang.unwrap_or(desk.settings.alert_lang),
        drafts: Vec::new(),
        id,
        wanted: Wanted { kind, mark, matter, form, late: late.then_some(true) },
        base: base.unwrap_or_else(|| format!("http://{}", desk.settings.http.listen)),
        time_zone: zone.to_owned(),
    };
    let now = desk.now();
    let made: Result<TextPreview, TextError> =
        desk.db.read(move |tx| alert_texts::preview(tx, &asked, now)).await;
    let made = made?;
    if json {
        return out::json(&made);
    }
    out::line(&made.subject);
    out::line("");
    out::line(made.plain.trim_end());
    Ok(())
}
