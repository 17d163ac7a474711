//! Open work as the server last told it, kept whole.

use linewatch_shared::wire::{Hash, TasksAnswer, Work, encode};
use rusqlite::{Connection, OptionalExtension, params};

use crate::journal::JournalError;

/// The digest of what is kept.
///
/// # Errors
/// When the database cannot be read.
pub fn digest(db: &Connection) -> Result<Option<Hash>, JournalError> {
    let found: Option<Vec<u8>> = db
        .prepare_cached("SELECT digest FROM work WHERE one = 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(found.and_then(|bytes| Hash::from_slice(&bytes)))
}

/// Keeps an answer; answers whether anything is new.
///
/// # Errors
/// When the database cannot be written.
pub fn keep(tx: &Connection, answer: &TasksAnswer) -> Result<bool, JournalError> {
    let Some(work) = &answer.work else { return Ok(false) };
    tx.execute(
        "INSERT INTO work (one, digest, sealed) VALUES (1, ?1, seal(?2, 'work'))
         ON CONFLICT (one) DO UPDATE SET digest = ?1, sealed = seal(?2, 'work')",
        params![answer.digest.0, encode(work)?],
    )?;
    Ok(true)
}

/// What is kept; nothing when nothing was told yet.
///
/// # Errors
/// When the database cannot be read.
pub fn load(db: &Connection) -> Result<Work, JournalError> {
    let body: Option<Vec<u8>> = db
        .prepare_cached("SELECT unseal(sealed, 'work') FROM work WHERE one = 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(body) = body else { return Ok(Work::default()) };
    // Written by another version of the program: it is fetched again.
    Ok(rmp_serde::from_slice(&body).unwrap_or_default())
}

/// Forgets it: it is of another server.
///
/// # Errors
/// When the database cannot be written.
pub fn forget(tx: &Connection) -> Result<(), JournalError> {
    tx.execute("DELETE FROM work", [])?;
    Ok(())
}
