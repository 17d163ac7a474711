//! Calendars: which days are worked, and within which hours. Holidays are data (`shared/calendars`), never computed,
//! and a year that is not in the data is an error, never a guess.

mod file;
mod set;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::rules::{Counts, Limit};
use crate::sla::Interval;
use crate::time::{DAY_MS, UnixMs};

pub use set::Calendars;

/// The name of the calendar in which every millisecond counts.
pub const ROUND_THE_CLOCK: &str = "24x7";
/// How far beyond a limit countable time is listed, so that pauses find room (days of the calendar).
const MARGIN_DAYS: u32 = 180;
/// How long before the end of cover it is warned of (months).
const WARN_MONTHS: u32 = 2;
/// The longest step of a zone's clock (ms): a local time that a change of clocks skips exists this much later.
const STEP_MAX_MS: i64 = DAY_MS;

/// The calendar has no data for a day that a limit needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the calendar \"{calendar}\" does not cover {year}: add the year to calendars/{calendar}.toml in packs.dir, \
     from its official notice"
)]
pub struct NotCovered {
    /// The calendar's name.
    pub calendar: String,
    /// The year without data.
    pub year: i32,
}

/// The days of one year that are not as the week says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Year {
    /// Where the data come from: the official notice.
    pub source: String,
    /// Days without work.
    pub holidays: BTreeSet<NaiveDate>,
    /// Days of a weekend that are worked (调休上班).
    pub workdays: BTreeSet<NaiveDate>,
}

/// A calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    name: String,
    weekend: Vec<Weekday>,
    /// Rising and disjoint; an end at midnight is `None`.
    hours: Vec<(NaiveTime, Option<NaiveTime>)>,
    /// Empty for round the clock, which needs no data.
    years: BTreeMap<i32, Year>,
}

impl Calendar {
    /// The calendar in which every millisecond counts, midnight included.
    #[must_use]
    pub fn round_the_clock() -> Self {
        let (name, weekend) = (ROUND_THE_CLOCK.to_owned(), Vec::new());
        Self { name, weekend, hours: vec![(NaiveTime::MIN, None)], years: BTreeMap::new() }
    }

    /// The calendar's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The years with data, with their sources.
    #[must_use]
    pub const fn years(&self) -> &BTreeMap<i32, Year> {
        &self.years
    }

    /// Whether the day is worked.
    ///
    /// # Errors
    /// When its year has no data.
    pub fn is_worked(&self, day: NaiveDate) -> Result<bool, NotCovered> {
        if self.name == ROUND_THE_CLOCK {
            return Ok(true);
        }
        let year = day.year();
        let Some(days) = self.years.get(&year) else {
            return Err(NotCovered { calendar: self.name.clone(), year });
        };
        Ok(days.workdays.contains(&day)
            || (!self.weekend.contains(&day.weekday()) && !days.holidays.contains(&day)))
    }

    /// The time that counts towards a limit from a moment on: rising, disjoint, closed at its end; enough for the
    /// limit, and as much of half a year beyond it as the calendar covers, so that pauses find room. Round the clock
    /// is one open piece.
    ///
    /// # Errors
    /// When the limit needs a year without data.
    pub fn countable(&self, limit: Limit, from: UnixMs, zone: Tz) -> Result<Vec<Interval>, NotCovered> {
        if limit.counts == Counts::Always || self.name == ROUND_THE_CLOCK {
            return Ok(vec![Interval::open(from)]);
        }
        let mut pieces: Vec<Interval> = Vec::new();
        let (mut left_ms, mut beyond) = (limit.ms, 0);
        let mut day = from.to_utc().with_timezone(&zone).date_naive();
        while beyond <= MARGIN_DAYS {
            match self.is_worked(day) {
                Ok(false) => {}
                Ok(true) => {
                    for piece in
                        self.pieces_of(day, limit.counts, zone).into_iter().filter_map(|p| p.after(from))
                    {
                        left_ms -= piece.end(from).since(piece.from);
                        push(&mut pieces, piece);
                    }
                }
                Err(error) if left_ms > 0 => return Err(error),
                Err(_) => break,
            }
            beyond += u32::from(left_ms <= 0);
            let Some(next) = day.checked_add_days(Days::new(1)) else { break };
            day = next;
        }
        Ok(pieces)
    }

