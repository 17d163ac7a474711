//! Whether this device is locked: the server has revoked it. Noted durably, so that it holds without a network and over
//! restarts; what is unsent stays.

use linewatch_shared::time::UnixMs;
use rusqlite::Connection;

use super::{JournalError, meta};

/// Since when this device is locked, by its wall clock; none while it is not. A locked device shows and takes in nothing
/// of people's.
///
/// # Errors
/// When the database cannot be read.
pub fn locked(db: &Connection) -> Result<Option<UnixMs>, JournalError> {
    meta::get(db, meta::LOCKED)
}

/// The server has revoked this device. Answers whether that is news; the first time is kept.
///
/// # Errors
/// When the database cannot be written.
pub fn lock(tx: &Connection, now: UnixMs) -> Result<bool, JournalError> {
    let is_news = locked(tx)?.is_none();
    if is_news {
        meta::put(tx, meta::LOCKED, &now)?;
    }
    Ok(is_news)
}

/// The server has let this device in, again.
///
/// # Errors
/// When the database cannot be written.
pub fn unlock(tx: &Connection) -> Result<(), JournalError> {
    meta::remove(tx, meta::LOCKED)
}
