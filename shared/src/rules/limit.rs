//! How long something may take, and which time counts towards it.

use serde::{Deserialize, Serialize};

use super::{DurationError, format_duration, parse_duration};
use crate::time::{DAY_MS, HOUR_MS};

/// The time that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Every millisecond, midnight included (7×24).
    #[default]
    Always,
    /// The 24 hours of each working day of the pack's calendar.
    WorkingDays,
    /// The business hours of each working day.
    BusinessHours,
}

/// An allowance of countable time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Limit {
    /// How much of it (ms): three working days are 72 hours of working days.
    pub ms: i64,
    /// Which time counts.
    pub counts: Counts,
}

impl Limit {
    /// Round the clock.
    #[must_use]
    pub const fn always(ms: i64) -> Self {
        Self { ms, counts: Counts::Always }
    }
}

/// Reads a limit: a duration, working days (`"3wd"`) or business hours (`"4bh"`).
///
/// # Errors
/// When the text is no limit, or is zero or absurdly long.
pub fn parse_limit(text: &str) -> Result<Limit, DurationError> {
    let (span, counts) = if let Some(days) = text.strip_suffix("wd") {
        (format!("{days}d"), Counts::WorkingDays)
    } else if let Some(hours) = text.strip_suffix("bh") {
        (format!("{hours}h"), Counts::BusinessHours)
    } else {
        (text.to_owned(), Counts::Always)
    };
    let ms = parse_duration(&span).map_err(|error| match error {
        DurationError::Range(_) => DurationError::Range(text.to_owned()),
        _ => DurationError::Limit(text.to_owned()),
    })?;
    Ok(Limit { ms, counts })
}

/// Writes a limit as [`parse_limit`] reads it.
impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.counts {
            Counts::WorkingDays if self.ms % DAY_MS == 0 => write!(f, "{}wd", self.ms / DAY_MS),
            Counts::BusinessHours if self.ms % HOUR_MS == 0 => write!(f, "{}bh", self.ms / HOUR_MS),
            _ => f.write_str(&format_duration(self.ms)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_limit() {
        for (text, ms, counts) in [
            ("15m", 900_000, Counts::Always),
            ("3wd", 3 * DAY_MS, Counts::WorkingDays),
            ("4bh", 4 * HOUR_MS, Counts::BusinessHours),
        ] {
            let limit = Limit { ms, counts };
            assert_eq!(parse_limit(text), Ok(limit));
            assert_eq!(limit.to_string(), text);
        }
        for text in ["wd", "3 wd", "1.5wd", "-1bh", "3WD", "3mwd", ""] {
            assert_eq!(parse_limit(text), Err(DurationError::Limit(text.to_owned())), "{text}");
        }
        assert_eq!(parse_limit("0wd"), Err(DurationError::Range("0wd".to_owned())));
    }
}
