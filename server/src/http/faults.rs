//! Faults: taken in, read, stepped on.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::facts::{Report, Step, StepKind};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_fact::NewFact;
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::alerting::view::AlertView;
use crate::app::contractors::FAULT_STEPS;
use crate::app::desk::detail::{self, FaultDetail};
use crate::app::desk::planned::{self, WorkView};
use crate::app::desk::report::{NewReport, TakenIn, channel, report};
use crate::app::desk::site_access::{self, SiteAccess};
use crate::app::desk::step::{NewStep, step};
use crate::app::desk::view::{self, FaultView, Lens};
use crate::app::desk::{Desk, DeskError};
use crate::app::scopes::{sees_fault, sees_line};
use crate::auth::{Caller, Role};
use crate::db::{DbError, Tx};
use crate::store::faults::{self, Wanted};
use crate::store::scope::Scope;

/// The longest text of a report, in characters.
const TEXT_CHARS_MAX: usize = 4_000;

/// Who decides what is reserved to a supervisor.
const SUPERVISORS: Access = Access::ADMIN;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(list))
        .route(Access::WORKERS, utoipa_axum::routes!(take_in))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(read))
        .route(Access::WORKERS, utoipa_axum::routes!(take_step))
}

impl From<DeskError> for ApiError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Db(error) => error.into(),
            DeskError::NoLine(_) => Self::not_found("unknown_line", error.to_string()),
            DeskError::NoCustomer(_) => Self::not_found("unknown_customer", error.to_string()),
            DeskError::NoUpstream(_) => Self::not_found("unknown_upstream", error.to_string()),
            DeskError::NoWork(_) => Self::not_found("unknown_planned_work", error.to_string()),
            DeskError::NoConflict(_) => Self::not_found("unknown_conflict", error.to_string()),
            DeskError::NoVisit(_) => Self::not_found("unknown_visit", error.to_string()),
            DeskError::NoAlert(_) => Self::not_found("unknown_alert", error.to_string()),
            DeskError::NoFault(_) => Self::not_found("unknown_fault", error.to_string()),
            DeskError::NoMatter(_) => Self::not_found("unknown_matter", error.to_string()),
            DeskError::NoAbsence(_) => Self::not_found("unknown_absence", error.to_string()),
            DeskError::NoAgreement(_) => Self::not_found("unknown_agreement", error.to_string()),
            DeskError::NoRisk(_) => Self::not_found("unknown_risk", error.to_string()),
            DeskError::NoContractor(_) => Self::not_found("unknown_contractor", error.to_string()),
            DeskError::NoSurvey(_) => Self::not_found("unknown_survey", error.to_string()),
            DeskError::NoProposal(_) => Self::not_found("unknown_proposal", error.to_string()),
            DeskError::NoEquipment(_) => Self::not_found("unknown_equipment", error.to_string()),
            DeskError::NoSite(_) => Self::not_found("unknown_site", error.to_string()),
            DeskError::NoHandover(_) => Self::not_found("unknown_handover", error.to_string()),
            DeskError::NoDuty(_) => Self::not_found("unknown_duty", error.to_string()),
            DeskError::Invalid { field, reason } => Self::field(field, reason),
            DeskError::Impossible { detail, possible } => {
                Self::conflict("step_impossible", detail).with("possible", possible)
            }
        }
    }
}

/// Which faults to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only in this state.
    state: Option<String>,
    /// Only of this line.
    line: Option<String>,
    /// Only of this customer.
    customer: Option<String>,
    /// Only of customers of this region.
    region: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Faults, the newest first.
