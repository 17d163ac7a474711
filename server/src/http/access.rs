//! Which roles a route is for. A route cannot be added without saying so: [`ApiRouter::route`] is the
//! only way in, and it takes an [`Access`].

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::confidential::Withheld;
use super::contact_trail::{self, Asked};
use super::error::ApiError;
use super::limits::Gate;
use super::page_token;
use super::refused::Who;
use super::session::cookie_of;
use crate::app::{App, scopes};
use crate::auth::{Caller, Role, TokenScope, Via, credential};
use crate::store::scope::Scope;

/// Who may call a route, and what of the desk it shows or changes. `Role::Admin` may call every one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, signed in or not.
    Public,
    /// Users with one of these roles: nothing of any customer is in it.
    Plain(&'static [Role]),
    /// Those of them who see the whole desk: it is not narrowed.
    Whole(&'static [Role]),
    /// Users with one of these roles, those of contractors left out: the handler takes a [`Scope`] and keeps to it.
    Scoped(&'static [Role]),
    /// The same with technicians of contractors.
    Maintained(&'static [Role]),
}

impl Access {
    /// Everybody who is signed in.
    pub const ANY_PLAIN: Self = Self::Plain(&Role::ALL);
    /// Everybody who sees the whole desk.
    pub const ANY_ROLE: Self = Self::Whole(&Role::ALL);
    /// Every user of ours, within what is seen.
    pub const ANY_OWN: Self = Self::Scoped(&Role::ALL);
    /// Every user, contractors' technicians too, within what is seen.
    pub const ANY_SCOPED: Self = Self::Maintained(&Role::ALL);
    /// Those who work on faults and matters, contractors' technicians too, within what is seen.
    pub const WORKERS: Self = Self::Maintained(&[Role::Noc, Role::Manager, Role::Technician]);
    /// The monitoring centre, where it sees the whole desk.
    pub const NOC: Self = Self::Whole(&[Role::Noc]);
    /// The monitoring centre, within what is seen.
    pub const NOC_OWN: Self = Self::Scoped(&[Role::Noc]);
    /// Those who answer for customers, the monitoring centre and account managers, where they see the whole desk.
    pub const DESK: Self = Self::Whole(&[Role::Noc, Role::Manager]);
    /// The same, within what is seen.
    pub const DESK_OWN: Self = Self::Scoped(&[Role::Noc, Role::Manager]);
    /// Administrators only.
    pub const ADMIN: Self = Self::Whole(&[]);

    /// True when that role may call.
    #[must_use]
    pub fn allows(self, role: Role) -> bool {
        match self.roles() {
            None => true,
            Some(roles) => role == Role::Admin || roles.contains(&role),
        }
    }

    /// True when who sees that much may call.
    #[must_use]
    pub const fn admits(self, scope: &Scope) -> bool {
        match self {
            Self::Public | Self::Plain(_) | Self::Maintained(_) => true,
            Self::Whole(_) => scope.is_everything(),
            Self::Scoped(_) => !matches!(scope, Scope::Contractor(_)),
        }
    }

    const fn roles(self) -> Option<&'static [Role]> {
        match self {
            Self::Public => None,
            Self::Plain(roles) | Self::Whole(roles) | Self::Scoped(roles) | Self::Maintained(roles) => {
                Some(roles)
            }
        }
    }

    fn describe(self) -> String {
        if self == Self::Public {
            return "Needs no sign-in.".to_owned();
        }
        let names: Vec<&str> =
            Role::ALL.into_iter().filter(|role| self.allows(*role)).map(Role::name).collect();
        let seen = match self {
            Self::Public | Self::Plain(_) | Self::Whole([]) => "",
            Self::Whole(_) => " Of them, those who see the whole desk.",
            Self::Scoped(_) => " Each sees the own customers; a contractor's technician none.",
            Self::Maintained(_) => {
                " Each sees the own customers; a contractor's technician what the contractor maintains."
            }
        };
        format!("Roles: {}.{seen}", names.join(", "))
    }
}

/// A route as it was declared: method, path template below `/api/v1`, roles.
pub type Declared = (Method, String, Access);

/// The router of `/api/v1`.
pub struct ApiRouter {
    inner: OpenApiRouter<Arc<App>>,
    app: Arc<App>,
    declared: Vec<Declared>,
}

impl std::fmt::Debug for ApiRouter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiRouter").field("declared", &self.declared).finish_non_exhaustive()
    }
}

impl ApiRouter {
    pub(super) fn new(app: &Arc<App>, openapi: utoipa::openapi::OpenApi) -> Self {
        Self { inner: OpenApiRouter::with_openapi(openapi), app: Arc::clone(app), declared: Vec::new() }
    }

    /// Adds what `utoipa_axum::routes!(handler, …)` made (handlers of one path) for those whom
    /// `access` allows.
    #[must_use]
    pub fn route(mut self, access: Access, routes: UtoipaMethodRouter<Arc<App>>) -> Self {
        let (schemas, mut paths, methods) = routes;
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                self.declared.push((method, path.clone(), access));
                let more = access.describe();
                operation.description = Some(
                    operation.description.take().map_or_else(|| more.clone(), |d| format!("{d}\n\n{more}")),
                );
            }
        }
        let guarded = methods.layer(from_fn_with_state((Arc::clone(&self.app), access), guard));
        self.inner = self.inner.routes((schemas, paths, guarded));
        self
    }

    pub(super) fn into_parts(self) -> (OpenApiRouter<Arc<App>>, Vec<Declared>) {
        (self.inner, self.declared)
    }
}

