//! What came by sync and does not fit, for whoever looks at it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::short;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::conflicts::{self, ConflictView, PlacedConflict};
use crate::app::scopes::sees_conflict;
use crate::auth::Caller;
use crate::db::DbError;
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK_OWN, utoipa_axum::routes!(list))
        .route(Access::DESK_OWN, utoipa_axum::routes!(settle))
}

/// Which conflicts to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConflictParams {
    /// `false`: only those that nobody has settled; `true`: only the others.
    settled: Option<bool>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What came from agents and has no effect, or not the whole of it: steps of faults and matters that do not fit, visit reports that
/// count for no round, matters of which something was not known. The newest first. What fits once more is known leaves the
/// list by itself, unless it was settled.
#[utoipa::path(get, path = "/conflicts", tag = "visits", params(ConflictParams),
    responses((status = 200, body = Page<ConflictView>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<ConflictParams>,
) -> Result<Json<Page<ConflictView>>, ApiError> {
    let size = limit(params.limit)?;
    let before: Option<(i64, Uuid)> = decode_cursor("conflicts", params.cursor.as_deref())?;
    let settled = params.settled;
    let found: Result<Vec<PlacedConflict>, DbError> =
        app.db.read(move |tx| conflicts::list(tx, (&scope, settled), before, size as i64 + 1)).await;
    let Page { items, next_cursor } = Page::new("conflicts", size, found?, |(place, _)| *place);
    Ok(Json(Page { items: items.into_iter().map(|(_, view)| view).collect(), next_cursor }))
}

/// What was noted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SettledBody {
    /// What came of looking at it.
    #[serde(default)]
    note: String,
}

/// Says that somebody has looked at it. It is in the audit trail.
#[utoipa::path(post, path = "/conflicts/{id}/settled", tag = "visits", params(("id" = String, Path)),
    request_body = SettledBody, responses((status = 200, body = ConflictView)))]
async fn settle(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<SettledBody>,
) -> Result<Answer, ApiError> {
    let unknown = |_| ApiError::not_found("unknown_conflict", format!("there is no conflict {id}"));
    let id: Uuid = id.parse().map_err(unknown)?;
    let (note, by, now) = (short("note", body.value.note)?, caller.user.clone(), app.now());
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_conflict(tx, &scope, id)?;
        Answer::new(StatusCode::OK, &conflicts::settle(tx, id, &note, &by, now)?)
    })
    .await
}
