//! Enrolment tokens as they are stored: a hash, whom it lets in, and until when.

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

/// Marks a good token as used and gives its agent; none when it is unknown, was used before or expired.
pub fn spend(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<Option<Uuid>, DbError> {
    let sql = "UPDATE enrol_token SET used_at_ms = $2 \
         WHERE hash = $1 AND used_at_ms IS NULL AND expires_at_ms > $2 RETURNING agent";
    tx.query_opt(sql, &[hash.into(), now.into()])?.map(|row| row.get(0)).transpose()
}

/// Whether a token was used; none when it is not known.
pub fn was_used(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<Option<bool>, DbError> {
    let row = tx.query_opt("SELECT used_at_ms FROM enrol_token WHERE hash = $1", &[hash.into()])?;
    row.map(|row| Ok(row.get::<Option<UnixMs>>(0)?.is_some())).transpose()
}

/// Removes an agent's tokens that nobody used.
pub fn remove_unused(tx: &mut Tx<'_>, agent: Uuid) -> Result<(), DbError> {
    tx.execute("DELETE FROM enrol_token WHERE agent = $1 AND used_at_ms IS NULL", &[agent.into()])?;
    Ok(())
}
