//! Upstream nodes: what is wrong on their lines, and one word to all who are concerned.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use crate::app::App;
use crate::app::desk::upstream::{self, BulkFeedback, BulkFeedbackView, CHILDREN_MAX, UpstreamView};
use crate::auth::Caller;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_ROLE, utoipa_axum::routes!(read))
        .route(Access::DESK, utoipa_axum::routes!(feedback))
}

/// The same word to all.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct FeedbackBody {
    /// Only for the faults of this cause; for all of the node's causes where it is left out.
    cause: Option<String>,
    /// When they were told, RFC 3339; now where it is left out.
    occurred_at: Option<String>,
    /// What they were told.
    note: Option<String>,
}

/// A node with the live faults of its lines, and which of them have one cause.
#[utoipa::path(get, path = "/upstreams/{name}", tag = "faults", params(("name" = String, Path)),
    responses((status = 200, body = UpstreamView)))]
async fn read(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<UpstreamView>, ApiError> {
    let (desk, now) = (app.desk.clone(), app.now());
    Ok(Json(app.db.read(move |tx| upstream::read(&desk, tx, &name, now)).await?))
}

/// Gives the same feedback for every fault of the node's causes, all or none.
#[utoipa::path(post, path = "/upstreams/{name}/feedback", tag = "faults", params(("name" = String, Path)),
    request_body = FeedbackBody, responses((status = 200, body = BulkFeedbackView)))]
async fn feedback(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(node): Path<String>,
    body: Body<FeedbackBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let FeedbackBody { cause, occurred_at, note } = body.value;
    let cause = cause
        .map(|text| text.parse().map_err(|_| ApiError::field("cause", format!("\"{text}\" is not an id"))));
    let new = BulkFeedback {
        node,
        cause: cause.transpose()?,
        occurred_at: time("occurred_at", occurred_at.as_deref())?.unwrap_or(now),
        note: note.map(|note| short("note", note)).transpose()?.filter(|note| !note.is_empty()),
        by: caller.user.clone(),
        ids: (0..CHILDREN_MAX).map(|_| app.fresh_id()).collect(),
    };
    let desk = app.desk.clone();
    write_once(&app, &caller, key, body.hash, move |tx| {
        Answer::new(StatusCode::OK, &upstream::feedback(&desk, tx, &new, now)?)
    })
    .await
}
