//! Dead letters: messages that were given up, kept where a person can see them and send them again.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{Db, DbError, Priority, Row};

/// Dead letters that one call lists.
pub const DEAD_LIST_MAX: i64 = 500;

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number in the outbox; [`resend`] takes it.
    pub n: i64,
    /// The effect's key.
    pub key: String,
    /// The fault.
    pub fault: Uuid,
    /// `email` or `webhook`.
    pub channel: String,
    /// The address, or the webhook's name.
    pub destination: String,
    /// Tries.
    pub attempts: i64,
    /// When the alert was made.
    pub created_at: UnixMs,
    /// When it was given up.
    pub dead_at: UnixMs,
    /// Why.
    pub error: String,
}

/// Dead letters with a number above `after`, at most [`DEAD_LIST_MAX`], in order.
///
/// # Errors
/// The database's.
pub async fn list_dead(db: &Db, after: i64) -> Result<Vec<DeadLetter>, DbError> {
    db.read(move |tx| {
        let rows = tx.query(
            "SELECT n, key, subject, channel, destination, attempts, created_at_ms, finished_at_ms, error \
             FROM outbox WHERE state = 'dead' AND n > $1 ORDER BY n LIMIT $2",
            &[after.into(), DEAD_LIST_MAX.into()],
        )?;
        rows.iter().map(dead_letter).collect()
    })
    .await
}

fn dead_letter(row: &Row) -> Result<DeadLetter, DbError> {
    Ok(DeadLetter {
        n: row.get(0)?,
        key: row.get(1)?,
        fault: row.get(2)?,
        channel: row.get(3)?,
        destination: row.get(4)?,
        attempts: row.get(5)?,
        created_at: row.get(6)?,
        dead_at: row.get(7)?,
        error: row.get::<Option<String>>(8)?.unwrap_or_default(),
    })
}

/// Puts a dead letter back, with the other alerts of the same digest; it goes out under the same
/// Message-ID. False when there is no dead letter `n`.
///
/// # Errors
/// The database's.
pub async fn resend(db: &Db, n: i64, now: UnixMs) -> Result<bool, DbError> {
    db.write(Priority::Api, move |tx| {
        // A letter that had no address gets the one that was imported since.
        tx.execute(
            "UPDATE outbox SET destination = (SELECT c.manager_email FROM fault f JOIN customer c ON c.code = f.customer \
             WHERE f.id = outbox.subject) WHERE n = $1 AND destination = '' AND channel = 'email' AND EXISTS \
             (SELECT 1 FROM fault f JOIN customer c ON c.code = f.customer WHERE f.id = outbox.subject \
             AND c.manager_email <> '')",
            &[n.into()],
        )?;
        // One attempt stays on the account: what may have arrived before keeps its Message-ID.
        let touched = tx.execute(
            "UPDATE outbox SET state = 'pending', attempts = 1, next_at_ms = $1, finished_at_ms = NULL, \
             lease_until_ms = NULL WHERE state = 'dead' AND (message_id, channel, destination) IN \
             (SELECT d.message_id, d.channel, d.destination FROM outbox d WHERE d.n = $2 AND d.state = 'dead')",
            &[now.into(), n.into()],
        )?;
        tx.notify(super::OUTBOX_CHANNEL)?;
        Ok(touched > 0)
    })
    .await
}
