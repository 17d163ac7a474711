//! Enrolment tokens as they are stored: a hash, whom it lets in, with which key, and until when.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, Tx};

/// Adds a token for an agent.
pub fn insert(
    tx: &mut Tx<'_>,
    hash: [u8; 32],
    agent: Uuid,
    now: UnixMs,
    expires_at: UnixMs,
) -> Result<(), DbError> {
    let sql = "INSERT INTO enrol_token (hash, agent, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, &[hash.into(), agent.into(), now.into(), expires_at.into()])?;
    Ok(())
}

/// Binds a good token to the key that it is shown with, and gives its agent; none when it is unknown, spent, expired, or
/// was shown with another key.
pub fn bind(tx: &mut Tx<'_>, hash: [u8; 32], key: [u8; 32], now: UnixMs) -> Result<Option<Uuid>, DbError> {
    let sql = "UPDATE enrol_token SET key = $2 WHERE hash = $1 AND used_at_ms IS NULL AND expires_at_ms > $3 \
         AND (key IS NULL OR key = $2) RETURNING agent";
    tx.query_opt(sql, &[hash.into(), key.into(), now.into()])?.map(|row| row.get(0)).transpose()
}

/// Spends a good token; false when that was done before, or its time is over.
pub fn spend(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<bool, DbError> {
    let sql = "UPDATE enrol_token SET used_at_ms = $2 WHERE hash = $1 AND used_at_ms IS NULL AND expires_at_ms > $2";
    Ok(tx.execute(sql, &[hash.into(), now.into()])? > 0)
}

/// What became of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Whether it was spent.
    pub spent: bool,
    /// Whether it was shown with a key.
    pub bound: bool,
    /// Until when it is good.
    pub expires_at: UnixMs,
}

/// What became of a token; none when it is not known.
pub fn fate(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<Option<Fate>, DbError> {
    let sql = "SELECT used_at_ms, key, expires_at_ms FROM enrol_token WHERE hash = $1";
    let Some(row) = tx.query_opt(sql, &[hash.into()])? else { return Ok(None) };
    Ok(Some(Fate {
        spent: row.get::<Option<UnixMs>>(0)?.is_some(),
        bound: row.get::<Option<[u8; 32]>>(1)?.is_some(),
        expires_at: row.get(2)?,
    }))
}

/// Removes an agent's tokens that nobody used.
pub fn remove_unused(tx: &mut Tx<'_>, agent: Uuid) -> Result<(), DbError> {
    tx.execute("DELETE FROM enrol_token WHERE agent = $1 AND used_at_ms IS NULL", &[agent.into()])?;
    Ok(())
}
