//! Who is on the other end of a connection: looked up at each request, so that what was revoked is refused at the next
//! one, also on a connection that is open.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::generation::{self, Verdict};
use super::seal::AgentKey;
use crate::app::{Action, audit};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::agent_certificates::{self, Known};
use crate::store::{agents, enrol_tokens, reference};
use crate::tls::Shown;

/// Who is on the other end of a sync connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentIdentity {
    /// The agent's id.
    pub id: Uuid,
    /// The agent's name.
    pub name: String,
    /// True when it is kept out.
    pub revoked: bool,
    /// True when there are two of it: what it sends is kept aside, and it is told nothing.
    pub quarantined: bool,
    /// The generation that it has shown; none while it gets no further one.
    pub generation: Option<i64>,
    /// SHA-256 of the authority that signed its certificate, where that is known.
    pub authority: Option<[u8; 32]>,
}

impl From<Known> for AgentIdentity {
    fn from(known: Known) -> Self {
        let (id, name, revoked) = (known.agent, known.name, known.revoked);
        let (quarantined, authority) = (known.turn.quarantined, known.authority);
        Self { id, name, revoked, quarantined, generation: None, authority }
    }
}

/// What a request shows of itself.
#[derive(Clone, Debug)]
pub struct Showing {
    /// The certificate.
    pub certificate: Shown,
    /// The generation, sealed.
    pub generation: Option<Vec<u8>>,
}

/// Whose certificate that is; `None` for one that was replaced by a later one. The first time that it is shown it takes
/// the place of the one before it.
///
/// # Errors
/// The database's.
pub async fn identify(
    db: &Db,
    key: &AgentKey,
    showing: &Showing,
    now: UnixMs,
) -> Result<Option<AgentIdentity>, DbError> {
    let shown = showing.certificate;
    let found = db.read(move |tx| agent_certificates::find(tx, shown.fingerprint)).await?;
    let Some(known) = found else { return Ok(None) };
    let sealed = showing.generation.as_deref();
    let generation = sealed.and_then(|sealed| generation::open(key, known.agent, sealed));
    let is_settled = known.confirmed && known.key.is_some();
    let is_out = known.revoked || known.turn.quarantined;
    let is_newest = generation::judge(&known.turn, generation, now) == Verdict::Newest;
    if is_settled && (is_out || is_newest) {
        let settled = generation::settled(&known.turn, now).filter(|_| !is_out);
        return Ok(Some(AgentIdentity { generation: settled, ..known.into() }));
    }
    db.write(Priority::Api, move |tx| {
        let Some(identity) = first_shown(tx, &shown, now)? else { return Ok(None) };
        if identity.revoked {
            return Ok(Some(identity));
        }
        let newest = generation::take(tx, identity.id, &identity.name, generation, now)?;
        let quarantined = agents::turn(tx, identity.id)?.quarantined;
        Ok(Some(AgentIdentity { quarantined, generation: newest, ..identity }))
    })
    .await
}

/// Lets an agent in by a certificate that it has just got.
fn first_shown(tx: &mut Tx<'_>, shown: &Shown, now: UnixMs) -> Result<Option<AgentIdentity>, DbError> {
    let Some(known) = agent_certificates::find(tx, shown.fingerprint)? else { return Ok(None) };
    if known.confirmed && known.key.is_some() {
        return Ok(Some(known.into()));
    }
    let enrols = known.token.filter(|_| !known.confirmed);
    if let Some(token) = enrols {
        if !enrol_tokens::spend(tx, token, now)? {
            // Another request of the same device was quicker; or the token is gone.
            let known = agent_certificates::find(tx, shown.fingerprint)?;
            return Ok(known.filter(|known| known.confirmed).map(Into::into));
        }
    } else if known.revoked {
        return Ok(Some(known.into()));
    }
    agent_certificates::confirm(tx, shown.fingerprint, shown.key, now)?;
    agent_certificates::remove_others(tx, known.agent, shown.fingerprint)?;
    agents::show(tx, known.agent, shown.fingerprint)?;
    if enrols.is_some() {
        agents::let_in(tx, known.agent, now)?;
        audit(tx, now.0, &format!("agent {}", known.name), Action::EnrolmentConfirmed, &known.name, None)?;
        reference::changed(tx, &[(reference::Kind::Agent, known.name.clone())])?;
    }
    let revoked = known.revoked && enrols.is_none();
    Ok(Some(AgentIdentity { revoked, ..known.into() }))
}
