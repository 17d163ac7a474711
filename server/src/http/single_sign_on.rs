//! Signing in by a provider of OpenID Connect, and connecting one's account with it. The page sends the browser there, and
//! hands over what it comes back with.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter, check_origin};
use super::account::person;
use super::error::{ApiError, Problem};
use super::extract::Body;
use super::refused::Who;
use super::second_factor::SecondStep;
use super::session::{
    Session, begin, check_present, cookie_of, kept_cookie, named_cookie, origin, slow_down,
};
use crate::app::identities::{self, Arrival};
use crate::app::second_factor::{self, Waiting};
use crate::app::{App, AppError};
use crate::auth::{Caller, Via, credential};
use crate::oidc::{Attempt, OidcError, Provider, Told};
use crate::tls::Peer;

/// The name of the cookie that a browser has while somebody is at the provider; `__Host-` before it over HTTPS.
const COOKIE: &str = "linewatch_attempt";

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::Public, utoipa_axum::routes!(ways))
        .route(Access::Public, utoipa_axum::routes!(start))
        .route(Access::Public, utoipa_axum::routes!(finish))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(connect))
        .route(Access::ADMIN, utoipa_axum::routes!(disconnect))
}

/// How people can sign in.
#[derive(Serialize, utoipa::ToSchema)]
struct Ways {
    /// By single sign-on, where the server knows a provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    single_sign_on: Option<Offer>,
}

/// A provider, as the page names it.
#[derive(Serialize, utoipa::ToSchema)]
struct Offer {
    /// What stands on the button, where the configuration says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

/// How people can sign in beside name and password.
#[utoipa::path(get, path = "/session/ways", tag = "session", responses((status = 200, body = Ways)))]
async fn ways(State(app): State<Arc<App>>) -> Json<Ways> {
    let offer = |provider: &Provider| Offer { label: provider.rules().label.clone() };
    Json(Ways { single_sign_on: app.single_sign_on.as_ref().map(offer) })
}

/// A sign-in at the provider.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Start {
    /// For a screen on the wall.
    screen: bool,
}

/// Where to go.
#[derive(Serialize, utoipa::ToSchema)]
struct Location {
    /// The provider's page.
    location: String,
}

/// Begins a sign-in by single sign-on; the browser goes to `location`, and comes back to `/signed-in` within ten minutes.
#[utoipa::path(post, path = "/session/single-sign-on", tag = "session", request_body = Start, responses(
    (status = 200, body = Location),
    (status = 404, description = "no provider is configured (`no_single_sign_on`)", body = Problem),
    (status = 502, description = "the provider cannot be asked (`provider_unusable`)", body = Problem),
))]
async fn start(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Body { value: asked, .. }: Body<Start>,
) -> Result<Response, ApiError> {
    check_origin(&headers)?;
    leave(&app, Attempt::new(asked.screen, None, app.now())?).await
}

/// One's password, once more.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Connect {
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// Begins to connect one's own account with one's identity at the provider.
#[utoipa::path(post, path = "/account/identity", tag = "account", request_body = Connect, responses(
    (status = 200, body = Location),
    (status = 401, description = "the password is wrong (`bad_credentials`)", body = Problem),
    (status = 404, description = "no provider is configured (`no_single_sign_on`)", body = Problem),
    (status = 502, description = "the provider cannot be asked (`provider_unusable`)", body = Problem),
))]
async fn connect(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body { value: asked, .. }: Body<Connect>,
) -> Result<Response, ApiError> {
    let caller = person(caller)?;
    check_present(&app, &caller.user, peer, asked.password).await?;
    leave(&app, Attempt::new(false, Some(caller.user), app.now())?).await
}

async fn leave(app: &App, attempt: Attempt) -> Result<Response, ApiError> {
    let location = provider(app)?.location(&attempt, app.clock.as_ref()).await;
    let location = location.map_err(|e| told_to_people(&e))?;
    let cookie = kept_cookie(app, COOKIE, attempt.seal(&app.secrets)?);
    let location = Location { location: location.into() };
    Ok((CookieJar::new().add(cookie), Json(location)).into_response())
}

/// What the browser came back with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Return {
    /// The provider's `code`.
    code: String,
    /// The provider's `state`.
    state: String,
    /// The provider's `iss`, where it says one.
    #[serde(default)]
    iss: Option<String>,
}

