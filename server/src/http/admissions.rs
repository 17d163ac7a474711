//! Admission of new customers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::short;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::admission::{Decision, decide};
use crate::app::import::{self, ImportError, NewCustomer};
use crate::app::scopes::sees_customer;
use crate::auth::{Caller, Role};
use crate::db::DbError;
use crate::store::admission::{self, Admission, open};
use crate::store::scope::Scope;

/// Who proposes customers, and decides about those of others.
const SUPERIORS: Access = Access::Scoped(&[Role::Manager]);

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK_OWN, utoipa_axum::routes!(list_open))
        .route(SUPERIORS, utoipa_axum::routes!(propose))
        .route(SUPERIORS, utoipa_axum::routes!(decide_one))
}

/// How a customer's admission stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AdmissionItem {
    /// The customer's code.
    customer: String,
    /// Its name.
    name: String,
    /// `proposed`, `admitted` or `refused`.
    state: String,
    /// Who proposed it.
    proposed_by: Option<String>,
    /// When.
    proposed_at: String,
    /// Who decided.
    decided_by: Option<String>,
    /// When.
    decided_at: Option<String>,
    /// Why.
    reason: Option<String>,
}

impl From<Admission> for AdmissionItem {
    fn from(admission: Admission) -> Self {
        let (decided_by, decided_at) = admission.decided.unzip();
        Self {
            customer: admission.code,
            name: admission.name,
            state: admission.state,
            proposed_by: admission.proposed_by,
            proposed_at: admission.proposed_at.to_rfc3339(),
            decided_by,
            decided_at: decided_at.map(UnixMs::to_rfc3339),
            reason: admission.reason,
        }
    }
}

/// Customers that are not admitted: proposed, or refused.
#[utoipa::path(get, path = "/admissions", tag = "customers", params(PageParams),
    responses((status = 200, body = Page<AdmissionItem>)))]
async fn list_open(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<AdmissionItem>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<String> = decode_cursor("admissions", params.cursor.as_deref())?;
    let after = after.unwrap_or_default();
    let found: Result<Vec<Admission>, DbError> =
        app.db.read(move |tx| open(tx, &scope, &after, size as i64 + 1)).await;
    let Page { items, next_cursor } = Page::new("admissions", size, found?, |item| item.code.clone());
    Ok(Json(Page { items: items.into_iter().map(AdmissionItem::from).collect(), next_cursor }))
}

/// A new customer. Where `desk.admission` is on it is proposed, and nothing is promised before somebody else has
/// admitted it; otherwise it is admitted at once. Its lines are imported.
#[utoipa::path(post, path = "/customers", tag = "customers", request_body = NewCustomer,
    responses((status = 201, body = AdmissionItem)))]
async fn propose(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<NewCustomer>,
) -> Result<Answer, ApiError> {
    let (now, new, by) = (app.now(), body.value, caller.user.clone());
    let (packs, asks) = (Arc::clone(&app.packs), app.settings.admission);
    write_once(&app, &caller, key, body.hash, move |tx| {
        let proposer = asks.then_some(by.as_str());
        import::new_customer(tx, &packs, &new, (&by, proposer), now).map_err(refused)?;
        let made = admission::of(tx, &new.code)?;
        let missing = || DbError::Data(format!("customer {} was not written", new.code));
        Answer::new(StatusCode::CREATED, &AdmissionItem::from(made.ok_or_else(missing)?))
    })
    .await
}

/// The first mistake is the field's.
fn refused(error: ImportError) -> ApiError {
    match error {
        ImportError::Mistakes(mistakes) => match mistakes.into_iter().next() {
            Some(mistake) => ApiError::field(&mistake.column, mistake.reason),
            None => ApiError::field("code", "is refused"),
        },
        ImportError::App(error) => error.into(),
    }
}

/// A decision.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AdmissionBody {
    /// Whether the customer is admitted.
    admitted: bool,
    /// Why; a refusal needs it.
    #[serde(default)]
    reason: String,
}

/// Admits a customer that somebody else has proposed, or refuses it. From the admission on its faults are promised what
/// its tier says; one that is open may be re-rated.
#[utoipa::path(post, path = "/customers/{code}/admission", tag = "customers", params(("code" = String, Path)),
    request_body = AdmissionBody, responses((status = 200, body = AdmissionItem)))]
async fn decide_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(customer): Path<String>,
    key: IdempotencyKey,
    body: Body<AdmissionBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let AdmissionBody { admitted, reason } = body.value;
    let reason = short("reason", reason)?;
    let decision = Decision { customer, admitted, reason, by: caller.user.clone() };
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_customer(tx, &scope, &decision.customer)?;
        Answer::new(StatusCode::OK, &AdmissionItem::from(decide(tx, &decision, now)?))
    })
    .await
}
