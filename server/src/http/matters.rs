//! Matters: complaints, requests, defects, promises, rounds of visits and patrols.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::matter::{MatterState, Opening};
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::{allowed_step, short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::{NewMatterFact, text};
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::alerting::view::AlertView;
use crate::app::contractors::MATTER_STEPS;
use crate::app::desk::{Desk, DeskError};
use crate::app::matters::open::{NewMatter, open};
use crate::app::matters::step::{NewMatterStep, step};
use crate::app::matters::view::{self, MatterDetail, MatterView};
use crate::app::scopes::{sees_matter, sees_named};
use crate::auth::{Caller, Role};
use crate::db::Tx;
use crate::store::matters::WantedMatters;
use crate::store::scope::Scope;

/// Who may write about matters.
pub(super) const WRITERS: Access = Access::Scoped(&[Role::Noc, Role::Manager, Role::Technician]);

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(list))
        .route(WRITERS, utoipa_axum::routes!(take_in))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(read))
        .route(Access::WORKERS, utoipa_axum::routes!(take_step))
}

/// Which matters to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MatterParams {
    /// Only of this kind: `complaint`, `request`, `defect`, `promise`, `visit` or `patrol`.
    kind: Option<String>,
    /// Only in this state, such as `open`; `live` for everything on which something may still be owed.
    state: Option<String>,
    /// Only of this customer.
    customer: Option<String>,
    /// Only those that this person answers for.
    owner: Option<String>,
    /// Only of this class, such as `leak`.
    class: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Matters, the newest first.
#[utoipa::path(get, path = "/matters", tag = "matters", params(MatterParams),
    responses((status = 200, body = Page<MatterView>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<MatterParams>,
) -> Result<Json<Page<MatterView>>, ApiError> {
    let size = limit(params.limit)?;
    if let Some(kind) = params.kind.as_deref().filter(|kind| MatterKind::from_name(kind).is_none()) {
        return Err(ApiError::parameter("kind", unknown_kind(kind)));
    }
    let is_state =
        |state: &str| state == "live" || MatterState::ALL.iter().any(|known| known.name() == state);
    if let Some(state) = params.state.as_deref().filter(|state| !is_state(state)) {
        let names: Vec<&str> = MatterState::ALL.into_iter().map(MatterState::name).collect();
        let detail = format!("\"{state}\" is not one of: live, {}", names.join(", "));
        return Err(ApiError::parameter("state", detail));
    }
    let before: Option<(i64, Uuid)> = decode_cursor("matters", params.cursor.as_deref())?;
    let wanted = WantedMatters {
        kind: params.kind.unwrap_or_default(),
        class: params.class.unwrap_or_default(),
        state: params.state.unwrap_or_default(),
        customer: params.customer.unwrap_or_default(),
        owner: params.owner.unwrap_or_default(),
        before: before.map(|(at, id)| (UnixMs(at), id)),
        scope,
    };
    let (desk, now) = (app.desk.clone(), app.now());
    let found = app.db.read(move |tx| view::list(&desk, tx, &wanted, size as i64 + 1, now)).await?;
    let Page { items, next_cursor } = Page::new("matters", size, found, |(place, _)| *place);
    Ok(Json(Page { items: items.into_iter().map(|(_, view)| view).collect(), next_cursor }))
}

fn unknown_kind(kind: &str) -> String {
    let names: Vec<&str> = MatterKind::ALL.into_iter().map(MatterKind::name).collect();
    format!("\"{kind}\" is not one of: {}", names.join(", "))
}

/// A matter to take in.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct MatterBody {
    /// `complaint`, `request`, `defect` or `promise`; visits and patrols come of their duties.
    kind: String,
    /// Its class in the pack.
    class: String,
    /// The pack, where several know the class.
    pack: Option<String>,
    /// The customer's code.
    customer: String,
    /// The line's code, where it is about one.
    line: Option<String>,
    /// The site, where it is about one.
    site: Option<String>,
    /// What it is about, in one line.
    title: String,
    /// In full.
    #[serde(default)]
    description: String,
    /// Who asked.
    #[serde(default)]
    reporter: String,
    /// Who answers for it; the customer's account manager where it is left out.
    #[serde(default)]
    owner: String,
    /// Another unit that it concerns.
    unit: Option<String>,
    /// The day that the customer asked for, or was promised, RFC 3339.
    wanted_by: Option<String>,
    /// The piece of equipment that it is about; then the site is where that stands.
    equipment: Option<Uuid>,
    /// The complaint that it repeats, or the matter that it comes from.
    about: Option<Uuid>,
    /// When it was asked for, RFC 3339; now where it is left out.
    opened_at: Option<String>,
}

