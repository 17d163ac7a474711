//! Takes in what a Prometheus Alertmanager tells a webhook: its alerts are evidence about lines.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linewatch_shared::detector::LineState;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use crate::app::App;
use crate::app::desk::outside::{Sighting, sightings};
use crate::auth::Caller;
use crate::db::Priority;

/// The version of the payload that is understood.
const VERSION: &str = "4";
/// The most alerts of one notification.
const ALERTS_MAX: usize = 1_000;

/// Adds the route.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::NOC, utoipa_axum::routes!(take_in))
}

/// A notification, as far as it is read; the rest of it is passed over.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
struct Notification {
    /// `4`.
    version: String,
    /// At most 1000.
    alerts: Vec<Told>,
}

/// One alert.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
struct Told {
    /// `firing` or `resolved`.
    status: String,
    /// `line` is the line's code; `line_state` is `down`, or `degraded`.
    labels: BTreeMap<String, String>,
    /// RFC 3339.
    #[serde(rename = "startsAt")]
    starts_at: String,
    /// RFC 3339; of a resolved alert.
    #[serde(rename = "endsAt", default)]
    ends_at: String,
    /// What Alertmanager calls it.
    #[serde(default)]
    fingerprint: String,
}

/// What became of a notification.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TakenIn {
    /// How many alerts are on record now.
    taken: usize,
    /// Those that are not, and why.
    refused: Vec<Refused>,
}

/// An alert that was not taken in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Refused {
    /// Its place in the notification, from 0.
    alert: usize,
    /// Why.
    reason: String,
}

/// Takes in a notification of Alertmanager's webhook receiver. An alert with the label `line` is evidence that the line
/// is down (or `line_state: degraded`) from `startsAt` on, and up from `endsAt` on once it is resolved; told again, it
/// changes nothing. Alerts that say nothing of a known line are refused one by one; the answer is 200 all the same, for
/// Alertmanager would only tell them again.
#[utoipa::path(post, path = "/alertmanager", tag = "faults", request_body = Notification,
    responses((status = 200, body = TakenIn)))]
async fn take_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    body: Body<Notification>,
) -> Result<Json<TakenIn>, ApiError> {
    let told = body.value;
    if told.version != VERSION {
        return Err(ApiError::field("version", format!("only version {VERSION} is understood")));
    }
    if told.alerts.len() > ALERTS_MAX {
        return Err(ApiError::field("alerts", format!("has more than {ALERTS_MAX} alerts")));
    }
    let mut refused = Vec::new();
    let (mut places, mut seen) = (Vec::new(), Vec::new());
    for (alert, one) in told.alerts.iter().enumerate() {
        match sighting(one) {
            Ok(sighting) => {
                places.push(alert);
                seen.push(sighting);
            }
            Err(reason) => refused.push(Refused { alert, reason }),
        }
    }
    let (desk, now) = (app.desk.clone(), app.now());
    let write = move |tx: &mut crate::db::Tx<'_>| sightings(&desk, tx, &seen, &caller.user, now);
    let further = app.db.write(Priority::Api, write).await.map_err(ApiError::from)?;
    refused.extend(further.into_iter().map(|(n, reason)| Refused { alert: places[n], reason }));
    refused.sort_by_key(|refused| refused.alert);
    if !refused.is_empty() {
        tracing::warn!(refused = refused.len(), "alerts of an Alertmanager were not taken in");
    }
    Ok(Json(TakenIn { taken: told.alerts.len() - refused.len(), refused }))
}

fn sighting(told: &Told) -> Result<Sighting, String> {
    let line = told.labels.get("line").filter(|line| !line.is_empty());
    let line = line.ok_or("has no label \"line\"; give the rule the code of its line")?;
    let state = match told.labels.get("line_state").map(String::as_str) {
        None | Some("down") => LineState::Down,
        Some("degraded") => LineState::Degraded,
        Some(other) => return Err(format!("line_state is \"{other}\"; it is down or degraded")),
    };
    let time = |name: &str, text: &str| {
        UnixMs::parse_rfc3339(text).map_err(|_| format!("{name} is not a time such as 2026-03-02T08:00:00Z"))
    };
    let until = match told.status.as_str() {
        "firing" => None,
        "resolved" => Some(time("endsAt", &told.ends_at)?),
        other => return Err(format!("status is \"{other}\"; it is firing or resolved")),
    };
    Ok(Sighting {
        system: "alertmanager",
        name: told.fingerprint.clone(),
        line: line.clone(),
        state,
        from: time("startsAt", &told.starts_at)?,
        until,
    })
}
