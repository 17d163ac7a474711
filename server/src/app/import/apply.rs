//! Writes what was planned, in the transaction that it was planned in.

use linewatch_shared::time::UnixMs;

use super::ImportError;
use super::plan::Plan;
use crate::app::agents;
use crate::app::sites::site_id;
use crate::db::Tx;
use crate::store::{customers, line_rows, reference, sites};

pub(super) fn run(tx: &mut Tx<'_>, plan: &Plan, now: UnixMs) -> Result<(), ImportError> {
    for name in &plan.new_agents {
        agents::ensure(tx, name, now)?;
    }
    let mut changes: Vec<(reference::Kind, String)> =
        plan.new_agents.iter().map(|name| (reference::Kind::Agent, name.clone())).collect();
    customers::save(tx, &plan.customers, now)?;
    line_rows::save(tx, &plan.lines, now)?;
    changes.extend(plan.customers.keys().map(|code| (reference::Kind::Customer, code.clone())));
    sites::save(tx, &plan.sites, site_id, now)?;
    let mut lines: Vec<String> = plan.lines.keys().cloned().collect();
    lines.extend(line_rows::save_changed_terms(tx, now)?);
    lines.sort();
    lines.dedup();
    changes.extend(lines.into_iter().map(|code| (reference::Kind::Line, code)));
    Ok(reference::changed(tx, &changes)?)
}
