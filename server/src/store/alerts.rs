//! Alerts as they were told, who has taken them, and whose ladder is still climbed.

mod told;

use linewatch_shared::rules::Rung;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use crate::db::{DbError, LockKey, Row, Tx, Value};
pub use told::{Held, Linked, Sent, held_of_subject, held_until, hold, linked, release, sent_of_subject};

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

/// The rows of a matter, or of a fault under any id that it ever had: what was told stays with it when an earlier fact
/// gives it another one.
fn of(of_matter: bool, subject: &str) -> String {
    if of_matter {
        return format!("subject = {subject}");
    }
    format!(
        "subject IN (SELECT alias FROM fault_alias WHERE fault = (SELECT fault FROM fault_alias WHERE alias = {subject}))"
    )
}

/// The alerts of a fault or matter, oldest first.
pub fn of_subject(tx: &mut Tx<'_>, subject: Uuid, of_matter: bool) -> Result<Vec<StoredAlert>, DbError> {
    let of = of(of_matter, "$1");
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE {of} ORDER BY began_at_ms, key LIMIT $2");
    tx.query(&sql, &[subject.into(), OF_SUBJECT_MAX.into()])?.iter().map(read).collect()
}

/// Alerts whose next step is due, the longest overdue first.
pub fn due(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<StoredAlert>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alert WHERE next_at_ms IS NOT NULL AND next_at_ms <= $1 ORDER BY next_at_ms, key LIMIT $2"
    );
    tx.query(&sql, &[now.into(), limit.into()])?.iter().map(read).collect()
}

/// A place in the list of alerts that nobody has taken: whether the ladder goes on, then since when it does not, or when it
/// does, then the key.
pub type Place = (bool, UnixMs, String);

/// Where an alert stands in that list.
#[must_use]
pub fn place(alert: &StoredAlert) -> Place {
    (alert.next_at.is_some(), alert.next_at.unwrap_or(alert.began_at), alert.key.clone())
}

/// Alerts that nobody has taken, after a place: first those whose ladder was climbed to its top, of what is still live, the
/// oldest at the front; then those whose ladder goes on, by when it does. `about` narrows to a fault or (true) matter.
pub fn untaken(
    tx: &mut Tx<'_>,
    scope: &Scope,
    about: Option<(Uuid, bool)>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<StoredAlert>, DbError> {
    let (goes_on, at, key) = after.unwrap_or((false, UnixMs(i64::MIN), String::new()));
    let narrowed = about.map_or_else(String::new, |(_, of_matter)| format!(" AND {}", of(of_matter, "$5")));
    let seen = scope.alerts(4);
    let mut page = |conditions: &str, order: &str, at: UnixMs, key: String, limit: i64| {
        let sql = format!(
            "SELECT {COLUMNS} FROM alert WHERE {conditions} AND ({order}, key) > ($1, $2) AND {seen}{narrowed} \
             ORDER BY {order}, key LIMIT $3"
        );
        let mut params: Vec<Value> = vec![at.into(), key.into(), limit.into(), scope.value()];
        params.extend(about.map(|(subject, _)| Value::from(subject)));
        tx.query(&sql, &params)?.iter().map(read).collect::<Result<Vec<_>, DbError>>()
    };
    if goes_on {
        return page(CLIMBING, "next_at_ms", at, key, limit);
    }
    let mut found = page(UNHEARD, "began_at_ms", at, key, limit)?;
    let left = limit - found.len() as i64;
    found.extend(page(CLIMBING, "next_at_ms", UnixMs(i64::MIN), String::new(), left)?);
    Ok(found)
}

const CLIMBING: &str = "next_at_ms IS NOT NULL";
/// Climbed to the top, of something that is still live.
const UNHEARD: &str = "next_at_ms IS NULL AND taken_by IS NULL AND ended IS NULL AND rung > 0 \
     AND ((of_matter = 1 AND EXISTS (SELECT 1 FROM matter m WHERE m.id = alert.subject AND m.live = 1)) \
     OR (of_matter = 0 AND EXISTS (SELECT 1 FROM fault_alias x JOIN fault f ON f.id = x.fault \
     WHERE x.alias = alert.subject AND f.live = 1)))";

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

/// The same for whatever else of that fault or matter nobody has taken, its ladder climbed to the top or not.
pub fn take_others(
    tx: &mut Tx<'_>,
    (subject, of_matter): (Uuid, bool),
    by: &str,
    how: &str,
    at: UnixMs,
) -> Result<(), DbError> {
    let sql = format!(
        "UPDATE alert SET taken_by = $2, taken_at_ms = $3, taken_how = $4, next_at_ms = NULL \
         WHERE {} AND taken_by IS NULL AND ended IS NULL AND (next_at_ms IS NOT NULL OR rung > 0)",
        of(of_matter, "$1")
    );
    tx.execute(&sql, &[subject.into(), by.into(), at.into(), how.into()])?;
    Ok(())
}
