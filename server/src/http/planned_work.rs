//! Planned work: applied for, announced, called off.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::sla::Window;
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::desk::planned::{self, LINES_MAX, NewWork, WorkDetail, WorkView};
use crate::auth::Caller;
use crate::db::DbError;
use crate::store;
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_OWN, utoipa_axum::routes!(list))
        .route(Access::NOC, utoipa_axum::routes!(add))
        .route(Access::ANY_OWN, utoipa_axum::routes!(read))
        .route(Access::NOC, utoipa_axum::routes!(announce))
        .route(Access::NOC, utoipa_axum::routes!(cancel))
}

/// Planned work to write down.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WorkBody {
    /// What for.
    reason: String,
    /// The codes of the lines; or `upstream`.
    #[serde(default)]
    lines: Vec<String>,
    /// The node, as the lines name theirs.
    upstream: Option<String>,
    /// When it begins, RFC 3339.
    from: String,
    /// When it ends.
    to: String,
    /// When it was applied for in writing; now where it is left out.
    applied_at: Option<String>,
    /// When the customers were told; say so later where it is left out.
    announced_at: Option<String>,
}

/// When the customers were told.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AnnounceBody {
    /// RFC 3339; now where it is left out.
    announced_at: Option<String>,
}

/// Nothing has to be said.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelBody {}

/// Planned work, the latest start first.
#[utoipa::path(get, path = "/planned-work", tag = "planned work", params(PageParams),
    responses((status = 200, body = Page<WorkView>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<WorkView>>, ApiError> {
    let size = limit(params.limit)?;
    let before: Option<(i64, Uuid)> = decode_cursor("planned-work", params.cursor.as_deref())?;
    let before = before.map(|(at, id)| (UnixMs(at), id));
    let desk = app.desk.clone();
    let read = move |tx: &mut crate::db::Tx<'_>| {
        let works = store::planned::list(tx, &scope, before, size as i64 + 1)?;
        let view = |work: &store::planned::Work| {
            Ok(((work.window.from.0, work.window.id), planned::view(&desk, tx, work)?))
        };
        works.iter().map(view).collect::<Result<Vec<_>, DbError>>()
    };
    let page = Page::new("planned-work", size, app.db.read(read).await?, |(position, _)| *position);
    let Page { items, next_cursor } = page;
    Ok(Json(Page { items: items.into_iter().map(|(_, view)| view).collect(), next_cursor }))
}

/// Writes planned work down. It exempts when it was applied for and announced in time: `exempt` says so.
#[utoipa::path(post, path = "/planned-work", tag = "planned work", request_body = WorkBody,
    responses((status = 201, body = WorkView)))]
async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<WorkBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let new = read_body(body.value, app.fresh_id(), &caller.user, now)?;
    let desk = app.desk.clone();
    write_once(&app, &caller, key, body.hash, move |tx| {
        let work = planned::plan(&desk, tx, &new, now)?;
        Answer::new(StatusCode::CREATED, &planned::view(&desk, tx, &work)?)
    })
    .await
}

fn read_body(body: WorkBody, id: Uuid, by: &str, now: UnixMs) -> Result<NewWork, ApiError> {
    let reason = short("reason", body.reason)?;
    if reason.trim().is_empty() {
        return Err(ApiError::field("reason", "is empty"));
    }
    if body.lines.is_empty() == body.upstream.is_none() {
        return Err(ApiError::field("lines", "name either lines or an upstream node"));
    }
    if body.lines.len() > LINES_MAX {
        return Err(ApiError::field("lines", format!("names more than {LINES_MAX} lines: name their node")));
    }
    let window = Window {
        id,
        from: time("from", Some(&body.from))?.unwrap_or(now),
        to: time("to", Some(&body.to))?.unwrap_or(now),
        applied_at: time("applied_at", body.applied_at.as_deref())?.unwrap_or(now),
        announced_at: time("announced_at", body.announced_at.as_deref())?,
    };
    let lines = body.lines.into_iter().collect();
    Ok(NewWork { window, reason, lines, upstream: body.upstream, by: by.to_owned() })
}

/// Planned work with its lines, and the reports that fell into it.
#[utoipa::path(get, path = "/planned-work/{id}", tag = "planned work", params(("id" = String, Path)),
    responses((status = 200, body = WorkDetail)))]
async fn read(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path(id): Path<String>,
) -> Result<Json<WorkDetail>, ApiError> {
    let (id, desk) = (work_id(&id)?, app.desk.clone());
    Ok(Json(app.db.read(move |tx| planned::read(&desk, tx, &scope, id)).await?))
}

/// Says that the customers were told.
#[utoipa::path(post, path = "/planned-work/{id}/announce", tag = "planned work", params(("id" = String, Path)),
    request_body = AnnounceBody, responses((status = 200, body = WorkView)))]
async fn announce(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<AnnounceBody>,
) -> Result<Answer, ApiError> {
    let (id, now) = (work_id(&id)?, app.now());
    let at = time("announced_at", body.value.announced_at.as_deref())?.unwrap_or(now);
    let (desk, by) = (app.desk.clone(), caller.user.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        let work = planned::announce(&desk, tx, id, at, &by, now)?;
        Answer::new(StatusCode::OK, &planned::view(&desk, tx, &work)?)
    })
    .await
}

/// Calls planned work off, before its end.
#[utoipa::path(post, path = "/planned-work/{id}/cancel", tag = "planned work", params(("id" = String, Path)),
    request_body = CancelBody, responses((status = 200, body = WorkView)))]
async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<CancelBody>,
) -> Result<Answer, ApiError> {
    let (id, now) = (work_id(&id)?, app.now());
    let (desk, by) = (app.desk.clone(), caller.user.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        let work = planned::cancel(&desk, tx, id, &by, now)?;
        Answer::new(StatusCode::OK, &planned::view(&desk, tx, &work)?)
    })
    .await
}

fn work_id(text: &str) -> Result<Uuid, ApiError> {
    let none = || ApiError::not_found("unknown_planned_work", format!("there is no planned work {text}"));
    text.parse().map_err(|_| none())
}
