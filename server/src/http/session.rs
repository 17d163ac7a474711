//! `/session`: signing in, who is signed in, signing out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter, check_origin};
use super::error::{ApiError, Problem};
use super::extract::Body;
use super::page_token;
use super::refused::Who;
use super::second_factor::SecondStep;
use crate::app::second_factor::{self, Waiting};
use crate::app::{Action, App, audit, sessions, users};
use crate::auth::credential::{Origin, start_screen, start_session};
use crate::auth::{Caller, Role, Via, credential};
use crate::db::Priority;
use crate::tls::Peer;

/// The cookie's name; `__Host-` before it over HTTPS.
pub const COOKIE: &str = "linewatch_session";

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::Public, utoipa_axum::routes!(sign_in))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(who))
        .route(Access::Public, utoipa_axum::routes!(sign_out))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(change_password))
}

/// Name and password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user's name.
    user: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
    /// For a screen on the wall: signed in for a year, and reads the board alone.
    #[serde(default)]
    screen: bool,
}

/// Who is signed in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Session {
    /// The name to sign in with.
    user: String,
    /// The name to show.
    name: String,
    /// The role.
    role: Role,
    /// Whether it is a screen on the wall, which reads the board alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    screen: bool,
    /// The contractor, of one's technician.
    #[serde(skip_serializing_if = "Option::is_none")]
    contractor: Option<String>,
    /// Of a second factor that was set up just now: shown only this once, each good once.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<String>>,
    /// What the page says in `X-Linewatch-Token` with each write by this session's cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<Caller> for Session {
    fn from(caller: Caller) -> Self {
        let Caller { user, role, via, contractor, .. } = caller;
        Self {
            name: user.clone(),
            user,
            role,
            screen: via == Via::Screen,
            contractor,
            recovery_codes: None,
            token: None,
        }
    }
}

/// Signs in; sets the session cookie, which is new each time. It lasts 12 hours, and 2 without anything asked, where
/// `[auth]` says nothing else; a year for a screen on the wall.
#[utoipa::path(post, path = "/session", tag = "session", request_body = SignIn, responses(
    (status = 200, body = Session),
    (status = 202, description = "the second factor is asked for: `POST /session/second-factor`", body = SecondStep),
    (status = 401, description = "name or password is wrong (`bad_credentials`)", body = Problem),
    (status = 429, description = "too many failures (`too_many_attempts`); see Retry-After", body = Problem),
))]
async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Body { value: asked, .. }: Body<SignIn>,
) -> Result<Response, ApiError> {
    if headers.contains_key(header::ORIGIN) {
        check_origin(&headers)?;
    }
    let checked = check_present(&app, &asked.user, peer, asked.password).await;
    // The trail names users alone: what else was typed as a name may be a password.
    if checked.is_err() && users::exists(&app.db, &asked.user).await? {
        who.is(&asked.user);
    }
    let who = (asked.user.as_str(), checked?, asked.screen);
    let app = app.as_ref();
    let waiting = second_factor::ask(&app.db, &app.secrets, &app.settings.auth, who, app.now()).await?;
    if let Some(Waiting { secret, setup }) = waiting {
        return Ok((StatusCode::ACCEPTED, Json(SecondStep { pending: secret, setup })).into_response());
    }
    begin(app, &asked.user, asked.screen, origin(peer, &headers), None).await
}

/// Begins a session for somebody who has proved who it is; the one that the browser had is not gone on with.
pub(super) async fn begin(
    app: &App,
    user: &str,
    screen: bool,
    from: Origin,
    recovery_codes: Option<Vec<String>>,
) -> Result<Response, ApiError> {
    metrics::counter!("linewatch_sign_ins_total", "result" => "accepted").increment(1);
    let now = app.now();
    let detail = serde_json::json!({ "address": from.address });
    let (secret, via, action) = if screen {
        (start_screen(&app.db, user, from, now).await?, Via::Screen, Action::ScreenSignedIn)
    } else {
        let lasting = app.settings.auth.lasting;
        (start_session(&app.db, user, lasting, from, now).await?, Via::Session, Action::SignedIn)
    };
    let name = user.to_owned();
    app.db.write(Priority::Api, move |tx| audit(tx, now.0, &name, action, &name, Some(&detail))).await?;
    let caller = credential::caller(&app.db, via, &secret, now).await?;
    let caller = caller.ok_or_else(|| ApiError::unauthenticated("the session has ended; sign in again"))?;
    let token = (via == Via::Session).then(|| page_token::of_session(&secret));
    let mut cookie = kept_cookie(app, COOKIE, secret);
    if screen {
        cookie.make_permanent();
    }
    Ok((CookieJar::new().add(cookie), Json(Session { recovery_codes, token, ..Session::from(caller) }))
        .into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "session", responses((status = 200, body = Session)))]
