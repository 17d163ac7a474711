//! Messages that were given up.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, Row, Tx};

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number in the outbox.
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

/// Those with a number above `after`, in order.
pub fn list(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<DeadLetter>, DbError> {
    let sql = "SELECT n, key, subject, channel, destination, attempts, created_at_ms, finished_at_ms, error \
         FROM outbox WHERE state = 'dead' AND n > $1 ORDER BY n LIMIT $2";
    let read = |row: &Row| {
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
    };
    tx.query(sql, &[after.into(), limit.into()])?.iter().map(read).collect()
}

/// Gives a mail that had no address the one that its customer's account manager has by now.
pub fn address(tx: &mut Tx<'_>, n: i64) -> Result<(), DbError> {
    let sql = "UPDATE outbox SET destination = (SELECT c.manager_email FROM fault f JOIN customer c ON c.code = f.customer \
         WHERE f.id = outbox.subject) WHERE n = $1 AND destination = '' AND channel = 'email' AND EXISTS \
         (SELECT 1 FROM fault f JOIN customer c ON c.code = f.customer WHERE f.id = outbox.subject \
         AND c.manager_email <> '')";
    tx.execute(sql, &[n.into()])?;
    Ok(())
}

/// Makes a dead letter due again, with the others under its Message-ID; false when there is none of that
/// number. One attempt stays on the account: what may have arrived before keeps its Message-ID.
pub fn revive(tx: &mut Tx<'_>, n: i64, now: UnixMs) -> Result<bool, DbError> {
    let sql = "UPDATE outbox SET state = 'pending', attempts = 1, next_at_ms = $1, finished_at_ms = NULL, \
         lease_until_ms = NULL WHERE state = 'dead' AND (message_id, channel, destination) IN \
         (SELECT d.message_id, d.channel, d.destination FROM outbox d WHERE d.n = $2 AND d.state = 'dead')";
    Ok(tx.execute(sql, &[now.into(), n.into()])? > 0)
}
