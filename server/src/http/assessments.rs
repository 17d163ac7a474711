//! The service-quality assessment of a year.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::reports::{file, form, lang};
use crate::app::App;
use crate::app::assessment::{AssessmentError, AssessmentView, Subject, publish};
use crate::app::report::period::Period;
use crate::auth::Caller;
use crate::db::DbError;
use crate::report::{RenderError, assessment::render};
use crate::store::scope::{self, Scope};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::DESK_OWN, utoipa_axum::routes!(assess))
}

impl From<AssessmentError> for ApiError {
    fn from(error: AssessmentError) -> Self {
        match error {
            AssessmentError::Report(error) => error.into(),
            AssessmentError::Unknown("customer", _) => Self::not_found("unknown_customer", error.to_string()),
            AssessmentError::Unknown(..) => Self::not_found("unknown_contractor", error.to_string()),
            AssessmentError::NoAssessment(_) => Self::conflict("no_assessment", error.to_string()),
        }
    }
}

/// Whom to assess, and how it is taken.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AssessmentParams {
    /// A customer's code: its pack's assessment.
    customer: Option<String>,
    /// Or a contractor's: what it maintains, by the assessment of its contract.
    contractor: Option<String>,
    /// `json`, `csv`, `xlsx` or `pdf`; `json` by default.
    format: Option<String>,
    /// `zh` or `en`; `zh` by default.
    lang: Option<String>,
}

/// The assessment of a year (`2026`), or as it would be of a quarter (`2026-Q4`) or a month (`2026-10`): each figure with
/// what was owed, kept, missed and exempt, its points, the total, and what it leaves of the fee; month by month, and of a
/// running year as it stands now.
#[utoipa::path(get, path = "/assessments/{period}", tag = "reports",
    params(("period" = String, Path), AssessmentParams),
    responses((status = 200, description = "The assessment", content((AssessmentView = "application/json"),
        (String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (Vec<u8> = "application/pdf")))))]
async fn assess(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(text): Path<String>,
    Params(params): Params<AssessmentParams>,
) -> Result<Response, ApiError> {
    let period = Period::of_any_kind(&text).ok_or_else(|| {
        let detail = format!("\"{text}\" is no year, quarter or month, such as 2026, 2026-Q4 or 2026-10");
        ApiError::not_found("unknown_period", detail)
    })?;
    let subject = match (params.customer, params.contractor) {
        (Some(code), None) => Subject::Customer(code),
        (None, Some(code)) => Subject::Contractor(code),
        _ => {
            let detail = "say whom to assess: either customer=CODE or contractor=CODE";
            return Err(ApiError::parameter("customer", detail));
        }
    };
    if !is_seen(&app, &scope, &subject).await? {
        return Err(AssessmentError::unknown(&subject).into());
    }
    let (form, lang) = (form(params.format.as_deref())?, lang(params.lang.as_deref())?);
    let name = format!("linewatch-assessment-{period}");
    let who = (caller.user.as_str(), form.name());
    let view = publish(&app.db, &app.desk.packs, (subject, period), who, app.now()).await?;
    let rendering = tokio::task::spawn_blocking(move || render(&view, form, lang));
    let bytes = rendering.await.map_err(|e| RenderError::Write(e.to_string()))??;
    Ok(file(&name, form, bytes))
}

/// Whether the caller sees whom to assess; contractors are for those who see everything.
async fn is_seen(app: &App, scope: &Scope, subject: &Subject) -> Result<bool, DbError> {
    match subject {
        _ if scope.is_everything() => Ok(true),
        Subject::Contractor(_) => Ok(false),
        Subject::Customer(code) => {
            let (scope, code) = (scope.clone(), code.clone());
            app.db.read(move |tx| scope::has_customer(tx, &scope, &code)).await
        }
    }
}
