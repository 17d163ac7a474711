//! What each step does to a matter. Called in fold order only.

use uuid::Uuid;

use super::acceptance::Side;
use super::fact::{MatterFact, MatterStep};
use super::fold::{class, each, within};
use super::owed::Term;
use super::state::{Matter, MatterState};
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
                return self.reclass((id, at), (class, supervisor.is_some(), *until), pack);
            }
            MatterStep::Raised { level, .. } => return self.raise(*level, pack),
            MatterStep::Assigned { owner } => self.owner.clone_from(owner),
            MatterStep::Repeated { complaint } => return self.repeat((id, at), *complaint, pack),
            MatterStep::Resolved { .. } => {
                self.must_have_had_permit(at, pack)?;
                return self.resolve(id, at, pack);
            }
            MatterStep::Inspected { ok } => return self.inspected(id, at, *ok, pack),
            MatterStep::Callback(result) => return self.callback(id, at, *result, pack),
            MatterStep::Signed { name, side } => return self.sign(at, side.unwrap_or(Side::Customer), name),
            MatterStep::Refused { .. } => return self.refuse(id, at, pack),
            MatterStep::Planned { at: planned_at, .. } => self.planned_at = Some(*planned_at),
            MatterStep::PermitGranted(grant) => return self.grant(id, at, grant, pack),
            MatterStep::Begun => return self.begin_work(at, pack),
            MatterStep::PermitReturned => self.return_permit(at),
            MatterStep::Made { mode, points, papers, .. } => {
                self.must_have_had_permit(at, pack)?;
                return self.made((id, at), mode, points, papers, pack);
            }
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
        by: (Uuid, UnixMs),
        (name, supervisor, until): (&str, bool, Option<UnixMs>),
        pack: &Pack,
    ) -> Result<(), String> {
        let class = super::fold::class(pack, self.kind, name)?;
        if class.supervisor_only && !supervisor {
            return Err(format!("only a supervisor judges a {} \"{name}\"", self.kind.name()));
        }
        if until.is_some_and(|until| until <= by.1) {
            return Err("the date that the customer was told lies in the past".to_owned());
        }
        self.reclassed_as(class, until, by, pack)
    }

    fn raise(&mut self, level: u32, pack: &Pack) -> Result<(), String> {
        if level <= self.level {
            return Err(format!("it is at level {} already", self.level));
        }
        if !pack.levels.is_empty() && level as usize > pack.levels.len() {
            return Err(format!("pack {} knows {} levels of authority", pack.name, pack.levels.len()));
        }
        self.level = level;
        Ok(())
    }

    /// A further complaint on the same unresolved matter makes it what the class says.
    fn repeat(&mut self, by: (Uuid, UnixMs), complaint: Uuid, pack: &Pack) -> Result<(), String> {
        let becomes = class(pack, self.kind, &self.class)?.repeat_becomes.clone();
        if let Some(name) = becomes.filter(|name| *name != self.class) {
            self.reclassed_as(class(pack, self.kind, &name)?, None, by, pack)?;
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
            self.owes_next(DeadlineKind::Callback, fact, at, term);
        }
        if self.closed_by == ClosedBy::Work {
            self.close(at, MatterState::Closed);
        }
        Ok(())
    }

    pub(super) fn end_work(&mut self, at: UnixMs) {
        self.state = MatterState::Resolved;
        self.resolved_at = Some(at);
        self.end(DeadlineKind::Answer, at, Ending::Done);
        self.end(DeadlineKind::Resolution, at, Ending::Done);
        self.end(DeadlineKind::Routing, at, Ending::Cancelled);
        self.end(DeadlineKind::Progress, at, Ending::Cancelled);
    }

    /// Back to work: what was promised runs on from its own beginning, and the customer is owed a word each day again.
    pub(super) fn back_to_work(&mut self, fact: Uuid, at: UnixMs, pack: &Pack) -> Result<(), String> {
        let progress = class(pack, self.kind, &self.class)?.progress_every;
        let progress = progress.map(|limit| each(pack, limit, at)).transpose()?;
        let done = self.resolved_at.take().map(|resolved_at| (resolved_at, Ending::Done));
        self.state = MatterState::Answered;
        self.work_anew();
        for owed in self.owed.iter_mut().filter(|owed| owed.kind == DeadlineKind::Resolution) {
            owed.ended = owed.ended.filter(|ended| Some(*ended) != done);
        }
        if let Some(term) = progress {
            self.owes(DeadlineKind::Progress, Some(fact), at, term);
        }
        Ok(())
    }

    fn inspected(&mut self, fact: Uuid, at: UnixMs, ok: bool, pack: &Pack) -> Result<(), String> {
        if !ok {
            return self.back_to_work(fact, at, pack);
        }
        self.close(at, MatterState::Closed);
        Ok(())
    }

    fn pause(&mut self, at: UnixMs, cause: &str, until: UnixMs, pack: &Pack) -> Result<(), String> {
        known_cause(&pack.pause_causes, cause, "pause")?;
        if until <= at {
            return Err("a pause ends after it begins".to_owned());
        }
        self.pauses.push(Interval { from: at, to: Some(until) });
        let mut running = self.owed.iter().filter(|owed| owed.pausable && owed.ended.is_none());
        let reaches = running.try_for_each(|owed| self.must_reach(&owed.term, pack));
        if reaches.is_err() {
            self.pauses.pop();
        }
        reaches
    }

    fn exempt(&mut self, at: UnixMs, cause: &str, grantor: &str, pack: &Pack) -> Result<(), String> {
        known_cause(&pack.exempt_causes, cause, "exemption")?;
        self.exemption = Some(Exemption { cause: cause.to_owned(), grantor: grantor.to_owned(), at });
        Ok(())
    }

    pub(super) fn close(&mut self, at: UnixMs, state: MatterState) {
        self.state = state;
        self.closed_at = Some(at);
        self.end(DeadlineKind::Supervisor, at, Ending::Done);
        for owed in self.owed.iter_mut().filter(|owed| owed.ended.is_none()) {
            owed.ended = Some((at, Ending::Cancelled));
        }
    }

    pub(super) fn end(&mut self, kind: DeadlineKind, at: UnixMs, ending: Ending) {
        for owed in self.owed.iter_mut().filter(|owed| owed.kind == kind && owed.ended.is_none()) {
            owed.ended = Some((at, ending));
        }
    }

    pub(super) fn running(&self, kind: DeadlineKind) -> Option<&Term> {
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
