//! When a site lets us in: a weekly pattern in the site's time zone, less the days on which it is closed.
//!
//! Written by people: `Mon-Fri 08:30-12:00, 13:30-17:30; Sat 09:00-12:00`, and closed days `2026-10-01..2026-10-07,
//! 2026-12-25`. Days may be written in Chinese (周一-周五) too. A window whose end is not after its beginning goes on into the next day.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use crate::matter::moment;
use crate::time::UnixMs;

/// The most windows of one weekday.
const WINDOWS_PER_DAY_MAX: usize = 8;
/// The most days, or spans of days, on which a site is closed.
const CLOSED_MAX: usize = 200;
/// How far ahead the next opening is looked for, in days: a site that is closed longer lets nobody in.
const LOOK_AHEAD_DAYS: u64 = 400;
const MINUTES_PER_DAY: u16 = 24 * 60;

/// Days as they are written, from Monday on.
const DAYS: [(&str, &str); 7] = [
    ("mon", "周一"),
    ("tue", "周二"),
    ("wed", "周三"),
    ("thu", "周四"),
    ("fri", "周五"),
    ("sat", "周六"),
    ("sun", "周日"),
];

/// Minutes of a day: from, to.
type Windows = Vec<(u16, u16)>;

/// When a site lets us in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessHours {
    zone: Tz,
    weekly: [Windows; 7],
    closed: Vec<(NaiveDate, NaiveDate)>,
}

impl AccessHours {
    /// Reads the weekly pattern and the closed days; an empty pattern lets us in at any hour.
    ///
    /// # Errors
    /// What cannot be read, and what it would look like.
    pub fn parse(weekly: &str, closed: &str, zone: Tz) -> Result<Self, String> {
        let weekly = if weekly.trim().is_empty() { always() } else { read_weekly(weekly)? };
        Ok(Self { zone, weekly, closed: read_closed(closed)? })
    }

    /// Whether somebody is let in.
    #[must_use]
    pub fn is_open(&self, at: UnixMs) -> bool {
        self.next_open(at) == Some(at)
    }

    /// The first moment, from this one on, at which somebody is let in; none within more than a year.
    #[must_use]
    pub fn next_open(&self, at: UnixMs) -> Option<UnixMs> {
        let today = at.to_utc().with_timezone(&self.zone).date_naive();
        let days = (0..LOOK_AHEAD_DAYS).filter_map(|ahead| today.checked_add_days(Days::new(ahead)));
        days.filter(|day| !self.is_closed(*day)).find_map(|day| {
            let windows = &self.weekly[day.weekday().num_days_from_monday() as usize];
            let mut moments = windows.iter().map(|(from, to)| (self.at(day, *from), self.at(day, *to)));
            moments.find(|(_, to)| *to > at).map(|(from, _)| from.max(at))
        })
    }

    fn is_closed(&self, day: NaiveDate) -> bool {
        self.closed.iter().any(|(from, to)| (*from..=*to).contains(&day))
    }

    fn at(&self, day: NaiveDate, minute: u16) -> UnixMs {
        moment(day.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute.into()), self.zone)
    }
}

fn always() -> [Windows; 7] {
    std::array::from_fn(|_| vec![(0, MINUTES_PER_DAY)])
}

fn read_weekly(text: &str) -> Result<[Windows; 7], String> {
    let mut weekly: [Windows; 7] = std::array::from_fn(|_| Vec::new());
    for part in text.split([';', '；']).map(str::trim).filter(|part| !part.is_empty()) {
        let form = || format!("\"{part}\" is not of the form \"Mon-Fri 08:30-12:00, 13:30-17:30\"");
        let (days, hours) = part.split_once(char::is_whitespace).ok_or_else(form)?;
        let days = read_days(days)?;
        for window in hours.split([',', '，']).map(str::trim) {
            let (from, to) = window.split_once(['-', '–']).ok_or_else(form)?;
            let (from, to) = (read_minute(from)?, read_minute(to)?);
            for day in &days {
                if from < to {
                    weekly[*day].push((from, to));
                } else {
                    weekly[*day].push((from, MINUTES_PER_DAY));
                    weekly[(day + 1) % 7].push((0, to));
                }
            }
        }
    }
    for windows in &mut weekly {
        windows.retain(|(from, to)| from < to);
        windows.sort_unstable();
        if windows.len() > WINDOWS_PER_DAY_MAX {
            return Err(format!("a day has at most {WINDOWS_PER_DAY_MAX} times at which somebody is let in"));
        }
    }
    if weekly.iter().all(Vec::is_empty) {
        return Err("names no time at which somebody is let in".to_owned());
    }
    Ok(weekly)
}

