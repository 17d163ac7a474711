//! Visit reports, as agents sent them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use linewatch_shared::facts::{Body, Record, Visit};
use linewatch_shared::wire::Hash;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::confidential::Withheld;
use super::error::ApiError;
use super::extract::Params;
use super::page::{Page, PageParams, decode_cursor, limit};
use super::reports::{file, lang};
use crate::app::desk::DeskError;
use crate::app::scopes::sees_visit;
use crate::app::visits::redraw::redrawn;
use crate::app::visits::{self, PartCounts, VisitDetail};
use crate::app::{App, contact_reads};
use crate::auth::Caller;
use crate::db::{DbError, Priority, Tx};
use crate::report::visit::render;
use crate::report::{Form, RenderError};
use crate::store::parts;
use crate::store::records::{self, SentRecord};
use crate::store::scope::{self, Scope};
use crate::store::visit_reports::{self, Joined};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK_OWN, utoipa_axum::routes!(list))
        .route(Access::DESK_OWN, utoipa_axum::routes!(read))
        .route(Access::DESK_OWN, utoipa_axum::routes!(image))
        .route(Access::DESK_OWN, utoipa_axum::routes!(paper))
}

/// A visit report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct VisitItem {
    /// Its id.
    id: Uuid,
    /// The agent on which it was written.
    agent: String,
    /// When the visit was, as the device says.
    at: String,
    /// When the server got it.
    recorded_at: String,
    /// The round that it reports, where there is one.
    matter: Option<Uuid>,
    /// Why it counts for no round, or something in it for nothing.
    why: Option<String>,
    /// Whether every photo that it names has arrived.
    complete: bool,
    /// How many photos and signatures it names.
    parts: PartCounts,
    /// What it says: `customer, site, met, purpose, findings, needs, promises`, and `round, class, mode, points, report, promised,
    /// signed_by, left_clean, line, fault, form, answers, satisfied` where they were said.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    visit: Visit,
}

/// Visit reports, the newest first.
#[utoipa::path(get, path = "/visits", tag = "visits", params(PageParams), responses((status = 200, body = Page<VisitItem>)))]
async fn list(
    State(app): State<Arc<App>>,
    scope: Scope,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<VisitItem>>, ApiError> {
    let size = limit(params.limit)?;
    let before: Option<Uuid> = decode_cursor("visits", params.cursor.as_deref())?;
    let items: Result<Vec<VisitItem>, DbError> = app
        .db
        .read(move |tx| {
            let rows = records::newest_visits(tx, &scope, before, size as i64 + 1)?;
            let mut items = rows.into_iter().map(item).collect::<Result<Vec<VisitItem>, DbError>>()?;
            let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
            let mut joined = visit_reports::of(tx, &ids)?;
            let counts = parts::counts(tx, &ids)?;
            for item in &mut items {
                let (total, whole) = counts.get(&item.id).copied().unwrap_or_default();
                (item.complete, item.parts) = (total == whole, PartCounts { total, whole });
                let Joined { matter, why } = joined.remove(&item.id).unwrap_or_default();
                (item.matter, item.why) = (matter, why);
            }
            Ok(items)
        })
        .await;
    Ok(Json(Page::new("visits", size, items?, |item| item.id.to_string())))
}

fn item(sent: SentRecord) -> Result<VisitItem, DbError> {
    match Record::from_bytes(&sent.bytes) {
        Ok(Record { id, occurred, body: Body::Visit(visit), .. }) => Ok(VisitItem {
            id,
            agent: sent.agent,
            at: occurred.raw().to_rfc3339(),
            recorded_at: sent.recorded_at.to_rfc3339(),
            matter: None,
            why: None,
            complete: true,
            parts: PartCounts::default(),
            visit: Visit { parts: Vec::new(), ..visit },
        }),
        Ok(_) => Err(DbError::Data("a record of kind visit is none".to_owned())),
        Err(error) => Err(DbError::Data(error.to_string())),
    }
}

fn visit_id(text: &str) -> Result<Uuid, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("unknown_visit", format!("\"{text}\" is no report's id")))
}

/// A visit report whole: what it says, the form that it was written by with its labels, and how its photos stand. Who reads
/// it is in the audit trail.
#[utoipa::path(get, path = "/visits/{id}", tag = "visits", params(("id" = String, Path)),
    responses((status = 200, body = VisitDetail)))]
