//! What came by sync and has no effect, or not the whole of it, until somebody has looked at it.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use crate::db::{DbError, Row, Tx};

/// What does not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// The record.
    pub record: Uuid,
    /// `step`, `deed`, `visit` or `opened`.
    pub kind: &'static str,
    /// Which step, or what was opened.
    pub what: String,
    /// Who sent it.
    pub agent: Uuid,
    /// Who wrote it.
    pub by: String,
    /// When it happened.
    pub at: UnixMs,
    /// When the server wrote it down.
    pub recorded_at: UnixMs,
    /// Why it does not fit.
    pub why: String,
    /// The fault that it is about.
    pub fault: Option<Uuid>,
    /// The matter.
    pub matter: Option<Uuid>,
    /// The line.
    pub line: Option<String>,
    /// The customer.
    pub customer: Option<String>,
}

/// Keeps a conflict; that somebody settled it stays.
pub fn put(tx: &mut Tx<'_>, new: &Conflict) -> Result<(), DbError> {
    let sql = "INSERT INTO conflict (record, kind, what, agent, by_whom, at_ms, recorded_at_ms, why, fault, matter, line, \
         customer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (record) DO UPDATE SET why = excluded.why, fault = excluded.fault, matter = excluded.matter, \
         line = excluded.line, customer = excluded.customer, at_ms = excluded.at_ms";
    let params = [
        new.record.into(),
        new.kind.into(),
        new.what.as_str().into(),
        new.agent.into(),
        new.by.as_str().into(),
        new.at.into(),
        new.recorded_at.into(),
        new.why.as_str().into(),
        new.fault.into(),
        new.matter.into(),
        new.line.as_ref().into(),
        new.customer.as_ref().into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Forgets a conflict that is none any more; one that somebody settled stays, with what was noted.
pub fn clear(tx: &mut Tx<'_>, record: Uuid) -> Result<(), DbError> {
    tx.execute("DELETE FROM conflict WHERE record = $1 AND settled_at_ms IS NULL", &[record.into()])?;
    Ok(())
}

/// What is known of steps or deeds that do not fit: the reason of each.
pub type Reasons = BTreeMap<Uuid, String>;

/// Of each line its steps that do not fit.
pub fn steps_of_lines(tx: &mut Tx<'_>, lines: &[&str]) -> Result<Vec<Reasons>, DbError> {
    let sql = "SELECT record, why FROM conflict WHERE line = $1 AND kind = 'step'";
    let asked: Vec<_> = lines.iter().map(|line| vec![(*line).into()]).collect();
    let read = |row: &Row| Ok((row.get(0)?, row.get(1)?));
    tx.query_each(sql, &asked)?.iter().map(|rows| rows.iter().map(read).collect()).collect()
}

/// The deeds of a matter that do not fit, each with the reason.
pub fn deeds_of_matter(tx: &mut Tx<'_>, matter: Uuid) -> Result<Vec<(Uuid, String)>, DbError> {
    let sql = "SELECT record, why FROM conflict WHERE matter = $1 AND kind = 'deed'";
    tx.query(sql, &[matter.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Who sent a record of a kind; none where there is no such record.
pub fn sender(tx: &mut Tx<'_>, record: Uuid, kind: &str) -> Result<Option<Uuid>, DbError> {
    let sql = "SELECT agent FROM record WHERE id = $1 AND kind = $2";
    tx.query_opt(sql, &[record.into(), kind.into()])?.map(|row| row.get(0)).transpose()
}

/// Which facts of a matter agents sent as deeds, each with the agent.
pub fn senders_of_deeds(tx: &mut Tx<'_>, matter: Uuid) -> Result<Vec<(Uuid, Uuid)>, DbError> {
    let sql = "SELECT r.id, r.agent FROM matter_fact f JOIN record r ON r.id = f.id WHERE f.matter = $1 AND r.kind = 'deed'";
    tx.query(sql, &[matter.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// A conflict, as lists show it.
#[derive(Clone, Debug)]
pub struct ConflictRow {
    /// The record.
    pub record: Uuid,
    /// `step`, `deed`, `visit` or `opened`.
    pub kind: String,
    /// Which step, or what was opened.
    pub what: String,
    /// The agent's name.
    pub agent: String,
    /// Who wrote it.
    pub by: String,
    /// When it happened.
    pub at: UnixMs,
    /// When the server wrote it down.
    pub recorded_at: UnixMs,
    /// Why it does not fit.
    pub why: String,
    /// The fault that it is about.
    pub fault: Option<Uuid>,
    /// The matter.
    pub matter: Option<Uuid>,
    /// The line.
    pub line: Option<String>,
    /// The customer.
    pub customer: Option<String>,
    /// When somebody settled it, who, and with which words.
    pub settled: Option<(UnixMs, String, String)>,
}

const COLUMNS: &str = "c.record, c.kind, c.what, a.name, c.by_whom, c.at_ms, c.recorded_at_ms, c.why, c.fault, c.matter, \
     c.line, c.customer, c.settled_at_ms, c.settled_by, c.note FROM conflict c JOIN agent a ON a.id = c.agent";

fn read(row: &Row) -> Result<ConflictRow, DbError> {
    let settled_at: Option<UnixMs> = row.get(12)?;
    let text = |at| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
    Ok(ConflictRow {
        record: row.get(0)?,
        kind: row.get(1)?,
        what: row.get(2)?,
        agent: row.get(3)?,
        by: row.get(4)?,
        at: row.get(5)?,
        recorded_at: row.get(6)?,
        why: row.get(7)?,
        fault: row.get(8)?,
        matter: row.get(9)?,
        line: row.get(10)?,
        customer: row.get(11)?,
        settled: match settled_at {
            Some(at) => Some((at, text(13)?, text(14)?)),
            None => None,
        },
    })
}

/// One conflict.
pub fn one(tx: &mut Tx<'_>, record: Uuid) -> Result<Option<ConflictRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} WHERE c.record = $1");
    tx.query_opt(&sql, &[record.into()])?.as_ref().map(read).transpose()
}

/// Conflicts, the newest first: only those that are settled, or only the others, where that is asked.
pub fn list(
    tx: &mut Tx<'_>,
    (scope, settled): (&Scope, Option<bool>),
    before: Option<(UnixMs, Uuid)>,
    limit: i64,
) -> Result<Vec<ConflictRow>, DbError> {
    let (at, id) = before.unwrap_or((UnixMs::MAX, Uuid::max()));
    let wanted = match settled {
        None => "",
        Some(true) => "AND c.settled_at_ms IS NOT NULL ",
        Some(false) => "AND c.settled_at_ms IS NULL ",
    };
    let sql = format!(
        "SELECT {COLUMNS} WHERE (c.recorded_at_ms, c.record) < ($1, $2) {wanted}AND {} \
         ORDER BY c.recorded_at_ms DESC, c.record DESC LIMIT $3",
        scope.customers("c.customer", 4)
    );
    tx.query(&sql, &[at.into(), id.into(), limit.into(), scope.value()])?.iter().map(read).collect()
}

/// Somebody has looked at it.
pub fn settle(tx: &mut Tx<'_>, record: Uuid, note: &str, by: &str, now: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE conflict SET settled_at_ms = $1, settled_by = $2, note = $3 WHERE record = $4";
    tx.execute(sql, &[now.into(), by.into(), note.into(), record.into()])?;
    Ok(())
}
