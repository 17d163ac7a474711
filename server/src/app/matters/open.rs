//! A matter is taken in.

use std::sync::Arc;

use linewatch_shared::matter::{Matter, MatterEvent, MatterFact, MatterStep, Opening, fold};
use linewatch_shared::rules::{Class, MatterKind, Pack};
use linewatch_shared::sla::{Ledger, PackVersion};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{Changed, finish, invalid, settle};
use crate::app::desk::report::check_time;
use crate::app::desk::{Desk, DeskError};
use crate::app::packs::{in_force, packs_in_force_from};
use crate::app::{derived_id, equipment};
use crate::db::Tx;
use crate::store::customers::{self, Owners};
use crate::store::lines;
use crate::store::matters::{self, StoredMatterFact};

/// A matter to take in.
#[derive(Clone, Debug)]
pub struct NewMatter {
    /// Its id, made beforehand so that a second try is the same matter.
    pub id: Uuid,
    /// What it is. An empty owner is the customer's account manager.
    pub opening: Opening,
    /// The pack of its class, where one was named.
    pub pack: Option<String>,
    /// When it was asked for.
    pub opened_at: UnixMs,
    /// Who took it in.
    pub by: String,
}

/// Takes a matter in. A complaint about a complaint that is not closed yet is its repeat, and is told to that one too.
///
/// # Errors
/// When the customer, class, line or owner is not known: nothing is changed then.
pub fn open(desk: &Desk, tx: &mut Tx<'_>, new: &NewMatter, now: UnixMs) -> Result<Matter, DeskError> {
    check_time("opened_at", new.opened_at, now)?;
    let mut opening = new.opening.clone();
    let owners = customers::owners(tx, &opening.customer)?.ok_or_else(|| {
        invalid("customer", format!("there is no customer called \"{}\"", opening.customer))
    })?;
    if let Some(line) = &opening.line
        && lines::one(tx, line)?.is_none_or(|known| known.customer != opening.customer)
    {
        let reason = format!("customer {} has no line called \"{line}\"", opening.customer);
        return Err(invalid("line", reason));
    }
    if let Some(id) = opening.equipment {
        let site = opening.site.take();
        let piece = equipment::must_be_at(tx, "equipment", id, &opening.customer, site.as_deref())?;
        opening.site = Some(piece.site_name);
    }
    give_owner(&mut opening, &owners)?;
    let versions = desk.packs.versions(tx)?;
    let pack = pack_of(&versions, &opening, new.pack.as_deref(), &owners, new.opened_at)?;
    let opened = begin(tx, &versions, &pack, new, opening, now)?;
    let mut changed = vec![opened];
    changed.extend(tell_repeated(tx, &versions, new, &changed[0].matter, now)?);
    finish(desk, tx, &changed, now)?;
    Ok(changed.swap_remove(0).matter)
}

/// Writes the opening down and finds the matter; for those who have checked it.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    pack: &str,
    new: &NewMatter,
    opening: Opening,
    now: UnixMs,
) -> Result<Changed, DeskError> {
    let event = MatterEvent::Opened(Box::new(opening));
    let fact = MatterFact { id: new.id, occurred_at: new.opened_at, event };
    let pack = in_force(versions, pack, new.opened_at)
        .ok_or_else(|| invalid("pack", format!("there is no pack called \"{pack}\"")))?;
    let matter = fold(vec![fact.clone()], pack).map_err(|reason| invalid("class", reason))?;
    let matter = matter.ok_or(DeskError::NoMatter(new.id))?;
    let stored = StoredMatterFact { fact, matter: new.id, recorded_at: now, by: new.by.clone() };
    matters::insert_fact(tx, &stored)?;
    Ok(settle(tx, matter, Ledger::default(), now)?.by(&stored, None))
}

/// Nothing is ever without an owner.
pub(super) fn give_owner(opening: &mut Opening, owners: &Owners) -> Result<(), DeskError> {
    if opening.owner.is_empty() {
        let reason = format!("customer {} has no account manager: name who answers for it", opening.customer);
        opening.owner = owners.manager.clone().ok_or_else(|| invalid("owner", reason))?;
    }
    Ok(())
}

/// The pack that knows the class: the one that was named, the customer's own, or the only other one that does.
fn pack_of(
    versions: &[PackVersion],
    opening: &Opening,
    named: Option<&str>,
    owners: &Owners,
    at: UnixMs,
) -> Result<String, DeskError> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    let packs = packs_in_force_from(versions, &owners.pack, at);
    let knows = |pack: &&&Arc<Pack>| {
        let is_it = |class: &Class| class.matter == opening.kind && class.name == opening.class;
        pack.is_for(&opening.customer, &owners.pack) && pack.classes.iter().any(is_it)
    };
    let knowing: Vec<&str> = packs.iter().filter(knows).map(|pack| pack.name.as_str()).collect();
    match knowing.as_slice() {
        [own, ..] if *own == owners.pack => Ok(owners.pack.clone()),
        [one] => Ok((*one).to_owned()),
        [] => Err(invalid("class", unknown_class(&packs, opening))),
        several => {
            let reason = format!(
                "several packs know the class \"{}\": {}; name one",
                opening.class,
                several.join(", ")
            );
            Err(invalid("pack", reason))
        }
    }
}

fn unknown_class(packs: &[&Arc<Pack>], opening: &Opening) -> String {
    let known: Vec<String> = packs
        .iter()
        .flat_map(|pack| pack.classes.iter())
        .filter(|class| class.matter == opening.kind)
        .map(|class| class.name.clone())
        .collect();
    let kind = opening.kind.name();
    if known.is_empty() {
        return format!("no pack in force has classes of a {kind}");
    }
    format!("\"{}\" is no class of a {kind} in any pack; known: {}", opening.class, known.join(", "))
}

/// The complaint that is repeated learns of it: it counts, and may become of another class.
fn tell_repeated(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    new: &NewMatter,
    opened: &Matter,
    now: UnixMs,
) -> Result<Option<Changed>, DeskError> {
    let (MatterKind::Complaint, Some(about)) = (opened.kind, opened.about) else { return Ok(None) };
    tx.lock(&[matters::lock_key(about)])?;
    let earlier = matters::one(tx, about)?.ok_or(DeskError::NoMatter(about))?;
    if earlier.matter.customer != opened.customer {
        return Err(invalid("about", "it is another customer's"));
    }
    if earlier.matter.kind != MatterKind::Complaint || !earlier.matter.state.is_live() {
        return Ok(None);
    }
    let step = MatterStep::Repeated { complaint: opened.id };
    // Its id follows from the repeat's, so that a second try is the same fact.
    let id = derived_id(about, opened.id.as_bytes());
    let occurred_at = new.opened_at.max(earlier.matter.opened_at);
    let fact = MatterFact { id, occurred_at, event: MatterEvent::Step(step) };
    let stored = StoredMatterFact { fact, matter: about, recorded_at: now, by: new.by.clone() };
    matters::insert_fact(tx, &stored)?;
    let before = earlier.matter.clone();
    Ok(Some(super::step::refold(tx, versions, earlier, now)?.by(&stored, Some(&before))))
}
