//! Reference data from CSV or XLSX: customers, lines, sites, equipment. All of a file goes in, in one transaction, or nothing.
//!
//! The kind of file is seen from its header. Columns come in any order, unknown ones are refused. An
//! empty cell means absent; a column that the file does not have is left as it is. Every row is
//! checked, and every mistake is reported with its line, its column and the reason.

mod apply;
mod equipment;
mod kind;
mod one;
mod plan;
mod sheet;
mod sites;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::packs::PackSet;
use super::{Action, AppError, audit};
use crate::db::{Db, DbError, Priority};
pub use kind::Kind;
pub use one::{NewCustomer, new_customer};
pub use table::FORMULA_BEGINS;
use table::Table;
pub(in crate::app) use table::plain;

/// The largest file, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The most rows of one file.
pub const ROWS_MAX: usize = 200_000;

/// What is wrong with one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowMistake {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column's name; empty when the whole row is meant.
    pub column: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl fmt::Display for RowMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", {}", self.column)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// What an import did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What the file holds.
    pub kind: Kind,
    /// Codes that are new.
    pub created: Vec<String>,
    /// Codes whose record changed.
    pub changed: Vec<String>,
    /// How many rows say what is already known.
    pub unchanged: usize,
    /// Agents that are new: known, not yet enrolled.
    pub agents_created: Vec<String>,
    /// True when nothing was written.
    pub dry_run: bool,
}

/// Why an import did nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file has mistakes.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<RowMistake>),
    /// Anything else.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<DbError> for ImportError {
    fn from(e: DbError) -> Self {
        Self::App(e.into())
    }
}

/// How many rows a file has, as far as that can be said without the desk's data.
///
/// # Errors
/// Every mistake that shows in the file alone.
pub fn count_rows(bytes: &[u8]) -> Result<usize, Vec<RowMistake>> {
    let (table, mistakes) = table::Table::read(bytes)?;
    if mistakes.is_empty() { Ok(table.rows.len()) } else { Err(mistakes) }
}

/// Imports the file at `path`. New customers are proposed where somebody proposes them, and admitted otherwise.
///
/// # Errors
/// When the file cannot be read or has mistakes; then nothing is changed.
pub async fn file(
    db: &Db,
    packs: &Arc<PackSet>,
    path: &Path,
    proposer: Option<&str>,
    dry_run: bool,
    now: UnixMs,
) -> Result<Summary, ImportError> {
    let failed = |source| AppError::File { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > FILE_BYTES_MAX {
        let reason = format!("{}: larger than {FILE_BYTES_MAX} bytes; split it", path.display());
        return Err(AppError::Refused(reason).into());
    }
    bytes_as(db, packs, &std::fs::read(path).map_err(failed)?, proposer, dry_run, now).await
}

/// Says in the audit trail that a file was refused.
///
/// # Errors
/// The database's.
pub async fn note_refused(db: &Db, mistakes: usize, now: UnixMs) -> Result<(), DbError> {
    let detail = serde_json::json!({ "mistakes": mistakes });
    db.write(Priority::Api, move |tx| audit(tx, now.0, apply::BY, Action::Refused, "import", Some(&detail)))
        .await
}

/// Imports the bytes of a CSV or XLSX file; new customers are admitted.
///
/// # Errors
/// When they have mistakes; then nothing is changed.
pub async fn bytes(
    db: &Db,
    packs: &Arc<PackSet>,
    bytes: &[u8],
    dry_run: bool,
    now: UnixMs,
) -> Result<Summary, ImportError> {
    bytes_as(db, packs, bytes, None, dry_run, now).await
}

/// The same; new customers are proposed where somebody proposes them.
///
/// # Errors
/// When they have mistakes; then nothing is changed.
pub async fn bytes_as(
    db: &Db,
    packs: &Arc<PackSet>,
    bytes: &[u8],
    proposer: Option<&str>,
    dry_run: bool,
    now: UnixMs,
) -> Result<Summary, ImportError> {
    let proposer = proposer.map(str::to_owned);
    let (table, early) = Table::read(bytes).map_err(ImportError::Mistakes)?;
    let (table, packs) = (Arc::new(table), Arc::clone(packs));
    if dry_run {
        return db
            .read(move |tx| {
                let plan = plan::make(tx, &table, &packs, early.clone(), now)?;
                Ok(plan.summary(true))
            })
            .await;
    }
    db.write(Priority::Api, move |tx| {
        let plan = plan::make(tx, &table, &packs, early.clone(), now)?;
        let summary = plan.summary(false);
        let detail = serde_json::json!({
            "created": summary.created.len(), "changed": summary.changed.len(), "unchanged": summary.unchanged
        });
        audit(tx, now.0, apply::BY, Action::Imported, plan.kind.name(), Some(&detail))?;
        apply::run(tx, &plan, proposer.as_deref(), now)?;
        Ok(summary)
    })
    .await
}
