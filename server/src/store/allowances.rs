//! What lines may be without service, and when to look at it again.

use linewatch_shared::sla::{Interval, Ledger};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{pack, unpack};
use crate::db::{DbError, Row, Tx, Value};

/// A line whose allowances have to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The line's code.
    pub line: String,
    /// Allowances of spans that end after this moment.
    pub from: UnixMs,
    /// When.
    pub at: UnixMs,
}

fn look(row: &Row) -> Result<Look, DbError> {
    Ok(Look { line: row.get(0)?, from: row.get(1)?, at: row.get(2)? })
}

/// Lines that have to be looked at by now, the longest overdue first.
pub fn due(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<Look>, DbError> {
    let sql =
        "SELECT line, from_ms, at_ms FROM allowance_look WHERE at_ms <= $1 ORDER BY at_ms, line LIMIT $2";
    tx.query(sql, &[now.into(), limit.into()])?.iter().map(look).collect()
}

/// The next moment at which a line has to be looked at.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<UnixMs>, DbError> {
    let sql = "SELECT at_ms FROM allowance_look ORDER BY at_ms LIMIT 1";
    tx.query_opt(sql, &[])?.map(|row| row.get(0)).transpose()
}

/// Those of the lines that are still due.
pub fn still_due(tx: &mut Tx<'_>, before: &[Look], now: UnixMs) -> Result<Vec<Look>, DbError> {
    let sql = "SELECT line, from_ms, at_ms FROM allowance_look WHERE line = $1 AND at_ms <= $2";
    let asked: Vec<_> = before.iter().map(|look| vec![look.line.as_str().into(), now.into()]).collect();
    tx.query_each(sql, &asked)?.iter().flatten().map(look).collect()
}

/// Has lines looked at, each from a moment on; what was asked for before still holds.
pub fn ask(tx: &mut Tx<'_>, looks: &[Look]) -> Result<(), DbError> {
    let sql = "INSERT INTO allowance_look (line, from_ms, at_ms) VALUES ($1, $2, $3) ON CONFLICT (line) DO UPDATE SET \
         from_ms = CASE WHEN excluded.from_ms < allowance_look.from_ms THEN excluded.from_ms ELSE allowance_look.from_ms END, \
         at_ms = CASE WHEN excluded.at_ms < allowance_look.at_ms THEN excluded.at_ms ELSE allowance_look.at_ms END";
    let rows: Vec<_> =
        looks.iter().map(|look| vec![look.line.as_str().into(), look.from.into(), look.at.into()]).collect();
    tx.batch(sql, &rows)?;
    Ok(())
}

/// Has those of the lines looked at now that were ever interrupted: what is promised for them has changed.
pub fn ask_for(tx: &mut Tx<'_>, lines: &[String], now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO allowance_look (line, from_ms, at_ms) SELECT DISTINCT line, CAST($2 AS BIGINT), \
         CAST($2 AS BIGINT) FROM contribution WHERE line = $1 ON CONFLICT (line) DO UPDATE SET \
         from_ms = CASE WHEN excluded.from_ms < allowance_look.from_ms THEN excluded.from_ms ELSE allowance_look.from_ms END, \
         at_ms = excluded.at_ms WHERE excluded.at_ms < allowance_look.at_ms";
    let rows: Vec<_> = lines.iter().map(|line| vec![line.as_str().into(), now.into()]).collect();
    tx.batch(sql, &rows)?;
    Ok(())
}

/// The same for the lines of a pack's customers.
pub fn ask_under(tx: &mut Tx<'_>, pack: &str, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO allowance_look (line, from_ms, at_ms) SELECT DISTINCT l.code, CAST($2 AS BIGINT), \
         CAST($2 AS BIGINT) FROM line l JOIN customer c ON c.code = l.customer \
         WHERE c.pack = $1 AND EXISTS (SELECT 1 FROM contribution p WHERE p.line = l.code) ON CONFLICT (line) DO UPDATE SET \
         from_ms = CASE WHEN excluded.from_ms < allowance_look.from_ms THEN excluded.from_ms ELSE allowance_look.from_ms END, \
         at_ms = excluded.at_ms WHERE excluded.at_ms < allowance_look.at_ms";
    tx.execute(sql, &[pack.into(), now.into()])?;
    Ok(())
}

/// After looks: of each when to look again, if ever. What somebody asked for meanwhile stays asked for.
pub fn looked(tx: &mut Tx<'_>, done: &[(Look, Option<UnixMs>)], now: UnixMs) -> Result<(), DbError> {
    let (mut over, mut again) = (Vec::new(), Vec::new());
    for (look, next) in done {
        let mut params: Vec<Value> = vec![look.line.as_str().into(), look.from.into(), look.at.into()];
        match next {
            None => over.push(params),
            Some(at) => {
                params.extend([now.into(), (*at).into()]);
                again.push(params);
            }
        }
    }
    tx.batch("DELETE FROM allowance_look WHERE line = $1 AND from_ms = $2 AND at_ms = $3", &over)?;
    let sql =
        "UPDATE allowance_look SET from_ms = $4, at_ms = $5 WHERE line = $1 AND from_ms = $2 AND at_ms = $3";
    tx.batch(sql, &again)?;
    Ok(())
}