#[utoipa::path(get, path = "/faults", tag = "faults", params(ListParams), responses((status = 200, body = Page<FaultView>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<ListParams>,
) -> Result<Json<Page<FaultView>>, ApiError> {
    let size = limit(params.limit)?;
    let before: Option<(i64, Uuid)> = decode_cursor("faults", params.cursor.as_deref())?;
    let wanted = Wanted {
        line: params.line.unwrap_or_default(),
        customer: params.customer.unwrap_or_default(),
        region: params.region.unwrap_or_default(),
        state: params.state.unwrap_or_default(),
        before: before.map(|(at, id)| (UnixMs(at), id)),
        scope,
    };
    let (desk, now) = (app.desk.clone(), app.now());
    let read = move |tx: &mut Tx<'_>| {
        let versions = desk.packs.versions(tx)?;
        view::page(tx, &Lens { now, versions: &versions }, &wanted, size as i64 + 1)
    };
    let views: Result<_, DbError> = app.db.read(read).await;
    let views = views?;
    let page = Page::new("faults", size, views, |(position, _)| *position);
    let Page { items, next_cursor } = page;
    Ok(Json(Page { items: items.into_iter().map(|(_, view)| view).collect(), next_cursor }))
}

/// A report of a fault.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ReportBody {
    /// The line's code.
    line: String,
    /// When it was reported, RFC 3339; now where it is left out.
    reported_at: Option<String>,
    /// `hotline`, `manager`, `technician` or `noc`.
    channel: String,
    /// Who reported it.
    #[serde(default)]
    reporter: String,
    /// What was reported.
    #[serde(default)]
    description: String,
}

/// A report that fell into planned work: it is no fault, and its customer is told why.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
struct PlannedAnswer {
    /// The report's id: a fault answers to it should the work be overrun.
    report: String,
    /// The line's code.
    line: String,
    /// The work.
    planned_work: WorkView,
}

fn planned_answer(
    desk: &Desk,
    tx: &mut Tx<'_>,
    new: &NewReport,
    work: &crate::store::planned::Work,
) -> Result<Answer, ApiError> {
    let planned_work = planned::view(desk, tx, work)?;
    let answer = PlannedAnswer { report: new.id.to_string(), line: new.report.line.clone(), planned_work };
    Answer::new(StatusCode::ACCEPTED, &answer)
}

/// Takes in a report: 201 with a new fault, 200 where it joined the line's open one, 202 where it falls into
/// announced planned work and is no fault.
#[utoipa::path(post, path = "/faults", tag = "faults", request_body = ReportBody,
    responses((status = 201, body = FaultView), (status = 200, body = FaultView), (status = 202, body = PlannedAnswer)))]
async fn take_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    body: Body<ReportBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let new = NewReport {
        id: app.fresh_id(),
        reported_at: time("reported_at", body.value.reported_at.as_deref())?.unwrap_or(now),
        report: Report {
            channel: channel(&body.value.channel).ok_or_else(|| {
                ApiError::field("channel", "channel is one of: hotline, manager, technician, noc")
            })?,
            line: body.value.line,
            reporter: short("reporter", body.value.reporter)?,
            description: short("description", body.value.description)?,
        },
        by: caller.user.clone(),
    };
    let desk = app.desk.clone();
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_line(tx, &scope, &new.report.line)?;
        let reported = match report(&desk, tx, &new, now)? {
            TakenIn::Fault(reported) => reported,
            TakenIn::Planned(work) => return planned_answer(&desk, tx, &new, &work),
        };
        let status = if reported.joined { StatusCode::OK } else { StatusCode::CREATED };
        Answer::new(status, &view_of(&desk, tx, reported.fault, now)?)
    })
    .await
}

pub(super) fn view_of(desk: &Desk, tx: &mut Tx<'_>, fault: Uuid, now: UnixMs) -> Result<FaultView, ApiError> {
    let state = faults::one(tx, fault)?.ok_or(DeskError::NoFault(fault))?;
    let versions = desk.packs.versions(tx)?;
    Ok(view::one(tx, &Lens { now, versions: &versions }, &state)?)
}

