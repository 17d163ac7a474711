//! How much interruption a line may have over a span: its yearly interruption, and what a promised availability leaves.
//! Both are one thing: a promise whose allowance is spent while the line is out of service, and that is kept when the
//! span ends before it is used up.

use chrono_tz::Tz;

use super::contribution::year_bounds;
use super::deadline::{Deadline, DeadlineKind, Period};
use super::fault::Ending;
use super::interval::{Interval, moment_spent, union_ms};
use crate::rules::{Availability, Tier};
use crate::time::UnixMs;

/// How such a promise stands.
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

/// What a line may be without service within a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// [`DeadlineKind::Interruption`] or [`DeadlineKind::Availability`].
    pub kind: DeadlineKind,
    /// The first moment of the span.
    pub from: UnixMs,
    /// The first moment after it.
    pub to: UnixMs,
    /// How much the whole span may hold (ms): all of it may be used.
    pub allowance_ms: i64,
    /// Warned when so many thousandths are used, rising.
    pub warn_at_permille: Vec<u16>,
}

impl Allowance {
    /// The interruption of a local year, where the tier limits it.
    #[must_use]
    pub fn interruption(tier: &Tier, time_zone: Tz, year: i32) -> Option<Self> {
        let allowance_ms = tier.interruption_per_year_at_most_ms?;
        let (from, to) = year_bounds(time_zone, year);
        let warn_at_permille = tier.warn_at_permille.clone();
        Some(Self { kind: DeadlineKind::Interruption, from, to, allowance_ms, warn_at_permille })
    }

    /// What a promised availability leaves of a span, or of the part of it in which the line serves.
    #[must_use]
    pub fn availability(promise: &Availability, (from, to): (UnixMs, UnixMs)) -> Self {
        let allowance_ms = promise.allowance_ms(to.since(from));
        let warn_at_permille = promise.warn_at_permille.clone();
        Self { kind: DeadlineKind::Availability, from, to, allowance_ms, warn_at_permille }
    }

    /// How it stands, from outages in any order; those of exempt faults are left out by the caller.
    #[must_use]
    pub fn figures(&self, outages: &[Interval], now: UnixMs) -> AllowanceFigures {
        let until = now.min(self.to);
        let pieces = joined(outages, self.from, self.to, until);
        let exhausted_at = self.exhausted_at(&pieces);
        let state = match exhausted_at {
            Some(at) if at < until => Promised::Missed,
            _ if now >= self.to => Promised::Met,
            _ => Promised::Running,
        };
        AllowanceFigures {
            from: self.from,
            to: self.to,
            passed_ms: until.since(self.from).max(0),
            interruption_ms: union_ms(pieces, until),
            allowance_ms: self.allowance_ms,
            exhausted_at,
            state,
        }
    }

    /// The same as a promise with its marks. It is due when it is used up, as far as is known; else at the span's end.
    #[must_use]
    pub fn deadline(&self, outages: &[Interval], now: UnixMs) -> Deadline {
        let pieces = joined(outages, self.from, self.to, now.min(self.to));
        let exhausted_at = self.exhausted_at(&pieces);
        let reached = |permille: u16| {
            let spent_ms = (self.allowance_ms * i64::from(permille) / 1_000).max(1);
            Some((permille, moment_spent(&pieces, spent_ms)?))
        };
        Deadline {
            kind: self.kind,
            period: Period { begun_by: None, passed: 0 },
            started_at: self.from,
            due_at: exhausted_at.unwrap_or(self.to),
            allowance_ms: self.allowance_ms,
            marks: self.warn_at_permille.iter().filter_map(|permille| reached(*permille)).collect(),
            ended: (exhausted_at.is_none() && now >= self.to).then_some((self.to, Ending::Done)),
            pauses: Vec::new(),
            quiet: false,
        }
    }

    /// The last moment at which no more than the allowance is used: it is missed with the millisecond after.
    fn exhausted_at(&self, pieces: &[Interval]) -> Option<UnixMs> {
        moment_spent(pieces, self.allowance_ms + 1).map(|at| at - 1)
    }
}

/// A line against its allowance, as of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowanceFigures {
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

impl AllowanceFigures {
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
    use super::super::deadline::Status;
    use super::*;
    use crate::rules::Over;
    use proptest::prelude::*;

    const SPAN: (UnixMs, UnixMs) = (UnixMs(1_000), UnixMs(11_000));

    fn out(from: i64, to: i64) -> Interval {
        Interval { from: UnixMs(from), to: Some(UnixMs(to)) }
    }

    fn allowance() -> Allowance {
        let promise =
            Availability { at_least_ppm: 990_000, over: Over::Year, warn_at_permille: vec![500, 800] };
        Allowance::availability(&promise, SPAN)
    }

    fn at(outages: &[Interval], now: i64) -> AllowanceFigures {
        allowance().figures(outages, UnixMs(now))
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

    #[test]
    fn it_is_due_when_it_is_used_up_and_kept_at_the_end_of_its_span() {
        let marks = |outages: &[Interval], now| allowance().deadline(outages, UnixMs(now)).marks;
        let running = [out(1_000, 1_040), Interval::open(UnixMs(2_000))];
        assert_eq!(marks(&running, 2_001), [(500, UnixMs(2_010)), (800, UnixMs(2_040))]);
        assert_eq!(allowance().deadline(&running, UnixMs(2_001)).due_at, UnixMs(2_060));
        // Nothing runs: the span's end decides.
        let quiet = allowance().deadline(&running[..1], UnixMs(2_001));
        assert_eq!((quiet.due_at, quiet.marks.len(), quiet.ended), (SPAN.1, 0, None));
        let kept = allowance().deadline(&running[..1], SPAN.1);
        assert_eq!(kept.status(SPAN.1 + 5), Status::Met { met_at: SPAN.1 });
        // Used up by what was still running at the end, or not quite.
        let late = |from: i64| allowance().deadline(&[Interval::open(UnixMs(from))], SPAN.1 + 1);
        assert_eq!(late(10_899).status(SPAN.1 + 1), Status::Missed { met_at: None });
        assert_eq!(late(10_900).status(SPAN.1 + 1), Status::Met { met_at: SPAN.1 });
    }

    proptest! {
        #[test]
        fn a_missed_span_held_more_than_it_may(outages in proptest::collection::vec((0_i64..12_000, 0_i64..80), 0..9), now in 1_000_i64..12_000) {
            let outages: Vec<Interval> = outages.into_iter().map(|(from, ms)| out(from, from + ms)).collect();
            let figures = at(&outages, now);
            prop_assert_eq!(figures.state == Promised::Missed, figures.left_ms() < 0);
            let status = allowance().deadline(&outages, UnixMs(now)).status(UnixMs(now)).name();
            prop_assert_eq!(status, figures.state.name());
            let whole = at(&outages, 11_000);
            prop_assert_eq!(whole.state == Promised::Met, whole.ppm() >= Some(990_000));
        }
    }
}
