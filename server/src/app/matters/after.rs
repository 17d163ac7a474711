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
    let origin = Origin::of_round(round, new.id, new.occurred_at, &new.by);
    let mut changed = Vec::new();
    for (n, point) in points.iter().enumerate().filter(|(_, point)| !point.ok) {
        changed.extend(follow_point(tx, versions, &origin, round, (n, point), now)?);
    }
    for (n, (title, until)) in new.promises.iter().enumerate() {
        changed.push(follow_promise(tx, versions, &origin, (n, title, *until), now)?);
    }
    if let Some(duty) =
        duties::of_round(tx, round.id)?.filter(|duty| duty.next_round.is_none() && duty.ended_at.is_none())
    {
        changed.extend(begin_round(tx, versions, &duty, new.occurred_at, now)?);
    }
    Ok(changed)
}

/// Where something comes of: a report.
pub(super) struct Origin {
    /// The report's fact, from which ids follow.
    pub(super) id: Uuid,
    /// When it was made.
    pub(super) at: UnixMs,
    /// By whom.
    pub(super) by: String,
    /// Whose classes are looked at first.
    pub(super) pack: String,
    pub(super) customer: String,
    pub(super) line: Option<String>,
    pub(super) site: Option<String>,
    pub(super) owner: String,
    /// The round.
    pub(super) about: Option<Uuid>,
}

impl Origin {
    pub(super) fn of_round(round: &Matter, id: Uuid, at: UnixMs, by: &str) -> Self {
        Self {
            id,
            at,
            by: by.to_owned(),
            pack: round.pack.0.clone(),
            customer: round.customer.clone(),
            line: round.line.clone(),
            site: round.site.clone(),
            owner: round.owner.clone(),
            about: Some(round.id),
        }
    }
}

/// The defect that a point becomes; none where no pack knows defects.
pub(super) fn follow_point(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    origin: &Origin,
    round: &Matter,
    (n, point): (usize, &Point),
    now: UnixMs,
) -> Result<Option<Changed>, DeskError> {
    let defect = Followed {
        n,
        kind: MatterKind::Defect,
        class: point.class.as_deref(),
        title: title_of(tx, round, point)?,
        equipment: point.equipment.or(round.equipment),
        description: &point.note,
        wanted_by: None,
    };
    follow(tx, versions, origin, defect, now)
}

/// What was promised, owed by its day.
pub(super) fn follow_promise(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    origin: &Origin,
    (n, title, until): (usize, &str, UnixMs),
    now: UnixMs,
) -> Result<Changed, DeskError> {
    if until <= origin.at {
        return Err(invalid("promises", format!("\"{title}\" is promised for a time that has passed")));
    }
    let (kind, title, wanted_by) = (MatterKind::Promise, title.to_owned(), Some(until));
    let (class, equipment, description) = (None, None, "");
    let promise = Followed { n, kind, class, title, equipment, description, wanted_by };
    let promised = follow(tx, versions, origin, promise, now)?;
    promised.ok_or_else(|| invalid("promises", "no pack in force has a class of promises"))
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
    origin: &Origin,
    what: Followed<'_>,
    now: UnixMs,
) -> Result<Option<Changed>, DeskError> {
    let packs = packs_in_force_from(versions, &origin.pack, origin.at);
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
    let id = derived_id(origin.id, format!("{}/{n}/{title}", kind.name()).as_bytes());
    let opening = Opening {
        kind,
        class,
        customer: origin.customer.clone(),
        line: origin.line.clone(),
        site: origin.site.clone(),
        title,
        description: description.to_owned(),
        reporter: origin.by.clone(),
        owner: origin.owner.clone(),
        first_receiver: origin.by.clone(),
        unit: None,
        wanted_by,
        about: origin.about,
        equipment,
    };
    let opened =
        NewMatter { id, opening: opening.clone(), pack: None, opened_at: origin.at, by: origin.by.clone() };
    begin(tx, versions, &pack, &opened, opening, now).map(Some)
}
