//! One HTTP client for every service: bounded in time and size, and silent about addresses, which hold keys.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::DateTime;
use linewatch_shared::time::{SECOND_MS, UnixMs};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, StatusCode, Url};
use serde_json::Value;

use super::failure::Failure;
use crate::config::is_private;

/// How long one request may take, with its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Connections kept open for the next request.
const IDLE_CONNECTIONS_MAX: usize = 4;
/// Characters of a service's own words that are kept.
const WORDS_CHARS_MAX: usize = 200;

/// The HTTP client cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("HTTP client: {0}")]
pub struct HttpError(String);

/// Resolves names, and leaves out addresses to which nothing may go: what is connected to is what was looked at.
struct Outside;

impl Resolve for Outside {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(outside(name))
    }
}

async fn outside(name: Name) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    let outside: Vec<SocketAddr> = found.filter(|address| !is_private(address.ip())).collect();
    if outside.is_empty() {
        let reason = "the name leads to this machine or its own segment; notify.allow_private allows it";
        return Err(reason.into());
    }
    Ok(Box::new(outside.into_iter()))
}

/// What every client of a service starts from.
pub fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .user_agent(concat!("linewatch-server/", env!("CARGO_PKG_VERSION")))
}

/// The client; unless `allow_private`, names that lead to this machine or its own segment are not followed.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client(allow_private: bool) -> Result<reqwest::Client, HttpError> {
    let resolving = || if allow_private { builder() } else { builder().dns_resolver(Outside) };
    // A machine without any authorities can still post to http:// addresses.
    let client = resolving().build().or_else(|_| resolving().tls_certs_only([]).build());
    client.map_err(|e| HttpError(e.to_string()))
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// How long it asked to be left alone, in milliseconds.
    pub retry_after_ms: Option<i64>,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as one line of bounded length.
    #[must_use]
    pub fn words(&self) -> String {
        super::text::clean(&String::from_utf8_lossy(&self.body), WORDS_CHARS_MAX)
    }

    /// What a status other than 2xx means to most services.
    ///
    /// # Errors
    /// Whether and how to try again.
    pub fn by_status(&self) -> Result<(), Failure> {
        if self.status.is_success() {
            return Ok(());
        }
        let reason = format!("answered {}", self.status);
        Err(match self.status.as_u16() {
            429 | 503 => Failure::busy(&reason, self.retry_after_ms),
            408 | 425 | 500..=599 => Failure::temporary(&reason).after(self.retry_after_ms),
            300..=399 => Failure::permanent(&format!("{reason}; redirects are not followed")),
            _ => Failure::permanent(&reason),
        })
    }
}

/// An address with further parameters behind it.
///
/// # Errors
/// When it is no address; it is not quoted, for it may hold a key.
pub fn with_query(url: &str, pairs: &[(&str, &str)]) -> Result<Url, Failure> {
    let mut url = Url::parse(url).map_err(|e| Failure::permanent(&format!("the address is wrong: {e}")))?;
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(url)
}

/// Sends a request and reads the answer.
///
/// # Errors
/// When there was none.
pub async fn ask(request: RequestBuilder, now: UnixMs) -> Result<Answer, Failure> {
    let mut answer = request.send().await.map_err(|e| {
        let (connecting, reason) = (e.is_connect(), reason_of(e));
        if connecting { Failure::unreachable(&reason) } else { Failure::broken(&reason) }
    })?;
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after_ms = retry_after.and_then(|text| retry_after_ms(text, now));
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES_MAX {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            // After an error too the status stands, whatever became of the rest.
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(ANSWER_BYTES_MAX);
    Ok(Answer { status: answer.status(), retry_after_ms, body })
}

/// Seconds, or a date.
fn retry_after_ms(text: &str, now: UnixMs) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds) * SECOND_MS);
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(UnixMs(date.timestamp_millis()).since(now).max(0))
}

/// Why a request failed. reqwest's own text stops before the reason, and names the address, which may hold a key.
pub fn reason_of(e: reqwest::Error) -> String {
    let e = e.without_url();
    let mut text = e.to_string();
    let mut source = std::error::Error::source(&e);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let refused = ask(client(false).unwrap().get(&url), UnixMs(0)).await.unwrap_err();
        assert!(format!("{refused:?}").contains("leads to this machine"), "{refused:?}");
        let accepting = listener.accept();
        let allowed = client(true).unwrap();
        let asking = allowed.get(&url).timeout(Duration::from_millis(300)).send();
        assert!(tokio::join!(accepting, asking).0.is_ok());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UnixMs::parse_rfc3339("2026-10-21T07:27:00Z").unwrap();
        assert_eq!(retry_after_ms(" 120 ", now), Some(120_000));
        assert_eq!(retry_after_ms("Wed, 21 Oct 2026 07:28:00 GMT", now), Some(60_000));
        assert_eq!(retry_after_ms("Wed, 21 Oct 2026 07:26:00 GMT", now), Some(0));
        assert_eq!(retry_after_ms("soon", now), None);
        assert_eq!(retry_after_ms("-1", now), None);
    }
}
