//! Alerts as they were told, who has taken them, and whose ladder is still climbed.

use linewatch_shared::rules::{Receiver, Rung};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, LockKey, Row, Tx};

/// The most alerts, and the most messages, of one fault or matter that are read.
pub const OF_SUBJECT_MAX: i64 = 500;

/// The key that a transaction takes before it climbs.
#[must_use]
pub fn lock_key() -> LockKey {
    LockKey::new("alert", b"climb")
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// The effect's key.
    pub key: String,
    /// The fault or matter.
    pub subject: Uuid,
    /// Which of the two.
    pub of_matter: bool,
    /// What is owed.
    pub kind: String,
    /// Which one of its kind.
    pub period: String,
    /// `warn_80`, `missed`, …
    pub mark: String,
    /// The moment that it speaks of.
    pub at: UnixMs,
    /// When the promise is due.
    pub due_at: UnixMs,
    /// Whether it was learnt late.
    pub late: bool,
    /// When it was told.
    pub began_at: UnixMs,
    /// Who is told next.
    pub ladder: Vec<Rung>,
    /// How many of these steps were climbed.
    pub rung: usize,
    /// When the next one is.
    pub next_at: Option<UnixMs>,
    /// Why it was not climbed to its end.
    pub ended: Option<String>,
    /// Who took it, when, and how.
    pub taken: Option<(String, UnixMs, String)>,
}

const COLUMNS: &str = "key, subject, of_matter, kind, period, mark, at_ms, due_at_ms, late, began_at_ms, ladder, rung, \
     next_at_ms, ended, taken_by, taken_at_ms, taken_how";

fn read(row: &Row) -> Result<StoredAlert, DbError> {
    let ladder: String = row.get(10)?;
    let (by, at) = (row.get::<Option<String>>(14)?, row.get::<Option<UnixMs>>(15)?);
    let how = row.get::<Option<String>>(16)?.unwrap_or_default();
    Ok(StoredAlert {
        key: row.get(0)?,
        subject: row.get(1)?,
        of_matter: row.get(2)?,
        kind: row.get(3)?,
        period: row.get(4)?,
        mark: row.get(5)?,
        at: row.get(6)?,
        due_at: row.get(7)?,
        late: row.get(8)?,
        began_at: row.get(9)?,
        ladder: serde_json::from_str(&ladder)
            .map_err(|error| DbError::Data(format!("alert.ladder: {error}")))?,
        rung: usize::try_from(row.get::<i64>(11)?).unwrap_or(0),
        next_at: row.get(12)?,
        ended: row.get(13)?,
        taken: by.zip(at).map(|(by, at)| (by, at, how)),
    })
}

/// Keeps alerts; one that is there already stays as it is.
pub fn insert(tx: &mut Tx<'_>, alerts: &[StoredAlert]) -> Result<(), DbError> {
    if alerts.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(alerts.len());
    for alert in alerts {
        let ladder =
            serde_json::to_string(&alert.ladder).map_err(|error| DbError::Data(error.to_string()))?;
        rows.push(vec![
            alert.key.as_str().into(),
            alert.subject.into(),
            alert.of_matter.into(),
            alert.kind.as_str().into(),
            alert.period.as_str().into(),
            alert.mark.as_str().into(),
            alert.at.into(),
            alert.due_at.into(),
            alert.late.into(),
            alert.began_at.into(),
            ladder.into(),
            alert.next_at.into(),
        ]);
    }
    let sql = "INSERT INTO alert (key, subject, of_matter, kind, period, mark, at_ms, due_at_ms, late, began_at_ms, ladder, \
         rung, next_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12) ON CONFLICT (key) DO NOTHING";
    tx.batch(sql, &rows)?;
    if alerts.iter().any(|alert| alert.next_at.is_some()) { tx.notify("ladder") } else { Ok(()) }
}

/// One alert.
pub fn one(tx: &mut Tx<'_>, key: &str) -> Result<Option<StoredAlert>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE key = $1");
    tx.query_opt(&sql, &[key.into()])?.as_ref().map(read).transpose()
}

/// The alerts of a fault or matter, oldest first.
pub fn of_subject(tx: &mut Tx<'_>, subject: Uuid) -> Result<Vec<StoredAlert>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE subject = $1 ORDER BY began_at_ms, key LIMIT $2");
    tx.query(&sql, &[subject.into(), OF_SUBJECT_MAX.into()])?.iter().map(read).collect()
}

