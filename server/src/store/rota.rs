//! Who is on duty when.

use linewatch_shared::time::UnixMs;

use super::people::Addressee;
use crate::db::{DbError, Tx};

/// The most people on duty at once who are told.
const ON_DUTY_MAX: i64 = 16;

/// A shift of somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// From when.
    pub from: UnixMs,
    /// Until when.
    pub until: UnixMs,
    /// Who.
    pub person: String,
    /// Where alerts reach them.
    pub email: String,
}

/// A month's rota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rota {
    /// The month, such as `2026-12`.
    pub month: String,
    /// Who wrote it.
    pub written_by: String,
    /// When.
    pub written_at: UnixMs,
    /// Who approved it, and when.
    pub approved: Option<(String, UnixMs)>,
    /// Its shifts, by their beginnings.
    pub shifts: Vec<Shift>,
}

/// Keeps a month's rota in the place of the one before; it is not approved yet.
pub fn save(tx: &mut Tx<'_>, rota: &Rota) -> Result<(), DbError> {
    let sql = "INSERT INTO rota (month, written_by, written_at_ms) VALUES ($1, $2, $3) ON CONFLICT (month) DO UPDATE \
         SET written_by = excluded.written_by, written_at_ms = excluded.written_at_ms, approved_by = NULL, \
         approved_at_ms = NULL";
    tx.execute(sql, &[rota.month.as_str().into(), rota.written_by.as_str().into(), rota.written_at.into()])?;
    tx.execute("DELETE FROM rota_shift WHERE month = $1", &[rota.month.as_str().into()])?;
    let rows: Vec<_> = rota
        .shifts
        .iter()
        .map(|shift| {
            vec![
                rota.month.as_str().into(),
                shift.from.into(),
                shift.until.into(),
                shift.person.as_str().into(),
                shift.email.as_str().into(),
            ]
        })
        .collect();
    let sql = "INSERT INTO rota_shift (month, from_ms, until_ms, person, email) VALUES ($1, $2, $3, $4, $5)";
    tx.batch(sql, &rows)?;
    Ok(())
}

/// A month's rota.
pub fn of_month(tx: &mut Tx<'_>, month: &str) -> Result<Option<Rota>, DbError> {
    let sql = "SELECT written_by, written_at_ms, approved_by, approved_at_ms FROM rota WHERE month = $1";
    let Some(row) = tx.query_opt(sql, &[month.into()])? else { return Ok(None) };
    let (written_by, written_at) = (row.get(0)?, row.get(1)?);
    let approved = row.get::<Option<String>>(2)?.zip(row.get::<Option<UnixMs>>(3)?);
    let sql =
        "SELECT from_ms, until_ms, person, email FROM rota_shift WHERE month = $1 ORDER BY from_ms, person";
    let shifts: Result<Vec<Shift>, DbError> = tx
        .query(sql, &[month.into()])?
        .iter()
        .map(|row| {
            Ok(Shift { from: row.get(0)?, until: row.get(1)?, person: row.get(2)?, email: row.get(3)? })
        })
        .collect();
    Ok(Some(Rota { month: month.to_owned(), written_by, written_at, approved, shifts: shifts? }))
}

/// Approves a month's rota: from now on alerts reach who is on duty.
pub fn approve(tx: &mut Tx<'_>, month: &str, by: &str, at: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE rota SET approved_by = $1, approved_at_ms = $2 WHERE month = $3";
    tx.execute(sql, &[by.into(), at.into(), month.into()])?;
    Ok(())
}

/// Who is on duty at a moment, by rotas that were approved.
pub fn on_duty(tx: &mut Tx<'_>, at: UnixMs) -> Result<Vec<Addressee>, DbError> {
    let sql = "SELECT DISTINCT s.person, s.email FROM rota_shift s JOIN rota r ON r.month = s.month \
         WHERE s.until_ms > $1 AND s.from_ms <= $1 AND r.approved_at_ms IS NOT NULL AND s.email <> '' \
         ORDER BY s.person LIMIT $2";
    let rows = tx.query(sql, &[at.into(), ON_DUTY_MAX.into()])?;
    rows.iter().map(|row| Ok(Addressee { name: row.get(0)?, email: row.get(1)? })).collect()
}

/// How much an account manager answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagerLoad {
    /// Who; empty for customers whom nobody has.
    pub name: String,
    /// Customers.
    pub customers: i64,
    /// Their lines.
    pub lines: i64,
    /// Their faults on which something may still be owed.
    pub open_faults: i64,
    /// Their complaints, requests, defects and promises, the same.
    pub open_matters: i64,
    /// Promises to them that were missed within the time asked for.
    pub missed: i64,
}

/// Every account manager, with what fell due since a moment and was missed.
pub fn managers(
    tx: &mut Tx<'_>,
    since: UnixMs,
    now: UnixMs,
    limit: i64,
) -> Result<Vec<ManagerLoad>, DbError> {
    // A promise that is due and still runs was missed: only nobody has come round to say so yet.
    let sql = "SELECT COALESCE(c.manager, '') AS name, COUNT(*), CAST(COALESCE(SUM(l.n), 0) AS BIGINT), \
         CAST(COALESCE(SUM(f.n), 0) AS BIGINT), CAST(COALESCE(SUM(m.n), 0) AS BIGINT), \
         CAST(COALESCE(SUM(d.n), 0) AS BIGINT) FROM customer c \
         LEFT JOIN (SELECT customer, COUNT(*) AS n FROM line GROUP BY customer) l ON l.customer = c.code \
         LEFT JOIN (SELECT customer, COUNT(*) AS n FROM fault WHERE live = 1 AND state <> 'suspected' \
          GROUP BY customer) f ON f.customer = c.code \
         LEFT JOIN (SELECT customer, COUNT(*) AS n FROM matter WHERE live = 1 GROUP BY customer) m \
          ON m.customer = c.code \
         LEFT JOIN (SELECT customer, COUNT(*) AS n FROM deadline WHERE due_at_ms >= $1 AND due_at_ms < $2 \
          AND state IN ('missed', 'running') GROUP BY customer) d ON d.customer = c.code \
         GROUP BY COALESCE(c.manager, '') ORDER BY name LIMIT $3";
    let rows = tx.query(sql, &[since.into(), now.into(), limit.into()])?;
    rows.iter()
        .map(|row| {
            Ok(ManagerLoad {
                name: row.get(0)?,
                customers: row.get(1)?,
                lines: row.get(2)?,
                open_faults: row.get(3)?,
                open_matters: row.get(4)?,
                missed: row.get(5)?,
            })
        })
        .collect()
}
