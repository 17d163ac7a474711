//! The walk that finds the faults of one line.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::countable::Countable;
use super::evidence::Vantages;
use super::fact::{Event, Fact};
use super::fault::{Fault, Placed, State, Terms};
use super::reshape::{Forced, Shape, reshaping};
use super::rules::LineRules;
use super::service::Opening;
use crate::detector::LineState;
use crate::facts::Step;
use crate::time::UnixMs;

/// The most facts that one fault keeps; a line that flaps beyond it is marked, not walked further.
pub const FACTS_PER_FAULT_MAX: usize = 10_000;

/// What held before the first of the facts.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// The last state that each agent gave, the one that changed last at the end.
    pub evidence: Vec<(String, LineState)>,
}

/// What the facts of a line amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The faults, in the order of their starts.
    pub faults: Vec<Fault>,
    /// Facts that belong to no fault (a line that stays up; a step that names none), with the reason
    /// where a person should look at it.
    pub loose: Vec<Placed>,
    /// The line's state after the last fact.
    pub line_state: LineState,
}

/// How often the walk is repeated for steps that name an alias from before its own time.
const WALKS_MAX: usize = 4;

/// Finds the faults of one line. `facts` may come in any order and repeat.
#[must_use]
pub fn fold(mut facts: Vec<Fact>, rules: &LineRules, carried: &Carried) -> Folded {
    facts.sort_unstable_by_key(Fact::fold_order);
    facts.dedup_by_key(|fact| fact.id);
    let mut shape = Shape::default();
    let mut folded = settled(&facts, rules, carried, &shape);
    for (fact, step) in facts.iter().filter_map(|fact| Some((fact, reshaping(fact)?))) {
        shape.judge(fact, step, &folded.faults, &facts);
        folded = settled(&facts, rules, carried, &shape);
    }
    folded
}

/// Walks until every step that names an alias from before its own time has found its fault.
fn settled(facts: &[Fact], rules: &LineRules, carried: &Carried, shape: &Shape) -> Folded {
    let mut known = BTreeMap::new();
    let mut folded = walk(facts, rules, carried, shape, &known);
    for _ in 1..WALKS_MAX {
        let aliases = aliases_named_early(facts, &folded);
        if aliases.iter().all(|(alias, _)| known.contains_key(alias)) {
            break;
        }
        known.extend(aliases);
        folded = walk(facts, rules, carried, shape, &known);
    }
    folded
}

fn walk(
    facts: &[Fact],
    rules: &LineRules,
    carried: &Carried,
    shape: &Shape,
    known: &BTreeMap<Uuid, Uuid>,
) -> Folded {
    let first = facts.first().map_or(UnixMs(0), |fact| fact.occurred_at);
    let mut walk = Walk {
        rules,
        shape,
        known,
        vantages: Vantages::new(&carried.evidence, &rules.terms_at(first).owner),
        faults: Vec::new(),
        suspicion: None,
        loose: Vec::new(),
    };
    for fact in facts {
        walk.take(fact);
    }
    let last = facts.last().map_or(UnixMs(0), |fact| fact.occurred_at);
    let line_state = walk.vantages.effective(&rules.terms_at(last).owner);
    let mut faults = walk.faults;
    faults.extend(walk.suspicion);
    faults.sort_by_key(|fault| (fault.started_at, fault.id));
    for fault in &mut faults {
        fault.countable = Countable::of(fault, rules.pack_at(fault.started_at).0);
    }
    Folded { faults, loose: walk.loose, line_state }
}

/// Steps that found no fault because the alias which they name joined its fault only later in time.
fn aliases_named_early(facts: &[Fact], folded: &Folded) -> Vec<(Uuid, Uuid)> {
    let misfits: BTreeSet<Uuid> = folded.loose.iter().filter(|p| p.misfit.is_some()).map(|p| p.id).collect();
    let steps = facts.iter().filter(|fact| misfits.contains(&fact.id)).filter_map(|fact| match &fact.event {
        Event::Step(step) => Some((fact.occurred_at, step.fault)),
        _ => None,
    });
    steps
        .filter_map(|(at, named)| {
            let fault = folded
                .faults
                .iter()
                .find(|fault| fault.aliases.contains(&named) && fault.started_at <= at)?;
            Some((named, fault.id))
        })
        .collect()
}

struct Walk<'a> {
    rules: &'a LineRules,
    shape: &'a Shape,
    /// Aliases and their faults, as an earlier walk found them.
    known: &'a BTreeMap<Uuid, Uuid>,
    vantages: Vantages,
    faults: Vec<Fault>,
    /// At most one at a time, and never the fault that openings join.
    suspicion: Option<Fault>,
    loose: Vec<Placed>,
}

impl Walk<'_> {
    fn take(&mut self, fact: &Fact) {
        match &fact.event {
            Event::Evidence { agent, state } => self.evidence(fact, agent, *state),
            Event::Report { .. } => {
                let line = self.vantages.last_known().unwrap_or(LineState::Unknown);
                self.open(fact, Opening::Report(line));
            }
            Event::Suspected => self.suspect(fact),
            Event::Cleared => self.clear(fact),
            Event::Step(step) => self.step(fact, step),
        }
    }

    fn evidence(&mut self, fact: &Fact, agent: &str, state: LineState) {
        let owner = &self.rules.terms_at(fact.occurred_at).owner;
        match self.vantages.change(agent, state, owner) {
            Some(LineState::Down) => self.open(fact, Opening::Down),
            Some(LineState::Degraded) => self.open(fact, Opening::Degraded),
            Some(_) => self.came_back(fact),
            // It changes nothing, but belongs to the story of a fault that is being worked on.
            None => match self.faults.iter_mut().rev().find(|fault| fault.state.is_working()) {
                Some(fault) => place(fault, fact.id, Ok(())),
                None => self.loose.push(Placed { id: fact.id, misfit: None }),
            },
        }
    }

    /// Service is back: for each fault in which it was out, else for the story of the last one.
    fn came_back(&mut self, fact: &Fact) {
        let any_out = self.faults.iter().any(|fault| fault.takes_clearing() && fault.waits_for_clearing());
        let last = self.faults.len().saturating_sub(1);
        let takes = |(at, fault): &(usize, &mut Fault)| {
            fault.takes_clearing() && if any_out { fault.waits_for_clearing() } else { *at == last }
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

    /// An opening fact joins one of the line's faults, or begins one; either is the last one from now on.
    fn open(&mut self, fact: &Fact, opening: Opening) {
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
            },
            countable: Countable::default(),
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
        let (pack, _) = self.rules.pack_at(fault.started_at);
        let fitted = match reshaping(fact) {
            Some(_) => self.shape.verdict(fact.id),
            None => fault.step(fact.id, fact.occurred_at, &step.kind, pack, line),
        };
        place(fault, fact.id, fitted);
    }
}

fn place(fault: &mut Fault, id: Uuid, fitted: Result<(), String>) {
    fault.facts.push(Placed { id, misfit: fitted.err() });
}
