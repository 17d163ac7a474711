//! After new facts of a line: find its faults again, as far back as those facts reach.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use linewatch_shared::sla::{
    Carried, Event, Fact, FaultState, Folded, LineRules, PackVersion, carry, deadlines, fold, judge_all,
};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::Changes;
use crate::app::conflicts;
use crate::db::{DbError, Tx};
use crate::store::allowances::{self, Look};
use crate::store::{facts, faults, figures, lines};

/// The most rounds in which a refold may find that it has to begin earlier.
const ROUNDS_MAX: usize = 64;

/// What new facts of a line reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The earliest of their times.
    pub from: UnixMs,
    /// The faults that their steps name.
    pub named: BTreeSet<Uuid>,
}

impl Touched {
    /// By one fact.
    #[must_use]
    pub fn at(from: UnixMs) -> Self {
        Self { from, named: BTreeSet::new() }
    }

    /// By two.
    pub fn merge(&mut self, other: Self) {
        self.from = self.from.min(other.from);
        self.named.extend(other.named);
    }
}

/// Finds the line's faults again from its facts and saves what changed. Facts of a line that is not known
/// yet wait for it. The caller holds the line's lock.
///
/// # Errors
/// The database's.
pub fn refold(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    line: &str,
    touched: &Touched,
    now: UnixMs,
    changes: &mut Changes,
) -> Result<(), DbError> {
    let Some(rules) = lines::rules(tx, line, versions)? else {
        return facts::wait_for_line(tx, line, touched.from);
    };
    let mut reach = Reach::of(tx, &rules, touched, now)?;
    let mut facts = reach.facts(tx, &rules)?;
    let mut folded = reach.fold(tx, &rules, &facts)?;
    for _ in 0..ROUNDS_MAX {
        let known: BTreeSet<Uuid> = reach.old.values().flat_map(|state| ids(&state.fault)).collect();
        let fresh: Vec<Uuid> = folded
            .faults
            .iter()
            .flat_map(ids)
            .filter(|id| !known.contains(id) && !reach.asked.contains(id))
            .collect();
        reach.asked.extend(&fresh);
        let Some(attached) = facts::attach_waiting(tx, line, &fresh)? else { break };
        reach.take_in(tx, &attached.named)?;
        reach.begin_at(tx, &rules, attached.from)?;
        facts = reach.facts(tx, &rules)?;
        folded = reach.fold(tx, &rules, &facts)?;
    }
    save_line_state(tx, line, &folded, &facts)?;
    conflicts::after_fold(tx, line, &folded)?;
    save(tx, &rules, reach.old, folded, now, changes)
}

/// A fault's id and its aliases.
fn ids(fault: &linewatch_shared::sla::Fault) -> impl Iterator<Item = Uuid> {
    std::iter::once(fault.id).chain(fault.aliases.iter().copied())
}

/// How far back, and to which faults, a refold reaches.
struct Reach {
    from: UnixMs,
    now: UnixMs,
    old: BTreeMap<Uuid, FaultState>,
    /// Ids for which waiting steps were looked up already.
    asked: BTreeSet<Uuid>,
}

impl Reach {
    fn of(tx: &mut Tx<'_>, rules: &LineRules, touched: &Touched, now: UnixMs) -> Result<Self, DbError> {
        let mut reach = Self { from: touched.from, now, old: BTreeMap::new(), asked: BTreeSet::new() };
        reach.take_in(tx, &touched.named)?;
        reach.begin_at(tx, rules, touched.from)?;
        Ok(reach)
    }

    /// Goes back until no fault reaches further: what a fact may touch, what those may touch, and so on.
    /// What planned work holds back is found from its beginning on.
    fn begin_at(&mut self, tx: &mut Tx<'_>, rules: &LineRules, at: UnixMs) -> Result<(), DbError> {
        let line = rules.line();
        let earliest = |old: &BTreeMap<Uuid, FaultState>, from: UnixMs| {
            old.values().map(|state| state.fault.first_at).fold(from, UnixMs::min)
        };
        self.from = earliest(&self.old, self.from.min(at));
        for _ in 0..ROUNDS_MAX {
            for state in faults::reaching(tx, line, self.from)? {
                self.old.insert(state.fault.id, state);
            }
            let from = earliest(&self.old, self.from);
            let from = rules.work_since(from).map_or(from, |work| work.min(from));
            if from == self.from {
                return Ok(());
            }
            self.from = from;
        }
        tracing::warn!(line, "a refold reaches back without end; it begins at the earliest fact found");
        Ok(())
    }

    /// Reaches to these faults too. They are resolved under the line's lock: while this waited for it, one may have
    /// become another's.
    fn take_in(&mut self, tx: &mut Tx<'_>, named: &BTreeSet<Uuid>) -> Result<(), DbError> {
        for id in named {
            let Some((id, _)) = faults::resolve(tx, *id)? else { continue };
            self.old.extend(faults::one(tx, id)?.map(|state| (id, state)));
        }
        Ok(())
    }

