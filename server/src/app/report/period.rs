//! Months, quarters and years, as a pack's time zone has them.

use chrono::{Datelike, TimeZone};
use chrono_tz::Tz;
use linewatch_shared::time::{HOUR_MS, UnixMs};

/// The years for which reports are made.
const YEARS: std::ops::RangeInclusive<i32> = 1971..=2999;

/// What a report is about: a calendar month, quarter or year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// Of a year, from 1.
    Month(i32, u32),
    /// Of a year, from 1.
    Quarter(i32, u32),
    /// A whole one.
    Year(i32),
}

/// How long the periods of a report are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodKind {
    /// `2026-10`.
    Month,
    /// `2026-Q4`.
    Quarter,
    /// `2026`.
    Year,
}

impl PeriodKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Month, Self::Quarter, Self::Year];

    /// Its name in paths and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// Reads [`PeriodKind::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How periods of this kind are written.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Month => "2026-10",
            Self::Quarter => "2026-Q4",
            Self::Year => "2026",
        }
    }
}

impl Period {
    /// Reads `2026-10`, `2026-Q4` or `2026`.
    #[must_use]
    pub fn parse(kind: PeriodKind, text: &str) -> Option<Self> {
        let number = |text: &str, digits: usize| {
            let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.parse::<u32>().ok()).flatten()
        };
        let year = |text: &str| {
            let year = number(text, 4).and_then(|year| i32::try_from(year).ok());
            year.filter(|year| YEARS.contains(year))
        };
        match kind {
            PeriodKind::Year => year(text).map(Self::Year),
            PeriodKind::Quarter => {
                let (head, quarter) = text.split_once("-Q")?;
                let quarter = number(quarter, 1).filter(|quarter| (1..=4).contains(quarter))?;
                Some(Self::Quarter(year(head)?, quarter))
            }
            PeriodKind::Month => {
                let (head, month) = text.split_once('-')?;
                let month = number(month, 2).filter(|month| (1..=12).contains(month))?;
                Some(Self::Month(year(head)?, month))
            }
        }
    }

    /// Reads a period of whichever kind.
    #[must_use]
    pub fn of_any_kind(text: &str) -> Option<Self> {
        PeriodKind::ALL.into_iter().find_map(|kind| Self::parse(kind, text))
    }

    /// Whether it is a month, a quarter or a year.
    #[must_use]
    pub const fn kind(self) -> PeriodKind {
        match self {
            Self::Month(..) => PeriodKind::Month,
            Self::Quarter(..) => PeriodKind::Quarter,
            Self::Year(_) => PeriodKind::Year,
        }
    }

    /// Its year.
    #[must_use]
    pub const fn year(self) -> i32 {
        match self {
            Self::Month(year, _) | Self::Quarter(year, _) | Self::Year(year) => year,
        }
    }

    /// Its months, in order.
    #[must_use]
    pub fn months(self) -> Vec<Self> {
        let (first, last) = match self {
            Self::Month(_, month) => (month, month),
            Self::Quarter(_, quarter) => (quarter * 3 - 2, quarter * 3),
            Self::Year(_) => (1, 12),
        };
        (first..=last).map(|month| Self::Month(self.year(), month)).collect()
    }

    /// The month so many months before a month; none before the first year for which reports are made.
    #[must_use]
    pub fn months_before(self, months: u32) -> Option<Self> {
        let Self::Month(year, month) = self else { return None };
        let count = year * 12 + i32::try_from(month).ok()? - 1 - i32::try_from(months).ok()?;
        let month = u32::try_from(count.rem_euclid(12)).ok()? + 1;
        YEARS.contains(&count.div_euclid(12)).then(|| Self::Month(count.div_euclid(12), month))
    }

    /// Its first moment in the zone, and the first after it.
    #[must_use]
    pub fn bounds(self, zone: Tz) -> (UnixMs, UnixMs) {
        let (first, months) = match self {
            Self::Month(_, month) => (month, 1),
            Self::Quarter(_, quarter) => (quarter * 3 - 2, 3),
            Self::Year(_) => (1, 12),
        };
        let next = first + months;
        let after = if next > 12 { (self.year() + 1, next - 12) } else { (self.year(), next) };
        (month_start(zone, self.year(), first), month_start(zone, after.0, after.1))
    }

    /// The one that a moment lies in.
    #[must_use]
    pub fn containing(kind: PeriodKind, zone: Tz, at: UnixMs) -> Self {
        let local = at.to_utc().with_timezone(&zone);
        match kind {
            PeriodKind::Month => Self::Month(local.year(), local.month()),
            PeriodKind::Quarter => Self::Quarter(local.year(), local.month().div_ceil(3)),
            PeriodKind::Year => Self::Year(local.year()),
        }
    }

    /// The last one that is over at a moment.
    #[must_use]
    pub fn last_full(kind: PeriodKind, zone: Tz, now: UnixMs) -> Self {
        let local = now.to_utc().with_timezone(&zone);
        let (year, month) = (local.year(), local.month());
        match kind {
            PeriodKind::Month if month == 1 => Self::Month(year - 1, 12),
            PeriodKind::Month => Self::Month(year, month - 1),
            PeriodKind::Quarter if month <= 3 => Self::Quarter(year - 1, 4),
            PeriodKind::Quarter => Self::Quarter(year, (month - 1) / 3),
            PeriodKind::Year => Self::Year(year - 1),
        }
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Quarter(year, quarter) => write!(f, "{year:04}-Q{quarter}"),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}

