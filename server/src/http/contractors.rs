//! Companies that maintain for us.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::access::{Access, ApiRouter};
use super::error::ApiError;
use super::extract::{Body, Params};
use super::faults::short;
use super::idempotency::{Answer, IdempotencyKey, write_once};
use super::page::{Page, PageParams, decode_cursor, limit};
use crate::app::App;
use crate::app::contractors::{self, Said};
use crate::app::desk::DeskError;
use crate::auth::Caller;
use crate::db::Priority;
use crate::store::contractors::{Contractor, list};

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::DESK, utoipa_axum::routes!(list_contractors))
        .route(Access::ADMIN, utoipa_axum::routes!(put_contractor))
        .route(Access::DESK, utoipa_axum::routes!(read_contractor))
}

/// A contractor, as lists show it: whom to call stands in its own reading.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ContractorItem {
    /// The code.
    code: String,
    /// The name.
    name: String,
    /// The contract's first day.
    contract_from: String,
    /// Its last day; null where no end is agreed.
    contract_until: Option<String>,
    /// The pack whose assessment applies.
    pack: String,
    /// The part of the fee that hangs on it, in millionths; null: the pack's.
    fee_part_ppm: Option<u32>,
}

impl From<Contractor> for ContractorItem {
    fn from(contractor: Contractor) -> Self {
        let Contractor { code, name, contract_from, contract_until, pack, fee_part_ppm, .. } = contractor;
        Self { code, name, contract_from, contract_until, pack, fee_part_ppm }
    }
}

/// A contractor with whom to call.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ContractorDetail {
    /// The contractor.
    #[serde(flatten)]
    contractor: ContractorItem,
    /// Whom to call.
    contact_name: Option<String>,
    /// Where.
    contact_phone: Option<String>,
}

impl From<Contractor> for ContractorDetail {
    fn from(contractor: Contractor) -> Self {
        let (contact_name, contact_phone) =
            (contractor.contact_name.clone(), contractor.contact_phone.clone());
        Self { contractor: contractor.into(), contact_name, contact_phone }
    }
}

/// Contractors, by code.
#[utoipa::path(get, path = "/contractors", tag = "people", params(PageParams),
    responses((status = 200, body = Page<ContractorItem>)))]
async fn list_contractors(
    State(app): State<Arc<App>>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<ContractorItem>>, ApiError> {
    let size = limit(params.limit)?;
    let after: Option<String> = decode_cursor("contractors", params.cursor.as_deref())?;
    let after = after.unwrap_or_default();
    let found = app.db.read(move |tx| list(tx, &after, size as i64 + 1)).await?;
    let items: Vec<ContractorItem> = found.into_iter().map(ContractorItem::from).collect();
    Ok(Json(Page::new("contractors", size, items, |item| item.code.clone())))
}

/// A contractor to write down. What is left out stays as it is; an empty text takes it away.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ContractorBody {
    /// The code: letters, digits or . - _ @.
    code: String,
    /// The name.
    name: Option<String>,
    /// The contract's first day, such as `2026-01-01`.
    contract_from: Option<String>,
    /// Its last day. After it the contractor's technicians cannot sign in.
    contract_until: Option<String>,
    /// Whom to call.
    contact_name: Option<String>,
    /// Where.
    contact_phone: Option<String>,
    /// The pack whose assessment applies.
    pack: Option<String>,
    /// The part of the fee that hangs on it, such as `8%`, where it is not the pack's.
    fee_part: Option<String>,
}

/// Writes a contractor down (201), or what changed of it (200).
#[utoipa::path(post, path = "/contractors", tag = "people", request_body = ContractorBody,
    responses((status = 201, body = ContractorDetail), (status = 200, body = ContractorDetail)))]
async fn put_contractor(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Body<ContractorBody>,
) -> Result<Answer, ApiError> {
    let now = app.now();
    let ContractorBody {
        code,
        name,
        contract_from,
        contract_until,
        contact_name,
        contact_phone,
        pack,
        fee_part,
    } = body.value;
    let field = |name, value: Option<String>| value.map(|value| short(name, value)).transpose();
    let said = Said {
        code,
        name: field("name", name)?,
        contract_from: field("contract_from", contract_from)?,
        contract_until: field("contract_until", contract_until)?,
        contact_name: field("contact_name", contact_name)?,
        contact_phone: field("contact_phone", contact_phone)?,
        pack: field("pack", pack)?,
        fee_part: field("fee_part", fee_part)?,
    };
    let (packs, by) = (Arc::clone(&app.desk.packs), caller.user.clone());
    write_once(&app, &caller, key, body.hash, move |tx| {
        let (contractor, new) = contractors::put(&packs, tx, &said, &by, now)?;
        let status = if new { StatusCode::CREATED } else { StatusCode::OK };
        Answer::new(status, &ContractorDetail::from(contractor))
    })
    .await
}

/// A contractor with whom to call: that reading is in the audit trail.
#[utoipa::path(get, path = "/contractors/{code}", tag = "people", params(("code" = String, Path)),
    responses((status = 200, body = ContractorDetail)))]
async fn read_contractor(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(code): Path<String>,
) -> Result<Json<ContractorDetail>, ApiError> {
    let now = app.now();
    let found: Result<Contractor, DeskError> =
        app.db.write(Priority::Api, move |tx| contractors::read(tx, &code, &caller.user, now)).await;
    Ok(Json(found?.into()))
}
