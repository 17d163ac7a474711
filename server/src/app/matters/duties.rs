//! Duties that come round: who is owed visits and patrols, and the rounds that follow each other.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::matter::{Opening, period};
use linewatch_shared::rules::{Cadence, Every, MatterKind, Pack};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::{DAY_MS, UnixMs};
use uuid::Uuid;

use super::acceptance::{open_fresh, promises_moved};
use super::open::{NewMatter, begin};
use super::{Changed, equipment_rounds, finish, invalid};
use crate::app::derived_id;
use crate::app::desk::{Desk, DeskError};
use crate::app::packs::{in_force, packs_in_force};
use crate::app::service;
use crate::db::{DbError, Tx};
use crate::store::duties::{self, Duty, DutyCustomer};
use crate::store::scope::Scope;
use crate::store::{customers, equipment, matters};

/// The most rounds that one transaction begins, and customers that it looks at.
pub const PER_TRANSACTION_MAX: i64 = 200;
/// How far back a duty may begin (ms): every round since then is begun, and missed.
const SINCE_BACK_MAX_MS: i64 = 366 * DAY_MS;
/// Who writes what the rules alone demand.
const BY_RULE: &str = "rule";

/// A duty's id follows from what it is of: a site, a piece of equipment, or the customer as a whole.
pub(super) fn duty_id(pack: &str, cadence: &str, customer: &str, of: &str) -> Uuid {
    let name = serde_json::json!([pack, cadence, customer, of]).to_string();
    derived_id(Uuid::nil(), name.as_bytes())
}

/// Sees to it that each of the next customers is owed the visits of its tier. Answers the last customer's code while
/// there are more.
///
/// # Errors
/// The database's.
pub fn assign(desk: &Desk, tx: &mut Tx<'_>, after: &str, now: UnixMs) -> Result<Option<String>, DbError> {
    let versions = desk.packs.versions(tx)?;
    let customers = duties::customers(tx, after, PER_TRANSACTION_MAX)?;
    let mut changed = Vec::new();
    for customer in &customers {
        assign_to(tx, &versions, customer, now)?;
        changed.extend(open_fresh(tx, &versions, customer, now)?);
    }
    for opened in &changed {
        promises_moved(desk, tx, None, &opened.matter, now)?;
    }
    finish(desk, tx, &changed, now)?;
    let more = customers.len() as i64 >= PER_TRANSACTION_MAX;
    Ok(customers.last().filter(|_| more).map(|last| last.code.clone()))
}

/// Sees to it that a customer is owed the visits of its tier and the rounds of its equipment, and no others of these.
///
/// # Errors
/// The database's.
pub(in crate::app) fn assign_to(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    customer: &DutyCustomer,
    now: UnixMs,
) -> Result<(), DbError> {
    let mut wanted = owed_visits(versions, customer, now);
    wanted.extend(equipment_rounds::owed(tx, versions, customer, now)?);
    let wanted: BTreeMap<Uuid, Duty> = wanted.into_iter().map(|duty| (duty.id, duty)).collect();
    let mut running = BTreeSet::new();
    let mut after = None;
    loop {
        let page = duties::list(tx, (&Scope::Everything, &customer.code), after, PER_TRANSACTION_MAX)?;
        for duty in page.iter().filter(|duty| duty.ended_at.is_none()) {
            let comes_of_rules =
                duty.kind == MatterKind::Visit || duty.equipment.is_some() || !customer.is_served;
            if comes_of_rules && !wanted.contains_key(&duty.id) {
                duties::end(tx, duty.id, now)?;
            }
            running.insert(duty.id);
        }
        after = page.last().map(|duty| duty.id);
        if (page.len() as i64) < PER_TRANSACTION_MAX {
            break;
        }
    }
    let fresh: Vec<Duty> = wanted.into_values().filter(|duty| !running.contains(&duty.id)).collect();
    duties::insert(tx, &fresh)?;
    Ok(())
}

/// The visits that a customer is owed: by every cadence that is for its tier, in every pack that is for it.
fn owed_visits(versions: &[PackVersion], customer: &DutyCustomer, now: UnixMs) -> Vec<Duty> {
    let mut owed = Vec::new();
    if !customer.is_served {
        return owed;
    }
    for pack in packs_in_force(versions, now) {
        let named = pack.cadences.iter().filter(|cadence| {
            cadence.matter == MatterKind::Visit
                && cadence.acceptance.is_none()
                && cadence.is_for_tier(&customer.tier)
                && pack.is_for(&customer.code, &customer.pack)
        });
        owed.extend(named.map(|cadence| Duty {
            id: duty_id(&pack.name, &cadence.name, &customer.code, ""),
            kind: MatterKind::Visit,
            pack: pack.name.clone(),
            cadence: cadence.name.clone(),
            customer: customer.code.clone(),
            site: String::new(),
            equipment: None,
            since: now,
            next_round: Some(now),
            ended_at: None,
        }));
    }
    owed
}

/// A duty that somebody gives: patrols of a site.
#[derive(Clone, Debug)]
pub struct NewDuty {
    /// The pack's name.
    pub pack: String,
    /// The cadence's name in it.
    pub cadence: String,
    /// The customer's code.
    pub customer: String,
    /// The site; empty for the customer as a whole.
    pub site: String,
    /// From when on.
    pub since: UnixMs,
}

