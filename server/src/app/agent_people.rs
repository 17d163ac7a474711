//! Who may sign in on an agent's own page, also while nothing reaches it. An agent learns of a change with its next pull.

use std::collections::BTreeSet;

use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::Person;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::users::check_name;
use super::{Action, AppError, audit};
use crate::auth::{Role, offline};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::{agent_people, agents, reference, users};

/// The most people of one agent.
pub const PEOPLE_MAX: usize = 200;

/// Somebody who may sign in on an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AgentPerson {
    /// The user's name.
    pub name: String,
    /// The user's role.
    pub role: Role,
    /// False while the user is disabled or the contract of the user's contractor does not run: the agent is not told of
    /// such a one.
    pub enabled: bool,
}

/// A change of an agent's people.
#[derive(Clone, Debug)]
pub enum PeopleChange {
    /// These more, those no more.
    By {
        /// More.
        add: Vec<String>,
        /// No more.
        remove: Vec<String>,
    },
    /// These and nobody else.
    To(Vec<String>),
}

/// An agent's people, by name.
///
/// # Errors
/// When there is no such agent.
pub async fn list(db: &Db, agent: &str, now: UnixMs) -> Result<Vec<AgentPerson>, AppError> {
    let agent = agent.to_owned();
    db.read(move |tx| {
        let id = id_of(tx, &agent)?;
        Ok(shown(tx, id, now)?)
    })
    .await
}

/// Changes who may sign in on an agent; answers who may then.
///
/// # Errors
/// When there is no such agent or user, or there would be too many: nothing is changed then.
pub async fn change(
    db: &Db,
    agent: &str,
    change: PeopleChange,
    by: &str,
    now: UnixMs,
) -> Result<Vec<AgentPerson>, AppError> {
    let (agent, by) = (agent.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let id = id_of(tx, &agent)?;
        let before: BTreeSet<String> =
            agent_people::of(tx, id, now)?.into_iter().map(|row| row.name).collect();
        let after: BTreeSet<String> = match &change {
            PeopleChange::To(names) => names.iter().cloned().collect(),
            PeopleChange::By { add, remove } => {
                before.iter().filter(|name| !remove.contains(name)).chain(add).cloned().collect()
            }
        };
        if after.len() > PEOPLE_MAX {
            return Err(AppError::Refused(format!("at most {PEOPLE_MAX} people may sign in on one agent")));
        }
        let added: Vec<String> = after.difference(&before).cloned().collect();
        let removed: Vec<String> = before.difference(&after).cloned().collect();
        for name in &added {
            let unknown = || AppError::Unknown { kind: "user", name: name.clone() };
            check_name(name)?;
            users::is_disabled(tx, name)?.ok_or_else(unknown)?;
        }
        if !added.is_empty() || !removed.is_empty() {
            agent_people::add(tx, id, &added)?;
            agent_people::remove(tx, id, &removed)?;
            let detail = json!({ "added": added, "removed": removed });
            audit(tx, now.0, &by, Action::AgentPeopleChanged, &agent, Some(&detail))?;
            reference::changed(tx, &[(reference::Kind::Agent, agent.clone())])?;
        }
        Ok(shown(tx, id, now)?)
    })
    .await
}

fn id_of(tx: &mut Tx<'_>, agent: &str) -> Result<Uuid, AppError> {
    let unknown = || AppError::Unknown { kind: "agent", name: agent.to_owned() };
    agents::id_of(tx, agent)?.ok_or_else(unknown)
}

fn shown(tx: &mut Tx<'_>, agent: Uuid, now: UnixMs) -> Result<Vec<AgentPerson>, DbError> {
    let rows = agent_people::of(tx, agent, now)?;
    Ok(rows
        .into_iter()
        .map(|row| AgentPerson { name: row.name, role: row.role, enabled: row.enabled })
        .collect())
}

/// What an agent is told of its people: those who may sign in now.
///
/// # Errors
/// The database's.
pub fn to_pull(tx: &mut Tx<'_>, agent: Uuid, now: UnixMs) -> Result<Vec<Person>, DbError> {
    let rows = agent_people::of(tx, agent, now)?;
    let told = rows.into_iter().filter(|row| row.enabled).filter_map(|row| {
        let (salted, check) = offline::salted_and_check(&row.password_hash, agent)?;
        Some(Person { name: row.name, role: row.role.name().to_owned(), salted, check })
    });
    Ok(told.collect())
}

/// Has the agents on which a user may sign in pull again, after a change of the user's password, role or access. Call it
/// last in the transaction.
///
/// # Errors
/// The database's.
pub fn user_changed(tx: &mut Tx<'_>, user: &str) -> Result<(), DbError> {
    let agents = agent_people::agents_of(tx, user)?;
    mark(tx, agents)
}

/// The same of all of a contractor's technicians.
///
/// # Errors
/// The database's.
pub fn contractor_changed(tx: &mut Tx<'_>, contractor: &str) -> Result<(), DbError> {
    let agents = agent_people::agents_of_contractor(tx, contractor)?;
    mark(tx, agents)
}

fn mark(tx: &mut Tx<'_>, agents: Vec<String>) -> Result<(), DbError> {
    let changed: Vec<_> = agents.into_iter().map(|name| (reference::Kind::Agent, name)).collect();
    reference::changed(tx, &changed)
}