/// Ends a sign-in by single sign-on. Nothing in the answer where an account was connected.
#[utoipa::path(post, path = "/session/single-sign-on/return", tag = "session", request_body = Return, responses(
    (status = 200, body = Session),
    (status = 202, description = "the second factor is asked for: `POST /session/second-factor`", body = SecondStep),
    (status = 204, description = "the account is connected"),
    (status = 401, description = "the code proves nothing (`bad_identity`), or too much time went by (`sign_in_over`)",
        body = Problem),
    (status = 403, description = "it is nobody who may come in (`identity_…`)", body = Problem),
    (status = 429, description = "too many failures (`too_many_attempts`); see Retry-After", body = Problem),
    (status = 502, description = "the provider cannot be asked (`provider_unusable`)", body = Problem),
))]
async fn finish(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Body { value: asked, .. }: Body<Return>,
) -> Result<Response, ApiError> {
    check_origin(&headers)?;
    let (app, now) = (app.as_ref(), app.now());
    let provider = provider(app)?;
    let kept =
        CookieJar::from_headers(&headers).get(&named_cookie(app, COOKIE)).map(|c| c.value().to_owned());
    let attempt = kept.and_then(|kept| Attempt::open(&app.secrets, &kept, &asked.state, now));
    let attempt = attempt.ok_or(AppError::SignInOver)?;
    // Nobody has said a name yet, and many people may come from one address.
    let slowed = slow_down(app, &attempt.id(), "attempt", peer)?;
    let code = (asked.code.as_str(), asked.iss.as_deref());
    let told = match provider.redeem(&attempt, code, app.clock.as_ref()).await {
        Err(error @ OidcError::Unusable(_)) => {
            slowed.over(app);
            return Err(told_to_people(&error));
        }
        told => told.map_err(|e| told_to_people(&e))?,
    };
    let answer = match &attempt.links {
        Some(user) => {
            who.is(user);
            connected(app, &headers, user, &told).await
        }
        None => arrived(app, (provider, told, attempt.screen), &who, peer, &headers).await,
    }?;
    slowed.over(app);
    let mut gone = kept_cookie(app, COOKIE, String::new());
    gone.make_removal();
    // Both cookies are set by the answer: this one is taken away, the session's stays.
    Ok((CookieJar::new().add(gone), answer).into_response())
}

/// Connects the account of who is signed in in this browser, and nobody else's.
async fn connected(app: &App, headers: &HeaderMap, user: &str, told: &Told) -> Result<Response, ApiError> {
    let secret = cookie_of(app, headers).unwrap_or_default();
    let caller = credential::caller(&app.db, Via::Session, &secret, app.now()).await?;
    if caller.is_none_or(|caller| caller.user != user) {
        return Err(AppError::SignInOver.into());
    }
    identities::link(&app.db, (&told.issuer, &told.subject), user, user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn arrived(
    app: &App,
    (provider, told, screen): (&Provider, Told, bool),
    who: &Who,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let (now, has_factor) = (app.now(), told.has_factor);
    let (user, role) = match identities::arrive(&app.db, told, provider.rules(), now).await? {
        Arrival::As(user, role) => (user, role),
        Arrival::Refused { code, detail, user } => {
            if let Some(user) = user {
                who.is(&user);
            }
            // Who it is was proved: that is no failed try.
            return Ok(ApiError::forbidden(code, detail).into_response());
        }
    };
    who.is(&user);
    if !has_factor {
        let proved = (user.as_str(), role, screen);
        let waiting = second_factor::ask(&app.db, &app.secrets, &app.settings.auth, proved, now).await?;
        if let Some(Waiting { secret, setup }) = waiting {
            return Ok((StatusCode::ACCEPTED, Json(SecondStep { pending: secret, setup })).into_response());
        }
    }
    begin(app, &user, screen, origin(peer, headers), None).await
}

/// Takes a user's identity at the provider away, and signs the user out; with a password the user still gets in.
#[utoipa::path(delete, path = "/users/{name}/identity", tag = "users", params(("name" = String, Path)),
    responses((status = 204), (status = 422, description = "the user has none (`refused`)", body = Problem)))]
async fn disconnect(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    identities::unlink(&app.db, &name, &caller.user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn provider(app: &App) -> Result<&Provider, ApiError> {
    let none = || ApiError::not_found("no_single_sign_on", "this server has no [auth.oidc]".to_owned());
    app.single_sign_on.as_ref().ok_or_else(none)
}

/// What an operator has to mend is in the log with its reason; people are told whom to ask.
fn told_to_people(error: &OidcError) -> ApiError {
    tracing::warn!(%error, "a sign-in by single sign-on failed");
    metrics::counter!("linewatch_sign_ins_total", "result" => "refused").increment(1);
    match error {
        OidcError::Unusable(_) => {
            let detail = "the provider of single sign-on gives no usable answer; the server's log says why";
            ApiError::new(StatusCode::BAD_GATEWAY, "provider_unusable", detail)
        }
        OidcError::Unproved(_) => ApiError::new(StatusCode::UNAUTHORIZED, "bad_identity", error.to_string()),
    }
}
