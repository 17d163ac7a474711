//! How much anybody may ask for, before any work is done for it: the size of a request's head and body, its pace, so many
//! a minute, so many at the same time. Each refusal is a problem with a stable code, and says when it is worth trying again.
//!
//! People are counted by address until they are known, then by user; agents by their certificate, because ten thousand of
//! them may share an address. What is counted is this node's own and is lost at a restart.

mod bucket;
mod client;
mod group;
mod paced;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;
use super::extract::drain;
use crate::app::App;
use crate::tls::{Peer, Place, Places, neighbourhood};
use bucket::Buckets;
use client::client_of;
use group::Group;
use paced::{Cut, PACE_BYTES_PER_S, Verdict, paced};

/// Headers of one request.
const HEADERS_MAX: usize = 64;
/// Their bytes, names and values.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// The bytes of an address with its query.
const URI_BYTES_MAX: usize = 8 * 1024;
/// Requests of one address that are worked on at the same time are at most this share of all.
const ADDRESS_SHARE: usize = 2;
/// How long a request waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(10);
/// What a body may add to the time in which an answer has to begin.
const BODY_WITHIN_MAX: Duration = Duration::from_mins(5);

/// Whose requests come in here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// People and scripts.
    Desk,
    /// Agents.
    Agents,
}

/// What is counted for one listener.
#[derive(Debug)]
pub(super) struct Gate {
    app: Arc<App>,
    side: Side,
    addresses: Buckets<IpAddr>,
    users: Buckets<String>,
    agents: Buckets<[u8; 32]>,
    streams: Places<String>,
    at_once: Places<IpAddr>,
    turns: Arc<Semaphore>,
    papers: Arc<Semaphore>,
}

impl Gate {
    pub(super) fn new(app: &Arc<App>, side: Side) -> Self {
        let limits = &app.settings.limits;
        let per_address = match side {
            Side::Desk => limits.requests_per_address,
            Side::Agents => limits.strangers_per_address,
        };
        Self {
            app: Arc::clone(app),
            side,
            addresses: Buckets::new(per_address),
            users: Buckets::new(limits.requests_per_user),
            agents: Buckets::new(limits.requests_per_agent),
            streams: Places::new(limits.streams_per_user),
            at_once: Places::new(limits.requests_at_once.div_ceil(ADDRESS_SHARE)),
            turns: Arc::new(Semaphore::new(limits.requests_at_once)),
            papers: Arc::new(Semaphore::new(limits.papers_at_once)),
        }
    }

    /// Counts a request of somebody who is known now.
    ///
    /// # Errors
    /// 429 `too_many_requests`.
    pub(super) fn user(&self, user: &str) -> Result<(), ApiError> {
        self.users.take(user.to_owned(), self.app.clock.mono()).map_err(too_many)
    }

    /// Counts an answer that goes on for as long as it does.
    ///
    /// # Errors
    /// 429 `too_many_streams`.
    pub(super) fn stream(&self, user: &str, open: impl FnOnce() -> Response) -> Result<Response, ApiError> {
        let detail = "this user has as many event streams open as one may: close one first";
        let refused = || ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail);
        let place = self.streams.take(user.to_owned()).ok_or_else(|| refused().retry_after_s(30))?;
        Ok(open().map(|body| {
            Body::from_stream(body.into_data_stream().map(move |part| {
                let _held = &place;
                part
            }))
        }))
    }

    fn caller(&self, peer: Peer) -> Result<Option<Place<IpAddr>>, ApiError> {
        let (address, now) = (neighbourhood(peer.address.ip()), self.app.clock.mono());
        if let (Side::Agents, Some(certificate)) = (self.side, peer.certificate) {
            return self.agents.take(certificate.fingerprint, now).map_err(too_many).map(|()| None);
        }
        self.addresses.take(address, now).map_err(too_many)?;
        self.at_once
            .take(address)
            .map(Some)
            .ok_or_else(|| too_busy("this address has too many requests under way"))
    }

    async fn turn(&self, of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
        let waiting = tokio::time::timeout(TURN_WITHIN, Arc::clone(of).acquire_owned()).await;
        match waiting {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(too_busy("the server has more to do than it can; try again")),
        }
    }
}

fn too_many(after_s: i64) -> ApiError {
    let detail = "more requests than one may make in a minute; wait, then go on";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail).retry_after_s(after_s)
}

fn too_busy(detail: &str) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).retry_after_s(5)
}

/// Finds out for whom a trusted proxy asks, before anybody wants to know.
pub(super) async fn behind_proxy(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let trusted = &app.settings.http.trusted_proxies;
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
    if let Some(mut peer) = peer.filter(|peer| trusted.contains(peer.address.ip()))
        && let Some(client) = client_of(request.headers(), trusted)
    {
        peer.address.set_ip(client);
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    next.run(request).await
}

/// The middleware.
pub(super) async fn limit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    match admit(&gate, request, next).await {
        Ok(response) => response,
        Err(refused) => {
            metrics::counter!("linewatch_http_limited_total", "code" => refused.code()).increment(1);
            refused.into_response()
        }
    }
}

async fn admit(gate: &Arc<Gate>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    check_head(request.uri(), request.headers())?;
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
    let _place = peer.map(|peer| gate.caller(peer)).transpose()?;
    let route = request.extensions().get::<MatchedPath>().map_or("", |path| path.as_str());
    let group = Group::of(route);
    if let Some(length) = declared_length(request.headers())
        && length > group.body_bytes_max() as u64
    {
        drain(request.into_body().into_data_stream()).await;
        return Err(too_large(group));
    }
    let _turn = gate.turn(&gate.turns).await?;
    let _paper = if group == Group::Paper { Some(gate.turn(&gate.papers).await?) } else { None };
    request.extensions_mut().insert(Arc::clone(gate));
    let verdict = Arc::new(Verdict::default());
    let patience = gate.app.settings.limits.patience;
    let request = request.map(|body| paced(body, patience, group.body_bytes_max(), &verdict));
    let response = next.run(request).await;
    match verdict.get() {
        None => Ok(response),
        Some(Cut::TooLarge) => Err(too_large(group)),
        Some(Cut::TooSlow) => {
            let detail = "the body came too slowly, or not at all";
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail).retry_after_s(1))
        }
    }
}

fn too_large(group: Group) -> ApiError {
    let detail = format!("the body is larger than this call takes: {} KiB", group.body_bytes_max() / 1024);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

fn check_head(uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let length = uri.path().len() + uri.query().map_or(0, str::len);
    if length > URI_BYTES_MAX {
        let detail = format!("an address has at most {URI_BYTES_MAX} bytes");
        return Err(ApiError::new(StatusCode::URI_TOO_LONG, "uri_too_long", detail));
    }
    if [Some(uri.path()), uri.query()].into_iter().flatten().any(|part| part.contains("%00")) {
        let detail = "an address holds no NUL character";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "nul_in_address", detail));
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
        let detail = format!("a request has at most {HEADERS_MAX} headers with {HEADER_BYTES_MAX} bytes");
        return Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail));
    }
    Ok(())
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What the body of a request may add to the time in which its answer has to begin.
pub(super) fn body_within(request: &Request) -> Duration {
    if request.body().is_end_stream() {
        return Duration::ZERO;
    }
    let Some(length) = declared_length(request.headers()) else { return BODY_WITHIN_MAX };
    Duration::from_secs(length / PACE_BYTES_PER_S).min(BODY_WITHIN_MAX)
}

#[cfg(test)]
mod tests;