/// A fault by its id or any alias, with its facts and promises.
#[utoipa::path(get, path = "/faults/{id}", tag = "faults", params(("id" = String, Path)),
    responses((status = 200, body = FaultDetail)))]
async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(id): Path<String>,
) -> Result<Json<FaultDetail>, ApiError> {
    let id = fault_id(&id)?;
    let (desk, now) = (app.desk.clone(), app.now());
    let found: Result<FaultDetail, DeskError> = app
        .db
        .read(move |tx| {
            sees_fault(tx, &scope, id)?;
            let mut found = detail::read(&desk, tx, id, now)?;
            // A cause in common names other customers' faults.
            found.cause = found.cause.filter(|_| scope.is_everything());
            if caller.role == Role::Technician {
                found.alerts.iter_mut().for_each(AlertView::without_names);
            }
            Ok(found)
        })
        .await;
    Ok(Json(found?))
}

/// A fault after a step.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
struct StepAnswer {
    /// The fault.
    #[serde(flatten)]
    fault: FaultView,
    /// Of `dispatched`: when the site lets us in, where it says so. A pause that is proposed is for a person to take.
    #[serde(skip_serializing_if = "Option::is_none")]
    site_access: Option<SiteAccess>,
}

/// Takes a step, judged as of its own time: 409 says what is possible instead.
#[utoipa::path(post, path = "/faults/{id}/facts", tag = "faults", params(("id" = String, Path)),
    request_body = NewFact, responses((status = 200, body = StepAnswer)))]
async fn take_step(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<NewFact>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let fault = fault_id(&id)?;
    let fact = body.value.read(&caller.user)?;
    if fact.kind.is_supervisors() && !SUPERVISORS.allows(caller.role) {
        let detail = "only a supervisor (role admin) closes without the customer's word";
        return Err(ApiError::forbidden("forbidden", detail).with("role", caller.role.name()));
    }
    allowed_step(caller.contractor.as_deref(), fact.kind.name(), &FAULT_STEPS)?;
    let new = NewStep {
        id: app.fresh_id(),
        step: Step { fault, kind: fact.kind, note: fact.note },
        occurred_at: fact.occurred_at.unwrap_or(now),
        by: caller.user.clone(),
    };
    let desk = app.desk.clone();
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_fault(tx, &scope, fault)?;
        let fault = step(&desk, tx, &new, now)?;
        let site_access = match new.step.kind {
            StepKind::Dispatched => site_access::of(&desk, tx, fault, now)?,
            _ => None,
        };
        let fault = view_of(&desk, tx, fault, now)?;
        Answer::new(StatusCode::OK, &StepAnswer { fault, site_access })
    })
    .await
}

pub(super) fn fault_id(text: &str) -> Result<Uuid, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("unknown_fault", format!("there is no fault {text}")))
}

/// Refuses a contractor's technician what is not the contractor's to say.
pub(super) fn allowed_step(contractor: Option<&str>, kind: &str, allowed: &[&str]) -> Result<(), ApiError> {
    if contractor.is_none() || allowed.contains(&kind) {
        return Ok(());
    }
    let detail = format!("a contractor's technician takes these steps alone: {}", allowed.join(", "));
    Err(ApiError::forbidden("contractor_scope", detail).with("possible", allowed))
}

/// Reads a time.
pub(super) fn time(field: &str, text: Option<&str>) -> Result<Option<UnixMs>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let at = UnixMs::parse_rfc3339(text);
    at.map(Some).map_err(|_| {
        ApiError::field(field, format!("\"{text}\" is not RFC 3339, such as 2026-03-01T08:00:00Z"))
    })
}

/// A text within its bound.
pub(super) fn short(field: &str, text: String) -> Result<String, ApiError> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(ApiError::field(field, format!("has more than {TEXT_CHARS_MAX} characters")));
    }
    if text.contains('\0') {
        return Err(ApiError::field(field, "has a character that cannot be stored (U+0000)"));
    }
    Ok(text)
}
