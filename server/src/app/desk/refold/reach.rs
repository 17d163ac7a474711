//! How far back, and to which faults, refolds reach.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use linewatch_shared::detector::LineState;
use linewatch_shared::sla::{Carried, Event, Fact, FaultState, Folded, LineRules, fold};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{ROUNDS_MAX, Touched, ids};
use crate::db::{DbError, Tx};
use crate::store::{facts, faults};

/// How long judging waits for more that is on its way, from the last time that it was said to be (ms).
const JUDGED_LATER_MS: i64 = 10_000;

/// A refold of one line.
pub(super) struct Reach {
    pub(super) rules: LineRules,
    /// The faults that it reaches, as they are stored.
    pub(super) old: BTreeMap<Uuid, FaultState>,
    /// The facts that it folds.
    pub(super) facts: Vec<Fact>,
    /// What they came to.
    pub(super) folded: Folded,
    from: UnixMs,
    now: UnixMs,
    more_follows: bool,
    /// Faults to reach to, by any of their ids, that were not read yet.
    named: BTreeSet<Uuid>,
    /// Ids for which waiting steps were looked up already.
    asked: BTreeSet<Uuid>,
}

impl Reach {
    pub(super) fn new(rules: LineRules, touched: Touched, now: UnixMs) -> Self {
        Self {
            rules,
            old: BTreeMap::new(),
            facts: Vec::new(),
            folded: Folded { faults: Vec::new(), loose: Vec::new(), line_state: LineState::Unknown },
            from: touched.from,
            now,
            more_follows: touched.more_follows,
            named: touched.named,
            asked: BTreeSet::new(),
        }
    }

    /// Where it begins.
    fn begins(&self) -> (&str, UnixMs) {
        (self.rules.line(), self.from)
    }

    /// The earliest moment that what it knows reaches back to. What planned work holds back is found from its beginning on.
    fn earliest(&self) -> UnixMs {
        self.old.values().map(|state| state.fault.first_at).fold(self.from, UnixMs::min)
    }

    /// When to judge what it found, where that is not now: a fault that is open is left alone for a moment while more of what
    /// happened is on its way. Weeks late, each of its silent half hours would be told of, and taken back a batch later.
    pub(super) fn judged_at(&self) -> Option<UnixMs> {
        self.more_follows.then(|| self.now + JUDGED_LATER_MS)
    }

    /// The moment that it is judged at: not before one at which its faults were.
    fn as_of(&self) -> UnixMs {
        self.old.values().map(|state| state.ledger.as_of(self.now)).fold(self.now, UnixMs::max)
    }

    /// Ids that stand for what is folded.
    fn touched(&self) -> HashSet<Uuid> {
        let known = self.old.values().flat_map(|state| ids(&state.fault));
        self.facts.iter().map(|fact| fact.id).chain(known).collect()
    }

    /// Reads its facts from there on, without the steps of faults that are not touched. Merges and splits tie faults
    /// together: where one of them is touched, so are the others.
    fn take_facts(&mut self, tx: &mut Tx<'_>, facts: Vec<Fact>) -> Result<(), DbError> {
        self.facts = facts;
        for _ in 0..ROUNDS_MAX {
            let tied = self.tied(tx)?;
            if tied.is_empty() {
                break;
            }
            self.named = tied;
            begin(tx, &mut [self])?;
            self.facts = facts::to_fold(tx, &[self.begins()])?.pop().unwrap_or_default();
        }
        if self.facts.len() as i64 >= facts::FACTS_READ_MAX {
            let (line, facts) = (self.rules.line(), self.facts.len());
            tracing::error!(line, facts, "too many facts of one line; the newest are not judged");
        }
        let touched = self.touched();
        let elsewhere: Vec<Uuid> =
            self.facts.iter().filter_map(step_of).filter(|id| !touched.contains(id)).collect();
        if !elsewhere.is_empty() {
            let elsewhere = faults::resolve_all(tx, &elsewhere)?;
            self.facts.retain(|fact| {
                step_of(fact).is_none_or(|id| touched.contains(&id) || !elsewhere.contains_key(&id))
            });
        }
        Ok(())
    }

    /// Faults of the line that a merge or a split names together with one that is touched, and that are not.
    fn tied(&self, tx: &mut Tx<'_>) -> Result<BTreeSet<Uuid>, DbError> {
        let steps = self.facts.iter().filter_map(|fact| match &fact.event {
            Event::Step(step) => step.reshapes().then_some(step),
            _ => None,
        });
        let mut steps = steps.peekable();
        if steps.peek().is_none() {
            return Ok(BTreeSet::new());
        }
        let (touched, mut tied) = (self.touched(), BTreeSet::new());
        for step in steps {
            let named: BTreeSet<Uuid> = step.faults().chain(step.reports().iter().copied()).collect();
            if named.iter().all(|id| !touched.contains(id)) {
                continue;
            }
            let others: Vec<Uuid> = named.into_iter().filter(|id| !touched.contains(id)).collect();
            for (fault, line) in faults::resolve_all(tx, &others)?.into_values() {
                if line == self.rules.line() && !self.old.contains_key(&fault) {
                    tied.insert(fault);
                }
            }
        }
        Ok(tied)
    }

