//! Reports by month, quarter and year, and the rows that their figures are made of.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::report::figure::{Figure, RowKind};
use crate::app::report::group::Group;
use crate::app::report::make::book;
use crate::app::report::period::{Period, PeriodKind};
use crate::app::report::rows::{self, Asked, ReportRow};
use crate::app::report::{ReportError, publish_seen};
use crate::auth::Caller;
use crate::report::words::Lang;
use crate::report::{Form, RenderError, json::ReportView, render};
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK_OWN, utoipa_axum::routes!(report))
        .route(Access::DESK_OWN, utoipa_axum::routes!(list_rows))
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Db(error) => error.into(),
            ReportError::NotBegun(_) => Self::not_found("period_not_begun", error.to_string()),
            ReportError::TooLarge(..) => Self::conflict("report_too_large", error.to_string()),
            ReportError::Unknown(_) => Self::parameter("group", error.to_string()),
        }
    }
}

impl From<RenderError> for ApiError {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::MissingGlyph { .. } => Self::conflict("missing_glyph", error.to_string()),
            RenderError::TooLarge(_) => Self::conflict("report_too_large", error.to_string()),
            RenderError::Write(_) => crate::db::DbError::Data(error.to_string()).into(),
        }
    }
}

fn period(kind: &str, text: &str) -> Result<Period, ApiError> {
    let known = PeriodKind::from_name(kind);
    let kind = known.ok_or_else(|| {
        ApiError::not_found("unknown_period", format!("\"{kind}\" is none of: month, quarter, year"))
    })?;
    Period::parse(kind, text).ok_or_else(|| {
        let detail = format!("\"{text}\" is no {}, such as {}", kind.name(), kind.example());
        ApiError::not_found("unknown_period", detail)
    })
}

/// A month such as `2026-10`.
pub(super) fn month(text: &str) -> Result<Period, ApiError> {
    period(PeriodKind::Month.name(), text)
}

fn group(name: &str) -> Result<Group, ApiError> {
    let names = Group::ALL.map(Group::name).join(", ");
    Group::from_name(name)
        .ok_or_else(|| ApiError::parameter("group", format!("\"{name}\" is none of: {names}")))
}

/// How a report is taken.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReportParams {
    /// `tier`, `customer`, `manager`, `technician`, `contractor`, `region`, `cause`, `class` or `line`: what JSON and CSV are grouped by; `tier` by
    /// default. XLSX and PDF have every grouping.
    group: Option<String>,
    /// `json`, `csv`, `xlsx` or `pdf`; `json` by default.
    format: Option<String>,
    /// `zh` or `en`; `zh` by default.
    lang: Option<String>,
}

/// The figures of a month (`2026-10`), quarter (`2026-Q4`) or year (`2026`), in the packs' time zones. Once the
/// period is over they are a function of the facts; `versions` says what facts that were learnt later changed.
#[utoipa::path(get, path = "/reports/{kind}/{period}", tag = "reports",
    params(("kind" = String, Path, description = "`month`, `quarter` or `year`"), ("period" = String, Path), ReportParams),
    responses((status = 200, description = "The report", content((ReportView = "application/json"),
        (String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (Vec<u8> = "application/pdf")))))]
async fn report(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path((kind, text)): Path<(String, String)>,
    Params(params): Params<ReportParams>,
) -> Result<Response, ApiError> {
    let period = period(&kind, &text)?;
    let group = group(params.group.as_deref().unwrap_or("tier"))?;
    let (form, lang) = (form(params.format.as_deref())?, lang(params.lang.as_deref())?);
    let published = publish_seen(
        &app.db,
        &app.desk.packs,
        (period, app.settings.sample_rules()),
        scope,
        (&caller.user, form.name()),
        app.now(),
    )
    .await?;
    let rendering = tokio::task::spawn_blocking(move || render(&published, group, form, lang));
    let bytes = rendering.await.map_err(|e| RenderError::Write(e.to_string()))??;
    Ok(file(&format!("linewatch-{period}"), form, bytes))
}

/// The form that is asked for; JSON where none is.
pub(super) fn form(asked: Option<&str>) -> Result<Form, ApiError> {
    let asked = asked.unwrap_or("json");
    let names = Form::ALL.map(Form::name).join(", ");
    Form::from_name(asked)
        .ok_or_else(|| ApiError::parameter("format", format!("\"{asked}\" is none of: {names}")))
}

