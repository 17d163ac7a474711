//! Alerts: those that wait for somebody, and that somebody takes one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::faults::fault_id;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::matters::matter_id;
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::alerting::take::{Taken, by_user};
use crate::app::alerting::view::{OpenAlertView, Place, untaken};
use crate::app::desk::DeskError;
use crate::app::scopes::{sees_fault, sees_matter};
use crate::auth::Caller;
use crate::db::Tx;
use crate::store::scope::Scope;
use crate::store::{faults, matters};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK_OWN, utoipa_axum::routes!(list))
        .route(Access::WORKERS, utoipa_axum::routes!(acknowledge))
}

/// Which alerts to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only of this fault, by its id or any alias.
    fault: Option<String>,
    /// Only of this matter.
    matter: Option<String>,
    /// Items in the page, 1 to 500; 100 by default. What is taken while the page is read is left out of it.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What the list is narrowed to: a fault or (true) matter that there is.
fn about(
    tx: &mut Tx<'_>,
    scope: &Scope,
    fault: Option<Uuid>,
    matter: Option<Uuid>,
) -> Result<Option<(Uuid, bool)>, DeskError> {
    if let Some(id) = fault {
        sees_fault(tx, scope, id)?;
        let (fault, _) = faults::resolve(tx, id)?.ok_or(DeskError::NoFault(id))?;
        return Ok(Some((fault, false)));
    }
    let Some(id) = matter else { return Ok(None) };
    sees_matter(tx, scope, id)?;
    matters::one(tx, id)?.ok_or(DeskError::NoMatter(id))?;
    Ok(Some((id, true)))
}

/// Alerts that nobody has taken: first those of which everybody on their ladder was told, the oldest at the front; then those
/// that go on to the next ones, the soonest first.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(ListParams),
    responses((status = 200, body = Page<OpenAlertView>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<ListParams>,
) -> Result<Json<Page<OpenAlertView>>, ApiError> {
    if params.fault.is_some() && params.matter.is_some() {
        return Err(ApiError::parameter("matter", "an alert is of a fault or of a matter: give one of them"));
    }
    let fault = params.fault.as_deref().map(fault_id).transpose()?;
    let matter = params.matter.as_deref().map(matter_id).transpose()?;
    let size = limit(params.limit)?;
    let after: Option<Place> = decode_cursor("alerts", params.cursor.as_deref())?;
    let now = app.now();
    let found: Result<Vec<(Place, Option<OpenAlertView>)>, DeskError> = app
        .db
        .read(move |tx| {
            let about = about(tx, &scope, fault, matter)?;
            Ok(untaken(tx, &scope, about, after.clone(), size as i64 + 1, now)?)
        })
        .await;
    let Page { items, next_cursor } = Page::new("alerts", size, found?, |(place, _)| place.clone());
    Ok(Json(Page { items: items.into_iter().filter_map(|(_, view)| view).collect(), next_cursor }))
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
    scope: Scope,
    key: IdempotencyKey,
    Path(alert): Path<String>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let by = caller.user.clone();
    let hash = Sha256::digest(format!("acknowledgement/{alert}")).into();
    write_once(&app, &caller, key, hash, move |tx| {
        // A step of the ladder is told under a key of its own; what is taken is the alert.
        let of_alert = alert.split_once("/rung").map_or(alert.as_str(), |(of_alert, _)| of_alert);
        let taken = by_user(tx, of_alert, (&by, &scope), now)?;
        Answer::new(StatusCode::OK, &Acknowledgement::from(taken))
    })
    .await
}
