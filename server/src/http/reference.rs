//! Customers, lines, agents and packs, as lists.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use linewatch_shared::rules::{
    Assessment, Availability, Cadence, Cause, Checklist, Class, Condition, EquipmentKind, Grading, Label,
    Level, Permit, PlanRules, RiskRules, Tier,
};
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::confidential::Withheld;
use super::error::ApiError;
use super::extract::Params;
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::agents::{self, Agent};
use crate::app::customers::{self, Customer, LineItem};
use crate::app::packs::LoadedPack;
use crate::app::{App, customers::Search};
use crate::auth::Caller;
use crate::store::scope::Scope;

/// The longest search text, in characters.
const QUERY_CHARS_MAX: usize = 100;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_OWN, utoipa_axum::routes!(list_customers))
        .route(Access::ANY_OWN, utoipa_axum::routes!(read_customer))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(list_lines))
        .route(Access::ANY_ROLE, utoipa_axum::routes!(list_agents))
        .route(Access::ANY_PLAIN, utoipa_axum::routes!(list_packs))
}

/// What to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only what has this text in its code or name (customers), or its code, site or customer (lines).
    q: Option<String>,
    /// Only of this region.
    region: Option<String>,
    /// Only lines of this customer.
    customer: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl ListParams {
    fn search(&self, list: &str, scope: Scope) -> Result<Search, ApiError> {
        let q = self.q.clone().filter(|q| !q.is_empty());
        if q.as_ref().is_some_and(|q| q.chars().count() > QUERY_CHARS_MAX || q.contains('\0')) {
            return Err(ApiError::parameter("q", format!("q has at most {QUERY_CHARS_MAX} characters")));
        }
        Ok(Search {
            q,
            region: self.region.clone(),
            customer: self.customer.clone(),
            after: decode_cursor(list, self.cursor.as_deref())?,
            limit: limit(self.limit)? + 1,
            scope,
        })
    }
}

/// Customers, by code.
#[utoipa::path(get, path = "/customers", tag = "reference", params(ListParams),
    responses((status = 200, body = Page<Customer>)))]
async fn list_customers(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<ListParams>,
) -> Result<Json<Page<Customer>>, ApiError> {
    let search = params.search("customers", scope)?;
    if search.customer.is_some() {
        return Err(ApiError::parameter("customer", "customers cannot be filtered by customer: use q"));
    }
    let size = search.limit - 1;
    let items = customers::list(&app.db, search).await?;
    Ok(Json(Page::new("customers", size, items, |item| item.code.clone())))
}

/// One customer, by its code. Who reads whom to call there is in the audit trail.
#[utoipa::path(get, path = "/customers/{code}", tag = "reference", params(("code" = String, Path)),
    responses((status = 200, body = Customer)))]
async fn read_customer(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    withheld: Withheld,
    Path(code): Path<String>,
) -> Result<Json<Customer>, ApiError> {
    let reads_contact = withheld.0.is_none().then_some(caller.user);
    Ok(Json(customers::one(&app.db, (code, scope), reads_contact, app.now()).await?))
}

/// Lines, by code.
#[utoipa::path(get, path = "/lines", tag = "reference", params(ListParams),
    responses((status = 200, body = Page<LineItem>)))]
async fn list_lines(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<ListParams>,
) -> Result<Json<Page<LineItem>>, ApiError> {
    let search = params.search("lines", scope)?;
    let size = search.limit - 1;
    let items = customers::list_lines(&app.db, search).await?;
    Ok(Json(Page::new("lines", size, items, |item| item.code.clone())))
}

/// Agents, by name.
#[utoipa::path(get, path = "/agents", tag = "reference", params(PageParams),
    responses((status = 200, body = Page<Agent>)))]
