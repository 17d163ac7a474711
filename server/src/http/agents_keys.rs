//! How an agent keeps its certificate: the next one over the present one's connection, or by a proof of its key.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use linewatch_shared::wire::{Challenge, Challenged, Prove, Renew};

use super::agents_sync::refuse_quarantined;
use super::error::ApiError;
use super::sync::{Packed, answer, message};
use crate::app::App;
use crate::app::agents::{AgentIdentity, renewal};
use crate::tls::{Peer, neighbourhood};

/// Adds the routes.
pub(super) fn routes(router: Router<Arc<App>>) -> Router<Arc<App>> {
    router
        .route("/sync/v1/renew", post(renew))
        .route("/sync/v1/challenge", post(challenge))
        .route("/sync/v1/prove", post(prove))
}

async fn renew(
    State(app): State<Arc<App>>,
    agent: AgentIdentity,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let asked: Renew = message(&body)?;
    refuse_quarantined(&agent)?;
    let (authority, life_ms) =
        (Arc::clone(&app.authorities.now().issuing), app.settings.sync.certificate_life_ms);
    let renewed = renewal::renew(&app.db, authority, agent, asked.csr_der, life_ms, app.now()).await?;
    metrics::counter!("linewatch_renewals_total", "by" => "certificate").increment(1);
    answer(&renewed)
}

async fn challenge(State(app): State<Arc<App>>, Packed(body): Packed) -> Result<Response, ApiError> {
    let asked: Challenge = message(&body)?;
    answer(&Challenged { nonce: renewal::challenge(&app.agent_key, asked.agent_id, app.now())? })
}

/// Throttled before anything is looked up: by address, and by agent as seen from that address, so that nobody keeps an
/// agent out by proofs of his own in its name.
async fn prove(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let proof: Prove = message(&body)?;
    let address = neighbourhood(peer.address.ip());
    let account = format!("{} {address}", proof.agent_id);
    if let Err(left_ms) = app.proofs.begin(&account, address, app.clock.mono()) {
        let detail = "too many proofs that did not count; wait before the next one";
        let refused = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail);
        return Err(refused.retry_after_s((left_ms + 999) / 1000));
    }
    let (authority, life_ms) =
        (Arc::clone(&app.authorities.now().issuing), app.settings.sync.certificate_life_ms);
    let proved = renewal::prove(&app.db, authority, app.agent_key.clone(), proof, life_ms, app.now()).await?;
    let Some(renewed) = proved else {
        // The same for an agent that is not known, one that is revoked, and another key.
        let detail = "this key is not let in; enrol the agent again";
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "not_proved", detail));
    };
    app.proofs.succeeded(&account, address);
    metrics::counter!("linewatch_renewals_total", "by" => "key").increment(1);
    answer(&renewed)
}
