//! The audit trail: who did what, for administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::faults::time;
use super::page::{Page, decode_cursor, limit};
use crate::app::App;
use crate::app::trail::{self, TrailCheck};
use crate::db::DbError;
use crate::store::audit::{self, Entry, Wanted};

/// Adds the route.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::ADMIN, utoipa_axum::routes!(list)).route(Access::ADMIN, utoipa_axum::routes!(chain))
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditParams {
    /// Only by this person, command or agent.
    who: Option<String>,
    /// Only this action, such as `user added`.
    action: Option<String>,
    /// Only about this.
    subject: Option<String>,
    /// Not before, RFC 3339.
    from: Option<String>,
    /// Before, RFC 3339.
    until: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An entry.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuditItem {
    /// Its number.
    n: i64,
    /// When.
    at: String,
    /// Who.
    who: String,
    /// What was done.
    action: String,
    /// About what.
    subject: String,
    /// More, by the action.
    #[schema(value_type = Option<Object>)]
    detail: Option<serde_json::Value>,
}

impl From<Entry> for AuditItem {
    fn from(entry: Entry) -> Self {
        let Entry { n, at, who, action, subject, detail } = entry;
        let detail = detail.and_then(|text| serde_json::from_str(&text).ok());
        Self { n, at: at.to_rfc3339(), who, action, subject, detail }
    }
}

/// Who did what, the latest first.
#[utoipa::path(get, path = "/audit", tag = "people", params(AuditParams),
    responses((status = 200, body = Page<AuditItem>)))]
async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<AuditParams>,
) -> Result<Json<Page<AuditItem>>, ApiError> {
    let size = limit(params.limit)?;
    let wanted = Wanted {
        from: time("from", params.from.as_deref())?,
        until: time("until", params.until.as_deref())?,
        before: decode_cursor("audit", params.cursor.as_deref())?,
        who: params.who,
        action: params.action,
        subject: params.subject,
    };
    let found: Result<Vec<Entry>, DbError> =
        app.db.read(move |tx| audit::list(tx, &wanted, size as i64 + 1)).await;
    let Page { items, next_cursor } = Page::new("audit", size, found?, |entry| entry.n);
    Ok(Json(Page { items: items.into_iter().map(AuditItem::from).collect(), next_cursor }))
}

/// Whether the chain of entries is whole, as the server found it when it last looked: at its start, and each day.
#[utoipa::path(get, path = "/audit/chain", tag = "people", responses((status = 200, body = TrailCheck)))]
async fn chain(State(app): State<Arc<App>>) -> Result<Json<TrailCheck>, ApiError> {
    match app.trail.get() {
        Some(checked) => Ok(Json(checked)),
        None => Ok(Json(trail::check(&app).await?)),
    }
}
