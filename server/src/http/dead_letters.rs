//! Alerts that were given up: listed, and sent again.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::Params;
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::{Action, App, audit};
use crate::auth::Caller;
use crate::db::Priority;
use crate::notify::{DeadLetter, list_dead, resend};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router.route(Access::NOC, utoipa_axum::routes!(list)).route(Access::NOC, utoipa_axum::routes!(send_again))
}

/// An alert that was given up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DeadLetterItem {
    /// Its number.
    n: i64,
    /// The fault.
    fault: String,
    /// `email` or `webhook`.
    channel: String,
    /// The address, or the webhook's name; empty where the customer had nobody to tell.
    destination: String,
    /// Tries.
    attempts: i64,
    /// When the alert was made.
    created_at: String,
    /// When it was given up.
    dead_at: String,
    /// Why.
    error: String,
}

impl From<DeadLetter> for DeadLetterItem {
    fn from(letter: DeadLetter) -> Self {
        Self {
            n: letter.n,
            fault: letter.fault.to_string(),
            channel: letter.channel,
            destination: letter.destination,
            attempts: letter.attempts,
            created_at: letter.created_at.to_rfc3339(),
            dead_at: UnixMs::to_rfc3339(letter.dead_at),
            error: letter.error,
        }
    }
}

/// Alerts that were given up, oldest first.
#[utoipa::path(get, path = "/dead-letters", tag = "alerts", params(PageParams),
    responses((status = 200, body = Page<DeadLetterItem>)))]
async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<DeadLetterItem>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<i64> = decode_cursor("dead-letters", params.cursor.as_deref())?;
    let letters = list_dead(&app.db, after.unwrap_or(0)).await?;
    let items = letters.into_iter().take(size + 1).map(DeadLetterItem::from).collect();
    Ok(Json(Page::new("dead-letters", size, items, |item| item.n)))
}

/// Sends a dead letter again, under the same Message-ID.
#[utoipa::path(post, path = "/dead-letters/{n}/resend", tag = "alerts", params(("n" = i64, Path)),
    responses((status = 204)))]
async fn send_again(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(n): Path<i64>,
) -> Result<StatusCode, ApiError> {
    let now = app.now();
    if !resend(&app.db, n, now).await? {
        return Err(ApiError::not_found("unknown_dead_letter", format!("there is no dead letter {n}")));
    }
    let write = move |tx: &mut crate::db::Tx<'_>| {
        audit(tx, now.0, &caller.user, Action::AlertSentAgain, &n.to_string(), None)
    };
    app.db.write(Priority::Api, write).await?;
    Ok(StatusCode::NO_CONTENT)
}
