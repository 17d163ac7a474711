//! How an agent gets in: a token that works once, and a key that never leaves the device.
//!
//! A token is bound to the first key that it is shown with, and spent when the agent first shows the certificate that it
//! got for it. Until then the same key may be shown again, so that an answer that is lost loses nothing.

use std::sync::Arc;

use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::time::{DAY_MS, UnixMs};
use linewatch_shared::wire::{Enroll, LEVEL_RENEWS};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{ensure, renewal};
use crate::app::{Action, AppError, audit, random};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::{agent_certificates, agents, enrol_tokens};
use crate::tls::{Authority, SigningRequest};

/// How long an enrolment token is valid.
pub const TOKEN_MS: i64 = DAY_MS;

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
    /// From when on it is to be renewed, where the agent can do that.
    pub renew_at: Option<UnixMs>,
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

/// Binds a token to the agent's key and signs that. The agent is let in when it first shows the certificate
/// ([`super::identify`]).
///
/// # Errors
/// When the token is not good, or the signing request is not one.
pub async fn enrol(
    db: &Db,
    authority: Arc<Authority>,
    asked: Enroll,
    certificate_life_ms: i64,
    now: UnixMs,
) -> Result<EnrolledAgent, EnrolError> {
    let hash = hash_of(&asked.secret);
    let life_ms = renewal::life_ms(asked.level, certificate_life_ms);
    let renew_at = (asked.level >= LEVEL_RENEWS).then(|| renewal::renew_at(now, life_ms));
    db.write(Priority::Api, move |tx| {
        let request = SigningRequest::parse(&asked.csr_der)?;
        let Some(id) = enrol_tokens::bind(tx, hash, request.key(), now)? else {
            return Err(why_not(tx, hash, now)?);
        };
        let name = agents::name_of(tx, id)?;
        let made = authority.sign_agent(request, id, life_ms, now)?;
        agent_certificates::remove_of_token(tx, hash)?;
        agent_certificates::insert(tx, id, &made.signed, Some(hash), now)?;
        audit(tx, now.0, &format!("agent {name}"), Action::Enrolled, &name, None)?;
        Ok(EnrolledAgent { id, name, certificate_pem: made.certificate_pem, renew_at })
    })
    .await
}

fn why_not(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<EnrolError, DbError> {
    Ok(match enrol_tokens::fate(tx, hash)? {
        None => EnrolError::Unknown,
        Some(fate) if fate.spent => EnrolError::Used,
        Some(fate) if fate.expires_at <= now => EnrolError::Expired,
        // Shown with another key, which is let in by it.
        Some(_) => EnrolError::Used,
    })
}

fn hash_of(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}
