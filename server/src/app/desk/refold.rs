//! After new facts of lines: find their faults again, as far back as those facts reach. All lines at once, so that what is
//! asked of the database does not wait line by line.

mod reach;
mod save;

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::sla::{Event, Fault, PackVersion};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::Changes;
use crate::app::conflicts;
use crate::db::{DbError, Tx};
use crate::store::{conflicts as stored_conflicts, facts, lines};
use reach::Reach;

/// The most rounds in which a refold may find that it has to begin earlier.
const ROUNDS_MAX: usize = 64;

/// What new facts of a line reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The earliest of their times.
    pub from: UnixMs,
    /// The faults that their steps name.
    pub named: BTreeSet<Uuid>,
    /// Whether more of what happened is on its way: what is still open may be over in what comes next.
    pub more_follows: bool,
}

impl Touched {
    /// By one fact.
    #[must_use]
    pub fn at(from: UnixMs) -> Self {
        Self { from, named: BTreeSet::new(), more_follows: false }
    }

    /// By two.
    pub fn merge(&mut self, other: Self) {
        self.from = self.from.min(other.from);
        self.named.extend(other.named);
        self.more_follows |= other.more_follows;
    }
}

/// Finds the lines' faults again from their facts and saves what changed. Facts of a line that is not known yet wait for
/// it. The caller holds the lines' locks.
///
/// # Errors
/// The database's.
pub fn refold(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    touched: &BTreeMap<String, Touched>,
    now: UnixMs,
    changes: &mut Changes,
) -> Result<(), DbError> {
    let codes: Vec<&str> = touched.keys().map(String::as_str).collect();
    let (mut reaches, mut unknown) = (Vec::new(), Vec::new());
    for ((line, touched), rules) in touched.iter().zip(lines::rules_of(tx, &codes, versions)?) {
        match rules {
            Some(rules) => reaches.push(Reach::new(rules, touched.clone(), now)),
            None => unknown.push((line.as_str(), touched.from)),
        }
    }
    facts::wait_for_lines(tx, &unknown)?;
    let mut open: Vec<&mut Reach> = reaches.iter_mut().collect();
    for _ in 0..ROUNDS_MAX {
        if open.is_empty() {
            break;
        }
        reach::read(tx, &mut open)?;
        open = reach::attach_waiting(tx, open)?;
    }
    save_line_states(tx, &reaches)?;
    save_conflicts(tx, &reaches)?;
    save::save(tx, reaches, now, changes)
}

/// A fault's id and its aliases.
fn ids(fault: &Fault) -> impl Iterator<Item = Uuid> {
    std::iter::once(fault.id).chain(fault.aliases.iter().copied())
}

fn save_line_states(tx: &mut Tx<'_>, reaches: &[Reach]) -> Result<(), DbError> {
    let mut states = Vec::new();
    for reach in reaches {
        let evidence = reach.facts.iter().filter(|fact| matches!(fact.event, Event::Evidence { .. }));
        if let Some(since) = evidence.map(|fact| fact.occurred_at).max() {
            states.push((reach.rules.line(), reach.folded.line_state.name(), since));
        }
    }
    lines::save_states(tx, &states)
}

fn save_conflicts(tx: &mut Tx<'_>, reaches: &[Reach]) -> Result<(), DbError> {
    let codes: Vec<&str> = reaches.iter().map(|reach| reach.rules.line()).collect();
    for (reach, known) in reaches.iter().zip(stored_conflicts::steps_of_lines(tx, &codes)?) {
        conflicts::after_fold(tx, reach.rules.line(), &reach.folded, &known)?;
    }
    Ok(())
}
