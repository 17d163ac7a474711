//! What each fault adds to its line's yearly figures.

use std::collections::BTreeMap;

use linewatch_shared::sla::{Contribution, Fault, contributions};
use linewatch_shared::time::UnixMs;

use super::faults::Wanted;
use super::{pack, unpack};
use crate::db::{DbError, Row, Tx, Value};

/// A fault, and the zone in which its line's years are counted.
pub type Counted<'a> = (&'a Fault, chrono_tz::Tz);

/// Makes what is stored of faults' parts in their lines' figures this; only what differs is written. Answers of each whether
/// anything did.
pub fn save_all(tx: &mut Tx<'_>, faults: &[Counted<'_>]) -> Result<Vec<bool>, DbError> {
    let sql = "SELECT year, counted, open, started_at_ms, pieces FROM contribution WHERE fault = $1";
    let asked: Vec<_> = faults.iter().map(|(fault, _)| vec![fault.id.into()]).collect();
    let (mut rows, mut gone, mut differ) = (Vec::new(), Vec::new(), Vec::new());
    for (counted, stored) in faults.iter().zip(tx.query_each(sql, &asked)?) {
        let before = rows.len() + gone.len();
        differing(counted, &stored, &mut rows, &mut gone)?;
        differ.push(rows.len() + gone.len() > before);
    }
    tx.batch("DELETE FROM contribution WHERE fault = $1 AND year = $2", &gone)?;
    let sql = "INSERT INTO contribution (fault, line, year, counted, open, started_at_ms, pieces) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (fault, year) DO UPDATE SET counted = excluded.counted, \
         open = excluded.open, started_at_ms = excluded.started_at_ms, pieces = excluded.pieces";
    tx.batch(sql, &rows)?;
    Ok(differ)
}

/// What is to be written, and what to be removed, so that what is stored of a fault is this.
fn differing(
    (fault, time_zone): &Counted<'_>,
    stored: &[Row],
    rows: &mut Vec<Vec<Value>>,
    gone: &mut Vec<Vec<Value>>,
) -> Result<(), DbError> {
    let mut known = BTreeMap::new();
    for row in stored {
        let value = |at| row.get::<Value>(at);
        known.insert(row.get::<i64>(0)?, [value(1)?, value(2)?, value(3)?, value(4)?]);
    }
    for contribution in contributions(fault, *time_zone) {
        let year = i64::from(contribution.year);
        let new: [Value; 4] = [
            contribution.counted.into(),
            contribution.pieces.iter().any(|piece| piece.to.is_none()).into(),
            fault.started_at.into(),
            pack("contribution.pieces", &contribution.pieces)?.into(),
        ];
        if known.remove(&year).as_ref() != Some(&new) {
            let key = [fault.id.into(), fault.line.as_str().into(), year.into()];
            rows.push(key.into_iter().chain(new).collect());
        }
    }
    gone.extend(known.into_keys().map(|year| vec![fault.id.into(), year.into()]));
    Ok(())
}

/// A contribution and the start of its fault.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it adds.
    pub contribution: Contribution,
    /// When its fault started.
    pub started_at: UnixMs,
}

pub(super) fn part(row: &Row, first: usize) -> Result<Part, DbError> {
    let year: i64 = row.get(first)?;
    Ok(Part {
        contribution: Contribution {
            year: i32::try_from(year).unwrap_or_default(),
            counted: row.get(first + 1)?,
            pieces: unpack("contribution.pieces", &row.get::<Vec<u8>>(first + 2)?)?,
        },
        started_at: row.get(first + 3)?,
    })
}

/// What counts for a line in a year and the one before (which a rolling count needs), and outages that go on.
pub fn of_line(tx: &mut Tx<'_>, line: &str, year: i32) -> Result<Vec<Part>, DbError> {
    let sql = "SELECT year, counted, pieces, started_at_ms FROM contribution \
         WHERE line = $1 AND ((year >= $2 AND year <= $3) OR (open = 1 AND year < $2))";
    let year = i64::from(year);
    tx.query(sql, &[line.into(), (year - 1).into(), year.into()])?.iter().map(|row| part(row, 0)).collect()
}

/// The same for the lines of a page of faults, whose packs count in these years, in one statement.
pub fn of_page(
    tx: &mut Tx<'_>,
    page: &Wanted,
    limit: i64,
    (from_year, to_year): (i32, i32),
) -> Result<BTreeMap<String, Vec<Part>>, DbError> {
    let sql = format!(
        "SELECT line, year, counted, pieces, started_at_ms FROM contribution WHERE line IN (SELECT line {}) \
         AND ((year >= $9 AND year <= $10) OR (open = 1 AND year < $9))",
        page.page()
    );
    let mut params = page.params(limit);
    params.extend([i64::from(from_year - 1).into(), i64::from(to_year).into()]);
    let mut by_line: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for row in tx.query(&sql, &params)? {
        by_line.entry(row.get(0)?).or_default().push(part(&row, 1)?);
    }
    Ok(by_line)
}
