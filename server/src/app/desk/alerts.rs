//! Effects become messages in the outbox, once each.

use linewatch_shared::facts::{Callback, StepKind};
use linewatch_shared::sla::{DeadlineKind, Effect, Event, Fault, Mark, PackVersion};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::upstream::{Causes, alert_key};
use super::{Changes, Desk};
use crate::db::{DbError, Tx};
use crate::notify::alert::{Alert, DONE_MAX, Done};
use crate::notify::{EMAIL, WEBHOOK, WEBHOOK_NAME};
use crate::store::facts::{self, StoredFact};
use crate::store::lines::{self, LineInfo};
use crate::store::outgoing::{NewMessage, insert_messages};
use crate::store::people::{self, Addressee};
use crate::store::rota;

/// Facts of a fault that are read at a time, to find what people did.
const FACTS_AT_ONCE: usize = 100;
/// Said where a customer has nobody to tell.
const NO_ADDRESS: &str = "the customer has no manager_email: import one, then send this again";

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
    let alarm = |effect: &Effect| desk.channels.tell(effect.key.mark);
    if !changes.faults.iter().any(|(_, effects)| effects.iter().any(alarm)) {
        return Ok(());
    }
    let on_duty = rota::on_duty(tx, now)?;
    let mut messages = Vec::new();
    let mut causes = Causes::default();
    for (fault, effects) in &changes.faults {
        let effects: Vec<&Effect> =
            effects.iter().filter(|effect| desk.channels.tell(effect.key.mark)).collect();
        if effects.is_empty() {
            continue;
        }
        let line = lines::one(tx, &fault.line)?.unwrap_or_default();
        let addressee = people::addressee(tx, &fault.terms.customer, now)?;
        let cause = causes.of(tx, fault, &line.upstream, versions)?;
        let done = done_so_far(tx, fault)?;
        let zone = versions
            .iter()
            .find(|version| {
                version.pack.name == fault.terms.pack && version.pack.version == fault.terms.version
            })
            .map_or_else(|| "UTC".to_owned(), |version| version.pack.time_zone.to_string());
        for effect in effects {
            let own = effect.key.to_string();
            let alert = Alert {
                key: cause.as_ref().map_or(own, |cause| alert_key(cause, &effect.key, &line.customer)),
                upstream: cause.as_ref().map(|cause| (line.upstream.clone(), cause.lines as u32)),
                manager: addressee.name.clone(),
                ..alert(desk, fault, &line, effect, done.clone(), &zone)
            };
            let text = serde_json::to_string(&alert).map_err(|error| DbError::Data(error.to_string()))?;
            messages.extend(messages_of(
                desk,
                (&addressee.email, &beside(desk, &on_duty, effect)),
                &alert,
                &text,
            ));
        }
    }
    let nobody_to_tell = messages.iter().filter(|message| message.undeliverable.is_some()).count();
    if nobody_to_tell > 0 {
        metrics::counter!("linewatch_alerts_dead_total", "channel" => EMAIL).increment(nobody_to_tell as u64);
    }
    insert_messages(tx, &messages, now)
}

/// Who is told beside the account manager: those on duty, and of a decision that a supervisor owes the supervisors.
pub(in crate::app) fn beside(desk: &Desk, on_duty: &[Addressee], effect: &Effect) -> Vec<Addressee> {
    let mut others = on_duty.to_vec();
    if effect.key.kind == DeadlineKind::Supervisor {
        let known = |email: &String| on_duty.iter().any(|person| person.email == *email);
        let fresh = desk.supervisors.iter().filter(|email| !known(email));
        others.extend(fresh.map(|email| Addressee { name: String::new(), email: email.clone() }));
    }
    others
}

/// An alert's messages: one for each channel, and by mail one for each who is on duty beside the account manager.
pub(in crate::app) fn messages_of(
    desk: &Desk,
    (address, on_duty): (&str, &[Addressee]),
    alert: &Alert,
    text: &str,
) -> Vec<NewMessage> {
    let message = |channel: &'static str, destination: &str, undeliverable| NewMessage {
        key: format!("{}/{channel}/{destination}", alert.key),
        subject: alert.fault,
        channel,
        destination: destination.to_owned(),
        alert: text.to_owned(),
        undeliverable,
    };
    let mut messages = Vec::new();
    let met_late = alert.mark == Mark::MetLate.to_string();
    if desk.channels.email && !met_late {
        messages.push(message(EMAIL, address, address.is_empty().then_some(NO_ADDRESS)));
        let others = on_duty.iter().map(|person| person.email.as_str()).filter(|email| *email != address);
        messages.extend(others.map(|email| message(EMAIL, email, None)));
    }
    if desk.channels.webhook && !met_late {
        messages.push(message(WEBHOOK, WEBHOOK_NAME, None));
    }
    for way in desk.channels.ways.iter().filter(|way| way.takes(alert)) {
        messages.extend(way.destinations.iter().map(|to| message(way.channel, to, None)));
    }
    messages
}

fn alert(desk: &Desk, fault: &Fault, line: &LineInfo, effect: &Effect, done: Vec<Done>, zone: &str) -> Alert {
    Alert {
        key: effect.key.to_string(),
        fault: fault.id,
        line: fault.line.clone(),
        site: line.site.clone(),
        customer: line.customer.clone(),
        customer_name: line.customer_name.clone(),
        tier: fault.terms.tier.name.clone(),
        tier_label: fault.terms.tier.label.clone(),
        kind: effect.key.kind.name().to_owned(),
        mark: effect.key.mark.to_string(),
        at: effect.at,
        late: effect.late,
        due_at: effect.due_at,
        started_at: fault.started_at,
        state: fault.state.name().to_owned(),
        reported: fault.reported_at.is_some(),
        done,
        manager: line.manager.clone(),
        time_zone: zone.to_owned(),
        link: format!("{}/#/faults/{}", desk.link_base, fault.id),
        matter: None,
        upstream: None,
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
