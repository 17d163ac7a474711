//! What a matter owes, as deadlines.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::state::Matter;
use crate::rules::Limit;
use crate::sla::{Deadline, DeadlineKind, Ending, Interval, Period, moment_spent, without};
use crate::time::UnixMs;

/// The most passed periods of one repeating promise that are listed; the earlier ones are not.
const PERIODS_LISTED_MAX: i64 = 200;

/// One stretch in which something is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// What.
    pub kind: DeadlineKind,
    /// The fact that began it; none for the first of its kind.
    pub begun_by: Option<Uuid>,
    /// Since when.
    pub from: UnixMs,
    /// How it is limited.
    pub term: Term,
    /// Whether a pause of the matter stops its clock.
    pub pausable: bool,
    /// When, and how, it ended.
    pub ended: Option<(UnixMs, Ending)>,
}

/// Until when something is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// An allowance of countable time.
    Within {
        /// How much.
        limit: Limit,
        /// The countable time from the beginning on.
        countable: Vec<Interval>,
    },
    /// Again and again until it ends.
    Each {
        /// How often.
        limit: Limit,
        /// The countable time from the beginning on.
        countable: Vec<Interval>,
    },
    /// By a moment that was named.
    By(UnixMs),
}

impl Term {
    /// When it is due, for a promise that is owed from a moment on; the first period's end of one that repeats.
    pub(super) fn due_at(&self, from: UnixMs, pauses: &[Interval]) -> UnixMs {
        match self {
            Self::By(due_at) => (*due_at).max(from),
            Self::Within { limit, countable } => spent(&without(countable, pauses), limit.ms),
            Self::Each { limit, countable } => spent(countable, limit.ms),
        }
    }
}

impl Owed {
    /// When it is due, with the matter's pauses.
    pub(super) fn due_at(&self, pauses: &[Interval]) -> UnixMs {
        self.term.due_at(self.from, if self.pausable { pauses } else { &[] })
    }
}

/// Every promise of a matter as of a moment: the moment decides only how many periods passed.
#[must_use]
pub fn deadlines(matter: &Matter, now: UnixMs) -> Vec<Deadline> {
    let mut list = Vec::new();
    for owed in &matter.owed {
        let pauses: &[Interval] = if owed.pausable { &matter.pauses } else { &[] };
        match &owed.term {
            Term::Within { limit, countable } => {
                let pieces = without(countable, pauses);
                let spent = |permille: i64| spent(&pieces, limit.ms * permille / 1_000);
                list.push(single(owed, &matter.warn_at_permille, limit.ms, pauses, spent));
            }
            Term::By(due_at) => {
                let allowance_ms = due_at.since(owed.from).max(0);
                // A day that was named stays where it is, whatever stands still meanwhile.
                let spent = |permille: i64| owed.from + allowance_ms * permille / 1_000;
                list.push(single(owed, &matter.warn_at_permille, allowance_ms, &[], spent));
            }
            Term::Each { limit, countable } => {
                periods(owed, &matter.warn_at_permille, limit.ms, countable, now, &mut list);
            }
        }
    }
    list
}

fn spent(pieces: &[Interval], allowance_ms: i64) -> UnixMs {
    moment_spent(pieces, allowance_ms).unwrap_or(UnixMs::MAX)
}

fn single(
    owed: &Owed,
    marks: &[u16],
    allowance_ms: i64,
    pauses: &[Interval],
    spent: impl Fn(i64) -> UnixMs,
) -> Deadline {
    Deadline {
        kind: owed.kind,
        period: Period { begun_by: owed.begun_by, passed: 0 },
        started_at: owed.from,
        due_at: spent(1_000),
        allowance_ms,
        marks: marks.iter().map(|mark| (*mark, spent(i64::from(*mark)))).collect(),
        ended: owed.ended,
        pauses: pauses.to_vec(),
        quiet: false,
    }
}

/// Period after period: one that passes unmet is a miss, and the next begins at its due time. What comes after the
/// first miss of a stretch is recorded and told no more: one chain.
fn periods(
    owed: &Owed,
    marks: &[u16],
    each_ms: i64,
    countable: &[Interval],
    now: UnixMs,
    list: &mut Vec<Deadline>,
) {
    let until = owed.ended.map_or(now, |(at, _)| at);
    let passed = passed_until(countable, each_ms, until);
    for period in (passed - PERIODS_LISTED_MAX).max(0)..=passed {
        let at = |permille: i64| spent(countable, each_ms * period + each_ms * permille / 1_000);
        list.push(Deadline {
            kind: owed.kind,
            period: Period { begun_by: owed.begun_by, passed: u32::try_from(period).unwrap_or(u32::MAX) },
            started_at: at(0).max(owed.from),
            due_at: at(1_000),
            allowance_ms: each_ms,
            marks: marks.iter().map(|mark| (*mark, at(i64::from(*mark)))).collect(),
            // What ended the stretch ended its last period; the earlier ones had passed by then.
            ended: owed.ended.filter(|_| period == passed),
            pauses: Vec::new(),
            quiet: period > 0,
        });
    }
}

/// How many whole periods were over strictly before the moment.
fn passed_until(countable: &[Interval], each_ms: i64, until: UnixMs) -> i64 {
    let spent_ms: i64 =
        countable.iter().map(|piece| piece.end(until).min(until).since(piece.from).max(0)).sum();
    (spent_ms - 1).max(0) / each_ms.max(1)
}