    /// The facts from there on, without the steps of faults that are not touched. Merges and splits tie faults
    /// together: where one of them is touched, so are the others.
    fn facts(&mut self, tx: &mut Tx<'_>, rules: &LineRules) -> Result<Vec<Fact>, DbError> {
        let line = rules.line();
        let mut facts = facts::to_fold(tx, line, self.from)?;
        for _ in 0..ROUNDS_MAX {
            let tied = self.tied(tx, line, &facts)?;
            if tied.is_empty() {
                break;
            }
            self.take_in(tx, &tied)?;
            self.begin_at(tx, rules, self.from)?;
            facts = facts::to_fold(tx, line, self.from)?;
        }
        if facts.len() as i64 >= facts::FACTS_READ_MAX {
            tracing::error!(
                line,
                facts = facts.len(),
                "too many facts of one line; the newest are not judged"
            );
        }
        let touched = self.touched(&facts);
        let mut elsewhere: HashMap<Uuid, bool> = HashMap::new();
        for fact in &facts {
            if let Event::Step(step) = &fact.event
                && !touched.contains(&step.fault)
                && !elsewhere.contains_key(&step.fault)
            {
                elsewhere.insert(step.fault, faults::resolve(tx, step.fault)?.is_some());
            }
        }
        facts.retain(|fact| match &fact.event {
            Event::Step(step) => !elsewhere.get(&step.fault).copied().unwrap_or_default(),
            _ => true,
        });
        Ok(facts)
    }

    /// Ids that stand for what is folded.
    fn touched(&self, facts: &[Fact]) -> HashSet<Uuid> {
        let known = self.old.values().flat_map(|state| ids(&state.fault));
        facts.iter().map(|fact| fact.id).chain(known).collect()
    }

    /// Faults of the line that a merge or a split names together with one that is touched, and that are not.
    fn tied(&self, tx: &mut Tx<'_>, line: &str, facts: &[Fact]) -> Result<BTreeSet<Uuid>, DbError> {
        let mut tied = BTreeSet::new();
        let steps = facts.iter().filter_map(|fact| match &fact.event {
            Event::Step(step) => step.reshapes().then_some(step),
            _ => None,
        });
        let touched = self.touched(facts);
        for step in steps {
            let named: BTreeSet<Uuid> = step.faults().chain(step.reports().iter().copied()).collect();
            if named.iter().all(|id| !touched.contains(id)) {
                continue;
            }
            for id in named.into_iter().filter(|id| !touched.contains(id)) {
                let found = faults::resolve(tx, id)?.filter(|(_, of_line)| of_line == line);
                tied.extend(found.map(|(fault, _)| fault).filter(|fault| !self.old.contains_key(fault)));
            }
        }
        Ok(tied)
    }

    fn fold(&self, tx: &mut Tx<'_>, rules: &LineRules, facts: &[Fact]) -> Result<Folded, DbError> {
        let evidence = facts::evidence_before(tx, rules.line(), self.from)?;
        Ok(fold(facts.to_vec(), rules, &Carried { evidence, as_of: Some(self.now) }))
    }
}

fn save_line_state(tx: &mut Tx<'_>, line: &str, folded: &Folded, facts: &[Fact]) -> Result<(), DbError> {
    let evidence = facts.iter().filter(|fact| matches!(fact.event, Event::Evidence { .. }));
    match evidence.map(|fact| fact.occurred_at).max() {
        Some(since) => lines::save_state(tx, line, folded.line_state.name(), since),
        None => Ok(()),
    }
}

fn save(
    tx: &mut Tx<'_>,
    rules: &LineRules,
    old: BTreeMap<Uuid, FaultState>,
    folded: Folded,
    now: UnixMs,
    changes: &mut Changes,
) -> Result<(), DbError> {
    let before = old.clone();
    let mut states = carry(old.into_values().collect(), folded.faults);
    let kept: BTreeSet<Uuid> = states.iter().map(|state| state.fault.id).collect();
    let gone: BTreeSet<Uuid> = before.keys().copied().filter(|id| !kept.contains(id)).collect();
    faults::remove(tx, &gone)?;
    // The earliest moment from which on the line's time without service may be another.
    let mut interrupted =
        before.values().filter(|old| gone.contains(&old.fault.id)).map(|old| old.fault.first_at).min();
    changes.replaced.extend(gone);
    for state in &mut states {
        let owed = deadlines(&state.fault, now);
        let effects = judge_all(state.fault.id, &owed, &mut state.ledger, now);
        if before.get(&state.fault.id) == Some(state) {
            continue;
        }
        let (pack, _) = rules.pack_at(state.fault.started_at);
        let joins_until = state.fault.joins_until(pack.same_fault_within_ms);
        faults::save(tx, state, &owed, joins_until, now)?;
        let aliases_known =
            before.get(&state.fault.id).is_some_and(|old| old.fault.aliases == state.fault.aliases);
        if !aliases_known {
            faults::save_aliases(tx, state)?;
        }
        if figures::save(tx, &state.fault, pack.time_zone)? {
            let old = before.get(&state.fault.id).map_or(state.fault.first_at, |old| old.fault.first_at);
            interrupted = interrupted.into_iter().chain([old.min(state.fault.first_at)]).min();
        }
        changes.faults.push((state.fault.clone(), effects));
    }
    match interrupted {
        Some(from) => allowances::ask(tx, &Look { line: rules.line().to_owned(), from, at: now }),
        None => Ok(()),
    }
}
