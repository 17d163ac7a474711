//! Messages of alerts: those that went out, and those that wait for the end of quiet hours.

use linewatch_shared::rules::Receiver;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{OF_SUBJECT_MAX, of};
use crate::db::{DbError, Row, Tx};

/// A message of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The alert.
    pub alert: String,
    /// At which step of the ladder; 0 for the alert itself.
    pub rung: i64,
    /// `email`, `webhook`, …
    pub channel: String,
    /// The address, or the channel's name.
    pub destination: String,
    /// For whom; empty for a channel.
    pub person: String,
    /// `pending`, `done` or `dead`.
    pub state: String,
    /// When it was put into the outbox.
    pub at: UnixMs,
}

/// The messages of a fault's or matter's alerts, oldest first.
pub fn sent_of_subject(tx: &mut Tx<'_>, subject: Uuid, of_matter: bool) -> Result<Vec<Sent>, DbError> {
    let sql = format!(
        "SELECT alert_key, rung, channel, destination, person, state, created_at_ms FROM outbox \
         WHERE {} AND alert_key IS NOT NULL ORDER BY n LIMIT $2",
        of(of_matter, "$1")
    );
    let one = |row: &Row| {
        Ok(Sent {
            alert: row.get(0)?,
            rung: row.get(1)?,
            channel: row.get(2)?,
            destination: row.get(3)?,
            person: row.get(4)?,
            state: row.get(5)?,
            at: row.get(6)?,
        })
    };
    tx.query(&sql, &[subject.into(), OF_SUBJECT_MAX.into()])?.iter().map(one).collect()
}

/// What a link in a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The message's key.
    pub key: String,
    /// Its alert.
    pub alert_key: String,
    /// The address.
    pub destination: String,
    /// Who is reached there.
    pub person: String,
    /// What it said, JSON.
    pub alert: String,
    /// When it was put into the outbox.
    pub created_at: UnixMs,
}

/// The message of that number, where it is of an alert.
pub fn linked(tx: &mut Tx<'_>, n: i64) -> Result<Option<Linked>, DbError> {
    let sql = "SELECT key, alert_key, destination, person, alert, created_at_ms FROM outbox \
         WHERE n = $1 AND alert_key IS NOT NULL";
    let one = |row: Row| {
        Ok(Linked {
            key: row.get(0)?,
            alert_key: row.get(1)?,
            destination: row.get(2)?,
            person: row.get(3)?,
            alert: row.get(4)?,
            created_at: row.get(5)?,
        })
    };
    tx.query_opt(sql, &[n.into()])?.map(one).transpose()
}

/// A mail that waits for the end of quiet hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The message's key.
    pub key: String,
    /// Its alert.
    pub alert: String,
    /// The fault or matter.
    pub subject: Uuid,
    /// What is owed.
    pub kind: String,
    /// Which one of its kind.
    pub period: String,
    /// The address.
    pub destination: String,
    /// Who is reached there.
    pub person: String,
    /// As what.
    pub receiver: Receiver,
    /// Until when.
    pub until: UnixMs,
}

impl Held {
    /// Whether both come as one mail.
    #[must_use]
    pub fn joins(&self, other: &Self) -> bool {
        (&self.destination, self.subject, &self.kind, &self.period)
            == (&other.destination, other.subject, &other.kind, &other.period)
    }
}

/// Keeps mails back; one that is there already stays as it is.
pub fn hold(tx: &mut Tx<'_>, held: &[Held]) -> Result<(), DbError> {
    if held.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(held.len());
    for one in held {
        let receiver =
            serde_json::to_string(&one.receiver).map_err(|error| DbError::Data(error.to_string()))?;
        rows.push(vec![
            one.key.as_str().into(),
            one.alert.as_str().into(),
            one.subject.into(),
            one.kind.as_str().into(),
            one.period.as_str().into(),
            one.destination.as_str().into(),
            one.person.as_str().into(),
            receiver.into(),
            one.until.into(),
        ]);
    }
    let sql = "INSERT INTO alert_held (key, alert, subject, kind, period, destination, person, receiver, until_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (key) DO NOTHING";
    tx.batch(sql, &rows)?;
    tx.notify("ladder")
}

const HELD_COLUMNS: &str = "key, alert, subject, kind, period, destination, person, receiver, until_ms";

fn held(row: &Row) -> Result<Held, DbError> {
    let receiver: String = row.get(7)?;
    Ok(Held {
        key: row.get(0)?,
        alert: row.get(1)?,
        subject: row.get(2)?,
        kind: row.get(3)?,
        period: row.get(4)?,
        destination: row.get(5)?,
        person: row.get(6)?,
        receiver: serde_json::from_str(&receiver)
            .map_err(|error| DbError::Data(format!("alert_held.receiver: {error}")))?,
        until: row.get(8)?,
    })
}

/// Mails whose quiet hours are over; those that come as one stand together.
pub fn held_until(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<Held>, DbError> {
    let sql = format!(
        "SELECT {HELD_COLUMNS} FROM alert_held WHERE until_ms <= $1 \
         ORDER BY until_ms, destination, subject, kind, period, key LIMIT $2"
    );
    tx.query(&sql, &[now.into(), limit.into()])?.iter().map(held).collect()
}

/// The mails of a fault or matter that wait for the end of quiet hours.
pub fn held_of_subject(tx: &mut Tx<'_>, subject: Uuid, of_matter: bool) -> Result<Vec<Held>, DbError> {
    let of = of(of_matter, "$1");
    let sql = format!("SELECT {HELD_COLUMNS} FROM alert_held WHERE {of} ORDER BY until_ms, key LIMIT $2");
    tx.query(&sql, &[subject.into(), OF_SUBJECT_MAX.into()])?.iter().map(held).collect()
}

/// They wait no longer.
pub fn release(tx: &mut Tx<'_>, keys: &[&str]) -> Result<(), DbError> {
    let rows: Vec<_> = keys.iter().map(|key| vec![(*key).into()]).collect();
    tx.batch("DELETE FROM alert_held WHERE key = $1", &rows)?;
    Ok(())
}
