//! Signing in, offline too, by the check that came with the pull.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use linewatch_shared::wire::Person;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Problem;
use super::extract::Body;
use super::guard::{COOKIE, cookie};
use super::sessions::User;
use super::state::Local;
use crate::field::people::is_password;
use crate::scope;

/// What a name and password may be, in bytes.
const NAME_BYTES_MAX: usize = 256;

#[derive(Serialize)]
struct Device {
    name: Option<String>,
    enrolled: bool,
    locked: bool,
    version: &'static str,
}

/// `GET /api/session`
pub async fn show(
    State(local): State<Arc<Local>>,
    user: Option<Extension<User>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let locked = local.is_locked().await?;
    let identity = local.identity();
    let people = if locked { Vec::new() } else { people(&local).await? };
    let names: Vec<String> = people.into_iter().map(|person| person.name).collect();
    let session =
        cookie(&headers).and_then(|secret| local.sessions.find(secret, local.scribe.reading().mono));
    let device = Device {
        enrolled: identity.is_some(),
        name: identity.map(|identity| identity.name),
        locked,
        version: env!("CARGO_PKG_VERSION"),
    };
    let token = session.map(|session| session.token);
    let body = json!({
        "device": device,
        "people": names,
        "user": user.map(|Extension(user)| user),
        "token": token,
        "now": local.now().await?.to_rfc3339(),
    });
    Ok(Json(body).into_response())
}

async fn people(local: &Local) -> Result<Vec<Person>, Problem> {
    Ok(local.journal.read(scope::people).await?)
}

/// Who signs in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    user: String,
    password: String,
}

/// `POST /api/session`
pub async fn sign_in(
    State(local): State<Arc<Local>>,
    Body(asked): Body<SignIn>,
) -> Result<Response, Problem> {
    if local.is_locked().await? {
        let detail = "this device was locked by the desk; call the desk";
        return Err(Problem::new(StatusCode::FORBIDDEN, "locked", detail));
    }
    let wrong =
        || Problem::new(StatusCode::UNAUTHORIZED, "wrong_password", "the name or the password is wrong");
    if asked.user.len() > NAME_BYTES_MAX {
        return Err(wrong());
    }
    let people = people(&local).await?;
    let Some(identity) = local.identity().filter(|_| !people.is_empty()) else {
        let detail = "nobody may sign in on this device yet: it has to reach the server once after the desk said who may";
        return Err(Problem::new(StatusCode::CONFLICT, "nobody_yet", detail));
    };
    // One at a time: each takes memory and a core for a while.
    let _turn = local.signing_in.lock().await;
    let now = local.scribe.reading().mono;
    if let Some(wait_ms) = local.sessions.must_wait(&asked.user, now) {
        let seconds = wait_ms.div_euclid(1_000) + 1;
        let detail = format!("too many wrong passwords: try again in {seconds} s");
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", detail);
        return Err(problem.with("retry_after_s", seconds));
    }
    local.sessions.try_begins(&asked.user, now);
    // A name that is not known takes as long as one that is.
    let known = people.iter().find(|person| person.name == asked.user).or(people.first()).cloned();
    let Some(person) = known else { return Err(wrong()) };
    let is_known = person.name == asked.user;
    let (agent, password, checked) = (identity.agent_id, asked.password, person.clone());
    let fits = tokio::task::spawn_blocking(move || is_password(&checked, agent, &password)).await;
    if !(is_known && fits.unwrap_or(false)) {
        return Err(wrong());
    }
    let user = User { name: person.name, role: person.role };
    let begun = local.sessions.begin(user, now);
    let (secret, session) = begun.map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "random", format!("no random numbers: {error}"))
    })?;
    tracing::info!("somebody signed in on the local page");
    let cookie = format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict");
    let body = json!({ "user": session.user, "token": session.token });
    Ok(([(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

/// `DELETE /api/session`
pub async fn sign_out(State(local): State<Arc<Local>>, headers: HeaderMap) -> Response {
    if let Some(secret) = cookie(&headers) {
        local.sessions.end(secret);
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    ([(header::SET_COOKIE, gone)], StatusCode::NO_CONTENT).into_response()
}
