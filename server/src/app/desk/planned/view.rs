//! Planned work as people and programs see it.

use linewatch_shared::sla::Window;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use super::LINES_MAX;
use crate::app::desk::{Desk, DeskError};
use crate::app::scopes::sees_work;
use crate::db::{DbError, Tx};
use crate::store::lines;
use crate::store::planned::{self, Work};
use crate::store::scope::{self, Scope};

/// The most reports that are listed beside planned work.
const REPORTS_LISTED_MAX: i64 = 500;

/// A report that was taken in during planned work: no fault, and an answer owed.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TiedReportView {
    /// The report's id.
    pub id: String,
    /// The line's code.
    pub line: String,
    /// When it was reported.
    pub at: String,
    /// Who took it in.
    pub by: String,
}

/// Planned work.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct WorkView {
    /// Its id.
    pub id: String,
    /// What for.
    pub reason: String,
    /// The node whose lines it is on.
    pub upstream: Option<String>,
    /// When it begins.
    pub from: String,
    /// When it ends.
    pub to: String,
    /// When it was applied for in writing.
    pub applied_at: String,
    /// When the customers were told.
    pub announced_at: Option<String>,
    /// When it was called off.
    pub cancelled_at: Option<String>,
    /// Who wrote it down.
    pub by: String,
    /// When.
    pub recorded_at: String,
    /// Whether what falls into it is no fault.
    pub exempt: bool,
    /// Why it is, where it exempts nothing.
    pub not_exempt_because: Option<String>,
}

/// Planned work with its lines and the reports that fell into it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct WorkDetail {
    /// The work.
    #[serde(flatten)]
    pub work: WorkView,
    /// Its lines, the first thousand.
    pub lines: Vec<String>,
    /// Reports of its lines within the window.
    pub reports: Vec<TiedReportView>,
}

/// A view of planned work: whether it exempts is judged by the pack of its first line.
///
/// # Errors
/// The database's.
pub fn view(desk: &Desk, tx: &mut Tx<'_>, work: &Work) -> Result<WorkView, DbError> {
    let versions = desk.packs.versions(tx)?;
    let mut because = work.cancelled_at.map(|_| "it was called off");
    if because.is_none()
        && let Some(line) = planned::lines(tx, work, "", 1)?.first()
        && let Some(rules) = lines::rules(tx, line, &versions)?
    {
        because = work.window.refusal(rules.pack_at(work.window.from).0.planned_work_notice_ms);
    }
    let Window { id, from, to, applied_at, announced_at } = work.window;
    Ok(WorkView {
        id: id.to_string(),
        reason: work.reason.clone(),
        upstream: work.upstream.clone(),
        from: from.to_rfc3339(),
        to: to.to_rfc3339(),
        applied_at: applied_at.to_rfc3339(),
        announced_at: announced_at.map(UnixMs::to_rfc3339),
        cancelled_at: work.cancelled_at.map(UnixMs::to_rfc3339),
        by: work.by.clone(),
        recorded_at: work.recorded_at.to_rfc3339(),
        exempt: because.is_none(),
        not_exempt_because: because.map(str::to_owned),
    })
}

/// Planned work with those of its lines and reports that are seen.
///
/// # Errors
/// When there is none of that id, or none of its lines is seen.
pub fn read(desk: &Desk, tx: &mut Tx<'_>, scope: &Scope, id: Uuid) -> Result<WorkDetail, DeskError> {
    sees_work(tx, scope, id)?;
    let work = planned::one(tx, id)?.ok_or(DeskError::NoWork(id))?;
    let reports = planned::reports(tx, &work, REPORTS_LISTED_MAX)?.into_iter().map(|report| TiedReportView {
        id: report.id.to_string(),
        line: report.line,
        at: report.at.to_rfc3339(),
        by: report.by,
    });
    let mut reports: Vec<TiedReportView> = reports.collect();
    let mut lines = planned::lines(tx, &work, "", LINES_MAX as i64)?;
    if let Some(seen) = scope::lines(tx, scope)? {
        lines.retain(|line| seen.contains(line));
        reports.retain(|report| seen.contains(&report.line));
    }
    Ok(WorkDetail { work: view(desk, tx, &work)?, lines, reports })
}
