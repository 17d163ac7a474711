//! The one error of the API: `application/problem+json` with a stable `code`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::AppError;
use crate::db::DbError;

/// What the API answers when it refuses or fails. Codes are part of the interface: scripts match them.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    extra: Map<String, Value>,
    retry_after_s: Option<i64>,
    by_shape: bool,
}

/// What a refusal is called, beside the answer, for whoever keeps count of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: &'static str,
    /// Whether the body was not what the call takes, whatever it says.
    pub by_shape: bool,
}

/// The body of every error.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:linewatch:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// Stable; for programs.
    #[schema(example = "unknown_line")]
    code: String,
    /// What is wrong, and what would be right; for people.
    detail: String,
    /// More, by code: `field`, `possible`, …
    #[serde(flatten)]
    #[schema(value_type = Object)]
    extra: Map<String, Value>,
}

impl ApiError {
    /// An error with a status, a stable code and a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), extra: Map::new(), retry_after_s: None, by_shape: false }
    }

    /// 404: there is no such thing. `code` is `unknown_customer`, `unknown_fault`, …
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 409: not possible in the present state.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: a field of the body is not acceptable.
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail).with("field", field)
    }

    /// 400: a query parameter is not acceptable.
    pub fn parameter(parameter: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail).with("parameter", parameter)
    }

    /// 401: nobody is signed in, or the credential is not good.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// 403: signed in, but not allowed.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// Adds a field to the body.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }

    /// Says when it is worth trying again.
    #[must_use]
    pub const fn retry_after_s(mut self, seconds: i64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Says that the body is not what the call takes, whatever it says.
    #[must_use]
    pub const fn by_shape(mut self) -> Self {
        self.by_shape = true;
        self
    }

    /// The status it will be answered with.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    fn internal(e: &dyn std::fmt::Display) -> Self {
        // The one place where it is logged; the caller learns nothing of the inside.
        tracing::error!(error = %e, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log says why")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("urn:linewatch:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail,
            extra: self.extra,
        };
        let mut response = (self.status, axum::Json(problem)).into_response();
        response.extensions_mut().insert(Refusal { code: self.code, by_shape: self.by_shape });
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<DbError> for ApiError {
    fn from(e: DbError) -> Self {
        if e.is_retryable() || matches!(e, DbError::Closed) {
            tracing::warn!(error = %e, "the database is busy or away");
            let detail = "the database is busy or away; try again";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after_s(1);
        }
        Self::internal(&e)
    }
}

impl From<AppError> for ApiError {
    fn from(e: AppError) -> Self {
        match e {
            AppError::Db(e) => e.into(),
            AppError::Refused(detail) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", detail),
            AppError::WeakPassword { reason, text } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", text).with("reason", reason)
            }
            AppError::WrongCode => Self::new(StatusCode::UNAUTHORIZED, "bad_second_factor", e.to_string()),
            AppError::SignInOver => Self::new(StatusCode::UNAUTHORIZED, "sign_in_over", e.to_string()),
            AppError::Unknown { .. } => Self::not_found("unknown", e.to_string()),
            AppError::Password(detail) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after_s(1)
            }
            AppError::Mistakes(_) | AppError::File { .. } | AppError::Certificate(_) => Self::internal(&e),
        }
    }
}