async fn list_agents(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<Agent>>, ApiError> {
    let size = limit(params.limit)?;
    let after = decode_cursor("agents", params.cursor.as_deref())?;
    let items = agents::list(&app.db, after, size + 1).await?;
    Ok(Json(Page::new("agents", size, items, |item| item.name.clone())))
}

/// A pack in force.
#[derive(Serialize, utoipa::ToSchema)]
struct PackItem {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// The time zone that decides years and months.
    time_zone: String,
    /// The calendar of working time.
    calendar: String,
    /// The first day of which that calendar knows nothing; none for `24x7`.
    calendar_covers_until: Option<String>,
    /// The file, or `shipped:NAME.toml`.
    origin: String,
    /// SHA-256 of its text.
    sha256: String,
    /// Its tiers with their limits, in the file's order.
    #[schema(value_type = Vec<Object>)]
    tiers: Vec<Tier>,
    /// Causes for which clocks may stand still.
    pause_causes: Vec<CauseItem>,
    /// Causes that take a fault out of the figures.
    exempt_causes: Vec<CauseItem>,
    /// The services that the matrix of limits knows.
    services: Vec<CauseItem>,
    /// Classes of complaints, requests, defects and promises.
    #[schema(value_type = Vec<Object>)]
    classes: Vec<Class>,
    /// Duties that come round.
    #[schema(value_type = Vec<Object>)]
    cadences: Vec<Cadence>,
    /// Points to look at on a round.
    #[schema(value_type = Vec<Object>)]
    checklists: Vec<Checklist>,
    /// Kinds of equipment.
    #[schema(value_type = Vec<Object>)]
    equipment: Vec<EquipmentKind>,
    /// Grades of condition, the best first; `retired` is one of every pack.
    #[schema(value_type = Vec<Object>)]
    conditions: Vec<Condition>,
    /// Permits to work.
    #[schema(value_type = Vec<Object>)]
    permits: Vec<Permit>,
    /// Levels of authority, the lowest first.
    #[schema(value_type = Vec<Object>)]
    levels: Vec<Level>,
    /// How customers are graded.
    #[schema(value_type = Option<Object>)]
    grading: Option<Grading>,
    /// The availability that is promised.
    #[schema(value_type = Option<Object>)]
    availability: Option<Availability>,
    /// The service-quality assessment.
    #[schema(value_type = Option<Object>)]
    assessment: Option<Assessment>,
    /// When a customer counts as one that may be lost, where the pack says so.
    #[schema(value_type = Option<Object>)]
    at_risk: Option<RiskRules>,
    /// Which customers have a plan of their own each year.
    #[schema(value_type = Option<Object>)]
    plans: Option<PlanRules>,
}

impl From<&LoadedPack> for PackItem {
    fn from(loaded: &LoadedPack) -> Self {
        let pack = loaded.pack.as_ref();
        Self {
            name: pack.name.clone(),
            version: pack.version.clone(),
            time_zone: pack.time_zone.to_string(),
            calendar: pack.calendar.clone(),
            calendar_covers_until: pack.days.as_ref().and_then(|d| d.covered_until()).map(|d| d.to_string()),
            origin: loaded.origin.clone(),
            sha256: loaded.sha256(),
            tiers: pack.tiers.clone(),
            pause_causes: causes(&pack.pause_causes),
            exempt_causes: causes(&pack.exempt_causes),
            services: causes(&pack.services),
            classes: pack.classes.clone(),
            cadences: pack.cadences.clone(),
            checklists: pack.checklists.clone(),
            equipment: pack.equipment.clone(),
            conditions: pack.conditions.clone(),
            permits: pack.permits.clone(),
            levels: pack.levels.clone(),
            grading: pack.grading.clone(),
            availability: pack.availability.clone(),
            assessment: pack.assessment.clone(),
            at_risk: pack.at_risk,
            plans: pack.plans.clone(),
        }
    }
}

/// A cause that a pack lists.
#[derive(Serialize, utoipa::ToSchema)]
struct CauseItem {
    /// Its name in facts.
    name: String,
    /// Its name for people.
    #[schema(value_type = Object)]
    label: Label,
}

fn causes(causes: &[Cause]) -> Vec<CauseItem> {
    causes.iter().map(|cause| CauseItem { name: cause.name.clone(), label: cause.label.clone() }).collect()
}

/// The packs in force, by name.
#[utoipa::path(get, path = "/packs", tag = "reference", params(PageParams),
    responses((status = 200, body = Page<PackItem>)))]
async fn list_packs(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<PackItem>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<String> = decode_cursor("packs", params.cursor.as_deref())?;
    let following = app.packs.iter().filter(|l| after.as_ref().is_none_or(|after| l.pack.name > *after));
    let items = following.take(size + 1).map(PackItem::from);
    Ok(Json(Page::new("packs", size, items.collect(), |item| item.name.clone())))
}
