//! What changed about matters goes out: alerts into the outbox, events to the boards.

use linewatch_shared::matter::Matter;
use linewatch_shared::rules::{Label, Pack};
use linewatch_shared::sla::{Effect, PackVersion};
use linewatch_shared::time::UnixMs;
use serde_json::json;

use super::Changed;
use crate::app::desk::alerts::{beside, messages_of};
use crate::app::desk::{Channels, Desk};
use crate::db::{DbError, Tx};
use crate::notify::alert::{Alert, AlertMatter, DONE_MAX, Done};
use crate::store::customers::{self, Owners};
use crate::store::outgoing::{EventKind, NewEvent, append_events as append, insert_messages};
use crate::store::{matters, people, rota};

/// Puts the alerts of a transaction into the outbox.
///
/// # Errors
/// The database's.
pub(super) fn send(desk: &Desk, tx: &mut Tx<'_>, changed: &[Changed], now: UnixMs) -> Result<(), DbError> {
    if desk.channels == Channels::default() {
        return Ok(());
    }
    let on_duty = rota::on_duty(tx, now)?;
    let mut messages = Vec::new();
    for Changed { matter, effects, .. } in changed {
        let effects: Vec<&Effect> =
            effects.iter().filter(|effect| desk.channels.tell(effect.key.mark)).collect();
        if effects.is_empty() {
            continue;
        }
        let versions = desk.packs.versions(tx)?;
        let owners = customers::owners(tx, &matter.customer)?.unwrap_or_default();
        let addressee = people::addressee(tx, &matter.customer, now)?;
        let done = done_so_far(tx, matter)?;
        for effect in effects {
            let mut alert = alert(desk, &versions, matter, &owners, Said::of(effect), done.clone());
            alert.manager.clone_from(&addressee.name);
            let text = serde_json::to_string(&alert).map_err(|error| DbError::Data(error.to_string()))?;
            messages.extend(messages_of(
                desk,
                (&addressee.email, &beside(desk, &on_duty, effect)),
                &alert,
                &text,
            ));
        }
    }
    insert_messages(tx, &messages, now)
}

/// What is said of a matter.
pub(super) struct Said {
    /// Under which it is said once.
    pub key: String,
    /// What is owed, or what was done.
    pub kind: &'static str,
    /// `missed`, `changed`, …
    pub mark: String,
    /// The moment that it speaks of.
    pub at: UnixMs,
    /// Whether that is so long ago that it must not sound like news.
    pub late: bool,
    /// When it is due.
    pub due_at: UnixMs,
}

impl Said {
    fn of(effect: &Effect) -> Self {
        Self {
            key: effect.key.to_string(),
            kind: effect.key.kind.name(),
            mark: effect.key.mark.to_string(),
            at: effect.at,
            late: effect.late,
            due_at: effect.due_at,
        }
    }
}

pub(super) fn alert(
    desk: &Desk,
    versions: &[PackVersion],
    matter: &Matter,
    owners: &Owners,
    said: Said,
    done: Vec<Done>,
) -> Alert {
    let version = versions.iter().find(|v| v.pack.name == matter.pack.0 && v.pack.version == matter.pack.1);
    let pack = version.map(|version| version.pack.as_ref());
    Alert {
        key: said.key,
        fault: matter.id,
        line: matter.line.clone().unwrap_or_default(),
        site: matter.site.clone().unwrap_or_default(),
        customer: matter.customer.clone(),
        customer_name: owners.name.clone(),
        tier: matter.class.clone(),
        tier_label: pack.and_then(|pack| label(pack, matter)).unwrap_or_else(|| plain(&matter.class)),
        kind: said.kind.to_owned(),
        mark: said.mark,
        at: said.at,
        late: said.late,
        due_at: said.due_at,
        started_at: matter.opened_at,
        state: matter.state.name().to_owned(),
        reported: true,
        done,
        manager: String::new(),
        time_zone: pack.map_or_else(|| "UTC".to_owned(), |pack| pack.time_zone.to_string()),
        link: format!("{}/#/matters/{}", desk.link_base, matter.id),
        upstream: None,
        matter: Some(AlertMatter { kind: matter.kind.name().to_owned(), title: matter.title.clone() }),
    }
}

fn plain(name: &str) -> Label {
    Label { zh: name.to_owned(), en: name.to_owned() }
}

/// The class' name for people.
pub(super) fn label(pack: &Pack, matter: &Matter) -> Option<Label> {
    let class = pack.classes.iter().find(|class| class.matter == matter.kind && class.name == matter.class);
    let cadence = || pack.cadences.iter().find(|cadence| cadence.name == matter.class);
    class.map(|class| class.label.clone()).or_else(|| cadence().map(|cadence| cadence.label.clone()))
}

/// What people did about a matter, in order, the newest [`DONE_MAX`].
pub(super) fn done_so_far(tx: &mut Tx<'_>, matter: &Matter) -> Result<Vec<Done>, DbError> {
    let stored = matters::facts(tx, matter.id)?;
    let skip = stored.len().saturating_sub(DONE_MAX);
    let done = stored.into_iter().skip(skip).map(|stored| Done {
        at: stored.fact.occurred_at,
        kind: stored.fact.event.name().to_owned(),
        by: stored.by,
        text: String::new(),
    });
    Ok(done.collect())
}

/// Tells the boards.
///
/// # Errors
/// The database's.
pub(super) fn append_events(tx: &mut Tx<'_>, changed: &[Changed], now: UnixMs) -> Result<(), DbError> {
    let mut events = Vec::new();
    for Changed { matter, effects, .. } in changed {
        events.extend(effects.iter().map(|effect| deadline_event(matter, effect)));
    }
    append(tx, &events, now)
}

fn deadline_event(matter: &Matter, effect: &Effect) -> NewEvent {
    let body = json!({
        "matter": matter.id,
        "customer": matter.customer,
        "kind": effect.key.kind.name(),
        "mark": effect.key.mark.to_string(),
        "at": effect.at.to_rfc3339(),
        "due_at": effect.due_at.to_rfc3339(),
        "late": effect.late,
    });
    NewEvent { kind: EventKind::Deadline, subject: Some(matter.id), body: body.to_string() }
}
