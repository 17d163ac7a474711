//! Which refused requests are worth an entry in the audit trail, and what it says of them: who, from where, by which
//! route, and the reason's code. Never a body, a query, a path's values, a cookie or a token.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};

use axum::extract::{ConnectInfo, Request, connect_info::MockConnectInfo};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::error::Refusal;
use crate::app::App;
use crate::app::refusals::Refused;
use crate::tls::Peer;

/// Where whoever finds out who is asking says so.
#[derive(Clone, Debug, Default)]
pub(super) struct Who(Arc<OnceLock<String>>);

impl Who {
    /// Says it; what was said first counts.
    pub(super) fn is(&self, name: &str) {
        self.0.get_or_init(|| name.to_owned());
    }
}

/// Stands with an answer that is no refusal as a whole, where a part of what was asked was refused: its stable code.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartRefused(pub &'static str);

/// A request, as far as the trail may know it.
#[derive(Debug)]
pub(super) struct Asked {
    who: Who,
    address: IpAddr,
    method: Method,
    route: String,
}

impl Asked {
    /// Looks at a request before anybody else does.
    pub(super) fn of(request: &mut Request, route: &str) -> Self {
        let who = Who::default();
        let (extensions, method) = (request.extensions(), request.method().clone());
        let peer = extensions.get::<ConnectInfo<Peer>>().map(|info| info.0);
        let peer = peer.or_else(|| extensions.get::<MockConnectInfo<Peer>>().map(|mock| mock.0));
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip());
        request.extensions_mut().insert(who.clone());
        Self { who, address, method, route: route.to_owned() }
    }

    /// Looks at what it was answered.
    pub(super) fn answered(self, app: &App, response: &Response) {
        let status = response.status();
        let known = response.extensions().get::<Refusal>().copied();
        let part = response.extensions().get::<PartRefused>();
        if part.is_none() && !self.is_worth_keeping(status, known) {
            return;
        }
        let whole = || known.map_or_else(|| by_status(status), |refusal| refusal.code);
        let code = part.map_or_else(whole, |PartRefused(code)| code);
        let who = self.who.0.get().cloned().unwrap_or_default();
        let refused = Refused {
            who,
            address: self.address,
            code,
            status: status.as_u16(),
            route: format!("{} {}", self.method, self.route),
        };
        app.refusals.note(refused, app.clock.now());
    }

    fn is_worth_keeping(&self, status: StatusCode, known: Option<Refusal>) -> bool {
        match status {
            // A page asks who is signed in before anybody is.
            StatusCode::UNAUTHORIZED => !(self.method == Method::GET && self.route == "/api/v1/session"),
            StatusCode::BAD_REQUEST
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::URI_TOO_LONG
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => true,
            // Used before, or too late: a token that is shown again.
            StatusCode::GONE => known.is_some_and(|refusal| refusal.code.ends_with("_token")),
            StatusCode::UNPROCESSABLE_ENTITY => {
                known.is_some_and(|refusal| refusal.by_shape || refusal.code == "idempotency_mismatch")
            }
            _ => false,
        }
    }
}

/// What a refusal is called that came from below our own handlers.
fn by_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "unknown_path",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::REQUEST_TIMEOUT => "timeout",
        StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
        StatusCode::URI_TOO_LONG => "uri_too_long",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "headers_too_large",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        StatusCode::UNAUTHORIZED => "unauthenticated",
        StatusCode::FORBIDDEN => "forbidden",
        _ => "bad_request",
    }
}
