//! Every promise, of every kind; and a line with its figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use linewatch_shared::sla::DeadlineKind;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::desk::DeskError;
use crate::app::desk::line_view::{self, LineView, Span};
use crate::app::diagnoses::{self, DiagnosisView, PlacedDiagnosis};
use crate::app::scopes::sees_line;
use crate::store::deadlines::{self, DeadlineRow, WantedDeadlines};
use crate::store::lines;
use crate::store::scope::Scope;

/// The states of a promise.
const STATES: [&str; 5] = ["running", "paused", "met", "missed", "cancelled"];

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(list))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(line))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(line_diagnoses))
}

/// Which promises to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeadlineParams {
    /// Only in this state: `running`, `paused`, `met`, `missed` or `cancelled`.
    state: Option<String>,
    /// Only of this kind, such as `restoration`, `feedback`, `callback`, `resolution`, `visit` or, of a line,
    /// `interruption` and `availability`.
    kind: Option<String>,
    /// Only those due before this moment, RFC 3339.
    due_before: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A promise.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeadlineItem {
    /// The fault, where it is a fault's.
    fault: Option<String>,
    /// The matter, where it is a complaint's, a visit's … Neither where it is a line's.
    matter: Option<String>,
    /// What is owed.
    kind: String,
    /// Which one of its kind.
    period: String,
    /// The line's code.
    line: String,
    /// The customer's code.
    customer: String,
    /// The tier.
    tier: String,
    /// Since when.
    started_at: String,
    /// By when. Of a line's allowance: when it is used up, as far as is known; else the end of its month, quarter or year.
    due_at: String,
    /// How it stands, judged as of the reading.
    state: String,
    /// When it was kept.
    met_at: Option<String>,
}

type Position = (i64, Uuid, String, String);

/// Promises, the next due first.
#[utoipa::path(get, path = "/deadlines", tag = "deadlines", params(DeadlineParams),
    responses((status = 200, body = Page<DeadlineItem>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<DeadlineParams>,
) -> Result<Json<Page<DeadlineItem>>, ApiError> {
    let size = limit(params.limit)?;
    if let Some(state) = params.state.as_deref().filter(|state| !STATES.contains(state)) {
        return Err(ApiError::parameter(
            "state",
            format!("\"{state}\" is not one of: {}", STATES.join(", ")),
        ));
    }
    if let Some(kind) = params.kind.as_deref().filter(|kind| DeadlineKind::from_name(kind).is_none()) {
        let kinds: Vec<&str> = DeadlineKind::ALL.into_iter().map(DeadlineKind::name).collect();
        return Err(ApiError::parameter("kind", format!("\"{kind}\" is not one of: {}", kinds.join(", "))));
    }
    let after: Option<Position> = decode_cursor("deadlines", params.cursor.as_deref())?;
    let wanted = WantedDeadlines {
        state: params.state.unwrap_or_default(),
        kind: params.kind.unwrap_or_default(),
        due_before: time("due_before", params.due_before.as_deref())?,
        scope,
        after: after.map(|(at, subject, kind, period)| (UnixMs(at), subject, kind, period)),
    };
    let now = app.now();
    let rows = app.db.read(move |tx| deadlines::list(tx, &wanted, now, size as i64 + 1)).await?;
    let position = |row: &DeadlineRow| (row.due_at.0, row.subject, row.kind.clone(), row.period.clone());
    let Page { items, next_cursor } = Page::new("deadlines", size, rows, position);
    Ok(Json(Page { items: items.into_iter().map(item).collect(), next_cursor }))
}

fn item(row: DeadlineRow) -> DeadlineItem {
    let of = |kind: &str| (row.subject_kind == kind).then(|| row.subject.to_string());
    DeadlineItem {
        fault: of("fault"),
        matter: of("matter"),
        kind: row.kind,
        period: row.period,
        line: row.line,
        customer: row.customer,
        tier: row.tier,
        started_at: row.started_at.to_rfc3339(),
        due_at: row.due_at.to_rfc3339(),
        state: row.state,
        met_at: row.met_at.map(UnixMs::to_rfc3339),
    }
}

/// Which minutes of a line to show.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LineParams {
    /// From this moment on, RFC 3339; an hour before `to` where it is left out.
    from: Option<String>,
    /// Up to this moment; now where it is left out.
    to: Option<String>,
}

/// A line: its state, its figures of the year, its minutes.
#[utoipa::path(get, path = "/lines/{code}", tag = "lines", params(("code" = String, Path), LineParams),
    responses((status = 200, body = LineView)))]
async fn line(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path(code): Path<String>,
    Params(params): Params<LineParams>,
) -> Result<Json<LineView>, ApiError> {
    let span = Span { from: time("from", params.from.as_deref())?, to: time("to", params.to.as_deref())? };
    let (desk, now) = (app.desk.clone(), app.now());
    let found: Result<LineView, DeskError> = app
        .db
        .read(move |tx| {
            sees_line(tx, &scope, &code)?;
            line_view::read(&desk, tx, &code, span, now)
        })
        .await;
    Ok(Json(found?))
}

fn time(parameter: &str, text: Option<&str>) -> Result<Option<UnixMs>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let at = UnixMs::parse_rfc3339(text);
    at.map(Some).map_err(|_| {
        ApiError::parameter(parameter, format!("\"{text}\" is not RFC 3339, such as 2026-03-01T08:00:00Z"))
    })
}

/// What devices found out about a line at the press of a button, the newest first.
#[utoipa::path(get, path = "/lines/{code}/diagnoses", tag = "lines", params(("code" = String, Path), PageParams),
    responses((status = 200, body = Page<DiagnosisView>)))]
async fn line_diagnoses(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path(code): Path<String>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<DiagnosisView>>, ApiError> {
    let size = limit(params.limit)?;
    let list = format!("diagnoses {code}");
    let before: Option<(i64, Uuid)> = decode_cursor(&list, params.cursor.as_deref())?;
    let found: Result<Vec<PlacedDiagnosis>, DeskError> = app
        .db
        .read(move |tx| {
            sees_line(tx, &scope, &code)?;
            lines::one(tx, &code)?.ok_or_else(|| DeskError::NoLine(code.clone()))?;
            Ok(diagnoses::of_line(tx, &code, before, size as i64 + 1)?)
        })
        .await;
    let Page { items, next_cursor } = Page::new(&list, size, found?, |(place, _)| *place);
    Ok(Json(Page { items: items.into_iter().map(|(_, view)| view).collect(), next_cursor }))
}
