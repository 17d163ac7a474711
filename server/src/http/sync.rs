//! What agents call, on the TLS listener only. Bodies are MessagePack, scanned before they are read.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use linewatch_shared::wire::{self, Enroll, Enrolled, GENERATION_HEADER};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ApiError;
use super::refused::Who;
use crate::app::App;
use crate::app::agents::identity::Showing;
use crate::app::agents::{self, AgentIdentity, EnrolError};
use crate::tls::Peer;

pub(super) fn routes(_: &Arc<App>) -> Router<Arc<App>> {
    super::agents_keys::routes(super::agents_sync::routes(Router::new()))
        .route("/sync/v1/enroll", post(enroll))
        .route("/sync/v1/whoami", get(who))
        .fallback(async || {
            ApiError::not_found("unknown_path", "this address is for agents only; people use the other one")
        })
}

/// The bytes of a call.
#[derive(Debug)]
pub(super) struct Packed(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Packed {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        super::extract::whole_body(request, state).await.map(Self)
    }
}

/// A MessagePack answer.
///
/// # Errors
/// When `message` has no MessagePack form.
pub fn answer(message: &impl Serialize) -> Result<Response, ApiError> {
    let bytes = wire::encode(message).map_err(|e| crate::db::DbError::Data(e.to_string()))?;
    Ok(([(header::CONTENT_TYPE, wire::CONTENT_TYPE)], bytes).into_response())
}

/// Reads a MessagePack body.
///
/// # Errors
/// 400 `bad_message`.
pub fn message<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    wire::decode(bytes).map_err(|e| ApiError::new(StatusCode::BAD_REQUEST, "bad_message", e.to_string()))
}

/// Lets an agent, and a person with its certificate, see whom the server takes it for.
async fn who(agent: AgentIdentity) -> String {
    format!("{} {}", agent.id, agent.name)
}

async fn enroll(State(app): State<Arc<App>>, Packed(body): Packed) -> Result<Response, ApiError> {
    let asked: Enroll = message(&body)?;
    let (authority, life_ms) =
        (Arc::clone(&app.authorities.now().issuing), app.settings.sync.certificate_life_ms);
    let enrolled = agents::enrol(&app.db, authority, asked, life_ms, app.now()).await;
    let result = if enrolled.is_ok() { "accepted" } else { "refused" };
    metrics::counter!("linewatch_enrolments_total", "result" => result).increment(1);
    let enrolled = enrolled.map_err(|e| match e {
        EnrolError::Unknown => ApiError::new(StatusCode::UNAUTHORIZED, "unknown_token", e.to_string()),
        EnrolError::Used => ApiError::new(StatusCode::GONE, "used_token", e.to_string()),
        EnrolError::Expired => ApiError::new(StatusCode::GONE, "expired_token", e.to_string()),
        EnrolError::App(e) => e.into(),
    })?;
    answer(&Enrolled {
        agent_id: enrolled.id,
        name: enrolled.name,
        certificate_pem: enrolled.certificate_pem,
        authority_pem: app.authorities.now().pem(),
        server_epoch: app.server_epoch.get(),
        renew_at: enrolled.renew_at,
    })
}

/// The agent whose certificate the connection showed: 401 without one, 403 when it is kept out.
impl FromRequestParts<Arc<App>> for AgentIdentity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|info| info.0);
        let shown = peer.and_then(|peer| peer.certificate).ok_or_else(|| {
            ApiError::new(
                StatusCode::UNAUTHORIZED,
                "no_certificate",
                "agents show the certificate of their enrolment",
            )
        })?;
        let now = app.now();
        if shown.ends_at <= now {
            let detail = "this certificate has expired; its key gets a new one by a challenge";
            return Err(ApiError::new(StatusCode::UNAUTHORIZED, "expired_certificate", detail));
        }
        let header = parts.headers.get(GENERATION_HEADER).and_then(|value| value.to_str().ok());
        let generation = header.and_then(|digits| hex::decode(digits).ok());
        let showing = Showing { certificate: shown, generation };
        let identity = agents::identify(&app.db, &app.agent_key, &showing, now).await?.ok_or_else(|| {
            let detail = "this certificate was replaced by a later one, or is not of this database";
            ApiError::new(StatusCode::UNAUTHORIZED, "unknown_certificate", detail)
        })?;
        if let Some(who) = parts.extensions.get::<Who>() {
            who.is(&format!("agent {}", identity.name));
        }
        if identity.revoked {
            return Err(ApiError::forbidden(
                "revoked",
                "this agent was revoked; enrol it again to let it in",
            ));
        }
        Ok(identity)
    }
}
