//! What devices found out about lines.

use linewatch_shared::facts::Finding;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{pack, unpack};
use crate::db::{DbError, Row, Tx};

/// A diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDiagnosis {
    /// The record.
    pub record: Uuid,
    /// The line.
    pub line: String,
    /// The fault that was open then, by any of its ids.
    pub fault: Option<Uuid>,
    /// Who sent it.
    pub agent: Uuid,
    /// Who pressed the button, on which agent.
    pub by: String,
    /// When, corrected.
    pub at: UnixMs,
    /// When the server wrote it down.
    pub recorded_at: UnixMs,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Keeps diagnoses.
pub fn insert(tx: &mut Tx<'_>, diagnoses: &[StoredDiagnosis]) -> Result<(), DbError> {
    let mut rows = Vec::with_capacity(diagnoses.len());
    for new in diagnoses {
        rows.push(vec![
            new.record.into(),
            new.line.as_str().into(),
            new.fault.into(),
            new.agent.into(),
            new.by.as_str().into(),
            new.at.into(),
            new.recorded_at.into(),
            pack("diagnosis.findings", &new.findings)?.into(),
        ]);
    }
    let sql = "INSERT INTO diagnosis (record, line, fault, agent, by_whom, at_ms, recorded_at_ms, findings) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (record) DO NOTHING";
    tx.batch(sql, &rows).map(drop)
}

const COLUMNS: &str = "record, line, fault, agent, by_whom, at_ms, recorded_at_ms, findings FROM diagnosis";

fn read(row: &Row) -> Result<StoredDiagnosis, DbError> {
    Ok(StoredDiagnosis {
        record: row.get(0)?,
        line: row.get(1)?,
        fault: row.get(2)?,
        agent: row.get(3)?,
        by: row.get(4)?,
        at: row.get(5)?,
        recorded_at: row.get(6)?,
        findings: unpack("diagnosis.findings", &row.get::<Vec<u8>>(7)?)?,
    })
}

/// Those that were made for a fault, by any of its ids, the newest first.
pub fn of_fault(
    tx: &mut Tx<'_>,
    line: &str,
    fault: Uuid,
    limit: i64,
) -> Result<Vec<StoredDiagnosis>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE line = $1 AND fault IN (SELECT alias FROM fault_alias WHERE fault = $2) \
         ORDER BY at_ms DESC, record DESC LIMIT $3"
    );
    tx.query(&sql, &[line.into(), fault.into(), limit.into()])?.iter().map(read).collect()
}

/// Those of a line, the newest first.
pub fn of_line(
    tx: &mut Tx<'_>,
    line: &str,
    before: Option<(UnixMs, Uuid)>,
    limit: i64,
) -> Result<Vec<StoredDiagnosis>, DbError> {
    let (at, id) = before.unwrap_or((UnixMs::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {COLUMNS} WHERE line = $1 AND (at_ms, record) < ($2, $3) ORDER BY at_ms DESC, record DESC LIMIT $4"
    );
    tx.query(&sql, &[line.into(), at.into(), id.into(), limit.into()])?.iter().map(read).collect()
}
