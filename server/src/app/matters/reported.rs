//! Visit reports that agents send: each is the report of the round that it names, or else of the one that was owed when the
//! visit was. It is held to the same rules as a report at the desk; but it is never refused: what does not fit is kept
//! and says why.
//!
//! Which round a report is joined to depends on when the visit was, not on when the report came. One that comes late may have
//! a later one belong to the round after.

use std::collections::BTreeMap;

use linewatch_shared::facts::{Body, Promised, Record, VISIT_ITEMS_MAX, Visit};
use linewatch_shared::matter::{Matter, MatterEvent, MatterFact, MatterStep, Papers, Point};
use linewatch_shared::rules::MatterKind;
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::Changed;
use super::after::{Origin, follow_point, follow_promise};
use super::duties::begin_round;
use super::step::refold;
use crate::app::desk::DeskError;
use crate::app::packs::packs_in_force_from;
use crate::app::{equipment, parts};
use crate::db::{DbError, Tx};
use crate::store;
use crate::store::conflicts::{self, Conflict};
use crate::store::customers::{self, Owners};
use crate::store::duties;
use crate::store::matters::{self, StoredMatterFact};
use crate::store::outgoing::NewEvent;
use crate::store::parts::Naming;
use crate::store::visit_reports::{self, Joined};
use crate::store::{records, service};

/// How a visit is made that does not say so.
const MODE: &str = "face_to_face";
/// The most rounds among which one is sought, and later reports that one report moves.
const ROUNDS_MAX: i64 = 200;

/// A visit report as it came.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The record.
    pub record: Uuid,
    /// Who sent it.
    pub agent: Uuid,
    /// When the visit was, corrected.
    pub at: UnixMs,
    /// Who wrote it.
    pub by: String,
    /// What it says.
    pub visit: Visit,
}

/// Joins reports to their rounds; what changed has still to be told.
///
/// # Errors
/// The database's.
pub(in crate::app) fn take(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    reported: &[Reported],
    now: UnixMs,
) -> Result<Vec<Changed>, DbError> {
    let mut customers: Vec<&str> = reported.iter().map(|one| one.visit.customer.as_str()).collect();
    customers.sort_unstable();
    customers.dedup();
    let keys: Vec<_> = customers.into_iter().map(visit_reports::lock_key).collect();
    tx.lock(&keys)?;
    let mut taking = Taking { versions, now, senders: BTreeMap::new(), changed: Vec::new() };
    for one in reported {
        taking.one(tx, one)?;
    }
    Ok(taking.changed)
}

/// What boards are told of reports that have come.
///
/// # Errors
/// The database's.
pub(in crate::app) fn events(tx: &mut Tx<'_>, reported: &[Reported]) -> Result<Vec<NewEvent>, DbError> {
    let ids: Vec<Uuid> = reported.iter().map(|one| one.record).collect();
    let counts = store::parts::counts(tx, &ids)?;
    let complete = |id: &Uuid| counts.get(id).is_none_or(|(total, whole)| total == whole);
    Ok(ids.iter().map(|id| parts::event(*id, complete(id))).collect())
}

struct Taking<'a> {
    versions: &'a [PackVersion],
    now: UnixMs,
    /// Whether each agent may report visits to each customer, looked up once.
    senders: BTreeMap<(String, Uuid), Sender>,
    changed: Vec<Changed>,
}

/// Who answers for the customer that an agent reports of, or why the agent's reports of it count for nothing.
type Sender = Result<Owners, String>;

