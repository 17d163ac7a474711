//! Messages on their way out: rows that are due, leased, held back, and how they ended.

use std::collections::HashMap;

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::outgoing::{NewMessage, insert_messages};
use crate::db::{DbError, LockKey, Row, Tx, Value};

/// How the Message-ID of a digest begins.
pub const DIGEST_PREFIX: &str = "<digest.";
/// How that of a storm does.
pub const STORM_PREFIX: &str = "<digest.storm.";

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number.
    pub n: i64,
    /// The effect's key.
    pub key: String,
    /// The fault.
    pub subject: Uuid,
    /// `email`, `webhook`, or another service.
    pub channel: String,
    /// The address, or the name of what is configured.
    pub destination: String,
    /// The Message-ID; the rows of one digest share theirs.
    pub message_id: String,
    /// The alert as JSON.
    pub alert: String,
    /// Tries so far, with the present one once it is claimed.
    pub attempts: i64,
    /// When the alert was put into the outbox.
    pub created_at_ms: i64,
    /// The alert that it is of, where that can be taken.
    pub alert_key: Option<String>,
    /// What it may have in common with others that go out with it; empty where nothing.
    pub cause: String,
}

impl OutboxRow {
    /// Whether it goes out together with others.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.message_id.starts_with(DIGEST_PREFIX)
    }
}

const COLUMNS: &str = "o.n, o.key, o.subject, o.channel, o.destination, o.message_id, o.alert, o.attempts, o.created_at_ms, o.alert_key, o.cause";

fn read(row: &Row) -> Result<OutboxRow, DbError> {
    Ok(OutboxRow {
        n: row.get(0)?,
        key: row.get(1)?,
        subject: row.get(2)?,
        channel: row.get(3)?,
        destination: row.get(4)?,
        message_id: row.get(5)?,
        alert: row.get(6)?,
        attempts: row.get(7)?,
        created_at_ms: row.get(8)?,
        alert_key: row.get(9)?,
        cause: row.get(10)?,
    })
}

/// The key that a transaction takes before it claims.
#[must_use]
pub fn lock_key() -> LockKey {
    LockKey::new("outbox", b"claim")
}

/// Rows that are due, in order. Those of a destination that is paused, or has a running lease, are not.
pub fn due(tx: &mut Tx<'_>, now_ms: i64, limit: i64) -> Result<Vec<OutboxRow>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox o WHERE o.state = 'pending' AND o.next_at_ms <= $1 \
         AND (o.lease_until_ms IS NULL OR o.lease_until_ms <= $1) \
         AND NOT EXISTS (SELECT 1 FROM outbox_pause p \
         WHERE p.channel = o.channel AND p.destination = o.destination AND p.until_ms > $1) \
         AND (o.channel, o.destination) NOT IN (SELECT b.channel, b.destination FROM outbox b \
         WHERE b.state = 'pending' AND b.lease_until_ms > $1) ORDER BY o.n LIMIT $2{}",
        tx.claim_suffix()
    );
    tx.query(&sql, &[now_ms.into(), limit.into()])?.iter().map(read).collect()
}

/// When the next row, lease or pause that is not over yet will be.
pub fn next_at_ms(tx: &mut Tx<'_>, now_ms: i64) -> Result<Option<i64>, DbError> {
    let sql = "SELECT MIN(at_ms) FROM (\
         SELECT MIN(next_at_ms) AS at_ms FROM outbox WHERE state = 'pending' AND next_at_ms > $1 \
         UNION ALL SELECT MIN(lease_until_ms) FROM outbox WHERE state = 'pending' AND lease_until_ms > $1 \
         UNION ALL SELECT MIN(until_ms) FROM outbox_pause WHERE until_ms > $1) AS wakes";
    tx.query_one(sql, &[now_ms.into()])?.get(0)
}

/// Messages that an address got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// How many.
    pub count: usize,
    /// When the oldest of them was finished.
    pub oldest_at_ms: i64,
}

