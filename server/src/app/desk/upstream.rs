//! Faults of lines that hang on one node: one cause, told once; its customers told together.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::facts::{Step, StepKind};
use linewatch_shared::sla::{DeadlineKind, Event, Fault, FaultState, PackVersion, Parent, Peer, parents};
use linewatch_shared::time::{HOUR_MS, UnixMs};
use serde::Serialize;
use uuid::Uuid;

use super::report::{check_time, written_here};
use super::view::{FaultView, Lens, one};
use super::{Desk, DeskError, Touched};
use crate::db::{DbError, Tx};
use crate::store::facts;
use crate::store::faults;
use crate::store::lines;

/// How far around a fault's start others of the same cause are looked for (ms); longer than any chain is taken for.
const SPAN_MS: i64 = HOUR_MS;
/// The most faults of a node that are looked at together.
pub const CHILDREN_MAX: usize = 500;

/// Where the fault's pack is not at hand any more: how close together, and how many lines.
const WITHIN_DEFAULT: (i64, u32) = (300_000, 2);

/// The causes of faults, read once for a node and an hour.
#[derive(Debug, Default)]
pub struct Causes {
    known: BTreeMap<(String, i64), Vec<Peer>>,
}

impl Causes {
    /// The cause that the fault has in common with others of its node.
    ///
    /// # Errors
    /// The database's.
    pub fn of(
        &mut self,
        tx: &mut Tx<'_>,
        fault: &Fault,
        node: &str,
        versions: &[PackVersion],
    ) -> Result<Option<Parent>, DbError> {
        if node.is_empty() || Peer::of(fault).is_none() {
            return Ok(None);
        }
        let hour = fault.started_at.0.div_euclid(SPAN_MS);
        let key = (node.to_owned(), hour);
        if !self.known.contains_key(&key) {
            let (from, to) = (UnixMs((hour - 1) * SPAN_MS), UnixMs((hour + 2) * SPAN_MS));
            let states = faults::of_upstream(tx, node, from, to, CHILDREN_MAX as i64)?;
            let peers = states.iter().filter_map(|state| Peer::of(&state.fault)).collect();
            self.known.insert(key.clone(), peers);
        }
        let peers = self.known.get(&key).cloned().unwrap_or_default();
        let (within_ms, at_least) = limits(fault, versions);
        let mut all = parents(peers, within_ms, at_least).into_iter();
        Ok(all.find(|parent| parent.children.contains(&fault.id)))
    }
}

fn limits(fault: &Fault, versions: &[PackVersion]) -> (i64, u32) {
    let terms = &fault.terms;
    let version = versions.iter().find(|v| v.pack.name == terms.pack && v.pack.version == terms.version);
    version
        .map_or(WITHIN_DEFAULT, |version| (version.pack.upstream_within_ms, version.pack.upstream_at_least))
}

/// The key under which an alert of a child goes: one cause speaks once to each manager, and of each customer's
/// feedback once.
#[must_use]
pub fn alert_key(parent: &Parent, key: &linewatch_shared::sla::EffectKey, customer: &str) -> String {
    let of_parent = linewatch_shared::sla::EffectKey { subject: parent.id, ..*key };
    match key.kind {
        DeadlineKind::Feedback => format!("{of_parent}/{customer}"),
        _ => of_parent.to_string(),
    }
}

/// Faults of one cause.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CauseView {
    /// The first fault's id: the cause goes by it.
    pub id: String,
    /// The node.
    pub upstream: String,
    /// How many lines went down.
    pub lines: usize,
    /// The faults, the first one among them, in the order of their starts.
    pub children: Vec<String>,
}

