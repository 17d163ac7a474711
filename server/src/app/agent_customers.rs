//! Which customers an agent sees beside its own lines: a laptop in the field shows its people their lines, tasks and
//! contacts, and may probe a line from the site. An agent learns of a change with its next pull.

use std::collections::BTreeSet;

use linewatch_shared::time::UnixMs;
use serde_json::json;

use super::{Action, AppError, audit};
use crate::db::{Db, Priority};
use crate::store::{agent_customers, agents, customers, reference};

/// The most customers of one agent.
pub const CUSTOMERS_MAX: usize = 2_000;

/// A change of the customers that an agent sees.
#[derive(Clone, Debug)]
pub enum CustomersChange {
    /// These more, those no more.
    By {
        /// More.
        add: Vec<String>,
        /// No more.
        remove: Vec<String>,
    },
    /// These and no others.
    To(Vec<String>),
}

/// The codes of the customers that an agent sees.
///
/// # Errors
/// When there is no such agent.
pub async fn list(db: &Db, agent: &str) -> Result<Vec<String>, AppError> {
    let agent = agent.to_owned();
    db.read(move |tx| {
        let unknown = || AppError::Unknown { kind: "agent", name: agent.clone() };
        let id = agents::id_of(tx, &agent)?.ok_or_else(unknown)?;
        Ok(agent_customers::of(tx, id)?)
    })
    .await
}

/// Changes which customers an agent sees; answers which ones then. An agent that is not known yet is made known.
///
/// # Errors
/// When there is no such customer, or there would be too many: nothing is changed then.
pub async fn change(
    db: &Db,
    agent: &str,
    change: CustomersChange,
    by: &str,
    now: UnixMs,
) -> Result<Vec<String>, AppError> {
    let (agent, by) = (agent.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let id = super::agents::ensure(tx, &agent, now)?;
        let before: BTreeSet<String> = agent_customers::of(tx, id)?.into_iter().collect();
        let after: BTreeSet<String> = match &change {
            CustomersChange::To(codes) => codes.iter().cloned().collect(),
            CustomersChange::By { add, remove } => {
                before.iter().filter(|code| !remove.contains(code)).chain(add).cloned().collect()
            }
        };
        if after.len() > CUSTOMERS_MAX {
            return Err(AppError::Refused(format!("an agent sees at most {CUSTOMERS_MAX} customers")));
        }
        let added: Vec<String> = after.difference(&before).cloned().collect();
        let removed: Vec<String> = before.difference(&after).cloned().collect();
        for code in &added {
            let unknown = || AppError::Unknown { kind: "customer", name: code.clone() };
            customers::owners(tx, code)?.ok_or_else(unknown)?;
        }
        if !added.is_empty() || !removed.is_empty() {
            agent_customers::add(tx, id, &added)?;
            agent_customers::remove(tx, id, &removed)?;
            let detail = json!({ "added": added, "removed": removed });
            audit(tx, now.0, &by, Action::AgentCustomersChanged, &agent, Some(&detail))?;
            reference::changed(tx, &[(reference::Kind::Agent, agent.clone())])?;
        }
        Ok(after.into_iter().collect())
    })
    .await
}