impl Taking<'_> {
    fn sender(&mut self, tx: &mut Tx<'_>, reported: &Reported) -> Result<Sender, DbError> {
        let key = (reported.visit.customer.clone(), reported.agent);
        if let Some(known) = self.senders.get(&key) {
            return Ok(known.clone());
        }
        let sender = match customers::owners(tx, &key.0)? {
            None => Err(format!("there is no customer called \"{}\"", key.0)),
            Some(_) if !visit_reports::is_in_scope(tx, &key.0, key.1)? => {
                Err("none of the customer's lines was ever the agent's that sent it".to_owned())
            }
            Some(owners) => Ok(owners),
        };
        self.senders.insert(key, sender.clone());
        Ok(sender)
    }

    fn one(&mut self, tx: &mut Tx<'_>, reported: &Reported) -> Result<(), DbError> {
        let visit = &reported.visit;
        let sender = self.sender(tx, reported)?;
        let found = match &sender {
            Ok(_) => self.round_of(tx, reported)?,
            Err(why) => Err(why.clone()),
        };
        let mut joined = match found {
            Ok(round) => self.join(tx, reported, round)?,
            Err(why) => Joined { matter: None, why: Some(why) },
        };
        let round = match joined.matter {
            Some(id) => matters::one(tx, id)?.map(|standing| standing.matter),
            None => None,
        };
        if let Ok(owners) = &sender
            && let Some(why) = self.promises(tx, reported, owners, round.as_ref())?
        {
            joined.why = Some(joined.why.map_or(why.clone(), |first| format!("{first}; {why}")));
        }
        let place = (visit.customer.as_str(), reported.at, visit.round.is_some());
        visit_reports::insert(tx, reported.record, place, &joined)?;
        self.parts(tx, reported)?;
        if let Some(why) = &joined.why {
            conflicts::put(tx, &self.conflict(reported, joined.matter, why))?;
        }
        if let Some(round) = round.filter(|round| round.misfit(reported.record).is_none()) {
            self.go_on(tx, &round, reported.at)?;
        }
        Ok(())
    }

    fn conflict(&self, reported: &Reported, matter: Option<Uuid>, why: &str) -> Conflict {
        let Reported { record, agent, at, by, visit } = reported;
        Conflict {
            record: *record,
            kind: "visit",
            what: "visit".to_owned(),
            agent: *agent,
            by: by.clone(),
            at: *at,
            recorded_at: self.now,
            why: why.to_owned(),
            fault: visit.fault,
            matter,
            line: visit.line.clone(),
            customer: Some(visit.customer.clone()),
        }
    }

    /// What it names follows it; of a customer whose data was erased nothing is wanted.
    fn parts(&self, tx: &mut Tx<'_>, reported: &Reported) -> Result<(), DbError> {
        let Reported { record, agent, ref visit, .. } = *reported;
        if visit.parts.is_empty() {
            return Ok(());
        }
        let customer = visit.customer.as_str();
        let erased = service::of_customer(tx, customer)?.is_some_and(|standing| standing.erased_at.is_some());
        parts::name(tx, &Naming { record, agent, customer }, &visit.parts, erased)
    }

    /// The round that it reports, or why there is none.
    fn round_of(&self, tx: &mut Tx<'_>, reported: &Reported) -> Result<Result<Uuid, String>, DbError> {
        let Reported { visit, at, .. } = reported;
        if visit.points.len() > VISIT_ITEMS_MAX || visit.promised.len() > VISIT_ITEMS_MAX {
            return Ok(Err(format!("has more than {VISIT_ITEMS_MAX} points or promises")));
        }
        if let Some(id) = visit.round {
            let round = matters::one(tx, id)?.map(|standing| standing.matter);
            return Ok(match round {
                None => Err(format!("there is no round {id}")),
                Some(round) if !matches!(round.kind, MatterKind::Visit | MatterKind::Patrol) => {
                    Err(format!("matter {id} is a {}, no round", round.kind.name()))
                }
                Some(round) if round.customer != visit.customer => {
                    Err(format!("round {id} is another customer's"))
                }
                Some(round) if !is_at(&round, &visit.site) && !visit.site.is_empty() => {
                    Err(format!("round {id} is of another site"))
                }
                Some(_) => Ok(id),
            });
        }
        let mut rounds = visit_reports::owed_at(tx, &visit.customer, *at, ROUNDS_MAX)?;
        rounds.retain(|round| is_at(round, &visit.site));
        if rounds.len() > 1 {
            rounds.retain(|round| self.counts(round, visit.mode.as_deref().unwrap_or(MODE)));
        }
        Ok(match rounds.as_slice() {
            [one] => Ok(one.id),
            [] => Err("no round of visits was owed there then".to_owned()),
            several => {
                let ids: Vec<String> = several.iter().map(|round| round.id.to_string()).collect();
                Err(format!("several rounds were owed then: {}; a report may name its own", ids.join(", ")))
            }
        })
    }

    fn counts(&self, round: &Matter, mode: &str) -> bool {
        let (pack, version) = &round.pack;
        let known = self.versions.iter().find(|v| v.pack.name == *pack && v.pack.version == *version);
        let cadences = known.iter().flat_map(|known| &known.pack.cadences);
        let mut own = cadences.filter(|cadence| cadence.matter == round.kind && cadence.name == round.class);
        own.next().is_none_or(|own| own.modes.is_empty() || own.modes.iter().any(|known| known == mode))
    }

    /// It is a fact of the round from now on: one that has no effect where it does not fit.
    fn join(&mut self, tx: &mut Tx<'_>, reported: &Reported, round: Uuid) -> Result<Joined, DbError> {
        tx.lock(&[matters::lock_key(round)])?;
        let before = matters::one(tx, round)?.ok_or_else(|| DbError::Data(format!("no round {round}")))?;
        let Matter { customer, site, .. } = &before.matter;
        let visit = &reported.visit;
        let points = self.known_classes(&visit.points, &before.matter, reported.at);
        if let Some(why) = said(equipment::check_points(tx, &points, customer, site.as_deref()))? {
            return Ok(Joined { matter: None, why: Some(why) });
        }
        let step = MatterStep::Made {
            mode: visit.mode.clone().unwrap_or_else(|| MODE.to_owned()),
            met: visit.met.clone(),
            points: points.clone(),
            papers: Papers { report: visit.report.clone() },
        };
        let fact =
            MatterFact { id: reported.record, occurred_at: reported.at, event: MatterEvent::Step(step) };
        let stored = StoredMatterFact { fact, matter: round, recorded_at: self.now, by: reported.by.clone() };
        matters::insert_fact(tx, &stored)?;
        let was = before.matter.clone();
        let made = refold(tx, self.versions, before, self.now)?.by(&stored, Some(&was));
        let (found, mut why) = (made.matter.clone(), made.matter.misfit(reported.record).map(str::to_owned));
        self.changed.push(made);
        if why.is_none() {
            let origin = Origin::of_round(&found, reported.record, reported.at, &reported.by);
            for (n, point) in points.iter().enumerate().filter(|(_, point)| !point.ok) {
                match follow_point(tx, self.versions, &origin, &found, (n, point), self.now) {
                    Ok(defect) => self.changed.extend(defect),
                    Err(error) => why = said::<()>(Err(error))?,
                }
            }
        }
        Ok(Joined { matter: Some(round), why })
    }

    /// A class of defects that no pack knows is left out: the mildest takes its place.
    fn known_classes(&self, points: &[Point], round: &Matter, at: UnixMs) -> Vec<Point> {
        let packs = packs_in_force_from(self.versions, &round.pack.0, at);
        let is_known = |name: &String| {
            let mut classes = packs.iter().flat_map(|pack| &pack.classes);
            classes.any(|class| class.matter == MatterKind::Defect && class.name == *name)
        };
        let known = |point: &Point| Point {
            class: point.class.clone().filter(|name| !point.ok && is_known(name)),
            ..point.clone()
        };
        points.iter().map(known).collect()
    }

    /// What was promised for a day is owed, whatever the report itself counts for; answers what of it is not, and why.
    fn promises(
        &mut self,
        tx: &mut Tx<'_>,
        reported: &Reported,
        owners: &Owners,
        round: Option<&Matter>,
    ) -> Result<Option<String>, DbError> {
        let Reported { visit, at, record, by, .. } = reported;
        let origin = round.map_or_else(
            || Origin {
                id: *record,
                at: *at,
                by: by.clone(),
                pack: owners.pack.clone(),
                customer: visit.customer.clone(),
                line: None,
                site: Some(visit.site.clone()).filter(|site| !site.is_empty()),
                owner: owners.manager.clone().unwrap_or_default(),
                about: None,
            },
            |round| Origin::of_round(round, *record, *at, by),
        );
        let mut why = None;
        for (n, Promised { title, until }) in visit.promised.iter().take(VISIT_ITEMS_MAX).enumerate() {
            if until <= at {
                // Without its title, which may name people: this reason outlives an erasure.
                why = Some("one of its promises is for a time that had passed".to_owned());
                continue;
            }
            match follow_promise(tx, self.versions, &origin, (n, title, *until), self.now) {
                Ok(promise) => self.changed.push(promise),
                Err(error) => why = said::<()>(Err(error))?,
            }
        }
        Ok(why)
    }

    /// After a round that was made comes the next one. Reports of later visits that had been joined to the round, before
    /// it was known to be over, belong to those after it.
    fn go_on(&mut self, tx: &mut Tx<'_>, made: &Matter, at: UnixMs) -> Result<(), DbError> {
        let Some(duty) = duties::of_round(tx, made.id)? else { return Ok(()) };
        if duty.next_round.is_some() || duty.ended_at.is_some() {
            return Ok(());
        }
        let later = visit_reports::unnamed_after(tx, made.id, at, ROUNDS_MAX)?;
        if !later.is_empty() || !visit_reports::has_round_since(tx, duty.id, at)? {
            self.changed.extend(begin_round(tx, self.versions, &duty, at, self.now)?);
        }
        for (record, later_at) in later {
            let rounds = visit_reports::owed_at(tx, &made.customer, later_at, ROUNDS_MAX)?;
            let mut to = None;
            for round in rounds {
                if duties::of_round(tx, round.id)?.is_some_and(|of| of.id == duty.id) && round.id != made.id {
                    to = Some(round.id);
                }
            }
            let Some(to) = to else { continue };
            tx.lock(&[matters::lock_key(to)])?;
            visit_reports::move_fact(tx, record, to)?;
            for id in [made.id, to] {
                let before = matters::one(tx, id)?.ok_or_else(|| DbError::Data(format!("no round {id}")))?;
                self.changed.push(refold(tx, self.versions, before, self.now)?);
            }
            let found = matters::one(tx, to)?.map(|standing| standing.matter);
            let why = found.as_ref().and_then(|found| found.misfit(record)).map(str::to_owned);
            let fits = why.is_none();
            // A conflict that it had was of the round before.
            conflicts::clear(tx, record)?;
            if let Some(why) = &why
                && let Some(moved) = sent_before(tx, record, later_at)?
            {
                conflicts::put(tx, &self.conflict(&moved, Some(to), why))?;
            }
            visit_reports::set(tx, record, &Joined { matter: Some(to), why })?;
            if fits && !visit_reports::has_round_since(tx, duty.id, later_at)? {
                self.changed.extend(begin_round(tx, self.versions, &duty, later_at, self.now)?);
            }
        }
        Ok(())
    }
}

