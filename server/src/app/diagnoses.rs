//! What devices found out about lines, as it is shown: with the line, and with the fault that it was made for.

use linewatch_shared::facts::Finding;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use crate::db::{DbError, Tx};
use crate::store::diagnoses::{self, StoredDiagnosis};

/// The most diagnoses that are shown with a fault.
const OF_FAULT_MAX: i64 = 100;

/// A diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DiagnosisView {
    /// Its id.
    pub id: Uuid,
    /// The line.
    pub line: String,
    /// The fault that was open then, by any of its ids.
    pub fault: Option<Uuid>,
    /// When it was made, RFC 3339.
    pub at: String,
    /// Who made it, on which agent.
    pub by: String,
    /// What was looked at, in order: `check, grade, code`, and `figures` as names with their units, and values.
    #[schema(value_type = Vec<Object>)]
    pub findings: Vec<Finding>,
}

impl From<StoredDiagnosis> for DiagnosisView {
    fn from(stored: StoredDiagnosis) -> Self {
        let StoredDiagnosis { record: id, line, fault, at, by, findings, .. } = stored;
        Self { id, line, fault, at: at.to_rfc3339(), by, findings }
    }
}

/// Those that were made for a fault, the newest first.
///
/// # Errors
/// The database's.
pub fn of_fault(tx: &mut Tx<'_>, line: &str, fault: Uuid) -> Result<Vec<DiagnosisView>, DbError> {
    let found = diagnoses::of_fault(tx, line, fault, OF_FAULT_MAX)?;
    Ok(found.into_iter().map(DiagnosisView::from).collect())
}

/// A diagnosis with its place in the list: when it was made, and its id.
pub type PlacedDiagnosis = ((i64, Uuid), DiagnosisView);

/// A page of those of a line, the newest first.
///
/// # Errors
/// The database's.
pub fn of_line(
    tx: &mut Tx<'_>,
    line: &str,
    before: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<PlacedDiagnosis>, DbError> {
    let found = diagnoses::of_line(tx, line, before.map(|(at, id)| (UnixMs(at), id)), limit)?;
    Ok(found.into_iter().map(|stored| ((stored.at.0, stored.record), stored.into())).collect())
}