    /// Ids of faults found for which nobody has asked yet whether steps wait for them.
    fn fresh(&mut self) -> Vec<Uuid> {
        let known: BTreeSet<Uuid> = self.old.values().flat_map(|state| ids(&state.fault)).collect();
        let new = self.folded.faults.iter().flat_map(ids);
        let fresh: Vec<Uuid> = new.filter(|id| !known.contains(id) && !self.asked.contains(id)).collect();
        self.asked.extend(&fresh);
        fresh
    }
}

/// The fault that a fact is a step of.
fn step_of(fact: &Fact) -> Option<Uuid> {
    match &fact.event {
        Event::Step(step) => Some(step.fault),
        _ => None,
    }
}

/// Reads and folds what the lines' refolds reach.
///
/// # Errors
/// The database's.
pub(super) fn read(tx: &mut Tx<'_>, reaches: &mut [&mut Reach]) -> Result<(), DbError> {
    begin(tx, reaches)?;
    let begins: Vec<_> = reaches.iter().map(|reach| reach.begins()).collect();
    let found = facts::to_fold(tx, &begins)?;
    for (reach, facts) in reaches.iter_mut().zip(found) {
        reach.take_facts(tx, facts)?;
    }
    let begins: Vec<_> = reaches.iter().map(|reach| reach.begins()).collect();
    let evidence = facts::evidence_before(tx, &begins)?;
    for (reach, evidence) in reaches.iter_mut().zip(evidence) {
        let carried = Carried { evidence, as_of: Some(reach.as_of()) };
        reach.folded = fold(reach.facts.clone(), &reach.rules, &carried);
    }
    Ok(())
}

/// Goes back until no fault reaches further: what a fact may touch, what those may touch, and so on.
fn begin(tx: &mut Tx<'_>, reaches: &mut [&mut Reach]) -> Result<(), DbError> {
    take_in_named(tx, reaches)?;
    let mut open: Vec<&mut Reach> = reaches.iter_mut().map(|reach| &mut **reach).collect();
    for reach in &mut open {
        reach.from = reach.earliest();
    }
    for _ in 0..ROUNDS_MAX {
        let begins: Vec<_> = open.iter().map(|reach| reach.begins()).collect();
        let found = faults::reaching(tx, &begins)?;
        let mut still = Vec::new();
        for (reach, states) in open.into_iter().zip(found) {
            reach.old.extend(states.into_iter().map(|state| (state.fault.id, state)));
            let from = reach.earliest();
            let from = reach.rules.work_since(from).map_or(from, |work| work.min(from));
            if from != reach.from {
                reach.from = from;
                still.push(reach);
            }
        }
        if still.is_empty() {
            return Ok(());
        }
        open = still;
    }
    for reach in open {
        let line = reach.rules.line();
        tracing::warn!(line, "a refold reaches back without end; it begins at the earliest fact found");
    }
    Ok(())
}

/// Reaches to the faults that are named too. They are resolved under the lines' locks: while this waited for them, one may
/// have become another's.
fn take_in_named(tx: &mut Tx<'_>, reaches: &mut [&mut Reach]) -> Result<(), DbError> {
    let named: Vec<Uuid> = reaches.iter().flat_map(|reach| reach.named.iter().copied()).collect();
    if named.is_empty() {
        return Ok(());
    }
    let resolved = faults::resolve_all(tx, &named)?;
    let ids: BTreeSet<Uuid> = resolved.values().map(|(fault, _)| *fault).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let states = faults::of_ids(tx, &ids)?;
    let states: HashMap<Uuid, FaultState> = states.into_iter().map(|state| (state.fault.id, state)).collect();
    for reach in reaches {
        for id in std::mem::take(&mut reach.named) {
            let state = resolved.get(&id).and_then(|(fault, _)| states.get(fault));
            reach.old.extend(state.map(|state| (state.fault.id, state.clone())));
        }
    }
    Ok(())
}

/// Gives the steps that waited for faults which were found to their lines. Answers the refolds that have to begin again for
/// it.
///
/// # Errors
/// The database's.
pub(super) fn attach_waiting<'a>(
    tx: &mut Tx<'_>,
    mut reaches: Vec<&'a mut Reach>,
) -> Result<Vec<&'a mut Reach>, DbError> {
    let fresh: Vec<Vec<Uuid>> = reaches.iter_mut().map(|reach| reach.fresh()).collect();
    let lines = reaches.iter().map(|reach| reach.rules.line());
    let faults: Vec<_> =
        lines.zip(&fresh).flat_map(|(line, ids)| ids.iter().map(move |id| (line, *id))).collect();
    let mut attached = facts::attach_waiting(tx, &faults)?;
    reaches.retain_mut(|reach| match attached.remove(reach.rules.line()) {
        Some(more) => {
            reach.named = more.named;
            reach.from = reach.from.min(more.from);
            true
        }
        None => false,
    });
    Ok(reaches)
}
