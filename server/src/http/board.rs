//! The board's snapshot, and the events after it.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;

use super::access::{Access, ApiRouter, Proof};
use super::confidential::Withheld;
use super::error::ApiError;
use super::extract::Params;
use super::limits::Gate;
use super::viewer;
use crate::app::App;
use crate::app::desk::board::{Board, EngineView, snapshot};
use crate::app::snapshots::Packing;
use crate::auth::Caller;
use crate::db::DbError;
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(board))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(events))
}

/// The engine light as of now.
pub(super) fn engine(app: &App) -> EngineView {
    EngineView { alive: app.engine.is_alive(app.clock.as_ref()), lag_ms: app.engine.lag_ms() }
}

/// Everything on which something may still be owed.
#[utoipa::path(get, path = "/board", tag = "board", responses((status = 200, body = Board)))]
async fn board(
    State(app): State<Arc<App>>,
    scope: Scope,
    withheld: Withheld,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let make = async || {
        let (desk, engine, now, scope) = (app.desk.clone(), engine(&app), app.now(), scope.clone());
        let read = move |tx: &mut crate::db::Tx<'_>| {
            let board = snapshot(&desk, tx, engine, &scope, now)?;
            serde_json::to_vec(&board).map_err(|error| DbError::Data(error.to_string()))
        };
        app.db.read(read).await.map(Bytes::from)
    };
    let shared = app.snapshots.read(&scope, make).await?;
    let json = [(header::CONTENT_TYPE, "application/json")];
    // What is withheld is taken out of the plain text, after this.
    if withheld.0.is_none()
        && let Some(packing) = Packing::ALL.into_iter().find(|packing| takes(&headers, *packing))
        && let Some(packed) = shared.packed(packing).await
    {
        let how = [(header::CONTENT_ENCODING, packing.name()), (header::VARY, "accept-encoding")];
        return Ok((json, how, packed).into_response());
    }
    Ok((json, shared.json()).into_response())
}

fn takes(headers: &HeaderMap, packing: Packing) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case(packing.name()) && !matches!(weight.trim(), "q=0" | "q=0.0")
    })
}

/// Where a stream begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventParams {
    /// The snapshot's `cursor`, or the `id` of the last event; `Last-Event-ID` counts more. From now on
    /// where both are left out.
    cursor: Option<String>,
}

/// Server-sent events: `fault`, `deadline`, `agent`, each with its cursor as `id`; `tick` every 5 s; `reset`
/// where the snapshot has to be read again.
#[utoipa::path(get, path = "/events", tag = "board", params(EventParams),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
async fn events(
    State(app): State<Arc<App>>,
    Extension(gate): Extension<Arc<Gate>>,
    caller: Caller,
    scope: Scope,
    withheld: Withheld,
    headers: HeaderMap,
    Params(params): Params<EventParams>,
) -> Result<Response, ApiError> {
    let last_id = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let cursor = match last_id.or(params.cursor) {
        None => None,
        Some(text) => {
            let bad =
                || ApiError::parameter("cursor", "take it from the board's `cursor` or an event's `id`");
            Some(text.parse::<i64>().ok().filter(|n| *n >= 0).ok_or_else(bad)?)
        }
    };
    let proof = Proof::new(caller.clone(), scope.clone(), headers);
    gate.stream(&caller.user, || viewer::open(app, scope, withheld, cursor, Some(proof)))
}
