//! From the facts of a matter to the matter.

use uuid::Uuid;

use super::acceptance::Accepting;
use super::fact::{MatterEvent, MatterFact, Opening, Papers};
use super::owed::{Owed, Term};
use super::state::{Matter, MatterState};
use crate::rules::{Cadence, Class, ClosedBy, Limit, MatterKind, Pack};
use crate::sla::{DeadlineKind, Ending, Placed};
use crate::time::UnixMs;

/// The most facts that one matter keeps; later ones are marked, not walked.
pub const FACTS_PER_MATTER_MAX: usize = 2_000;

/// The class of that name for that kind of matter.
pub(super) fn class<'a>(pack: &'a Pack, kind: MatterKind, name: &str) -> Result<&'a Class, String> {
    let of_kind = || pack.classes.iter().filter(|class| class.matter == kind);
    of_kind().find(|class| class.name == name).ok_or_else(|| {
        let names: Vec<&str> = of_kind().map(|class| class.name.as_str()).collect();
        let known = names.join(", ");
        format!("\"{name}\" is no class of a {} in pack {}; it knows: {known}", kind.name(), pack.name)
    })
}

/// The cadence that a round is of.
pub(super) fn cadence<'a>(pack: &'a Pack, kind: MatterKind, name: &str) -> Result<&'a Cadence, String> {
    let named = pack.cadences.iter().find(|cadence| cadence.matter == kind && cadence.name == name);
    named.ok_or_else(|| format!("\"{name}\" is no cadence of a {} in pack {}", kind.name(), pack.name))
}

/// So much countable time from a moment on.
pub(super) fn within(pack: &Pack, limit: Limit, from: UnixMs) -> Result<Term, String> {
    Ok(Term::Within { limit, countable: pack.countable(limit, from)? })
}

/// The same, again and again.
pub(super) fn each(pack: &Pack, limit: Limit, from: UnixMs) -> Result<Term, String> {
    Ok(Term::Each { limit, countable: pack.countable(limit, from)? })
}

/// Finds a matter, by the pack version that it was opened under. `facts` may come in any order and repeat; none is found while the opening fact is missing.
///
/// # Errors
/// When the pack does not know the class, or its calendar does not reach: such an opening is refused where it is
/// taken in, so that no figure is ever silently wrong.
pub fn fold(mut facts: Vec<MatterFact>, pack: &Pack) -> Result<Option<Matter>, String> {
    facts.sort_unstable_by_key(MatterFact::fold_order);
    facts.dedup_by_key(|fact| fact.id);
    let Some(MatterFact { event: MatterEvent::Opened(opening), .. }) = facts.first() else { return Ok(None) };
    let mut matter = begin(&facts[0], opening, pack)?;
    for fact in &facts[1..] {
        let fitted = match &fact.event {
            _ if matter.facts.len() >= FACTS_PER_MATTER_MAX => {
                Err("the matter already has too many facts".to_owned())
            }
            MatterEvent::Opened(_) => Err("the matter was opened already".to_owned()),
            MatterEvent::Step(_) if fact.occurred_at < matter.opened_at => {
                Err("it is dated before the matter was opened".to_owned())
            }
            MatterEvent::Step(step) => matter.step(fact, step, pack),
        };
        matter.facts.push(Placed { id: fact.id, misfit: fitted.err() });
    }
    Ok(Some(matter))
}

fn begin(fact: &MatterFact, opening: &Opening, pack: &Pack) -> Result<Matter, String> {
    let mut matter = Matter {
        id: fact.id,
        kind: opening.kind,
        class: opening.class.clone(),
        customer: opening.customer.clone(),
        line: opening.line.clone(),
        site: opening.site.clone(),
        title: opening.title.clone(),
        owner: opening.owner.clone(),
        first_receiver: opening.first_receiver.clone(),
        pack: (pack.name.clone(), pack.version.clone()),
        state: MatterState::Open,
        opened_at: fact.occurred_at,
        resolved_at: None,
        closed_at: None,
        closed_by: ClosedBy::Work,
        warn_at_permille: Vec::new(),
        owed: Vec::new(),
        pauses: Vec::new(),
        postponed: 0,
        level: 1,
        repeats: Vec::new(),
        about: opening.about,
        equipment: opening.equipment,
        papers: Papers::default(),
        permit: None,
        permits: Vec::new(),
        begun_at: None,
        acceptance: None,
        planned_at: None,
        failed_points: Vec::new(),
        callback_retry: None,
        exemption: None,
        facts: vec![Placed { id: fact.id, misfit: None }],
    };
    match opening.kind {
        MatterKind::Visit | MatterKind::Patrol => begin_round(&mut matter, opening, pack)?,
        _ => begin_case(&mut matter, opening, pack)?,
    }
    Ok(matter)
}

/// A round is owed by the end of its period.
fn begin_round(matter: &mut Matter, opening: &Opening, pack: &Pack) -> Result<(), String> {
    let cadence = self::cadence(pack, matter.kind, &matter.class)?;
    let term = match (opening.wanted_by, cadence.acceptance) {
        (Some(due_at), _) => Term::By(due_at),
        (None, Some(rule)) => within(pack, rule.within, matter.opened_at)?,
        (None, None) => return Err("a round has a day by which it is owed".to_owned()),
    };
    matter.must_reach(&term, pack)?;
    matter.acceptance = cadence.acceptance.map(|rule| Accepting::new(rule.of, rule.promises_wait));
    matter.warn_at_permille.clone_from(&cadence.warn_at_permille);
    matter.permit.clone_from(&cadence.permit);
    matter.closed_by = match cadence.acceptance {
        Some(_) => ClosedBy::Signature,
        None if cadence.review_within.is_some() => ClosedBy::Supervisor,
        None => ClosedBy::Work,
    };
    matter.owes(DeadlineKind::of_round(matter.kind), None, matter.opened_at, term);
    Ok(())
}

