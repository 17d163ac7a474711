//! Who is away, and who then stands in.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, Row, Tx};

/// A time in which somebody is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub person: String,
    /// From when.
    pub from: UnixMs,
    /// Until when.
    pub until: UnixMs,
    /// Why.
    pub reason: String,
    /// Who wrote it down.
    pub by: String,
}

fn absence(row: &Row) -> Result<Absence, DbError> {
    Ok(Absence {
        id: row.get(0)?,
        person: row.get(1)?,
        from: row.get(2)?,
        until: row.get(3)?,
        reason: row.get(4)?,
        by: row.get(5)?,
    })
}

/// Writes an absence down.
pub fn insert(tx: &mut Tx<'_>, absence: &Absence, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO absence (id, person, from_ms, until_ms, reason, by_whom, created_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = [
        absence.id.into(),
        absence.person.as_str().into(),
        absence.from.into(),
        absence.until.into(),
        absence.reason.as_str().into(),
        absence.by.as_str().into(),
        now.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Absences that are not over yet, the one that ends first at the front, after a place in that order.
pub fn list(
    tx: &mut Tx<'_>,
    now: UnixMs,
    after: Option<(UnixMs, Uuid)>,
    limit: i64,
) -> Result<Vec<Absence>, DbError> {
    let (until, id) = after.unwrap_or((now, Uuid::nil()));
    let sql = "SELECT id, person, from_ms, until_ms, reason, by_whom FROM absence \
         WHERE (until_ms, id) > ($1, $2) ORDER BY until_ms, id LIMIT $3";
    tx.query(sql, &[until.into(), id.into(), limit.into()])?.iter().map(absence).collect()
}

/// Ends an absence at a moment; false where there is none that goes on.
pub fn end(tx: &mut Tx<'_>, id: Uuid, at: UnixMs) -> Result<bool, DbError> {
    let sql = "UPDATE absence SET until_ms = $1 WHERE id = $2 AND until_ms > $1";
    Ok(tx.execute(sql, &[at.into(), id.into()])? > 0)
}

/// Whether somebody is away at a moment.
pub fn is_away(tx: &mut Tx<'_>, person: &str, at: UnixMs) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM absence WHERE person = $1 AND until_ms > $2 AND from_ms <= $2 LIMIT 1";
    Ok(tx.query_opt(sql, &[person.into(), at.into()])?.is_some())
}

/// Until when somebody is away who is away at a moment; none who is there.
pub fn away_until(tx: &mut Tx<'_>, person: &str, at: UnixMs) -> Result<Option<UnixMs>, DbError> {
    let sql = "SELECT MAX(until_ms) FROM absence WHERE person = $1 AND until_ms > $2 AND from_ms <= $2";
    tx.query_one(sql, &[person.into(), at.into()])?.get(0)
}

/// The deputies of an account manager, by customer; at most so many.
pub fn deputies(tx: &mut Tx<'_>, manager: &str, limit: i64) -> Result<BTreeMap<String, String>, DbError> {
    let sql = "SELECT code, deputy FROM customer WHERE manager = $1 AND deputy <> '' AND deputy <> manager \
         ORDER BY code LIMIT $2";
    tx.query(sql, &[manager.into(), limit.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Whom what is told about a customer reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressee {
    /// Who.
    pub name: String,
    /// Where; empty where nobody knows.
    pub email: String,
}

/// The customer's account manager; while he is away, the deputy, where there is one who is not away too.
pub fn addressee(tx: &mut Tx<'_>, customer: &str, at: UnixMs) -> Result<Addressee, DbError> {
    let sql = "SELECT manager, manager_email, deputy, deputy_email FROM customer WHERE code = $1";
    let Some(row) = tx.query_opt(sql, &[customer.into()])? else { return Ok(Addressee::default()) };
    let text = |at| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
    let manager = Addressee { name: text(0)?, email: text(1)? };
    let deputy = Addressee { name: text(2)?, email: text(3)? };
    let stands_in = !deputy.email.is_empty()
        && (manager.email.is_empty() || is_away(tx, &manager.name, at)?)
        && !is_away(tx, &deputy.name, at)?;
    Ok(if stands_in { deputy } else { manager })
}

/// Where people are reached by mail, by name, as customers and rotas have it; at most so many.
pub fn addresses(tx: &mut Tx<'_>, limit: i64) -> Result<BTreeMap<String, String>, DbError> {
    let sql = "SELECT p.name, MIN(p.email) FROM (SELECT manager AS name, manager_email AS email FROM customer \
         UNION ALL SELECT deputy, deputy_email FROM customer UNION ALL SELECT person, email FROM rota_shift) p \
         WHERE p.name <> '' AND p.email <> '' GROUP BY p.name ORDER BY p.name LIMIT $1";
    tx.query(sql, &[limit.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
