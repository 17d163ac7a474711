//! What each step does to a matter. Called in fold order only.

use uuid::Uuid;

use super::fact::{MatterFact, MatterStep, Point};
use super::fold::{class, each, within};
use super::owed::Term;
use super::state::{Matter, MatterState};
use crate::facts::Callback;
use crate::rules::{ClosedBy, Pack};
use crate::sla::{DeadlineKind, Ending, Exemption, Interval, known_cause};
use crate::time::UnixMs;

impl Matter {
    /// A step; answers why it does not fit, where it does not: nothing is changed then.
    pub(super) fn step(&mut self, fact: &MatterFact, step: &MatterStep, pack: &Pack) -> Result<(), String> {
        let (id, at) = (fact.id, fact.occurred_at);
        if !self.possible(at).contains(&step.name()) {
            return Err(format!(
                "\"{}\" is not possible while the {} is {}",
                step.name(),
                self.kind.name(),
                self.state.name()
            ));
        }
        match step {
            MatterStep::Answered => self.answer(at),
            MatterStep::Agreed { until } => return self.agree(at, *until),
            MatterStep::Routed { .. } => self.end(DeadlineKind::Routing, at, Ending::Done),
            MatterStep::Told { reached } => return self.told(id, at, *reached, pack),
            MatterStep::Postponed { until, supervisor, .. } => {
                return self.postpone(at, *until, supervisor.is_some(), pack);
            }
            MatterStep::Reclassed { class, supervisor, until, .. } => {
                return self.reclass(class, supervisor.is_some(), *until, pack);
            }
            MatterStep::Raised { level, .. } => return self.raise(*level),
            MatterStep::Assigned { owner } => self.owner.clone_from(owner),
            MatterStep::Repeated { complaint } => return self.repeat(*complaint, pack),
            MatterStep::Resolved { .. } => return self.resolve(id, at, pack),
            MatterStep::Inspected { ok } => self.inspected(at, *ok),
            MatterStep::Callback(result) => self.callback(at, *result),
            MatterStep::Signed { .. } => {
                self.end_work(at);
                self.close(at, MatterState::Closed);
            }
            MatterStep::Planned { at: planned_at } => self.planned_at = Some(*planned_at),
            MatterStep::Made { mode, points, .. } => return self.made(id, at, mode, points, pack),
            MatterStep::Reviewed { ok } => self.reviewed(at, *ok),
            MatterStep::Paused { cause, until, .. } => return self.pause(at, cause, *until, pack),
            MatterStep::Resumed => {
                if let Some(pause) = self.pauses.last_mut() {
                    pause.to = Some(at);
                }
            }
            MatterStep::Exempted { cause, grantor } => return self.exempt(at, cause, grantor, pack),
            MatterStep::ClosedUnconfirmed { .. } => self.close(at, MatterState::ClosedUnconfirmed),
            MatterStep::Cancelled { .. } => self.close(at, MatterState::Cancelled),
            MatterStep::Noticed { .. } | MatterStep::Note { .. } => {}
        }
        Ok(())
    }

    fn answer(&mut self, at: UnixMs) {
        self.state = MatterState::Answered;
        self.end(DeadlineKind::Answer, at, Ending::Done);
    }

    /// The customer agrees to wait: only what was agreed before the time ran out counts.
    fn agree(&mut self, at: UnixMs, until: UnixMs) -> Result<(), String> {
        let due_at = self.due_at(DeadlineKind::Answer).ok_or("no answer is owed")?;
        if at > due_at {
            return Err(format!("the time for an answer has passed at {}", due_at.to_rfc3339()));
        }
        if until <= due_at {
            return Err(format!("the answer is due at {} anyway", due_at.to_rfc3339()));
        }
        self.set_due(DeadlineKind::Answer, until);
        Ok(())
    }

    fn told(&mut self, fact: Uuid, at: UnixMs, reached: bool, pack: &Pack) -> Result<(), String> {
        if !reached {
            return Ok(());
        }
        let Some(Term::Each { limit, .. }) = self.running(DeadlineKind::Progress) else { return Ok(()) };
        let next = each(pack, *limit, at)?;
        self.end(DeadlineKind::Progress, at, Ending::Done);
        self.owes(DeadlineKind::Progress, Some(fact), at, next);
        Ok(())
    }

