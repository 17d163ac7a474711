//! Erasure of what is personal, once a service has ended.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::short;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::erasure;
use crate::auth::Caller;
use crate::db::DbError;
use crate::store::erasure::{Erasure, list};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ADMIN, utoipa_axum::routes!(list_erasures))
        .route(Access::ADMIN, utoipa_axum::routes!(erase))
}

/// An erasure.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct ErasureItem {
    /// Its id; null of a dry run.
    id: Option<Uuid>,
    /// Whose data.
    customer: String,
    /// Why.
    reason: String,
    /// Who asked for it; `rule` where the retention was over.
    by: String,
    /// When it began.
    begun_at: String,
    /// When nothing was left; null while it runs, and of a dry run.
    finished_at: Option<String>,
    /// How much was, or would be, erased, by what it was in.
    #[schema(value_type = Object)]
    counts: Value,
}

impl From<Erasure> for ErasureItem {
    fn from(erasure: Erasure) -> Self {
        let counts = erasure.counts.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self {
            id: Some(erasure.id),
            customer: erasure.customer,
            reason: erasure.reason,
            by: erasure.by,
            begun_at: erasure.begun_at.to_rfc3339(),
            finished_at: erasure.finished_at.map(UnixMs::to_rfc3339),
            counts: counts.unwrap_or_default(),
        }
    }
}

/// Erasures, the newest first.
#[utoipa::path(get, path = "/erasures", tag = "customers", params(PageParams),
    responses((status = 200, body = Page<ErasureItem>)))]
async fn list_erasures(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<ErasureItem>>, ApiError> {
    let size = limit(params.limit)?;
    let before: Option<(i64, Uuid)> = decode_cursor("erasures", params.cursor.as_deref())?;
    let before = before.map(|(at, id)| (UnixMs(at), id));
    let found: Result<Vec<Erasure>, DbError> = app.db.read(move |tx| list(tx, before, size as i64 + 1)).await;
    let Page { items, next_cursor } = Page::new("erasures", size, found?, |item| (item.begun_at.0, item.id));
    Ok(Json(Page { items: items.into_iter().map(ErasureItem::from).collect(), next_cursor }))
}

/// What to erase.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ErasureBody {
    /// Why, such as who asked for it.
    reason: String,
    /// Only say how much would be erased.
    #[serde(default)]
    dry_run: bool,
}

/// Erases what is personal of a customer whose service has ended: contacts, names of people met and of reporters,
/// numbers, signatures, notes and other words about it. Facts, times and figures stay as they are. It cannot be undone.
#[utoipa::path(post, path = "/customers/{code}/erasure", tag = "customers", params(("code" = String, Path)),
    request_body = ErasureBody, responses((status = 200, body = ErasureItem)))]
async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(code): Path<String>,
    key: IdempotencyKey,
    body: Body<ErasureBody>,
) -> Result<Response, ApiError> {
    let now = app.now();
    let reason = short("reason", text("reason", Some(body.value.reason))?)?;
    let (id, by) = (app.fresh_id(), caller.user.clone());
    let new = Erasure { id, customer: code, reason, by, begun_at: now, finished_at: None, counts: None };
    if body.value.dry_run {
        let counts = erasure::preview(&app.db, &new.customer, now).await?;
        let counts = serde_json::to_value(counts).map_err(|error| DbError::Data(error.to_string()))?;
        return Ok(Json(ErasureItem { id: None, counts, ..new.into() }).into_response());
    }
    let answer = write_once(&app, &caller, key, body.hash, move |tx| {
        erasure::begin(tx, &new, now)?;
        Answer::new(StatusCode::OK, &new.id)
    })
    .await?;
    // A call that is sent again finds the first one's erasure, and finishes it where that was cut short.
    let id: Uuid = serde_json::from_str(&answer.body).map_err(|error| DbError::Data(error.to_string()))?;
    let done = erasure::run(&app.db, id, now).await?;
    let missing = || DbError::Data(format!("erasure {id} is not stored"));
    Ok(Json(ErasureItem::from(done.ok_or_else(missing)?)).into_response())
}
