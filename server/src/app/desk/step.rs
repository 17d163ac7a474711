//! A step of a fault: judged as of its own time among the facts known; an impossible one changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::facts::{Step, StepKind};
use linewatch_shared::rules::Cause;
use linewatch_shared::sla::{Event, Fault};
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use serde_json::json;
use uuid::Uuid;

use super::report::{check_time, written_here};
use super::{Desk, DeskError, Touched};
use crate::app::{Action, audit};
use crate::db::Tx;
use crate::store::{facts, faults};

/// A step set back by more than this is written into the audit trail (ms).
const SET_BACK_AUDITED_MS: i64 = MINUTE_MS;
/// What the audit trail calls a step that changes what a fault counts for.
pub(super) const GRANTED: Action = Action::StepGranted;

/// A step to take.
#[derive(Clone, Debug)]
pub struct NewStep {
    /// Its id, made beforehand so that a second try is the same step.
    pub id: Uuid,
    /// The fault's id or an alias, and what was done.
    pub step: Step,
    /// When it was done.
    pub occurred_at: UnixMs,
    /// Who did it.
    pub by: String,
}

/// Takes a step; answers the fault's id, which an earlier fact may have changed.
///
/// # Errors
/// When there is no such fault, or the step does not fit: nothing is changed then.
pub fn step(desk: &Desk, tx: &mut Tx<'_>, new: &NewStep, now: UnixMs) -> Result<Uuid, DeskError> {
    check_time("occurred_at", new.occurred_at, now)?;
    let (_, line) = faults::resolve(tx, new.step.fault)?.ok_or(DeskError::NoFault(new.step.fault))?;
    tx.lock(&[faults::lock_key(&line)])?;
    // Read again: while this waited for the line, the fault may have become part of another.
    let (fault, line) = faults::resolve(tx, new.step.fault)?.ok_or(DeskError::NoFault(new.step.fault))?;
    let before = faults::one(tx, fault)?.ok_or(DeskError::NoFault(fault))?.fault;
    check_cause(desk, tx, &before, &new.step.kind)?;
    let named = named(tx, &new.step, &line)?;
    let event = Event::Step(new.step.clone());
    facts::insert(tx, &[written_here(new.id, new.occurred_at, &line, event, &new.by, now)])?;
    let touched = Touched { named, ..Touched::at(new.occurred_at) };
    desk.settle(tx, &BTreeMap::from([(line, touched)]), now)?;
    let (after, _) = faults::resolve(tx, fault)?.ok_or(DeskError::NoFault(fault))?;
    let folded = faults::one(tx, after)?.ok_or(DeskError::NoFault(after))?.fault;
    refuse_misfit(&before, &folded, new)?;
    write_audit(tx, new, after, now)?;
    Ok(after)
}

/// The faults that the step names. A fault is of one line; so are two that are merged.
fn named(tx: &mut Tx<'_>, step: &Step, line: &str) -> Result<BTreeSet<Uuid>, DeskError> {
    let mut named = BTreeSet::new();
    for id in step.faults() {
        let (fault, of_line) = faults::resolve(tx, id)?.ok_or(DeskError::NoFault(id))?;
        if of_line != line {
            let reason = format!("fault {id} is of line {of_line}; only faults of line {line} can be merged");
            return Err(DeskError::Invalid { field: "into", reason });
        }
        named.insert(fault);
    }
    Ok(named)
}

fn refuse_misfit(before: &Fault, folded: &Fault, new: &NewStep) -> Result<(), DeskError> {
    let placed = folded.facts.iter().find(|placed| placed.id == new.id);
    let detail = match placed {
        Some(placed) => match &placed.misfit {
            Some(misfit) => misfit.clone(),
            None => return Ok(()),
        },
        None => format!(
            "\"{}\" is dated {}, before the fault's start at {}",
            new.step.kind.name(),
            new.occurred_at.to_rfc3339(),
            folded.started_at.to_rfc3339()
        ),
    };
    let possible = before.possible(new.occurred_at);
    let detail = format!("{detail}; possible now: {}", possible.join(", "));
    Err(DeskError::Impossible { detail, possible })
}

/// A cause that the pack does not list is a mistake of the caller's, with the list in the answer.
fn check_cause(desk: &Desk, tx: &mut Tx<'_>, fault: &Fault, kind: &StepKind) -> Result<(), DeskError> {
    let (given, is_pause) = match kind {
        StepKind::Paused { cause, .. } => (cause, true),
        StepKind::Exempted { cause, .. } => (cause, false),
        _ => return Ok(()),
    };
    let versions = desk.packs.versions(tx)?;
    let terms = &fault.terms;
    let version = versions.iter().find(|v| v.pack.name == terms.pack && v.pack.version == terms.version);
    let Some(pack) = version.map(|version| &version.pack) else { return Ok(()) };
    let causes: &[Cause] = if is_pause { &pack.pause_causes } else { &pack.exempt_causes };
    if causes.iter().any(|cause| cause.name == *given) {
        return Ok(());
    }
    let names: Vec<&str> = causes.iter().map(|cause| cause.name.as_str()).collect();
    let reason = format!("\"{given}\" is not a cause in pack {}; it knows: {}", pack.name, names.join(", "));
    Err(DeskError::Invalid { field: "cause", reason })
}

fn write_audit(tx: &mut Tx<'_>, new: &NewStep, fault: Uuid, now: UnixMs) -> Result<(), DeskError> {
    let set_back = now.since(new.occurred_at) > SET_BACK_AUDITED_MS;
    if !set_back && !new.step.kind.is_granted() {
        return Ok(());
    }
    let action = if set_back { Action::StepSetBack } else { GRANTED };
    Ok(audit(
        tx,
        now.0,
        &new.by,
        action,
        &fault.to_string(),
        Some(&audited(new.id, &new.step, new.occurred_at)),
    )?)
}

/// What the audit trail keeps of a step.
pub(super) fn audited(id: Uuid, step: &Step, occurred_at: UnixMs) -> serde_json::Value {
    json!({ "fact": id, "kind": step.kind.name(), "occurred_at": occurred_at.to_rfc3339() })
}
