//! What really happened: a run in which a fault never fell shows nothing about it.

use std::collections::BTreeMap;
use std::fmt;

/// How often each thing happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    /// It happened once more.
    pub fn add(&mut self, what: &'static str) {
        self.many(what, 1);
    }

    /// It happened so often more.
    pub fn many(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Adds another run's.
    pub fn merge(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            self.many(what, *times);
        }
    }

    /// Those of [`EXPECTED`] that never happened.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        EXPECTED.iter().copied().filter(|what| self.of(what) == 0).collect()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.0 {
            writeln!(f, "{times:>10}  {what}")?;
        }
        Ok(())
    }
}

/// What a run of some hundred seeds has to have met.
pub const EXPECTED: &[&str] = &[
    "records saved",
    "records refused by a full disk",
    "requests lost",
    "answers lost",
    "requests that came late",
    "requests that came twice",
    "requests into a partition",
    "requests with no node up",
    "batches acknowledged",
    "laptops restarted",
    "clocks stepped",
    "nodes stopped",
    "backups taken",
    "servers put back to an old backup",
    "alerts sent",
    "alerts sent whose end was lost",
    "alerts that failed at first",
    "reports by the desk",
    "reports repeated after a lost answer",
    "steps by the desk",
    "faults found",
];
