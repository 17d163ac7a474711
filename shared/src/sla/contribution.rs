//! What one fault adds to its line's yearly figures, and the figures themselves.

use chrono::{Datelike, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::interval::{Interval, union_ms};
use crate::rules::RepeatCounts;
use crate::time::{HOUR_MS, UnixMs};

/// One fault's part in one local year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The local year.
    pub year: i32,
    /// Whether the fault counts in this year: where it started.
    pub counted: bool,
    /// Its outage, clipped to the year; a piece that is still open also counts in the years after.
    pub pieces: Vec<Interval>,
}

/// The year of a moment in a time zone.
#[must_use]
pub fn local_year(time_zone: Tz, at: UnixMs) -> i32 {
    at.to_utc().with_timezone(&time_zone).year()
}

/// The first moment of a local year, and the first after it.
#[must_use]
pub fn year_bounds(time_zone: Tz, year: i32) -> (UnixMs, UnixMs) {
    (year_start(time_zone, year), year_start(time_zone, year.saturating_add(1)))
}

fn year_start(time_zone: Tz, year: i32) -> UnixMs {
    // A zone that skips its New Year's midnight has its first moment within the hours after it.
    (0..24)
        .find_map(|hour| time_zone.with_ymd_and_hms(year, 1, 1, hour, 0, 0).earliest())
        .map_or(UnixMs(i64::from(year - 1970) * 8_766 * HOUR_MS), |start| UnixMs(start.timestamp_millis()))
}

/// What a fault adds to each year; nothing where it does not count.
#[must_use]
pub fn contributions(fault: &Fault, time_zone: Tz) -> Vec<Contribution> {
    if !fault.counts() {
        return Vec::new();
    }
    let started = local_year(time_zone, fault.started_at);
    let mut list = vec![Contribution { year: started, counted: true, pieces: Vec::new() }];
    for outage in &fault.outage {
        let first = local_year(time_zone, outage.from);
        let last = outage.to.map_or(first, |to| local_year(time_zone, to));
        for year in first..=last {
            let (from, to) = year_bounds(time_zone, year);
            let clipped = Interval { from: outage.from.max(from), to: outage.to.map(|end| end.min(to)) };
            if clipped.to.is_some_and(|to| to <= clipped.from) {
                continue;
            }
            match list.iter_mut().find(|contribution| contribution.year == year) {
                Some(contribution) => contribution.pieces.push(clipped),
                None => list.push(Contribution { year, counted: false, pieces: vec![clipped] }),
            }
        }
    }
    list
}

/// A line's yearly interruption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interruption {
    /// The union of its outages so far (ms).
    pub ms: i64,
    /// Whether an outage is running.
    pub running: bool,
}

/// A line's figures of one year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct YearFigures {
    /// Faults, as the pack counts them.
    pub repeat_count: u32,
    /// Time without service.
    pub interruption: Interruption,
}

impl YearFigures {
    /// The figures of a year as of a moment, from the contributions of all its faults (and of faults of
    /// earlier years whose outage is still open).
    #[must_use]
    pub fn of<'a>(
        contributions: impl IntoIterator<Item = &'a Contribution>,
        year: i32,
        time_zone: Tz,
        counts: RepeatCounts,
        now: UnixMs,
    ) -> Self {
        let (from, to) = year_bounds(time_zone, year);
        let until = now.min(to);
        let mut faults = 0_u32;
        let mut pieces = Vec::new();
        for contribution in contributions {
            faults += u32::from(contribution.counted && contribution.year == year);
            let within = contribution
                .pieces
                .iter()
                .filter(|piece| piece.to.is_none_or(|end| end > from) && piece.from < to);
            pieces.extend(within.map(|piece| Interval { from: piece.from.max(from), to: piece.to }));
        }
        let running = pieces.iter().any(|piece| piece.from <= now && piece.to.is_none()) && now < to;
        let repeat_count = match counts {
            RepeatCounts::All => faults,
            RepeatCounts::Recurrences => faults.saturating_sub(1),
        };
        Self { repeat_count, interruption: Interruption { ms: union_ms(pieces, until), running } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_begins_at_the_pack_s_midnight() {
        let zone = chrono_tz::Asia::Shanghai;
        let (from, to) = year_bounds(zone, 2026);
        assert_eq!(from.to_rfc3339(), "2025-12-31T16:00:00.000Z");
        assert_eq!(local_year(zone, from), 2026);
        assert_eq!(local_year(zone, from - 1), 2025);
        assert_eq!(local_year(zone, to), 2027);
    }

    #[test]
    fn an_open_outage_of_last_year_counts_from_new_year_on() {
        let zone = chrono_tz::Asia::Shanghai;
        let (from, _) = year_bounds(zone, 2026);
        let open = Contribution { year: 2025, counted: true, pieces: vec![Interval::open(from - HOUR_MS)] };
        let figures = YearFigures::of([&open], 2026, zone, RepeatCounts::All, from + 2 * HOUR_MS);
        assert_eq!(figures.repeat_count, 0);
        assert_eq!(figures.interruption, Interruption { ms: 2 * HOUR_MS, running: true });
    }
}
