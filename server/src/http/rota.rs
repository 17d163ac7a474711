//! The duty rota, and the load of account managers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::time::{DAY_MS, UnixMs};
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::confirm::{NoBody, confirm};
use super::error::ApiError;
use super::extract::Body;
use super::faults::{short, time};
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use crate::app::App;
use crate::app::rota::{self, load_class};
use crate::auth::{Caller, Role};
use crate::db::{DbError, Tx};
use crate::store::rota::{ManagerLoad, Rota, Shift, managers, of_month};

/// The most account managers of one answer.
const MANAGERS_MAX: i64 = 5_000;
/// Whose misses are counted (ms).
const MISSED_WITHIN_MS: i64 = 30 * DAY_MS;

/// Who is on duty is about the desk's own people.
const STAFF: Access = Access::Plain(&[Role::Noc, Role::Manager]);

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(STAFF, utoipa_axum::routes!(read))
        .route(STAFF, utoipa_axum::routes!(write))
        .route(Access::ADMIN, utoipa_axum::routes!(approve))
        .route(Access::DESK, utoipa_axum::routes!(list_managers))
}

/// A month's rota.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RotaView {
    /// The month.
    month: String,
    /// By when it has to be approved: the end of the 28th of the month before.
    due_at: String,
    /// Who wrote it.
    written_by: String,
    /// When.
    written_at: String,
    /// Who approved it; alerts reach who is on duty only then.
    approved_by: Option<String>,
    /// When.
    approved_at: Option<String>,
    /// Its shifts.
    shifts: Vec<ShiftView>,
}

/// A shift.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ShiftView {
    /// From when.
    from: String,
    /// Until when.
    until: String,
    /// Who.
    person: String,
    /// Where alerts reach them.
    email: String,
}

fn view(app: &App, rota: Rota) -> Result<RotaView, ApiError> {
    let (approved_by, approved_at) = rota.approved.unzip();
    Ok(RotaView {
        due_at: rota::due_at(&rota.month, app.settings.time_zone)?.to_rfc3339(),
        month: rota.month,
        written_by: rota.written_by,
        written_at: rota.written_at.to_rfc3339(),
        approved_by,
        approved_at: approved_at.map(UnixMs::to_rfc3339),
        shifts: rota
            .shifts
            .into_iter()
            .map(|shift| ShiftView {
                from: shift.from.to_rfc3339(),
                until: shift.until.to_rfc3339(),
                person: shift.person,
                email: shift.email,
            })
            .collect(),
    })
}

/// A month's rota, such as `2026-12`.
#[utoipa::path(get, path = "/rota/{month}", tag = "shift", params(("month" = String, Path)),
    responses((status = 200, body = RotaView)))]
async fn read(State(app): State<Arc<App>>, Path(month): Path<String>) -> Result<Json<RotaView>, ApiError> {
    rota::bounds(&month, app.settings.time_zone)?;
    let asked = month.clone();
    let found: Result<Option<Rota>, DbError> = app.db.read(move |tx| of_month(tx, &asked)).await;
    let missing = || ApiError::not_found("unknown_rota", format!("no rota was written for {month}"));
    Ok(Json(view(&app, found?.ok_or_else(missing)?)?))
}

/// A month's shifts.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RotaBody {
    /// Every shift that begins in the month.
    shifts: Vec<ShiftBody>,
}

/// A shift.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ShiftBody {
    /// From when, RFC 3339.
    from: String,
    /// Until when, RFC 3339.
    until: String,
    /// Who.
    person: String,
    /// Where alerts reach them; nowhere where it is left out.
    #[serde(default)]
    email: String,
}

/// Writes a month's rota in the place of the one before; it has to be approved again.
#[utoipa::path(put, path = "/rota/{month}", tag = "shift", params(("month" = String, Path)), request_body = RotaBody,
    responses((status = 200, body = RotaView)))]
async fn write(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(month): Path<String>,
    body: Body<RotaBody>,
) -> Result<Answer, ApiError> {
    let shift = |body: ShiftBody| {
        Ok::<_, ApiError>(Shift {
            from: time("shifts", Some(&body.from))?.unwrap_or_default(),
            until: time("shifts", Some(&body.until))?.unwrap_or_default(),
            person: text("shifts", Some(body.person))?,
            email: short("shifts", body.email)?,
        })
    };
    let shifts = body.value.shifts.into_iter().map(shift).collect::<Result<Vec<_>, _>>()?;
    let (now, zone, by) = (app.now(), app.settings.time_zone, caller.user.clone());
    let viewer = Arc::clone(&app);
    write_once(&app, &caller, key, body.hash, move |tx| {
        let rota = rota::write(tx, &month, &shifts, (&by, zone), now)?;
        Answer::new(StatusCode::OK, &view(&viewer, rota)?)
    })
    .await
}

/// Approves a month's rota: alerts then reach who is on duty, beside the account manager.
#[utoipa::path(post, path = "/rota/{month}/approve", tag = "shift", params(("month" = String, Path)),
    request_body = NoBody, responses((status = 200, body = RotaView)))]
async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Path(month): Path<String>,
    body: Body<NoBody>,
) -> Result<Answer, ApiError> {
    let viewer = Arc::clone(&app);
    let work = move |tx: &mut Tx<'_>, by: &str, now| view(&viewer, rota::approve(tx, &month, by, now)?);
    confirm(&app, &caller, key, body, work).await
}

/// An account manager's load.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ManagerItem {
    /// Who; empty for customers whom nobody has.
    name: String,
    /// Customers.
    customers: i64,
    /// The class of that load: `over 40`, `31-40`, `21-30`, `11-20` or `up to 10`.
    load: &'static str,
    /// Their lines.
    lines: i64,
    /// Their faults on which something may still be owed.
    open_faults: i64,
    /// Their other matters, the same.
    open_matters: i64,
    /// Promises to them that fell due within 30 days and were missed.
    missed_in_30_days: i64,
}

impl From<ManagerLoad> for ManagerItem {
    fn from(load: ManagerLoad) -> Self {
        Self {
            load: load_class(load.customers),
            name: load.name,
            customers: load.customers,
            lines: load.lines,
            open_faults: load.open_faults,
            open_matters: load.open_matters,
            missed_in_30_days: load.missed,
        }
    }
}

/// Account managers by load, with customers whom nobody has under an empty name.
#[utoipa::path(get, path = "/managers", tag = "people", responses((status = 200, body = Vec<ManagerItem>)))]
async fn list_managers(State(app): State<Arc<App>>) -> Result<Json<Vec<ManagerItem>>, ApiError> {
    let now = app.now();
    let since = now - MISSED_WITHIN_MS;
    let found: Result<Vec<ManagerLoad>, DbError> =
        app.db.read(move |tx| managers(tx, since, now, MANAGERS_MAX)).await;
    let mut items: Vec<ManagerItem> = found?.into_iter().map(ManagerItem::from).collect();
    items.sort_by_key(|item| (std::cmp::Reverse(item.customers), item.name.clone()));
    Ok(Json(items))
}
