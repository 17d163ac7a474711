//! The outbox's statements: claim with a lease, finish, hold back.
//!
//! Invariant: a row is claimed by one notifier at a time, over all nodes. Claims are serialised by a
//! lock (or by the embedded database's one writer), and a destination with a running lease is left
//! alone, which also keeps its messages in order. `attempts` fences: it grows with each claim, so a
//! notifier that lost its lease cannot overwrite what the next one found.

use std::collections::HashMap;

use linewatch_shared::time::UnixMs;
use sha2::{Digest, Sha256};

use super::plan::{Batch, DIGEST_ALERTS_MAX, DIGEST_PREFIX, Hold, OutboxRow, Recent, WINDOW_MS, plan};
use crate::db::{Db, DbError, LockKey, Priority, Row, Tx, Value};

/// How long a claim keeps others away, in milliseconds.
pub const LEASE_MS: i64 = 45_000;
/// Due rows that one claim looks at.
const CLAIM_ROWS_MAX: i64 = 1_000;
/// Characters of an error that are kept.
const ERROR_CHARS_MAX: usize = 500;

const COLUMNS: &str =
    "o.n, o.key, o.subject, o.channel, o.destination, o.message_id, o.alert, o.attempts, o.created_at_ms";

const DUE: &str = "FROM outbox o \
    WHERE o.state = 'pending' AND o.next_at_ms <= $1 AND (o.lease_until_ms IS NULL OR o.lease_until_ms <= $1) \
    AND NOT EXISTS (SELECT 1 FROM outbox_pause p \
        WHERE p.channel = o.channel AND p.destination = o.destination AND p.until_ms > $1) \
    AND (o.channel, o.destination) NOT IN (SELECT b.channel, b.destination FROM outbox b \
        WHERE b.state = 'pending' AND b.lease_until_ms > $1) \
    ORDER BY o.n LIMIT $2";

const RECENT: &str = "SELECT destination, CAST(COUNT(DISTINCT message_id) AS BIGINT), MIN(finished_at_ms) \
    FROM outbox WHERE state = 'done' AND finished_at_ms > $1 AND channel = 'email' GROUP BY destination";

const NEXT: &str = "SELECT MIN(at_ms) FROM (\
    SELECT MIN(next_at_ms) AS at_ms FROM outbox WHERE state = 'pending' AND next_at_ms > $1 \
    UNION ALL SELECT MIN(lease_until_ms) FROM outbox WHERE state = 'pending' AND lease_until_ms > $1 \
    UNION ALL SELECT MIN(until_ms) FROM outbox_pause WHERE until_ms > $1) AS wakes";

/// What a claim found.
#[derive(Debug, Default)]
pub struct Claimed {
    /// To be sent, leased until `now +` [`LEASE_MS`].
    pub batches: Vec<Batch>,
    /// True when there is more to claim as soon as there is room.
    pub more: bool,
    /// When something that is not due yet will be.
    pub next_at_ms: Option<i64>,
}

/// How a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Handed over.
    Sent,
    /// To be tried again.
    Retry {
        /// When.
        next_at_ms: i64,
        /// Why.
        error: String,
    },
    /// Given up.
    Dead {
        /// Why.
        error: String,
    },
    /// Not tried; the claim does not count as a try.
    Released {
        /// When it is due again; none leaves it due.
        next_at_ms: Option<i64>,
    },
}

/// The end of one message's claim.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Number and attempts of each row, as claimed.
    pub rows: Vec<(i64, i64)>,
    /// What became of it.
    pub ending: Ending,
    /// The destination asked to be left alone until then.
    pub pause: Option<Pause>,
}

/// A destination that is left alone for a while.
#[derive(Clone, Debug)]
pub struct Pause {
    /// `email` or `webhook`.
    pub channel: String,
    /// The address, or the webhook's name.
    pub destination: String,
    /// Until when.
    pub until_ms: i64,
}