/// What destinations got after a moment, by channel and destination.
pub fn sent_after(tx: &mut Tx<'_>, after_ms: i64) -> Result<HashMap<(String, String), Recent>, DbError> {
    let sql = "SELECT channel, destination, CAST(COUNT(DISTINCT message_id) AS BIGINT), MIN(finished_at_ms) \
         FROM outbox WHERE state = 'done' AND finished_at_ms > $1 GROUP BY channel, destination";
    let one = |row: &Row| {
        let count = usize::try_from(row.get::<i64>(2)?).unwrap_or(0);
        Ok(((row.get(0)?, row.get(1)?), Recent { count, oldest_at_ms: row.get(3)? }))
    };
    tx.query(sql, &[after_ms.into()])?.iter().map(one).collect()
}

/// The pending rows of a destination under one Message-ID, in order.
pub fn of_message(
    tx: &mut Tx<'_>,
    message_id: &str,
    channel: &str,
    destination: &str,
) -> Result<Vec<OutboxRow>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox o WHERE o.state = 'pending' AND o.message_id = $1 AND o.channel = $2 \
         AND o.destination = $3 ORDER BY o.n"
    );
    tx.query(&sql, &[message_id.into(), channel.into(), destination.into()])?.iter().map(read).collect()
}

/// Keeps others away from rows, given by number and attempts, until a moment.
pub fn lease(tx: &mut Tx<'_>, rows: &[(i64, i64)], until_ms: i64) -> Result<(), DbError> {
    let params: Vec<Vec<Value>> =
        rows.iter().map(|(n, attempts)| vec![until_ms.into(), (*attempts).into(), (*n).into()]).collect();
    if !params.is_empty() {
        tx.batch("UPDATE outbox SET lease_until_ms = $1, attempts = $2 WHERE n = $3", &params)?;
    }
    Ok(())
}

/// The emptiest digest of a destination that was not tried yet: its Message-ID, and how many rows it has.
pub fn open_digest(
    tx: &mut Tx<'_>,
    channel: &str,
    destination: &str,
) -> Result<Option<(String, usize)>, DbError> {
    let sql = "SELECT message_id, CAST(COUNT(*) AS BIGINT) FROM outbox WHERE state = 'pending' AND attempts = 0 \
         AND channel = $1 AND destination = $2 AND message_id LIKE $3 AND message_id NOT LIKE $4 \
         GROUP BY message_id ORDER BY 2 LIMIT 1";
    // A storm keeps to itself.
    let (pattern, storm) = (format!("{DIGEST_PREFIX}%"), format!("{STORM_PREFIX}%"));
    let row = tx.query_opt(sql, &[channel.into(), destination.into(), pattern.into(), storm.into()])?;
    row.map(|row| Ok((row.get(0)?, usize::try_from(row.get::<i64>(1)?).unwrap_or(0)))).transpose()
}

/// Gathers rows under the Message-ID that they have here: `(message_id, n)`.
pub fn gather(tx: &mut Tx<'_>, rows: &[(&str, i64)]) -> Result<(), DbError> {
    let params: Vec<_> = rows.iter().map(|(id, n)| vec![(*id).into(), (*n).into()]).collect();
    if !params.is_empty() {
        tx.batch("UPDATE outbox SET message_id = $1 WHERE n = $2", &params)?;
    }
    Ok(())
}

/// Lets rows wait until a moment, each under a Message-ID: `(message_id, n)`.
pub fn hold(tx: &mut Tx<'_>, rows: &[(String, i64)], until_ms: i64) -> Result<(), DbError> {
    let params: Vec<_> = rows.iter().map(|(id, n)| vec![id.into(), until_ms.into(), (*n).into()]).collect();
    tx.batch("UPDATE outbox SET message_id = $1, next_at_ms = $2 WHERE n = $3", &params)?;
    Ok(())
}

/// Marks rows as sent, by number; also where the lease ran out meanwhile.
pub fn mark_sent(tx: &mut Tx<'_>, rows: &[(i64, i64)], now_ms: i64) -> Result<(), DbError> {
    let sql = "UPDATE outbox SET lease_until_ms = NULL, state = 'done', finished_at_ms = $2, error = NULL \
         WHERE n = $1 AND state = 'pending'";
    let params: Vec<_> = rows.iter().map(|(n, _)| vec![(*n).into(), now_ms.into()]).collect();
    tx.batch(sql, &params)?;
    Ok(())
}

