//! Yearly plans of key customers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::sla::local_year;
use linewatch_shared::time::UnixMs;
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::desk::DeskError;
use crate::app::plans::{self, MEASURES_MAX, NewMeasure, NewPlan, NoPlan, PlanView};
use crate::app::scopes::sees_customer;
use crate::auth::{Caller, Role};
use crate::db::{DbError, Tx};
use crate::store::scope::{self, Scope};

/// Who writes plans, and approves those of others.
const MANAGERS: Access = Access::Scoped(&[Role::Manager]);

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK_OWN, utoipa_axum::routes!(without_plan))
        .route(Access::DESK_OWN, utoipa_axum::routes!(read))
        .route(MANAGERS, utoipa_axum::routes!(put))
        .route(MANAGERS, utoipa_axum::routes!(approve))
        .route(MANAGERS, utoipa_axum::routes!(begin))
}

/// Whose customers, and which year.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UnplannedParams {
    /// The year; the running one by default.
    year: Option<i32>,
    /// Only those of this account manager.
    manager: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Customers who should have a plan of a year by their pack (`[plans]`), and have none, or none that is approved; by code.
#[utoipa::path(get, path = "/customers/without-plan", tag = "customers", params(UnplannedParams),
    responses((status = 200, body = Page<NoPlan>)))]
async fn without_plan(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<UnplannedParams>,
) -> Result<Json<Page<NoPlan>>, ApiError> {
    let (size, now) = (limit(params.limit)?, app.now());
    let year = params.year.unwrap_or_else(|| local_year(app.settings.time_zone, now));
    let after: Option<String> = decode_cursor("without-plan", params.cursor.as_deref())?;
    let (desk, after) = (app.desk.clone(), after.unwrap_or_default());
    let found: Result<Vec<NoPlan>, DbError> = app
        .db
        .read(move |tx| {
            plans::without_plan(&desk, tx, (&scope, year, params.manager.as_deref()), &after, size + 1, now)
        })
        .await;
    Ok(Json(Page::new("without-plan", size, found?, |item| item.customer.clone())))
}

/// A customer's plan of a year, each measure with how its promise stands.
#[utoipa::path(get, path = "/customers/{code}/plans/{year}", tag = "customers",
    params(("code" = String, Path), ("year" = i32, Path)), responses((status = 200, body = PlanView)))]
async fn read(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path((code, year)): Path<(String, i32)>,
) -> Result<Json<PlanView>, ApiError> {
    let now = app.now();
    let customer = code.clone();
    let found: Result<Option<PlanView>, DeskError> =
        app.db.read(move |tx| read_seen(tx, &scope, (&customer, year), now)).await;
    let missing = || ApiError::not_found("unknown_plan", format!("customer {code} has no plan for {year}"));
    Ok(Json(found?.ok_or_else(missing)?))
}

/// The plan of a customer that is seen.
fn read_seen(
    tx: &mut Tx<'_>,
    scope: &Scope,
    (customer, year): (&str, i32),
    now: UnixMs,
) -> Result<Option<PlanView>, DeskError> {
    if scope::has_customer(tx, scope, customer)? { plans::read(tx, customer, year, now) } else { Ok(None) }
}

/// A measure.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct MeasureBody {
    /// What is done.
    what: String,
    /// By when, RFC 3339: within the year.
    by: String,
    /// Who answers for it; the customer's account manager by default.
    #[serde(default)]
    owner: String,
}

/// A plan.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PlanBody {
    /// What is to be reached.
    goals: String,
    /// What is done for it, 1 to 50.
    measures: Vec<MeasureBody>,
    /// When it is looked at again, RFC 3339.
    review_at: Option<String>,
}

/// Writes a customer's plan of this year or the next, or writes it anew; it then waits for somebody else's approval.
/// Measures that are promised already are left in as they are: their matters' steps put them off or drop them.
#[utoipa::path(put, path = "/customers/{code}/plans/{year}", tag = "customers",
    params(("code" = String, Path), ("year" = i32, Path)), request_body = PlanBody,
    responses((status = 200, body = PlanView)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path((customer, year)): Path<(String, i32)>,
    key: IdempotencyKey,
    body: Body<PlanBody>,
) -> Result<Answer, ApiError> {
    let (id, now, desk) = (app.fresh_id(), app.now(), app.desk.clone());
    let PlanBody { goals, measures, review_at } = body.value;
    if measures.len() > MEASURES_MAX {
        return Err(ApiError::field("measures", format!("are 1 to {MEASURES_MAX}")));
    }
    let measures = measures.into_iter().map(measure).collect::<Result<Vec<_>, _>>()?;
    let (goals, review_at) = (text("goals", Some(goals))?, time("review_at", review_at.as_deref())?);
    let new = NewPlan { id, customer, year, goals, measures, review_at, by: caller.user.clone() };
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_customer(tx, &scope, &new.customer)?;
        Answer::new(StatusCode::OK, &plans::put(&desk, tx, &new, now)?)
    })
    .await
}

fn measure(body: MeasureBody) -> Result<NewMeasure, ApiError> {
    let by: Option<UnixMs> = time("measures.by", Some(&body.by))?;
    Ok(NewMeasure {
        what: text("measures.what", Some(body.what))?,
        by: by.unwrap_or_default(),
        owner: short("measures.owner", body.owner)?,
    })
}

/// An approval says nothing more.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NothingMore {}

/// Approves a plan that somebody else has written: its measures are promised, each so long before its day as the pack says.
#[utoipa::path(post, path = "/customers/{code}/plans/{year}/approval", tag = "customers",
    params(("code" = String, Path), ("year" = i32, Path)), request_body = NothingMore,
    responses((status = 200, body = PlanView)))]
async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path((customer, year)): Path<(String, i32)>,
    key: IdempotencyKey,
    body: Body<NothingMore>,
) -> Result<Answer, ApiError> {
    let NothingMore {} = body.value;
    let (now, desk, by) = (app.now(), app.desk.clone(), caller.user.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_customer(tx, &scope, &customer)?;
        Answer::new(StatusCode::OK, &plans::approve(&desk, tx, (&customer, year), &by, now)?)
    })
    .await
}

/// Opens the promise of a measure before its time, so that it can be done, put off or dropped by the matter's steps.
#[utoipa::path(post, path = "/customers/{code}/plans/{year}/measures/{n}/opening", tag = "customers",
    params(("code" = String, Path), ("year" = i32, Path), ("n" = i64, Path)), request_body = NothingMore,
    responses((status = 200, body = PlanView)))]
async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path((customer, year, n)): Path<(String, i32, i64)>,
    key: IdempotencyKey,
    body: Body<NothingMore>,
) -> Result<Answer, ApiError> {
    let NothingMore {} = body.value;
    let (now, desk) = (app.now(), app.desk.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_customer(tx, &scope, &customer)?;
        Answer::new(StatusCode::OK, &plans::begin(&desk, tx, (&customer, year, n), now)?)
    })
    .await
}
