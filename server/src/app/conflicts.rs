//! What came by sync and does not fit: it is never refused, so somebody has to hear of it. A step that fits once more is
//! known is no conflict any more, unless somebody had settled it before.

use std::collections::HashMap;

use linewatch_shared::matter::Matter;
use linewatch_shared::sla::{Event, Folded, Placed};
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::desk::DeskError;
use super::{Action, audit};
use crate::db::{DbError, Tx};
use crate::store::conflicts::{self, Conflict, ConflictRow, Reasons};
use crate::store::matters::StoredMatterFact;
use crate::store::scope::Scope;
use crate::store::{facts, lines};

/// A conflict.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ConflictView {
    /// The record's id.
    pub id: Uuid,
    /// `step` (of a fault), `deed` (a step of a matter), `visit` or `opened`.
    pub kind: String,
    /// Which step, or what was opened.
    pub what: String,
    /// Who wrote it.
    pub by: String,
    /// On which agent.
    pub agent: String,
    /// When it happened.
    pub at: String,
    /// When the server got it.
    pub recorded_at: String,
    /// Why it does not fit.
    pub why: String,
    /// The fault that it is about.
    pub fault: Option<Uuid>,
    /// The matter that it is about.
    pub matter: Option<Uuid>,
    /// The line.
    pub line: Option<String>,
    /// The customer's code.
    pub customer: Option<String>,
    /// Whether somebody has looked at it.
    pub settled: bool,
    /// When.
    pub settled_at: Option<String>,
    /// Who.
    pub settled_by: Option<String>,
    /// What was noted then.
    pub note: Option<String>,
}

impl From<ConflictRow> for ConflictView {
    fn from(row: ConflictRow) -> Self {
        let settled = row.settled.is_some();
        let (settled_at, settled_by, note) = match row.settled {
            Some((at, by, note)) => (Some(at.to_rfc3339()), Some(by), Some(note)),
            None => (None, None, None),
        };
        Self {
            id: row.record,
            kind: row.kind,
            what: row.what,
            by: row.by,
            agent: row.agent,
            at: row.at.to_rfc3339(),
            recorded_at: row.recorded_at.to_rfc3339(),
            why: row.why,
            fault: row.fault,
            matter: row.matter,
            line: row.line,
            customer: row.customer,
            settled,
            settled_at,
            settled_by,
            note,
        }
    }
}

/// A conflict with its place in the list: when it was recorded, and its id.
pub type PlacedConflict = ((i64, Uuid), ConflictView);

/// A page of conflicts, the newest first.
///
/// # Errors
/// The database's.
pub fn list(
    tx: &mut Tx<'_>,
    (scope, settled): (&Scope, Option<bool>),
    before: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<PlacedConflict>, DbError> {
    let rows = conflicts::list(tx, (scope, settled), before.map(|(at, id)| (UnixMs(at), id)), limit)?;
    Ok(rows.into_iter().map(|row| ((row.recorded_at.0, row.record), row.into())).collect())
}

/// Somebody has looked at it.
///
/// # Errors
/// When there is no such conflict.
pub fn settle(
    tx: &mut Tx<'_>,
    id: Uuid,
    note: &str,
    by: &str,
    now: UnixMs,
) -> Result<ConflictView, DeskError> {
    let found = conflicts::one(tx, id)?.ok_or(DeskError::NoConflict(id))?;
    conflicts::settle(tx, id, note, by, now)?;
    // Without the note, which may name people: the trail outlives an erasure.
    let detail = json!({ "kind": found.kind, "fault": found.fault, "matter": found.matter });
    audit(tx, now.0, by, Action::ConflictSettled, &id.to_string(), Some(&detail))?;
    let row = conflicts::one(tx, id)?.ok_or(DeskError::NoConflict(id))?;
    Ok(row.into())
}

/// After a line's faults were found: keeps which steps of agents have no effect, where these were known to have none.
///
/// # Errors
/// The database's.
pub(in crate::app) fn after_fold(
    tx: &mut Tx<'_>,
    line: &str,
    folded: &Folded,
    known: &Reasons,
) -> Result<(), DbError> {
    let of_faults = folded.faults.iter().flat_map(|fault| fault.facts.iter().map(move |p| (p, Some(fault))));
    let placed = of_faults.chain(folded.loose.iter().map(|placed| (placed, None)));
    for (Placed { id, misfit }, fault) in placed {
        match misfit {
            None if known.contains_key(id) => conflicts::clear(tx, *id)?,
            Some(why) if known.get(id) != Some(why) => {
                let Some(mut new) = step(tx, line, *id, why)? else { continue };
                new.fault = fault.map(|fault| fault.id).or(new.fault);
                conflicts::put(tx, &new)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The conflict that an agent's step is; none for what people wrote here, or for what is no step.
fn step(tx: &mut Tx<'_>, line: &str, id: Uuid, why: &str) -> Result<Option<Conflict>, DbError> {
    let Some(stored) = facts::of_ids(tx, &[id])?.pop() else { return Ok(None) };
    let (Some(stamp), Event::Step(step)) = (stored.stamp, &stored.fact.event) else { return Ok(None) };
    Ok(Some(Conflict {
        record: id,
        kind: "step",
        what: step.kind.name().to_owned(),
        agent: stamp.agent,
        by: stored.by,
        at: stored.fact.occurred_at,
        recorded_at: stored.recorded_at,
        why: why.to_owned(),
        fault: Some(step.fault),
        matter: None,
        line: Some(line.to_owned()),
        customer: lines::one(tx, line)?.map(|line| line.customer),
    }))
}

/// After a matter was found: keeps which steps of agents have no effect.
///
/// # Errors
/// The database's.
pub(in crate::app) fn after_refold(
    tx: &mut Tx<'_>,
    matter: &Matter,
    stored: &[StoredMatterFact],
) -> Result<(), DbError> {
    let known: Reasons = conflicts::deeds_of_matter(tx, matter.id)?.into_iter().collect();
    let is_new = |Placed { id, misfit }: &Placed| misfit.is_some() && known.get(id) != misfit.as_ref();
    // Reports of visits that do not fit are no deeds, and may be many: whose deeds there are is asked once.
    let senders = if matter.facts.iter().any(is_new) {
        conflicts::senders_of_deeds(tx, matter.id)?.into_iter().collect()
    } else {
        HashMap::new()
    };
    for Placed { id, misfit } in &matter.facts {
        match misfit {
            None if known.contains_key(id) => conflicts::clear(tx, *id)?,
            Some(why) if known.get(id) != Some(why) => {
                let Some(agent) = senders.get(id).copied() else { continue };
                let Some(stored) = stored.iter().find(|stored| stored.fact.id == *id) else { continue };
                let new = Conflict {
                    record: *id,
                    kind: "deed",
                    what: stored.fact.event.name().to_owned(),
                    agent,
                    by: stored.by.clone(),
                    at: stored.fact.occurred_at,
                    recorded_at: stored.recorded_at,
                    why: why.clone(),
                    fault: None,
                    matter: Some(matter.id),
                    line: matter.line.clone(),
                    customer: Some(matter.customer.clone()),
                };
                conflicts::put(tx, &new)?;
            }
            _ => {}
        }
    }
    Ok(())
}