async fn who(State(app): State<Arc<App>>, caller: Caller, headers: HeaderMap) -> Json<Session> {
    let secret = if caller.via == Via::Session { cookie_of(&app, &headers) } else { None };
    let token = secret.as_deref().map(page_token::of_session);
    Json(Session { token, ..Session::from(caller) })
}

/// Signs out; the cookie is worthless from then on. Signing out twice is no error.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204)))]
async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let Some(secret) = cookie_of(&app, &headers) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    check_origin(&headers)?;
    sessions::sign_out(&app.db, &secret, app.now()).await?;
    Ok(signed_out(&app))
}

/// The answer that takes the cookie away.
pub(super) fn signed_out(app: &App) -> Response {
    let mut gone = kept_cookie(app, COOKIE, String::new());
    gone.make_removal();
    (CookieJar::new().add(gone), StatusCode::NO_CONTENT).into_response()
}

/// One's own password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    /// The present one.
    #[schema(format = Password)]
    present: String,
    /// The new one, at least 12 characters.
    #[schema(format = Password)]
    new: String,
}

/// Changes one's own password, and signs out everywhere, here too.
#[utoipa::path(put, path = "/session/password", tag = "session", request_body = OwnPassword, responses(
    (status = 204),
    (status = 401, description = "the present password is wrong (`bad_credentials`)", body = Problem),
    (status = 422, description = "the new one is not good enough (`weak_password`, with a `reason`)", body = Problem),
))]
async fn change_password(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body { value: asked, .. }: Body<OwnPassword>,
) -> Result<StatusCode, ApiError> {
    let user = caller.user;
    check_present(&app, &user, peer, asked.present).await?;
    users::reset(&app.db, &user, &asked.new, &user, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether the password is the user's; the tries that fail are counted before anything is hashed.
pub(super) async fn check_present(
    app: &App,
    user: &str,
    peer: Peer,
    password: String,
) -> Result<Role, ApiError> {
    let slowed = slow_down(app, user, "password", peer)?;
    let Some(role) = users::check_password(&app.db, user, password, app.now()).await? else {
        metrics::counter!("linewatch_sign_ins_total", "result" => "refused").increment(1);
        let detail = "the name or the password is wrong";
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "bad_credentials", detail));
    };
    slowed.over(app);
    Ok(role)
}

/// A try that counts as failed until it is over.
pub(super) struct Slowed {
    account: String,
    address: IpAddr,
}

impl Slowed {
    /// It did not fail.
    pub(super) fn over(self, app: &App) {
        app.throttle.succeeded(&self.account, self.address);
    }
}

/// Counts a try to prove who one is, before anything else is done about it.
pub(super) fn slow_down(app: &App, user: &str, proof: &str, peer: Peer) -> Result<Slowed, ApiError> {
    // No name has a space.
    let (account, address) = (format!("{user} {proof}"), peer.address.ip());
    app.throttle.begin(&account, address, app.clock.mono()).map_err(|wait_ms| {
        let detail = "too many failed sign-ins; wait before the next one";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail)
            .retry_after_s((wait_ms + 999) / 1000)
    })?;
    Ok(Slowed { account, address })
}

/// Where a request comes from, as the user of its session is shown it.
pub(super) fn origin(peer: Peer, headers: &HeaderMap) -> Origin {
    let browser = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    Origin::new(peer.address.ip(), browser)
}

/// Whether browsers reach this server over HTTPS.
fn is_secure(app: &App) -> bool {
    app.link_base.starts_with("https://")
}

/// The session's secret that a browser sent: over HTTPS only under the name that no other host can set.
pub(super) fn cookie_of(app: &App, headers: &HeaderMap) -> Option<String> {
    CookieJar::from_headers(headers).get(&named_cookie(app, COOKIE)).map(|cookie| cookie.value().to_owned())
}

/// What a cookie is called here: over HTTPS browsers tie the prefix to the host.
pub(super) fn named_cookie(app: &App, name: &str) -> String {
    if is_secure(app) { format!("__Host-{name}") } else { name.to_owned() }
}

/// A cookie that only this server is sent, and no script reads.
pub(super) fn kept_cookie(app: &App, name: &str, value: String) -> Cookie<'static> {
    let mut cookie = Cookie::new(named_cookie(app, name), value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_secure(is_secure(app));
    cookie
}