fn operations(item: &mut utoipa::openapi::PathItem) -> Vec<(Method, &mut utoipa::openapi::path::Operation)> {
    let all = [
        (Method::GET, item.get.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?))).collect()
}

async fn guard(
    State((app, access)): State<(Arc<App>, Access)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if access == Access::Public {
        return Ok(next.run(request).await);
    }
    let caller = authenticate(&app, request.headers()).await?;
    if let Some(who) = request.extensions().get::<Who>() {
        who.is(&caller.user);
    }
    if let Some(gate) = request.extensions().get::<Arc<Gate>>() {
        gate.user(&caller.user)?;
    }
    if caller.via == Via::Session && !request.method().is_safe() {
        check_origin(request.headers())?;
        let secret = cookie_of(&app, request.headers()).unwrap_or_default();
        page_token::check(request.headers(), &secret)?;
    }
    if caller.via == Via::Screen && !is_for_screens(&request) {
        return Err(ApiError::forbidden("screen", "a screen reads the board, and nothing else"));
    }
    if caller.scope == TokenScope::Read && !request.method().is_safe() {
        return Err(ApiError::forbidden("token_scope", "this API token reads, and nothing else"));
    }
    if !access.allows(caller.role) {
        let detail = format!("the role {} may not do this", caller.role.name());
        return Err(ApiError::forbidden("forbidden", detail).with("role", caller.role.name()));
    }
    let scope = scopes::of(&app, &caller).await?;
    if !access.admits(&scope) {
        return Err(outside(&scope));
    }
    let withheld = Withheld::of(&app, &caller).await?;
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(scope);
    request.extensions_mut().insert(withheld.clone());
    let asked = Asked::of(&request);
    let answer = withheld.filter(next.run(request).await).await?;
    if withheld.0.is_some() {
        return Ok(answer);
    }
    contact_trail::note(&app, &caller, &asked, answer).await
}

/// Why a route is not for somebody who does not see everything.
fn outside(scope: &Scope) -> ApiError {
    if matches!(scope, Scope::Contractor(_)) {
        let detail =
            "a contractor's technician sees the faults and matters of what the contractor maintains alone";
        return ApiError::forbidden("contractor_scope", detail);
    }
    ApiError::forbidden("whole_desk", "this is about the whole desk, and for those who see all of it")
}

/// What a screen on the wall reads.
const SCREEN_PATHS: [&str; 3] = ["/board", "/events", "/session"];

/// A screen stays signed in where anyone may come to its keyboard.
fn is_for_screens(request: &Request) -> bool {
    let path = request.uri().path();
    let own = path.strip_prefix("/api/v1").unwrap_or(path);
    request.method().is_safe() && SCREEN_PATHS.contains(&own)
}

async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let bearer = headers.get(header::AUTHORIZATION).map(|value| {
        let text = value.to_str().unwrap_or("");
        text.split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map_or("", |(_, t)| t.trim())
    });
    let (via, secret) = match (bearer, cookie_of(app, headers)) {
        (Some(token), _) => (Via::Token, token.to_owned()),
        (None, Some(cookie)) => (Via::cookie(&cookie), cookie),
        (None, None) => return Err(ApiError::unauthenticated("sign in, or send an API token")),
    };
    let known = credential::caller(&app.db, via, &secret, app.now()).await?;
    known.ok_or_else(|| match via {
        Via::Token => ApiError::unauthenticated("the API token is not valid"),
        Via::Session | Via::Screen => ApiError::unauthenticated("the session has ended; sign in again"),
    })
}

/// With what a long answer was asked for: it goes on only while that lets the same person in.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    caller: Caller,
    scope: Scope,
    headers: HeaderMap,
}

impl Proof {
    pub(super) const fn new(caller: Caller, scope: Scope, headers: HeaderMap) -> Self {
        Self { caller, scope, headers }
    }

    /// Whether it still does. What cannot be looked up now is no reason to end.
    pub(super) async fn holds(&self, app: &App) -> bool {
        match authenticate(app, &self.headers).await {
            Ok(caller) if caller == self.caller => {
                scopes::of(app, &caller).await.map_or(true, |scope| scope == self.scope)
            }
            Ok(_) => false,
            Err(error) => error.status() != StatusCode::UNAUTHORIZED,
        }
    }
}

/// A browser sends the cookie by itself, also when another site makes it write: such a write has to
/// come from our own pages. Browsers say so in `Sec-Fetch-Site` or `Origin`.
///
/// # Errors
/// 403 `cross_site` when it does not, or nothing says so.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let own = match (text(header::HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST)
        }
        (None, None) => false,
    };
    if own {
        Ok(())
    } else {
        Err(ApiError::forbidden("cross_site", "a write by cookie must come from our own pages"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| ApiError::unauthenticated("sign in, or send an API token"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Scope {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| ApiError::unauthenticated("sign in, or send an API token"))
    }
}
