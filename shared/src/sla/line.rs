//! The walk over the facts of one line: to which fault each of them belongs.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::countable::Countable;
use super::evidence::Vantages;
use super::fact::{Event, Fact};
use super::fault::{Fault, Placed, State, Terms};
use super::fold::FACTS_PER_FAULT_MAX;
use super::reshape::{Forced, Shape, reshaping};
use super::rules::LineRules;
use super::service::Opening;
use super::window::Held;
use crate::detector::LineState;
use crate::facts::{Step, StepKind};

/// Where the walk stands.
pub(super) struct Walk<'a> {
    pub(super) rules: &'a LineRules,
    pub(super) shape: &'a Shape,
    /// Aliases and their faults, as an earlier walk found them.
    pub(super) known: &'a BTreeMap<Uuid, Uuid>,
    pub(super) vantages: Vantages,
    pub(super) faults: Vec<Fault>,
    /// At most one at a time, and never the fault that openings join.
    pub(super) suspicion: Option<Fault>,
    /// What fell into planned work that is under way.
    pub(super) held: Option<Held>,
    pub(super) loose: Vec<Placed>,
}

impl Walk<'_> {
    pub(super) fn take(&mut self, fact: &Fact) {
        self.end_work(Some(fact));
        match &fact.event {
            Event::Evidence { agent, state } => self.evidence(fact, agent, *state),
            Event::Report { .. } => {
                let line = self.vantages.last_known().unwrap_or(LineState::Unknown);
                self.take_opening(fact, Opening::Report(line));
            }
            Event::Suspected => self.suspect(fact),
            Event::Cleared => self.clear(fact),
            Event::Step(step) => self.step(fact, step),
        }
    }

    fn evidence(&mut self, fact: &Fact, agent: &str, state: LineState) {
        let owner = &self.rules.terms_at(fact.occurred_at).owner;
        match self.vantages.change(agent, state, owner) {
            Some(LineState::Down) => self.take_opening(fact, Opening::Down),
            Some(LineState::Degraded) => self.take_opening(fact, Opening::Degraded),
            Some(_) => self.came_back(fact),
            // It changes nothing, but belongs to the story of a fault that is being worked on.
            None => match self.faults.iter_mut().rev().find(|fault| fault.state.is_working()) {
                Some(fault) => place(fault, fact.id, Ok(())),
                None => self.loose.push(Placed { id: fact.id, misfit: None }),
            },
        }
    }

    /// Service is back: for each fault in which it was out, else for the story of the last one. One that an opening
    /// could join no more is not folded again for this fact, and so must not take it either.
    fn came_back(&mut self, fact: &Fact) {
        if let Some(held) = self.held.take() {
            self.forgive(held);
        }
        let any_out = self.faults.iter().any(|fault| fault.takes_clearing() && fault.waits_for_clearing());
        let last = self.faults.len().saturating_sub(1);
        let rules = self.rules;
        let near = |fault: &Fault| {
            let within_ms = rules.pack_at(fault.started_at).0.same_fault_within_ms;
            fact.occurred_at <= fault.joins_until(within_ms)
        };
        let takes = |(at, fault): &(usize, &mut Fault)| {
            fault.takes_clearing()
                && if any_out { fault.waits_for_clearing() } else { *at == last && near(fault) }
        };
        let mut placed = false;
        for (_, fault) in self.faults.iter_mut().enumerate().filter(takes) {
            fault.came_back(fact.id, fact.occurred_at);
            place(fault, fact.id, Ok(()));
            placed = true;
        }
        if !placed {
            self.loose.push(Placed { id: fact.id, misfit: None });
        }
    }

    /// The fault that an opening fact at the moment joins.
    fn joined_by(&self, opening: &Fact) -> Option<usize> {
        match self.shape.forced(opening.id) {
            Some(Forced::Begin) => return None,
            Some(Forced::Join(id)) => {
                let named = self.faults.iter().rposition(|fault| fault.answers_to(id));
                if named.is_some() {
                    return named;
                }
            }
            None => {}
        }
        self.faults.iter().rposition(|fault| {
            let (pack, _) = self.rules.pack_at(fault.started_at);
            fault.state.is_live() && opening.occurred_at <= fault.joins_until(pack.same_fault_within_ms)
        })
    }

    /// What a fact that may open a fault does.
    fn take_opening(&mut self, fact: &Fact, opening: Opening) {
        if !self.hold(fact, opening) {
            self.open(fact, opening);
        }
    }

    /// An opening fact joins one of the line's faults, or begins one; either is the last one from now on.
    pub(super) fn open(&mut self, fact: &Fact, opening: Opening) {
        let mut fault = match self.joined_by(fact) {
            Some(at) => {
                let mut fault = self.faults.remove(at);
                fault.aliases.push(fact.id);
                fault
            }
            None => self.begin(fact, State::Open),
        };
        let suspicion = self.suspicion.take();
        if fault.facts.len() >= FACTS_PER_FAULT_MAX {
            let reason = "the fault already has too many facts".to_owned();
            self.loose.push(Placed { id: fact.id, misfit: Some(reason) });
        } else {
            let clock_starts = self.rules.pack_at(fault.started_at).0.clock_starts;
            fault.opened(fact.id, fact.occurred_at, opening, clock_starts);
            if let Some(suspicion) = suspicion {
                fault.aliases.push(suspicion.id);
                fault.first_at = fault.first_at.min(suspicion.first_at);
                fault.aliases.extend(&suspicion.aliases);
                fault.facts.extend(suspicion.facts);
            }
            place(&mut fault, fact.id, Ok(()));
        }
        self.faults.push(fault);
    }

    fn begin(&self, fact: &Fact, state: State) -> Fault {
        let at = fact.occurred_at;
        let (pack, tier) = self.rules.pack_at(at);
        let follows = self
            .faults
            .last()
            .filter(|last| last.state.is_closed() && at <= last.joins_until(pack.same_fault_within_ms));
        Fault {
            id: fact.id,
            aliases: Vec::new(),
            line: self.rules.line().to_owned(),
            state,
            first_at: at,
            started_at: at,
            detected_at: None,
            reported_at: None,
            acknowledged: false,
            acknowledged_at: None,
            terms: Terms {
                customer: self.rules.terms_at(at).customer.clone(),
                pack: pack.name.clone(),
                version: pack.version.clone(),
                service: self.rules.terms_at(at).service.clone(),
                tier: tier.clone(),
                promised: self.rules.terms_at(at).promised,
            },
            countable: Countable::default(),
            former: Vec::new(),
            clock: Vec::new(),
            pauses: Vec::new(),
            outage: Vec::new(),
            degraded: Vec::new(),
            feedback: Vec::new(),
            repairs: Vec::new(),
            callbacks: Vec::new(),
            retries: Vec::new(),
            supervision: Vec::new(),
            proposed_restored_at: None,
            restored_at: None,
            last_restored_at: None,
            closed_at: None,
            exemption: None,
            follows: follows.map(|last| last.id),
            facts: Vec::new(),
        }
    }

    /// A silent agent: a flag beside the faults, unless the line is known to be down already.
    fn suspect(&mut self, fact: &Fact) {
        if let Some(fault) = self.faults.iter_mut().rev().find(|fault| fault.state.is_working()) {
            fault.aliases.push(fact.id);
            place(fault, fact.id, Ok(()));
            return;
        }
        let mut suspicion = match self.suspicion.take() {
            Some(mut known) => {
                known.aliases.push(fact.id);
                known
            }
            None => self.begin(fact, State::Suspected),
        };
        place(&mut suspicion, fact.id, Ok(()));
        self.suspicion = Some(suspicion);
    }

    fn clear(&mut self, fact: &Fact) {
        match self.suspicion.take() {
            Some(mut suspicion) => {
                suspicion.state = State::Withdrawn;
                suspicion.closed_at = Some(fact.occurred_at);
                place(&mut suspicion, fact.id, Ok(()));
                // Kept before the last fault, so that openings go on joining that one.
                let before_last = self.faults.len().saturating_sub(1);
                self.faults.insert(before_last, suspicion);
            }
            None => self.loose.push(Placed { id: fact.id, misfit: None }),
        }
    }

    fn step(&mut self, fact: &Fact, step: &Step) {
        let line = self.vantages.last_known().unwrap_or(LineState::Unknown);
        let suspicion = self.suspicion.iter_mut();
        let early = self.known.get(&step.fault).copied().unwrap_or(step.fault);
        let named = |fault: &&mut Fault| fault.answers_to(step.fault) || fault.answers_to(early);
        let Some(fault) = self.faults.iter_mut().rev().chain(suspicion).find(named) else {
            let reason = "it is dated before the start of the fault that it names".to_owned();
            self.loose.push(Placed { id: fact.id, misfit: Some(reason) });
            return;
        };
        let pack = self.rules.pack_of(fault);
        let fitted = match (reshaping(fact), &step.kind) {
            (Some(_), _) => self.shape.verdict(fact.id),
            (None, StepKind::Rerated { tier, version, .. }) => {
                fault.rerate(fact.occurred_at, tier.as_deref(), version.as_deref(), self.rules)
            }
            (None, _) => fault.step(fact.id, fact.occurred_at, &step.kind, pack, line),
        };
        place(fault, fact.id, fitted);
    }
}

pub(super) fn place(fault: &mut Fault, id: Uuid, fitted: Result<(), String>) {
    fault.facts.push(Placed { id, misfit: fitted.err() });
}
