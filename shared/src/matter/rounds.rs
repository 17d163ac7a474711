//! When duties come round.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use crate::rules::Every;
use crate::time::UnixMs;

/// The period of a rhythm in which a moment lies: its first moment, and its last, by which the round is owed.
#[must_use]
pub fn period(every: Every, at: UnixMs, zone: Tz) -> (UnixMs, UnixMs) {
    let local = at.to_utc().with_timezone(&zone).naive_local();
    let day = local.date();
    let (from, to) = match every {
        Every::Span(span_ms) => return (at, at + span_ms),
        Every::Once => return (at, at),
        Every::HalfDay => return half_day(local, zone),
        Every::Week => {
            let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
            (monday, monday + Days::new(7))
        }
        Every::HalfMonth if day.day() <= 15 => (first(day), first(day) + Days::new(15)),
        Every::HalfMonth => (first(day) + Days::new(15), first(day) + Months::new(1)),
        Every::Month => (first(day), first(day) + Months::new(1)),
        Every::Quarter => {
            let begin = first(day) - Months::new(day.month0() % 3);
            (begin, begin + Months::new(3))
        }
        Every::Seasons => {
            // Spring ends with May, autumn with November.
            let begin = first(day) - Months::new(day.month() % 6);
            (begin, begin + Months::new(6))
        }
        Every::Year => {
            let begin = first(day) - Months::new(day.month0());
            (begin, begin + Months::new(12))
        }
    };
    (midnight(from, zone), midnight(to, zone) - 1)
}

fn half_day(local: NaiveDateTime, zone: Tz) -> (UnixMs, UnixMs) {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
    let day = local.date();
    if local.time() < noon {
        (midnight(day, zone), moment(day.and_time(noon), zone) - 1)
    } else {
        (moment(day.and_time(noon), zone), midnight(day + Days::new(1), zone) - 1)
    }
}

fn first(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn midnight(day: NaiveDate, zone: Tz) -> UnixMs {
    moment(day.and_time(NaiveTime::MIN), zone)
}

/// A local moment; where clocks leap over it, the next one that there is, and where they repeat it, the first.
#[must_use]
pub fn moment(local: NaiveDateTime, zone: Tz) -> UnixMs {
    let hours = (0..=3).map(|hours| local + chrono::TimeDelta::hours(hours));
    let found = hours.into_iter().find_map(|local| zone.from_local_datetime(&local).earliest());
    UnixMs(found.map_or_else(|| local.and_utc().timestamp_millis(), |at| at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(every: Every, at: &str) -> (String, String) {
        let zone = chrono_tz::Asia::Shanghai;
        let (from, due) = period(every, UnixMs::parse_rfc3339(at).unwrap(), zone);
        let text = |at: UnixMs| at.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M:%S%.3f").to_string();
        (text(from), text(due))
    }

    #[test]
    fn periods_end_with_the_last_moment_of_their_last_day() {
        let at = "2026-11-22T10:00:00+08:00";
        for (every, from, due) in [
            (Every::HalfDay, "2026-11-22 00:00", "2026-11-22 11:59:59.999"),
            (Every::Week, "2026-11-16 00:00", "2026-11-22 23:59:59.999"),
            (Every::HalfMonth, "2026-11-16 00:00", "2026-11-30 23:59:59.999"),
            (Every::Month, "2026-11-01 00:00", "2026-11-30 23:59:59.999"),
            (Every::Quarter, "2026-10-01 00:00", "2026-12-31 23:59:59.999"),
            (Every::Seasons, "2026-06-01 00:00", "2026-11-30 23:59:59.999"),
            (Every::Year, "2026-01-01 00:00", "2026-12-31 23:59:59.999"),
        ] {
            assert_eq!(shown(every, at), (format!("{from}:00.000"), due.to_owned()), "{every:?}");
        }
    }

    #[test]
    fn the_edges_belong_to_the_later_period() {
        assert_eq!(shown(Every::HalfDay, "2026-11-22T12:00:00+08:00").0, "2026-11-22 12:00:00.000");
        assert_eq!(shown(Every::HalfMonth, "2026-02-15T23:59:59+08:00").1, "2026-02-15 23:59:59.999");
        assert_eq!(shown(Every::Seasons, "2026-12-01T00:00:00+08:00").1, "2027-05-31 23:59:59.999");
        assert_eq!(shown(Every::Seasons, "2027-01-10T00:00:00+08:00").0, "2026-12-01 00:00:00.000");
        assert_eq!(shown(Every::Quarter, "2026-12-31T23:59:59+08:00").1, "2026-12-31 23:59:59.999");
    }

    #[test]
    fn the_next_period_begins_right_after_the_last() {
        for zone in [chrono_tz::Asia::Shanghai, chrono_tz::Europe::Berlin, chrono_tz::America::Santiago] {
            for every in
                [Every::HalfDay, Every::Week, Every::HalfMonth, Every::Month, Every::Quarter, Every::Seasons]
            {
                let mut at = UnixMs(1_772_330_400_000);
                for _ in 0..800 {
                    let (_, due) = period(every, at, zone);
                    let (from, next_due) = period(every, due + 1, zone);
                    assert_eq!(from, due + 1, "{every:?} {zone}");
                    assert!(next_due > from);
                    at = from;
                }
            }
        }
    }
}
