//! Duties that come round.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, decode_cursor, limit};
use crate::app::matters::duties::{self, NewDuty};
use crate::app::scopes::sees_named;
use crate::app::{Action, App, audit};
use crate::auth::Caller;
use crate::store::duties::Duty;
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_OWN, utoipa_axum::routes!(list))
        .route(Access::DESK_OWN, utoipa_axum::routes!(give))
}

/// Which duties to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DutyParams {
    /// Only of this customer.
    customer: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A duty that comes round.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DutyItem {
    /// Its id.
    id: Uuid,
    /// `visit` or `patrol`.
    kind: &'static str,
    /// The pack.
    pack: String,
    /// The cadence in it.
    cadence: String,
    /// The customer's code.
    customer: String,
    /// The site; empty for the customer as a whole.
    site: String,
    /// The piece of equipment, where it is of one.
    equipment: Option<Uuid>,
    /// Since when.
    since: String,
    /// When the next round begins, where that is known.
    next_round_at: Option<String>,
    /// When the duty ended.
    ended_at: Option<String>,
}

impl From<Duty> for DutyItem {
    fn from(duty: Duty) -> Self {
        Self {
            id: duty.id,
            kind: duty.kind.name(),
            pack: duty.pack,
            cadence: duty.cadence,
            customer: duty.customer,
            site: duty.site,
            equipment: duty.equipment,
            since: duty.since.to_rfc3339(),
            next_round_at: duty.next_round.map(UnixMs::to_rfc3339),
            ended_at: duty.ended_at.map(UnixMs::to_rfc3339),
        }
    }
}

/// Duties that come round: visits owed by tier, patrols of sites.
#[utoipa::path(get, path = "/duties", tag = "matters", params(DutyParams),
    responses((status = 200, body = Page<DutyItem>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<DutyParams>,
) -> Result<Json<Page<DutyItem>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<Uuid> = decode_cursor("duties", params.cursor.as_deref())?;
    let customer = params.customer.unwrap_or_default();
    let found = app.db.read(move |tx| duties::list(tx, (&scope, &customer), after, size as i64 + 1)).await?;
    let items: Vec<DutyItem> = found.into_iter().map(DutyItem::from).collect();
    Ok(Json(Page::new("duties", size, items, |item| item.id)))
}

/// A duty to give.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct DutyBody {
    /// The pack.
    pack: String,
    /// The cadence in it.
    cadence: String,
    /// The customer's code.
    customer: String,
    /// The site; the customer as a whole where it is left out.
    #[serde(default)]
    site: String,
    /// From when on, RFC 3339; now where it is left out.
    since: Option<String>,
}

/// Gives a duty that comes round, such as the patrol of a site. One that is there already stays as it is.
#[utoipa::path(post, path = "/duties", tag = "matters", request_body = DutyBody,
    responses((status = 200, body = DutyItem)))]
async fn give(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    body: Body<DutyBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let DutyBody { pack, cadence, customer, site, since } = body.value;
    let since = time("since", since.as_deref())?.unwrap_or(now);
    let new = NewDuty { pack, cadence, customer, site: short("site", site)?, since };
    let (desk, by) = (app.desk.clone(), caller.user.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_named(tx, &scope, &new.customer)?;
        let duty = duties::give(&desk, tx, &new, now)?;
        audit(tx, now.0, &by, Action::DutyWritten, &duty.id.to_string(), None)?;
        Answer::new(StatusCode::OK, &DutyItem::from(duty))
    })
    .await
}
