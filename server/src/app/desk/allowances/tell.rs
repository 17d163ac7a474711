//! What is told of allowances: alerts into the outbox, events to the boards. An alert is of the fault that used of the
//! allowance last: a ladder ends when somebody sees to that one.

use linewatch_shared::sla::{Effect, PackVersion};
use linewatch_shared::time::UnixMs;
use serde_json::json;

use super::Told;
use crate::app::alerting::{Said, Teller, is_told};
use crate::app::desk::alerts::{Scene, about};
use crate::app::desk::upstream::Causes;
use crate::app::desk::{Channels, Desk};
use crate::app::packs::in_force;
use crate::db::{DbError, Tx};
use crate::store::faults;
use crate::store::outgoing::{EventKind, NewEvent, append_events as append};

/// Puts the alerts of a round into the outbox.
///
/// # Errors
/// The database's.
pub(super) fn send(
    desk: &Desk,
    tx: &mut Tx<'_>,
    told: &[Told],
    versions: &[PackVersion],
    now: UnixMs,
) -> Result<(), DbError> {
    if desk.channels == Channels::default() {
        return Ok(());
    }
    let (mut teller, mut causes) = (Teller::new(desk, now), Causes::default());
    for one in told.iter().filter(|one| !one.effects.is_empty()) {
        let Some(fault) = one.fault else { continue };
        let Some(fault) = faults::one(tx, fault)?.map(|state| state.fault) else { continue };
        let pack = in_force(versions, &fault.terms.pack, now).map(AsRef::as_ref);
        let told = |effect: &&Effect| is_told(desk, pack, effect, &one.of.tier);
        let effects: Vec<&Effect> = one.effects.iter().filter(told).collect();
        if effects.is_empty() {
            continue;
        }
        let scene = Scene::of(tx, &mut causes, &fault, versions)?;
        let cause = scene.cause_name(&fault);
        for effect in effects {
            let alert = scene.alert(desk, &fault, Said::of(effect));
            teller.tell(tx, &about(&fault, pack, &cause), effect, &alert)?;
        }
    }
    teller.finish(tx)
}

/// Tells the boards.
///
/// # Errors
/// The database's.
pub(super) fn append_events(tx: &mut Tx<'_>, told: &[Told], now: UnixMs) -> Result<(), DbError> {
    let mut events = Vec::new();
    for one in told {
        events.extend(one.effects.iter().map(|effect| event(one, effect)));
    }
    append(tx, &events, now)
}

fn event(told: &Told, effect: &Effect) -> NewEvent {
    let body = json!({
        "fault": told.fault,
        "line": told.of.line,
        "kind": effect.key.kind.name(),
        "mark": effect.key.mark.to_string(),
        "at": effect.at.to_rfc3339(),
        "due_at": effect.due_at.to_rfc3339(),
        "late": effect.late,
    });
    NewEvent { kind: EventKind::Deadline, subject: told.fault, body: body.to_string() }
}
