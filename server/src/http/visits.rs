//! Visit reports, as agents sent them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linewatch_shared::facts::{Body, Record, Visit};
use serde::Serialize;
use uuid::Uuid;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::db::DbError;
use crate::store::records::{self, SentRecord};
use crate::store::visit_reports::{self, Joined};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::DESK, utoipa_axum::routes!(list))
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
    /// What it says: `customer, site, met, purpose, findings, needs, promises`, and `round, class, mode, points, report, promised,
    /// signed_by, left_clean` where they were said.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    visit: Visit,
}

/// Visit reports, the newest first.
#[utoipa::path(get, path = "/visits", tag = "visits", params(PageParams), responses((status = 200, body = Page<VisitItem>)))]
async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<VisitItem>>, ApiError> {
    let size = limit(params.limit)?;
    let before: Option<Uuid> = decode_cursor("visits", params.cursor.as_deref())?;
    let items: Result<Vec<VisitItem>, DbError> = app
        .db
        .read(move |tx| {
            let rows = records::newest(tx, "visit", before, size as i64 + 1)?;
            let mut items = rows.into_iter().map(item).collect::<Result<Vec<VisitItem>, DbError>>()?;
            let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
            let mut joined = visit_reports::of(tx, &ids)?;
            for item in &mut items {
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
            visit,
        }),
        Ok(_) => Err(DbError::Data("a record of kind visit is none".to_owned())),
        Err(error) => Err(DbError::Data(error.to_string())),
    }
}
