//! Lines against their promised availability.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::availability::{self, AvailabilityItem};
use crate::app::desk::DeskError;
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::DESK_OWN, utoipa_axum::routes!(list))
}

/// Which lines to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AvailabilityParams {
    /// Only lines of this customer.
    customer: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lines with a promised availability, by code: the part of the time with service in the month, quarter or year over
/// which it is promised, what interruption is left, and when it will be used up while an outage runs.
#[utoipa::path(get, path = "/availability", tag = "reports", params(AvailabilityParams),
    responses((status = 200, body = Page<AvailabilityItem>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<AvailabilityParams>,
) -> Result<Json<Page<AvailabilityItem>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<String> = decode_cursor("availability", params.cursor.as_deref())?;
    let (desk, now, customer) = (app.desk.clone(), app.now(), params.customer);
    let found: Result<Vec<AvailabilityItem>, DeskError> = app
        .db
        .read(move |tx| {
            let after = after.as_deref().unwrap_or_default();
            availability::list(&desk, tx, (&scope, customer.as_deref()), after, size + 1, now)
        })
        .await;
    Ok(Json(Page::new("availability", size, found?, |item| item.line.clone())))
}
