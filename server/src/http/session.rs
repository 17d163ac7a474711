//! `/session`: signing in, who is signed in, signing out.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter, check_origin};
use super::error::{ApiError, Problem};
use super::extract::Body;
use crate::app::{Action, App, audit, users};
use crate::auth::{Caller, Role, Via, credential};
use crate::db::Priority;
use crate::tls::Peer;

/// The cookie's name over plain HTTP.
pub const COOKIE: &str = "linewatch_session";
/// The cookie's name over HTTPS; browsers tie this prefix to the host.
pub const COOKIE_HOST: &str = "__Host-linewatch_session";

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::Public, utoipa_axum::routes!(sign_in))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(who))
        .route(Access::Public, utoipa_axum::routes!(sign_out))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(change_password))
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
}

impl From<Caller> for Session {
    fn from(caller: Caller) -> Self {
        let Caller { user, role, via, contractor } = caller;
        Self { name: user.clone(), user, role, screen: via == Via::Screen, contractor }
    }
}

/// Signs in; sets the session cookie, which lasts 12 hours; a year for a screen on the wall.
#[utoipa::path(post, path = "/session", tag = "session", request_body = SignIn, responses(
    (status = 200, body = Session),
    (status = 401, description = "name or password is wrong (`bad_credentials`)", body = Problem),
    (status = 429, description = "too many failures (`too_many_attempts`); see Retry-After", body = Problem),
))]
async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    Body { value: asked, .. }: Body<SignIn>,
) -> Result<Response, ApiError> {
    if headers.contains_key(header::ORIGIN) {
        check_origin(&headers)?;
    }
    let role = check_present(&app, &asked.user, peer, asked.password).await?;
    metrics::counter!("linewatch_sign_ins_total", "result" => "accepted").increment(1);
    let (user, now) = (asked.user.clone(), app.now());
    let (secret, via, action) = if asked.screen {
        (credential::start_screen(&app.db, &user, now).await?, Via::Screen, Action::ScreenSignedIn)
    } else {
        (credential::start_session(&app.db, &user, now).await?, Via::Session, Action::SignedIn)
    };
    app.db.write(Priority::Api, move |tx| audit(tx, now.0, &user, action, &user, None)).await?;
    let known = credential::caller(&app.db, Via::Session, &secret, now).await?;
    let contractor = known.and_then(|caller| caller.contractor);
    let mut cookie = cookie(&app, secret);
    if asked.screen {
        cookie.make_permanent();
    }
    let session = Session::from(Caller { user: asked.user, role, via, contractor });
    Ok((CookieJar::new().add(cookie), Json(session)).into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "session", responses((status = 200, body = Session)))]
async fn who(caller: Caller) -> Json<Session> {
    Json(Session::from(caller))
}

/// Signs out; the cookie is worthless from then on. Signing out twice is no error.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204)))]
async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let jar = CookieJar::from_headers(&headers);
    let Some(found) = jar.get(COOKIE_HOST).or_else(|| jar.get(COOKIE)) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    check_origin(&headers)?;
    credential::end_session(&app.db, found.value()).await?;
    let mut gone = cookie(&app, String::new());
    gone.make_removal();
    Ok((CookieJar::new().add(gone), StatusCode::NO_CONTENT).into_response())
}

/// One's own password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    /// The present one.
    #[schema(format = Password)]
    present: String,
    /// The new one, at least 10 characters.
    #[schema(format = Password)]
    new: String,
}

/// Changes one's own password, and signs out everywhere, here too.
#[utoipa::path(put, path = "/session/password", tag = "session", request_body = OwnPassword, responses(
    (status = 204),
    (status = 401, description = "the present password is wrong (`bad_credentials`)", body = Problem),
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

/// Whether the password is the user's; the tries that fail are counted.
async fn check_present(app: &App, user: &str, peer: Peer, password: String) -> Result<Role, ApiError> {
    let address = peer.address.ip();
    app.throttle.begin(user, address, app.clock.mono()).map_err(|wait_ms| {
        let detail = "too many failed sign-ins; wait before the next one";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail)
            .retry_after_s((wait_ms + 999) / 1000)
    })?;
    let Some(role) = users::check_password(&app.db, user, password, app.now()).await? else {
        metrics::counter!("linewatch_sign_ins_total", "result" => "refused").increment(1);
        let detail = "the name or the password is wrong";
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "bad_credentials", detail));
    };
    app.throttle.succeeded(user, address);
    Ok(role)
}

fn cookie(app: &App, value: String) -> Cookie<'static> {
    let secure = app.link_base.starts_with("https://");
    let mut cookie = Cookie::new(if secure { COOKIE_HOST } else { COOKIE }, value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_secure(secure);
    cookie
}
