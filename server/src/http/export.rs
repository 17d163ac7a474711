//! Reference data as files that `import` takes.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::confidential::Withheld;
use super::error::ApiError;
use super::extract::Params;
use crate::app::App;
use crate::app::export::{self, FileForm};
use crate::auth::Caller;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::ADMIN, utoipa_axum::routes!(file))
}

/// How.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportParams {
    /// `csv` (the default) or `xlsx`.
    format: Option<String>,
}

/// Every customer, line, site or piece of equipment, contact data included, as a file that `import` takes. It is in the audit trail.
#[utoipa::path(get, path = "/export/{what}", tag = "reference", params(("what" = String, Path), ExportParams),
    responses((status = 200, description = "The file", content_type = "text/csv")))]
async fn file(
    State(app): State<Arc<App>>,
    caller: Caller,
    withheld: Withheld,
    Path(what): Path<String>,
    Params(params): Params<ExportParams>,
) -> Result<impl IntoResponse, ApiError> {
    withheld.refuse()?;
    let kind = export::parse_what(&what)
        .map_err(|reason| ApiError::not_found("unknown_export", format!("\"{what}\" {reason}")))?;
    let (form, content_type, ending) = match params.format.as_deref() {
        None | Some("csv") => (FileForm::Csv, "text/csv; charset=utf-8", "csv"),
        Some("xlsx") => {
            (FileForm::Xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")
        }
        Some(other) => {
            return Err(ApiError::parameter("format", format!("\"{other}\" is not one of: csv, xlsx")));
        }
    };
    let bytes = export::file(&app.db, kind, form, &caller.user, app.now()).await?;
    let name = kind.name();
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let disposition = format!("attachment; filename=\"{name}.{ending}\"");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok((headers, bytes))
}
