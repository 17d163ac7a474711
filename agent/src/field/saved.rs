//! What people wrote down on this device, and where each piece of it is: here only, sent, or complete at the server.

use linewatch_shared::facts::{Body, Part, Record};
use rusqlite::Connection;
use serde::Serialize;
use uuid::Uuid;

use super::parts;
use crate::journal::{self, JournalError, Stored};

/// The most that is listed.
pub const SAVED_MAX: usize = 500;
/// The kinds of records that people write.
const KINDS: [&str; 6] = ["visit", "report", "step", "opened", "deed", "diagnosis"];

/// A piece of work.
#[derive(Debug, Serialize)]
pub struct SavedView {
    /// The record's id.
    pub id: Uuid,
    /// What it is.
    pub kind: &'static str,
    /// In a few words.
    pub title: String,
    /// The customer's code, where it is known.
    pub customer: Option<String>,
    /// The line's code, where it is about one.
    pub line: Option<String>,
    /// When it happened.
    pub at: String,
    /// Who wrote it.
    pub by: Option<String>,
    /// `here`, `sent` or `complete`.
    pub state: &'static str,
    /// Its photos and signature.
    pub parts: PartsView,
}

/// How far the parts of a report are.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct PartsView {
    /// How many.
    pub total: usize,
    /// Of which the server has all.
    pub whole: usize,
    /// Bytes of all.
    pub bytes: u64,
    /// Bytes that the server has.
    pub sent_bytes: u64,
}

/// What was written down here, the newest first.
///
/// # Errors
/// When the journal cannot be read.
pub fn all(db: &Connection) -> Result<Vec<SavedView>, JournalError> {
    let mut found = Vec::new();
    for stored in journal::of_kinds(db, &KINDS, SAVED_MAX)?.iter().rev() {
        if let Ok(record) = Record::from_bytes(&stored.bytes) {
            found.push(view(db, stored, record)?);
        }
    }
    Ok(found)
}

/// A visit report of this device.
///
/// # Errors
/// When the journal cannot be read.
pub fn visit(db: &Connection, id: Uuid) -> Result<Option<(Record, &'static str)>, JournalError> {
    let Some(stored) = journal::one(db, id)? else { return Ok(None) };
    let record = Record::from_bytes(&stored.bytes).ok();
    let Some(record) = record.filter(|record| matches!(record.body, Body::Visit(_))) else { return Ok(None) };
    let parts = parts_of(db, &record.body)?;
    Ok(Some((record, state(&stored, parts))))
}

fn state(stored: &Stored, parts: PartsView) -> &'static str {
    match (stored.acked, parts.whole == parts.total) {
        (false, _) => "here",
        (true, false) => "sent",
        (true, true) => "complete",
    }
}

fn view(db: &Connection, stored: &Stored, record: Record) -> Result<SavedView, JournalError> {
    let parts = parts_of(db, &record.body)?;
    let (kind, title, customer, line) = match record.body {
        Body::Visit(visit) => ("visit", visit.purpose, Some(visit.customer), visit.line),
        Body::Report(report) => ("report", report.description, None, Some(report.line)),
        Body::Step(step) => ("step", step.kind.name().to_owned(), None, None),
        Body::Opened(opened) => ("opened", opened.title, Some(opened.customer), opened.line),
        Body::Deed(deed) => ("deed", deed.step.name().to_owned(), None, None),
        Body::Diagnosis(diagnosis) => ("diagnosis", String::new(), None, Some(diagnosis.line)),
        _ => ("note", String::new(), None, None),
    };
    Ok(SavedView {
        id: stored.id,
        kind,
        title,
        customer,
        line,
        at: record.occurred.raw().to_rfc3339(),
        by: record.by,
        state: state(stored, parts),
        parts,
    })
}

/// How far the parts that a record names are; those that are gone here were whole.
fn parts_of(db: &Connection, body: &Body) -> Result<PartsView, JournalError> {
    let Body::Visit(visit) = body else { return Ok(PartsView::default()) };
    let mut view = PartsView { total: visit.parts.len(), ..PartsView::default() };
    for Part { sha256, bytes, .. } in &visit.parts {
        let known = parts::one(db, *sha256)?;
        let (held, whole) = known.map_or((*bytes, true), |known| (known.held, known.whole));
        view.bytes += bytes;
        view.sent_bytes += held;
        view.whole += usize::from(whole);
    }
    Ok(view)
}
