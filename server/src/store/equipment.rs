//! The equipment of sites, and how its condition went.

use linewatch_shared::matter::Standing;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::unpack;
use crate::db::{DbError, Row, Tx};

/// A piece of equipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its id.
    pub id: Uuid,
    /// The site that it stands at.
    pub site: Uuid,
    /// The customer's code.
    pub customer: String,
    /// The site's name.
    pub site_name: String,
    /// What it is called there.
    pub label: String,
    /// Its kind in the packs.
    pub kind: String,
    /// The grade of its condition.
    pub grade: String,
    /// The day on which it was installed.
    pub installed_on: Option<String>,
    /// The day of its last test before it came into the ledger.
    pub tested_on: Option<String>,
    /// The end of its last round.
    pub last_round_at: Option<UnixMs>,
    /// The next day by which a round is owed.
    pub next_due_at: Option<UnixMs>,
}

/// The last round is the one that was made last; a round that was sent back is none.
const SELECT: &str = "SELECT e.id, e.site, s.customer, s.name, e.label, e.kind, e.grade, e.installed_on, e.tested_on, \
     (SELECT MAX(d.met_at_ms) FROM matter m JOIN deadline d ON d.subject = m.id AND d.kind = 'patrol' \
     WHERE m.equipment = e.id AND m.kind = 'patrol'), \
     (SELECT MIN(d.due_at_ms) FROM matter m JOIN deadline d ON d.subject = m.id AND d.kind = 'patrol' \
     WHERE m.equipment = e.id AND m.kind = 'patrol' AND m.live = 1 AND d.met_at_ms IS NULL) \
     FROM equipment e JOIN site s ON s.id = e.site";

fn piece(row: &Row) -> Result<Piece, DbError> {
    Ok(Piece {
        id: row.get(0)?,
        site: row.get(1)?,
        customer: row.get(2)?,
        site_name: row.get(3)?,
        label: row.get(4)?,
        kind: row.get(5)?,
        grade: row.get(6)?,
        installed_on: row.get(7)?,
        tested_on: row.get(8)?,
        last_round_at: row.get(9)?,
        next_due_at: row.get(10)?,
    })
}

/// One piece.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Piece>, DbError> {
    tx.query_opt(&format!("{SELECT} WHERE e.id = $1"), &[id.into()])?.as_ref().map(piece).transpose()
}

/// The pieces of a site, in the order of their ids.
pub fn of_site(tx: &mut Tx<'_>, site: Uuid, after: Uuid, limit: i64) -> Result<Vec<Piece>, DbError> {
    let sql = format!("{SELECT} WHERE e.site = $1 AND e.id > $2 ORDER BY e.id LIMIT $3");
    tx.query(&sql, &[site.into(), after.into(), limit.into()])?.iter().map(piece).collect()
}

/// The pieces of a customer, in the order of their ids.
pub fn of_customer(tx: &mut Tx<'_>, customer: &str, after: Uuid, limit: i64) -> Result<Vec<Piece>, DbError> {
    let sql = format!("{SELECT} WHERE s.customer = $1 AND e.id > $2 ORDER BY e.id LIMIT $3");
    tx.query(&sql, &[customer.into(), after.into(), limit.into()])?.iter().map(piece).collect()
}

/// Every piece.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Piece>, DbError> {
    tx.query(SELECT, &[])?.iter().map(piece).collect()
}

/// How many pieces a customer has.
pub fn count(tx: &mut Tx<'_>, customer: &str) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM equipment e JOIN site s ON s.id = e.site WHERE s.customer = $1";
    tx.query_one(sql, &[customer.into()])?.get(0)
}

/// Adds a piece, or replaces what is known of it.
pub fn save(tx: &mut Tx<'_>, piece: &Piece, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO equipment (id, site, label, kind, grade, installed_on, tested_on, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, \
         grade = excluded.grade, installed_on = excluded.installed_on, updated_at_ms = excluded.updated_at_ms";
    let params = [
        piece.id.into(),
        piece.site.into(),
        piece.label.as_str().into(),
        piece.kind.as_str().into(),
        piece.grade.as_str().into(),
        piece.installed_on.as_ref().into(),
        piece.tested_on.as_ref().into(),
        now.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// A grade that a piece once had, or has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graded {
    /// Since when.
    pub at: UnixMs,
    /// Which.
    pub grade: String,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: String,
}

/// Writes a grade down.
pub fn insert_grade(tx: &mut Tx<'_>, piece: Uuid, graded: &Graded) -> Result<(), DbError> {
    let sql =
        "INSERT INTO equipment_grade (equipment, at_ms, grade, reason, by_whom) VALUES ($1, $2, $3, $4, $5)";
    let params = [
        piece.into(),
        graded.at.into(),
        graded.grade.as_str().into(),
        graded.reason.as_str().into(),
        graded.by.as_str().into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// The grades of a piece as they were written down, the newest first.
pub fn grades(tx: &mut Tx<'_>, piece: Uuid, limit: i64) -> Result<Vec<Graded>, DbError> {
    let sql = "SELECT at_ms, grade, reason, by_whom FROM equipment_grade WHERE equipment = $1 ORDER BY n DESC LIMIT $2";
    let read =
        |row: &Row| Ok(Graded { at: row.get(0)?, grade: row.get(1)?, reason: row.get(2)?, by: row.get(3)? });
    tx.query(sql, &[piece.into(), limit.into()])?.iter().map(read).collect()
}

/// The rounds and defects of a piece, the newest first.
pub fn matters(tx: &mut Tx<'_>, piece: Uuid, limit: i64) -> Result<Vec<Standing>, DbError> {
    let sql = "SELECT body FROM matter WHERE equipment = $1 ORDER BY opened_at_ms DESC, id DESC LIMIT $2";
    let read = |row: &Row| unpack("matter.body", &row.get::<Vec<u8>>(0)?);
    tx.query(sql, &[piece.into(), limit.into()])?.iter().map(read).collect()
}
