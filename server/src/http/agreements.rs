//! Agreements of confidentiality.

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
use super::faults::time;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::new_matter_step::text;
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::agreements::{self, EXPIRING_WITHIN_MS};
use crate::auth::{Caller, Role};
use crate::db::{DbError, Priority};
use crate::store::agreements::{Agreement, Wanting, list, wanting};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ADMIN, utoipa_axum::routes!(list_agreements))
        .route(Access::ADMIN, utoipa_axum::routes!(record))
        .route(Access::ADMIN, utoipa_axum::routes!(end))
        .route(Access::ADMIN, utoipa_axum::routes!(list_wanting))
}

/// An agreement.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AgreementItem {
    /// Its id.
    id: Uuid,
    /// Who signed.
    person: String,
    /// When.
    signed_at: String,
    /// Until when it holds.
    until: String,
    /// Where the paper is.
    document: String,
    /// Who put it on record.
    by: String,
    /// `valid`, `expiring` (within 30 days) or `ended`.
    state: &'static str,
}

impl AgreementItem {
    fn new(agreement: Agreement, now: UnixMs) -> Self {
        let state = match agreement.until.since(now) {
            i64::MIN..=0 => "ended",
            left if left <= EXPIRING_WITHIN_MS => "expiring",
            _ => "valid",
        };
        Self {
            id: agreement.id,
            person: agreement.person,
            signed_at: agreement.signed_at.to_rfc3339(),
            until: agreement.until.to_rfc3339(),
            document: agreement.document,
            by: agreement.by,
            state,
        }
    }
}

/// Which ones.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AgreementParams {
    /// Only of this person.
    person: Option<String>,
    /// Items in the page, 1 to 500; 100 by default.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Agreements, the one that ends last at the front.
#[utoipa::path(get, path = "/agreements", tag = "people", params(AgreementParams),
    responses((status = 200, body = Page<AgreementItem>)))]
async fn list_agreements(
    State(app): State<Arc<App>>,
    Params(params): Params<AgreementParams>,
) -> Result<Json<Page<AgreementItem>>, ApiError> {
    let (size, now) = (limit(params.limit)?, app.now());
    let before: Option<(i64, Uuid)> = decode_cursor("agreements", params.cursor.as_deref())?;
    let before = before.map(|(at, id)| (UnixMs(at), id));
    let found: Result<Vec<Agreement>, DbError> =
        app.db.read(move |tx| list(tx, params.person.as_deref(), before, size as i64 + 1)).await;
    let Page { items, next_cursor } = Page::new("agreements", size, found?, |item| (item.until.0, item.id));
    let items = items.into_iter().map(|item| AgreementItem::new(item, now)).collect();
    Ok(Json(Page { items, next_cursor }))
}

/// An agreement to put on record.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AgreementBody {
    /// Who signed: a user's name, or somebody without an account.
    person: String,
    /// When, RFC 3339; now where it is left out.
    signed_at: Option<String>,
    /// Until when it holds, RFC 3339.
    until: String,
    /// Where the paper is, such as a file number.
    document: String,
}

/// Puts an agreement on record. Where `desk.confidentiality` is on, nobody is told whom to call at a customer before.
#[utoipa::path(post, path = "/agreements", tag = "people", request_body = AgreementBody,
    responses((status = 201, body = AgreementItem)))]
async fn record(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<AgreementBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let AgreementBody { person, signed_at, until, document } = body.value;
    let agreement = Agreement {
        id: app.fresh_id(),
        person: text("person", Some(person))?,
        signed_at: time("signed_at", signed_at.as_deref())?.unwrap_or(now),
        until: time("until", Some(&until))?.unwrap_or_default(),
        document: text("document", Some(document))?,
        by: caller.user.clone(),
    };
    write_once(&app, &caller, key, body.hash, move |tx| {
        agreements::record(tx, &agreement, now)?;
        Answer::new(StatusCode::CREATED, &AgreementItem::new(agreement.clone(), now))
    })
    .await
}

/// Ends an agreement now, such as of somebody who leaves.
#[utoipa::path(delete, path = "/agreements/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204)))]
async fn end(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let missing = || ApiError::not_found("unknown_agreement", format!("there is no agreement {id}"));
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let now = app.now();
    app.db.write(Priority::Api, move |tx| agreements::end(tx, id, &caller.user, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user whose agreement is wanting, or ends within 30 days.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WantingItem {
    /// The user.
    person: String,
    /// The user's role.
    role: Role,
    /// Until when the last one holds or held; null where there never was one.
    until: Option<String>,
    /// Whether one holds today.
    holds: bool,
}

/// Users without an agreement that holds for 30 days more, by name.
#[utoipa::path(get, path = "/agreements/expiring", tag = "people", params(PageParams),
    responses((status = 200, body = Page<WantingItem>)))]
async fn list_wanting(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<WantingItem>>, ApiError> {
    let (size, now) = (limit(params.limit)?, app.now());
    let after: Option<String> = decode_cursor("expiring", params.cursor.as_deref())?;
    let after = after.unwrap_or_default();
    let found: Result<Vec<Wanting>, DbError> =
        app.db.read(move |tx| wanting(tx, now + EXPIRING_WITHIN_MS, &after, size as i64 + 1)).await;
    let Page { items, next_cursor } = Page::new("expiring", size, found?, |item| item.person.clone());
    let view = |item: Wanting| WantingItem {
        person: item.person,
        role: item.role,
        until: item.until.map(UnixMs::to_rfc3339),
        holds: item.until.is_some_and(|until| until > now),
    };
    Ok(Json(Page { items: items.into_iter().map(view).collect(), next_cursor }))
}