/// A report that was taken in before.
fn sent_before(tx: &mut Tx<'_>, record: Uuid, at: UnixMs) -> Result<Option<Reported>, DbError> {
    let (Some(agent), Some(sent)) =
        (conflicts::sender(tx, record, "visit")?, records::one_of_kind(tx, "visit", record)?)
    else {
        return Ok(None);
    };
    let read = Record::from_bytes(&sent.bytes).map_err(|error| DbError::Data(error.to_string()))?;
    let Body::Visit(visit) = read.body else { return Ok(None) };
    let agent_name = format!("agent {}", sent.agent);
    let by = read.by.map_or_else(|| agent_name.clone(), |by| format!("{by} ({agent_name})"));
    Ok(Some(Reported { record, agent, at, by, visit }))
}

/// Whether a round is of that site: one of the customer as a whole is of every one.
fn is_at(round: &Matter, site: &str) -> bool {
    round.site.as_ref().is_none_or(|own| own == site)
}

/// What is wrong in words; only the database's errors stay errors.
fn said<T>(result: Result<T, DeskError>) -> Result<Option<String>, DbError> {
    match result {
        Ok(_) => Ok(None),
        Err(DeskError::Db(error)) => Err(error),
        Err(error) => Ok(Some(error.to_string())),
    }
}
