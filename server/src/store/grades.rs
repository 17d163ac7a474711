//! Grades of customers, as proposed and decided.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use crate::db::{DbError, Row, Tx, Value};

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: Uuid,
    /// The customer's code.
    pub customer: String,
    /// The pack by which it was graded.
    pub pack: String,
    /// The grade before.
    pub before: Option<String>,
    /// The proposed grade.
    pub grade: String,
    /// Scores, caps and the sum, as JSON.
    pub reasons: String,
    /// `proposed`, `approved`, `rejected` or `replaced`.
    pub state: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: UnixMs,
    /// Who decided, and when.
    pub decided: Option<(String, UnixMs)>,
    /// On an upgrade: whether the customer keeps its account manager.
    pub keeps_manager: Option<bool>,
}

const COLUMNS: &str = "id, customer, pack, before, grade, reasons, state, proposed_by, proposed_at_ms, decided_by, \
     decided_at_ms, keeps_manager";

fn proposal(row: &Row) -> Result<Proposal, DbError> {
    Ok(Proposal {
        id: row.get(0)?,
        customer: row.get(1)?,
        pack: row.get(2)?,
        before: row.get(3)?,
        grade: row.get(4)?,
        reasons: row.get(5)?,
        state: row.get(6)?,
        proposed_by: row.get(7)?,
        proposed_at: row.get(8)?,
        decided: row.get::<Option<String>>(9)?.zip(row.get::<Option<UnixMs>>(10)?),
        keeps_manager: row.get::<Option<i64>>(11)?.map(|keeps| keeps != 0),
    })
}

/// The customer's grade, and since when it is known here.
pub fn of_customer(tx: &mut Tx<'_>, code: &str) -> Result<Option<(Option<String>, UnixMs)>, DbError> {
    let sql = "SELECT grade, created_at_ms FROM customer WHERE code = $1";
    tx.query_opt(sql, &[code.into()])?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Keeps a proposal; an earlier one of the customer's that nobody decided is replaced.
pub fn insert(tx: &mut Tx<'_>, new: &Proposal) -> Result<(), DbError> {
    let sql = "UPDATE grade_proposal SET state = 'replaced' WHERE customer = $1 AND state = 'proposed'";
    tx.execute(sql, &[new.customer.as_str().into()])?;
    let sql = "INSERT INTO grade_proposal (id, customer, pack, before, grade, reasons, state, proposed_by, \
         proposed_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 'proposed', $7, $8)";
    let params = [
        new.id.into(),
        new.customer.as_str().into(),
        new.pack.as_str().into(),
        new.before.as_ref().into(),
        new.grade.as_str().into(),
        new.reasons.as_str().into(),
        new.proposed_by.as_str().into(),
        new.proposed_at.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// One proposal.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Proposal>, DbError> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM grade_proposal WHERE id = $1"), &[id.into()])?
        .as_ref()
        .map(proposal)
        .transpose()
}

/// Proposals, the newest first; an empty state is no wish.
pub fn list(
    tx: &mut Tx<'_>,
    (scope, state): (&Scope, &str),
    before: Option<(UnixMs, Uuid)>,
    limit: i64,
) -> Result<Vec<Proposal>, DbError> {
    let (at, id) = before.unwrap_or((UnixMs::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {COLUMNS} FROM grade_proposal WHERE (proposed_at_ms, id) < ($1, $2) \
         AND (CAST($3 AS TEXT) = '' OR state = $3) AND {} ORDER BY proposed_at_ms DESC, id DESC LIMIT $4",
        scope.customers("customer", 5)
    );
    tx.query(&sql, &[at.into(), id.into(), state.into(), limit.into(), scope.value()])?
        .iter()
        .map(proposal)
        .collect()
}

/// Decides a proposal.
pub fn decide(
    tx: &mut Tx<'_>,
    id: Uuid,
    state: &str,
    by: &str,
    at: UnixMs,
    keeps_manager: Option<bool>,
) -> Result<(), DbError> {
    let sql = "UPDATE grade_proposal SET state = $1, decided_by = $2, decided_at_ms = $3, keeps_manager = $4 \
         WHERE id = $5 AND state = 'proposed'";
    let params = [state.into(), by.into(), at.into(), Value::from(keeps_manager.map(i64::from)), id.into()];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Gives a customer its grade, and the tier that goes with it where there is one.
pub fn give(
    tx: &mut Tx<'_>,
    customer: &str,
    grade: &str,
    tier: Option<&str>,
    at: UnixMs,
) -> Result<(), DbError> {
    let sql = "UPDATE customer SET grade = $1, tier = COALESCE(CAST($2 AS TEXT), tier), updated_at_ms = $3 WHERE code = $4";
    tx.execute(sql, &[grade.into(), Value::from(tier), at.into(), customer.into()])?;
    Ok(())
}
