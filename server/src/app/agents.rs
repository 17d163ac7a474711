//! Agents: how one is known, gets in, and is kept out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::time::{DAY_MS, MonoMs, SECOND_MS, UnixMs};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{AppError, audit, random, reference, users};
use crate::db::{Db, DbError, Priority, Row, Tx};
use crate::tls::Authority;

/// How long a looked-up certificate is believed; a revoked agent is out after this at the latest.
const IDENTITY_MS: i64 = 5 * SECOND_MS;
/// Certificates that are remembered.
const IDENTITIES_MAX: usize = 20_000;

/// How long an enrolment token is valid.
pub const TOKEN_MS: i64 = DAY_MS;

/// An agent, as lists show it. Times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Agent {
    /// Its id, which is also its certificate's subject.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `known` (not yet enrolled), `enrolled` or `revoked`.
    pub state: String,
    /// Lines that it probes.
    pub lines: u32,
    /// When it was last heard.
    pub last_seen_at: Option<String>,
    /// Since when it is silent.
    pub silent_since: Option<String>,
    /// Its clock minus the server's, in milliseconds.
    pub clock_offset_ms: Option<i64>,
    /// Its program's version.
    pub version: Option<String>,
    /// What it last said about its own machine.
    #[schema(value_type = Option<Object>)]
    pub health: Option<serde_json::Value>,
}

/// Who is on the other end of a sync connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentIdentity {
    /// The agent's id.
    pub id: Uuid,
    /// The agent's name.
    pub name: String,
    /// True when it is kept out.
    pub revoked: bool,
}

/// Why an enrolment is refused.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// No such token was ever made here.
    #[error("the enrolment token is not known here; make one with `agent token NAME`")]
    Unknown,
    /// It was used before.
    #[error("the enrolment token was already used; make a new one with `agent token NAME`")]
    Used,
    /// It is too old.
    #[error("the enrolment token expired; make a new one with `agent token NAME`")]
    Expired,
    /// Anything else.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<DbError> for EnrolError {
    fn from(e: DbError) -> Self {
        Self::App(e.into())
    }
}

/// What an enrolled agent gets.
#[derive(Clone, Debug)]
pub struct EnrolledAgent {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its certificate.
    pub certificate_pem: String,
}

/// The agent called `name`; made as `known` when there is none.
///
/// # Errors
/// When the name is not usable.
pub fn ensure(tx: &mut Tx<'_>, name: &str, now: UnixMs) -> Result<Uuid, AppError> {
    users::check_name(name)?;
    let id = Uuid::from_bytes(random()?);
    tx.execute(
        "INSERT INTO agent (id, name, state, created_at_ms) VALUES ($1, $2, 'known', $3) \
         ON CONFLICT (name) DO NOTHING",
        &[id.into(), name.into(), now.into()],
    )?;
    Ok(tx.query_one("SELECT id FROM agent WHERE name = $1", &[name.into()])?.get(0)?)
}

/// Makes an enrolment token for the agent called `name`, which need not be known yet. A token for a
/// revoked agent lets it in again once it is used.
///
/// # Errors
/// When the name is not usable.
pub async fn token(db: &Db, name: &str, authority: &Authority, now: UnixMs) -> Result<String, AppError> {
    let token =
        EnrolToken { secret: random()?, authority_sha256: authority.fingerprint(), name: name.to_owned() };
    let (name, hash) = (name.to_owned(), hash_of(&token.secret));
    db.write(Priority::Api, move |tx| {
        let agent = ensure(tx, &name, now)?;
        tx.execute(
            "INSERT INTO enrol_token (hash, agent, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4)",
            &[hash.into(), agent.into(), now.into(), (now + TOKEN_MS).into()],
        )?;
        Ok::<_, AppError>(audit(tx, now.0, "command line", "enrolment token made", &name, None)?)
    })
    .await?;
    Ok(token.encode())
}

/// Spends a token and signs the agent's key, in one transaction: either both happen or neither.
///
/// # Errors
/// When the token is not good, or the signing request is not one.
pub async fn enrol(
    db: &Db,
    authority: Arc<Authority>,
    secret: &[u8],
    csr_der: Vec<u8>,
    version: String,
    now: UnixMs,
) -> Result<EnrolledAgent, EnrolError> {
    let hash = hash_of(secret);
    db.write(Priority::Api, move |tx| {
        let sql = "UPDATE enrol_token SET used_at_ms = $2 \
                   WHERE hash = $1 AND used_at_ms IS NULL AND expires_at_ms > $2 RETURNING agent";
        let Some(row) = tx.query_opt(sql, &[hash.into(), now.into()])? else {
            return Err(why_not(tx, hash)?);
        };
        let id: Uuid = row.get(0)?;
        let signed = authority.sign_agent(&csr_der, id, now)?;
        let name: String = tx
            .query_one(
                "UPDATE agent SET state = 'enrolled', cert_fingerprint = $2, enrolled_at_ms = $3, \
                 revoked_at_ms = NULL, version = $4 WHERE id = $1 RETURNING name",
                &[id.into(), signed.fingerprint.into(), now.into(), version.as_str().into()],
            )?
            .get(0)?;
        audit(tx, now.0, &format!("agent {name}"), "enrolled", &name, None)?;
        reference::changed(tx, &[(reference::Kind::Agent, name.clone())])?;
        Ok(EnrolledAgent { id, name, certificate_pem: signed.certificate_pem })
    })
    .await
}

