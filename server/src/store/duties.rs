//! Duties that come round, and the rounds that they opened.

use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use crate::db::{DbError, Row, Tx, Value};

/// A duty: visits of a customer, patrols of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Its id.
    pub id: Uuid,
    /// Visits or patrols.
    pub kind: MatterKind,
    /// The pack's name.
    pub pack: String,
    /// The cadence's name in it.
    pub cadence: String,
    /// The customer's code.
    pub customer: String,
    /// The site; empty for the customer as a whole.
    pub site: String,
    /// The piece of equipment, where it is of one.
    pub equipment: Option<Uuid>,
    /// Since when.
    pub since: UnixMs,
    /// When the next round begins.
    pub next_round: Option<UnixMs>,
    /// When the duty ended.
    pub ended_at: Option<UnixMs>,
}

const COLUMNS: &str =
    "id, kind, pack, cadence, customer, site, equipment, since_ms, next_round_ms, ended_at_ms";

fn duty(row: &Row) -> Result<Duty, DbError> {
    let kind: String = row.get(1)?;
    Ok(Duty {
        id: row.get(0)?,
        kind: MatterKind::from_name(&kind).ok_or_else(|| DbError::Data(format!("duty.kind: {kind}")))?,
        pack: row.get(2)?,
        cadence: row.get(3)?,
        customer: row.get(4)?,
        site: row.get(5)?,
        equipment: row.get(6)?,
        since: row.get(7)?,
        next_round: row.get(8)?,
        ended_at: row.get(9)?,
    })
}

/// Adds duties; one that has ended goes on, and one that runs stays as it is. Answers how many began.
pub fn insert(tx: &mut Tx<'_>, duties: &[Duty]) -> Result<u64, DbError> {
    let sql = "INSERT INTO duty (id, kind, pack, cadence, customer, site, equipment, since_ms, next_round_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) \
         DO UPDATE SET ended_at_ms = NULL, next_round_ms = excluded.next_round_ms WHERE duty.ended_at_ms IS NOT NULL";
    let mut added = 0;
    for duty in duties {
        let params = [
            duty.id.into(),
            duty.kind.name().into(),
            duty.pack.as_str().into(),
            duty.cadence.as_str().into(),
            duty.customer.as_str().into(),
            duty.site.as_str().into(),
            duty.equipment.into(),
            duty.since.into(),
            Value::from(duty.next_round),
        ];
        added += tx.execute(sql, &params)?;
    }
    Ok(added)
}

/// Duties, by customer.
pub fn list(
    tx: &mut Tx<'_>,
    (scope, customer): (&Scope, &str),
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Duty>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM duty WHERE (CAST($1 AS TEXT) = '' OR customer = $1) AND id > $2 AND {} \
         ORDER BY id LIMIT $3",
        scope.customers("customer", 4)
    );
    let params = [customer.into(), after.unwrap_or(Uuid::nil()).into(), limit.into(), scope.value()];
    tx.query(&sql, &params)?.iter().map(duty).collect()
}

/// One duty.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Duty>, DbError> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM duty WHERE id = $1"), &[id.into()])?
        .as_ref()
        .map(duty)
        .transpose()
}

/// Duties whose next round has begun by now.
pub fn due(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<Duty>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM duty WHERE next_round_ms IS NOT NULL AND next_round_ms <= $1 \
         ORDER BY next_round_ms LIMIT $2"
    );
    tx.query(&sql, &[now.into(), limit.into()])?.iter().map(duty).collect()
}

/// Says when the next round begins.
pub fn set_next(tx: &mut Tx<'_>, id: Uuid, next_round: Option<UnixMs>) -> Result<(), DbError> {
    let sql = "UPDATE duty SET next_round_ms = $1 WHERE id = $2 AND ended_at_ms IS NULL";
    tx.execute(sql, &[next_round.into(), id.into()])?;
    Ok(())
}

/// Ends a duty: no round follows.
pub fn end(tx: &mut Tx<'_>, id: Uuid, at: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE duty SET ended_at_ms = $1, next_round_ms = NULL WHERE id = $2 AND ended_at_ms IS NULL";
    tx.execute(sql, &[at.into(), id.into()])?;
    Ok(())
}

/// Keeps which duty a round is of.
pub fn insert_round(tx: &mut Tx<'_>, matter: Uuid, duty: Uuid) -> Result<(), DbError> {
    let sql = "INSERT INTO duty_round (matter, duty) VALUES ($1, $2) ON CONFLICT (matter) DO NOTHING";
    tx.execute(sql, &[matter.into(), duty.into()])?;
    Ok(())
}

/// The duty that a round is of.
pub fn of_round(tx: &mut Tx<'_>, matter: Uuid) -> Result<Option<Duty>, DbError> {
    let duty: Option<Uuid> = tx
        .query_opt("SELECT duty FROM duty_round WHERE matter = $1", &[matter.into()])?
        .map(|row| row.get(0))
        .transpose()?;
    match duty {
        Some(id) => one(tx, id),
        None => Ok(None),
    }
}

const CUSTOMER: &str = "SELECT code, tier, pack, created_at_ms, \
     CASE WHEN service_over = 1 OR admission <> 'admitted' THEN 1 ELSE 0 END FROM customer";

fn duty_customer(row: &Row) -> Result<DutyCustomer, DbError> {
    Ok(DutyCustomer {
        code: row.get(0)?,
        tier: row.get(1)?,
        pack: row.get(2)?,
        since: row.get(3)?,
        is_served: !row.get::<bool>(4)?,
    })
}

/// Customers with their tier, pack and manager, a page of them: what duties are made for.
pub fn customers(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<DutyCustomer>, DbError> {
    let sql = format!("{CUSTOMER} WHERE code > $1 ORDER BY code LIMIT $2");
    tx.query(&sql, &[after.into(), limit.into()])?.iter().map(duty_customer).collect()
}

/// One customer as duties see it.
pub fn customer(tx: &mut Tx<'_>, code: &str) -> Result<Option<DutyCustomer>, DbError> {
    let sql = format!("{CUSTOMER} WHERE code = $1");
    tx.query_opt(&sql, &[code.into()])?.as_ref().map(duty_customer).transpose()
}

/// A customer as duties see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DutyCustomer {
    /// The code.
    pub code: String,
    /// The tier.
    pub tier: String,
    /// The pack of its lines.
    pub pack: String,
    /// Known since.
    pub since: UnixMs,
    /// Whether anything comes round for it: it is admitted, and its service is not over.
    pub is_served: bool,
}
