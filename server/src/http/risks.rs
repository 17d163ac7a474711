//! Customers at risk.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::risks::{self, AtRisk};
use crate::app::scopes::{sees_customer, sees_risk};
use crate::auth::Caller;
use crate::db::{DbError, Priority, Tx};
use crate::store::risks::Entered;
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK_OWN, utoipa_axum::routes!(list_at_risk))
        .route(Access::DESK_OWN, utoipa_axum::routes!(enter))
        .route(Access::DESK_OWN, utoipa_axum::routes!(take_back))
}

/// Whose customers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RiskParams {
    /// Only those of this account manager.
    manager: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Customers who may be lost, by code, each with its reasons: missed promises, lines without service for longer than is
/// promised or near their limit of faults, callbacks that were not satisfied, complaints, surveys left unanswered, each by
/// the thresholds of the customer's pack (`[at_risk]`), or what somebody entered. The visit that is owed next is proposed
/// for an earlier day.
#[utoipa::path(get, path = "/customers/at-risk", tag = "customers", params(RiskParams),
    responses((status = 200, body = Page<AtRisk>)))]
async fn list_at_risk(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<RiskParams>,
) -> Result<Json<Page<AtRisk>>, ApiError> {
    let (size, now) = (limit(params.limit)?, app.now());
    let after: Option<String> = decode_cursor("at-risk", params.cursor.as_deref())?;
    let (desk, after) = (app.desk.clone(), after.unwrap_or_default());
    let found: Result<Vec<AtRisk>, DbError> = app
        .db
        .read(move |tx| risks::list(&desk, tx, (&scope, params.manager.as_deref()), &after, size + 1, now))
        .await;
    Ok(Json(Page::new("at-risk", size, found?, |item| item.customer.clone())))
}

/// Why a customer is at risk.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RiskBody {
    /// Why, in words.
    reason: String,
}

/// What was entered.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct RiskItem {
    /// Its id, by which it is taken back.
    id: Uuid,
    /// The customer's code.
    customer: String,
    /// Why it is at risk.
    reason: String,
}

/// Enters that a customer is at risk, whatever its figures say.
#[utoipa::path(post, path = "/customers/{code}/risks", tag = "customers", params(("code" = String, Path)),
    request_body = RiskBody, responses((status = 201, body = RiskItem)))]
async fn enter(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(customer): Path<String>,
    key: IdempotencyKey,
    body: Body<RiskBody>,
) -> Result<Answer, ApiError> {
    let (id, now) = (app.fresh_id(), app.now());
    let reason = text("reason", Some(body.value.reason))?;
    let new = Entered { id, customer, reason, by: caller.user.clone(), at: now };
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_customer(tx, &scope, &new.customer)?;
        risks::enter(tx, &new, now)?;
        let Entered { id, customer, reason, .. } = new.clone();
        Answer::new(StatusCode::CREATED, &RiskItem { id, customer, reason })
    })
    .await
}

/// Takes back what was entered.
#[utoipa::path(delete, path = "/risks/{id}", tag = "customers", params(("id" = String, Path)),
    responses((status = 204)))]
async fn take_back(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::not_found("unknown_risk", format!("there is no risk {id} that goes on"));
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let now = app.now();
    let take_back = move |tx: &mut Tx<'_>| {
        sees_risk(tx, &scope, id)?;
        risks::take_back(tx, id, &caller.user, now)
    };
    app.db.write(Priority::Api, take_back).await?;
    Ok(StatusCode::NO_CONTENT)
}