fn month_start(zone: Tz, year: i32, month: u32) -> UnixMs {
    // A zone that skips the month's midnight has its first moment within the hours after it.
    let start = (0..24).find_map(|hour| zone.with_ymd_and_hms(year, month, 1, hour, 0, 0).earliest());
    start.map_or(UnixMs(i64::from(year - 1970) * 8_766 * HOUR_MS), |start| UnixMs(start.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_and_written() {
        use PeriodKind::{Month, Quarter, Year};
        for (kind, text) in [(Month, "2026-10"), (Quarter, "2026-Q4"), (Year, "2026")] {
            let period = Period::parse(kind, text).unwrap();
            assert_eq!((period.to_string().as_str(), period.kind()), (text, kind));
        }
        for (kind, text) in [
            (Month, "2026-13"),
            (Month, "2026-00"),
            (Month, "2026-1"),
            (Month, "26-10"),
            (Month, "2026-10-01"),
            (Month, ""),
            (Quarter, "2026-4"),
            (Quarter, "2026-Q5"),
            (Year, "1970"),
            (Year, "9999"),
            (Year, "+026"),
        ] {
            assert_eq!(Period::parse(kind, text), None, "{text}");
        }
    }

    #[test]
    fn months_are_counted_back_over_new_year() {
        let before = |months| Period::Month(2026, 1).months_before(months);
        assert_eq!(before(0), Some(Period::Month(2026, 1)));
        assert_eq!(before(1), Some(Period::Month(2025, 12)));
        assert_eq!(before(12), Some(Period::Month(2025, 1)));
        assert_eq!(before(13), Some(Period::Month(2024, 12)));
        assert_eq!(before(12 * 60), None);
    }

    #[test]
    fn a_period_begins_at_its_zone_s_midnight() {
        let zone = chrono_tz::Asia::Shanghai;
        let ends = |period: Period| {
            let (from, to) = period.bounds(zone);
            (from.to_rfc3339(), to.to_rfc3339())
        };
        let text = |from: &str, to: &str| (format!("{from}T16:00:00.000Z"), format!("{to}T16:00:00.000Z"));
        assert_eq!(ends(Period::Month(2026, 12)), text("2026-11-30", "2026-12-31"));
        assert_eq!(ends(Period::Quarter(2026, 4)), text("2026-09-30", "2026-12-31"));
        assert_eq!(ends(Period::Year(2026)), text("2025-12-31", "2026-12-31"));
    }

    #[test]
    fn the_last_full_period_is_over() {
        let zone = chrono_tz::Asia::Shanghai;
        let (new_year, _) = Period::Year(2026).bounds(zone);
        let last = |kind, at| Period::last_full(kind, zone, at).to_string();
        assert_eq!(last(PeriodKind::Month, new_year), "2025-12");
        assert_eq!(last(PeriodKind::Month, new_year - 1), "2025-11");
        assert_eq!(last(PeriodKind::Quarter, new_year), "2025-Q4");
        assert_eq!(last(PeriodKind::Quarter, new_year - 1), "2025-Q3");
        assert_eq!(last(PeriodKind::Year, new_year), "2025");
    }
}
