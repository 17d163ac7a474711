//! A fault with its whole story: facts in order, promises with their earlier verdicts.

use std::collections::HashMap;

use linewatch_shared::facts::{Callback, Reopening, Step, StepKind};
use linewatch_shared::sla::{Deadline, Event, Fault, FaultState, PackVersion, Pause, deadlines};
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::site_access::{self, SiteAccess};
use super::upstream::{CauseView, Causes};
use super::view::{self, FaultView, Lens};
use super::{Desk, DeskError};
use crate::app::alerting::{self, view::AlertView};
use crate::app::diagnoses::{self, DiagnosisView};
use crate::db::{DbError, Tx};
use crate::store::facts::{self, StoredFact};
use crate::store::faults;

/// A fact that was written down more than this after it happened was learnt late (ms).
const LATE_MS: i64 = MINUTE_MS;
/// The tolerance where the fault's pack is not at hand any more (ms).
const CLOCK_TOLERANCE_MS: i64 = 2 * MINUTE_MS;

/// One fact of a fault's story.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FactView {
    /// The fact's id.
    pub id: String,
    /// `down`, `degraded`, `up`, `unknown`, `reported`, `suspected`, `cleared`, or a step's kind.
    pub kind: String,
    /// When it happened.
    pub occurred_at: String,
    /// When the server wrote it down.
    pub recorded_at: String,
    /// Who wrote it.
    pub by: String,
    /// Whether it was learnt more than a minute after it happened.
    pub late: bool,
    /// By how much a device's clock was corrected, in milliseconds.
    pub corrected_ms: i64,
    /// Whether that correction is a guess.
    pub uncertain: bool,
    /// Whether that correction is larger than the pack tolerates: the device's clock was wrong.
    pub clock_wrong: bool,
    /// The time as the device stamped it; none for what was written at the server or typed by a person.
    pub device_at: Option<String>,
    /// Why it had no effect, where it had none.
    pub misfit: Option<String>,
    /// What the kind adds: `channel`, `reached`, `reason`, …
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
}

/// A verdict that once was.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct VerdictView {
    /// `open`, `met`, `missed` or `cancelled`.
    pub verdict: String,
    /// The moment that it speaks of.
    pub at: String,
    /// When it was learnt.
    pub learnt_at: String,
}

/// One promise with its history.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeadlineView {
    /// `restoration`, `feedback`, `repair`, `callback` or `supervisor`.
    pub kind: String,
    /// Which one of its kind.
    pub period: String,
    /// Since when.
    pub started_at: String,
    /// By when.
    pub due_at: String,
    /// `running`, `paused`, `met`, `missed` or `cancelled`.
    pub state: String,
    /// What is left, in milliseconds; negative when overdue.
    pub remaining_ms: i64,
    /// When it was kept, in time or late.
    pub met_at: Option<String>,
    /// When it was missed.
    pub missed_at: Option<String>,
    /// The warning marks.
    pub warn_at: Vec<String>,
    /// Earlier verdicts, oldest first.
    pub history: Vec<VerdictView>,
}

/// A fault with its story.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FaultDetail {
    /// The fault.
    #[serde(flatten)]
    pub fault: FaultView,
    /// Its facts, in the order in which they happened.
    pub facts: Vec<FactView>,
    /// Its promises.
    pub deadlines: Vec<DeadlineView>,
    /// How long service was out so far, in milliseconds, pauses included.
    pub gross_ms: i64,
    /// How long restoration took so far as it is held against its limit, in milliseconds: without the pauses.
    pub net_ms: i64,
    /// The pauses, oldest first.
    pub pauses: Vec<PauseView>,
    /// Why promises in working time have no due time: the calendar does not reach as far as they would.
    pub not_counted: Option<String>,
    /// When its site lets us in, where the site says so and somebody may have to get in.
    pub site_access: Option<SiteAccess>,
    /// The cause that it has in common with other faults of its node.
    pub cause: Option<CauseView>,
    /// What devices found out about the line for it, the newest first.
    pub diagnoses: Vec<DiagnosisView>,
    /// Its alerts, oldest first: who was told, and who has taken it.
    pub alerts: Vec<AlertView>,
}

