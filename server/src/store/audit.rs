//! The record of who did what. Rows are only ever added.

use crate::db::{DbError, Tx, Value};

/// Writes what happened, and who did it, where it cannot be changed again.
pub fn append(
    tx: &mut Tx<'_>,
    at_ms: i64,
    who: &str,
    action: &str,
    subject: &str,
    detail: Option<&serde_json::Value>,
) -> Result<(), DbError> {
    let detail = detail.map(ToString::to_string);
    tx.execute(
        "INSERT INTO audit (at_ms, who, action, subject, detail) VALUES ($1, $2, $3, $4, $5)",
        &[at_ms.into(), who.into(), action.into(), subject.into(), Value::from(detail)],
    )?;
    Ok(())
}
