//! Agents: how one is known, gets in, and is kept out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::facts::Lane;
use linewatch_shared::time::{DAY_MS, MonoMs, SECOND_MS, UnixMs};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Action, AppError, audit, random, users};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::agent_heads::{self, Unsent};
use crate::store::agents::{self, AgentRow};
use crate::store::{enrol_tokens, reference};
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
    /// What it has written and not sent, as far as it said so: those lanes of which there is anything.
    pub unsent: Vec<UnsentLane>,
    /// How many photos and signatures its reports name that have not arrived.
    pub parts_missing: i64,
}

/// What an agent has not sent of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnsentLane {
    /// `fault`, `desk` or `summary`.
    pub lane: &'static str,
    /// How many records.
    pub records: u64,
    /// Since when the server knows of the oldest of them.
    pub since_at: String,
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
    Ok(agents::ensure(tx, name, Uuid::from_bytes(random()?), now)?)
}

/// Makes an enrolment token for the agent called `name`, which need not be known yet. A token for a
/// revoked agent lets it in again once it is used.
///
/// # Errors
/// When the name is not usable.
pub async fn token(
    db: &Db,
    name: &str,
    authority: &Authority,
    by: &str,
    now: UnixMs,
) -> Result<String, AppError> {
    let token =
        EnrolToken { secret: random()?, authority_sha256: authority.fingerprint(), name: name.to_owned() };
    let (name, by, hash) = (name.to_owned(), by.to_owned(), hash_of(&token.secret));
    db.write(Priority::Api, move |tx| {
        let agent = ensure(tx, &name, now)?;
        enrol_tokens::insert(tx, hash, agent, now, now + TOKEN_MS)?;
        Ok::<_, AppError>(audit(tx, now.0, &by, Action::EnrolmentTokenMade, &name, None)?)
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
        let Some(id) = enrol_tokens::spend(tx, hash, now)? else { return Err(why_not(tx, hash)?) };
        let signed = authority.sign_agent(&csr_der, id, now)?;
        let name = agents::enrol(tx, id, signed.fingerprint, &version, now)?;
        audit(tx, now.0, &format!("agent {name}"), Action::Enrolled, &name, None)?;
        reference::changed(tx, &[(reference::Kind::Agent, name.clone())])?;
        Ok(EnrolledAgent { id, name, certificate_pem: signed.certificate_pem })
    })
    .await
}

fn why_not(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<EnrolError, DbError> {
    Ok(match enrol_tokens::was_used(tx, hash)? {
        None => EnrolError::Unknown,
        Some(true) => EnrolError::Used,
        Some(false) => EnrolError::Expired,
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
    let found = db.read(move |tx| agents::by_certificate(tx, fingerprint)).await?;
    Ok(found.map(|(id, name, revoked)| AgentIdentity { id, name, revoked }))
}

/// Keeps an agent out from now on, and makes its unused tokens worthless.
///
/// # Errors
/// When there is no such agent.
pub async fn revoke(db: &Db, name: &str, by: &str, now: UnixMs) -> Result<(), AppError> {
    let (name, by) = (name.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let unknown = || AppError::Unknown { kind: "agent", name: name.clone() };
        let id = agents::revoke(tx, &name, now)?.ok_or_else(unknown)?;
        enrol_tokens::remove_unused(tx, id)?;
        audit(tx, now.0, &by, Action::AgentRevoked, &name, None)?;
        Ok(reference::changed(tx, &[(reference::Kind::Agent, name.clone())])?)
    })
    .await
}

/// At most `limit` agents by name, after the one called `after`.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, after: Option<String>, limit: usize) -> Result<Vec<Agent>, DbError> {
    let after = after.unwrap_or_default();
    db.read(move |tx| {
        let rows = agents::list(tx, &after, limit as i64)?;
        let mut unsent = agent_heads::unsent(tx, &after, limit as i64)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let unsent = unsent.remove(&row.id).unwrap_or_default();
                shown(row, unsent)
            })
            .collect())
    })
    .await
}

fn shown(row: AgentRow, unsent: Unsent) -> Agent {
    let lane = |(lane, records, since): (Lane, u64, UnixMs)| UnsentLane {
        lane: lane.name(),
        records,
        since_at: since.to_rfc3339(),
    };
    Agent {
        id: row.id,
        name: row.name,
        state: row.state,
        lines: row.lines,
        last_seen_at: row.last_seen_at.map(UnixMs::to_rfc3339),
        silent_since: row.silent_since.map(UnixMs::to_rfc3339),
        clock_offset_ms: row.clock_offset_ms,
        version: row.version,
        health: row.health.and_then(|text| serde_json::from_str(&text).ok()),
        unsent: unsent.lanes.into_iter().map(lane).collect(),
        parts_missing: unsent.parts,
    }
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
    db.read(agents::count_by_state).await
}

#[cfg(test)]
mod tests;
