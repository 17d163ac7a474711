//! Who is away, and customers who cannot be reached.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::people::{self, Incomplete};
use crate::auth::{Caller, Role};
use crate::db::DbError;
use crate::store::people::{Absence, list};
use crate::store::scope::Scope;

/// Who is away is about the desk's own people.
const STAFF: Access = Access::Plain(&[Role::Noc, Role::Manager]);

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(STAFF, utoipa_axum::routes!(list_absences))
        .route(STAFF, utoipa_axum::routes!(be_away))
        .route(STAFF, utoipa_axum::routes!(be_back))
        .route(Access::DESK_OWN, utoipa_axum::routes!(list_incomplete))
}

/// A time in which somebody is away.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AbsenceItem {
    /// Its id.
    id: Uuid,
    /// Who.
    person: String,
    /// From when.
    from: String,
    /// Until when.
    until: String,
    /// Why.
    reason: String,
}

impl From<Absence> for AbsenceItem {
    fn from(absence: Absence) -> Self {
        Self {
            id: absence.id,
            person: absence.person,
            from: absence.from.to_rfc3339(),
            until: absence.until.to_rfc3339(),
            reason: absence.reason,
        }
    }
}

/// Absences that are not over yet, the one that ends first at the front.
#[utoipa::path(get, path = "/absences", tag = "people", params(PageParams),
    responses((status = 200, body = Page<AbsenceItem>)))]
async fn list_absences(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<AbsenceItem>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<(i64, Uuid)> = decode_cursor("absences", params.cursor.as_deref())?;
    let (now, after) = (app.now(), after.map(|(at, id)| (UnixMs(at), id)));
    let found = app.db.read(move |tx| list(tx, now, after, size as i64 + 1)).await?;
    let Page { items, next_cursor } = Page::new("absences", size, found, |item| (item.until.0, item.id));
    Ok(Json(Page { items: items.into_iter().map(AbsenceItem::from).collect(), next_cursor }))
}

/// Somebody will be away.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AbsenceBody {
    /// Who, as in customers' `manager` and `deputy`.
    person: String,
    /// From when, RFC 3339; now where it is left out.
    from: Option<String>,
    /// Until when, RFC 3339.
    until: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// Writes down that somebody will be away: meanwhile the deputy is told of the customers.
#[utoipa::path(post, path = "/absences", tag = "people", request_body = AbsenceBody,
    responses((status = 201, body = AbsenceItem)))]
async fn be_away(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<AbsenceBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let AbsenceBody { person, from, until, reason } = body.value;
    let absence = Absence {
        id: app.fresh_id(),
        person: text("person", Some(person))?,
        from: time("from", from.as_deref())?.unwrap_or(now),
        until: time("until", Some(&until))?.unwrap_or_default(),
        reason: short("reason", reason)?,
        by: caller.user.clone(),
    };
    write_once(&app, &caller, key, body.hash, move |tx| {
        people::away(tx, &absence, now)?;
        Answer::new(StatusCode::CREATED, &AbsenceItem::from(absence.clone()))
    })
    .await
}

/// Somebody is back earlier.
#[utoipa::path(delete, path = "/absences/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204)))]
async fn be_back(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id: Uuid = id
        .parse()
        .map_err(|_| ApiError::not_found("unknown_absence", format!("there is no absence {id}")))?;
    let now = app.now();
    app.db.write(crate::db::Priority::Api, move |tx| people::back(tx, id, &caller.user, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Customers whose contact data is missing or implausible: who cannot be called cannot be given feedback.
#[utoipa::path(get, path = "/customers/incomplete", tag = "people", params(PageParams),
    responses((status = 200, body = Page<Incomplete>)))]
async fn list_incomplete(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<Incomplete>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<String> = decode_cursor("incomplete", params.cursor.as_deref())?;
    let (after, now) = (after.unwrap_or_default(), app.now());
    let found: Result<Vec<Incomplete>, DbError> =
        app.db.read(move |tx| people::incomplete(tx, &scope, &after, size + 1, now)).await;
    Ok(Json(Page::new("incomplete", size, found?, |item| item.code.clone())))
}
