//! Lines of other agents that somebody has this device probe for a while, from where it is plugged in: an extra vantage.
//! What it sees joins what the line's own agent sees, and decides only while that one knows nothing.

use std::collections::BTreeMap;

use linewatch_shared::time::{HOUR_MS, UnixMs};
use rusqlite::Connection;

use crate::journal::{JournalError, meta};

/// How long a line is probed from here, unless it is ended before: a day's work, not the way home.
pub const SPAN_MS: i64 = 8 * HOUR_MS;
/// The most such lines.
pub const LINES_MAX: usize = 200;

/// The lines, and until when (device wall clock); those whose time is over are left out.
///
/// # Errors
/// When the database cannot be read.
pub fn lines(db: &Connection, now: UnixMs) -> Result<BTreeMap<String, UnixMs>, JournalError> {
    let mut lines: BTreeMap<String, UnixMs> = meta::get(db, meta::VANTAGE)?.unwrap_or_default();
    // A clock that was set back must not stretch it.
    lines.retain(|_, until| *until > now && until.since(now) <= SPAN_MS);
    Ok(lines)
}

/// Has a line probed from here, or no more; none where there are too many already.
///
/// # Errors
/// When the database cannot be written.
pub fn set(
    tx: &Connection,
    line: &str,
    on: bool,
    now: UnixMs,
) -> Result<Option<Option<UnixMs>>, JournalError> {
    let mut known = lines(tx, now)?;
    if on && known.len() >= LINES_MAX && !known.contains_key(line) {
        return Ok(None);
    }
    let until = on.then_some(now + SPAN_MS);
    match until {
        Some(until) => known.insert(line.to_owned(), until),
        None => known.remove(line),
    };
    meta::put(tx, meta::VANTAGE, &known)?;
    Ok(Some(until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::{NOW, memory};

    #[test]
    fn a_line_is_probed_from_here_for_a_while() {
        let db = memory();
        assert_eq!(set(&db, "L1", true, NOW).unwrap(), Some(Some(NOW + SPAN_MS)));
        assert_eq!(lines(&db, NOW + SPAN_MS - 1).unwrap().len(), 1);
        assert!(lines(&db, NOW + SPAN_MS).unwrap().is_empty());
        assert!(lines(&db, NOW - HOUR_MS).unwrap().is_empty(), "the clock was set back");
        set(&db, "L1", true, NOW).unwrap();
        assert_eq!(set(&db, "L1", false, NOW).unwrap(), Some(None));
        assert!(lines(&db, NOW).unwrap().is_empty());
        for n in 0..LINES_MAX {
            assert!(set(&db, &format!("L{n}"), true, NOW).unwrap().is_some());
        }
        assert_eq!(set(&db, "one too many", true, NOW).unwrap(), None);
    }
}
