//! The record of who did what. Entries are only ever added, each with a hash over the one before it (`chain`); the
//! database itself refuses to change one, to take one out, or to put one in between.
//!
//! What an entry says may go when its time is over, or when what is personal is erased; its place in the chain stays.

mod actions;
pub mod chain;
mod gone;
mod seal;
mod stored;

use linewatch_shared::time::UnixMs;

pub use actions::{Action, Kind};
pub use gone::{Cut, cut, cut_off, emptiable_before, empty, erase_detail, first_kept, take_off};
pub use stored::{Detail, Stored, details, head, page};

use crate::db::{DbError, Row, Tx, Value};

/// Writes what happened, and who did it, where it cannot be changed again. It is done at the transaction's end: nothing of
/// the same transaction finds it.
///
/// # Errors
/// None now; those of the database come at the transaction's end.
pub fn append(
    tx: &mut Tx<'_>,
    at_ms: i64,
    who: &str,
    action: Action,
    subject: &str,
    detail: Option<&serde_json::Value>,
) -> Result<(), DbError> {
    let (who, subject) = (who.to_owned(), subject.to_owned());
    let new = seal::New { at_ms, who, action, subject, detail: detail.map(ToString::to_string) }.bounded();
    tx.at_end(move |tx| seal::seal(tx, &new));
    Ok(())
}

/// How far back among somebody's entries one is looked for.
const LOOKED_AT_MAX: i64 = 200;

/// Whether somebody's latest entries have one of this after a moment.
pub fn has_since(
    tx: &mut Tx<'_>,
    who: &str,
    action: Action,
    subject: &str,
    since: UnixMs,
) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM (SELECT at_ms, action, subject FROM audit WHERE who = $1 ORDER BY n DESC LIMIT $5) e \
         WHERE e.action = $2 AND e.subject = $3 AND e.at_ms > $4 LIMIT 1";
    let params = [who.into(), action.word().into(), subject.into(), since.into(), LOOKED_AT_MAX.into()];
    Ok(tx.query_opt(sql, &params)?.is_some())
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub n: i64,
    /// When.
    pub at: UnixMs,
    /// Who; empty once that is gone.
    pub who: String,
    /// What was done.
    pub action: String,
    /// About what.
    pub subject: String,
    /// More, as JSON.
    pub detail: Option<String>,
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// By whom.
    pub who: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// About what.
    pub subject: Option<String>,
    /// Not before.
    pub from: Option<UnixMs>,
    /// Before.
    pub until: Option<UnixMs>,
    /// Before the entry of this number.
    pub before: Option<i64>,
}

/// Entries, the latest first.
pub fn list(tx: &mut Tx<'_>, wanted: &Wanted, limit: i64) -> Result<Vec<Entry>, DbError> {
    let mut params: Vec<Value> = vec![wanted.before.unwrap_or(i64::MAX).into(), limit.into()];
    let mut conditions = vec!["n < $1".to_owned()];
    for (condition, value) in [
        ("who =", wanted.who.as_deref().map(Value::from)),
        ("action =", wanted.action.as_deref().map(Value::from)),
        ("subject =", wanted.subject.as_deref().map(Value::from)),
        ("at_ms >=", wanted.from.map(Value::from)),
        ("at_ms <", wanted.until.map(Value::from)),
    ] {
        let Some(value) = value else { continue };
        params.push(value);
        conditions.push(format!("{condition} ${}", params.len()));
    }
    let sql = format!(
        "SELECT n, at_ms, who, action, subject, detail FROM audit WHERE {} ORDER BY n DESC LIMIT $2",
        conditions.join(" AND ")
    );
    let entry = |row: &Row| {
        Ok(Entry {
            n: row.get(0)?,
            at: row.get(1)?,
            who: row.get::<Option<String>>(2)?.unwrap_or_default(),
            action: row.get(3)?,
            subject: row.get::<Option<String>>(4)?.unwrap_or_default(),
            detail: row.get(5)?,
        })
    };
    tx.query(&sql, &params)?.iter().map(entry).collect()
}
