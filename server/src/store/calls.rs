//! What the telephone system says of the hotline, by day.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;

use crate::db::{DbError, Row, Tx};

/// The calls of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls that came in.
    pub offered: i64,
    /// Of those, the ones that were answered.
    pub answered: i64,
    /// Of those, the ones that were answered within 20 seconds.
    pub within_20s: i64,
}

/// Keeps days, each in the place of what was kept of it.
pub fn save(tx: &mut Tx<'_>, days: &BTreeMap<String, Calls>, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO call_day (day, offered, answered, within_20s, imported_at_ms) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (day) DO UPDATE SET offered = excluded.offered, answered = excluded.answered, \
         within_20s = excluded.within_20s, imported_at_ms = excluded.imported_at_ms";
    let row = |(day, calls): (&String, &Calls)| {
        vec![day.into(), calls.offered.into(), calls.answered.into(), calls.within_20s.into(), now.into()]
    };
    tx.batch(sql, &days.iter().map(row).collect::<Vec<_>>())?;
    Ok(())
}

/// The days from one on to another, both included; at most so many.
pub fn between(
    tx: &mut Tx<'_>,
    first: &str,
    last: &str,
    limit: i64,
) -> Result<BTreeMap<String, Calls>, DbError> {
    let sql = "SELECT day, offered, answered, within_20s FROM call_day WHERE day >= $1 AND day <= $2 ORDER BY day LIMIT $3";
    let read = |row: &Row| {
        let calls = Calls { offered: row.get(1)?, answered: row.get(2)?, within_20s: row.get(3)? };
        Ok((row.get(0)?, calls))
    };
    tx.query(sql, &[first.into(), last.into(), limit.into()])?.iter().map(read).collect()
}

/// When a day from one on to another, both included, was last imported.
pub fn imported_at(tx: &mut Tx<'_>, first: &str, last: &str) -> Result<Option<UnixMs>, DbError> {
    let sql = "SELECT MAX(imported_at_ms) FROM call_day WHERE day >= $1 AND day <= $2";
    tx.query_one(sql, &[first.into(), last.into()])?.get(0)
}