/// The language that is asked for; Chinese where none is.
pub(super) fn lang(asked: Option<&str>) -> Result<Lang, ApiError> {
    let asked = asked.unwrap_or("zh");
    Lang::from_name(asked)
        .ok_or_else(|| ApiError::parameter("lang", format!("\"{asked}\" is none of: zh, en")))
}

/// An answer that is a file, where it is not JSON. The name is plain letters, digits and dashes.
pub(super) fn file(name: &str, form: Form, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if form != Form::Json {
        let name = format!("attachment; filename=\"{name}.{}\"", form.name());
        headers.extend(HeaderValue::from_str(&name).ok().map(|value| (header::CONTENT_DISPOSITION, value)));
    }
    response
}

/// Which rows to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RowParams {
    /// The figure's name, as the report lists it.
    figure: String,
    /// Only those of one group: what it is a group of. Needs `key`.
    group: Option<String>,
    /// Only those of one group: its key.
    key: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What is kept of where a page ended: a fault's or matter's start (or end) and id, or a line's code (or a day).
type Place = (Option<(i64, Uuid)>, Option<String>);

/// The faults, lines or matters that a figure is made of, each with what it adds.
#[utoipa::path(get, path = "/reports/{kind}/{period}/rows", tag = "reports",
    params(("kind" = String, Path), ("period" = String, Path), RowParams),
    responses((status = 200, body = Page<ReportRow>)))]
async fn list_rows(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path((kind, text)): Path<(String, String)>,
    Params(params): Params<RowParams>,
) -> Result<Json<Page<ReportRow>>, ApiError> {
    let period = period(&kind, &text)?;
    let size = limit(params.limit)?;
    let list = format!("report {period} {}", params.figure);
    let after: Option<Place> = decode_cursor(&list, params.cursor.as_deref())?;
    let asked = asked(&params)?;
    let (packs, rules, now) = (Arc::clone(&app.desk.packs), app.settings.sample_rules(), app.now());
    let read = move |tx: &mut crate::db::Tx<'_>| {
        let book = book(&packs, tx, (period, rules), now)?.of_seen(tx, &scope)?;
        placed_rows(tx, &book, period, &asked, after.clone(), size + 1)
    };
    let found = app.db.read(read).await?;
    let Page { items, next_cursor } = Page::new(&list, size, found, |(place, _)| place.clone());
    Ok(Json(Page { items: items.into_iter().map(|(_, row)| row).collect(), next_cursor }))
}

fn asked(params: &RowParams) -> Result<Asked, ApiError> {
    let figure = Figure::from_name(&params.figure).ok_or_else(|| {
        let detail = format!("\"{}\" is no figure; the report lists them", params.figure);
        ApiError::parameter("figure", detail)
    })?;
    let group = match (&params.group, &params.key) {
        (None, None) => None,
        (Some(name), Some(key)) => Some((group(name)?, key.clone())),
        _ => return Err(ApiError::parameter("key", "group and key are given together, or not at all")),
    };
    let asked = Asked { figure, group };
    rows::check(&asked)?;
    Ok(asked)
}

fn placed_rows(
    tx: &mut crate::db::Tx<'_>,
    book: &crate::app::report::book::Book,
    period: Period,
    asked: &Asked,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<(Place, ReportRow)>, ReportError> {
    let (fault, line) = after.unwrap_or_default();
    match asked.figure.rows() {
        RowKind::Fault => {
            let after = fault.map(|(at, id)| (UnixMs(at), id));
            let rows = rows::faults(tx, book, asked, after, limit)?;
            Ok(rows.into_iter().map(|((at, id), row)| ((Some((at.0, id)), None), row)).collect())
        }
        RowKind::Matter => {
            let after = fault.map(|(at, id)| (UnixMs(at), id));
            let rows = rows::matters(tx, book, asked, after, limit)?;
            Ok(rows.into_iter().map(|((at, id), row)| ((Some((at.0, id)), None), row)).collect())
        }
        RowKind::Sample => {
            let after = fault.map(|(at, id)| (UnixMs(at), id));
            let rows = rows::samples(tx, book, period, asked, after, limit)?;
            Ok(rows.into_iter().map(|((at, id), row)| ((Some((at.0, id)), None), row)).collect())
        }
        RowKind::Day => {
            let rows = rows::days(tx, book, period, asked, line.as_deref(), limit)?;
            Ok(rows.into_iter().map(|row| ((None, row.day.clone()), row)).collect())
        }
        RowKind::Line => {
            let rows = rows::lines(tx, book, period, asked, line.as_deref(), limit)?;
            Ok(rows.into_iter().map(|row| ((None, Some(row.line.clone())), row)).collect())
        }
    }
}
