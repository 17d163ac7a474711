//! Reports while they are written: saved at each field, finished once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use linewatch_shared::facts::FormName;
use linewatch_shared::rules::Lack;
use linewatch_shared::time::UnixMs;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::Problem;
use super::extract::{Body, Id};
use super::sessions::User;
use super::state::Local;
use crate::field::draft::Draft;
use crate::field::drafts::{self as kept_drafts, DRAFTS_MAX, Kept, Saved};
use crate::field::finish as finishing;
use crate::journal::JournalError;
use crate::scope;

/// A draft as the page gets it.
#[derive(Serialize)]
struct View {
    id: Uuid,
    revision: u64,
    begun_at: String,
    changed_at: String,
    by: String,
    draft: Draft,
    lacks: Vec<Lack>,
}

impl View {
    fn of(db: &Connection, kept: Kept, now: UnixMs) -> Result<Self, JournalError> {
        let lacks = finishing::lacks(db, &kept, now)?;
        let Kept { id, revision, begun_at, changed_at, by, draft } = kept;
        let (begun_at, changed_at) = (begun_at.to_rfc3339(), changed_at.to_rfc3339());
        Ok(Self { id, revision, begun_at, changed_at, by, draft, lacks })
    }
}

fn none() -> Problem {
    Problem::not_found("there is no such draft on this device")
}

/// `GET /api/drafts`
pub async fn list(State(local): State<Arc<Local>>) -> Result<Json<Value>, Problem> {
    let (drafts, customers) =
        local.journal.read(|db| Ok((kept_drafts::all(db)?, scope::customers(db)?))).await?;
    let items: Vec<Value> = drafts
        .into_iter()
        .map(|kept| {
            let customer = customers.iter().find(|known| known.code == kept.draft.customer);
            json!({
                "id": kept.id,
                "customer": kept.draft.customer,
                "customer_name": customer.map(|known| known.name.as_str()).unwrap_or_default(),
                "title": kept.draft.purpose,
                "changed_at": kept.changed_at.to_rfc3339(),
                "by": kept.by,
            })
        })
        .collect();
    Ok(Json(json!(items)))
}

/// What a draft begins with.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Begin {
    customer: String,
    site: String,
    line: Option<String>,
    fault: Option<Uuid>,
    round: Option<Uuid>,
    mode: Option<String>,
    form: Option<FormName>,
}

/// `POST /api/drafts`
pub async fn begin(
    State(local): State<Arc<Local>>,
    Extension(user): Extension<User>,
    Body(begin): Body<Begin>,
) -> Result<Response, Problem> {
    let now = local.scribe.now();
    let Begin { customer, site, line, fault, round, mode, form } = begin;
    let draft = Draft { customer, site, line, fault, round, mode, form, ..Draft::default() };
    let id = local.scribe.new_id();
    let kept = Kept { id, revision: 1, begun_at: now, changed_at: now, by: user.name, draft };
    let stored = kept.clone();
    if !local.journal.write(move |tx| kept_drafts::begin(tx, &stored)).await? {
        let detail = format!("there are {DRAFTS_MAX} drafts already: finish some, or throw some away");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_drafts", detail));
    }
    let now = local.now().await?;
    let view = local.journal.read(move |db| View::of(db, kept, now)).await?;
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// `GET /api/drafts/{id}`
pub async fn show(State(local): State<Arc<Local>>, Id(id): Id) -> Result<Response, Problem> {
    let now = local.now().await?;
    let view = local
        .journal
        .read(move |db| kept_drafts::one(db, id)?.map(|kept| View::of(db, kept, now)).transpose());
    Ok(Json(view.await?.ok_or_else(none)?).into_response())
}

/// A draft to be saved over a revision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Save {
    revision: u64,
    draft: Draft,
}

/// `PUT /api/drafts/{id}`
pub async fn save(
    State(local): State<Arc<Local>>,
    Id(id): Id,
    Body(Save { revision, draft }): Body<Save>,
) -> Result<Response, Problem> {
    if let Some(bound) = draft.broken_bound() {
        return Err(Problem::unfit("too_much", bound));
    }
    let (wall, now) = (local.scribe.now(), local.now().await?);
    let saved = local.journal.write(move |tx| kept_drafts::save(tx, id, revision, &draft, wall)).await?;
    let (kept, is_other) = match saved {
        Saved::Kept(kept) => (kept, false),
        Saved::Other(kept) => (kept, true),
        Saved::None => return Err(none()),
    };
    let view = local.journal.read(move |db| View::of(db, kept, now)).await?;
    if is_other {
        let detail = "this report was changed in another window";
        let problem = Problem::new(StatusCode::CONFLICT, "other_revision", detail);
        return Err(problem.with("newer", view));
    }
    let View { revision, changed_at, lacks, .. } = view;
    Ok(Json(json!({ "revision": revision, "changed_at": changed_at, "lacks": lacks })).into_response())
}

/// `DELETE /api/drafts/{id}`
pub async fn drop(State(local): State<Arc<Local>>, Id(id): Id) -> Result<StatusCode, Problem> {
    let gone = local.journal.write(move |tx| kept_drafts::drop(tx, id)).await?;
    if gone { Ok(StatusCode::NO_CONTENT) } else { Err(none()) }
}

/// `POST /api/drafts/{id}/finish`
pub async fn finish(
    State(local): State<Arc<Local>>,
    Extension(user): Extension<User>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let now = local.now().await?;
    let is_new = finishing::finish(&local.journal, id, &user.name, now).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({ "id": id }))).into_response())
}