fn why_not(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<EnrolError, DbError> {
    let row = tx.query_opt("SELECT used_at_ms FROM enrol_token WHERE hash = $1", &[hash.into()])?;
    Ok(match row.map(|row| row.get::<Option<i64>>(0)).transpose()? {
        None => EnrolError::Unknown,
        Some(Some(_)) => EnrolError::Used,
        Some(None) => EnrolError::Expired,
    })
}

fn hash_of(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Whose certificate that is; `None` for one that was replaced by a later enrolment.
///
/// # Errors
/// The database's.
pub async fn identify(db: &Db, fingerprint: [u8; 32]) -> Result<Option<AgentIdentity>, DbError> {
    db.read(move |tx| {
        let sql = "SELECT id, name, state FROM agent WHERE cert_fingerprint = $1";
        let Some(row) = tx.query_opt(sql, &[fingerprint.into()])? else { return Ok(None) };
        let revoked = row.get::<String>(2)? == "revoked";
        Ok(Some(AgentIdentity { id: row.get(0)?, name: row.get(1)?, revoked }))
    })
    .await
}

/// Keeps an agent out from now on, and makes its unused tokens worthless.
///
/// # Errors
/// When there is no such agent.
pub async fn revoke(db: &Db, name: &str, now: UnixMs) -> Result<(), AppError> {
    let name = name.to_owned();
    db.write(Priority::Api, move |tx| {
        let sql = "UPDATE agent SET state = 'revoked', revoked_at_ms = $2 WHERE name = $1 RETURNING id";
        let row = tx.query_opt(sql, &[name.as_str().into(), now.into()])?;
        let id: Uuid = row.ok_or_else(|| AppError::Unknown { kind: "agent", name: name.clone() })?.get(0)?;
        tx.execute("DELETE FROM enrol_token WHERE agent = $1 AND used_at_ms IS NULL", &[id.into()])?;
        audit(tx, now.0, "command line", "agent revoked", &name, None)?;
        Ok(reference::changed(tx, &[(reference::Kind::Agent, name.clone())])?)
    })
    .await
}

const COLUMNS: &str = "SELECT a.id, a.name, a.state, \
    (SELECT COUNT(*) FROM line l WHERE l.agent = a.id), a.last_seen_at_ms, a.silent_since_ms, \
    a.clock_offset_ms, a.version, a.health FROM agent a";

/// At most `limit` agents by name, after the one called `after`.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, after: Option<String>, limit: usize) -> Result<Vec<Agent>, DbError> {
    let sql = format!("{COLUMNS} WHERE a.name > $1 ORDER BY a.name LIMIT $2");
    db.read(move |tx| {
        let rows = tx.query(&sql, &[after.clone().unwrap_or_default().into(), (limit as i64).into()])?;
        rows.iter().map(agent_of).collect()
    })
    .await
}

fn agent_of(row: &Row) -> Result<Agent, DbError> {
    let time = |index| Ok::<_, DbError>(row.get::<Option<UnixMs>>(index)?.map(UnixMs::to_rfc3339));
    let health: Option<String> = row.get(8)?;
    Ok(Agent {
        id: row.get(0)?,
        name: row.get(1)?,
        state: row.get(2)?,
        lines: row.get(3)?,
        last_seen_at: time(4)?,
        silent_since: time(5)?,
        clock_offset_ms: row.get(6)?,
        version: row.get(7)?,
        health: health.and_then(|text| serde_json::from_str(&text).ok()),
    })
}

/// Certificates looked up a moment ago.
#[derive(Debug, Default)]
pub struct Identities {
    seen: Mutex<HashMap<[u8; 32], (AgentIdentity, MonoMs)>>,
}

impl Identities {
    /// The agent, when it was looked up within 5 seconds.
    pub fn get(&self, certificate: &[u8; 32], now: MonoMs) -> Option<AgentIdentity> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(certificate)
            .filter(|(_, at)| now.0 - at.0 < IDENTITY_MS)
            .map(|(identity, _)| identity.clone())
    }

    /// Remembers a look-up.
    pub fn keep(&self, certificate: [u8; 32], identity: AgentIdentity, now: MonoMs) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= IDENTITIES_MAX {
            seen.retain(|_, (_, at)| now.0 - at.0 < IDENTITY_MS);
        }
        if seen.len() < IDENTITIES_MAX {
            seen.insert(certificate, (identity, now));
        }
    }
}

/// How many agents there are in each state.
///
/// # Errors
/// The database's.
pub async fn count_by_state(db: &Db) -> Result<Vec<(String, i64)>, DbError> {
    db.read(|tx| {
        let rows = tx.query("SELECT state, COUNT(*) FROM agent GROUP BY state ORDER BY state", &[])?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    })
    .await
}

#[cfg(test)]
mod tests;
