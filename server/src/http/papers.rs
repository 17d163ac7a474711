//! The papers of the monthly service-quality meeting.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::reports::{file, form, lang, month};
use crate::app::App;
use crate::app::papers::content::{CopyView, PapersView};
use crate::app::papers::{self, Making, PapersError, Which};
use crate::auth::Caller;
use crate::report::papers::render;
use crate::report::{Form, RenderError};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::DESK, utoipa_axum::routes!(take)).route(Access::ADMIN, utoipa_axum::routes!(approve))
}

impl From<PapersError> for ApiError {
    fn from(error: PapersError) -> Self {
        match error {
            PapersError::Report(error) => error.into(),
            PapersError::Assessment(detail) => Self::conflict("no_assessment", detail),
            PapersError::NoCopy(..) => Self::not_found("unknown_copy", error.to_string()),
        }
    }
}

/// Which papers, and how they are taken.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PapersParams {
    /// The number of a kept copy, or `new`: made now. Where it is left out, the copy that was approved last, and made now
    /// where none was.
    copy: Option<String>,
    /// `json`, `xlsx` or `pdf`; `json` by default.
    format: Option<String>,
    /// `zh` or `en`; `zh` by default.
    lang: Option<String>,
}

/// The papers of a month such as `2026-10`: its figures against the month before and the same month of the year before,
/// the worst customers and lines, every missed promise, exemptions, complaints, grave matters, the quality sample,
/// contractors, customers at risk, what late facts changed, and decisions that are owed. Once the month is over each making
/// that says something else is kept as a copy; one that was approved is what is answered from then on, with
/// `changed_since`.
#[utoipa::path(get, path = "/papers/{month}", tag = "reports", params(("month" = String, Path), PapersParams),
    responses((status = 200, description = "The papers", content((PapersView = "application/json"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (Vec<u8> = "application/pdf")))))]
async fn take(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Params(params): Params<PapersParams>,
) -> Result<Response, ApiError> {
    let month = month(&text)?;
    let which = which(params.copy.as_deref())?;
    let (form, lang) = (form(params.format.as_deref())?, lang(params.lang.as_deref())?);
    if form == Form::Csv {
        let detail = "papers are many tables: take json, xlsx or pdf";
        return Err(ApiError::parameter("format", detail));
    }
    let making = Making { month, rules: app.settings.sample_rules(), now: app.now() };
    let who = (caller.user.as_str(), form.name());
    let view = papers::publish(&app.db, &app.desk, (making, which), who).await?;
    let rendering = tokio::task::spawn_blocking(move || render(&view, form, lang));
    let bytes = rendering.await.map_err(|e| RenderError::Write(e.to_string()))??;
    Ok(file(&format!("linewatch-papers-{month}"), form, bytes))
}

fn which(asked: Option<&str>) -> Result<Which, ApiError> {
    let number = |text: &str| text.parse().ok().filter(|number| *number > 0).map(Which::Copy);
    match asked {
        None => Ok(Which::Current),
        Some("new") => Ok(Which::Fresh),
        Some(text) => number(text).ok_or_else(|| {
            ApiError::parameter("copy", format!("\"{text}\" is neither the number of a copy nor \"new\""))
        }),
    }
}

/// Which copy.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ApprovalBody {
    /// Its number; the newest one where it is left out.
    copy: Option<i64>,
}

/// The copies of a month.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Copies {
    /// The newest first.
    copies: Vec<CopyView>,
}

/// Approves a copy of a finished month's papers: the month's summary. It is what is read from then on; another copy may be
/// approved later.
#[utoipa::path(post, path = "/papers/{month}/approval", tag = "reports", params(("month" = String, Path)),
    request_body = ApprovalBody, responses((status = 200, body = Copies)))]
async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(text): Path<String>,
    body: Body<ApprovalBody>,
) -> Result<Answer, ApiError> {
    let (month, zone, now) = (month(&text)?, app.settings.time_zone, app.now());
    let (copy, by) = (body.value.copy, caller.user.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        let copies = papers::approve(tx, (month, zone), copy, &by, now)?;
        Answer::new(StatusCode::OK, &Copies { copies })
    })
    .await
}
