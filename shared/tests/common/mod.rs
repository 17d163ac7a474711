//! What stories share: how their files are found, and how their times are written.

use std::path::Path;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use linewatch_shared::time::UnixMs;

/// Checks every file of a folder and tells all that differ.
pub fn check_all(folder: &str, at_least: usize, check: fn(&Path) -> Result<(), String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= at_least, "the stories are gone");
    let failures: Vec<String> = files.iter().filter_map(|file| check(file).err()).collect();
    assert!(
        failures.is_empty(),
        "{} of {} stories differ:\n\n{}",
        failures.len(),
        files.len(),
        failures.join("\n\n")
    );
}

/// Times as a story writes them: `HH:MM[:SS[.mmm]]` of its day, with `+N` or `-N` days in front where needed; a day's
/// last millisecond is `24:00`.
#[derive(Clone, Copy)]
pub struct StoryClock {
    pub zone: Tz,
    pub day: NaiveDate,
}

impl StoryClock {
    pub fn time(self, text: &str) -> UnixMs {
        let (days, clock) = match text.split_once(' ') {
            Some((days, clock)) => {
                (days.parse::<i64>().unwrap_or_else(|_| panic!("no day in {text}")), clock)
            }
            None => (0, text),
        };
        let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
        let clock =
            NaiveTime::parse_from_str(&clock, "%H:%M:%S%.f").unwrap_or_else(|_| panic!("no time: {text}"));
        let distance = Days::new(days.unsigned_abs());
        let day = if days < 0 { self.day - distance } else { self.day + distance };
        let at = self.zone.from_local_datetime(&day.and_time(clock)).earliest().unwrap();
        UnixMs(at.timestamp_millis())
    }

    /// The other way.
    pub fn text(self, at: UnixMs) -> String {
        let local = at.to_utc().with_timezone(&self.zone);
        let days = local.date_naive().signed_duration_since(self.day).num_days();
        let clock = match local.format("%H:%M:%S%.f").to_string() {
            clock if clock == "23:59:59.999" => "24:00".to_owned(),
            clock if clock.len() == 8 && clock.ends_with(":00") => clock[..5].to_owned(),
            clock => clock,
        };
        if days == 0 { clock } else { format!("{days:+} {clock}") }
    }
}
