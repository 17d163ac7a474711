//! Merges and splits: two faults that turn out to be one, reports that turn out to be of another fault.
//!
//! Each is a fact. They are judged one after the other, each against the faults that the walk finds with
//! those before it, and come out as a word on single opening facts: begin a fault, or join that one.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::fact::{Event, Fact};
use super::fault::{Fault, State};
use crate::facts::{Step, StepKind};

/// The most merges and splits of one fold; later ones are marked.
pub const RESHAPES_MAX: usize = 64;

/// What becomes of an opening fact, whatever its time says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forced {
    /// It begins a fault.
    Begin,
    /// It joins the fault that answers to this id.
    Join(Uuid),
}

/// The words of all merges and splits so far.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    forced: BTreeMap<Uuid, Forced>,
    verdicts: BTreeMap<Uuid, Result<(), String>>,
    judged: usize,
}

/// The step, where the fact is a merge or a split.
pub fn reshaping(fact: &Fact) -> Option<&Step> {
    match &fact.event {
        Event::Step(step) => step.reshapes().then_some(step),
        _ => None,
    }
}

impl Shape {
    /// The word on an opening fact, where there is one.
    pub fn forced(&self, opening: Uuid) -> Option<Forced> {
        self.forced.get(&opening).copied()
    }

    /// Whether a merge or split fits.
    pub fn verdict(&self, fact: Uuid) -> Result<(), String> {
        self.verdicts.get(&fact).cloned().unwrap_or(Ok(()))
    }

    /// Judges one more: `faults` are those of a walk with the words so far, `facts` in fold order.
    pub fn judge(&mut self, fact: &Fact, step: &Step, faults: &[Fault], facts: &[Fact]) {
        self.judged += 1;
        let verdict = if self.judged > RESHAPES_MAX {
            Err(format!("the line's faults were merged and split more than {RESHAPES_MAX} times"))
        } else {
            match (&step.kind, faults.iter().find(|fault| fault.answers_to(step.fault))) {
                (StepKind::Merged { into }, Some(fault)) => self.merge(fault, *into, faults),
                (StepKind::Split { reports }, Some(fault)) => self.split(fact, fault, reports, facts),
                // Where there is no such fault, the walk says so.
                _ => Ok(()),
            }
        };
        self.verdicts.insert(fact.id, verdict);
    }

    /// The earliest start wins: the later fault's first opening joins the earlier one.
    fn merge(&mut self, fault: &Fault, into: Uuid, faults: &[Fault]) -> Result<(), String> {
        let Some(other) = faults.iter().find(|fault| fault.answers_to(into)) else {
            return Err("the fault that it is merged with is not one of this line's".to_owned());
        };
        if other.id == fault.id {
            return Err("both are one fault already".to_owned());
        }
        for one in [fault, other] {
            if matches!(one.state, State::Suspected | State::Withdrawn) {
                return Err(format!("fault {} is {}, not to be merged", one.id, one.state.name()));
            }
        }
        let order = |fault: &Fault| (fault.started_at, fault.id);
        let (earlier, later) = if order(fault) < order(other) { (fault, other) } else { (other, fault) };
        self.forced.insert(later.id, Forced::Join(earlier.id));
        Ok(())
    }

    fn split(&mut self, fact: &Fact, fault: &Fault, named: &[Uuid], facts: &[Fact]) -> Result<(), String> {
        let openings: Vec<&Fact> =
            facts.iter().filter(|fact| fact.event.opens() && fault.answers_to(fact.id)).collect();
        if let Some(stranger) = named.iter().find(|id| openings.iter().all(|opening| opening.id != **id)) {
            return Err(format!("{stranger} is no report and no first evidence of this fault"));
        }
        let (out, rest): (Vec<&Fact>, Vec<&Fact>) =
            openings.into_iter().partition(|opening| named.contains(&opening.id));
        let (Some(first_out), Some(first_rest)) = (out.first(), rest.first()) else {
            let what = if out.is_empty() { "nothing is named" } else { "nothing would be left of the fault" };
            return Err(what.to_owned());
        };
        let kept = self.forced(first_rest.id).filter(|_| first_rest.id == fault.id);
        self.regroup(first_out.id, &out[1..]);
        // What opens after the split goes where its time says.
        let before: Vec<&Fact> =
            rest[1..].iter().copied().filter(|f| f.fold_order() < fact.fold_order()).collect();
        self.regroup(first_rest.id, &before);
        match kept {
            Some(word) => self.forced.insert(first_rest.id, word),
            None if first_rest.id == fault.id => self.forced.remove(&first_rest.id),
            None => None,
        };
        Ok(())
    }

    /// Makes a fault of openings.
    fn regroup(&mut self, first: Uuid, others: &[&Fact]) {
        self.forced.insert(first, Forced::Begin);
        self.forced.extend(others.iter().map(|other| (other.id, Forced::Join(first))));
    }
}