impl MatterBody {
    fn read(self, id: Uuid, caller: &Caller, now: UnixMs) -> Result<NewMatter, ApiError> {
        let kind = MatterKind::from_name(&self.kind)
            .ok_or_else(|| ApiError::field("kind", unknown_kind(&self.kind)))?;
        if matches!(kind, MatterKind::Visit | MatterKind::Patrol) {
            let reason = "visits and patrols are rounds of a duty: see /duties, and step on the round";
            return Err(ApiError::field("kind", reason));
        }
        let opened_at = time("opened_at", self.opened_at.as_deref())?.unwrap_or(now);
        let wanted_by = time("wanted_by", self.wanted_by.as_deref())?;
        if wanted_by.is_some_and(|day| day <= opened_at) {
            return Err(ApiError::field("wanted_by", "lies before the matter was opened"));
        }
        if kind == MatterKind::Promise && wanted_by.is_none() {
            return Err(ApiError::field("wanted_by", "is missing: a promise has a day"));
        }
        let opening = Opening {
            kind,
            class: text("class", Some(self.class))?,
            customer: self.customer,
            line: self.line,
            site: self.site.map(|site| text("site", Some(site))).transpose()?,
            title: text("title", Some(self.title))?,
            description: short("description", self.description)?,
            reporter: short("reporter", self.reporter)?,
            owner: short("owner", self.owner)?,
            first_receiver: caller.user.clone(),
            unit: self.unit.map(|unit| text("unit", Some(unit))).transpose()?,
            wanted_by,
            about: self.about,
            equipment: self.equipment,
        };
        Ok(NewMatter { id, opening, pack: self.pack, opened_at, by: caller.user.clone() })
    }
}

/// Takes in a complaint, a request, a defect or a promise.
#[utoipa::path(post, path = "/matters", tag = "matters", request_body = MatterBody,
    responses((status = 201, body = MatterDetail)))]
async fn take_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    body: Body<MatterBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let new = body.value.read(app.fresh_id(), &caller, now)?;
    let (desk, role) = (app.desk.clone(), caller.role);
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_opening(tx, &scope, &new.opening)?;
        let matter = open(&desk, tx, &new, now)?;
        answer(&desk, tx, StatusCode::CREATED, (matter.id, role), now)
    })
    .await
}

/// Refuses a matter that would name what its sender does not see.
fn sees_opening(tx: &mut Tx<'_>, scope: &Scope, opening: &Opening) -> Result<(), DeskError> {
    sees_named(tx, scope, &opening.customer)?;
    opening.about.map_or(Ok(()), |about| sees_matter(tx, scope, about))
}

fn answer(
    desk: &Desk,
    tx: &mut Tx<'_>,
    status: StatusCode,
    (id, role): (Uuid, Role),
    now: UnixMs,
) -> Result<Answer, ApiError> {
    Answer::new(status, &detail_for(role, desk, tx, id, now)?)
}

/// A matter as somebody of that role reads it: who is told of it, and who takes that, is the desk's own.
fn detail_for(
    role: Role,
    desk: &Desk,
    tx: &mut Tx<'_>,
    id: Uuid,
    now: UnixMs,
) -> Result<MatterDetail, DeskError> {
    let mut found = view::detail(desk, tx, id, now)?;
    if role == Role::Technician {
        found.alerts.iter_mut().for_each(AlertView::without_names);
    }
    Ok(found)
}

/// A matter with all that happened.
#[utoipa::path(get, path = "/matters/{id}", tag = "matters", params(("id" = String, Path)),
    responses((status = 200, body = MatterDetail)))]
async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(id): Path<String>,
) -> Result<Json<MatterDetail>, ApiError> {
    let id = matter_id(&id)?;
    let (desk, now) = (app.desk.clone(), app.now());
    let found: Result<MatterDetail, DeskError> = app
        .db
        .read(move |tx| {
            sees_matter(tx, &scope, id)?;
            detail_for(caller.role, &desk, tx, id, now)
        })
        .await;
    Ok(Json(found?))
}

/// Takes a step, judged as of its own time: 409 says what is possible instead.
#[utoipa::path(post, path = "/matters/{id}/facts", tag = "matters", params(("id" = String, Path)),
    request_body = NewMatterFact, responses((status = 200, body = MatterDetail)))]
async fn take_step(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<NewMatterFact>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let matter = matter_id(&id)?;
    let read = body.value.read(&caller)?;
    allowed_step(caller.contractor.as_deref(), read.step.name(), &MATTER_STEPS)?;
    let new = NewMatterStep {
        id: app.fresh_id(),
        matter,
        step: read.step,
        promises: read.promises,
        occurred_at: read.occurred_at.unwrap_or(now),
        by: caller.user.clone(),
    };
    let (desk, role) = (app.desk.clone(), caller.role);
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_matter(tx, &scope, matter)?;
        step(&desk, tx, &new, now)?;
        answer(&desk, tx, StatusCode::OK, (matter, role), now)
    })
    .await
}

pub(super) fn matter_id(id: &str) -> Result<Uuid, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("unknown_matter", format!("there is no matter {id}")))
}
