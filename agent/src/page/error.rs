//! What the page is told when something cannot be done: `application/problem+json` with a stable code.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use linewatch_shared::rules::Lack;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::field::finish::FinishError;
use crate::journal::JournalError;

/// An error answer.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    more: Map<String, Value>,
}

impl Problem {
    /// With a stable code, and words.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), more: Map::new() }
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 422.
    pub fn unfit(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// With a further field.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.more.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// 422 with what a report lacks.
    pub fn lacks(lacks: &[Lack]) -> Self {
        Self::unfit("report_lacks", "the report is not whole yet").with("lacks", lacks)
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        if error.is_full() {
            let detail = "the disk is full: nothing was saved; make room and try again";
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail);
        }
        tracing::error!(%error, "a call of the local page failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "journal", "it could not be saved; nothing was changed")
    }
}

impl From<FinishError> for Problem {
    fn from(error: FinishError) -> Self {
        match error {
            FinishError::Journal(error) => error.into(),
            FinishError::None => Self::not_found(error.to_string()),
            FinishError::Lacks(lacks) => Self::lacks(&lacks),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.more;
        body.insert("code".to_owned(), self.code.into());
        body.insert("detail".to_owned(), self.detail.into());
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, Json(Value::Object(body))).into_response()
    }
}
