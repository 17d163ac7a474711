//! A fault that is open is promised by another tier, or by another version of its pack: a supervisor's decision.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::facts::{Step, StepKind};
use serde::Deserialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Body;
use super::faults::{fault_id, short, time, view_of};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use crate::app::App;
use crate::app::desk::step::{NewStep, step};
use crate::app::desk::view::FaultView;
use crate::auth::Caller;

/// Adds the route.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::ADMIN, utoipa_axum::routes!(re_rate))
}

/// By what a fault is promised from now on: another tier, another version, or both.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ReRate {
    /// The tier; the one that it has where it is left out.
    tier: Option<String>,
    /// A version of its pack that is or was in force; the one that it is under where it is left out.
    pack_version: Option<String>,
    /// In words.
    reason: String,
    /// When it was decided, RFC 3339; now where it is left out.
    occurred_at: Option<String>,
}

/// Re-rates an open fault: its start and its pauses stay, and what was kept or missed until then stays as it was. It is
/// written into the audit trail.
#[utoipa::path(post, path = "/faults/{id}/re-rate", tag = "faults", params(("id" = String, Path)),
    request_body = ReRate, responses((status = 200, body = FaultView)))]
async fn re_rate(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<ReRate>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let fault = fault_id(&id)?;
    let ReRate { tier, pack_version, reason, occurred_at } = body.value;
    if tier.is_none() && pack_version.is_none() {
        return Err(ApiError::field("tier", "is missing: a re-rate names a tier, a pack_version, or both"));
    }
    let reason = short("reason", reason)?;
    if reason.trim().is_empty() {
        return Err(ApiError::field("reason", "must not be empty"));
    }
    let tier = tier.map(|tier| short("tier", tier)).transpose()?;
    let version = pack_version.map(|version| short("pack_version", version)).transpose()?;
    let kind = StepKind::Rerated { tier, version, reason, grantor: caller.user.clone() };
    let new = NewStep {
        id: app.fresh_id(),
        step: Step { fault, kind, note: None },
        occurred_at: time("occurred_at", occurred_at.as_deref())?.unwrap_or(now),
        by: caller.user.clone(),
    };
    let desk = app.desk.clone();
    write_once(&app, &caller, key, body.hash, move |tx| {
        let fault = step(&desk, tx, &new, now)?;
        Answer::new(StatusCode::OK, &view_of(&desk, tx, fault, now)?)
    })
    .await
}
