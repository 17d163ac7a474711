//! The shift's day: the daily list, and handovers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::confirm::{NoBody, confirm};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::short;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::daily_list::{self, DailyList};
use crate::app::shift::{self, HandoverState};
use crate::auth::Caller;
use crate::db::{DbError, Tx};
use crate::store::shift::{Handover, handovers};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK, utoipa_axum::routes!(daily))
        .route(Access::DESK, utoipa_axum::routes!(list))
        .route(Access::NOC, utoipa_axum::routes!(leave))
        .route(Access::NOC, utoipa_axum::routes!(sign))
        .route(Access::ADMIN, utoipa_axum::routes!(review))
}

/// Which day.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DailyParams {
    /// The day as it was kept, such as `2026-11-22`; everything open now where it is left out.
    day: Option<String>,
}

/// Everything open, overdue or untouched, per owner: now, or as it was kept on a day.
#[utoipa::path(get, path = "/daily-list", tag = "shift", params(DailyParams),
    responses((status = 200, body = DailyList)))]
async fn daily(
    State(app): State<Arc<App>>,
    Params(params): Params<DailyParams>,
) -> Result<Json<DailyList>, ApiError> {
    let (zone, now) = (app.settings.time_zone, app.now());
    let Some(day) = params.day else {
        let desk = app.desk.clone();
        let list: Result<DailyList, DbError> =
            app.db.read(move |tx| daily_list::list(&desk, tx, zone, now)).await;
        return Ok(Json(list?));
    };
    if day.parse::<chrono::NaiveDate>().is_err() {
        return Err(ApiError::parameter("day", format!("\"{day}\" is not a day such as 2026-11-22")));
    }
    let asked = day.clone();
    let kept: Result<Option<DailyList>, DbError> = app.db.read(move |tx| daily_list::kept(tx, &asked)).await;
    let missing = || ApiError::not_found("unknown_day", format!("no list was kept on {day}"));
    Ok(Json(kept?.ok_or_else(missing)?))
}

/// A handover.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HandoverView {
    /// Its id.
    id: Uuid,
    /// Who leaves.
    left_by: String,
    /// When it was written.
    left_at: String,
    /// What the leaving shift adds.
    words: String,
    /// What was open then.
    state: HandoverState,
    /// Who took over.
    taken_by: Option<String>,
    /// When.
    taken_at: Option<String>,
    /// Who reviewed it.
    reviewed_by: Option<String>,
    /// When.
    reviewed_at: Option<String>,
}

impl HandoverView {
    fn of(handover: Handover) -> Result<Self, DbError> {
        let state =
            serde_json::from_str(&handover.state).map_err(|error| DbError::Data(error.to_string()))?;
        let split = |pair: Option<(String, UnixMs)>| match pair {
            Some((who, at)) => (Some(who), Some(at.to_rfc3339())),
            None => (None, None),
        };
        let ((taken_by, taken_at), (reviewed_by, reviewed_at)) =
            (split(handover.taken), split(handover.reviewed));
        Ok(Self {
            id: handover.id,
            left_by: handover.left_by,
            left_at: handover.left_at.to_rfc3339(),
            words: handover.words,
            state,
            taken_by,
            taken_at,
            reviewed_by,
            reviewed_at,
        })
    }
}

/// Handovers, the newest first.
#[utoipa::path(get, path = "/handovers", tag = "shift", params(PageParams),
    responses((status = 200, body = Page<HandoverView>)))]
async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<HandoverView>>, ApiError> {
    let size = limit(params.limit)?;
    let before: Option<(i64, Uuid)> = decode_cursor("handovers", params.cursor.as_deref())?;
    let before = before.map(|(at, id)| (UnixMs(at), id));
    let found = app.db.read(move |tx| handovers(tx, before, size as i64 + 1)).await?;
    let Page { items, next_cursor } = Page::new("handovers", size, found, |item| (item.left_at.0, item.id));
    let items: Result<Vec<HandoverView>, DbError> = items.into_iter().map(HandoverView::of).collect();
    Ok(Json(Page { items: items?, next_cursor }))
}

/// What the leaving shift adds.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct LeaveBody {
    /// In its own words.
    #[serde(default)]
    words: String,
}

/// The leaving shift writes its handover; what is open, overdue and soon due is filled in.
#[utoipa::path(post, path = "/handovers", tag = "shift", request_body = LeaveBody,
    responses((status = 201, body = HandoverView)))]
async fn leave(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<LeaveBody>,
) -> Result<Answer, ApiError> {
    let (id, now, by) = (app.fresh_id(), app.now(), caller.user.clone());
    let (words, zone) = (short("words", body.value.words)?, app.settings.time_zone);
    write_once(&app, &caller, key, body.hash, move |tx| {
        let handover = shift::leave(tx, id, (&by, &words), zone, now)?;
        Answer::new(StatusCode::CREATED, &HandoverView::of(handover)?)
    })
    .await
}

/// The relief signs: from now on it is its shift.
#[utoipa::path(post, path = "/handovers/{id}/sign", tag = "shift", params(("id" = String, Path)),
    request_body = NoBody, responses((status = 200, body = HandoverView)))]
async fn sign(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<NoBody>,
) -> Result<Answer, ApiError> {
    let id = handover_id(&id)?;
    let work = move |tx: &mut Tx<'_>, by: &str, now| Ok(HandoverView::of(shift::sign(tx, id, by, now)?)?);
    confirm(&app, &caller, key, body, work).await
}

/// A superior has reviewed the log.
#[utoipa::path(post, path = "/handovers/{id}/review", tag = "shift", params(("id" = String, Path)),
    request_body = NoBody, responses((status = 200, body = HandoverView)))]
async fn review(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<NoBody>,
) -> Result<Answer, ApiError> {
    let id = handover_id(&id)?;
    let work = move |tx: &mut Tx<'_>, by: &str, now| Ok(HandoverView::of(shift::review(tx, id, by, now)?)?);
    confirm(&app, &caller, key, body, work).await
}

fn handover_id(id: &str) -> Result<Uuid, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("unknown_handover", format!("there is no handover {id}")))
}
