//! Bodies and parameters, read strictly: what is unknown or of the wrong type is named.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use futures::{Stream, StreamExt as _, stream};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::error::ApiError;

/// The largest body of an API call, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Of a body that is refused so much more is read.
const REFUSED_BYTES_MAX: usize = 16 * BODY_BYTES_MAX;
/// For so long.
const REFUSED_FOR: Duration = Duration::from_secs(30);

/// A JSON body, and the hash of its bytes for [`super::idempotency`]. Give `T`
/// `#[serde(deny_unknown_fields)]`.
#[derive(Debug)]
pub struct Body<T> {
    /// The parsed body.
    pub value: T,
    /// SHA-256 over method, path and bytes.
    pub hash: [u8; 32],
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type =
            request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let is_json = content_type.split(';').next().is_some_and(|t| t.trim() == "application/json");
        if !is_json {
            let detail = "the body must be JSON: set Content-Type to application/json";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let mut hash = Sha256::new();
        hash.update(request.method().as_str());
        hash.update([0]);
        hash.update(request.uri().path());
        hash.update([0]);
        let bytes = whole_body(request, state).await?;
        hash.update(&bytes);
        Ok(Self { value: parse(&bytes)?, hash: hash.finalize().into() })
    }
}

/// A body that may be left out, with its content type.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            return <Self as FromRequest<S>>::from_request(request, state).await.map(Some);
        }
        Ok(None)
    }
}

/// The bytes of a body. Of one that is too large the rest is read and forgotten, within bounds: whoever is cut off while
/// writing does not read the answer that says why.
pub(super) async fn whole_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body.into_data_stream()));
    let reader = || {
        let body = Arc::clone(&body);
        stream::poll_fn(move |cx| body.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(cx))
    };
    let request = Request::from_parts(parts, axum::body::Body::from_stream(reader()));
    let error = match Bytes::from_request(request, state).await {
        Ok(bytes) => return Ok(bytes),
        Err(error) => error,
    };
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        drain(reader()).await;
        let detail = "the body is larger than this call takes: 1 MiB, 4 MiB for a push of records, 256 KiB for a chunk";
        return Err(ApiError::new(error.status(), "body_too_large", detail));
    }
    Err(ApiError::new(StatusCode::BAD_REQUEST, "body_unreadable", error.body_text()))
}

/// Reads and forgets what comes, within bounds.
pub(super) async fn drain(mut rest: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin) {
    let rest = async {
        let mut left = REFUSED_BYTES_MAX;
        while let Some(Ok(part)) = rest.next().await
            && part.len() <= left
        {
            left -= part.len();
        }
    };
    // In time or not: the answer is the same.
    let _ = tokio::time::timeout(REFUSED_FOR, rest).await;
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let field = e.path().to_string();
        let inner = e.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => {
                let text = inner.to_string();
                let reason = text.split(" at line ").next().unwrap_or(&text);
                ApiError::field(field_of(&field, reason), reason).by_shape()
            }
            _ => ApiError::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body is not JSON: {inner}")),
        }
    })?;
    json.end()
        .map_err(|e| ApiError::new(StatusCode::BAD_REQUEST, "bad_json", format!("after the body: {e}")))?;
    if has_nul(bytes) {
        return Err(ApiError::field("", "a text has a character that cannot be stored (U+0000)").by_shape());
    }
    Ok(value)
}

/// Whether a text of this JSON has the one character that PostgreSQL does not keep; it can only be written as an escape.
fn has_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at..].starts_with(b"\\u0000") {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

/// For a missing or unknown field the path names the object around it; the message names the field.
fn field_of<'a>(path: &'a str, reason: &'a str) -> &'a str {
    let named = ["missing field `", "unknown field `"].iter().find_map(|start| {
        let rest = reason.strip_prefix(start)?;
        rest.split('`').next()
    });
    match (path, named) {
        ("." | "", Some(named)) => named,
        _ => path,
    }
}

/// Query parameters. Give `T` `#[serde(deny_unknown_fields)]`.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(e) => {
                let text = e.body_text();
                let reason = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                let parameter = reason.split_once(": ").map_or("", |(name, _)| name);
                Err(ApiError::parameter(field_of(parameter, reason), reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only parsed")]
        line: String,
        #[expect(dead_code, reason = "only parsed")]
        inner: Option<Inner>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only parsed")]
        n: u32,
    }

    #[test]
    fn a_refused_body_names_the_field() {
        let cases = [
            ("{", "bad_json", ""),
            ("{\"line\":\"a\"} x", "bad_json", ""),
            ("{\"line\":3}", "invalid_field", "line"),
            ("{}", "invalid_field", "line"),
            ("{\"line\":\"a\",\"lin\":1}", "invalid_field", "lin"),
            ("{\"line\":\"a\",\"inner\":{\"n\":-1}}", "invalid_field", "inner.n"),
            ("{\"line\":\"a\",\"inner\":{\"n\":1,\"m\":1}}", "invalid_field", "inner.m"),
            ("[]", "invalid_field", ""),
        ];
        for (body, code, field) in cases {
            let e = parse::<Sample>(body.as_bytes()).unwrap_err();
            assert_eq!(e.code(), code, "{body}: {e:?}");
            let said = format!("{e:?}");
            assert!(
                field.is_empty() || said.contains(&format!("\"field\": String(\"{field}\")")),
                "{body}: {said}"
            );
        }
        assert!(parse::<Sample>(b"{\"line\":\"a\"}").is_ok());
    }

    #[test]
    fn no_text_holds_what_cannot_be_stored() {
        for nul in [r#"{"line":"\u0000"}"#, r#"{"line":"a\\\u0000b"}"#, r#"{"line":"\"\u0000"}"#] {
            assert_eq!(parse::<Sample>(nul.as_bytes()).unwrap_err().code(), "invalid_field", "{nul}");
        }
        for fine in [r#"{"line":"\\u0000"}"#, r#"{"line":"\u0001"}"#, r#"{"line":"\\"}"#] {
            assert!(parse::<Sample>(fine.as_bytes()).is_ok(), "{fine}");
        }
    }
}
