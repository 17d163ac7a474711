//! Alerts: those that wait for somebody, and that somebody takes one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::alerting::take::{Taken, by_user};
use crate::app::alerting::view::{OpenAlertView, Place, climbing};
use crate::auth::Caller;
use crate::db::DbError;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK, utoipa_axum::routes!(list))
        .route(Access::WORKERS, utoipa_axum::routes!(acknowledge))
}

/// Alerts that nobody has taken and that go on to the next ones, the soonest first.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(PageParams),
    responses((status = 200, body = Page<OpenAlertView>)))]
async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<OpenAlertView>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<(i64, String)> = decode_cursor("alerts", params.cursor.as_deref())?;
    let after = after.map(|(at, key)| (UnixMs(at), key));
    let found: Result<Vec<(Place, OpenAlertView)>, DbError> =
        app.db.read(move |tx| climbing(tx, after.clone(), size as i64 + 1)).await;
    let Page { items, next_cursor } = Page::new("alerts", size, found?, |((at, key), _)| (at.0, key.clone()));
    Ok(Json(Page { items: items.into_iter().map(|(_, view)| view).collect(), next_cursor }))
}

/// That somebody has taken an alert.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Acknowledgement {
    /// The alert's key.
    key: String,
    /// Who has taken it: the caller, or who came before.
    by: String,
    /// When.
    at: String,
    /// Whether it was taken by this call.
    fresh: bool,
}

impl From<Taken> for Acknowledgement {
    fn from(taken: Taken) -> Self {
        Self { key: taken.key, by: taken.by, at: taken.at.to_rfc3339(), fresh: taken.fresh }
    }
}

/// Takes an alert: it goes no further up, nor do the others of its fault or matter. `key` is that of
/// `X-Linewatch-Key`, its slashes written `%2F`. One that was taken before stays with who took it.
#[utoipa::path(post, path = "/alerts/{key}/acknowledgement", tag = "alerts", params(("key" = String, Path)),
    responses((status = 200, body = Acknowledgement)))]
async fn acknowledge(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(alert): Path<String>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let (by, contractor) = (caller.user.clone(), caller.contractor.clone());
    let hash = Sha256::digest(format!("acknowledgement/{alert}")).into();
    write_once(&app, &caller, key, hash, move |tx| {
        // A step of the ladder is told under a key of its own; what is taken is the alert.
        let of_alert = alert.split_once("/rung").map_or(alert.as_str(), |(of_alert, _)| of_alert);
        let taken = by_user(tx, of_alert, (&by, contractor.as_deref()), now)?;
        Answer::new(StatusCode::OK, &Acknowledgement::from(taken))
    })
    .await
}
