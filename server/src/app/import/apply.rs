//! Writes what was planned, in the transaction that it was planned in.

use std::collections::BTreeSet;

use linewatch_shared::time::UnixMs;

use super::plan::Plan;
use super::{ImportError, Kind};
use crate::app::agents;
use crate::app::sites::site_id;
use crate::db::Tx;
use crate::store::equipment::{self, Graded};
use crate::store::{admission, customers, line_rows, reference, sites};

/// Who writes what a file says.
pub(super) const BY: &str = "command line";

pub(super) fn run(
    tx: &mut Tx<'_>,
    plan: &Plan,
    proposer: Option<&str>,
    now: UnixMs,
) -> Result<(), ImportError> {
    for name in &plan.new_agents {
        agents::ensure(tx, name, now)?;
    }
    let mut changes: Vec<(reference::Kind, String)> =
        plan.new_agents.iter().map(|name| (reference::Kind::Agent, name.clone())).collect();
    customers::save(tx, &plan.customers, now)?;
    if let Some(by) = proposer.filter(|_| plan.kind == Kind::Customers) {
        admission::propose(tx, &plan.summary(false).created, by)?;
    }
    line_rows::save(tx, &plan.lines, now)?;
    changes.extend(plan.customers.keys().map(|code| (reference::Kind::Customer, code.clone())));
    sites::save(tx, &plan.sites, site_id, now)?;
    changes.extend(save_equipment(tx, plan, now)?);
    let mut lines: Vec<String> = plan.lines.keys().cloned().collect();
    lines.extend(line_rows::save_changed_terms(tx, now)?);
    lines.sort();
    lines.dedup();
    changes.extend(lines.into_iter().map(|code| (reference::Kind::Line, code)));
    Ok(reference::changed(tx, &changes)?)
}

/// The customers whose equipment is new or another: their rounds are looked at again.
fn save_equipment(
    tx: &mut Tx<'_>,
    plan: &Plan,
    now: UnixMs,
) -> Result<Vec<(reference::Kind, String)>, ImportError> {
    let mut customers = BTreeSet::new();
    for (piece, reason) in &plan.equipment {
        equipment::save(tx, piece, now)?;
        if let Some(reason) = reason {
            let (grade, reason, by) = (piece.grade.clone(), reason.clone(), BY.to_owned());
            equipment::insert_grade(tx, piece.id, &Graded { at: now, grade, reason, by })?;
        }
        customers.insert(piece.customer.clone());
    }
    Ok(customers.into_iter().map(|code| (reference::Kind::Customer, code)).collect())
}
