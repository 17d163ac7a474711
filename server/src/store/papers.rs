//! Copies of the meeting's papers.

use linewatch_shared::time::UnixMs;

use crate::db::{DbError, LockKey, Row, Tx};

/// A copy, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Its number in the month, from 1 on.
    pub number: i64,
    /// When it was made.
    pub made_at: UnixMs,
    /// By whom.
    pub made_by: String,
    /// SHA-256 of what it says.
    pub sha256: String,
    /// Who approved it, and when.
    pub approved: Option<(String, UnixMs)>,
}

fn copy(row: &Row) -> Result<Copy, DbError> {
    let approved = row.get::<Option<String>>(4)?.zip(row.get::<Option<UnixMs>>(5)?);
    let (number, made_at) = (row.get(0)?, row.get(1)?);
    Ok(Copy { number, made_at, made_by: row.get(2)?, sha256: row.get(3)?, approved })
}

/// The copies of a month, the newest first; at most so many.
pub fn copies(tx: &mut Tx<'_>, month: &str, limit: i64) -> Result<Vec<Copy>, DbError> {
    let sql = "SELECT number, made_at_ms, made_by, sha256, approved_by, approved_at_ms FROM papers WHERE month = $1 \
         ORDER BY number DESC LIMIT $2";
    tx.query(sql, &[month.into(), limit.into()])?.iter().map(copy).collect()
}

/// What a copy says.
pub fn body(tx: &mut Tx<'_>, month: &str, number: i64) -> Result<Option<Vec<u8>>, DbError> {
    let sql = "SELECT body FROM papers WHERE month = $1 AND number = $2";
    tx.query_opt(sql, &[month.into(), number.into()])?.map(|row| row.get(0)).transpose()
}

/// Whether a copy of the month was approved.
pub fn is_approved(tx: &mut Tx<'_>, month: &str) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM papers WHERE month = $1 AND approved_at_ms IS NOT NULL LIMIT 1";
    Ok(tx.query_opt(sql, &[month.into()])?.is_some())
}

/// Keeps a copy.
pub fn keep(tx: &mut Tx<'_>, month: &str, copy: &Copy, body: &[u8]) -> Result<(), DbError> {
    let sql = "INSERT INTO papers (month, number, made_at_ms, made_by, sha256, body) VALUES ($1, $2, $3, $4, $5, $6)";
    let params = [
        month.into(),
        copy.number.into(),
        copy.made_at.into(),
        copy.made_by.as_str().into(),
        copy.sha256.as_str().into(),
        body.to_vec().into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Drops copies up to a number that nobody approved.
pub fn drop_unapproved(tx: &mut Tx<'_>, month: &str, up_to: i64) -> Result<(), DbError> {
    let sql = "DELETE FROM papers WHERE month = $1 AND number <= $2 AND approved_at_ms IS NULL";
    tx.execute(sql, &[month.into(), up_to.into()])?;
    Ok(())
}

/// Writes down who approved a copy.
pub fn approve(tx: &mut Tx<'_>, month: &str, number: i64, by: &str, at: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE papers SET approved_by = $1, approved_at_ms = $2 WHERE month = $3 AND number = $4";
    tx.execute(sql, &[by.into(), at.into(), month.into(), number.into()])?;
    Ok(())
}

/// The key that a transaction takes before it keeps or approves copies of a month.
#[must_use]
pub fn lock_key(month: &str) -> LockKey {
    LockKey::new("papers", month.as_bytes())
}
