//! Letting agents in and keeping them out, and people in on them, for administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use crate::app::App;
use crate::app::agent_customers::{self, CustomersChange};
use crate::app::agent_people::{self, AgentPerson, PeopleChange};
use crate::app::agents::quarantine::{self, Kept};
use crate::app::agents::{self, TOKEN_MS};
use crate::auth::Caller;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ADMIN, utoipa_axum::routes!(enrol))
        .route(Access::ADMIN, utoipa_axum::routes!(revoke))
        .route(Access::ADMIN, utoipa_axum::routes!(release))
        .route(Access::ADMIN, utoipa_axum::routes!(people, put_people))
        .route(Access::ADMIN, utoipa_axum::routes!(customers, put_customers))
}

/// An enrolment token.
#[derive(Serialize, utoipa::ToSchema)]
struct EnrolmentToken {
    /// Shown only this once, good for one enrolment.
    token: String,
    /// Until when it is good.
    expires_at: String,
    /// The names under which agents may reach the server, as its certificate has them.
    names: Vec<String>,
    /// The port for agents.
    port: u16,
}

/// Makes an enrolment token for an agent, which need not be known yet. One that was revoked is let in again by it. The
/// answer is not kept: it takes no `Idempotency-Key`, and tokens that nobody uses end by themselves.
#[utoipa::path(post, path = "/agents/{name}/enrolment", tag = "reference", params(("name" = String, Path)),
    responses((status = 201, body = EnrolmentToken)))]
async fn enrol(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<EnrolmentToken>), ApiError> {
    let now = app.now();
    let answer = EnrolmentToken {
        token: agents::token(&app.db, &name, &app.authorities.now().shown, &caller.user, now).await?,
        expires_at: (now + TOKEN_MS).to_rfc3339(),
        names: app.settings.sync.names.clone(),
        port: app.settings.sync.listen.port(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Keeps an agent out from its next request on, also on an open connection, and makes its unused enrolment tokens worthless.
#[utoipa::path(post, path = "/agents/{name}/revocation", tag = "reference", params(("name" = String, Path)),
    responses((status = 204)))]
async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    agents::revoke(&app.db, &name, &caller.user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What becomes of what was kept aside.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ReleaseBody {
    /// `take`: the records count, as if they had come now. `discard`: they stay aside for good.
    records: Kept,
}

/// What was kept aside.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Released {
    /// How many records.
    records: u64,
}

/// Ends the quarantine of an agent of which there were two: whichever of them comes next goes on alone. Said twice it is
/// refused: it takes no `Idempotency-Key`.
#[utoipa::path(post, path = "/agents/{name}/release", tag = "reference", params(("name" = String, Path)),
    request_body = ReleaseBody, responses((status = 200, body = Released)))]
async fn release(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Body<ReleaseBody>,
) -> Result<Json<Released>, ApiError> {
    let records = quarantine::release(&app.db, &name, body.value.records, &caller.user, app.now()).await?;
    Ok(Json(Released { records }))
}

/// Who may sign in on an agent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AgentPeople {
    /// By name.
    items: Vec<AgentPerson>,
}

/// Who may sign in on an agent's own page, by name.
#[utoipa::path(get, path = "/agents/{name}/people", tag = "reference", params(("name" = String, Path)),
    responses((status = 200, body = AgentPeople)))]
async fn people(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<AgentPeople>, ApiError> {
    Ok(Json(AgentPeople { items: agent_people::list(&app.db, &name, app.now()).await? }))
}

/// Names of users.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PeopleBody {
    /// These, and nobody else; at most 200.
    people: Vec<String>,
}

/// Says who may sign in on an agent's own page: these and nobody else. The agent learns of it when it next speaks with the
/// server. Said twice it does no harm: it takes no `Idempotency-Key`.
#[utoipa::path(put, path = "/agents/{name}/people", tag = "reference", params(("name" = String, Path)),
    request_body = PeopleBody, responses((status = 200, body = AgentPeople)))]
async fn put_people(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Body<PeopleBody>,
) -> Result<Json<AgentPeople>, ApiError> {
    let change = PeopleChange::To(body.value.people);
    let items = agent_people::change(&app.db, &name, change, &caller.user, app.now()).await?;
    Ok(Json(AgentPeople { items }))
}

/// The codes of customers.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AgentCustomers {
    /// At most 2,000.
    customers: Vec<String>,
}

/// The customers that an agent sees beside its own lines: a laptop in the field.
#[utoipa::path(get, path = "/agents/{name}/customers", tag = "reference", params(("name" = String, Path)),
    responses((status = 200, body = AgentCustomers)))]
async fn customers(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<AgentCustomers>, ApiError> {
    Ok(Json(AgentCustomers { customers: agent_customers::list(&app.db, &name).await? }))
}

/// Says which customers an agent sees beside its own lines: these and no others. Said twice it does no harm: it takes no
/// `Idempotency-Key`.
#[utoipa::path(put, path = "/agents/{name}/customers", tag = "reference", params(("name" = String, Path)),
    request_body = AgentCustomers, responses((status = 200, body = AgentCustomers)))]
async fn put_customers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Body<AgentCustomers>,
) -> Result<Json<AgentCustomers>, ApiError> {
    let change = CustomersChange::To(body.value.customers);
    let customers = agent_customers::change(&app.db, &name, change, &caller.user, app.now()).await?;
    Ok(Json(AgentCustomers { customers }))
}
