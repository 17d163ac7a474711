//! Half-open spans of time, and what is spent within them.

use serde::{Deserialize, Serialize};

use crate::time::UnixMs;

/// From a moment up to, but without, another; open where the end is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// The first moment.
    pub from: UnixMs,
    /// The first moment after it.
    pub to: Option<UnixMs>,
}

impl Interval {
    /// An interval that goes on.
    #[must_use]
    pub const fn open(from: UnixMs) -> Self {
        Self { from, to: None }
    }

    /// The end, with `open_end` standing in where there is none yet.
    #[must_use]
    pub fn end(&self, open_end: UnixMs) -> UnixMs {
        self.to.unwrap_or(open_end)
    }

    /// Whether the moment lies within.
    #[must_use]
    pub fn contains(&self, at: UnixMs) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

/// The length of the union, in milliseconds; what is open ends at `now`, what lies after it is left out.
#[must_use]
pub fn union_ms(intervals: impl IntoIterator<Item = Interval>, now: UnixMs) -> i64 {
    let mut spans: Vec<(UnixMs, UnixMs)> = intervals
        .into_iter()
        .map(|span| (span.from, span.end(now).min(now)))
        .filter(|(from, to)| from < to)
        .collect();
    spans.sort_unstable();
    let mut total_ms = 0;
    let mut covered_to = UnixMs(i64::MIN);
    for (from, to) in spans {
        if to > covered_to {
            total_ms += to.since(from.max(covered_to));
            covered_to = to;
        }
    }
    total_ms
}

/// `runs` without `pauses`, both in rising order; an open run stays open after the last pause.
#[must_use]
pub fn without(runs: &[Interval], pauses: &[Interval]) -> Vec<Interval> {
    let mut pieces = Vec::with_capacity(runs.len() + pauses.len());
    for run in runs {
        let mut from = run.from;
        let run_end = run.end(UnixMs::MAX);
        for pause in pauses {
            let pause_end = pause.end(UnixMs::MAX);
            if pause_end <= from || pause.from >= run_end {
                continue;
            }
            if pause.from > from {
                pieces.push(Interval { from, to: Some(pause.from) });
            }
            from = pause_end;
        }
        if from < run_end {
            pieces.push(Interval { from, to: run.to });
        }
    }
    pieces
}

/// What lies in both lists, each in rising order and disjoint.
#[must_use]
pub fn within(runs: &[Interval], others: &[Interval]) -> Vec<Interval> {
    let mut pieces = Vec::with_capacity(runs.len().max(others.len()));
    let (mut run_at, mut other_at) = (0, 0);
    while let (Some(run), Some(other)) = (runs.get(run_at), others.get(other_at)) {
        let (run_end, other_end) = (run.end(UnixMs::MAX), other.end(UnixMs::MAX));
        let (from, to) = (run.from.max(other.from), run_end.min(other_end));
        if from < to {
            pieces.push(Interval { from, to: Some(to).filter(|to| *to < UnixMs::MAX) });
        }
        if run_end <= other_end {
            run_at += 1;
        } else {
            other_at += 1;
        }
    }
    pieces
}

/// The moment at which `allowance_ms` has been spent within the pieces; none when they end before.
#[must_use]
pub fn moment_spent(pieces: &[Interval], allowance_ms: i64) -> Option<UnixMs> {
    let mut left_ms = allowance_ms;
    for piece in pieces {
        let length_ms = piece.end(UnixMs::MAX).since(piece.from);
        if left_ms <= length_ms {
            return Some(piece.from + left_ms);
        }
        left_ms -= length_ms;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(from: i64, to: i64) -> Interval {
        Interval { from: UnixMs(from), to: Some(UnixMs(to)) }
    }

    #[test]
    fn what_overlaps_counts_once() {
        assert_eq!(union_ms([span(0, 10), span(5, 20), span(30, 40)], UnixMs(35)), 25);
        assert_eq!(union_ms([Interval::open(UnixMs(10))], UnixMs(5)), 0);
    }

    #[test]
    fn pauses_stop_the_clock() {
        let pieces = without(&[Interval::open(UnixMs(0))], &[span(10, 20)]);
        assert_eq!(moment_spent(&pieces, 10), Some(UnixMs(10)));
        assert_eq!(moment_spent(&pieces, 11), Some(UnixMs(21)));
    }

    proptest! {
        #[test]
        fn the_union_is_what_a_recount_says(spans in proptest::collection::vec((0_i64..100, 0_i64..30), 0..12), now in 0_i64..120) {
            let intervals: Vec<Interval> = spans.iter().map(|(from, length)| span(*from, from + length)).collect();
            let recount = (0..now).filter(|at| intervals.iter().any(|i| i.contains(UnixMs(*at)))).count();
            prop_assert_eq!(union_ms(intervals, UnixMs(now)), recount as i64);
        }

        #[test]
        fn what_is_left_is_in_the_run_and_in_no_pause(pauses in proptest::collection::btree_map(0_i64..100, 1_i64..9, 0..8)) {
            let mut list: Vec<Interval> = Vec::new();
            for (from, length) in pauses {
                if list.last().is_none_or(|last| last.to <= Some(UnixMs(from))) {
                    list.push(span(from, from + length));
                }
            }
            let runs = [span(5, 50), span(60, 90)];
            let pieces = without(&runs, &list);
            let common = within(&runs, &list);
            for at in 0..110 {
                let both = runs.iter().any(|r| r.contains(UnixMs(at))) && list.iter().any(|p| p.contains(UnixMs(at)));
                prop_assert_eq!(common.iter().any(|p| p.contains(UnixMs(at))), both);
                let expected = runs.iter().any(|r| r.contains(UnixMs(at))) && !list.iter().any(|p| p.contains(UnixMs(at)));
                prop_assert_eq!(pieces.iter().any(|p| p.contains(UnixMs(at))), expected);
            }
        }
    }
}