/// Gives a duty; one that is there already stays as it is.
///
/// # Errors
/// When the customer, pack or cadence is not known.
pub fn give(desk: &Desk, tx: &mut Tx<'_>, new: &NewDuty, now: UnixMs) -> Result<Duty, DeskError> {
    if now.since(new.since) > SINCE_BACK_MAX_MS {
        return Err(invalid("since", "lies more than a year back"));
    }
    let unknown =
        |field, what: &str, name: &str| invalid(field, format!("there is no {what} called \"{name}\""));
    if customers::owners(tx, &new.customer)?.is_none() {
        return Err(unknown("customer", "customer", &new.customer));
    }
    service::refuse_ended(tx, &new.customer, now)?;
    let versions = desk.packs.versions(tx)?;
    let pack = in_force(&versions, &new.pack, now).ok_or_else(|| unknown("pack", "pack", &new.pack))?;
    let cadence = cadence(pack, &new.cadence).ok_or_else(|| {
        let comes_round = pack.cadences.iter().filter(|cadence| cadence.acceptance.is_none());
        let names: Vec<&str> = comes_round.map(|cadence| cadence.name.as_str()).collect();
        invalid(
            "cadence",
            format!("pack {} has no cadence \"{}\"; it knows: {}", pack.name, new.cadence, names.join(", ")),
        )
    })?;
    if !cadence.equipment.is_empty() {
        let reason = "comes of the equipment ledger: write the pieces down at /sites/{id}/equipment";
        return Err(invalid("cadence", reason));
    }
    let duty = Duty {
        id: duty_id(&pack.name, &cadence.name, &new.customer, &new.site),
        kind: cadence.matter,
        pack: pack.name.clone(),
        cadence: cadence.name.clone(),
        customer: new.customer.clone(),
        site: new.site.clone(),
        equipment: None,
        since: new.since,
        next_round: Some(new.since),
        ended_at: None,
    };
    duties::insert(tx, std::slice::from_ref(&duty))?;
    // The loop that begins rounds sleeps on this.
    tx.notify("reference")?;
    duties::one(tx, duty.id)?.ok_or(DeskError::NoDuty(duty.id))
}

fn cadence<'a>(pack: &'a Pack, name: &str) -> Option<&'a Cadence> {
    pack.cadences.iter().find(|cadence| cadence.name == name && cadence.acceptance.is_none())
}

/// Begins the rounds whose time has come; answers how many.
///
/// # Errors
/// The database's.
pub fn begin_rounds(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<usize, DbError> {
    let due = duties::due(tx, now, PER_TRANSACTION_MAX)?;
    if due.is_empty() {
        return Ok(0);
    }
    let versions = desk.packs.versions(tx)?;
    let mut changed = Vec::new();
    for duty in &due {
        let from = duty.next_round.unwrap_or(now);
        changed.extend(begin_round(tx, &versions, duty, from, now)?);
    }
    finish(desk, tx, &changed, now)?;
    Ok(due.len())
}

/// Begins one round: of a calendar's rhythm the next is known at once, of a span it begins when this one is made.
pub(super) fn begin_round(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    duty: &Duty,
    from: UnixMs,
    now: UnixMs,
) -> Result<Option<Changed>, DbError> {
    let pack = in_force(versions, &duty.pack, from);
    let Some((pack, cadence)) = pack.and_then(|pack| Some((pack, cadence(pack, &duty.cadence)?))) else {
        tracing::warn!(
            pack = duty.pack,
            cadence = duty.cadence,
            "a duty's cadence is in its pack no more: it ends"
        );
        duties::end(tx, duty.id, now)?;
        return Ok(None);
    };
    let piece = match duty.equipment {
        Some(id) => equipment::one(tx, id)?,
        None => None,
    };
    let (begins, due_at) = match &piece {
        Some(piece) => equipment_rounds::term(piece, cadence.every, from, pack.time_zone),
        None => period(cadence.every, from, pack.time_zone),
    };
    let is_span = matches!(cadence.every, Every::Span(_));
    duties::set_next(tx, duty.id, (!is_span).then_some(due_at + 1))?;
    let id = derived_id(duty.id, &begins.0.to_be_bytes());
    if matters::one(tx, id)?.is_some() {
        return Ok(None);
    }
    let owners = customers::owners(tx, &duty.customer)?.unwrap_or_default();
    let owner = owners.manager.unwrap_or_default();
    let opening = Opening {
        kind: duty.kind,
        class: duty.cadence.clone(),
        customer: duty.customer.clone(),
        line: None,
        site: (!duty.site.is_empty()).then(|| duty.site.clone()),
        title: match piece {
            Some(piece) => format!("{} {}", piece.site_name, piece.label),
            None if duty.site.is_empty() => owners.name,
            None => duty.site.clone(),
        },
        description: String::new(),
        reporter: String::new(),
        owner: owner.clone(),
        first_receiver: owner,
        unit: None,
        wanted_by: Some(due_at),
        about: None,
        equipment: duty.equipment,
    };
    let new = NewMatter { id, opening: opening.clone(), pack: None, opened_at: from, by: BY_RULE.to_owned() };
    let begun = begin(tx, versions, &duty.pack, &new, opening, now);
    let begun = begun.map_err(|error| DbError::Data(error.to_string()))?;
    duties::insert_round(tx, id, duty.id)?;
    Ok(Some(begun))
}

/// Duties of a customer, or of all, in the order of their ids.
///
/// # Errors
/// The database's.
pub fn list(
    tx: &mut Tx<'_>,
    of: (&Scope, &str),
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Duty>, DbError> {
    duties::list(tx, of, after, limit)
}
