//! Dead letters: messages that were given up, kept where a person can see them and send them again.

use linewatch_shared::time::UnixMs;

use crate::db::{Db, DbError, Priority};
use crate::store::dead_letters;
pub use crate::store::dead_letters::DeadLetter;

/// Dead letters that one call lists.
pub const DEAD_LIST_MAX: i64 = 500;

/// Dead letters with a number above `after`, at most [`DEAD_LIST_MAX`], in order.
///
/// # Errors
/// The database's.
pub async fn list_dead(db: &Db, after: i64) -> Result<Vec<DeadLetter>, DbError> {
    db.read(move |tx| dead_letters::list(tx, after, DEAD_LIST_MAX)).await
}

/// Puts a dead letter back, with the other alerts of the same digest; it goes out under the same
/// Message-ID. One that had no address goes to the one that was imported since. False when there is no
/// dead letter `n`.
///
/// # Errors
/// The database's.
pub async fn resend(db: &Db, n: i64, now: UnixMs) -> Result<bool, DbError> {
    db.write(Priority::Api, move |tx| {
        dead_letters::address(tx, n)?;
        let found = dead_letters::revive(tx, n, now)?;
        tx.notify(super::OUTBOX_CHANNEL)?;
        Ok(found)
    })
    .await
}
