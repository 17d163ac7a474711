//! What goes out: events for boards, messages for people.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, Tx};

/// The newest event's number.
pub fn event_head(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    tx.query_one("SELECT n FROM head WHERE name = 'event'", &[])?.get(0)
}

/// What a board is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A fault changed.
    Fault,
    /// A promise reached a mark.
    Deadline,
    /// An agent fell silent, came back, or fares badly.
    Agent,
    /// A visit report came, or the last of its photos.
    Visit,
}

impl EventKind {
    /// The kind's name in tables and streams.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Deadline => "deadline",
            Self::Agent => "agent",
            Self::Visit => "visit",
        }
    }
}

/// Something a board is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What.
    pub kind: EventKind,
    /// The fault or report, where it is about one.
    pub subject: Option<Uuid>,
    /// JSON; for a fault the board reads the fault itself.
    pub body: String,
}

/// Appends events. It takes the head row and holds it to the commit, so that numbers are in commit order:
/// call it last in the transaction.
pub fn append_events(tx: &mut Tx<'_>, events: &[NewEvent], now: UnixMs) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let count = events.len() as i64;
    let sql = "UPDATE head SET n = n + $1 WHERE name = 'event' RETURNING n";
    let last: i64 = tx.query_one(sql, &[count.into()])?.get(0)?;
    let rows: Vec<_> = events
        .iter()
        .zip(last - count + 1..)
        .map(|(event, n)| {
            vec![
                n.into(),
                now.into(),
                event.kind.name().into(),
                event.subject.into(),
                event.body.as_str().into(),
            ]
        })
        .collect();
    tx.batch("INSERT INTO event (n, at_ms, kind, subject, body) VALUES ($1, $2, $3, $4, $5)", &rows)?;
    tx.notify("event")
}

/// An event, as it was stored.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number.
    pub n: i64,
    /// `fault`, `deadline`, `agent` or `visit`.
    pub kind: String,
    /// The fault, where it is about one.
    pub subject: Option<Uuid>,
    /// JSON.
    pub body: String,
}

/// Events after a number, in order.
pub fn events_after(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<Event>, DbError> {
    let sql = "SELECT n, kind, subject, body FROM event WHERE n > $1 ORDER BY n LIMIT $2";
    let rows = tx.query(sql, &[after.into(), limit.into()])?;
    rows.iter()
        .map(|row| Ok(Event { n: row.get(0)?, kind: row.get(1)?, subject: row.get(2)?, body: row.get(3)? }))
        .collect()
}

/// Forgets events from before a moment; whoever stands further back reads the snapshot again.
pub fn forget_events(tx: &mut Tx<'_>, before: UnixMs) -> Result<u64, DbError> {
    tx.execute("DELETE FROM event WHERE at_ms < $1", &[before.into()])
}

/// The Message-ID of the effect `key`: one alert has one, whoever sends it.
#[must_use]
pub fn message_id(key: &str, destination: &str) -> String {
    use sha2::Digest;
    let hash = sha2::Sha256::new().chain_update(key).chain_update([0]).chain_update(destination).finalize();
    format!("<{}@linewatch>", hex::encode(&hash[..16]))
}

/// A message to hand over.
#[derive(Clone, Debug, Default)]
pub struct NewMessage {
    /// Under which it exists once.
    pub key: String,
    /// The fault.
    pub subject: Uuid,
    /// `email` or `webhook`.
    pub channel: &'static str,
    /// An address, or the webhook's name.
    pub destination: String,
    /// The alert as JSON.
    pub alert: String,
    /// Why it can be handed to nobody, where that is known already.
    pub undeliverable: Option<&'static str>,
    /// The alert that it is of, where that can be taken.
    pub alert_key: Option<String>,
    /// At which step of the alert's ladder; 0 for the alert itself.
    pub rung: usize,
    /// For whom; empty for a channel.
    pub person: String,
    /// What it may have in common with others that go out with it: the upstream node, or the customer.
    pub cause: String,
}

/// Puts messages into the outbox; a key that is there already changes nothing.
pub fn insert_messages(tx: &mut Tx<'_>, messages: &[NewMessage], now: UnixMs) -> Result<(), DbError> {
    if messages.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = messages
        .iter()
        .map(|message| {
            let (state, finished) = match message.undeliverable {
                Some(_) => ("dead", Some(now)),
                None => ("pending", None),
            };
            vec![
                message.key.as_str().into(),
                message.subject.into(),
                message.channel.into(),
                message.destination.as_str().into(),
                message_id(&message.key, &message.destination).into(),
                message.alert.as_str().into(),
                state.into(),
                now.into(),
                finished.into(),
                message.undeliverable.into(),
                message.alert_key.as_deref().into(),
                (message.rung as i64).into(),
                message.person.as_str().into(),
                message.cause.as_str().into(),
            ]
        })
        .collect();
    let sql = "INSERT INTO outbox (key, subject, channel, destination, message_id, alert, state, next_at_ms, created_at_ms, \
         finished_at_ms, error, alert_key, rung, person, cause) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (key) DO NOTHING";
    tx.batch(sql, &rows)?;
    tx.notify("outbox")
}

/// Whether events after that number have been forgotten.
pub fn is_forgotten(tx: &mut Tx<'_>, after: i64) -> Result<bool, DbError> {
    let oldest: Option<i64> = tx.query_one("SELECT MIN(n) FROM event", &[])?.get(0)?;
    Ok(match oldest {
        Some(oldest) => after + 1 < oldest,
        None => after < event_head(tx)?,
    })
}