/// Alerts whose next step is due, the longest overdue first.
pub fn due(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<StoredAlert>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alert WHERE next_at_ms IS NOT NULL AND next_at_ms <= $1 ORDER BY next_at_ms, key LIMIT $2"
    );
    tx.query(&sql, &[now.into(), limit.into()])?.iter().map(read).collect()
}

/// Alerts that nobody has taken and whose ladder goes on, by when it does, after a place in that order.
pub fn climbing(
    tx: &mut Tx<'_>,
    after: Option<(UnixMs, String)>,
    limit: i64,
) -> Result<Vec<StoredAlert>, DbError> {
    let (at, key) = after.unwrap_or((UnixMs(i64::MIN), String::new()));
    let sql = format!(
        "SELECT {COLUMNS} FROM alert WHERE next_at_ms IS NOT NULL AND (next_at_ms, key) > ($1, $2) \
         ORDER BY next_at_ms, key LIMIT $3"
    );
    tx.query(&sql, &[at.into(), key.into(), limit.into()])?.iter().map(read).collect()
}

/// When the next step of any ladder, or the end of quiet hours for which something waits, is.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<UnixMs>, DbError> {
    let sql = "SELECT next_at_ms FROM alert WHERE next_at_ms IS NOT NULL ORDER BY next_at_ms LIMIT 1";
    let climb: Option<UnixMs> = tx.query_opt(sql, &[])?.map(|row| row.get(0)).transpose()?;
    let sql = "SELECT until_ms FROM alert_held ORDER BY until_ms LIMIT 1";
    let held: Option<UnixMs> = tx.query_opt(sql, &[])?.map(|row| row.get(0)).transpose()?;
    Ok(climb.into_iter().chain(held).min())
}

/// So many steps were climbed; the next one is then.
pub fn climbed(tx: &mut Tx<'_>, key: &str, rung: usize, next_at: Option<UnixMs>) -> Result<(), DbError> {
    let sql = "UPDATE alert SET rung = $1, next_at_ms = $2 WHERE key = $3";
    tx.execute(sql, &[(rung as i64).into(), next_at.into(), key.into()])?;
    Ok(())
}

/// Its ladder is climbed no further.
pub fn end(tx: &mut Tx<'_>, key: &str, why: &str) -> Result<(), DbError> {
    tx.execute("UPDATE alert SET next_at_ms = NULL, ended = $1 WHERE key = $2", &[why.into(), key.into()])?;
    Ok(())
}

/// Somebody takes it; false where somebody had.
pub fn take(tx: &mut Tx<'_>, key: &str, by: &str, how: &str, at: UnixMs) -> Result<bool, DbError> {
    let sql = "UPDATE alert SET taken_by = $1, taken_at_ms = $2, taken_how = $3, next_at_ms = NULL \
         WHERE key = $4 AND taken_by IS NULL";
    Ok(tx.execute(sql, &[by.into(), at.into(), how.into(), key.into()])? > 0)
}

/// The same for whatever else of that fault or matter is still climbed.
pub fn take_others(tx: &mut Tx<'_>, subject: Uuid, by: &str, how: &str, at: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE alert SET taken_by = $1, taken_at_ms = $2, taken_how = $3, next_at_ms = NULL \
         WHERE subject = $4 AND next_at_ms IS NOT NULL AND taken_by IS NULL";
    tx.execute(sql, &[by.into(), at.into(), how.into(), subject.into()])?;
    Ok(())
}

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
pub fn sent_of_subject(tx: &mut Tx<'_>, subject: Uuid) -> Result<Vec<Sent>, DbError> {
    let sql = "SELECT alert_key, rung, channel, destination, person, state, created_at_ms FROM outbox \
         WHERE subject = $1 AND alert_key IS NOT NULL ORDER BY n LIMIT $2";
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
    tx.query(sql, &[subject.into(), OF_SUBJECT_MAX.into()])?.iter().map(one).collect()
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

/// Mails whose quiet hours are over; those that come as one stand together.
pub fn held_until(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<Held>, DbError> {
    let sql = "SELECT key, alert, subject, kind, period, destination, person, receiver, until_ms FROM alert_held \
         WHERE until_ms <= $1 ORDER BY until_ms, destination, subject, kind, period, key LIMIT $2";
    let one = |row: &Row| {
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
    };
    tx.query(sql, &[now.into(), limit.into()])?.iter().map(one).collect()
}

/// They wait no longer.
pub fn release(tx: &mut Tx<'_>, keys: &[&str]) -> Result<(), DbError> {
    let rows: Vec<_> = keys.iter().map(|key| vec![(*key).into()]).collect();
    tx.batch("DELETE FROM alert_held WHERE key = $1", &rows)?;
    Ok(())
}
