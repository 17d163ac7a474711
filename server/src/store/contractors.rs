//! Companies that maintain for us, and what each of them maintains.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::time::UnixMs;

use crate::db::{DbError, Row, Tx};

/// A contractor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contractor {
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The contract's first day, such as 2026-01-01.
    pub contract_from: String,
    /// Its last day; none where no end is agreed.
    pub contract_until: Option<String>,
    /// The first moment of the contract.
    pub from: UnixMs,
    /// The first moment after it.
    pub until: Option<UnixMs>,
    /// Whom to call.
    pub contact_name: Option<String>,
    /// Where.
    pub contact_phone: Option<String>,
    /// The pack whose assessment applies.
    pub pack: String,
    /// The part of the fee that hangs on it (ppm), where it is not the pack's.
    pub fee_part_ppm: Option<u32>,
}

const COLUMNS: &str = "code, name, contract_from, contract_until, from_ms, until_ms, contact_name, contact_phone, \
     pack, fee_part_ppm";

fn contractor(row: &Row) -> Result<Contractor, DbError> {
    Ok(Contractor {
        code: row.get(0)?,
        name: row.get(1)?,
        contract_from: row.get(2)?,
        contract_until: row.get(3)?,
        from: row.get(4)?,
        until: row.get(5)?,
        contact_name: row.get(6)?,
        contact_phone: row.get(7)?,
        pack: row.get(8)?,
        fee_part_ppm: row.get(9)?,
    })
}

/// One contractor.
pub fn one(tx: &mut Tx<'_>, code: &str) -> Result<Option<Contractor>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM contractor WHERE code = $1");
    tx.query_opt(&sql, &[code.into()])?.as_ref().map(contractor).transpose()
}

/// Contractors after a code, in the order of their codes.
pub fn list(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<Contractor>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM contractor WHERE code > $1 ORDER BY code LIMIT $2");
    tx.query(&sql, &[after.into(), limit.into()])?.iter().map(contractor).collect()
}

/// Every contractor's code.
pub fn codes(tx: &mut Tx<'_>) -> Result<BTreeSet<String>, DbError> {
    tx.query("SELECT code FROM contractor", &[])?.iter().map(|row| row.get(0)).collect()
}

/// Every contractor's name, by code.
pub fn names(tx: &mut Tx<'_>) -> Result<BTreeMap<String, String>, DbError> {
    let rows = tx.query("SELECT code, name FROM contractor", &[])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Adds a contractor, or replaces the one with its code.
pub fn save(tx: &mut Tx<'_>, contractor: &Contractor, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO contractor (code, name, contract_from, contract_until, from_ms, until_ms, contact_name, \
         contact_phone, pack, fee_part_ppm, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, contract_from = excluded.contract_from, \
         contract_until = excluded.contract_until, from_ms = excluded.from_ms, until_ms = excluded.until_ms, \
         contact_name = excluded.contact_name, contact_phone = excluded.contact_phone, pack = excluded.pack, \
         fee_part_ppm = excluded.fee_part_ppm, updated_at_ms = excluded.updated_at_ms";
    let params = [
        contractor.code.as_str().into(),
        contractor.name.as_str().into(),
        contractor.contract_from.as_str().into(),
        contractor.contract_until.as_ref().into(),
        contractor.from.into(),
        contractor.until.into(),
        contractor.contact_name.as_ref().into(),
        contractor.contact_phone.as_ref().into(),
        contractor.pack.as_str().into(),
        contractor.fee_part_ppm.map(i64::from).into(),
        now.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Who maintained what: for reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Of a line, from when on who did; lines that never had a contractor are left out.
    pub lines: BTreeMap<String, Vec<(UnixMs, Option<String>)>>,
    /// Of a customer's site: who maintains all its lines.
    pub sites: BTreeMap<(String, String), String>,
    /// Of a customer as a whole.
    pub customers: BTreeMap<String, String>,
}

/// Who maintains, and maintained, what.
pub fn maintained(tx: &mut Tx<'_>) -> Result<Maintained, DbError> {
    let mut found = Maintained::default();
    let lines = "SELECT line, valid_from_ms, contractor FROM line_terms \
         WHERE line IN (SELECT line FROM line_terms WHERE contractor IS NOT NULL) ORDER BY line, valid_from_ms";
    for row in tx.query(lines, &[])? {
        found.lines.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
    }
    let sites = "SELECT l.customer, l.site, MIN(COALESCE(l.contractor, c.contractor)) FROM line l \
         JOIN customer c ON c.code = l.customer WHERE l.site IS NOT NULL GROUP BY l.customer, l.site \
         HAVING COUNT(*) = COUNT(COALESCE(l.contractor, c.contractor)) \
         AND MIN(COALESCE(l.contractor, c.contractor)) = MAX(COALESCE(l.contractor, c.contractor))";
    for row in tx.query(sites, &[])? {
        found.sites.insert((row.get(0)?, row.get(1)?), row.get(2)?);
    }
    for row in tx.query("SELECT code, contractor FROM customer WHERE contractor IS NOT NULL", &[])? {
        found.customers.insert(row.get(0)?, row.get(1)?);
    }
    Ok(found)
}
