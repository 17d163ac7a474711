//! Who has read whom to call. A page that stays open reads the same again at each change: that is one reading.

use linewatch_shared::time::{MINUTE_MS, UnixMs};

use super::{Action, audit};
use crate::db::{DbError, Tx};
use crate::store::audit::has_since;

/// Reading the same again within this is the same reading (ms) [default].
const AGAIN_WITHIN_MS: i64 = 15 * MINUTE_MS;
const ACTION: Action = Action::ContactRead;

/// Whether a reading that began lately is in the audit trail.
///
/// # Errors
/// The database's.
pub fn is_noted(tx: &mut Tx<'_>, by: &str, subject: &str, now: UnixMs) -> Result<bool, DbError> {
    has_since(tx, by, ACTION, subject, now - AGAIN_WITHIN_MS)
}

/// Puts a reading into the audit trail, unless it is there.
///
/// # Errors
/// The database's.
pub fn note(tx: &mut Tx<'_>, by: &str, subject: &str, now: UnixMs) -> Result<(), DbError> {
    note_of(tx, by, subject, None, now)
}

/// The same, with more about it.
///
/// # Errors
/// The database's.
pub fn note_of(
    tx: &mut Tx<'_>,
    by: &str,
    subject: &str,
    detail: Option<&serde_json::Value>,
    now: UnixMs,
) -> Result<(), DbError> {
    if is_noted(tx, by, subject, now)? { Ok(()) } else { audit(tx, now.0, by, ACTION, subject, detail) }
}
