//! The desk's own days, in its time zone.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use linewatch_shared::time::UnixMs;

/// How far a zone may skip ahead at once, in quarters of an hour.
const SKIPPED_QUARTERS_MAX: i64 = 4 * 25;

/// The day on which a moment falls.
#[must_use]
pub fn day_of(zone: Tz, at: UnixMs) -> NaiveDate {
    at.to_utc().with_timezone(&zone).date_naive()
}

/// The moment of a day at a minute of it; where the zone skips that minute, the first one after it.
#[must_use]
pub fn moment(zone: Tz, day: NaiveDate, minute: u32) -> UnixMs {
    let wanted = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
    let found = (0..SKIPPED_QUARTERS_MAX).find_map(|quarter| {
        zone.from_local_datetime(&(wanted + TimeDelta::minutes(15 * quarter))).earliest()
    });
    UnixMs(found.map_or_else(|| wanted.and_utc().timestamp_millis(), |at| at.timestamp_millis()))
}

/// The first moment of the day on which a moment falls, and the first of the next.
#[must_use]
pub fn around(zone: Tz, at: UnixMs) -> (UnixMs, UnixMs) {
    let day = day_of(zone, at);
    (moment(zone, day, 0), moment(zone, day.succ_opt().unwrap_or(day), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_zone_s_also_where_it_skips_its_midnight() {
        let at = UnixMs::parse_rfc3339("2026-11-22T16:30:00Z").unwrap();
        let text = |at: UnixMs| at.to_rfc3339();
        let (from, to) = around(chrono_tz::Asia::Shanghai, at);
        assert_eq!(
            (text(from).as_str(), text(to).as_str()),
            ("2026-11-22T16:00:00.000Z", "2026-11-23T16:00:00.000Z")
        );
        // On that day Beirut went from midnight to one o'clock.
        let day = NaiveDate::from_ymd_opt(2022, 3, 27).unwrap();
        assert_eq!(text(moment(chrono_tz::Asia::Beirut, day, 0)), "2022-03-26T22:00:00.000Z");
    }
}
