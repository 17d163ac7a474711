//! The outbox's use cases: claim with a lease, finish, hold back.
//!
//! Invariant: a row is claimed by one notifier at a time, over all nodes. Claims are serialised by a
//! lock (or by the embedded database's one writer), and a destination with a running lease is left
//! alone, which also keeps its messages in order. `attempts` fences: it grows with each claim, so a
//! notifier that lost its lease cannot overwrite what the next one found.

use linewatch_shared::time::UnixMs;

use super::plan::{
    Batch, DIGEST_ALERTS_MAX, DIGEST_PREFIX, Hold, OutboxRow, Plan, STORM_PREFIX, WINDOW_MS, digest_id, plan,
};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::{alert_texts, outbox};

/// How long a claim keeps others away, in milliseconds.
pub const LEASE_MS: i64 = 45_000;
/// Due rows that one claim looks at.
const CLAIM_ROWS_MAX: i64 = 1_000;
/// Characters of an error that are kept.
const ERROR_CHARS_MAX: usize = 500;

/// What a claim found.
#[derive(Debug, Default)]
pub struct Claimed {
    /// To be sent, leased until `now +` [`LEASE_MS`].
    pub batches: Vec<Batch>,
    /// True when there is more to claim as soon as there is room.
    pub more: bool,
    /// When something that is not due yet will be.
    pub next_at_ms: Option<i64>,
    /// How often the desk had changed its texts; none where nothing is to be written.
    pub texts_version: Option<i64>,
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
        /// Where it goes instead: channel and destination.
        instead: Vec<(&'static str, String)>,
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

/// Claims what is due for at most `room` destinations; a storm is what is about more faults than `storm_above`.
pub async fn claim(db: &Db, now: UnixMs, room: usize, storm_above: usize) -> Result<Claimed, DbError> {
    db.write(Priority::Engine, move |tx| claim_in(tx, now.0, room, storm_above)).await
}

fn claim_in(tx: &mut Tx<'_>, now_ms: i64, room: usize, storm_above: usize) -> Result<Claimed, DbError> {
    tx.lock(&[outbox::lock_key()])?;
    outbox::end_pauses(tx, now_ms)?;
    let rows = outbox::due(tx, now_ms, CLAIM_ROWS_MAX)?;
    let full = rows.len() as i64 == CLAIM_ROWS_MAX;
    let mut plan = if rows.is_empty() {
        Plan::default()
    } else {
        plan(now_ms, rows, &outbox::sent_after(tx, now_ms - WINDOW_MS)?, room, storm_above)
    };
    for held in &plan.holds {
        hold(tx, held)?;
    }
    lease(tx, &mut plan.batches, now_ms + LEASE_MS)?;
    let next_at_ms = outbox::next_at_ms(tx, now_ms)?;
    let texts_version = if plan.batches.is_empty() { None } else { Some(alert_texts::version(tx)?) };
    Ok(Claimed { batches: plan.batches, more: plan.more || full, next_at_ms, texts_version })
}

/// Takes the leases; a digest is taken whole, whatever part of it the claim saw.
fn lease(tx: &mut Tx<'_>, batches: &mut [Batch], until_ms: i64) -> Result<(), DbError> {
    let mut leases = Vec::new();
    for batch in batches {
        for message in &mut batch.messages {
            if message.id().starts_with(STORM_PREFIX) {
                let gathered: Vec<(&str, i64)> =
                    message.rows.iter().map(|row| (row.message_id.as_str(), row.n)).collect();
                outbox::gather(tx, &gathered)?;
            }
            if message.rows.iter().any(OutboxRow::is_digest) {
                message.rows = outbox::of_message(tx, message.id(), &batch.channel, &batch.destination)?;
            }
            for row in &mut message.rows {
                row.attempts += 1;
                leases.push((row.n, row.attempts));
            }
        }
    }
    outbox::lease(tx, &leases, until_ms)
}

/// Lets rows wait; those never tried join the destination's open digest, or begin one.
fn hold(tx: &mut Tx<'_>, held: &Hold) -> Result<(), DbError> {
    let Some(first) = held.rows.first() else { return Ok(()) };
    let mut digest = outbox::open_digest(tx, &first.channel, &first.destination)?;
    let mut waiting = Vec::new();
    for row in &held.rows {
        let stays = row.attempts > 0 || row.is_digest();
        let message_id = if stays { row.message_id.clone() } else { join(&mut digest, &row.key) };
        waiting.push((message_id, row.n));
    }
    outbox::hold(tx, &waiting, held.until_ms)
}

fn join(digest: &mut Option<(String, usize)>, key: &str) -> String {
    match digest {
        Some((id, count)) if *count < DIGEST_ALERTS_MAX => {
            *count += 1;
            id.clone()
        }
        _ => {
            let id = digest_id(DIGEST_PREFIX, key);
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
    let rows = &finished.rows;
    match &finished.ending {
        Ending::Sent => outbox::mark_sent(tx, rows, now_ms)?,
        Ending::Retry { next_at_ms, error } => outbox::retry(tx, rows, *next_at_ms, &shortened(error))?,
        Ending::Dead { error, instead } => {
            outbox::give_up(tx, rows, now_ms, &shortened(error))?;
            for (channel, destination) in instead {
                outbox::fall_back(tx, rows, (channel, destination), UnixMs(now_ms))?;
            }
        }
        Ending::Released { next_at_ms } => outbox::release(tx, rows, next_at_ms.unwrap_or(0))?,
    }
    match &finished.pause {
        Some(pause) => outbox::pause(tx, &pause.channel, &pause.destination, pause.until_ms),
        None => Ok(()),
    }
}

fn shortened(error: &str) -> String {
    error.chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR_CHARS_MAX).collect()
}

/// Rows that wait or are being sent.
pub async fn count_pending(db: &Db) -> Result<i64, DbError> {
    db.read(outbox::count_pending).await
}
