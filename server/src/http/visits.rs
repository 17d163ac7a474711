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

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::DESK, utoipa_axum::routes!(list))
}

/// A visit report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct VisitItem {
    /// Its id.
    id: String,
    /// The agent on which it was written.
    agent: String,
    /// When the visit was, as the device says.
    at: String,
    /// When the server got it.
    recorded_at: String,
    /// What it says: `customer, site, met, purpose, findings, needs, promises`.
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
    let rows = app.db.read(move |tx| records::newest(tx, "visit", before, size as i64 + 1)).await?;
    let items: Result<Vec<VisitItem>, DbError> = rows.into_iter().map(item).collect();
    Ok(Json(Page::new("visits", size, items?, |item| item.id.clone())))
}

fn item(sent: SentRecord) -> Result<VisitItem, DbError> {
    match Record::from_bytes(&sent.bytes) {
        Ok(Record { id, occurred, body: Body::Visit(visit), .. }) => Ok(VisitItem {
            id: id.to_string(),
            agent: sent.agent,
            at: occurred.raw().to_rfc3339(),
            recorded_at: sent.recorded_at.to_rfc3339(),
            visit,
        }),
        Ok(_) => Err(DbError::Data("a record of kind visit is none".to_owned())),
        Err(error) => Err(DbError::Data(error.to_string())),
    }
}
