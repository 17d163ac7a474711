//! A plan as people read it: each measure with how its promise stands.

use linewatch_shared::matter::deadlines;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use crate::app::desk::DeskError;
use crate::app::service;
use crate::db::Tx;
use crate::store::matters;
use crate::store::plans::{self, Measure, Plan};

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PlanView {
    /// Its id; its measures' promises are `about` it.
    pub id: Uuid,
    /// The customer's code.
    pub customer: String,
    /// The year.
    pub year: i32,
    /// `proposed` until somebody else has approved it, then `approved`.
    pub state: String,
    /// What is to be reached.
    pub goals: String,
    /// When it is looked at again, RFC 3339.
    pub review_at: Option<String>,
    /// Who wrote it last.
    pub written_by: String,
    /// When.
    pub written_at: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<String>,
    /// What is done.
    pub measures: Vec<MeasureView>,
}

/// A measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MeasureView {
    /// Its number.
    pub n: i64,
    /// What is done.
    pub what: String,
    /// By when, as it was planned.
    pub by: String,
    /// By when, as it was put off; null where it was not, or is not promised yet.
    pub due_at: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// `planned` until it is promised, then the state of its promise: `open`, `answered`, `closed` (done), `cancelled`
    /// (dropped) or `closed_unconfirmed`.
    pub state: &'static str,
    /// When it was done.
    pub done_at: Option<String>,
    /// When it will be promised.
    pub opens_at: Option<String>,
    /// Its promise: its steps say that it is done, put off or dropped.
    pub matter: Option<Uuid>,
}

/// A customer's plan of a year; none where it has none.
///
/// # Errors
/// When there is no such customer.
pub fn read(tx: &mut Tx<'_>, customer: &str, year: i32, now: UnixMs) -> Result<Option<PlanView>, DeskError> {
    service::known(tx, customer)?;
    plans::one(tx, customer, year)?.map(|plan| of(tx, &plan, now)).transpose()
}

pub(super) fn of(tx: &mut Tx<'_>, plan: &Plan, now: UnixMs) -> Result<PlanView, DeskError> {
    let mut measures = Vec::new();
    for measure in plans::measures(tx, plan.id)? {
        measures.push(of_measure(tx, measure, now)?);
    }
    let (approved_by, approved_at) = plan.approved.clone().unzip();
    Ok(PlanView {
        id: plan.id,
        customer: plan.customer.clone(),
        year: plan.year,
        state: plan.state.clone(),
        goals: plan.goals.clone(),
        review_at: plan.review_at.map(UnixMs::to_rfc3339),
        written_by: plan.written.0.clone(),
        written_at: plan.written.1.to_rfc3339(),
        approved_by,
        approved_at: approved_at.map(UnixMs::to_rfc3339),
        measures,
    })
}

fn of_measure(tx: &mut Tx<'_>, measure: Measure, now: UnixMs) -> Result<MeasureView, DeskError> {
    let promise = match measure.matter {
        Some(id) => matters::one(tx, id)?.map(|standing| standing.matter),
        None => None,
    };
    let due_at = promise.as_ref().and_then(|matter| deadlines(matter, now).iter().map(|d| d.due_at).max());
    Ok(MeasureView {
        n: measure.n,
        what: measure.what,
        by: measure.by.to_rfc3339(),
        due_at: due_at.map(UnixMs::to_rfc3339),
        owner: promise.as_ref().map_or(measure.owner, |matter| matter.owner.clone()),
        state: promise.as_ref().map_or("planned", |matter| matter.state.name()),
        done_at: promise.as_ref().and_then(|matter| matter.resolved_at).map(UnixMs::to_rfc3339),
        opens_at: measure.opens_at.map(UnixMs::to_rfc3339),
        matter: measure.matter,
    })
}