impl CauseView {
    /// A cause's view.
    #[must_use]
    pub fn of(parent: &Parent, node: &str) -> Self {
        Self {
            id: parent.id.to_string(),
            upstream: node.to_owned(),
            lines: parent.lines,
            children: parent.children.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A node with what is wrong on its lines.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct UpstreamView {
    /// The node, as lines name it.
    pub name: String,
    /// Causes of live faults.
    pub causes: Vec<CauseView>,
    /// The live faults of its lines, the first ones.
    pub faults: Vec<FaultView>,
}

/// Live faults of a node with their causes.
fn live(
    tx: &mut Tx<'_>,
    node: &str,
    versions: &[PackVersion],
) -> Result<(Vec<FaultState>, BTreeMap<Uuid, Parent>), DeskError> {
    if !lines::has_upstream(tx, node)? {
        return Err(DeskError::NoUpstream(node.to_owned()));
    }
    let mut causes = Causes::default();
    let states = faults::live_of_upstream(tx, node, CHILDREN_MAX as i64)?;
    let mut by_fault = BTreeMap::new();
    for state in &states {
        if let Some(parent) = causes.of(tx, &state.fault, node, versions)? {
            by_fault.insert(state.fault.id, parent);
        }
    }
    Ok((states, by_fault))
}

/// Reads a node.
///
/// # Errors
/// When no line hangs on it.
pub fn read(desk: &Desk, tx: &mut Tx<'_>, node: &str, now: UnixMs) -> Result<UpstreamView, DeskError> {
    let versions = desk.packs.versions(tx)?;
    let (states, by_fault) = live(tx, node, &versions)?;
    let lens = Lens { now, versions: &versions };
    let distinct: BTreeMap<Uuid, &Parent> = by_fault.values().map(|parent| (parent.id, parent)).collect();
    let causes = distinct.values().map(|parent| CauseView::of(parent, node)).collect();
    let faults: Result<Vec<FaultView>, DbError> = states.iter().map(|state| one(tx, &lens, state)).collect();
    Ok(UpstreamView { name: node.to_owned(), causes, faults: faults? })
}

/// The same word to the customers of all faults of a node's causes.
#[derive(Clone, Debug)]
pub struct BulkFeedback {
    /// The node.
    pub node: String,
    /// One cause; all of the node's where none is named.
    pub cause: Option<Uuid>,
    /// When they were told.
    pub occurred_at: UnixMs,
    /// What they were told.
    pub note: Option<String>,
    /// Who told them.
    pub by: String,
    /// Ids of the facts, made beforehand: [`CHILDREN_MAX`] of them.
    pub ids: Vec<Uuid>,
}

/// A customer who was told, or why not.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct UpstreamTold {
    /// The fault.
    pub fault: String,
    /// Its line.
    pub line: String,
    /// Its customer.
    pub customer: String,
}

/// What became of feedback to many.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct BulkFeedbackView {
    /// Who was told.
    pub told: Vec<UpstreamTold>,
    /// Faults of the same cause that owe no feedback as of then.
    pub left_out: Vec<UpstreamTold>,
}

/// Gives the same feedback for every fault of a node's causes, in one transaction.
///
/// # Errors
/// When no line hangs on the node, or none of its faults has a common cause: nothing is changed then.
pub fn feedback(
    desk: &Desk,
    tx: &mut Tx<'_>,
    new: &BulkFeedback,
    now: UnixMs,
) -> Result<BulkFeedbackView, DeskError> {
    check_time("occurred_at", new.occurred_at, now)?;
    let versions = desk.packs.versions(tx)?;
    // Which lines are concerned is found first, and again under their locks.
    let (states, _) = live(tx, &new.node, &versions)?;
    let keys: Vec<_> = states.iter().map(|state| faults::lock_key(&state.fault.line)).collect();
    tx.lock(&keys)?;
    let (states, by_fault) = live(tx, &new.node, &versions)?;
    let of_cause = |fault: &Fault| {
        by_fault.get(&fault.id).is_some_and(|parent| new.cause.is_none_or(|cause| cause == parent.id))
    };
    let children: Vec<&Fault> = states.iter().map(|state| &state.fault).filter(|f| of_cause(f)).collect();
    if children.is_empty() {
        let detail = format!("no faults with a common cause are open on \"{}\"", new.node);
        return Err(DeskError::Impossible { detail, possible: Vec::new() });
    }
    let (owing, left_out): (Vec<&Fault>, Vec<&Fault>) =
        children.into_iter().partition(|fault| owes_feedback(fault, new.occurred_at));
    write(desk, tx, new, &owing, now)?;
    let view = |fault: &&Fault| UpstreamTold {
        fault: fault.id.to_string(),
        line: fault.line.clone(),
        customer: fault.terms.customer.clone(),
    };
    Ok(BulkFeedbackView {
        told: owing.iter().map(view).collect(),
        left_out: left_out.iter().map(view).collect(),
    })
}

/// Whether word on the fault is owed as of a moment, or at least fits.
fn owes_feedback(fault: &Fault, at: UnixMs) -> bool {
    let running = fault.feedback.iter().any(|feedback| feedback.run.ended.is_none());
    fault.started_at <= at
        && fault.possible(at).contains(&"feedback")
        && (running || fault.state.is_working())
}

fn write(
    desk: &Desk,
    tx: &mut Tx<'_>,
    new: &BulkFeedback,
    owing: &[&Fault],
    now: UnixMs,
) -> Result<(), DeskError> {
    let mut stored = Vec::with_capacity(owing.len());
    let mut touched = BTreeMap::new();
    for (fault, id) in owing.iter().zip(&new.ids) {
        let kind = StepKind::Feedback { reached: true };
        let event = Event::Step(Step { fault: fault.id, kind, note: new.note.clone() });
        stored.push(written_here(*id, new.occurred_at, &fault.line, event, &new.by, now));
        touched
            .entry(fault.line.clone())
            .or_insert_with(|| Touched::at(new.occurred_at))
            .merge(Touched { named: BTreeSet::from([fault.id]), ..Touched::at(new.occurred_at) });
    }
    facts::insert(tx, &stored)?;
    desk.settle(tx, &touched, now)?;
    Ok(())
}
