//! What changed about matters goes out: alerts into the outbox, events to the boards.

use linewatch_shared::matter::Matter;
use linewatch_shared::rules::{Label, Pack};
use linewatch_shared::sla::{Effect, PackVersion};
use linewatch_shared::time::UnixMs;
use serde_json::json;

use super::Changed;
use crate::app::alerting::{About, Said, Teller, is_told};
use crate::app::desk::{Channels, Desk};
use crate::app::packs::in_force;
use crate::db::{DbError, Tx};
use crate::notify::alert::{Alert, AlertMatter, DONE_MAX, Done, Telling};
use crate::store::customers::{self, Owners};
use crate::store::matters;
use crate::store::outgoing::{EventKind, NewEvent, append_events as append};

/// Puts the alerts of a transaction into the outbox.
///
/// # Errors
/// The database's.
pub(super) fn send(desk: &Desk, tx: &mut Tx<'_>, changed: &[Changed], now: UnixMs) -> Result<(), DbError> {
    if desk.channels == Channels::default() {
        return Ok(());
    }
    let mut teller = Teller::new(desk, now);
    let mut versions = None;
    for Changed { matter, effects, .. } in changed.iter().filter(|changed| !changed.effects.is_empty()) {
        let versions = match &versions {
            Some(known) => known,
            None => versions.insert(desk.packs.versions(tx)?),
        };
        let pack = in_force(versions, &matter.pack.0, now).map(AsRef::as_ref);
        let effects: Vec<&Effect> =
            effects.iter().filter(|effect| is_told(desk, pack, effect, &matter.class)).collect();
        if effects.is_empty() {
            continue;
        }
        let owners = customers::owners(tx, &matter.customer)?.unwrap_or_default();
        let (done, cause) = (done_so_far(tx, matter)?, cause_name(matter));
        for effect in effects {
            let alert = alert(desk, versions, matter, &owners, Said::of(effect), done.clone());
            teller.tell(tx, &about(matter, pack, &cause), effect, &alert)?;
        }
    }
    teller.finish(tx)
}

/// What decides who is told of a matter.
pub(in crate::app) fn about<'a>(matter: &'a Matter, pack: Option<&'a Pack>, cause: &'a str) -> About<'a> {
    About {
        pack,
        subject: matter.id,
        of_matter: true,
        customer: &matter.customer,
        owner: &matter.owner,
        cause,
        tier: &matter.class,
    }
}

/// What it may have in common with others.
pub(in crate::app) fn cause_name(matter: &Matter) -> String {
    format!("customer/{}", matter.customer)
}

/// The alert of a matter as it stands, for nobody yet.
pub(in crate::app) fn as_it_stands(
    desk: &Desk,
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    matter: &Matter,
    said: Said,
) -> Result<Alert, DbError> {
    let owners = customers::owners(tx, &matter.customer)?.unwrap_or_default();
    let done = done_so_far(tx, matter)?;
    Ok(alert(desk, versions, matter, &owners, said, done))
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
        kind: said.kind,
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
        telling: Telling::default(),
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
