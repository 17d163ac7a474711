//! A step of a matter: judged as of its own time among the facts known; an impossible one changes nothing.

use linewatch_shared::matter::{Matter, MatterEvent, MatterFact, MatterStep, Standing, fold};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use serde_json::json;
use uuid::Uuid;

use super::acceptance::promises_moved;
use super::after::after_round;
use super::{Changed, finish, settle};
use crate::app::desk::report::check_time;
use crate::app::desk::{Desk, DeskError};
use crate::app::{Action, audit};
use crate::app::{conflicts, equipment, sites};
use crate::db::{DbError, Tx};
use crate::store::matters::{self, StoredMatterFact};

/// A step set back by more than this is written into the audit trail (ms).
const SET_BACK_AUDITED_MS: i64 = MINUTE_MS;

/// A step to take.
#[derive(Clone, Debug)]
pub struct NewMatterStep {
    /// Its id, made beforehand so that a second try is the same step.
    pub id: Uuid,
    /// The matter.
    pub matter: Uuid,
    /// What was done.
    pub step: MatterStep,
    /// What was promised to the customer on a round: what, and by when.
    pub promises: Vec<(String, UnixMs)>,
    /// When it was done.
    pub occurred_at: UnixMs,
    /// Who did it.
    pub by: String,
}

/// Takes a step.
///
/// # Errors
/// When there is no such matter, or the step does not fit: nothing is changed then.
pub fn step(desk: &Desk, tx: &mut Tx<'_>, new: &NewMatterStep, now: UnixMs) -> Result<Matter, DeskError> {
    check_time("occurred_at", new.occurred_at, now)?;
    tx.lock(&[matters::lock_key(new.matter)])?;
    let before = matters::one(tx, new.matter)?.ok_or(DeskError::NoMatter(new.matter))?;
    let possible = before.matter.possible(new.occurred_at);
    if let (MatterStep::Planned { at, agreed_by: None }, Some(site)) = (&new.step, &before.matter.site) {
        sites::must_be_open(desk, tx, (&before.matter.customer, site), *at, now)?;
    }
    if let MatterStep::Made { points, .. } = &new.step {
        let Matter { customer, site, .. } = &before.matter;
        equipment::check_points(tx, points, customer, site.as_deref())?;
    }
    let event = MatterEvent::Step(new.step.clone());
    let fact = MatterFact { id: new.id, occurred_at: new.occurred_at, event };
    let stored = StoredMatterFact { fact, matter: new.matter, recorded_at: now, by: new.by.clone() };
    matters::insert_fact(tx, &stored)?;
    let versions = desk.packs.versions(tx)?;
    let was = before.matter.clone();
    let mut changed = vec![refold(tx, &versions, before, now)?.by(&stored, Some(&was))];
    if let Some(misfit) = changed[0].matter.misfit(new.id) {
        let detail = format!("{misfit}; possible now: {}", possible.join(", "));
        return Err(DeskError::Impossible { detail, possible });
    }
    changed.extend(after_round(tx, &versions, new, &changed[0].matter, now)?);
    write_audit(tx, new, now)?;
    promises_moved(desk, tx, Some(&was), &changed[0].matter, now)?;
    finish(desk, tx, &changed, now)?;
    Ok(changed.swap_remove(0).matter)
}

/// Finds the matter again from all its facts. The caller holds its lock.
pub(super) fn refold(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    before: Standing,
    now: UnixMs,
) -> Result<Changed, DbError> {
    let Standing { matter, ledger } = before;
    let (name, version) = &matter.pack;
    let of_matter = |known: &&PackVersion| known.pack.name == *name && known.pack.version == *version;
    let pack = versions.iter().find(of_matter).map(|known| &known.pack);
    let pack =
        pack.ok_or_else(|| DbError::Data(format!("pack {name} {version} of a matter is not stored")))?;
    let stored = matters::facts(tx, matter.id)?;
    let facts = stored.iter().map(|stored| stored.fact.clone()).collect();
    let found = fold(facts, pack).map_err(DbError::Data)?;
    let found = found.ok_or_else(|| DbError::Data(format!("matter {} has no opening fact", matter.id)))?;
    conflicts::after_refold(tx, &found, &stored)?;
    settle(tx, found, ledger, now)
}

fn write_audit(tx: &mut Tx<'_>, new: &NewMatterStep, now: UnixMs) -> Result<(), DbError> {
    let set_back = now.since(new.occurred_at) > SET_BACK_AUDITED_MS;
    let granted = match &new.step {
        MatterStep::Exempted { .. }
        | MatterStep::Paused { .. }
        | MatterStep::ClosedUnconfirmed { .. }
        | MatterStep::PermitGranted(_) => true,
        MatterStep::Postponed { supervisor, .. } | MatterStep::Reclassed { supervisor, .. } => {
            supervisor.is_some()
        }
        _ => false,
    };
    if !set_back && !granted {
        return Ok(());
    }
    let detail =
        json!({ "fact": new.id, "kind": new.step.name(), "occurred_at": new.occurred_at.to_rfc3339() });
    let action = if set_back { Action::StepSetBack } else { Action::StepGranted };
    audit(tx, now.0, &new.by, action, &new.matter.to_string(), Some(&detail))
}
