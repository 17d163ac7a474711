//! Agents: which there are, and how one is kept out. How one gets in is in [`enrolment`], how it is known afterwards in
//! [`identity`], how it goes on being known in [`renewal`].

pub mod enrolment;
pub mod generation;
pub mod identity;
pub mod quarantine;
pub mod renewal;
pub mod seal;

use linewatch_shared::facts::Lane;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

pub use enrolment::{EnrolError, TOKEN_MS, enrol, token};
pub use identity::{AgentIdentity, identify};

use super::{Action, AppError, audit, random, users};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::agent_heads::{self, Unsent};
use crate::store::agents::{self, AgentRow};
use crate::store::{agent_certificates, enrol_tokens, reference};

/// An agent, as lists show it. Times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Agent {
    /// Its id, which is also its certificate's subject.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `known` (not yet enrolled), `enrolled`, `quarantined` (there are two of it) or `revoked`.
    pub state: String,
    /// Since when its records are kept aside, because there are two of it.
    pub quarantined_since: Option<String>,
    /// How many records are kept aside for that.
    pub kept_aside: i64,
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

/// The agent called `name`; made as `known` when there is none.
///
/// # Errors
/// When the name is not usable.
pub fn ensure(tx: &mut Tx<'_>, name: &str, now: UnixMs) -> Result<Uuid, AppError> {
    users::check_name(name)?;
    Ok(agents::ensure(tx, name, Uuid::from_bytes(random()?), now)?)
}

/// Keeps an agent out from its next request on, and makes its unused tokens worthless.
///
/// # Errors
/// When there is no such agent.
pub async fn revoke(db: &Db, name: &str, by: &str, now: UnixMs) -> Result<(), AppError> {
    let (name, by) = (name.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let unknown = || AppError::Unknown { kind: "agent", name: name.clone() };
        let id = agents::revoke(tx, &name, now)?.ok_or_else(unknown)?;
        enrol_tokens::remove_unused(tx, id)?;
        agent_certificates::remove_unshown(tx, id)?;
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
    let is_quarantined = row.quarantined_at.is_some() && row.state == "enrolled";
    Agent {
        id: row.id,
        name: row.name,
        state: if is_quarantined { "quarantined".to_owned() } else { row.state },
        quarantined_since: row.quarantined_at.map(UnixMs::to_rfc3339),
        kept_aside: row.kept_aside,
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

/// How many agents there are in each state.
///
/// # Errors
/// The database's.
pub async fn count_by_state(db: &Db) -> Result<Vec<(String, i64)>, DbError> {
    db.read(agents::count_by_state).await
}

#[cfg(test)]
mod tests;
