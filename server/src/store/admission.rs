//! Which customers are admitted, and who decided so.

use linewatch_shared::time::UnixMs;

use super::scope::Scope;
use crate::db::{DbError, Row, Tx};

/// How a customer's admission stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The customer's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// `proposed`, `admitted` or `refused`.
    pub state: String,
    /// Who proposed it; none where nobody was asked.
    pub proposed_by: Option<String>,
    /// When it was first written down.
    pub proposed_at: UnixMs,
    /// Who decided, and when.
    pub decided: Option<(String, UnixMs)>,
    /// The reason that was given.
    pub reason: Option<String>,
}

const COLUMNS: &str =
    "code, name, admission, proposed_by, created_at_ms, decided_by, decided_at_ms, decision";

fn admission(row: &Row) -> Result<Admission, DbError> {
    Ok(Admission {
        code: row.get(0)?,
        name: row.get(1)?,
        state: row.get(2)?,
        proposed_by: row.get(3)?,
        proposed_at: row.get(4)?,
        decided: row.get::<Option<String>>(5)?.zip(row.get::<Option<UnixMs>>(6)?),
        reason: row.get(7)?,
    })
}

/// How a customer's admission stands; none where the customer is not known.
pub fn of(tx: &mut Tx<'_>, code: &str) -> Result<Option<Admission>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM customer WHERE code = $1");
    tx.query_opt(&sql, &[code.into()])?.as_ref().map(admission).transpose()
}

/// Customers after a code that are not admitted, by code.
pub fn open(tx: &mut Tx<'_>, scope: &Scope, after: &str, limit: i64) -> Result<Vec<Admission>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM customer WHERE admission <> 'admitted' AND code > $1 AND {} ORDER BY code LIMIT $2",
        scope.customers("code", 3)
    );
    tx.query(&sql, &[after.into(), limit.into(), scope.value()])?.iter().map(admission).collect()
}

/// Notes that somebody proposes customers that were just written down.
pub fn propose(tx: &mut Tx<'_>, codes: &[String], by: &str) -> Result<(), DbError> {
    let rows: Vec<_> = codes.iter().map(|code| vec![by.into(), code.into()]).collect();
    tx.batch("UPDATE customer SET admission = 'proposed', proposed_by = $1 WHERE code = $2", &rows)?;
    Ok(())
}

/// Notes a decision.
pub fn decide(
    tx: &mut Tx<'_>,
    code: &str,
    admitted: bool,
    reason: &str,
    (by, at): (&str, UnixMs),
) -> Result<(), DbError> {
    let sql = "UPDATE customer SET admission = $1, decision = $2, decided_by = $3, decided_at_ms = $4 WHERE code = $5";
    let state = if admitted { "admitted" } else { "refused" };
    tx.execute(sql, &[state.into(), reason.into(), by.into(), at.into(), code.into()])?;
    Ok(())
}
