//! What users see beside what follows from their tasks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use crate::app::{App, scopes};
use crate::auth::Caller;
use crate::store::scope::Given;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::ADMIN, utoipa_axum::routes!(read, put))
}

/// What a user was given to see, beside the customers of the own tasks and laptops.
#[utoipa::path(get, path = "/users/{name}/scope", tag = "people", params(("name" = String, Path)),
    responses((status = 200, body = Given)))]
async fn read(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Given>, ApiError> {
    Ok(Json(scopes::given(&app.db, &name, app.now()).await?))
}

/// Gives a user this to see, and nothing else of before. One of the monitoring centre who was given regions or customers
/// sees those alone. It counts from the next call on.
#[utoipa::path(put, path = "/users/{name}/scope", tag = "people", params(("name" = String, Path)),
    request_body = Given, responses((status = 200, body = Given)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Body<Given>,
) -> Result<Json<Given>, ApiError> {
    let given = body.value;
    scopes::give(&app.db, &name, given.clone(), &caller.user, app.now()).await?;
    Ok(Json(given))
}