async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    Path(id): Path<String>,
) -> Result<Json<VisitDetail>, ApiError> {
    let id = visit_id(&id)?;
    let desk = app.desk.clone();
    let read = move |tx: &mut Tx<'_>| {
        sees_visit(tx, &scope, id)?;
        visits::read(&desk, tx, id)
    };
    let found: VisitDetail = app.db.read(read).await?;
    note(&app, caller.user, id).await?;
    Ok(Json(found))
}

/// A photo or signature of a report, drawn anew from what arrived; that stays as it came, under the hash that names it. Browsers
/// are told to keep it out of pages of others and to run nothing in it. Who reads it is in the audit trail.
#[utoipa::path(get, path = "/visits/{id}/parts/{sha256}", tag = "visits",
    params(("id" = String, Path), ("sha256" = String, Path)),
    responses((status = 200, description = "The image", content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png")))))]
async fn image(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    withheld: Withheld,
    Path((id, sha256)): Path<(String, String)>,
) -> Result<impl IntoResponse, ApiError> {
    withheld.refuse()?;
    let id = visit_id(&id)?;
    let unknown =
        || ApiError::not_found("unknown_part", "this report has no such photo, or it has not arrived yet");
    let mut hash = [0; 32];
    hex::decode_to_slice(&sha256, &mut hash).map_err(|_| unknown())?;
    let found: Result<_, DbError> = app
        .db
        .read(move |tx| {
            let seen = scope::has_visit(tx, &scope, id)?;
            if seen { visits::image(tx, id, Hash(hash)) } else { Ok(None) }
        })
        .await;
    let (media, bytes) = found?.ok_or_else(unknown)?;
    note(&app, caller.user, id).await?;
    let drawing = tokio::task::spawn_blocking(move || redrawn(media, &bytes)).await;
    let drawn = drawing.map_err(|e| DbError::Data(e.to_string()))?;
    let bytes =
        drawn.map_err(|e| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "no_picture", e.to_string()))?;
    let ending = media.rsplit('/').next().unwrap_or_default();
    let name = format!("attachment; filename=\"{}.{ending}\"", hex::encode(&hash[..8]));
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
    ];
    Ok((headers, bytes))
}

/// In which language.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PaperParams {
    /// `zh` or `en`; `zh` by default.
    lang: Option<String>,
}

/// A visit report on paper, with its photos and the signature; what has not arrived yet is said to be missing. Who takes it
/// is in the audit trail.
#[utoipa::path(get, path = "/visits/{id}/report.pdf", tag = "visits", params(("id" = String, Path), PaperParams),
    responses((status = 200, description = "The report", content((Vec<u8> = "application/pdf")))))]
async fn paper(
    State(app): State<Arc<App>>,
    caller: Caller,
    scope: Scope,
    withheld: Withheld,
    Path(id): Path<String>,
    Params(params): Params<PaperParams>,
) -> Result<Response, ApiError> {
    withheld.refuse()?;
    let (id, lang, desk) = (visit_id(&id)?, lang(params.lang.as_deref())?, app.desk.clone());
    let read: Result<_, DeskError> = app
        .db
        .read(move |tx| {
            sees_visit(tx, &scope, id)?;
            let detail = visits::read(&desk, tx, id)?;
            let images = visits::images(tx, &detail)?;
            Ok((detail, images))
        })
        .await;
    let (detail, images) = read?;
    note(&app, caller.user, id).await?;
    let rendering = tokio::task::spawn_blocking(move || render(&detail, &images, lang));
    let bytes = rendering.await.map_err(|e| RenderError::Write(e.to_string()))??;
    Ok(file(&format!("linewatch-visit-{id}"), Form::Pdf, bytes))
}

/// A report names people, and shows them: who reads it is noted as who reads whom to call is.
async fn note(app: &App, user: String, id: Uuid) -> Result<(), DbError> {
    let (subject, now) = (format!("visit/{id}"), app.now());
    let (by, of) = (user.clone(), subject.clone());
    let noted: Result<bool, DbError> =
        app.db.read(move |tx| contact_reads::is_noted(tx, &by, &of, now)).await;
    if noted? {
        return Ok(());
    }
    app.db.write(Priority::Api, move |tx| contact_reads::note(tx, &user, &subject, now)).await
}
