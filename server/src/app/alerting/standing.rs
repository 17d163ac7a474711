//! What an alert is about, as it stands now: whether the promise is settled, whether somebody has done something since,
//! and what would be said of it.

use linewatch_shared::facts::StepKind;
use linewatch_shared::matter::{self, MatterEvent, MatterStep};
use linewatch_shared::rules::Pack;
use linewatch_shared::sla::{DeadlineKind, Event, FaultState, PackVersion, Status, deadlines};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{About, Said};
use crate::app::desk::Desk;
use crate::app::desk::alerts::{Scene, about as of_fault};
use crate::app::desk::upstream::Causes;
use crate::app::matters::alerts::{about as of_matter, as_it_stands, cause_name};
use crate::app::packs::in_force;
use crate::db::{DbError, Tx};
use crate::notify::alert::Alert;
use crate::store::alerts::StoredAlert;
use crate::store::{allowances, facts, faults, matters};

/// Facts of a fault that are read at a time.
const FACTS_AT_ONCE: usize = 100;

/// A fault or matter.
#[derive(Debug)]
pub(super) enum Subject {
    /// A fault; also under another id, where it became part of another one.
    Fault(Box<FaultState>),
    /// A matter.
    Matter(Box<matter::Standing>),
}

impl Subject {
    /// Reads it; none where it is gone.
    pub(super) fn read(tx: &mut Tx<'_>, id: Uuid, is_matter: bool) -> Result<Option<Self>, DbError> {
        if is_matter {
            return Ok(matters::one(tx, id)?.map(|found| Self::Matter(Box::new(found))));
        }
        let Some((fault, _)) = faults::resolve(tx, id)? else { return Ok(None) };
        Ok(faults::one(tx, fault)?.map(|found| Self::Fault(Box::new(found))))
    }

    /// Where the promise stands that an alert is of; none where it is promised no more.
    pub(super) fn status(
        &self,
        tx: &mut Tx<'_>,
        alert: &StoredAlert,
        now: UnixMs,
    ) -> Result<Option<Status>, DbError> {
        if matches!(kind_of(&alert.kind), DeadlineKind::Interruption | DeadlineKind::Availability) {
            return of_allowance(tx, alert, now);
        }
        let (kind, period) = (alert.kind.as_str(), alert.period.as_str());
        let owed = match self {
            Self::Fault(state) => deadlines(&state.fault, now),
            Self::Matter(standing) => matter::deadlines(&standing.matter, now),
        };
        let mut owed = owed.iter();
        Ok(owed
            .find(|one| one.kind.name() == kind && one.period.to_string() == period)
            .map(|one| one.status(now)))
    }

    /// Who first did something about it since a moment, and when: it is in somebody's hands then.
    pub(super) fn handled(
        &self,
        tx: &mut Tx<'_>,
        since: UnixMs,
    ) -> Result<Option<(String, UnixMs)>, DbError> {
        match self {
            Self::Matter(standing) => {
                let found = matters::facts(tx, standing.matter.id)?;
                let counts = |event: &MatterEvent| matches!(event, MatterEvent::Step(step) if !matches!(step, MatterStep::Repeated { .. }));
                let mut found = found.into_iter();
                let first =
                    found.find(|stored| stored.fact.occurred_at >= since && counts(&stored.fact.event));
                Ok(first.map(|stored| (stored.by, stored.fact.occurred_at)))
            }
            Self::Fault(state) => {
                let mut first: Option<(String, UnixMs)> = None;
                let fitting = state.fault.facts.iter().filter(|placed| placed.misfit.is_none());
                let newest_first: Vec<Uuid> = fitting.map(|placed| placed.id).rev().collect();
                for ids in newest_first.chunks(FACTS_AT_ONCE) {
                    let stored = facts::of_ids(tx, ids)?;
                    let goes_on = stored.iter().all(|stored| stored.fact.occurred_at >= since);
                    for stored in stored {
                        let at = stored.fact.occurred_at;
                        let earlier = first.as_ref().is_none_or(|(_, known)| at < *known);
                        if at >= since && earlier && is_by_hand(&stored.fact.event) {
                            first = Some((stored.by, at));
                        }
                    }
                    if !goes_on {
                        break;
                    }
                }
                Ok(first)
            }
        }
    }
}

/// Where a line's allowance stands: its id begins the alert's key.
fn of_allowance(tx: &mut Tx<'_>, alert: &StoredAlert, now: UnixMs) -> Result<Option<Status>, DbError> {
    let id = alert.key.split('/').next().and_then(|id| id.parse().ok());
    let found = allowances::standing(tx, id.unwrap_or_default())?;
    let Some((state, due_at, at_end)) = found else { return Ok(None) };
    Ok(Some(match state.as_str() {
        "running" if now <= due_at => Status::Running,
        "running" | "met" if at_end => Status::Met { met_at: due_at },
        _ => Status::Missed { met_at: None },
    }))
}

/// A step somebody took; a change of the terms is not work on the fault.
const fn is_by_hand(event: &Event) -> bool {
    matches!(event, Event::Step(step) if !matches!(step.kind, StepKind::Rerated { .. } | StepKind::Exempted { .. }))
}

/// An alert's subject with what is said of it now.
#[derive(Debug)]
pub(super) struct Now {
    /// The fault or matter.
    pub(super) subject: Subject,
    /// The alert, for nobody yet.
    pub(super) alert: Alert,
    versions: Vec<PackVersion>,
    cause: String,
}

impl Now {
    /// Draws it.
    pub(super) fn of(
        desk: &Desk,
        tx: &mut Tx<'_>,
        stored: &StoredAlert,
        subject: Subject,
    ) -> Result<Self, DbError> {
        let versions = desk.packs.versions(tx)?;
        let said = Said {
            key: stored.key.clone(),
            kind: stored.kind.clone(),
            mark: stored.mark.clone(),
            at: stored.at,
            late: stored.late,
            due_at: stored.due_at,
        };
        let (alert, cause) = match &subject {
            Subject::Fault(state) => {
                let scene = Scene::of(tx, &mut Causes::default(), &state.fault, &versions)?;
                (scene.alert(desk, &state.fault, said), scene.cause_name(&state.fault))
            }
            Subject::Matter(standing) => {
                let alert = as_it_stands(desk, tx, &versions, &standing.matter, said)?;
                (alert, cause_name(&standing.matter))
            }
        };
        Ok(Self { subject, alert, versions, cause })
    }

    /// What decides who is told.
    pub(super) fn about(&self, now: UnixMs) -> About<'_> {
        let pack = |name: &str| -> Option<&Pack> { in_force(&self.versions, name, now).map(AsRef::as_ref) };
        match &self.subject {
            Subject::Fault(state) => of_fault(&state.fault, pack(&state.fault.terms.pack), &self.cause),
            Subject::Matter(standing) => {
                of_matter(&standing.matter, pack(&standing.matter.pack.0), &self.cause)
            }
        }
    }
}

/// The kind of that name.
pub(super) fn kind_of(name: &str) -> DeadlineKind {
    DeadlineKind::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or(DeadlineKind::Restoration)
}
