//! PagerDuty's Events API v2.
//!
//! It answers 202 with `{"status":"success"}` when it took an event, 400 when an event is wrong, 429 when there are too
//! many. All events of one promise share a `dedup_key`: a warning begins an incident, the miss raises it, and it is
//! resolved when the promise is kept late or turns out to have been kept.

use linewatch_shared::time::{MINUTE_MS, UnixMs};
use serde_json::{Value, json};

use crate::config::Secret;
use crate::notify::alert::Alert;
use crate::notify::failure::Failure;
use crate::notify::http::ask;

/// Characters of a summary.
const SUMMARY_CHARS_MAX: usize = 1024;
/// How long to wait where a 429 does not say.
const TOO_MANY_WAIT_MS: i64 = MINUTE_MS;

pub(super) async fn send(
    client: &reqwest::Client,
    url: &str,
    routing_key: &Secret,
    title: &str,
    alert: &Alert,
    now: UnixMs,
) -> Result<(), Failure> {
    let over = ends(&alert.mark);
    let mut event = json!({
        "routing_key": routing_key.reveal(),
        "event_action": if over { "resolve" } else { "trigger" },
        "dedup_key": format!("linewatch/{}/{}/{}", alert.fault, alert.kind, alert.due_at.0),
        "client": "linewatch",
        "payload": {
            "summary": title.chars().take(SUMMARY_CHARS_MAX).collect::<String>(),
            "source": if alert.line.is_empty() { &alert.customer } else { &alert.line },
            "severity": severity(&alert.mark),
            "timestamp": alert.at.to_rfc3339(),
            "component": alert.line,
            "group": alert.customer,
            "class": alert.kind,
            "custom_details": {
                "customer": alert.customer_name, "tier": alert.tier, "mark": alert.mark, "state": alert.state,
                "due_at": alert.due_at.to_rfc3339(), "learnt_late": alert.late,
            },
        },
    });
    if alert.link.starts_with("http") {
        event["client_url"] = alert.link.as_str().into();
    }
    let answer = ask(client.post(url).json(&event), now).await?;
    match answer.by_status() {
        Err(failure) if answer.status.as_u16() == 429 => {
            return Err(Failure::busy(&failure.reason, answer.retry_after_ms.or(Some(TOO_MANY_WAIT_MS))));
        }
        Err(failure) => {
            return Err(Failure { reason: format!("{}: {}", failure.reason, answer.words()), ..failure });
        }
        Ok(()) => {}
    }
    let status = answer.json().and_then(|json| json.get("status").and_then(Value::as_str).map(str::to_owned));
    match status.as_deref() {
        Some("success") => Ok(()),
        _ => Err(Failure::temporary(&format!("answered {} without success", answer.status))),
    }
}

/// Whether an alert ends an incident.
pub(super) fn ends(mark: &str) -> bool {
    matches!(mark, "met_late" | "corrected")
}

fn severity(mark: &str) -> &'static str {
    match mark {
        "missed" => "critical",
        "warn_50" | "met_late" | "corrected" => "info",
        _ => "warning",
    }
}
