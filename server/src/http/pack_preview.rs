//! What a new version of a pack would move, before it is in force.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linewatch_shared::rules::Pack;
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use crate::app::App;
use crate::app::packs::preview::{self, PackPreview};

/// What the file is called in mistakes.
const FILE_NAME: &str = "text";

/// Adds the route.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::ADMIN, utoipa_axum::routes!(look))
}

/// A pack to look at.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PackText {
    /// The whole file, TOML.
    text: String,
}

/// Which open promises a version of a pack would move, from when to when, if everything that is open under the pack
/// were re-rated. Nothing is changed.
#[utoipa::path(post, path = "/packs/preview", tag = "reference", request_body = PackText,
    responses((status = 200, body = PackPreview), (status = 422, description = "Mistakes in the file, each with its place")))]
async fn look(State(app): State<Arc<App>>, body: Body<PackText>) -> Result<Json<PackPreview>, ApiError> {
    let pack = Pack::parse_with(&body.value.text, FILE_NAME, app.packs.calendars()).map_err(|mistakes| {
        let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "pack_mistakes", all.join("\n"))
    })?;
    Ok(Json(preview::preview(&app.db, &app.packs, Arc::new(pack), app.clock.now()).await?))
}
