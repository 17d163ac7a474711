//! Posts alerts as signed JSON.
//!
//! The body is [`Body`]. Headers: `X-Linewatch-Key` (the same on every try: whoever keeps the keys
//! sees each alert once) and, where a secret is configured, `X-Linewatch-Signature:
//! t=<unix seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>">`. Any 2xx is success, unless its JSON says
//! otherwise (`errcode` other than 0, or `ok` or `success` false), as chat robots do.

use std::time::Duration;

use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use linewatch_shared::rules::Label;
use linewatch_shared::time::{SECOND_MS, UnixMs};
use reqwest::header::RETRY_AFTER;
use serde::Serialize;
use sha2::Sha256;
use uuid::Uuid;

use super::alert::Alert;
use super::failure::Failure;
use super::settings::WebhookSettings;

/// The version of [`Body`].
pub const VERSION: u32 = 1;
/// How long one post may take, with its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Connections kept open for the next post.
const IDLE_CONNECTIONS_MAX: usize = 4;

/// What is posted. Times are RFC 3339 in UTC.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    /// [`VERSION`].
    pub version: u32,
    /// When this try was made.
    pub sent_at: String,
    /// The effect's key: the same alert always has the same.
    pub key: &'a str,
    /// The fault's id.
    pub fault: Uuid,
    /// The line's code.
    pub line: &'a str,
    /// The site's name; may be empty.
    pub site: &'a str,
    /// The customer's code.
    pub customer: &'a str,
    /// The customer's name.
    pub customer_name: &'a str,
    /// The tier's name.
    pub tier: &'a str,
    /// `{"zh": …, "en": …}`.
    pub tier_label: &'a Label,
    /// `restoration`, `feedback`, `repair` or `callback`.
    pub kind: &'a str,
    /// `warn_50`, `warn_80`, `missed`, `met_late` or `corrected`; of a matter also `changed` and `outcome`.
    pub mark: &'a str,
    /// The moment that the alert speaks of.
    pub at: String,
    /// Told so long after that moment that it is not news.
    pub late: bool,
    /// When the promise is, or was, due.
    pub due_at: String,
    /// When the fault started.
    pub started_at: String,
    /// The fault's state.
    pub state: &'a str,
    /// Whether the customer has reported it.
    pub reported: bool,
    /// What was done so far, in order.
    pub done: Vec<BodyDone<'a>>,
    /// The account manager.
    pub manager: &'a str,
    /// The pack's time zone.
    pub time_zone: &'a str,
    /// The fault's page.
    pub link: &'a str,
}

/// One thing that was done.
#[derive(Debug, Serialize)]
pub struct BodyDone<'a> {
    /// When.
    pub at: String,
    /// The fact's kind.
    pub kind: &'a str,
    /// Who.
    pub by: &'a str,
    /// In words; may be empty.
    pub text: &'a str,
}

impl<'a> Body<'a> {
    /// The body for `alert`.
    #[must_use]
    pub fn new(alert: &'a Alert, sent_at: UnixMs) -> Self {
        let done = |one: &'a super::alert::Done| BodyDone {
            at: one.at.to_rfc3339(),
            kind: &one.kind,
            by: &one.by,
            text: &one.text,
        };
        Self {
            version: VERSION,
            sent_at: sent_at.to_rfc3339(),
            key: &alert.key,
            fault: alert.fault,
            line: &alert.line,
            site: &alert.site,
            customer: &alert.customer,
            customer_name: &alert.customer_name,
            tier: &alert.tier,
            tier_label: &alert.tier_label,
            kind: &alert.kind,
            mark: &alert.mark,
            at: alert.at.to_rfc3339(),
            late: alert.late,
            due_at: alert.due_at.to_rfc3339(),
            started_at: alert.started_at.to_rfc3339(),
            state: &alert.state,
            reported: alert.reported,
            done: alert.done.iter().map(done).collect(),
            manager: &alert.manager,
            time_zone: &alert.time_zone,
            link: &alert.link,
        }
    }
}

/// The HTTP client cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("webhook: {0}")]
pub struct WebhookError(String);

