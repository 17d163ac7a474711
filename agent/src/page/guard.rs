//! Who may call: this machine's own page, and of what is people's only somebody who signed in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::TIMEOUT;
use super::error::Problem;
use super::sessions::User;
use super::state::Local;

/// The header in which the page shows its session's token.
const TOKEN: &str = "x-linewatch-token";
/// The cookie of a session.
pub const COOKIE: &str = "lw_field";
/// Nothing but the page's own files; pictures also from what the page itself holds.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// Judges a call before anything else does.
pub async fn guard(State(local): State<Arc<Local>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let answer = match judge(&local, &parts).await {
        Ok(user) => {
            if let Some(user) = user {
                parts.extensions.insert(user);
            }
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    };
    hardened(answer)
}

/// Ends what takes too long.
pub async fn in_time(request: Request, next: Next) -> Response {
    if let Ok(answer) = tokio::time::timeout(TIMEOUT, next.run(request)).await {
        return answer;
    }
    let detail = "this took too long; try again";
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "too_slow", detail).into_response()
}

fn hardened(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

async fn judge(local: &Local, parts: &Parts) -> Result<Option<User>, Problem> {
    let (headers, method) = (&parts.headers, &parts.method);
    let host = host_of(headers)?;
    let forbidden = |detail: &str| Problem::new(StatusCode::FORBIDDEN, "other_site", detail);
    let site = text(headers, "sec-fetch-site");
    if site.is_some_and(|site| !["same-origin", "none"].contains(&site)) {
        return Err(forbidden("this comes from another site"));
    }
    let path = parts.uri.path();
    if !path.starts_with("/api/") {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        return if reads { Ok(None) } else { Err(Problem::not_found("there is no such call")) };
    }
    let writes = !matches!(*method, Method::GET | Method::HEAD);
    let own = format!("http://{host}");
    if writes && !text(headers, "origin").is_some_and(|origin| origin.eq_ignore_ascii_case(&own)) {
        return Err(forbidden("only this page itself may write here"));
    }
    let session = cookie(headers).and_then(|secret| local.sessions.find(secret, local.scribe.reading().mono));
    if path == "/api/session" && *method != Method::DELETE {
        return Ok(session.map(|session| session.user));
    }
    let signed_out = || Problem::new(StatusCode::UNAUTHORIZED, "signed_out", "sign in first");
    let session = session.ok_or_else(signed_out)?;
    if local.is_locked().await? {
        let detail = "this device was locked by the desk; call the desk";
        return Err(Problem::new(StatusCode::FORBIDDEN, "locked", detail));
    }
    if writes && !text(headers, TOKEN).is_some_and(|token| session.is_token(token)) {
        return Err(forbidden("the page's token is missing: load the page again"));
    }
    Ok(Some(session.user))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The secret of the session's cookie.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// A web page elsewhere must not be able to have a browser come here by a name of its own that points here.
fn host_of(headers: &HeaderMap) -> Result<&str, Problem> {
    let host = text(headers, "host")
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "no_host", "the request names no host"))?;
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let name = name.trim_matches(['[', ']']);
    let is_loopback = name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_loopback || name.eq_ignore_ascii_case("localhost") {
        return Ok(host);
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "other_site", "open this page by 127.0.0.1 or localhost"))
}
