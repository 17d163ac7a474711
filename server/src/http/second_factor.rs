//! The second factor: at sign-in, and as people set it up.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Json};
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter, check_origin};
use super::account::person;
use super::error::{ApiError, Problem};
use super::extract::Body;
use super::refused::Who;
use super::session::{begin, check_present, origin, slow_down};
use crate::app::second_factor::{self, FactorSetup, FactorState};
use crate::app::{App, identities};
use crate::auth::{Caller, Role};
use crate::tls::Peer;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::Public, utoipa_axum::routes!(prove))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(account))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(set_up))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(confirm))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(turn_off))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(renew_codes))
}

/// What is asked for after a right password.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SecondStep {
    /// To be sent back with the code, within five minutes.
    pub(super) pending: String,
    /// Of somebody who has to have a second factor and has none: what to set an app up with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) setup: Option<FactorSetup>,
}

/// The second proof.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SecondProof {
    /// What the password was answered with.
    pending: String,
    /// The app's code, or a recovery code.
    code: String,
}

/// Signs in by the second proof, after a right password. The answer has the recovery codes of a factor that was set up by
/// it.
#[utoipa::path(post, path = "/session/second-factor", tag = "session", request_body = SecondProof, responses(
    (status = 200, body = super::session::Session),
    (status = 401, description = "the code is wrong or was used (`bad_second_factor`), or too much time went by (`sign_in_over`)",
        body = Problem),
    (status = 429, description = "too many failures (`too_many_attempts`); see Retry-After", body = Problem),
))]
async fn prove(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Body { value: asked, .. }: Body<SecondProof>,
) -> Result<Response, ApiError> {
    if headers.contains_key(header::ORIGIN) {
        check_origin(&headers)?;
    }
    let now = app.now();
    let pending = second_factor::try_once(&app.db, &asked.pending, now).await?;
    let user = pending.user.clone();
    who.is(&user);
    let slowed = slow_down(&app, &user, "code", peer)?;
    let proved =
        second_factor::prove(&app.db, &app.secrets, (&asked.pending, pending), &asked.code, now).await;
    let proved = proved?;
    slowed.over(&app);
    begin(&app, &proved.user, proved.screen, origin(peer, &headers), proved.recovery_codes).await
}

/// One's own access.
#[derive(Serialize, utoipa::ToSchema)]
struct Account {
    /// The name to sign in with.
    user: String,
    /// The role.
    role: Role,
    /// The second factor.
    second_factor: FactorState,
    /// Single sign-on, where the server knows a provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    single_sign_on: Option<OwnIdentity>,
}

/// One's identity at the provider.
#[derive(Serialize, utoipa::ToSchema)]
struct OwnIdentity {
    /// Since when it is connected, RFC 3339; absent where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    connected_at: Option<String>,
}

/// One's own access: who one is, and how it is proved.
#[utoipa::path(get, path = "/account", tag = "account", responses((status = 200, body = Account)))]
async fn account(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Account>, ApiError> {
    let Caller { user, role, .. } = person(caller)?;
    let second_factor = second_factor::state(&app.db, &app.settings.auth, &user, role).await?;
    let single_sign_on = match &app.single_sign_on {
        Some(provider) => {
            let at = identities::linked_at(&app.db, &provider.rules().issuer, &user).await?;
            Some(OwnIdentity { connected_at: at.map(UnixMs::to_rfc3339) })
        }
        None => None,
    };
    Ok(Json(Account { user, role, second_factor, single_sign_on }))
}

/// One's password, once more.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordAgain {
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// Begins to set up a second factor: it is in force once it was confirmed by a code.
#[utoipa::path(post, path = "/account/second-factor", tag = "account", request_body = PasswordAgain, responses(
    (status = 201, body = FactorSetup),
    (status = 401, description = "the password is wrong (`bad_credentials`)", body = Problem),
))]
async fn set_up(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body { value: asked, .. }: Body<PasswordAgain>,
) -> Result<(StatusCode, Json<FactorSetup>), ApiError> {
    let caller = person(caller)?;
    check_present(&app, &caller.user, peer, asked.password).await?;
    Ok((StatusCode::CREATED, Json(second_factor::begin(&app.db, &app.secrets, &caller.user).await?)))
}

/// A code.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct CodeBody {
    /// The app's.
    code: String,
}

/// Codes for whoever lost the app.
#[derive(Serialize, utoipa::ToSchema)]
struct RecoveryCodes {
    /// Shown only this once; each is good once.
    recovery_codes: Vec<String>,
}

/// Puts a second factor in force by its first code.
#[utoipa::path(post, path = "/account/second-factor/confirm", tag = "account", request_body = CodeBody, responses(
    (status = 200, body = RecoveryCodes),
    (status = 401, description = "the code is wrong (`bad_second_factor`)", body = Problem),
))]
async fn confirm(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body { value: asked, .. }: Body<CodeBody>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let user = person(caller)?.user;
    let slowed = slow_down(&app, &user, "code", peer)?;
    let made = second_factor::confirm(&app.db, &app.secrets, &user, &asked.code, app.now()).await;
    let recovery_codes = made?;
    slowed.over(&app);
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Both proofs, once more.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct BothProofs {
    /// The password.
    #[schema(format = Password)]
    password: String,
    /// The app's code.
    code: String,
}

/// Turns one's second factor off; by a recovery code too. Refused where it is required.
#[utoipa::path(post, path = "/account/second-factor/off", tag = "account", request_body = BothProofs, responses(
    (status = 204),
    (status = 401, description = "the password is wrong (`bad_credentials`), or the code (`bad_second_factor`)", body = Problem),
))]
async fn turn_off(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body { value: asked, .. }: Body<BothProofs>,
) -> Result<StatusCode, ApiError> {
    let Caller { user, role, .. } = person(caller)?;
    check_present(&app, &user, peer, asked.password).await?;
    let slowed = slow_down(&app, &user, "code", peer)?;
    let auth = &app.settings.auth;
    let off =
        second_factor::turn_off(&app.db, &app.secrets, auth, (&user, role), &asked.code, app.now()).await;
    off?;
    slowed.over(&app);
    Ok(StatusCode::NO_CONTENT)
}

/// Makes new recovery codes; the former ones are worthless.
#[utoipa::path(post, path = "/account/recovery-codes", tag = "account", request_body = BothProofs, responses(
    (status = 200, body = RecoveryCodes),
    (status = 401, description = "the password is wrong (`bad_credentials`), or the code (`bad_second_factor`)", body = Problem),
))]
async fn renew_codes(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body { value: asked, .. }: Body<BothProofs>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let user = person(caller)?.user;
    check_present(&app, &user, peer, asked.password).await?;
    let slowed = slow_down(&app, &user, "code", peer)?;
    let made = second_factor::renew_codes(&app.db, &app.secrets, &user, &asked.code, app.now()).await;
    let recovery_codes = made?;
    slowed.over(&app);
    Ok(Json(RecoveryCodes { recovery_codes }))
}
