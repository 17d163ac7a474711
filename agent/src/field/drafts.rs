//! Drafts in the journal's database: saved whole at each field, kept over crashes, gone once they are reports.

use linewatch_shared::time::UnixMs;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::draft::Draft;
use super::parts;
use crate::journal::JournalError;

/// The most drafts of a device.
pub const DRAFTS_MAX: i64 = 200;

/// A draft as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Its id, and the report's to be.
    pub id: Uuid,
    /// Rises with each save.
    pub revision: u64,
    /// When it was begun, by the device's wall clock.
    pub begun_at: UnixMs,
    /// When it was last saved, by the device's wall clock.
    pub changed_at: UnixMs,
    /// Who writes it.
    pub by: String,
    /// What it says.
    pub draft: Draft,
}

#[derive(Serialize, Deserialize)]
struct Body {
    by: String,
    draft: Draft,
}

/// What became of a save.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    /// It is kept.
    Kept(Kept),
    /// It was saved elsewhere since: nothing is changed.
    Other(Kept),
    /// There is no such draft.
    None,
}

fn body_of(by: &str, draft: &Draft) -> Result<Vec<u8>, JournalError> {
    let body = Body { by: by.to_owned(), draft: draft.clone() };
    serde_json::to_vec(&body).map_err(|error| JournalError::Damaged(format!("a draft: {error}")))
}

/// Begins one; none when there are too many.
///
/// # Errors
/// When the database cannot be written.
pub fn begin(tx: &Connection, kept: &Kept) -> Result<bool, JournalError> {
    let count: i64 = tx.query_row("SELECT COUNT(*) FROM draft", [], |row| row.get(0))?;
    if count >= DRAFTS_MAX {
        return Ok(false);
    }
    tx.prepare_cached(
        "INSERT INTO draft (id, revision, begun_at, changed_at, sealed) VALUES (?1, ?2, ?3, ?4, seal(?5, 'draft'))",
    )?
    .execute(params![
        kept.id.as_bytes(),
        kept.revision.cast_signed(),
        kept.begun_at.0,
        kept.changed_at.0,
        body_of(&kept.by, &kept.draft)?
    ])?;
    Ok(true)
}

/// Saves one over the revision that its writer has seen.
///
/// # Errors
/// When the database cannot be written.
pub fn save(tx: &Connection, id: Uuid, seen: u64, draft: &Draft, now: UnixMs) -> Result<Saved, JournalError> {
    let Some(kept) = one(tx, id)? else { return Ok(Saved::None) };
    if kept.revision != seen {
        return Ok(Saved::Other(kept));
    }
    let kept = Kept { revision: seen + 1, changed_at: now, draft: draft.clone(), ..kept };
    tx.prepare_cached(
        "UPDATE draft SET revision = ?2, changed_at = ?3, sealed = seal(?4, 'draft') WHERE id = ?1",
    )?
    .execute(params![
        id.as_bytes(),
        kept.revision.cast_signed(),
        now.0,
        body_of(&kept.by, &kept.draft)?
    ])?;
    Ok(Saved::Kept(kept))
}

/// A draft.
///
/// # Errors
/// When the database cannot be read.
pub fn one(db: &Connection, id: Uuid) -> Result<Option<Kept>, JournalError> {
    db.prepare_cached(
        "SELECT id, revision, begun_at, changed_at, unseal(sealed, 'draft') FROM draft WHERE id = ?1",
    )?
    .query_row([id.as_bytes()], raw)
    .optional()?
    .map(read)
    .transpose()
}

/// All drafts, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn all(db: &Connection) -> Result<Vec<Kept>, JournalError> {
    let mut statement = db.prepare_cached(
        "SELECT id, revision, begun_at, changed_at, unseal(sealed, 'draft') FROM draft ORDER BY changed_at DESC, id LIMIT ?1",
    )?;
    let rows = statement.query_map([DRAFTS_MAX], raw)?.collect::<Result<Vec<Raw>, _>>()?;
    rows.into_iter().map(read).collect()
}

/// Throws one away, with the photos that nothing else holds.
///
/// # Errors
/// When the database cannot be written.
pub fn drop(tx: &Connection, id: Uuid) -> Result<bool, JournalError> {
    let gone = forget(tx, id)?;
    if gone {
        parts::release(tx, id)?;
    }
    Ok(gone)
}

/// Takes one out; its photos stay with the report that it has become.
pub(super) fn forget(tx: &Connection, id: Uuid) -> Result<bool, JournalError> {
    Ok(tx.prepare_cached("DELETE FROM draft WHERE id = ?1")?.execute([id.as_bytes()])? > 0)
}

type Raw = (Vec<u8>, i64, i64, i64, Vec<u8>);

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn read((id, revision, begun_at, changed_at, body): Raw) -> Result<Kept, JournalError> {
    let id =
        Uuid::from_slice(&id).map_err(|_| JournalError::Damaged("an id has another length".to_owned()))?;
    let Body { by, draft } = serde_json::from_slice(&body)
        .map_err(|error| JournalError::Damaged(format!("a kept draft cannot be read: {error}")))?;
    let (begun_at, changed_at) = (UnixMs(begun_at), UnixMs(changed_at));
    Ok(Kept { id, revision: revision.cast_unsigned(), begun_at, changed_at, by, draft })
}
