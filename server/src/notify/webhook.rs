//! Posts alerts as signed JSON.
//!
//! The body is [`Body`]. Headers: `X-Linewatch-Key` (the same on every try: whoever keeps the keys
//! sees each alert once) and, where a secret is configured, `X-Linewatch-Signature:
//! t=<unix seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>">`. Any 2xx is success, unless its JSON says
//! otherwise (`errcode` other than 0, or `ok` or `success` false), as chat robots do.

use hmac::{Hmac, KeyInit, Mac};
use linewatch_shared::rules::Label;
use linewatch_shared::time::{SECOND_MS, UnixMs};
use serde::Serialize;
use sha2::Sha256;
use uuid::Uuid;

use super::alert::Alert;
use super::failure::Failure;
use super::http::ask;
use super::settings::WebhookSettings;

/// The version of [`Body`].
pub const VERSION: u32 = 1;

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

/// Posts to the configured URLs.
#[derive(Debug)]
pub struct Webhooks {
    client: reqwest::Client,
    targets: Vec<WebhookSettings>,
}

impl Webhooks {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(client: reqwest::Client, targets: &[WebhookSettings]) -> Self {
        Self { client, targets: targets.to_vec() }
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
        let answer = ask(request.body(body), now).await?;
        answer.by_status()?;
        match refusal(&answer.body) {
            None => Ok(()),
            Some(reason) => Err(Failure::temporary(&format!("answered {} but {reason}", answer.status))),
        }
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
    fn an_answer_may_refuse_in_its_body() {
        assert_eq!(refusal(b""), None);
        assert_eq!(refusal(b"ok"), None);
        assert_eq!(refusal(b"{\"errcode\":0,\"errmsg\":\"ok\"}"), None);
        assert_eq!(refusal(b"{\"errcode\":45009}").unwrap(), "errcode is 45009");
        assert_eq!(refusal(b"{\"ok\":false}").unwrap(), "ok is false");
        assert_eq!(refusal(b"{\"ok\":true,\"success\":true}"), None);
    }
}