/// Claims what is due for at most `room` destinations.
pub async fn claim(db: &Db, now: UnixMs, room: usize) -> Result<Claimed, DbError> {
    db.write(Priority::Engine, move |tx| claim_in(tx, now.0, room)).await
}

fn claim_in(tx: &mut Tx<'_>, now_ms: i64, room: usize) -> Result<Claimed, DbError> {
    tx.lock(&[LockKey::new("outbox", b"claim")])?;
    tx.execute("DELETE FROM outbox_pause WHERE until_ms <= $1", &[now_ms.into()])?;
    let sql = format!("SELECT {COLUMNS} {DUE}{}", tx.claim_suffix());
    let rows = tx.query(&sql, &[now_ms.into(), CLAIM_ROWS_MAX.into()])?;
    let full = rows.len() as i64 == CLAIM_ROWS_MAX;
    let rows = rows.iter().map(outbox_row).collect::<Result<Vec<_>, _>>()?;
    let mut plan = if rows.is_empty() {
        super::plan::Plan::default()
    } else {
        plan(now_ms, rows, &recent(tx, now_ms)?, room)
    };
    for held in &plan.holds {
        hold(tx, held)?;
    }
    lease(tx, &mut plan.batches, now_ms + LEASE_MS)?;
    let next_at_ms = tx.query_one(NEXT, &[now_ms.into()])?.get(0)?;
    Ok(Claimed { batches: plan.batches, more: plan.more || full, next_at_ms })
}

fn outbox_row(row: &Row) -> Result<OutboxRow, DbError> {
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
    })
}

fn recent(tx: &mut Tx<'_>, now_ms: i64) -> Result<HashMap<String, Recent>, DbError> {
    let rows = tx.query(RECENT, &[(now_ms - WINDOW_MS).into()])?;
    let one = |row: &Row| {
        let count: i64 = row.get(1)?;
        Ok((row.get(0)?, Recent { count: usize::try_from(count).unwrap_or(0), oldest_at_ms: row.get(2)? }))
    };
    rows.iter().map(one).collect()
}

/// Takes the leases; a digest is taken whole, whatever part of it the claim saw.
fn lease(tx: &mut Tx<'_>, batches: &mut [Batch], until_ms: i64) -> Result<(), DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox o WHERE o.state = 'pending' AND o.message_id = $1 AND o.channel = $2 \
         AND o.destination = $3 ORDER BY o.n"
    );
    let mut leases: Vec<Vec<Value>> = Vec::new();
    for batch in batches {
        for message in &mut batch.messages {
            if message.rows.iter().any(OutboxRow::is_digest) {
                let params = [message.id().into(), (&batch.channel).into(), (&batch.destination).into()];
                message.rows = tx.query(&sql, &params)?.iter().map(outbox_row).collect::<Result<_, _>>()?;
            }
            for row in &mut message.rows {
                row.attempts += 1;
                leases.push(vec![until_ms.into(), row.attempts.into(), row.n.into()]);
            }
        }
    }
    if !leases.is_empty() {
        tx.batch("UPDATE outbox SET lease_until_ms = $1, attempts = $2 WHERE n = $3", &leases)?;
    }
    Ok(())
}

/// Lets rows wait; those never tried join the destination's open digest, or begin one.
fn hold(tx: &mut Tx<'_>, held: &Hold) -> Result<(), DbError> {
    let Some(first) = held.rows.first() else { return Ok(()) };
    let open = tx.query(
        "SELECT message_id, CAST(COUNT(*) AS BIGINT) FROM outbox WHERE state = 'pending' AND attempts = 0 \
         AND channel = $1 AND destination = $2 AND message_id LIKE '<digest.%' GROUP BY message_id ORDER BY 2",
        &[(&first.channel).into(), (&first.destination).into()],
    )?;
    let mut digest: Option<(String, usize)> = match open.first() {
        Some(row) => Some((row.get(0)?, usize::try_from(row.get::<i64>(1)?).unwrap_or(0))),
        None => None,
    };
    let mut updates: Vec<Vec<Value>> = Vec::new();
    for row in &held.rows {
        let stays = row.attempts > 0 || row.is_digest();
        let message_id = if stays { row.message_id.clone() } else { join(&mut digest, &row.key) };
        updates.push(vec![message_id.into(), held.until_ms.into(), row.n.into()]);
    }
    tx.batch("UPDATE outbox SET message_id = $1, next_at_ms = $2 WHERE n = $3", &updates)?;
    Ok(())
}

