//! What happens around every request: an id, a span, a time limit, a count, and the headers that keep
//! browsers honest. Nothing here logs bodies, queries, cookies, tokens or names.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::error::ApiError;
use super::limits::body_within;
use super::refused::Asked;
use crate::app::App;

/// The time in which an answer has to begin, once the body is there. Event streams only begin in it.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// The answer's own id, which the log also has.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const CSP: &str = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
/// For a year browsers come by HTTPS alone.
const STAY: &str = "max-age=31536000; includeSubDomains";
/// What no page of ours needs of a browser.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
/// Nothing of ours shares a window or a resource with other sites.
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

/// The middleware.
pub(super) async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let route =
        request.extensions().get::<MatchedPath>().map_or("unmatched", |path| path.as_str()).to_owned();
    let method = request.method().clone();
    let id = uuid::Uuid::new_v4().simple().to_string();
    let span = tracing::info_span!("request", %method, route, id);
    let asked = Asked::of(&mut request, &route);
    let started = app.clock.mono();
    let within = ANSWER_LIMIT + body_within(&request);
    let answered = tokio::time::timeout(within, next.run(request).instrument(span.clone())).await;
    let mut response = answered.unwrap_or_else(|_| {
        let detail = format!("no answer within {} s", within.as_secs());
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).retry_after_s(5).into_response()
    });
    let (status, took_ms) = (response.status().as_u16(), app.clock.mono().0 - started.0);
    span.in_scope(|| tracing::debug!(status, took_ms, "answered"));
    let labels = [("route", route.clone()), ("method", method.to_string()), ("status", status.to_string())];
    metrics::counter!("linewatch_http_requests_total", &labels).increment(1);
    metrics::histogram!("linewatch_http_request_seconds", "route" => route).record(took_ms as f64 / 1000.0);
    asked.answered(&app, &response);
    set_headers(&mut response, &id, app.link_base.starts_with("https://"));
    response
}

fn set_headers(response: &mut Response, id: &str, is_https: bool) {
    let headers = response.headers_mut();
    // A page that needs less says so itself.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CSP));
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STAY));
    }
    headers.insert("cross-origin-opener-policy", SAME_ORIGIN);
    headers.insert("cross-origin-resource-policy", SAME_ORIGIN);
    headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID.clone(), id);
    }
}

/// Answers for a handler that panicked; the panic itself is in the log.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log says why")
        .into_response()
}
