//! `/account`: what people see and change of their own access. Programs do not: their tokens change no access.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use linewatch_shared::time::DAY_MS;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::error::{ApiError, Problem};
use super::extract::Body;
use super::session::{check_present, signed_out};
use crate::app::App;
use crate::app::sessions::{self, OwnSession};
use crate::app::tokens::{self, ApiToken, NewToken};
use crate::auth::{Caller, TokenScope, Via};
use crate::tls::Peer;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(list_sessions, end_sessions))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(end_session))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(list_tokens, make_token))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(revoke_token))
}

/// The caller, when it is a person before a browser.
///
/// # Errors
/// 403 `session_only` otherwise.
pub(super) fn person(caller: Caller) -> Result<Caller, ApiError> {
    if caller.via == Via::Session {
        return Ok(caller);
    }
    Err(ApiError::forbidden("session_only", "people do this themselves, signed in with a browser"))
}

/// One's own sessions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OwnSessions {
    /// The last begun first.
    items: Vec<OwnSession>,
}

/// One's own sessions, the last begun first.
#[utoipa::path(get, path = "/account/sessions", tag = "account", responses((status = 200, body = OwnSessions)))]
async fn list_sessions(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<OwnSessions>, ApiError> {
    let caller = person(caller)?;
    Ok(Json(OwnSessions { items: sessions::list(&app.db, &caller, app.now()).await? }))
}

/// Signs out everywhere: here, elsewhere, and on screens on the wall. API tokens stay.
#[utoipa::path(delete, path = "/account/sessions", tag = "account", responses((status = 204)))]
async fn end_sessions(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, ApiError> {
    let caller = person(caller)?;
    sessions::end_all(&app.db, &caller.user, &caller.user, app.now()).await?;
    Ok(signed_out(&app))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/account/sessions/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204)))]
async fn end_session(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let caller = person(caller)?;
    sessions::end_one(&app.db, &caller.user, &id, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// API tokens.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ApiTokens {
    /// The last made first.
    pub(super) items: Vec<ApiToken>,
}

/// One's own API tokens that are valid, the last made first.
#[utoipa::path(get, path = "/account/tokens", tag = "account", responses((status = 200, body = ApiTokens)))]
async fn list_tokens(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<ApiTokens>, ApiError> {
    let caller = person(caller)?;
    Ok(Json(ApiTokens { items: tokens::list(&app.db, &caller.user, app.now()).await? }))
}

/// A token to make.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TokenBody {
    /// What it is for.
    label: String,
    /// `read` or `write`; writing where nothing is said.
    scope: TokenScope,
    /// For how many days, at most 366; 90 where nothing is said.
    days: Option<u16>,
}

impl From<TokenBody> for NewToken {
    fn from(body: TokenBody) -> Self {
        Self {
            label: body.label,
            scope: body.scope,
            lasts_ms: body.days.map(|days| i64::from(days) * DAY_MS),
        }
    }
}

/// A token of one's own.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnTokenBody {
    /// One's password, once more.
    #[schema(format = Password)]
    password: String,
    /// What it is for.
    #[serde(default)]
    label: String,
    /// `read` or `write`; writing where nothing is said.
    #[serde(default)]
    scope: TokenScope,
    /// For how many days, at most 366; 90 where nothing is said.
    days: Option<u16>,
}

/// An API token.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TokenAnswer {
    /// Shown only this once.
    pub(super) token: String,
}

/// Makes an API token of one's own; it is shown only this once.
#[utoipa::path(post, path = "/account/tokens", tag = "account", request_body = OwnTokenBody, responses(
    (status = 201, body = TokenAnswer),
    (status = 401, description = "the password is wrong (`bad_credentials`)", body = Problem),
))]
async fn make_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body { value: asked, .. }: Body<OwnTokenBody>,
) -> Result<(StatusCode, Json<TokenAnswer>), ApiError> {
    let caller = person(caller)?;
    let OwnTokenBody { password, label, scope, days } = asked;
    check_present(&app, &caller.user, peer, password).await?;
    let new = TokenBody { label, scope, days }.into();
    let token = tokens::make(&app.db, &caller.user, new, &caller.user, app.now()).await?;
    Ok((StatusCode::CREATED, Json(TokenAnswer { token })))
}

/// Revokes one of one's own API tokens.
#[utoipa::path(delete, path = "/account/tokens/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204)))]
async fn revoke_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let caller = person(caller)?;
    tokens::revoke(&app.db, &caller.user, &id, &caller.user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
