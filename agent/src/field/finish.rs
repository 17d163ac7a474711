//! A draft becomes a report: once, whatever is repeated or killed. The report's record, the parts that it names and the
//! draft's end are one transaction.

use linewatch_shared::facts::{Body, Part, PartRole, Promised, Record, Visit, When};
use linewatch_shared::rules::{Form, Lack, Lacking};
use linewatch_shared::time::UnixMs;
use rusqlite::Connection;
use uuid::Uuid;

use super::draft::{Draft, HexHash, Photo};
use super::drafts::{self, Kept};
use super::parts::{self, Known};
use super::when;
use crate::journal::{self, Entry, Journal, JournalError};
use crate::scope::contracts::pack_versions;

/// Why a draft did not become a report.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There is no such draft, and no report of it.
    #[error("there is no such draft on this device")]
    None,
    /// It is not whole yet.
    #[error("the report is not whole yet")]
    Lacks(Vec<Lack>),
}

/// The form that a draft names, as this device has it. A report by a form that is gone is taken as it is.
///
/// # Errors
/// When the database cannot be read.
pub fn form_of(db: &Connection, draft: &Draft) -> Result<Option<Form>, JournalError> {
    let Some(name) = &draft.form else { return Ok(None) };
    let versions = pack_versions(db)?;
    let pack = versions.iter().find(|v| v.pack.name == name.pack && v.pack.version == name.version);
    Ok(pack.and_then(|v| v.pack.forms.iter().find(|form| form.name == name.name)).cloned())
}

/// What a draft lacks.
///
/// # Errors
/// When the database cannot be read.
pub fn lacks(db: &Connection, kept: &Kept, now: UnixMs) -> Result<Vec<Lack>, JournalError> {
    let draft = &kept.draft;
    let mut lacks = draft.lacks(form_of(db, draft)?.as_ref(), now);
    for sha256 in draft.photos.iter().map(|photo| photo.sha256).chain(draft.signature) {
        if !parts::is_held_by(db, kept.id, sha256.0)? {
            let field = if draft.signature == Some(sha256) { "signature" } else { "photos" };
            lacks.push(Lack { field: field.to_owned(), why: Lacking::Missing });
        }
    }
    Ok(lacks)
}

/// Finishes a draft; answers true when it is a report now, false when it was one already.
///
/// # Errors
/// When there is no such draft, it is not whole, or the journal cannot be written: then it stays a draft.
pub async fn finish(journal: &Journal, id: Uuid, by: &str, now: UnixMs) -> Result<bool, FinishError> {
    let (kept, form, parts, lacks) = match journal.read(move |db| prepare(db, id, now)).await? {
        Prepared::Already => return Ok(false),
        Prepared::None => return Err(FinishError::None),
        Prepared::Ready(ready) => *ready,
    };
    if !lacks.is_empty() {
        return Err(FinishError::Lacks(lacks));
    }
    let scribe = journal.scribe();
    let stated = when::judge(kept.draft.at.as_deref(), &kept.draft.at_reason, now).ok().flatten();
    let occurred = stated.map_or_else(|| When::Machine(scribe.reading()), When::Typed);
    let named = parts.iter().map(|part| part.sha256).collect::<Vec<_>>();
    let visit = visit_of(&kept.draft, form.as_ref(), parts);
    let record = Record { id, ..scribe.record(occurred, Some(by.to_owned()), Body::Visit(visit)) };
    let entry = Entry::new(&record)?;
    let revision = kept.revision;
    let done = journal.append_entry(entry, move |tx| {
        // Saved again meanwhile, in another window: what that said would be lost.
        if drafts::one(tx, id)?.is_none_or(|now| now.revision != revision) {
            return Ok(false);
        }
        parts::finish(tx, id, &named)?;
        drafts::forget(tx, id)
    });
    if done.await? {
        return Ok(true);
    }
    Err(FinishError::Lacks(vec![Lack { field: "revision".to_owned(), why: Lacking::Wrong }]))
}

type Ready = (Kept, Option<Form>, Vec<Part>, Vec<Lack>);

enum Prepared {
    Ready(Box<Ready>),
    Already,
    None,
}

fn prepare(db: &Connection, id: Uuid, now: UnixMs) -> Result<Prepared, JournalError> {
    let Some(kept) = drafts::one(db, id)? else {
        return Ok(if journal::contains(db, id)? { Prepared::Already } else { Prepared::None });
    };
    let form = form_of(db, &kept.draft)?;
    let lacks = lacks(db, &kept, now)?;
    let mut named = Vec::new();
    for photo in &kept.draft.photos {
        named.extend(parts::one(db, photo.sha256.0)?.map(|known| photo_part(photo, known)));
    }
    if let Some(HexHash(signature)) = kept.draft.signature {
        named.extend(parts::one(db, signature)?.map(|known| part(PartRole::Signature, known)));
    }
    Ok(Prepared::Ready(Box::new((kept, form, named, lacks))))
}

const fn part(role: PartRole, known: Known) -> Part {
    let Known { sha256, media, bytes, .. } = known;
    Part { role, media, sha256, bytes, caption: String::new(), taken_at: None, place: None }
}

fn photo_part(photo: &Photo, known: Known) -> Part {
    Part {
        caption: photo.caption.clone(),
        taken_at: photo.taken_at.as_deref().and_then(|at| UnixMs::parse_rfc3339(at).ok()),
        place: photo.place.and_then(super::draft::Degrees::place),
        ..part(PartRole::Photo, known)
    }
}

fn visit_of(draft: &Draft, form: Option<&Form>, parts: Vec<Part>) -> Visit {
    let trimmed = |text: &str| text.trim().to_owned();
    let filled = |text: &str| Some(trimmed(text)).filter(|text| !text.is_empty());
    let promised = draft.promised.iter().filter_map(|promise| {
        let until = UnixMs::parse_rfc3339(promise.until.as_deref()?).ok()?;
        Some(Promised { title: trimmed(&promise.title), until })
    });
    let mut findings = trimmed(&draft.findings);
    if let Some(reason) = filled(&draft.at_reason) {
        // Why the time is set back belongs to the report, where whoever reads it looks.
        findings =
            if findings.is_empty() { format!("({reason})") } else { format!("{findings}\n({reason})") };
    }
    Visit {
        customer: draft.customer.clone(),
        site: draft.site.clone(),
        met: trimmed(&draft.met),
        purpose: trimmed(&draft.purpose),
        findings,
        needs: trimmed(&draft.needs),
        promises: trimmed(&draft.promises),
        round: draft.round,
        class: draft.class.clone(),
        mode: draft.mode.clone(),
        points: draft.points.clone(),
        report: None,
        promised: promised.collect(),
        signed_by: filled(&draft.signed_by),
        left_clean: draft.left_clean,
        line: draft.line.clone(),
        fault: draft.fault,
        form: draft.form.clone(),
        answers: draft.answers(form),
        satisfied: draft.satisfied,
        parts,
    }
}
