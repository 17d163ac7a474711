//! Standard output for commands: tables for people, JSON for programs.

use std::io::{self, Write};

use chrono::{DateTime, Local};
use comfy_table::{ContentArrangement, Table, presets};
use linewatch_shared::time::UnixMs;
use serde::Serialize;

/// Writes a line. A reader that has gone (`| head`) is no error worth telling.
///
/// # Errors
/// When standard output cannot be written for another reason.
pub fn line(text: &str) -> io::Result<()> {
    ignore_gone(writeln!(io::stdout(), "{text}"))
}

/// Writes a value as JSON.
///
/// # Errors
/// As for [`line`].
pub fn json<T: Serialize>(value: &T) -> io::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Writes rows under their headings.
///
/// # Errors
/// As for [`line`].
pub fn table(headings: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    line(&table.to_string())
}

fn ignore_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A moment in the device's own time zone.
#[must_use]
pub fn local(at: UnixMs) -> String {
    DateTime::<Local>::from(at.to_utc()).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// So many records, in words.
#[must_use]
pub fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

/// A span in words of at most two units, such as `2h 05m`.
#[must_use]
pub fn span(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let seconds = (ms.unsigned_abs()) / 1_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{seconds}s"),
        (0, 0, _) => format!("{sign}{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{sign}{hours}h {minutes:02}m"),
        _ => format!("{sign}{days}d {hours:02}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_in_words() {
        let cases = [
            (0, "0s"),
            (59_999, "59s"),
            (61_000, "1m 01s"),
            (7_500_000, "2h 05m"),
            (-90_000, "-1m 30s"),
            (90_000_000, "1d 01h"),
        ];
        for (ms, expected) in cases {
            assert_eq!(span(ms), expected);
        }
    }
}
