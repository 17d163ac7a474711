//! The equipment ledger of sites: what stands there, its condition through time, its rounds and defects.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::matter::Standing;
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::time;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::matters::WRITERS;
use super::new_matter_step::text;
use super::page::{Page, PageParams, decode_cursor, limit};
use super::sites::site_id;
use crate::app::App;
use crate::app::desk::DeskError;
use crate::app::equipment::{self, NewGrade, SHOWN_MAX, Said};
use crate::app::scopes::{sees_equipment, sees_site};
use crate::auth::Caller;
use crate::db::Tx;
use crate::store::equipment::{self as rows, Piece};
use crate::store::scope::Scope;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_OWN, utoipa_axum::routes!(list))
        .route(WRITERS, utoipa_axum::routes!(add))
        .route(Access::ANY_OWN, utoipa_axum::routes!(read))
        .route(WRITERS, utoipa_axum::routes!(grade))
}

/// A piece of equipment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PieceItem {
    /// Its id; it follows from the site and the label.
    id: Uuid,
    /// The site's id.
    site: Uuid,
    /// The site's name.
    site_name: String,
    /// The customer's code.
    customer: String,
    /// What it is called there.
    label: String,
    /// Its kind, as a pack names it.
    kind: String,
    /// The grade of its condition, as a pack names it; `retired` when it is out of service for good.
    condition: String,
    /// The day on which it was installed.
    installed_on: Option<String>,
    /// The day of its last test before it came into the ledger.
    tested_on: Option<String>,
    /// When its last round was made.
    last_round_at: Option<String>,
    /// The next day by which a round, such as a preventive test, is owed.
    next_due_at: Option<String>,
}

impl From<Piece> for PieceItem {
    fn from(piece: Piece) -> Self {
        Self {
            id: piece.id,
            site: piece.site,
            site_name: piece.site_name,
            customer: piece.customer,
            label: piece.label,
            kind: piece.kind,
            condition: piece.grade,
            installed_on: piece.installed_on,
            tested_on: piece.tested_on,
            last_round_at: piece.last_round_at.map(UnixMs::to_rfc3339),
            next_due_at: piece.next_due_at.map(UnixMs::to_rfc3339),
        }
    }
}

/// A piece with its history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PieceDetail {
    /// The piece.
    #[serde(flatten)]
    piece: PieceItem,
    /// Its condition through time, the newest first.
    conditions: Vec<GradedItem>,
    /// Its rounds, the newest first: preventive tests with their reports.
    rounds: Vec<RoundItem>,
    /// Defects that were found on it, the newest first.
    defects: Vec<DefectItem>,
}

/// A condition that it once had, or has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct GradedItem {
    /// Since when.
    at: String,
    /// Which.
    condition: String,
    /// Why.
    reason: String,
    /// Who says so.
    by: String,
}

/// A round of the piece.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RoundItem {
    /// The matter.
    matter: Uuid,
    /// The cadence that it is of.
    cadence: String,
    /// The matter's state.
    state: &'static str,
    /// When it was made.
    made_at: Option<String>,
    /// The points that were found wrong.
    failed_points: Vec<String>,
    /// The reference under which its report is filed.
    report: Option<String>,
}

/// A defect of the piece.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DefectItem {
    /// The matter.
    matter: Uuid,
    /// Its class.
    class: String,
    /// What is wrong.
    title: String,
    /// The matter's state.
    state: &'static str,
    /// When it was found.
    opened_at: String,
}

fn detail(tx: &mut Tx<'_>, id: Uuid) -> Result<PieceDetail, DeskError> {
    let piece = rows::one(tx, id)?.ok_or(DeskError::NoEquipment(id))?;
    let conditions = rows::grades(tx, id, SHOWN_MAX)?.into_iter().map(|graded| GradedItem {
        at: graded.at.to_rfc3339(),
        condition: graded.grade,
        reason: graded.reason,
        by: graded.by,
    });
    let (conditions, mut rounds, mut defects) = (conditions.collect(), Vec::new(), Vec::new());
    for Standing { matter, .. } in rows::matters(tx, id, SHOWN_MAX)? {
        let (id, state, opened_at) = (matter.id, matter.state.name(), matter.opened_at.to_rfc3339());
        match matter.kind {
            MatterKind::Patrol => rounds.push(RoundItem {
                matter: id,
                cadence: matter.class,
                state,
                made_at: matter.resolved_at.map(UnixMs::to_rfc3339),
                failed_points: matter.failed_points,
                report: matter.papers.report,
            }),
            _ => defects.push(DefectItem {
                matter: id,
                class: matter.class,
                title: matter.title,
                state,
                opened_at,
            }),
        }
    }
    Ok(PieceDetail { piece: piece.into(), conditions, rounds, defects })
}

