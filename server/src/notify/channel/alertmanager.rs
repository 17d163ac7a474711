//! A Prometheus Alertmanager, API v2.
//!
//! It answers 200 with nothing when it took alerts, and 400 with a reason when one is wrong. An alert there is its
//! labels; one without an end is forgotten after the receiver's `resolve_timeout`, so each has one here, a day on.

use linewatch_shared::time::{DAY_MS, UnixMs};
use serde_json::{Value, json};

use super::pagerduty::ends;
use crate::config::Secret;
use crate::notify::alert::Alert;
use crate::notify::failure::Failure;
use crate::notify::http::ask;

/// How long an alert stands that nobody ends.
const STANDS_MS: i64 = DAY_MS;

pub(super) async fn send(
    client: &reqwest::Client,
    url: &str,
    token: Option<&Secret>,
    alerts: &[(String, &Alert)],
    now: UnixMs,
) -> Result<(), Failure> {
    let body: Vec<Value> = alerts.iter().map(|(title, alert)| one(title, alert, now)).collect();
    let mut request = client.post(format!("{url}/api/v2/alerts")).json(&body);
    if let Some(token) = token {
        request = request.bearer_auth(token.reveal());
    }
    let answer = ask(request, now).await?;
    answer.by_status().map_err(|failure| {
        let said = answer.words();
        let reason =
            if said.is_empty() { failure.reason.clone() } else { format!("{}: {said}", failure.reason) };
        Failure { reason, ..failure }
    })
}

/// The labels leave the mark out: the miss is the same alert as its warning, said again.
fn one(title: &str, alert: &Alert, now: UnixMs) -> Value {
    let ends_at = if ends(&alert.mark) { now } else { UnixMs(now.0 + STANDS_MS) };
    json!({
        "labels": {
            "alertname": "linewatch_promise", "kind": alert.kind, "fault": alert.fault.to_string(),
            "line": alert.line, "customer": alert.customer, "tier": alert.tier,
            "due_at": alert.due_at.to_rfc3339(),
        },
        "annotations": { "summary": title, "mark": alert.mark, "state": alert.state },
        "startsAt": alert.started_at.to_rfc3339(),
        "endsAt": ends_at.to_rfc3339(),
        "generatorURL": alert.link,
    })
}
