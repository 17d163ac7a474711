//! Durations as people write them: `"500ms"`, `"90s"`, `"30m"`, `"2h"`, `"3d"`.

use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

/// Ten years: anything longer is a slip of the pen.
const LONGEST_MS: i64 = 3_660 * DAY_MS;

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a whole number and a unit.
    #[error("\"{0}\" is not a duration: write a whole number and one of ms, s, m, h, d, such as \"30m\"")]
    Form(String),
    /// Working days or business hours, where every hour counts.
    #[error(
        "\"{0}\": this runs round the clock, so neither working days (wd) nor business hours (bh) count it; \
         use hours (h) or days of 24 hours (d)"
    )]
    WorkingTime(String),
    /// Not a limit.
    #[error(
        "\"{0}\" is not a limit: write a whole number and one of ms, s, m, h, d, wd (working days), bh (business hours)"
    )]
    Limit(String),
    /// Zero, or beyond ten years.
    #[error("\"{0}\" is out of range: more than nothing, at most 3660d")]
    Range(String),
}

/// Reads a duration into milliseconds.
///
/// # Errors
/// When the text is not a duration, or is zero or absurdly long.
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    let form = || DurationError::Form(text.to_owned());
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(form)?;
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => SECOND_MS,
        "m" => MINUTE_MS,
        "h" => HOUR_MS,
        "d" => DAY_MS,
        "wd" | "bh" if !number.is_empty() => return Err(DurationError::WorkingTime(text.to_owned())),
        _ => return Err(form()),
    };
    if number.is_empty() {
        return Err(form());
    }
    number
        .parse::<i64>()
        .ok()
        .and_then(|number| number.checked_mul(unit_ms))
        .filter(|ms| (1..=LONGEST_MS).contains(ms))
        .ok_or_else(|| DurationError::Range(text.to_owned()))
}

/// Writes milliseconds in the largest unit that divides them: `7_200_000` is `"2h"`.
#[must_use]
pub fn format_duration(ms: i64) -> String {
    for (unit_ms, unit) in [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (SECOND_MS, "s")] {
        if ms != 0 && ms % unit_ms == 0 {
            return format!("{}{unit}", ms / unit_ms);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_manual() {
        for (text, ms) in
            [("500ms", 500), ("90s", 90_000), ("30m", 1_800_000), ("2h", 7_200_000), ("3d", 259_200_000)]
        {
            assert_eq!(parse_duration(text), Ok(ms));
            assert_eq!(parse_duration(&format_duration(ms)), Ok(ms));
        }
    }

    #[test]
    fn everything_else_says_what_is_wrong() {
        for text in ["", "h", "2", "2 h", "-2h", "2.5h", "2H", "1h30m", "１h"] {
            assert_eq!(parse_duration(text), Err(DurationError::Form(text.to_owned())), "{text}");
        }
        for text in ["0s", "4000d", "99999999999999999999h"] {
            assert_eq!(parse_duration(text), Err(DurationError::Range(text.to_owned())), "{text}");
        }
        for text in ["3wd", "4bh"] {
            assert!(matches!(parse_duration(text), Err(DurationError::WorkingTime(_))), "{text}");
        }
    }
}