    fn pieces_of(&self, day: NaiveDate, counts: Counts, zone: Tz) -> Vec<Interval> {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
        let moment = |time: Option<NaiveTime>| match time {
            Some(time) => local(day, time, zone),
            None => local(next, NaiveTime::MIN, zone),
        };
        match counts {
            Counts::Always | Counts::WorkingDays => {
                vec![Interval { from: moment(Some(NaiveTime::MIN)), to: Some(moment(None)) }]
            }
            Counts::BusinessHours => self
                .hours
                .iter()
                .map(|(from, to)| Interval { from: moment(Some(*from)), to: Some(moment(*to)) })
                .filter(|piece| Some(piece.from) < piece.to)
                .collect(),
        }
    }

    /// The first day without data after the years that follow each other without a gap up to the last; none for
    /// round the clock.
    #[must_use]
    pub fn covered_until(&self) -> Option<NaiveDate> {
        let last = self.years.last_key_value().map(|(year, _)| *year)?;
        NaiveDate::from_ymd_opt(last.checked_add(1)?, 1, 1)
    }

    /// From when on the end of cover is warned of: two months before it.
    #[must_use]
    pub fn warn_from(&self, zone: Tz) -> Option<UnixMs> {
        let day = self.covered_until()?.checked_sub_months(chrono::Months::new(WARN_MONTHS))?;
        Some(local(day, NaiveTime::MIN, zone))
    }

    /// What is to be said about the end of cover at a moment, if anything is.
    #[must_use]
    pub fn warning(&self, now: UnixMs, zone: Tz) -> Option<String> {
        let until = self.covered_until()?;
        (self.warn_from(zone)? <= now).then(|| {
            format!(
                "the calendar \"{}\" ends before {until}: limits in working time that reach beyond it are refused; \
                 add {} to calendars/{}.toml in packs.dir, from its official notice",
                self.name,
                until.year(),
                self.name,
            )
        })
    }
}

impl Interval {
    /// What of it lies at or after the moment.
    fn after(self, at: UnixMs) -> Option<Self> {
        let piece = Self { from: self.from.max(at), to: self.to };
        (Some(piece.from) < piece.to).then_some(piece)
    }
}

/// Adds a piece; one that goes on where the last one ended becomes part of it.
fn push(pieces: &mut Vec<Interval>, piece: Interval) {
    match pieces.last_mut() {
        Some(last) if last.to == Some(piece.from) => last.to = piece.to,
        _ => pieces.push(piece),
    }
}

/// The moment at which clocks show a local time: the first where they show it twice; where a change of clocks skips
/// it, the first moment after the change.
fn local(day: NaiveDate, time: NaiveTime, zone: Tz) -> UnixMs {
    let millis = |moment: DateTime<Tz>| UnixMs(moment.timestamp_millis());
    let wanted = day.and_time(time);
    match zone.from_local_datetime(&wanted) {
        MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => millis(moment),
        MappedLocalTime::None => {
            // The clocks show less than the wanted time before the change, and more after it: search for the change.
            let utc = UnixMs(wanted.and_utc().timestamp_millis());
            let (mut before, mut after) = (utc - STEP_MAX_MS, utc + STEP_MAX_MS);
            while after.since(before) > 1 {
                let middle = before + after.since(before) / 2;
                if middle.to_utc().with_timezone(&zone).naive_local() < wanted {
                    before = middle;
                } else {
                    after = middle;
                }
            }
            after
        }
    }
}
