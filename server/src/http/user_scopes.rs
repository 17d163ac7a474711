//! What users see beside what follows from their tasks.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

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

/// What a user was given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct GivenScope {
    /// Names under which customers have the user as account manager or deputy, beside the one that is signed in with.
    #[serde(default)]
    persons: BTreeSet<String>,
    /// Regions: every customer of them.
    #[serde(default)]
    regions: BTreeSet<String>,
    /// Codes of customers.
    #[serde(default)]
    customers: BTreeSet<String>,
}

impl From<Given> for GivenScope {
    fn from(Given { persons, regions, customers }: Given) -> Self {
        Self { persons, regions, customers }
    }
}

/// What a user was given to see, beside the customers of the own tasks and laptops.
#[utoipa::path(get, path = "/users/{name}/scope", tag = "people", params(("name" = String, Path)),
    responses((status = 200, body = GivenScope)))]
async fn read(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<GivenScope>, ApiError> {
    Ok(Json(scopes::given(&app.db, &name, app.now()).await?.into()))
}

/// Gives a user this to see, and nothing else of before. One of the monitoring centre who was given regions or customers
/// sees those alone. It counts from the next call on.
#[utoipa::path(put, path = "/users/{name}/scope", tag = "people", params(("name" = String, Path)),
    request_body = GivenScope, responses((status = 200, body = GivenScope)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Body<GivenScope>,
) -> Result<Json<GivenScope>, ApiError> {
    let GivenScope { persons, regions, customers } = body.value;
    let given = Given { persons, regions, customers };
    scopes::give(&app.db, &name, given.clone(), &caller.user, app.now()).await?;
    Ok(Json(given.into()))
}