/// An allowance as it was last judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: Uuid,
    /// The line's code.
    pub line: String,
    /// `interruption` or `availability`.
    pub kind: String,
    /// The customer's code.
    pub customer: String,
    /// The tier's name.
    pub tier: String,
    /// The first moment of its span.
    pub from: UnixMs,
    /// The first moment after it.
    pub to: UnixMs,
    /// How much the span may hold (ms).
    pub allowance_ms: i64,
    /// False where it turned out not to be promised.
    pub promised: bool,
    /// What was told of it.
    pub ledger: Ledger,
}

/// Of each line its allowances of spans that end after a moment.
pub fn of_lines(tx: &mut Tx<'_>, lines: &[(&str, UnixMs)]) -> Result<Vec<Vec<Stored>>, DbError> {
    let sql = "SELECT id, line, kind, customer, tier, from_ms, to_ms, allowance_ms, promised, ledger FROM allowance \
         WHERE line = $1 AND to_ms > $2 ORDER BY kind, from_ms";
    let read = |row: &Row| {
        Ok(Stored {
            id: row.get(0)?,
            line: row.get(1)?,
            kind: row.get(2)?,
            customer: row.get(3)?,
            tier: row.get(4)?,
            from: row.get(5)?,
            to: row.get(6)?,
            allowance_ms: row.get(7)?,
            promised: row.get(8)?,
            ledger: unpack("allowance.ledger", &row.get::<Vec<u8>>(9)?)?,
        })
    };
    let asked: Vec<_> = lines.iter().map(|(line, from)| vec![(*line).into(), (*from).into()]).collect();
    tx.query_each(sql, &asked)?.iter().map(|rows| rows.iter().map(read).collect()).collect()
}

/// Saves them.
pub fn save(tx: &mut Tx<'_>, all: &[&Stored]) -> Result<(), DbError> {
    let sql = "INSERT INTO allowance (id, line, kind, customer, tier, from_ms, to_ms, allowance_ms, promised, ledger) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, \
         tier = excluded.tier, from_ms = excluded.from_ms, to_ms = excluded.to_ms, \
         allowance_ms = excluded.allowance_ms, promised = excluded.promised, ledger = excluded.ledger";
    let rows = all.iter().map(|new| row(new)).collect::<Result<Vec<_>, DbError>>()?;
    tx.batch(sql, &rows)?;
    Ok(())
}

fn row(new: &Stored) -> Result<Vec<Value>, DbError> {
    Ok(vec![
        new.id.into(),
        new.line.as_str().into(),
        new.kind.as_str().into(),
        new.customer.as_str().into(),
        new.tier.as_str().into(),
        new.from.into(),
        new.to.into(),
        new.allowance_ms.into(),
        new.promised.into(),
        pack("allowance.ledger", &new.ledger)?.into(),
    ])
}

/// How the promise of an allowance is stored: its state, by when it is due, and whether that is its span's end; none where
/// it is promised no more.
pub fn standing(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<(String, UnixMs, bool)>, DbError> {
    let sql = "SELECT d.state, d.due_at_ms, CAST(CASE WHEN d.due_at_ms = a.to_ms THEN 1 ELSE 0 END AS BIGINT) \
         FROM deadline d JOIN allowance a ON a.id = d.subject WHERE d.subject = $1";
    tx.query_opt(sql, &[id.into()])?
        .map(|row| Ok((row.get(0)?, row.get(1)?, row.get::<i64>(2)? > 0)))
        .transpose()
}

/// The outages of a line that count, by fault.
pub type Outages = Vec<(Uuid, Vec<Interval>)>;

/// Of each line its outages of these years and those that go on.
pub fn outages(tx: &mut Tx<'_>, lines: &[(&str, (i32, i32))]) -> Result<Vec<Outages>, DbError> {
    let sql = "SELECT fault, pieces FROM contribution \
         WHERE line = $1 AND ((year >= $2 AND year <= $3) OR (open = 1 AND year < $2)) ORDER BY started_at_ms, fault, year";
    let read = |row: &Row| Ok((row.get(0)?, unpack("contribution.pieces", &row.get::<Vec<u8>>(1)?)?));
    let asked: Vec<_> = lines
        .iter()
        .map(|(line, (from, to))| vec![(*line).into(), i64::from(*from).into(), i64::from(*to).into()])
        .collect();
    tx.query_each(sql, &asked)?.iter().map(|rows| rows.iter().map(read).collect()).collect()
}
