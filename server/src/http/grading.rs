//! Grades of customers: proposed, listed, decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::grading::{Decision, NewProposal, decide, propose};
use crate::app::scopes::sees_named;
use crate::auth::Caller;
use crate::db::DbError;
use crate::store::grades::{self, Proposal};
use crate::store::scope::Scope;

/// The states of a proposal.
const STATES: [&str; 4] = ["proposed", "approved", "rejected", "replaced"];
/// Hundredths in a point.
const CENTI: f64 = 100.0;
/// The most points of one indicator.
const POINTS_MAX: f64 = 10_000.0;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK_OWN, utoipa_axum::routes!(list))
        .route(Access::DESK_OWN, utoipa_axum::routes!(take_in))
        .route(Access::ADMIN, utoipa_axum::routes!(take_decision))
}

/// A proposed grade.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProposalView {
    /// Its id.
    id: Uuid,
    /// The customer's code.
    customer: String,
    /// The pack by which it was graded.
    pack: String,
    /// The grade before.
    before: Option<String>,
    /// The proposed grade.
    grade: String,
    /// What each indicator scored (hundredths of a point), their sum, the caps that lowered it.
    reasons: Value,
    /// `proposed`, `approved`, `rejected` or `replaced`.
    state: String,
    /// Who proposed it.
    proposed_by: String,
    /// When.
    proposed_at: String,
    /// Who decided.
    decided_by: Option<String>,
    /// When.
    decided_at: Option<String>,
    /// On an upgrade: whether the customer keeps its account manager.
    keeps_manager: Option<bool>,
}

impl ProposalView {
    fn of(proposal: Proposal) -> Result<Self, DbError> {
        let (decided_by, decided_at) = proposal.decided.unzip();
        Ok(Self {
            id: proposal.id,
            customer: proposal.customer,
            pack: proposal.pack,
            before: proposal.before,
            grade: proposal.grade,
            reasons: serde_json::from_str(&proposal.reasons)
                .map_err(|error| DbError::Data(error.to_string()))?,
            state: proposal.state,
            proposed_by: proposal.proposed_by,
            proposed_at: proposal.proposed_at.to_rfc3339(),
            decided_by,
            decided_at: decided_at.map(UnixMs::to_rfc3339),
            keeps_manager: proposal.keeps_manager,
        })
    }
}

/// Which proposals to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProposalParams {
    /// Only in this state.
    state: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Proposed grades, the newest first: those of a year are its list.
#[utoipa::path(get, path = "/grade-proposals", tag = "people", params(ProposalParams),
    responses((status = 200, body = Page<ProposalView>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<ProposalParams>,
) -> Result<Json<Page<ProposalView>>, ApiError> {
    let size = limit(params.limit)?;
    let state = params.state.unwrap_or_default();
    if !state.is_empty() && !STATES.contains(&state.as_str()) {
        let detail = format!("\"{state}\" is not one of: {}", STATES.join(", "));
        return Err(ApiError::parameter("state", detail));
    }
    let before: Option<(i64, Uuid)> = decode_cursor("grade-proposals", params.cursor.as_deref())?;
    let before = before.map(|(at, id)| (UnixMs(at), id));
    let found = app.db.read(move |tx| grades::list(tx, (&scope, &state), before, size as i64 + 1)).await?;
    let place = |item: &Proposal| (item.proposed_at.0, item.id);
    let Page { items, next_cursor } = Page::new("grade-proposals", size, found, place);
    let items: Result<Vec<ProposalView>, DbError> = items.into_iter().map(ProposalView::of).collect();
    Ok(Json(Page { items: items?, next_cursor }))
}

/// Scores to grade a customer by.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ScoresBody {
    /// The customer's code.
    customer: String,
    /// Points of each indicator of the pack; more than its weight counts as its weight.
    scores: BTreeMap<String, f64>,
    /// Caps of the pack that apply.
    #[serde(default)]
    caps: Vec<String>,
}

/// Proposes a grade with its reasons: nothing takes effect by it.
#[utoipa::path(post, path = "/grade-proposals", tag = "people", request_body = ScoresBody,
    responses((status = 201, body = ProposalView)))]
async fn take_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    body: Body<ScoresBody>,
) -> Result<Answer, ApiError> {
    let ScoresBody { customer, scores, caps } = body.value;
    let centi = |(name, points): (String, f64)| {
        if !(0.0..=POINTS_MAX).contains(&points) {
            let reason = format!("{name}: points are from 0 to {POINTS_MAX}");
            return Err(ApiError::field("scores", reason));
        }
        Ok((name, (points * CENTI).round() as u32))
    };
    let scores_centi = scores.into_iter().map(centi).collect::<Result<_, _>>()?;
    let new = NewProposal { id: app.fresh_id(), customer, scores_centi, caps, by: caller.user.clone() };
    let (desk, now) = (app.desk.clone(), app.now());
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_named(tx, &scope, &new.customer)?;
        let proposal = propose(&desk, tx, &new, now)?;
        Answer::new(StatusCode::CREATED, &ProposalView::of(proposal)?)
    })
    .await
}

/// A decision.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    /// Whether it takes effect.
    approved: bool,
    /// On an upgrade: whether the customer keeps its account manager.
    keeps_manager: Option<bool>,
}

/// Approves or rejects a proposed grade. Open faults keep the tier that they began under.
#[utoipa::path(post, path = "/grade-proposals/{id}/decision", tag = "people", params(("id" = String, Path)),
    request_body = DecisionBody, responses((status = 200, body = ProposalView)))]
async fn take_decision(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<DecisionBody>,
) -> Result<Answer, ApiError> {
    let unknown = |_| ApiError::not_found("unknown_proposal", format!("there is no proposal {id}"));
    let DecisionBody { approved, keeps_manager } = body.value;
    let decision =
        Decision { id: id.parse().map_err(unknown)?, approved, keeps_manager, by: caller.user.clone() };
    let (desk, now) = (app.desk.clone(), app.now());
    write_once(&app, &caller, key, body.hash, move |tx| {
        let proposal = decide(&desk, tx, &decision, now)?;
        Answer::new(StatusCode::OK, &ProposalView::of(proposal)?)
    })
    .await
}