    /// A promise may be put off once; again only as a special case of a supervisor's.
    fn postpone(&mut self, at: UnixMs, until: UnixMs, special: bool, pack: &Pack) -> Result<(), String> {
        let due_at = self.due_at(DeadlineKind::Resolution).ok_or("no time was promised")?;
        if until <= due_at {
            return Err(format!("it is put off to before its due time, {}", due_at.to_rfc3339()));
        }
        if at > due_at {
            return Err(format!(
                "its time has passed at {}; a promise is put off before that",
                due_at.to_rfc3339()
            ));
        }
        if let (Some(rule), false) = (pack.postponing, special) {
            if self.postponed >= rule.times {
                return Err(format!(
                    "it was put off {} times already; once more only as a special case recorded by a supervisor",
                    self.postponed
                ));
            }
            if until.since(at) > rule.at_most_ms {
                return Err(format!(
                    "a promised time lies at most {} ahead; further only as a special case recorded by a supervisor",
                    crate::rules::format_duration(rule.at_most_ms)
                ));
            }
        }
        self.postponed += 1;
        self.set_due(DeadlineKind::Resolution, until);
        Ok(())
    }

    fn reclass(
        &mut self,
        name: &str,
        supervisor: bool,
        until: Option<UnixMs>,
        pack: &Pack,
    ) -> Result<(), String> {
        let class = super::fold::class(pack, self.kind, name)?;
        if class.supervisor_only && !supervisor {
            return Err(format!("only a supervisor judges a {} \"{name}\"", self.kind.name()));
        }
        self.promised_as(class, until, pack)
    }

    fn raise(&mut self, level: u32) -> Result<(), String> {
        if level <= self.level {
            return Err(format!("it is at level {} already", self.level));
        }
        self.level = level;
        Ok(())
    }

    /// A further complaint on the same unresolved matter makes it what the class says.
    fn repeat(&mut self, complaint: Uuid, pack: &Pack) -> Result<(), String> {
        let becomes = class(pack, self.kind, &self.class)?.repeat_becomes.clone();
        if let Some(name) = becomes.filter(|name| *name != self.class) {
            self.promised_as(class(pack, self.kind, &name)?, None, pack)?;
        }
        self.repeats.push(complaint);
        Ok(())
    }

    fn resolve(&mut self, fact: Uuid, at: UnixMs, pack: &Pack) -> Result<(), String> {
        let callback = match class(pack, self.kind, &self.class)?.callback_within {
            Some(limit) if matches!(self.closed_by, ClosedBy::Customer | ClosedBy::Signature) => {
                Some(within(pack, limit, at)?)
            }
            _ => None,
        };
        self.end_work(at);
        if let Some(term) = callback {
            let again = self.owed.iter().any(|owed| owed.kind == DeadlineKind::Callback);
            self.owes(DeadlineKind::Callback, again.then_some(fact), at, term);
        }
        if self.closed_by == ClosedBy::Work {
            self.close(at, MatterState::Closed);
        }
        Ok(())
    }

    fn end_work(&mut self, at: UnixMs) {
        self.state = MatterState::Resolved;
        self.resolved_at = Some(at);
        self.end(DeadlineKind::Answer, at, Ending::Done);
        self.end(DeadlineKind::Resolution, at, Ending::Done);
        self.end(DeadlineKind::Routing, at, Ending::Cancelled);
        self.end(DeadlineKind::Progress, at, Ending::Cancelled);
    }

    /// Back to work: what was promised runs on from its own beginning.
    fn back_to_work(&mut self) {
        self.state = MatterState::Answered;
        self.resolved_at = None;
        if let Some(owed) = self.owed.iter_mut().rev().find(|owed| owed.kind == DeadlineKind::Resolution) {
            owed.ended = None;
        }
    }

    fn inspected(&mut self, at: UnixMs, ok: bool) {
        if ok {
            self.close(at, MatterState::Closed);
        } else {
            self.back_to_work();
        }
    }

    fn callback(&mut self, at: UnixMs, result: Callback) {
        match result {
            Callback::NotReached => {}
            Callback::Satisfied if self.closed_by == ClosedBy::Signature => {
                self.end(DeadlineKind::Callback, at, Ending::Done);
            }
            Callback::Satisfied => {
                self.end(DeadlineKind::Callback, at, Ending::Done);
                self.close(at, MatterState::Closed);
            }
            Callback::Unsatisfied | Callback::StillDown => {
                self.end(DeadlineKind::Callback, at, Ending::Done);
                self.back_to_work();
            }
        }
    }

