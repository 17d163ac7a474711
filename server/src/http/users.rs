//! Users, for administrators. Passwords and tokens are in no kept answer: these calls take no `Idempotency-Key`, and
//! said twice they do no harm.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::account::{ApiTokens, TokenAnswer, TokenBody};
use super::error::ApiError;
use super::extract::Body;
use crate::app::users::{self, User};
use crate::app::{App, second_factor, sessions, tokens};
use crate::auth::{Caller, Role};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ADMIN, utoipa_axum::routes!(list))
        .route(Access::ADMIN, utoipa_axum::routes!(add))
        .route(Access::ADMIN, utoipa_axum::routes!(give_role))
        .route(Access::ADMIN, utoipa_axum::routes!(reset))
        .route(Access::ADMIN, utoipa_axum::routes!(disable))
        .route(Access::ADMIN, utoipa_axum::routes!(sign_out))
        .route(Access::ADMIN, utoipa_axum::routes!(reset_second_factor))
        .route(Access::ADMIN, utoipa_axum::routes!(list_tokens, make_token))
        .route(Access::ADMIN, utoipa_axum::routes!(revoke_token))
}

/// Every user.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Users {
    /// By name.
    items: Vec<User>,
}

/// Every user, by name.
#[utoipa::path(get, path = "/users", tag = "people", responses((status = 200, body = Users)))]
async fn list(State(app): State<Arc<App>>) -> Result<Json<Users>, ApiError> {
    Ok(Json(Users { items: users::list(&app.db, app.now()).await? }))
}

/// A user to add.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// The name to sign in with: 1 to 64 letters, digits or . - _ @
    name: String,
    /// The role.
    role: Role,
    /// The first password, at least 12 characters; it is theirs to change.
    #[schema(format = Password)]
    password: String,
    /// The contractor's code, of one's technician.
    contractor: Option<String>,
}

/// Adds a user.
#[utoipa::path(post, path = "/users", tag = "people", request_body = NewUser,
    responses((status = 201, body = User)))]
async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    body: Body<NewUser>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let NewUser { name, role, password, contractor } = body.value;
    let now = app.now();
    users::add_of(&app.db, &name, (role, contractor), &password, (&caller.user, now)).await?;
    Ok((StatusCode::CREATED, Json(users::one(&app.db, &name, now).await?)))
}

/// A role.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleBody {
    /// From now on.
    role: Role,
}

/// Gives a user another role, and signs them out everywhere. Nobody changes their own.
#[utoipa::path(put, path = "/users/{name}/role", tag = "people", params(("name" = String, Path)),
    request_body = RoleBody, responses((status = 200, body = User)))]
async fn give_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Body<RoleBody>,
) -> Result<Json<User>, ApiError> {
    let now = app.now();
    users::give_role(&app.db, &name, body.value.role, &caller.user, now).await?;
    Ok(Json(users::one(&app.db, &name, now).await?))
}

/// A password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    /// At least 10 characters.
    #[schema(format = Password)]
    password: String,
}

/// Gives a user a new password, lets a disabled one in again, and signs them out everywhere.
#[utoipa::path(put, path = "/users/{name}/password", tag = "people", params(("name" = String, Path)),
    request_body = PasswordBody, responses((status = 204)))]
async fn reset(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Body<PasswordBody>,
) -> Result<StatusCode, ApiError> {
    users::reset(&app.db, &name, &body.value.password, &caller.user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a user's access: no more sign-ins, sessions and tokens gone. A new password lets them in again. Nobody ends
/// their own.
#[utoipa::path(post, path = "/users/{name}/disable", tag = "people", params(("name" = String, Path)),
    responses((status = 204)))]
async fn disable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    users::disable(&app.db, &name, &caller.user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs a user out everywhere; API tokens stay.
#[utoipa::path(delete, path = "/users/{name}/sessions", tag = "people", params(("name" = String, Path)),
    responses((status = 204)))]
async fn sign_out(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    sessions::end_all(&app.db, &name, &caller.user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user's second factor away, for somebody who lost it, and signs them out everywhere.
#[utoipa::path(delete, path = "/users/{name}/second-factor", tag = "people", params(("name" = String, Path)),
    responses((status = 204)))]
async fn reset_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    second_factor::reset(&app.db, &name, &caller.user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user's API tokens that are valid, the last made first.
#[utoipa::path(get, path = "/users/{name}/tokens", tag = "people", params(("name" = String, Path)),
    responses((status = 200, body = ApiTokens)))]
async fn list_tokens(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<ApiTokens>, ApiError> {
    Ok(Json(ApiTokens { items: tokens::list(&app.db, &name, app.now()).await? }))
}

/// Makes an API token with the user's role; it is shown only this once.
#[utoipa::path(post, path = "/users/{name}/tokens", tag = "people", params(("name" = String, Path)),
    request_body = Option<TokenBody>, responses((status = 201, body = TokenAnswer)))]
async fn make_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Option<Body<TokenBody>>,
) -> Result<(StatusCode, Json<TokenAnswer>), ApiError> {
    let new = body.map(|body| body.value).unwrap_or_default().into();
    let token = tokens::make(&app.db, &name, new, &caller.user, app.now()).await?;
    Ok((StatusCode::CREATED, Json(TokenAnswer { token })))
}

/// Revokes one of a user's API tokens.
#[utoipa::path(delete, path = "/users/{name}/tokens/{id}", tag = "people",
    params(("name" = String, Path), ("id" = String, Path)), responses((status = 204)))]
async fn revoke_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    tokens::revoke(&app.db, &name, &id, &caller.user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
