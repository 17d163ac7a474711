//! Who has signed an agreement of confidentiality.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::users::role;
use crate::auth::Role;
use crate::db::{DbError, Row, Tx, Value};

/// An agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its id.
    pub id: Uuid,
    /// Who signed.
    pub person: String,
    /// From when on it holds.
    pub signed_at: UnixMs,
    /// Until when.
    pub until: UnixMs,
    /// Where the paper is.
    pub document: String,
    /// Who put it on record.
    pub by: String,
}

const COLUMNS: &str = "id, person, signed_at_ms, until_ms, document, by_whom";

fn agreement(row: &Row) -> Result<Agreement, DbError> {
    Ok(Agreement {
        id: row.get(0)?,
        person: row.get(1)?,
        signed_at: row.get(2)?,
        until: row.get(3)?,
        document: row.get(4)?,
        by: row.get(5)?,
    })
}

/// Puts an agreement on record.
pub fn insert(tx: &mut Tx<'_>, agreement: &Agreement, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO agreement (id, person, signed_at_ms, until_ms, document, by_whom, created_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = [
        agreement.id.into(),
        agreement.person.as_str().into(),
        agreement.signed_at.into(),
        agreement.until.into(),
        agreement.document.as_str().into(),
        agreement.by.as_str().into(),
        now.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Ends an agreement at a moment; false where there is none that goes on.
pub fn end(tx: &mut Tx<'_>, id: Uuid, at: UnixMs) -> Result<bool, DbError> {
    let sql = "UPDATE agreement SET until_ms = $1 WHERE id = $2 AND until_ms > $1";
    Ok(tx.execute(sql, &[at.into(), id.into()])? > 0)
}

/// Whether a person's agreement holds at a moment.
pub fn holds(tx: &mut Tx<'_>, person: &str, at: UnixMs) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM agreement WHERE person = $1 AND until_ms > $2 AND signed_at_ms <= $2 LIMIT 1";
    Ok(tx.query_opt(sql, &[person.into(), at.into()])?.is_some())
}

/// Agreements, the one that ends last at the front, before a place in that order; of one person, where one is named.
pub fn list(
    tx: &mut Tx<'_>,
    person: Option<&str>,
    before: Option<(UnixMs, Uuid)>,
    limit: i64,
) -> Result<Vec<Agreement>, DbError> {
    let (until, id) = before.unwrap_or((UnixMs::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {COLUMNS} FROM agreement WHERE (until_ms, id) < ($1, $2) AND (CAST($3 AS TEXT) IS NULL OR person = $3) \
         ORDER BY until_ms DESC, id DESC LIMIT $4"
    );
    let params = [until.into(), id.into(), Value::from(person), limit.into()];
    tx.query(&sql, &params)?.iter().map(agreement).collect()
}

/// A user whose agreement is wanting, or will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanting {
    /// The user.
    pub person: String,
    /// The user's role.
    pub role: Role,
    /// Until when the last one holds or held; none where there never was one.
    pub until: Option<UnixMs>,
}

/// Users after a name who may sign in and have no agreement that holds beyond a moment, by name.
pub fn wanting(tx: &mut Tx<'_>, beyond: UnixMs, after: &str, limit: i64) -> Result<Vec<Wanting>, DbError> {
    let sql = "SELECT u.name, u.role, (SELECT MAX(a.until_ms) FROM agreement a WHERE a.person = u.name) FROM app_user u \
         WHERE u.disabled = 0 AND u.name > $1 \
         AND NOT EXISTS (SELECT 1 FROM agreement a WHERE a.person = u.name AND a.until_ms > $2) ORDER BY u.name LIMIT $3";
    let read = |row: &Row| Ok(Wanting { person: row.get(0)?, role: role(row, 1)?, until: row.get(2)? });
    tx.query(sql, &[after.into(), beyond.into(), limit.into()])?.iter().map(read).collect()
}
