//! A line's time with service over the span for which an availability is promised.

use super::interval::{Interval, moment_spent, union_ms};
use crate::rules::Availability;
use crate::time::UnixMs;

/// How a promised availability stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promised {
    /// The span goes on, and may hold more interruption.
    Running,
    /// The span is over and held no more than it may.
    Met,
    /// It held, or holds already, more interruption than it may.
    Missed,
}

impl Promised {
    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Met => "met",
            Self::Missed => "missed",
        }
    }
}

/// A line against a promised availability, as of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvailabilityFigures {
    /// The first moment of the span.
    pub from: UnixMs,
    /// The first moment after it.
    pub to: UnixMs,
    /// How much of it has passed (ms).
    pub passed_ms: i64,
    /// Time without service so far (ms): overlapping outages count once.
    pub interruption_ms: i64,
    /// How much the whole span may hold (ms).
    pub allowance_ms: i64,
    /// The last moment at which the promise is kept: passed already, or ahead while an outage runs that would use the
    /// allowance up within the span.
    pub exhausted_at: Option<UnixMs>,
    /// How it stands.
    pub state: Promised,
}

impl AvailabilityFigures {
    /// Of a span that has begun, from outages in any order; those of exempt faults are left out by the caller.
    #[must_use]
    pub fn of(
        promise: &Availability,
        (from, to): (UnixMs, UnixMs),
        outages: &[Interval],
        now: UnixMs,
    ) -> Self {
        let until = now.min(to);
        let pieces = joined(outages, from, to, until);
        let allowance_ms = promise.allowance_ms(to.since(from));
        // At most is kept: it is missed with the millisecond after.
        let exhausted_at = moment_spent(&pieces, allowance_ms + 1).map(|at| at - 1);
        let state = match exhausted_at {
            Some(at) if at < until => Promised::Missed,
            _ if now >= to => Promised::Met,
            _ => Promised::Running,
        };
        Self {
            from,
            to,
            passed_ms: until.since(from).max(0),
            interruption_ms: union_ms(pieces, until),
            allowance_ms,
            exhausted_at,
            state,
        }
    }

    /// The interruption that is left (ms); negative once it is missed.
    #[must_use]
    pub const fn left_ms(&self) -> i64 {
        self.allowance_ms - self.interruption_ms
    }

    /// The part of the time so far with service (ppm); none while no time has passed.
    #[must_use]
    pub fn ppm(&self) -> Option<u32> {
        (self.passed_ms > 0).then(|| Availability::of(self.interruption_ms, self.passed_ms))
    }
}

/// Outages as disjoint rising pieces within a span; one that goes on at `until` goes on to the span's end.
fn joined(outages: &[Interval], from: UnixMs, to: UnixMs, until: UnixMs) -> Vec<Interval> {
    let clip = |piece: &Interval| {
        let runs = piece.to.is_none_or(|end| end > until);
        let end = if runs { to } else { piece.end(to).min(to) };
        (piece.from.max(from), end)
    };
    let known = outages.iter().filter(|piece| piece.from < until);
    let mut spans: Vec<(UnixMs, UnixMs)> = known.map(clip).filter(|(from, to)| from < to).collect();
    spans.sort_unstable();
    let mut pieces: Vec<Interval> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match pieces.last_mut().filter(|last| last.to.is_some_and(|end| from <= end)) {
            Some(last) => last.to = last.to.max(Some(to)),
            None => pieces.push(Interval { from, to: Some(to) }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Over;
    use proptest::prelude::*;

    const PROMISE: Availability = Availability { at_least_ppm: 990_000, over: Over::Year };
    const SPAN: (UnixMs, UnixMs) = (UnixMs(1_000), UnixMs(11_000));

    fn out(from: i64, to: i64) -> Interval {
        Interval { from: UnixMs(from), to: Some(UnixMs(to)) }
    }

    fn at(outages: &[Interval], now: i64) -> AvailabilityFigures {
        AvailabilityFigures::of(&PROMISE, SPAN, outages, UnixMs(now))
    }

    #[test]
    fn the_allowance_is_of_the_whole_span_and_the_share_of_what_has_passed() {
        let figures = at(&[out(500, 1_020), out(1_010, 1_050)], 2_000);
        assert_eq!((figures.allowance_ms, figures.interruption_ms, figures.left_ms()), (100, 50, 50));
        assert_eq!((figures.passed_ms, figures.ppm()), (1_000, Some(950_000)));
        assert_eq!((figures.exhausted_at, figures.state), (None, Promised::Running));
        assert_eq!(at(&[], 1_000).ppm(), None);
    }

    #[test]
    fn an_outage_that_runs_says_when_the_promise_is_broken() {
        let outages = [out(1_000, 1_040), Interval::open(UnixMs(2_000))];
        let running = at(&outages, 2_010);
        assert_eq!((running.exhausted_at, running.state), (Some(UnixMs(2_060)), Promised::Running));
        assert_eq!(at(&outages, 2_060).state, Promised::Running);
        let missed = at(&outages, 2_061);
        assert_eq!(
            (missed.exhausted_at, missed.state, missed.left_ms()),
            (Some(UnixMs(2_060)), Promised::Missed, -1)
        );
    }

    #[test]
    fn all_of_the_allowance_may_be_used() {
        assert_eq!(at(&[out(5_000, 5_100)], 11_000).state, Promised::Met);
        assert_eq!(at(&[out(5_000, 5_101)], 11_000).state, Promised::Missed);
        // What comes after the span is not of it.
        assert_eq!(at(&[out(10_950, 12_000)], 20_000).state, Promised::Met);
    }

    proptest! {
        #[test]
        fn a_missed_span_held_more_than_it_may(outages in proptest::collection::vec((0_i64..12_000, 0_i64..80), 0..9), now in 1_000_i64..12_000) {
            let outages: Vec<Interval> = outages.into_iter().map(|(from, ms)| out(from, from + ms)).collect();
            let figures = at(&outages, now);
            prop_assert_eq!(figures.state == Promised::Missed, figures.left_ms() < 0);
            let whole = at(&outages, 11_000);
            prop_assert_eq!(whole.state == Promised::Met, whole.ppm() >= Some(990_000));
        }
    }
}
