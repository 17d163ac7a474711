//! The walk that finds the faults of one line.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::evidence::Vantages;
use super::fact::{Event, Fact};
use super::fault::{Fault, Placed};
use super::line::Walk;
use super::reshape::{Shape, reshaping};
use super::rules::LineRules;
use crate::detector::LineState;
use crate::time::UnixMs;

/// The most facts that one fault keeps; a line that flaps beyond it is marked, not walked further.
pub const FACTS_PER_FAULT_MAX: usize = 10_000;

/// What held before the first of the facts.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// The last state that each agent gave, the one that changed last at the end.
    pub evidence: Vec<(String, LineState)>,
    /// Planned work that ends after this moment has not been overrun yet; without it, all that is known will have.
    pub as_of: Option<UnixMs>,
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
        held: None,
        loose: Vec::new(),
    };
    for fact in facts {
        walk.take(fact);
    }
    if walk.held.as_ref().is_some_and(|held| carried.as_of.is_none_or(|now| held.until <= now)) {
        walk.end_work(None);
    }
    walk.loose.extend(
        walk.held.iter().flat_map(|held| &held.facts).map(|(fact, _)| Placed { id: fact.id, misfit: None }),
    );
    let last = facts.last().map_or(UnixMs(0), |fact| fact.occurred_at);
    let line_state = walk.vantages.effective(&rules.terms_at(last).owner);
    let mut faults = walk.faults;
    faults.extend(walk.suspicion);
    faults.sort_by_key(|fault| (fault.started_at, fault.id));
    for fault in &mut faults {
        fault.count(rules);
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