/// A pause of the restoration and repair clocks.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PauseView {
    /// Since when.
    pub from: String,
    /// Until when at the latest, or when it was ended.
    pub until: String,
    /// One of the pack's causes.
    pub cause: String,
    /// What shows it.
    pub evidence: String,
    /// Who allowed it.
    pub grantor: String,
}

fn pauses(fault: &Fault) -> Vec<PauseView> {
    let view = |pause: &Pause| PauseView {
        from: pause.span.from.to_rfc3339(),
        until: pause.span.to.unwrap_or(pause.span.from).to_rfc3339(),
        cause: pause.cause.clone(),
        evidence: pause.evidence.clone(),
        grantor: pause.grantor.clone(),
    };
    fault.pauses.iter().map(view).collect()
}

/// Reads a fault by its id or any alias.
///
/// # Errors
/// When there is no such fault.
pub fn read(desk: &Desk, tx: &mut Tx<'_>, id: Uuid, now: UnixMs) -> Result<FaultDetail, DeskError> {
    let (fault, _) = faults::resolve(tx, id)?.ok_or(DeskError::NoFault(id))?;
    let state = faults::one(tx, fault)?.ok_or(DeskError::NoFault(id))?;
    let versions = desk.packs.versions(tx)?;
    let lens = Lens { now, versions: &versions };
    let view = view::one(tx, &lens, &state)?;
    let facts = story(tx, &state, tolerance_ms(&versions, &state))?;
    let deadlines = deadlines(&state.fault, now).iter().map(|d| deadline(&lens, &state, d)).collect();
    let fault = &state.fault;
    let (gross_ms, net_ms, pauses) = (fault.gross_ms(now), fault.net_ms(now), pauses(fault));
    let node = view.upstream.clone().unwrap_or_default();
    let cause = Causes::default().of(tx, fault, &node, &versions)?.map(|cause| CauseView::of(&cause, &node));
    let place = (view.customer.as_str(), view.site.as_str());
    let site_access = site_access::of_fault(tx, &versions, fault, place, now)?;
    let alerts = alerting::view::of_subject(tx, fault.id, false, now)?;
    let diagnoses = diagnoses::of_fault(tx, &fault.line, fault.id)?;
    Ok(FaultDetail {
        alerts,
        diagnoses,
        cause,
        site_access,
        not_counted: fault.countable.missing.clone(),
        fault: view,
        facts,
        deadlines,
        gross_ms,
        net_ms,
        pauses,
    })
}

/// By how much a device's time may be corrected before its clock counts as wrong, as the fault's pack says.
fn tolerance_ms(versions: &[PackVersion], state: &FaultState) -> i64 {
    let terms = &state.fault.terms;
    let version = versions.iter().find(|v| v.pack.name == terms.pack && v.pack.version == terms.version);
    version.map_or(CLOCK_TOLERANCE_MS, |version| version.pack.clock_tolerance_ms)
}

fn story(tx: &mut Tx<'_>, state: &FaultState, tolerance_ms: i64) -> Result<Vec<FactView>, DbError> {
    let fault = &state.fault;
    let ids: Vec<Uuid> = fault.facts.iter().map(|placed| placed.id).collect();
    let stored = facts::of_ids(tx, &ids)?;
    let by_id: HashMap<Uuid, &StoredFact> = stored.iter().map(|stored| (stored.fact.id, stored)).collect();
    let mut story: Vec<(&StoredFact, Option<String>)> = fault
        .facts
        .iter()
        .filter_map(|placed| Some((*by_id.get(&placed.id)?, placed.misfit.clone())))
        .collect();
    story.sort_by_key(|(stored, _)| stored.fact.fold_order());
    Ok(story.into_iter().map(|(stored, misfit)| fact(stored, misfit, tolerance_ms)).collect())
}

