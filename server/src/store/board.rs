//! What the board reads of everything that is open, in a few statements.

use std::collections::BTreeMap;

use linewatch_shared::sla::Fault;
use serde::Deserialize;

use super::figures::{Part, part};
use super::unpack;
use crate::db::{DbError, Tx};

/// A fault as it is stored: to be read where there is time for it.
#[derive(Clone, Debug)]
pub struct PackedFault(Vec<u8>);

/// What of a fault's body is read then: what was told of it is passed over.
#[derive(Deserialize)]
struct Untold {
    fault: Fault,
}

impl PackedFault {
    /// Reads it.
    ///
    /// # Errors
    /// When it is not what was stored.
    pub fn read(&self) -> Result<Fault, DbError> {
        unpack::<Untold>("fault.body", &self.0).map(|body| body.fault)
    }
}

/// Every fault on which something may still be owed, the longest first.
pub fn live(tx: &mut Tx<'_>) -> Result<Vec<PackedFault>, DbError> {
    let rows = tx.query("SELECT body FROM fault WHERE live = 1 ORDER BY started_at_ms", &[])?;
    rows.iter().map(|row| row.get(0).map(PackedFault)).collect()
}

/// What counts for every line with a live fault in these years, and all outages of earlier ones that go on.
pub fn figures(
    tx: &mut Tx<'_>,
    (from_year, to_year): (i32, i32),
) -> Result<BTreeMap<String, Vec<Part>>, DbError> {
    // In two, so that each has a way of its own to its rows.
    let sql = "SELECT line, year, counted, pieces, started_at_ms FROM contribution \
         WHERE line IN (SELECT line FROM fault WHERE live = 1) AND year >= $1 AND year <= $2 \
         UNION ALL SELECT line, year, counted, pieces, started_at_ms FROM contribution WHERE open = 1 AND year < $1";
    let mut by_line: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for row in tx.query(sql, &[i64::from(from_year).into(), i64::from(to_year).into()])? {
        by_line.entry(row.get(0)?).or_default().push(part(&row, 1)?);
    }
    Ok(by_line)
}
