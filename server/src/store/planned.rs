//! Planned work, and the lines that it is on.

use linewatch_shared::sla::Window;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use crate::db::{DbError, Row, Tx, Value};

/// The most windows of one line that are read; the newest ones.
const WINDOWS_READ_MAX: i64 = 1_000;

/// Planned work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Its window.
    pub window: Window,
    /// What for.
    pub reason: String,
    /// The node whose lines it is on; none where lines are named.
    pub upstream: Option<String>,
    /// When the server was told.
    pub recorded_at: UnixMs,
    /// By whom.
    pub by: String,
    /// When it was called off.
    pub cancelled_at: Option<UnixMs>,
}

const COLUMNS: &str = "id, from_ms, to_ms, applied_at_ms, announced_at_ms, reason, upstream, recorded_at_ms, by_whom, \
     cancelled_at_ms";

fn window(row: &Row) -> Result<Window, DbError> {
    Ok(Window {
        id: row.get(0)?,
        from: row.get(1)?,
        to: row.get(2)?,
        applied_at: row.get(3)?,
        announced_at: row.get(4)?,
    })
}

fn work(row: &Row) -> Result<Work, DbError> {
    Ok(Work {
        window: window(row)?,
        reason: row.get(5)?,
        upstream: row.get(6)?,
        recorded_at: row.get(7)?,
        by: row.get(8)?,
        cancelled_at: row.get(9)?,
    })
}

/// Adds planned work on lines, or on a node.
pub fn insert(tx: &mut Tx<'_>, work: &Work, lines: &[String]) -> Result<(), DbError> {
    let Window { id, from, to, applied_at, announced_at } = work.window;
    let sql = "INSERT INTO planned_work (id, reason, upstream, from_ms, to_ms, applied_at_ms, announced_at_ms, \
         recorded_at_ms, by_whom, looked_upto) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '')";
    let params = [
        id.into(),
        work.reason.as_str().into(),
        work.upstream.as_ref().into(),
        from.into(),
        to.into(),
        applied_at.into(),
        announced_at.into(),
        work.recorded_at.into(),
        work.by.as_str().into(),
    ];
    tx.execute(sql, &params)?;
    let rows: Vec<_> = lines.iter().map(|line| vec![id.into(), line.into()]).collect();
    tx.batch("INSERT INTO planned_work_line (work, line) VALUES ($1, $2)", &rows)?;
    Ok(())
}

/// Says that the customers were told.
pub fn announce(tx: &mut Tx<'_>, id: Uuid, at: UnixMs) -> Result<(), DbError> {
    tx.execute("UPDATE planned_work SET announced_at_ms = $1 WHERE id = $2", &[at.into(), id.into()])?;
    Ok(())
}

/// Calls it off.
pub fn cancel(tx: &mut Tx<'_>, id: Uuid, at: UnixMs) -> Result<(), DbError> {
    tx.execute("UPDATE planned_work SET cancelled_at_ms = $1 WHERE id = $2", &[at.into(), id.into()])?;
    Ok(())
}

/// One.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Work>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM planned_work WHERE id = $1");
    tx.query_opt(&sql, &[id.into()])?.as_ref().map(work).transpose()
}

/// Planned work, the latest start first, before a place `(from, id)`.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    before: Option<(UnixMs, Uuid)>,
    limit: i64,
) -> Result<Vec<Work>, DbError> {
    let (from, id) = before.unwrap_or((UnixMs::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {COLUMNS} FROM planned_work w WHERE (from_ms, id) < ($1, $2) AND {} \
         ORDER BY from_ms DESC, id DESC LIMIT $3",
        scope.works(4)
    );
    tx.query(&sql, &[from.into(), id.into(), limit.into(), scope.value()])?.iter().map(work).collect()
}

/// Of each line the windows on it that were not called off.
pub fn windows_of_lines(tx: &mut Tx<'_>, lines: &[&str]) -> Result<Vec<Vec<Window>>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM planned_work WHERE cancelled_at_ms IS NULL \
         AND id IN (SELECT work FROM planned_work_line WHERE line = $1 UNION ALL \
         SELECT p.id FROM planned_work p JOIN line l ON p.upstream = l.upstream WHERE l.code = $1) \
         ORDER BY from_ms DESC LIMIT $2"
    );
    let asked: Vec<_> = lines.iter().map(|line| vec![(*line).into(), WINDOWS_READ_MAX.into()]).collect();
    tx.query_each(&sql, &asked)?.iter().map(|rows| rows.iter().map(window).collect()).collect()
}

