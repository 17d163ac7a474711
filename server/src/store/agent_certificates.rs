//! Agents' certificates as they are stored: signed, and shown or not yet.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::agents::Turn;
use crate::db::{DbError, Tx};

/// A certificate that was signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed {
    /// SHA-256 of it.
    pub fingerprint: [u8; 32],
    /// SHA-256 of its public key.
    pub key: [u8; 32],
    /// SHA-256 of the authority that signed it.
    pub authority: [u8; 32],
    /// Until when it is valid.
    pub expires_at: UnixMs,
}

/// A certificate that is known, and whose it is.
#[derive(Clone, Debug)]
pub struct Known {
    /// The agent.
    pub agent: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it is kept out.
    pub revoked: bool,
    /// SHA-256 of the public key, where it is known.
    pub key: Option<[u8; 32]>,
    /// The enrolment token that its first request spends.
    pub token: Option<[u8; 32]>,
    /// Whether it has been shown.
    pub confirmed: bool,
    /// Which turn of its secret the agent has shown.
    pub turn: Turn,
    /// SHA-256 of the authority that signed it, where it is known.
    pub authority: Option<[u8; 32]>,
}

/// Keeps a certificate that was signed and has not been shown.
pub fn insert(
    tx: &mut Tx<'_>,
    agent: Uuid,
    signed: &Signed,
    token: Option<[u8; 32]>,
    now: UnixMs,
) -> Result<(), DbError> {
    let sql = "INSERT INTO agent_certificate (fingerprint, agent, key, authority, token, issued_at_ms, expires_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = [
        signed.fingerprint.into(),
        agent.into(),
        signed.key.into(),
        signed.authority.into(),
        token.into(),
        now.into(),
        signed.expires_at.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// The certificate of that fingerprint.
pub fn find(tx: &mut Tx<'_>, fingerprint: [u8; 32]) -> Result<Option<Known>, DbError> {
    let sql = "SELECT c.agent, a.name, a.state, c.key, c.token, c.confirmed_at_ms, a.generation, \
         a.generation_at_ms, a.quarantined_at_ms, c.authority FROM agent_certificate c \
         JOIN agent a ON a.id = c.agent WHERE c.fingerprint = $1";
    let Some(row) = tx.query_opt(sql, &[fingerprint.into()])? else { return Ok(None) };
    Ok(Some(Known {
        agent: row.get(0)?,
        name: row.get(1)?,
        revoked: row.get::<String>(2)? == "revoked",
        key: row.get(3)?,
        token: row.get(4)?,
        confirmed: row.get::<Option<UnixMs>>(5)?.is_some(),
        turn: Turn {
            generation: row.get(6)?,
            at: row.get(7)?,
            quarantined: row.get::<Option<UnixMs>>(8)?.is_some(),
        },
        authority: row.get(9)?,
    }))
}

/// Notes that a certificate was shown, and its key.
pub fn confirm(tx: &mut Tx<'_>, fingerprint: [u8; 32], key: [u8; 32], now: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE agent_certificate SET key = $2, confirmed_at_ms = COALESCE(confirmed_at_ms, $3) \
         WHERE fingerprint = $1";
    tx.execute(sql, &[fingerprint.into(), key.into(), now.into()])?;
    Ok(())
}

/// Removes an agent's other certificates, but for those that a token that is not spent was shown for.
pub fn remove_others(tx: &mut Tx<'_>, agent: Uuid, fingerprint: [u8; 32]) -> Result<(), DbError> {
    let sql = "DELETE FROM agent_certificate WHERE agent = $1 AND fingerprint <> $2 \
         AND (token IS NULL OR confirmed_at_ms IS NOT NULL)";
    tx.execute(sql, &[agent.into(), fingerprint.into()])?;
    Ok(())
}

/// Removes an agent's certificates that nobody has shown.
pub fn remove_unshown(tx: &mut Tx<'_>, agent: Uuid) -> Result<(), DbError> {
    tx.execute(
        "DELETE FROM agent_certificate WHERE agent = $1 AND confirmed_at_ms IS NULL",
        &[agent.into()],
    )?;
    Ok(())
}

/// Removes an agent's renewed certificates that nobody has shown.
pub fn remove_unshown_renewals(tx: &mut Tx<'_>, agent: Uuid) -> Result<(), DbError> {
    let sql = "DELETE FROM agent_certificate WHERE agent = $1 AND confirmed_at_ms IS NULL AND token IS NULL";
    tx.execute(sql, &[agent.into()])?;
    Ok(())
}

/// Removes a token's certificates that nobody has shown.
pub fn remove_of_token(tx: &mut Tx<'_>, token: [u8; 32]) -> Result<(), DbError> {
    let sql = "DELETE FROM agent_certificate WHERE token = $1 AND confirmed_at_ms IS NULL";
    tx.execute(sql, &[token.into()])?;
    Ok(())
}

/// SHA-256 of the public key that the agent is known by.
pub fn key_of(tx: &mut Tx<'_>, agent: Uuid) -> Result<Option<[u8; 32]>, DbError> {
    let sql = "SELECT key FROM agent_certificate WHERE agent = $1 AND confirmed_at_ms IS NOT NULL";
    let row = tx.query_opt(sql, &[agent.into()])?;
    Ok(row.map(|row| row.get::<Option<[u8; 32]>>(0)).transpose()?.flatten())
}
