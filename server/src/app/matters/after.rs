//! What follows a round that was made: defects, promises, the next round.

use linewatch_shared::matter::{Matter, MatterStep, Opening, Point};
use linewatch_shared::rules::{Class, MatterKind, Pack};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::duties::begin_round;
use super::open::{NewMatter, begin};
use super::step::NewMatterStep;
use super::{Changed, invalid};
use crate::app::derived_id;
use crate::app::desk::DeskError;
use crate::app::packs::packs_in_force_from;
use crate::db::Tx;
use crate::store::{duties, equipment};

/// What follows a round that was made: the next one, a defect for each point that was found wrong, and what was
/// promised.
pub(super) fn after_round(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    new: &NewMatterStep,
    round: &Matter,
    now: UnixMs,
) -> Result<Vec<Changed>, DeskError> {
    let MatterStep::Made { points, .. } = &new.step else { return Ok(Vec::new()) };
    let mut changed = Vec::new();
    for (n, point) in points.iter().enumerate().filter(|(_, point)| !point.ok) {
        let defect = Followed {
            n,
            kind: MatterKind::Defect,
            class: point.class.as_deref(),
            title: title_of(tx, round, point)?,
            equipment: point.equipment.or(round.equipment),
            description: &point.note,
            wanted_by: None,
        };
        changed.extend(follow(tx, versions, new, round, defect, now)?);
    }
    for (n, (title, until)) in new.promises.iter().enumerate() {
        if *until <= new.occurred_at {
            return Err(invalid("promises", format!("\"{title}\" is promised for a time that has passed")));
        }
        let (kind, title, wanted_by) = (MatterKind::Promise, title.clone(), Some(*until));
        let (class, equipment, description) = (None, None, "");
        let promise = Followed { n, kind, class, title, equipment, description, wanted_by };
        let promised = follow(tx, versions, new, round, promise, now)?;
        let reason = "no pack in force has a class of promises";
        changed.push(promised.ok_or_else(|| invalid("promises", reason))?);
    }
    if let Some(duty) =
        duties::of_round(tx, round.id)?.filter(|duty| duty.next_round.is_none() && duty.ended_at.is_none())
    {
        changed.extend(begin_round(tx, versions, &duty, new.occurred_at, now)?);
    }
    Ok(changed)
}

/// The point, on what was found wrong: the piece that it names, else what the round is of.
fn title_of(tx: &mut Tx<'_>, round: &Matter, point: &Point) -> Result<String, DeskError> {
    let named = match point.equipment.filter(|id| Some(*id) != round.equipment) {
        Some(id) => equipment::one(tx, id)?,
        None => None,
    };
    let of =
        named.map_or_else(|| round.title.clone(), |piece| format!("{} {}", piece.site_name, piece.label));
    Ok(format!("{of}: {}", point.name))
}

/// What comes of a round.
struct Followed<'a> {
    /// Its place among its like.
    n: usize,
    kind: MatterKind,
    /// The class that was named.
    class: Option<&'a str>,
    title: String,
    equipment: Option<Uuid>,
    description: &'a str,
    wanted_by: Option<UnixMs>,
}

impl Followed<'_> {
    /// The class that was named, else the mildest: the one with the longest time for the work.
    fn class_in<'p>(&self, pack: &'p Pack) -> Option<&'p Class> {
        let of_kind = pack.classes.iter().filter(|class| class.matter == self.kind && !class.supervisor_only);
        match self.class {
            Some(name) => of_kind.into_iter().find(|class| class.name == name),
            None => of_kind.max_by_key(|class| class.resolve_within),
        }
    }
}

/// A matter that comes of a round, by a class of the round's pack, or else of any.
fn follow(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    new: &NewMatterStep,
    round: &Matter,
    what: Followed<'_>,
    now: UnixMs,
) -> Result<Option<Changed>, DeskError> {
    let packs = packs_in_force_from(versions, &round.pack.0, new.occurred_at);
    let found = packs.iter().find_map(|pack| Some((pack.name.clone(), what.class_in(pack)?.name.clone())));
    let Some((pack, class)) = found else {
        let Some(name) = what.class else { return Ok(None) };
        let of_kind = packs.iter().flat_map(|pack| &pack.classes).filter(|class| class.matter == what.kind);
        let known: Vec<&str> = of_kind.map(|class| class.name.as_str()).collect();
        let kind = what.kind.name();
        let reason = format!("\"{name}\" is no class of a {kind} in any pack; known: {}", known.join(", "));
        return Err(invalid("points", reason));
    };
    let Followed { n, kind, title, equipment, description, wanted_by, .. } = what;
    let id = derived_id(new.id, format!("{}/{n}/{title}", kind.name()).as_bytes());
    let opening = Opening {
        kind,
        class,
        customer: round.customer.clone(),
        line: round.line.clone(),
        site: round.site.clone(),
        title,
        description: description.to_owned(),
        reporter: new.by.clone(),
        owner: round.owner.clone(),
        first_receiver: new.by.clone(),
        unit: None,
        wanted_by,
        about: Some(round.id),
        equipment,
    };
    let opened = NewMatter {
        id,
        opening: opening.clone(),
        pack: None,
        opened_at: new.occurred_at,
        by: new.by.clone(),
    };
    begin(tx, versions, &pack, &opened, opening, now).map(Some)
}
