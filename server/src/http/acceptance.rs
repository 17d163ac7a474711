//! Acceptance of new lines and sites.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::access::ApiRouter;
use super::error::ApiError;
use super::extract::Body;
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::matters::WRITERS;
use super::new_matter_step::text;
use super::sites::site_id;
use crate::app::App;
use crate::app::matters::acceptance::{NewAcceptance, Thing, open};
use crate::app::matters::view::{self, MatterDetail};
use crate::app::scopes::{sees_line, sees_site};
use crate::auth::Caller;
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(WRITERS, utoipa_axum::routes!(of_line)).route(WRITERS, utoipa_axum::routes!(of_site))
}

/// Something new that is handed over.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptanceBody {
    /// Which `[[acceptance]]` of the pack, where there are several.
    name: Option<String>,
    /// When it was handed over, RFC 3339; now where it is left out. The time for its acceptance is counted from then on.
    handed_over_at: Option<String>,
    /// Who answers for it; the customer's account manager where it is left out.
    #[serde(default)]
    owner: String,
}

/// Hands a new line over: a visit is owed, on which both sides sign.
#[utoipa::path(post, path = "/lines/{code}/acceptance", tag = "lines", params(("code" = String, Path)),
    request_body = AcceptanceBody, responses((status = 201, body = MatterDetail)))]
async fn of_line(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    Path(code): Path<String>,
    body: Body<AcceptanceBody>,
) -> Result<Answer, ApiError> {
    hand_over(app, (caller, scope), key, Thing::Line(code), body).await
}

/// The same of a site.
#[utoipa::path(post, path = "/sites/{id}/acceptance", tag = "sites", params(("id" = String, Path)),
    request_body = AcceptanceBody, responses((status = 201, body = MatterDetail)))]
async fn of_site(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<AcceptanceBody>,
) -> Result<Answer, ApiError> {
    hand_over(app, (caller, scope), key, Thing::Site(site_id(&id)?), body).await
}

async fn hand_over(
    app: Arc<App>,
    (caller, scope): (Caller, Scope),
    key: IdempotencyKey,
    thing: Thing,
    body: Body<AcceptanceBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let AcceptanceBody { name, handed_over_at, owner } = body.value;
    let new = NewAcceptance {
        id: app.fresh_id(),
        thing,
        name: name.map(|name| text("name", Some(name))).transpose()?,
        owner: short("owner", owner)?,
        handed_over_at: time("handed_over_at", handed_over_at.as_deref())?.unwrap_or(now),
        by: caller.user.clone(),
    };
    let desk = app.desk.clone();
    write_once(&app, &caller, key, body.hash, move |tx| {
        match &new.thing {
            Thing::Line(line) => sees_line(tx, &scope, line)?,
            Thing::Site(site) => sees_site(tx, &scope, *site)?,
        }
        let matter = open(&desk, tx, &new, now)?;
        Answer::new(StatusCode::CREATED, &view::detail(&desk, tx, matter.id, now)?)
    })
    .await
}
