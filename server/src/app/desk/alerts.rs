//! Effects become messages in the outbox, once each.

use linewatch_shared::facts::{Callback, StepKind};
use linewatch_shared::rules::Pack;
use linewatch_shared::sla::{Effect, Event, Fault, Mark, PackVersion, Parent};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::upstream::{Causes, alert_key};
use super::{Changes, Desk};
use crate::app::alerting::{About, Said, Teller, is_told};
use crate::app::packs::in_force;
use crate::db::{DbError, Tx};
use crate::notify::alert::{Alert, DONE_MAX, Done, Telling};
use crate::store::facts::{self, StoredFact};
use crate::store::lines::{self, LineInfo};

/// Facts of a fault that are read at a time, to find what people did.
const FACTS_AT_ONCE: usize = 100;

/// Whether an effect is told to the account manager. That a late promise was met after all is on the
/// board; it alarms nobody.
pub(in crate::app) const fn alarms(mark: Mark) -> bool {
    matches!(mark, Mark::Warning(_) | Mark::Missed | Mark::Corrected)
}

/// Puts the alerts of a transaction into the outbox.
///
/// # Errors
/// The database's.
pub fn send(
    desk: &Desk,
    tx: &mut Tx<'_>,
    changes: &Changes,
    versions: &[PackVersion],
    now: UnixMs,
) -> Result<(), DbError> {
    if desk.channels == super::Channels::default() {
        return Ok(());
    }
    let (mut teller, mut causes) = (Teller::new(desk, now), Causes::default());
    for (fault, effects) in &changes.faults {
        let pack = in_force(versions, &fault.terms.pack, now);
        let told = |effect: &&Effect| is_told(desk, pack.map(AsRef::as_ref), effect, &fault.terms.tier.name);
        let effects: Vec<&Effect> = effects.iter().filter(told).collect();
        if effects.is_empty() {
            continue;
        }
        let scene = Scene::of(tx, &mut causes, fault, versions)?;
        let cause = scene.cause_name(fault);
        for effect in effects {
            let own = Said::of(effect);
            let key = scene.cause.as_ref().map(|cause| alert_key(cause, &effect.key, &scene.line.customer));
            let alert = scene.alert(desk, fault, Said { key: key.unwrap_or_else(|| own.key.clone()), ..own });
            teller.tell(tx, &about(fault, pack.map(AsRef::as_ref), &cause), effect, &alert)?;
        }
    }
    teller.finish(tx)
}

/// What decides who is told of a fault.
pub(in crate::app) fn about<'a>(fault: &'a Fault, pack: Option<&'a Pack>, cause: &'a str) -> About<'a> {
    let terms = &fault.terms;
    let (customer, tier) = (terms.customer.as_str(), terms.tier.name.as_str());
    About { pack, subject: fault.id, of_matter: false, customer, owner: "", cause, tier }
}

/// What an alert says of a fault beside the promise.
pub(in crate::app) struct Scene {
    line: LineInfo,
    cause: Option<Parent>,
    done: Vec<Done>,
    zone: String,
}

impl Scene {
    /// Reads it.
    pub(in crate::app) fn of(
        tx: &mut Tx<'_>,
        causes: &mut Causes,
        fault: &Fault,
        versions: &[PackVersion],
    ) -> Result<Self, DbError> {
        let line = lines::one(tx, &fault.line)?.unwrap_or_default();
        let cause = causes.of(tx, fault, &line.upstream, versions)?;
        let own = versions.iter().find(|version| {
            version.pack.name == fault.terms.pack && version.pack.version == fault.terms.version
        });
        let zone = own.map_or_else(|| "UTC".to_owned(), |version| version.pack.time_zone.to_string());
        Ok(Self { line, cause, done: done_so_far(tx, fault)?, zone })
    }

    /// What the fault may have in common with others.
    pub(in crate::app) fn cause_name(&self, fault: &Fault) -> String {
        match &self.cause {
            Some(_) => format!("upstream/{}", self.line.upstream),
            None => format!("customer/{}", fault.terms.customer),
        }
    }

    /// The alert, for nobody yet.
    pub(in crate::app) fn alert(&self, desk: &Desk, fault: &Fault, said: Said) -> Alert {
        let line = &self.line;
        Alert {
            key: said.key,
            fault: fault.id,
            line: fault.line.clone(),
            site: line.site.clone(),
            customer: line.customer.clone(),
            customer_name: line.customer_name.clone(),
            tier: fault.terms.tier.name.clone(),
            tier_label: fault.terms.tier.label.clone(),
            kind: said.kind,
            mark: said.mark,
            at: said.at,
            late: said.late,
            due_at: said.due_at,
            started_at: fault.started_at,
            state: fault.state.name().to_owned(),
            reported: fault.reported_at.is_some(),
            done: self.done.clone(),
            manager: line.manager.clone(),
            time_zone: self.zone.clone(),
            link: format!("{}/#/faults/{}", desk.link_base, fault.id),
            matter: None,
            upstream: self.cause.as_ref().map(|cause| (line.upstream.clone(), cause.lines as u32)),
            telling: Telling::default(),
        }
    }
}

/// What people did about a fault, in order, the newest [`DONE_MAX`]. A fault's facts are in order: they are read from
/// the newest on, until there are enough.
fn done_so_far(tx: &mut Tx<'_>, fault: &Fault) -> Result<Vec<Done>, DbError> {
    let fitting = fault.facts.iter().filter(|placed| placed.misfit.is_none());
    let newest_first: Vec<Uuid> = fitting.map(|placed| placed.id).rev().collect();
    let mut by_people: Vec<StoredFact> = Vec::new();
    for ids in newest_first.chunks(FACTS_AT_ONCE) {
        let mut stored = facts::of_ids(tx, ids)?;
        stored.retain(|stored| matches!(stored.fact.event, Event::Step(_) | Event::Report { .. }));
        by_people.extend(stored);
        if by_people.len() >= DONE_MAX {
            break;
        }
    }
    by_people.sort_by_key(|stored| stored.fact.fold_order());
    let newest = by_people.len().saturating_sub(DONE_MAX);
    Ok(by_people[newest..].iter().map(done).collect())
}

fn done(stored: &StoredFact) -> Done {
    let (kind, text) = match &stored.fact.event {
        Event::Report { description, .. } => ("reported", description.clone()),
        Event::Step(step) => {
            let (kind, own) = worded(&step.kind);
            let note = step.note.clone().unwrap_or_default();
            (kind, if own.is_empty() { note } else { own })
        }
        other => (other.name(), String::new()),
    };
    Done { at: stored.fact.occurred_at, kind: kind.to_owned(), by: stored.by.clone(), text }
}

/// The step's name, told apart by its outcome, and its own words.
fn worded(kind: &StepKind) -> (&'static str, String) {
    match kind {
        StepKind::Feedback { reached: false } => ("feedback_not_reached", String::new()),
        StepKind::Callback(Callback::NotReached) => ("callback_not_reached", String::new()),
        StepKind::Callback(Callback::Satisfied) => ("callback_satisfied", String::new()),
        StepKind::Callback(Callback::Unsatisfied | Callback::StillDown) => {
            ("callback_unsatisfied", String::new())
        }
        StepKind::Reopened { reason, .. }
        | StepKind::Paused { reason, .. }
        | StepKind::ClosedUnconfirmed { reason, .. } => (kind.name(), reason.clone()),
        StepKind::Note { text } => (kind.name(), text.clone()),
        other => (other.name(), String::new()),
    }
}
