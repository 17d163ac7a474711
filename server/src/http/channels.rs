//! The ways out for alerts: what is configured, and whether it works.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use crate::app::{Action, App, audit};
use crate::auth::Caller;
use crate::db::Priority;
use crate::notify::channel::{Way, kind};
use crate::notify::{EMAIL, Notifier, NotifySettings, WEBHOOK, WEBHOOK_NAME};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ADMIN, utoipa_axum::routes!(list))
        .route(Access::ADMIN, utoipa_axum::routes!(try_out))
}

/// A configured channel. What is secret about it is not shown.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
struct ChannelItem {
    /// What it is called; `email` for `[smtp]`, `webhook` for `[webhook]`.
    name: String,
    /// `email`, `webhook`, `wecom_robot`, `wecom_app`, `dingtalk_robot`, `feishu_robot`, `slack`, `pagerduty`,
    /// `alertmanager` or `sms`.
    kind: String,
    /// Only alerts of these marks; empty: all.
    marks: Vec<String>,
    /// Only alerts of these tiers or classes; empty: all.
    tiers: Vec<String>,
    /// The channel that gets what this one cannot hand over.
    fallback: Option<String>,
    /// Gets only what falls back to it.
    only_fallback: bool,
}

/// Every configured channel.
#[utoipa::path(get, path = "/channels", tag = "alerts", responses((status = 200, body = Vec<ChannelItem>)))]
async fn list(State(app): State<Arc<App>>) -> Json<Vec<ChannelItem>> {
    let plain = |name: &str, fallback: Option<String>| ChannelItem {
        name: name.to_owned(),
        kind: name.to_owned(),
        fallback,
        ..ChannelItem::default()
    };
    let mail = app.settings.smtp.iter().map(|smtp| plain(EMAIL, smtp.fallback.clone()));
    let webhook = app.settings.webhook.iter().map(|_| plain(WEBHOOK_NAME, None));
    let others = app.settings.channels.iter().map(|channel| ChannelItem {
        name: channel.name.clone(),
        kind: kind(&channel.service).to_owned(),
        marks: channel.marks.clone(),
        tiers: channel.tiers.clone(),
        fallback: channel.fallback.clone(),
        only_fallback: channel.only_fallback,
    });
    Json(mail.chain(webhook).chain(others).collect())
}

/// To whom a trial goes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Trial {
    /// An address, for `email` only.
    #[serde(default)]
    to: Option<String>,
}

/// Hands a trial message over at once. 502 with the reason when it was not taken.
#[utoipa::path(post, path = "/channels/{name}/test", tag = "alerts", params(("name" = String, Path)),
    request_body = Trial, responses((status = 204)))]
async fn try_out(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Body<Trial>,
) -> Result<StatusCode, ApiError> {
    let unknown =
        || ApiError::not_found("unknown_channel", format!("no channel called \"{name}\" is configured"));
    let ways: Vec<(&'static str, String)> = match name.as_str() {
        EMAIL if app.settings.smtp.is_some() => {
            let to = body.value.to.filter(|to| !to.trim().is_empty());
            vec![(EMAIL, to.ok_or_else(|| ApiError::field("to", "say the address that the trial goes to"))?)]
        }
        WEBHOOK_NAME if app.settings.webhook.is_some() => vec![(WEBHOOK, WEBHOOK_NAME.to_owned())],
        _ => {
            let channel =
                app.settings.channels.iter().find(|channel| channel.name == name).ok_or_else(unknown)?;
            let way = Way::of(channel);
            way.destinations.into_iter().map(|to| (way.channel, to)).collect()
        }
    };
    let settings = NotifySettings::from(app.settings.as_ref());
    let notifier = Notifier::new(app.db.clone(), Arc::clone(&app.clock), &settings)
        .map_err(|error| ApiError::new(StatusCode::BAD_GATEWAY, "channel_unusable", error.to_string()))?;
    let mut outcome = Ok(());
    for (channel, destination) in &ways {
        outcome = outcome.and(notifier.trial(channel, destination, &app.link_base).await);
    }
    let now = app.now();
    let said = outcome.as_ref().err().map(ToString::to_string);
    let detail = json!({ "taken": outcome.is_ok() });
    let write = move |tx: &mut crate::db::Tx<'_>| {
        audit(tx, now.0, &caller.user, Action::ChannelTried, &name, Some(&detail))
    };
    app.db.write(Priority::Api, write).await?;
    match said {
        None => Ok(StatusCode::NO_CONTENT),
        Some(reason) => Err(ApiError::new(StatusCode::BAD_GATEWAY, "channel_refused", reason)),
    }
}