/// The lines that the work is on, after a code.
pub fn lines(tx: &mut Tx<'_>, work: &Work, after: &str, limit: i64) -> Result<Vec<String>, DbError> {
    let (sql, key): (&str, Value) = match &work.upstream {
        Some(node) => {
            ("SELECT code FROM line WHERE upstream = $1 AND code > $2 ORDER BY code LIMIT $3", node.into())
        }
        None => (
            "SELECT line FROM planned_work_line WHERE work = $1 AND line > $2 ORDER BY line LIMIT $3",
            work.window.id.into(),
        ),
    };
    tx.query(sql, &[key, after.into(), limit.into()])?.iter().map(|row| row.get(0)).collect()
}

/// Whether anything is known of a line within a span: only then can planned work change its faults.
pub fn has_facts(tx: &mut Tx<'_>, line: &str, from: UnixMs, to: UnixMs) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM fact WHERE line = $1 AND occurred_at_ms >= $2 AND occurred_at_ms < $3 LIMIT 1";
    Ok(tx.query_opt(sql, &[line.into(), from.into(), to.into()])?.is_some())
}

/// Lets the lines of the work be looked at from a moment on, after a code.
pub fn look(tx: &mut Tx<'_>, id: Uuid, at: Option<UnixMs>, upto: &str) -> Result<(), DbError> {
    let sql = "UPDATE planned_work SET look_at_ms = $1, looked_upto = $2 WHERE id = $3";
    tx.execute(sql, &[at.into(), upto.into(), id.into()])?;
    Ok(())
}

/// The work whose lines have to be looked at first, and after which line.
pub fn to_look_at(tx: &mut Tx<'_>, now: UnixMs) -> Result<Option<(Work, String)>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS}, looked_upto FROM planned_work WHERE look_at_ms IS NOT NULL AND look_at_ms <= $1 \
         ORDER BY look_at_ms LIMIT 1"
    );
    let row = tx.query_opt(&sql, &[now.into()])?;
    row.map(|row| Ok((work(&row)?, row.get(10)?))).transpose()
}

/// A report that was taken in during planned work.
#[derive(Clone, Debug)]
pub struct TiedReport {
    /// The fact.
    pub id: Uuid,
    /// The line's code.
    pub line: String,
    /// When it was reported.
    pub at: UnixMs,
    /// Who took it in.
    pub by: String,
}

/// The reports of the work's lines within its window.
pub fn reports(tx: &mut Tx<'_>, work: &Work, limit: i64) -> Result<Vec<TiedReport>, DbError> {
    let (on, key): (&str, Value) = match &work.upstream {
        Some(node) => ("SELECT code FROM line WHERE upstream = $1", node.into()),
        None => ("SELECT line FROM planned_work_line WHERE work = $1", work.window.id.into()),
    };
    let sql = format!(
        "SELECT id, line, occurred_at_ms, by_whom FROM fact WHERE line IN ({on}) AND kind = 'reported' \
         AND occurred_at_ms >= $2 AND occurred_at_ms < $3 ORDER BY occurred_at_ms, id LIMIT $4"
    );
    let params = [key, work.window.from.into(), work.window.to.into(), limit.into()];
    let read =
        |row: &Row| Ok(TiedReport { id: row.get(0)?, line: row.get(1)?, at: row.get(2)?, by: row.get(3)? });
    tx.query(&sql, &params)?.iter().map(read).collect()
}