/// Posts to the configured URLs.
#[derive(Debug)]
pub struct Webhooks {
    client: reqwest::Client,
    targets: Vec<WebhookSettings>,
}

impl Webhooks {
    /// Prepares the client; connects to nothing yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(targets: &[WebhookSettings]) -> Result<Self, WebhookError> {
        let builder = || {
            reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
                .user_agent(concat!("linewatch-server/", env!("CARGO_PKG_VERSION")))
        };
        // A machine without any authorities can still post to http:// addresses.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let client = client.map_err(|e| WebhookError(e.to_string()))?;
        Ok(Self { client, targets: targets.to_vec() })
    }

    /// Posts one alert to the URL called `name`.
    ///
    /// # Errors
    /// Whether and how to try again.
    pub async fn send(&self, name: &str, alert: &Alert, now: UnixMs) -> Result<(), Failure> {
        let Some(target) = self.targets.iter().find(|target| target.name == name) else {
            return Err(Failure::temporary(&format!("no webhook called \"{name}\" is configured")));
        };
        let body = serde_json::to_string(&Body::new(alert, now))
            .map_err(|e| Failure::permanent(&format!("the alert is no JSON: {e}")))?;
        let mut request = self
            .client
            .post(&target.url)
            .header("Content-Type", "application/json")
            .header("X-Linewatch-Key", header_safe(&alert.key));
        if let Some(secret) = &target.secret {
            let signature = signature(secret.reveal(), now.0.div_euclid(SECOND_MS), &body);
            request = request.header("X-Linewatch-Signature", signature);
        }
        let answer = request.body(body).send().await.map_err(|e| {
            let reason = chain(&e);
            if e.is_connect() { Failure::unreachable(&reason) } else { Failure::broken(&reason) }
        })?;
        judge(answer, now).await
    }
}

async fn judge(mut answer: reqwest::Response, now: UnixMs) -> Result<(), Failure> {
    let status = answer.status();
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
    if status.is_success() {
        return match refusal(&body) {
            None => Ok(()),
            Some(reason) => Err(Failure::temporary(&format!("answered {status} but {reason}"))),
        };
    }
    let reason = format!("answered {status}");
    match status.as_u16() {
        429 | 503 => Err(Failure::busy(&reason, retry_after_ms)),
        408 | 425 | 500..=599 => Err(Failure::temporary(&reason).after(retry_after_ms)),
        300..=399 => Err(Failure::permanent(&format!("{reason}; redirects are not followed"))),
        _ => Err(Failure::permanent(&reason)),
    }
}

/// What a 2xx answer says against its own status.
fn refusal(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let code = answer.get("errcode").and_then(serde_json::Value::as_i64).filter(|code| *code != 0);
    if let Some(code) = code {
        return Some(format!("errcode is {code}"));
    }
    let denied = ["ok", "success"].into_iter().find(|name| answer.get(name) == Some(&false.into()));
    denied.map(|name| format!("{name} is false"))
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

fn signature(secret: &str, at_s: i64, body: &str) -> String {
    // A key of any length is fine for HMAC, so this cannot fail.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(format!("{at_s}.{body}").as_bytes());
        hex::encode(mac.finalize().into_bytes())
    });
    format!("t={at_s},v1={}", mac.unwrap_or_default())
}

fn header_safe(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

/// reqwest's own text stops before the reason.
fn chain(e: &reqwest::Error) -> String {
    let mut text = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_known_one() {
        // printf '1800000000.{}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature("secret", 1_800_000_000, "{}"),
            "t=1800000000,v1=bb7079132825ac793cea8c013c1dd24d926b9b02132245b10588d9e5c0df70d7"
        );
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

    #[test]
    fn an_answer_may_refuse_in_its_body() {
        assert_eq!(refusal(b""), None);
        assert_eq!(refusal(b"ok"), None);
        assert_eq!(refusal(b"{\"errcode\":0,\"errmsg\":\"ok\"}"), None);
        assert_eq!(refusal(b"{\"errcode\":45009}").unwrap(), "errcode is 45009");
        assert_eq!(refusal(b"{\"ok\":false}").unwrap(), "ok is false");
        assert_eq!(refusal(b"{\"ok\":true,\"success\":true}"), None);
    }
}