/// `Mon-Fri`, `Mon,Wed`, `daily`.
fn read_days(text: &str) -> Result<Vec<usize>, String> {
    if matches!(text.to_ascii_lowercase().as_str(), "daily" | "每天") {
        return Ok((0..7).collect());
    }
    let mut days = Vec::new();
    for part in text.split([',', '，']) {
        match part.split_once(['-', '–']) {
            None => days.push(read_day(part)?),
            Some((from, to)) => {
                let (from, to) = (read_day(from)?, read_day(to)?);
                days.extend((0..7).map(|n| (from + n) % 7).take((to + 7 - from) % 7 + 1));
            }
        }
    }
    Ok(days)
}

fn read_day(text: &str) -> Result<usize, String> {
    let lower = text.trim().to_ascii_lowercase();
    let day = DAYS.iter().position(|(en, zh)| lower == *en || lower == *zh);
    day.ok_or_else(|| format!("\"{text}\" is no day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun, or daily"))
}

fn read_minute(text: &str) -> Result<u16, String> {
    let read = || -> Option<u16> {
        let (hour, minute) = text.trim().split_once([':', '：'])?;
        let two = |text: &str| {
            (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u16>().ok())?
        };
        let minutes = two(hour)? * 60 + two(minute).filter(|minute| *minute < 60)?;
        Some(minutes).filter(|minutes| *minutes <= MINUTES_PER_DAY)
    };
    read().ok_or_else(|| format!("\"{}\" is no time of day: write 00:00 to 24:00", text.trim()))
}

fn read_closed(text: &str) -> Result<Vec<(NaiveDate, NaiveDate)>, String> {
    let day = |text: &str| {
        NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
            .map_err(|_| format!("\"{}\" is no day such as 2026-10-01", text.trim()))
    };
    let parts = text.split([',', ';', '，', '；']).map(str::trim).filter(|part| !part.is_empty());
    let spans: Result<Vec<_>, String> = parts
        .map(|part| {
            let (from, to) = part.split_once("..").unwrap_or((part, part));
            let (from, to) = (day(from)?, day(to)?);
            if to < from { Err(format!("\"{part}\" ends before it begins")) } else { Ok((from, to)) }
        })
        .collect();
    spans.and_then(|spans| {
        if spans.len() > CLOSED_MAX {
            return Err(format!("has more than {CLOSED_MAX} days or spans"));
        }
        Ok(spans)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMs {
        UnixMs::parse_rfc3339(text).unwrap()
    }

    fn next(weekly: &str, closed: &str, from: &str) -> Option<String> {
        let zone = chrono_tz::Asia::Shanghai;
        let hours = AccessHours::parse(weekly, closed, zone).unwrap();
        let next = hours.next_open(at(from))?;
        assert_eq!(hours.is_open(at(from)), next == at(from));
        Some(next.to_utc().with_timezone(&zone).format("%m-%d %H:%M").to_string())
    }

    #[test]
    fn the_next_opening_is_in_the_zone_of_the_site() {
        // 2026-11-20 is a Friday.
        let week = "Mon-Fri 08:30-12:00, 13:30-17:30; Sat 09:00-12:00";
        for (from, expected) in [
            ("2026-11-20T08:00:00+08:00", "11-20 08:30"),
            ("2026-11-20T10:00:00+08:00", "11-20 10:00"),
            ("2026-11-20T12:00:00+08:00", "11-20 13:30"),
            ("2026-11-20T17:30:00+08:00", "11-21 09:00"),
            ("2026-11-21T12:00:00+08:00", "11-23 08:30"),
        ] {
            assert_eq!(next(week, "", from).as_deref(), Some(expected), "{from}");
        }
        let holiday = "2026-11-23..2026-11-24, 2026-11-25";
        assert_eq!(next(week, holiday, "2026-11-21T12:00:00+08:00").as_deref(), Some("11-26 08:30"));
        assert_eq!(
            next("周五-周一 22:00-06:00", "", "2026-11-24T05:59:00+08:00").as_deref(),
            Some("11-24 05:59")
        );
        assert_eq!(
            next("周五-周一 22:00-06:00", "", "2026-11-24T06:00:00+08:00").as_deref(),
            Some("11-27 22:00")
        );
        assert_eq!(next("", "2026-11-20", "2026-11-20T10:00:00+08:00").as_deref(), Some("11-21 00:00"));
        assert_eq!(next("daily 00:00-24:00", "2026-01-01..2030-01-01", "2026-11-20T10:00:00+08:00"), None);
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        for (weekly, closed, words) in [
            ("Mon", "", "is not of the form"),
            ("Montag 08:00-12:00", "", "is no day: write Mon"),
            ("Mon 8-12", "", "is no time of day"),
            ("Mon 08:00-25:00", "", "is no time of day"),
            ("Mon 24:00-00:00", "", "names no time"),
            ("Mon 08:00-12:00", "1 October", "is no day such as"),
            ("Mon 08:00-12:00", "2026-10-07..2026-10-01", "ends before it begins"),
        ] {
            let refused = AccessHours::parse(weekly, closed, chrono_tz::UTC).unwrap_err();
            assert!(refused.contains(words), "{weekly} {closed}: {refused}");
        }
    }
}
