//! The walk through planned work: what falls into it waits for its end.

use super::fact::Fact;
use super::fault::Placed;
use super::fold::FACTS_PER_FAULT_MAX;
use super::line::{Walk, place};
use super::service::Opening;
use super::window::Held;
use crate::detector::LineState;

impl Walk<'_> {
    /// After planned work, what overran it opens a fault at its end; `next` is the fact that comes then.
    pub(super) fn end_work(&mut self, next: Option<&Fact>) {
        let Some(held) = self.held.take_if(|held| next.is_none_or(|fact| held.is_over(fact))) else { return };
        let line = self.vantages.last_known().unwrap_or(LineState::Unknown);
        match held.overrun(line) {
            Some(opening) => self.overrun(&held, opening, line),
            None => self.forgive(held),
        }
    }

    /// What fell into planned work, and did not outlast it, belongs to no fault.
    pub(super) fn forgive(&mut self, held: Held) {
        self.loose.extend(held.facts.into_iter().map(|(fact, _)| Placed { id: fact.id, misfit: None }));
    }

    fn overrun(&mut self, held: &Held, opening: Opening, line: LineState) {
        let Some((first, _)) = held.facts.first() else { return };
        self.open(&Fact { occurred_at: held.until, ..first.clone() }, opening);
        let Some(fault) = self.faults.last_mut().filter(|fault| fault.answers_to(first.id)) else { return };
        fault.first_at = fault.first_at.min(first.occurred_at);
        let clock_starts = self.rules.pack_at(fault.started_at).0.clock_starts;
        for (fact, kept) in &held.facts {
            if matches!(kept, Opening::Report(_)) && fault.reported_at.is_none() {
                fault.opened(fact.id, held.until, Opening::Report(line), clock_starts);
            }
            if fact.id != first.id {
                fault.aliases.push(fact.id);
                place(fault, fact.id, Ok(()));
            }
        }
    }

    /// Keeps an opening fact that falls into planned work, unless a fault is open that it belongs to.
    pub(super) fn hold(&mut self, fact: &Fact, opening: Opening) -> bool {
        if self.faults.iter().any(|fault| fault.state.is_working()) {
            return false;
        }
        let Some(until) = self.rules.work_until(fact.occurred_at) else { return false };
        let held = self.held.get_or_insert_with(|| Held { until, facts: Vec::new() });
        if held.facts.len() < FACTS_PER_FAULT_MAX {
            held.facts.push((fact.clone(), opening));
        } else {
            self.loose.push(Placed { id: fact.id, misfit: None });
        }
        true
    }
}
