//! The next certificate of an agent: asked for over the connection of the present one, or, when that has expired, by
//! proving the key that the agent is known by. No person has to do with either.

use std::sync::Arc;

use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, UnixMs};
use linewatch_shared::wire::{LEVEL_RENEWS, Prove, Renewed, proof_message};
use serde_json::json;
use uuid::Uuid;

use super::AgentIdentity;
use super::seal::AgentKey;
use crate::app::{Action, AppError, audit, random};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::{agent_certificates, agents};
use crate::tls::{Authority, SigningRequest};

/// How long an agent's certificate is valid, unless `sync.certificate_life` says otherwise.
pub const LIFE_MS: i64 = 30 * DAY_MS;
/// The shortest and the longest that it may be.
pub const LIFE_MS_MIN: i64 = HOUR_MS;
/// See [`LIFE_MS_MIN`].
pub const LIFE_MS_MAX: i64 = 90 * DAY_MS;
/// How long those of agents are valid whose program cannot renew them; access ends earlier by `agent revoke`.
const UNRENEWED_MS: i64 = 10 * 365 * DAY_MS;
/// How long a challenge may take to be answered.
const CHALLENGE_MS: i64 = 2 * MINUTE_MS;
/// What challenges are sealed as.
const CHALLENGE: &[u8] = b"challenge";

/// How long the certificates of an agent of that level are valid.
#[must_use]
pub(super) const fn life_ms(level: u16, configured_ms: i64) -> i64 {
    if level >= LEVEL_RENEWS { configured_ms } else { UNRENEWED_MS }
}

/// From when on a certificate that is made now is to be renewed: after two thirds of its life.
#[must_use]
pub fn renew_at(now: UnixMs, life_ms: i64) -> UnixMs {
    now + life_ms / 3 * 2
}

/// Signs an agent's key anew. The certificate takes the place of the present one when it is first shown.
///
/// # Errors
/// [`AppError::Refused`] when the request is for another key than the agent's.
pub async fn renew(
    db: &Db,
    authority: Arc<Authority>,
    agent: AgentIdentity,
    csr_der: Vec<u8>,
    life_ms: i64,
    now: UnixMs,
) -> Result<Renewed, AppError> {
    db.write(Priority::Api, move |tx| {
        let request = SigningRequest::parse(&csr_der)?;
        if agent_certificates::key_of(tx, agent.id)? != Some(request.key()) {
            return Err(AppError::Refused(
                "the signing request is for another key than the agent's".to_owned(),
            ));
        }
        audit(tx, now.0, &format!("agent {}", agent.name), Action::CertificateRenewed, &agent.name, None)?;
        sign(tx, &authority, agent.id, request, life_ms, now)
    })
    .await
}

fn sign(
    tx: &mut Tx<'_>,
    authority: &Authority,
    agent: Uuid,
    request: SigningRequest,
    life_ms: i64,
    now: UnixMs,
) -> Result<Renewed, AppError> {
    let made = authority.sign_agent(request, agent, life_ms, now)?;
    agent_certificates::remove_unshown_renewals(tx, agent)?;
    agent_certificates::insert(tx, agent, &made.signed, None, now)?;
    Ok(Renewed { certificate_pem: made.certificate_pem, renew_at: renew_at(now, life_ms) })
}

/// What an agent whose certificate has expired is to sign. Nothing is stored, and every id gets one: who asks learns
/// nothing.
///
/// # Errors
/// When the system has no random numbers.
pub fn challenge(key: &AgentKey, agent: Uuid, now: UnixMs) -> Result<Vec<u8>, AppError> {
    let mut body = now.0.to_be_bytes().to_vec();
    body.extend_from_slice(&random::<16>()?);
    Ok(key.seal(CHALLENGE, agent, &body))
}

/// When a challenge of ours for that agent was made.
fn made_at(key: &AgentKey, agent: Uuid, nonce: &[u8]) -> Option<UnixMs> {
    let body = key.open(CHALLENGE, agent, nonce)?;
    Some(UnixMs(i64::from_be_bytes(*body.first_chunk()?)))
}

/// Why a proof did not count; for the audit trail alone: whoever asks is told the same each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unproved {
    NotOurs,
    TooLate,
    Unknown,
    Revoked,
    Quarantined,
    OtherKey,
    Again,
}

impl Unproved {
    const fn name(self) -> &'static str {
        match self {
            Self::NotOurs => "not a challenge for this agent",
            Self::TooLate => "the challenge is too old",
            Self::Unknown => "no such agent",
            Self::Revoked => "revoked",
            Self::Quarantined => "quarantined",
            Self::OtherKey => "not the agent's key",
            Self::Again => "a challenge that was answered before, or one before it",
        }
    }
}

/// Gives an agent a new certificate for a proof of its key; none when the proof does not count, whatever the reason.
///
/// # Errors
/// The database's.
pub async fn prove(
    db: &Db,
    authority: Arc<Authority>,
    key: AgentKey,
    proof: Prove,
    life_ms: i64,
    now: UnixMs,
) -> Result<Option<Renewed>, AppError> {
    db.write(Priority::Api, move |tx| {
        let proved = judge(tx, &key, &proof, now)?;
        let name = agents::named(tx, proof.agent_id)?.unwrap_or_else(|| proof.agent_id.to_string());
        let who = format!("agent {name}");
        match proved {
            Ok(request) => {
                audit(tx, now.0, &who, Action::CertificateRecovered, &name, None)?;
                sign(tx, &authority, proof.agent_id, request, life_ms, now).map(Some)
            }
            Err(why) => {
                let detail = json!({ "reason": why.name() });
                audit(tx, now.0, &who, Action::ProofRefused, &name, Some(&detail))?;
                Ok(None)
            }
        }
    })
    .await
}

fn judge(
    tx: &mut Tx<'_>,
    key: &AgentKey,
    proof: &Prove,
    now: UnixMs,
) -> Result<Result<SigningRequest, Unproved>, DbError> {
    let agent = proof.agent_id;
    let Some(made_at) = made_at(key, agent, &proof.nonce) else { return Ok(Err(Unproved::NotOurs)) };
    if now.since(made_at) > CHALLENGE_MS {
        return Ok(Err(Unproved::TooLate));
    }
    let Some(known) = agent_certificates::key_of(tx, agent)? else { return Ok(Err(Unproved::Unknown)) };
    let Ok(request) = SigningRequest::parse(&proof.csr_der) else { return Ok(Err(Unproved::OtherKey)) };
    let message = proof_message(agent, &proof.nonce, &proof.csr_der);
    if request.key() != known || !request.signed(&message, &proof.signature) {
        return Ok(Err(Unproved::OtherKey));
    }
    if !agents::is_enrolled(tx, agent)? {
        return Ok(Err(Unproved::Revoked));
    }
    if agents::turn(tx, agent)?.quarantined {
        return Ok(Err(Unproved::Quarantined));
    }
    if !agents::take_challenge(tx, agent, made_at)? {
        return Ok(Err(Unproved::Again));
    }
    Ok(Ok(request))
}
