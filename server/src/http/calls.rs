//! The hotline's figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::reports;
use crate::app::App;
use crate::app::calls::{self, CallsMonth};
use crate::db::DbError;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::DESK, utoipa_axum::routes!(read))
}

/// The hotline in a month, as the telephone system's export was imported: how many calls were answered, and how many
/// within 20 seconds.
#[utoipa::path(get, path = "/calls/{month}", tag = "reports", params(("month" = String, Path)),
    responses((status = 200, body = CallsMonth)))]
async fn read(State(app): State<Arc<App>>, Path(month): Path<String>) -> Result<Json<CallsMonth>, ApiError> {
    let month = reports::month(&month)?;
    let found: Result<CallsMonth, DbError> = app.db.read(move |tx| calls::month(tx, month)).await;
    Ok(Json(found?))
}
