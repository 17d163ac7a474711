//! What was found of closed work that was drawn for checking.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, Row, Tx};

/// What a checker found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// 0 to 100.
    pub points: i64,
    /// In words.
    pub remarks: String,
    /// Who checked.
    pub by: String,
    /// When.
    pub at: UnixMs,
}

/// Keeps what was found; a second check stands in the place of the first.
pub fn save(tx: &mut Tx<'_>, month: &str, subject: Uuid, check: &Check) -> Result<(), DbError> {
    let sql = "INSERT INTO quality_check (month, subject, points, remarks, by_whom, at_ms) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (month, subject) DO UPDATE SET points = excluded.points, remarks = excluded.remarks, \
         by_whom = excluded.by_whom, at_ms = excluded.at_ms";
    let params = [
        month.into(),
        subject.into(),
        check.points.into(),
        check.remarks.as_str().into(),
        check.by.as_str().into(),
        check.at.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// What was found of a month's sample; at most so many.
pub fn of_month(tx: &mut Tx<'_>, month: &str, limit: i64) -> Result<BTreeMap<Uuid, Check>, DbError> {
    let sql = "SELECT subject, points, remarks, by_whom, at_ms FROM quality_check WHERE month = $1 ORDER BY subject LIMIT $2";
    let read = |row: &Row| {
        let check = Check { points: row.get(1)?, remarks: row.get(2)?, by: row.get(3)?, at: row.get(4)? };
        Ok((row.get(0)?, check))
    };
    tx.query(sql, &[month.into(), limit.into()])?.iter().map(read).collect()
}
