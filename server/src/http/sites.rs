//! Sites of customers, and when they let us in.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::short;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::desk::{Desk, DeskError};
use crate::app::matters::acceptance::AcceptanceView;
use crate::app::scopes::{sees_named, sees_site};
use crate::app::sites;
use crate::auth::Caller;
use crate::db::{Priority, Tx};
use crate::store::acceptance;
use crate::store::scope::Scope;
use crate::store::sites::{Site, list};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_OWN, utoipa_axum::routes!(list_sites))
        .route(Access::DESK_OWN, utoipa_axum::routes!(put_site))
        .route(Access::ANY_OWN, utoipa_axum::routes!(read_site))
}

/// A site, as lists show it: whom to ring stands in its own reading.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SiteItem {
    /// Its id; it follows from the customer and the name.
    id: Uuid,
    /// The customer's code.
    customer: String,
    /// The name, as lines, matters and duties call it.
    name: String,
    /// Its own time zone; that of the customer's pack where there is none.
    time_zone: Option<String>,
    /// When it lets us in, such as `Mon-Fri 08:30-12:00, 13:30-17:30`; at any hour where there is none.
    access_hours: Option<String>,
    /// Days on which it is closed, such as `2026-10-01..2026-10-07`.
    closed_dates: Option<String>,
}

impl From<Site> for SiteItem {
    fn from(site: Site) -> Self {
        let [time_zone, access_hours, closed_dates, ..] = site.row.fields;
        let (customer, name) = site.key;
        Self { id: site.id, customer, name, time_zone, access_hours, closed_dates }
    }
}

/// A site with whom to ring.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SiteDetail {
    /// The site.
    #[serde(flatten)]
    site: SiteItem,
    /// Whether it lets us in now.
    open_now: bool,
    /// When it lets us in, from now on; none where it lets nobody in for more than a year.
    next_open_at: Option<String>,
    /// Whom to ring to be let in.
    access_contact: Option<String>,
    /// Where.
    access_phone: Option<String>,
    /// How its acceptance stands, where it was handed over to be accepted.
    acceptance: Option<AcceptanceView>,
}

fn detail(desk: &Desk, tx: &mut Tx<'_>, site: Site, now: UnixMs) -> Result<SiteDetail, DeskError> {
    let versions = desk.packs.versions(tx)?;
    let accepted = acceptance::of_site(tx, &site.key.0, &site.key.1)?;
    let hours = sites::hours(tx, &versions, &site, now)?;
    let next = hours.map_or(Some(now), |hours| hours.next_open(now));
    let [.., access_contact, access_phone] = site.row.fields.clone();
    Ok(SiteDetail {
        site: site.into(),
        open_now: next == Some(now),
        next_open_at: next.map(UnixMs::to_rfc3339),
        access_contact,
        access_phone,
        acceptance: accepted.and_then(|standing| AcceptanceView::of(&standing.matter, now)),
    })
}

/// Which sites to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SiteParams {
    /// Only of this customer.
    customer: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Sites of customers.
#[utoipa::path(get, path = "/sites", tag = "sites", params(SiteParams),
    responses((status = 200, body = Page<SiteItem>)))]
async fn list_sites(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<SiteParams>,
) -> Result<Json<Page<SiteItem>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<Uuid> = decode_cursor("sites", params.cursor.as_deref())?;
    let (customer, after) = (params.customer.unwrap_or_default(), after.unwrap_or(Uuid::nil()));
    let found = app.db.read(move |tx| list(tx, (&scope, &customer), after, size as i64 + 1)).await?;
    let items: Vec<SiteItem> = found.into_iter().map(SiteItem::from).collect();
    Ok(Json(Page::new("sites", size, items, |item| item.id)))
}

/// A site to write down. What is left out stays as it is; an empty text takes it away.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SiteBody {
    /// The customer's code.
    customer: String,
    /// The name, as lines and matters call it.
    name: String,
    /// Its own time zone, such as `Asia/Shanghai`.
    time_zone: Option<String>,
    /// When it lets us in: `Mon-Fri 08:30-12:00, 13:30-17:30; Sat 09:00-12:00`.
    access_hours: Option<String>,
    /// Days on which it is closed: `2026-10-01..2026-10-07, 2026-12-25`.
    closed_dates: Option<String>,
    /// Whom to ring to be let in.
    access_contact: Option<String>,
    /// Where.
    access_phone: Option<String>,
}

/// Writes a site down, or what changed of it.
#[utoipa::path(post, path = "/sites", tag = "sites", request_body = SiteBody,
    responses((status = 200, body = SiteDetail)))]
async fn put_site(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    body: Body<SiteBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let SiteBody { customer, name, time_zone, access_hours, closed_dates, access_contact, access_phone } =
        body.value;
    let name = text("name", Some(name))?;
    if name.chars().count() > sites::NAME_CHARS_MAX {
        return Err(ApiError::field("name", format!("has more than {} characters", sites::NAME_CHARS_MAX)));
    }
    let field = |name, value: Option<String>| value.map(|value| short(name, value)).transpose();
    let fields = [
        field("time_zone", time_zone)?,
        field("access_hours", access_hours)?,
        field("closed_dates", closed_dates)?,
        field("access_contact", access_contact)?,
        field("access_phone", access_phone)?,
    ];
    let (desk, by, place) = (app.desk.clone(), caller.user.clone(), (customer, name));
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_named(tx, &scope, &place.0)?;
        let site = sites::put(tx, &place, fields.clone(), &by, now)?;
        Answer::new(StatusCode::OK, &detail(&desk, tx, site, now)?)
    })
    .await
}

/// A site with whom to ring: that reading is in the audit trail.
#[utoipa::path(get, path = "/sites/{id}", tag = "sites", params(("id" = String, Path)),
    responses((status = 200, body = SiteDetail)))]
async fn read_site(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(id): Path<String>,
) -> Result<Json<SiteDetail>, ApiError> {
    let id = site_id(&id)?;
    let (desk, now) = (app.desk.clone(), app.now());
    let found: Result<SiteDetail, DeskError> = app
        .db
        .write(Priority::Api, move |tx| {
            sees_site(tx, &scope, id)?;
            let site = sites::read(tx, id, &caller.user, now)?;
            detail(&desk, tx, site, now)
        })
        .await;
    Ok(Json(found?))
}

/// A site's id in a path.
pub(super) fn site_id(id: &str) -> Result<Uuid, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("unknown_site", format!("there is no site {id}")))
}