/// The equipment of a site.
#[utoipa::path(get, path = "/sites/{id}/equipment", tag = "sites", params(("id" = String, Path), PageParams),
    responses((status = 200, body = Page<PieceItem>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path(id): Path<String>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<PieceItem>>, ApiError> {
    let (site, size) = (site_id(&id)?, limit(params.limit)?);
    let after: Option<Uuid> = decode_cursor("equipment", params.cursor.as_deref())?;
    let after = after.unwrap_or(Uuid::nil());
    let found: Result<Vec<Piece>, DeskError> = app
        .db
        .read(move |tx| {
            sees_site(tx, &scope, site)?;
            crate::store::sites::one(tx, site)?.ok_or(DeskError::NoSite(site))?;
            Ok(rows::of_site(tx, site, after, size as i64 + 1)?)
        })
        .await;
    let items: Vec<PieceItem> = found?.into_iter().map(PieceItem::from).collect();
    Ok(Json(Page::new("equipment", size, items, |item| item.id)))
}

/// A piece to write down.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PieceBody {
    /// What it is called at the site.
    label: String,
    /// Its kind, as a pack names it.
    kind: String,
    /// The grade of its condition, as that pack names it.
    condition: String,
    /// The day on which it was installed, such as `2024-05-01`.
    installed_on: Option<String>,
    /// The day of its last test.
    tested_on: Option<String>,
}

/// Writes a piece into the ledger of a site: the tests of its kind fall due from now on.
#[utoipa::path(post, path = "/sites/{id}/equipment", tag = "sites", params(("id" = String, Path)),
    request_body = PieceBody, responses((status = 201, body = PieceDetail)))]
async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<PieceBody>,
) -> Result<Answer, ApiError> {
    let (now, site) = (app.now(), site_id(&id)?);
    let PieceBody { label, kind, condition, installed_on, tested_on } = body.value;
    let label = text("label", Some(label))?;
    let said = Said { kind, grade: condition, installed_on, tested_on };
    let (desk, by) = (app.desk.clone(), caller.user.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_site(tx, &scope, site)?;
        let id = equipment::add(&desk, tx, (site, &label), said.clone(), &by, now)?;
        Answer::new(StatusCode::CREATED, &detail(tx, id)?)
    })
    .await
}

/// A piece with its condition through time, its rounds and its defects.
#[utoipa::path(get, path = "/equipment/{id}", tag = "sites", params(("id" = String, Path)),
    responses((status = 200, body = PieceDetail)))]
async fn read(
    State(app): State<Arc<App>>,
    scope: Scope,
    Path(id): Path<String>,
) -> Result<Json<PieceDetail>, ApiError> {
    let id = piece_id(&id)?;
    let read = move |tx: &mut Tx<'_>| {
        sees_equipment(tx, &scope, id)?;
        detail(tx, id)
    };
    let found: Result<PieceDetail, DeskError> = app.db.read(read).await;
    Ok(Json(found?))
}

/// A condition that was found.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct GradeBody {
    /// The grade, as the pack names it; `retired` takes the piece out of service for good.
    condition: String,
    /// Why.
    reason: String,
    /// Since when, RFC 3339; now where it is left out.
    at: Option<String>,
}

/// Changes the condition of a piece, with its reason. The rounds of what is retired are cancelled, and no more fall due.
#[utoipa::path(post, path = "/equipment/{id}/condition", tag = "sites", params(("id" = String, Path)),
    request_body = GradeBody, responses((status = 200, body = PieceDetail)))]
async fn grade(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: Body<GradeBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let new = NewGrade {
        piece: piece_id(&id)?,
        grade: text("condition", Some(body.value.condition))?,
        reason: text("reason", Some(body.value.reason))?,
        at: time("at", body.value.at.as_deref())?.unwrap_or(now),
    };
    let (desk, by) = (app.desk.clone(), caller.user.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        sees_equipment(tx, &scope, new.piece)?;
        equipment::grade(&desk, tx, &new, &by, now)?;
        Answer::new(StatusCode::OK, &detail(tx, new.piece)?)
    })
    .await
}

fn piece_id(id: &str) -> Result<Uuid, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("unknown_equipment", format!("there is no equipment {id}")))
}