fn join(digest: &mut Option<(String, usize)>, key: &str) -> String {
    match digest {
        Some((id, count)) if *count < DIGEST_ALERTS_MAX => {
            *count += 1;
            id.clone()
        }
        _ => {
            let hash = hex::encode(&Sha256::digest(key)[..16]);
            let id = format!("{DIGEST_PREFIX}{hash}@linewatch>");
            *digest = Some((id.clone(), 1));
            id
        }
    }
}

/// Writes down how claims ended. What was sent is done even if the lease ran out meanwhile; the rest
/// only where the claim is still ours.
pub async fn finish(db: &Db, now: UnixMs, finished: Vec<Finished>) -> Result<(), DbError> {
    db.write(Priority::Engine, move |tx| finished.iter().try_for_each(|one| finish_in(tx, now.0, one))).await
}

fn finish_in(tx: &mut Tx<'_>, now_ms: i64, finished: &Finished) -> Result<(), DbError> {
    let ours = |set: &str| {
        format!(
            "UPDATE outbox SET lease_until_ms = NULL, {set} WHERE n = $1 AND state = 'pending' AND attempts = $2"
        )
    };
    let rows = |with: &[Value]| -> Vec<Vec<Value>> {
        let one = |(n, attempts): &(i64, i64)| [&[(*n).into(), (*attempts).into()], with].concat();
        finished.rows.iter().map(one).collect()
    };
    match &finished.ending {
        Ending::Sent => {
            let params: Vec<Vec<Value>> =
                finished.rows.iter().map(|(n, _)| vec![(*n).into(), now_ms.into()]).collect();
            tx.batch(
                "UPDATE outbox SET lease_until_ms = NULL, state = 'done', finished_at_ms = $2, error = NULL \
                 WHERE n = $1 AND state = 'pending'",
                &params,
            )?;
        }
        Ending::Retry { next_at_ms, error } => {
            let with = [(*next_at_ms).into(), shortened(error).into()];
            tx.batch(&ours("next_at_ms = $3, error = $4"), &rows(&with))?;
        }
        Ending::Dead { error } => {
            let with = [now_ms.into(), shortened(error).into()];
            tx.batch(&ours("state = 'dead', finished_at_ms = $3, error = $4"), &rows(&with))?;
        }
        Ending::Released { next_at_ms } => {
            let with = [next_at_ms.unwrap_or(0).into()];
            let set = "attempts = attempts - 1, \
                       next_at_ms = CASE WHEN next_at_ms > $3 THEN next_at_ms ELSE $3 END";
            tx.batch(&ours(set), &rows(&with))?;
        }
    }
    finished.pause.as_ref().map_or(Ok(()), |pause| pause_in(tx, pause))
}

fn pause_in(tx: &mut Tx<'_>, pause: &Pause) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO outbox_pause (channel, destination, until_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (channel, destination) DO UPDATE SET until_ms = excluded.until_ms",
        &[(&pause.channel).into(), (&pause.destination).into(), pause.until_ms.into()],
    )?;
    Ok(())
}

fn shortened(error: &str) -> String {
    error.chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR_CHARS_MAX).collect()
}

/// Rows that wait or are being sent.
pub async fn count_pending(db: &Db) -> Result<i64, DbError> {
    db.read(|tx| {
        tx.query_one("SELECT CAST(COUNT(*) AS BIGINT) FROM outbox WHERE state = 'pending'", &[])?.get(0)
    })
    .await
}