fn fact(stored: &StoredFact, misfit: Option<String>, tolerance_ms: i64) -> FactView {
    let fields = match fields(stored) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    FactView {
        id: stored.fact.id.to_string(),
        kind: stored.fact.event.name().to_owned(),
        occurred_at: stored.fact.occurred_at.to_rfc3339(),
        recorded_at: stored.recorded_at.to_rfc3339(),
        by: stored.by.clone(),
        late: stored.recorded_at.since(stored.fact.occurred_at) > LATE_MS,
        corrected_ms: stored.corrected_ms,
        uncertain: stored.uncertain,
        clock_wrong: stored.corrected_ms.abs() > tolerance_ms,
        device_at: stored
            .stamp
            .as_ref()
            .filter(|stamp| stamp.mono.is_some())
            .map(|stamp| stamp.wall.to_rfc3339()),
        misfit,
        fields,
    }
}

fn fields(stored: &StoredFact) -> Value {
    match &stored.fact.event {
        Event::Evidence { agent, .. } => {
            let evidence: Value =
                stored.detail.as_deref().and_then(|d| serde_json::from_str(d).ok()).unwrap_or_default();
            json!({ "agent": agent, "evidence": evidence })
        }
        Event::Report { channel, reporter, description } => {
            json!({ "channel": channel.name(), "reporter": reporter, "description": description })
        }
        Event::Suspected | Event::Cleared => json!({}),
        Event::Step(step) => step_fields(step),
    }
}

fn step_fields(step: &Step) -> Value {
    let mut fields = match &step.kind {
        StepKind::Acknowledged
        | StepKind::Dispatched
        | StepKind::Arrived
        | StepKind::Restored
        | StepKind::Repaired
        | StepKind::Resumed => json!({}),
        StepKind::Feedback { reached } => json!({ "reached": reached }),
        StepKind::Callback(Callback::NotReached) => json!({ "reached": false }),
        StepKind::Callback(Callback::Satisfied) => json!({ "reached": true, "result": "satisfied" }),
        StepKind::Callback(Callback::Unsatisfied) => json!({ "reached": true, "result": "unsatisfied" }),
        StepKind::Callback(Callback::StillDown) => {
            json!({ "reached": true, "result": "unsatisfied", "service": "down" })
        }
        StepKind::Reopened { reason, case } => {
            let case = match case {
                Reopening::NeverCameBack => "never_came_back",
                Reopening::FailedAgain => "failed_again",
            };
            json!({ "reason": reason, "case": case })
        }
        StepKind::Paused { cause, reason, until, evidence, grantor } => json!({
            "cause": cause, "reason": reason, "until": until.to_rfc3339(), "evidence": evidence, "grantor": grantor,
        }),
        StepKind::Exempted { cause, grantor } => json!({ "cause": cause, "grantor": grantor }),
        StepKind::ClosedUnconfirmed { reason, by } => json!({ "reason": reason, "supervisor": by }),
        StepKind::Merged { into } => json!({ "into": into }),
        StepKind::Split { reports } => json!({ "reports": reports }),
        StepKind::Rerated { tier, version, reason, grantor } => {
            json!({ "tier": tier, "pack_version": version, "reason": reason, "grantor": grantor })
        }
        StepKind::Note { text } => json!({ "text": text }),
    };
    if let (Some(note), Some(fields)) = (&step.note, fields.as_object_mut()) {
        fields.insert("note".to_owned(), json!(note));
    }
    fields
}

fn deadline(lens: &Lens<'_>, state: &FaultState, deadline: &Deadline) -> DeadlineView {
    let promise = lens.promise(deadline);
    let entry = state.ledger.entry(deadline.kind, deadline.period);
    let history =
        entry.map(|entry| entry.history.as_slice()).unwrap_or_default().iter().map(|past| VerdictView {
            verdict: past.verdict.name().to_owned(),
            at: past.at.to_rfc3339(),
            learnt_at: past.learnt_at.to_rfc3339(),
        });
    DeadlineView {
        kind: deadline.kind.name().to_owned(),
        period: deadline.period.to_string(),
        started_at: deadline.started_at.to_rfc3339(),
        due_at: promise.due_at,
        missed_at: (promise.state == "missed").then(|| deadline.due_at.to_rfc3339()),
        state: promise.state,
        remaining_ms: promise.remaining_ms,
        met_at: deadline.status(lens.now).met_at().map(UnixMs::to_rfc3339),
        warn_at: deadline.marks.iter().map(|(_, at)| at.to_rfc3339()).collect(),
        history: history.collect(),
    }
}