/// Lets rows be tried again at a moment, where the claim with these attempts is still the last.
pub fn retry(tx: &mut Tx<'_>, rows: &[(i64, i64)], next_at_ms: i64, error: &str) -> Result<(), DbError> {
    end_claim(tx, rows, "next_at_ms = $3, error = $4", &[next_at_ms.into(), error.into()])
}

/// Gives rows up, where the claim with these attempts is still the last.
pub fn give_up(tx: &mut Tx<'_>, rows: &[(i64, i64)], now_ms: i64, error: &str) -> Result<(), DbError> {
    end_claim(tx, rows, "state = 'dead', finished_at_ms = $3, error = $4", &[now_ms.into(), error.into()])
}

/// Puts what was given up, and not sent again since, into the outbox once more for another way: under the alert's own
/// key there, so that it is there once.
pub fn fall_back(
    tx: &mut Tx<'_>,
    rows: &[(i64, i64)],
    (channel, destination): (&'static str, &str),
    now: UnixMs,
) -> Result<(), DbError> {
    let sql = "SELECT key, subject, channel, destination, alert, alert_key, rung, cause FROM outbox WHERE n = $1 AND attempts = $2 \
         AND state = 'dead'";
    let mut messages = Vec::new();
    for (n, attempts) in rows {
        let Some(row) = tx.query_opt(sql, &[(*n).into(), (*attempts).into()])? else { continue };
        let (key, from, to): (String, String, String) = (row.get(0)?, row.get(2)?, row.get(3)?);
        let own = key.strip_suffix(&format!("/{from}/{to}")).unwrap_or(&key);
        messages.push(NewMessage {
            key: format!("{own}/{channel}/{destination}"),
            subject: row.get(1)?,
            channel,
            destination: destination.to_owned(),
            alert: row.get(4)?,
            alert_key: row.get(5)?,
            rung: usize::try_from(row.get::<i64>(6)?).unwrap_or(0),
            cause: row.get(7)?,
            ..NewMessage::default()
        });
    }
    insert_messages(tx, &messages, now)
}

/// Takes a claim back as if it had not been, where it is still the last; due not before the moment.
pub fn release(tx: &mut Tx<'_>, rows: &[(i64, i64)], not_before_ms: i64) -> Result<(), DbError> {
    let set = "attempts = attempts - 1, next_at_ms = CASE WHEN next_at_ms > $3 THEN next_at_ms ELSE $3 END";
    end_claim(tx, rows, set, &[not_before_ms.into()])
}

/// Ends a claim of rows by number and attempts; `set` uses `with` from `$3` on.
fn end_claim(tx: &mut Tx<'_>, rows: &[(i64, i64)], set: &str, with: &[Value]) -> Result<(), DbError> {
    let sql = format!(
        "UPDATE outbox SET lease_until_ms = NULL, {set} WHERE n = $1 AND state = 'pending' AND attempts = $2"
    );
    let one = |(n, attempts): &(i64, i64)| [&[(*n).into(), (*attempts).into()], with].concat();
    tx.batch(&sql, &rows.iter().map(one).collect::<Vec<_>>())?;
    Ok(())
}

/// Leaves a destination alone until a moment.
pub fn pause(tx: &mut Tx<'_>, channel: &str, destination: &str, until_ms: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO outbox_pause (channel, destination, until_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (channel, destination) DO UPDATE SET until_ms = excluded.until_ms";
    tx.execute(sql, &[channel.into(), destination.into(), until_ms.into()])?;
    Ok(())
}

/// Forgets pauses that are over.
pub fn end_pauses(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM outbox_pause WHERE until_ms <= $1", &[now_ms.into()])?;
    Ok(())
}

/// How many rows wait or are being sent.
pub fn count_pending(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    tx.query_one("SELECT CAST(COUNT(*) AS BIGINT) FROM outbox WHERE state = 'pending'", &[])?.get(0)
}
