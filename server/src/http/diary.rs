//! An account manager's diary.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use crate::app::App;
use crate::app::diary::{self, Diary};
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::DESK_OWN, utoipa_axum::routes!(read))
}

/// When.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DiaryParams {
    /// From when, RFC 3339.
    from: String,
    /// Until before when, RFC 3339; at most 92 days later.
    until: String,
}

fn at(name: &str, text: &str) -> Result<UnixMs, ApiError> {
    let example = "such as 2026-03-01T08:00:00Z";
    UnixMs::parse_rfc3339(text)
        .map_err(|_| ApiError::parameter(name, format!("\"{text}\" is not RFC 3339, {example}")))
}

/// Calls and visits at an account manager's customers, by time: visits planned and made, visit reports of agents, feedback
/// and callbacks of faults and matters.
#[utoipa::path(get, path = "/managers/{name}/diary", tag = "customers", params(("name" = String, Path), DiaryParams),
    responses((status = 200, body = Diary)))]
async fn read(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path(name): Path<String>,
    Params(params): Params<DiaryParams>,
) -> Result<Json<Diary>, ApiError> {
    let (from, until) = (at("from", &params.from)?, at("until", &params.until)?);
    Ok(Json(app.db.read(move |tx| diary::read(tx, &scope, &name, from, until)).await?))
}