fn begin_case(matter: &mut Matter, opening: &Opening, pack: &Pack) -> Result<(), String> {
    let class = self::class(pack, matter.kind, &matter.class)?;
    let from = matter.opened_at;
    if class.supervisor_only {
        return Err(format!(
            "only a supervisor judges a {} \"{}\": take it in under another class, which a supervisor may change",
            matter.kind.name(),
            class.name
        ));
    }
    matter.promised_as(class, opening.wanted_by, None, pack)?;
    if let Some(limit) = class.route_within.filter(|_| opening.unit.is_some()) {
        matter.owes(DeadlineKind::Routing, None, from, within(pack, limit, from)?);
    }
    if let Some(limit) = class.progress_every {
        matter.owes(DeadlineKind::Progress, None, from, each(pack, limit, from)?);
    }
    Ok(())
}

impl Matter {
    /// Another class, by a step: everything is counted from the opening on all the same, and the daily word to the
    /// customer is owed where the new class says so.
    pub(super) fn reclassed_as(
        &mut self,
        class: &Class,
        wanted_by: Option<UnixMs>,
        by: (Uuid, UnixMs),
        pack: &Pack,
    ) -> Result<(), String> {
        let is_owed = self.state != MatterState::Resolved && self.running(DeadlineKind::Progress).is_none();
        let progress = class.progress_every.filter(|_| is_owed);
        let progress = progress.map(|limit| each(pack, limit, by.1)).transpose()?;
        self.promised_as(class, wanted_by, Some(by), pack)?;
        if class.progress_every.is_none() {
            self.end(DeadlineKind::Progress, by.1, Ending::Cancelled);
        }
        if let Some(term) = progress {
            self.owes(DeadlineKind::Progress, Some(by.0), by.1, term);
        }
        Ok(())
    }

    /// The promises of the class: its answer and its work, both counted from the opening on. A day that the customer
    /// asked for, or was told, stands in the place of the class' limit.
    pub(super) fn promised_as(
        &mut self,
        class: &Class,
        wanted_by: Option<UnixMs>,
        by: Option<(Uuid, UnixMs)>,
        pack: &Pack,
    ) -> Result<(), String> {
        let from = self.opened_at;
        let answer = class.answer_within.map(|limit| within(pack, limit, from)).transpose()?;
        let work = match (wanted_by, class.resolve_within) {
            (Some(day), _) => Some(Term::By(day)),
            (None, Some(limit)) => Some(within(pack, limit, from)?),
            (None, None) if matches!(class.closed_by, ClosedBy::Customer | ClosedBy::Signature) => {
                return Err(format!(
                    "\"{}\" promises no time of its own: name the date that the customer was told",
                    class.name
                ));
            }
            (None, None) => None,
        };
        if let Some(term) = &work {
            self.must_reach(term, pack)?;
        }
        self.class.clone_from(&class.name);
        self.permit.clone_from(&class.permit);
        self.closed_by = class.closed_by;
        self.level = self.level.max(class.level);
        self.warn_at_permille.clone_from(&class.warn_at_permille);
        self.set_term(DeadlineKind::Answer, answer, by);
        self.set_term(DeadlineKind::Resolution, work, by);
        Ok(())
    }

    /// A due time beyond the calendar's years would be a promise that is never missed.
    pub(super) fn must_reach(&self, term: &Term, pack: &Pack) -> Result<(), String> {
        if term.due_at(self.opened_at, &self.pauses) < UnixMs::MAX {
            return Ok(());
        }
        Err(format!(
            "with its pauses the work would end beyond what the calendar of pack {} covers",
            pack.name
        ))
    }

    /// Begins another stretch of its kind; the first is known by its place, not by the fact that began it.
    pub(super) fn owes_next(&mut self, kind: DeadlineKind, fact: Uuid, from: UnixMs, term: Term) {
        let again = self.owed.iter().any(|owed| owed.kind == kind);
        self.owes(kind, again.then_some(fact), from, term);
    }

    /// Begins a stretch.
    pub(super) fn owes(&mut self, kind: DeadlineKind, begun_by: Option<Uuid>, from: UnixMs, term: Term) {
        let pausable = matches!(kind, DeadlineKind::Resolution | DeadlineKind::Routing);
        self.owed.push(Owed { kind, begun_by, from, term, pausable, ended: None });
    }

    /// Gives the promise of a kind, owed from the opening on, another term. One that has ended stays as it was
    /// judged. One that was missed before the step stays missed: the new term stands beside it, unless it was over as
    /// well.
    fn set_term(&mut self, kind: DeadlineKind, term: Option<Term>, by: Option<(Uuid, UnixMs)>) {
        let from = self.opened_at;
        let last = self.owed.iter().rposition(|owed| owed.kind == kind);
        match (last, term, by) {
            (Some(last), ..) if self.owed[last].ended.is_some() => {}
            (Some(last), term, Some((fact, at))) if self.owed[last].due_at(&self.pauses) < at => {
                if let Some(term) = term.filter(|term| term.due_at(from, &self.pauses) >= at) {
                    self.owes(kind, Some(fact), from, term);
                }
            }
            (Some(last), Some(term), _) => self.owed[last].term = term,
            (Some(last), None, _) => drop(self.owed.remove(last)),
            (None, Some(term), _) => self.owes(kind, None, from, term),
            (None, None, _) => {}
        }
    }
}