    fn made(
        &mut self,
        fact: Uuid,
        at: UnixMs,
        mode: &str,
        points: &[Point],
        pack: &Pack,
    ) -> Result<(), String> {
        let cadence = super::fold::cadence(pack, self.kind, &self.class)?;
        if !cadence.modes.is_empty() && !cadence.modes.iter().any(|known| known == mode) {
            return Err(format!("\"{mode}\" does not count here; what counts: {}", cadence.modes.join(", ")));
        }
        if let Some(name) = &cadence.checklist {
            check_points(pack, name, points)?;
        }
        let review = cadence.review_within.map(|limit| within(pack, limit, at)).transpose()?;
        self.end(DeadlineKind::of_round(self.kind), at, Ending::Done);
        self.failed_points =
            points.iter().filter(|point| !point.ok).map(|point| point.name.clone()).collect();
        self.resolved_at = Some(at);
        match review {
            Some(term) => {
                self.state = MatterState::Resolved;
                self.owes(DeadlineKind::Review, Some(fact), at, term);
            }
            None => self.close(at, MatterState::Closed),
        }
        Ok(())
    }

    fn reviewed(&mut self, at: UnixMs, ok: bool) {
        self.end(DeadlineKind::Review, at, Ending::Done);
        if ok {
            self.close(at, MatterState::Closed);
        } else {
            self.state = MatterState::Open;
            self.resolved_at = None;
            if let Some(owed) = self.owed.first_mut() {
                owed.ended = None;
            }
        }
    }

    fn pause(&mut self, at: UnixMs, cause: &str, until: UnixMs, pack: &Pack) -> Result<(), String> {
        known_cause(&pack.pause_causes, cause, "pause")?;
        if until <= at {
            return Err("a pause ends after it begins".to_owned());
        }
        self.pauses.push(Interval { from: at, to: Some(until) });
        Ok(())
    }

    fn exempt(&mut self, at: UnixMs, cause: &str, grantor: &str, pack: &Pack) -> Result<(), String> {
        known_cause(&pack.exempt_causes, cause, "exemption")?;
        self.exemption = Some(Exemption { cause: cause.to_owned(), grantor: grantor.to_owned(), at });
        Ok(())
    }

    fn close(&mut self, at: UnixMs, state: MatterState) {
        self.state = state;
        self.closed_at = Some(at);
        for owed in self.owed.iter_mut().filter(|owed| owed.ended.is_none()) {
            owed.ended = Some((at, Ending::Cancelled));
        }
    }

    fn end(&mut self, kind: DeadlineKind, at: UnixMs, ending: Ending) {
        if let Some(owed) = self.owed.iter_mut().rev().find(|owed| owed.kind == kind && owed.ended.is_none())
        {
            owed.ended = Some((at, ending));
        }
    }

    fn running(&self, kind: DeadlineKind) -> Option<&Term> {
        self.owed.iter().rev().find(|owed| owed.kind == kind && owed.ended.is_none()).map(|owed| &owed.term)
    }

    /// When the running promise of a kind is due.
    fn due_at(&self, kind: DeadlineKind) -> Option<UnixMs> {
        self.running(kind)?;
        let list = super::owed::deadlines(self, self.opened_at);
        list.iter().rev().find(|deadline| deadline.kind == kind && deadline.ended.is_none()).map(|d| d.due_at)
    }

    fn set_due(&mut self, kind: DeadlineKind, due_at: UnixMs) {
        if let Some(owed) = self.owed.iter_mut().rev().find(|owed| owed.kind == kind && owed.ended.is_none())
        {
            owed.term = Term::By(due_at);
        }
    }
}

/// Every point of the checklist is looked at, once, and no other.
fn check_points(pack: &Pack, checklist: &str, points: &[Point]) -> Result<(), String> {
    let Some(list) = pack.checklists.iter().find(|list| list.name == checklist) else {
        return Err(format!("pack {} has no checklist \"{checklist}\"", pack.name));
    };
    let missing: Vec<&str> = list
        .items
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| points.iter().filter(|point| point.name == *name).count() != 1)
        .collect();
    if !missing.is_empty() {
        return Err(format!("points of the checklist to be answered once each: {}", missing.join(", ")));
    }
    match points.iter().find(|point| !list.items.iter().any(|(name, _)| *name == point.name)) {
        Some(point) => Err(format!("\"{}\" is no point of the checklist \"{checklist}\"", point.name)),
        None => Ok(()),
    }
}
