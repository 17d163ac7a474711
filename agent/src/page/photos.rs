//! Photos and signatures: cleaned of what cameras write into them, then kept.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use linewatch_shared::facts::PART_BYTES_MAX;
use serde_json::json;
use uuid::Uuid;

use super::error::Problem;
use super::extract::Id;
use super::state::Local;
use crate::field::clean::clean;
use crate::field::draft::HexHash;
use crate::field::parts;
use crate::journal::JournalError;

/// The longest photo, in bytes.
pub const PHOTO_BYTES_MAX: usize = PART_BYTES_MAX as usize;

/// `POST /api/drafts/{id}/photos`
pub async fn add(State(local): State<Arc<Local>>, Id(id): Id, bytes: Bytes) -> Result<Response, Problem> {
    let cleaned = tokio::task::spawn_blocking(move || clean(&bytes)).await;
    let cleaned = cleaned.map_err(|error| JournalError::Damaged(error.to_string()))?;
    let (media, bytes) = cleaned.map_err(|error| Problem::unfit("no_picture", error.to_string()))?;
    let now = local.scribe.now();
    let kept = local.journal.write(move |tx| parts::keep(tx, id, media, &bytes, now)).await?;
    let detail = "there is no such draft, or it has 40 pictures already";
    let known = kept.ok_or_else(|| Problem::not_found(detail))?;
    let body = json!({
        "sha256": HexHash(known.sha256),
        "bytes": known.bytes,
        "media": known.media.mime(),
    });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

fn none() -> Problem {
    Problem::not_found("there is no such picture on this device")
}

/// `GET /api/drafts/{id}/photos/{sha256}`
pub async fn of_draft(
    State(local): State<Arc<Local>>,
    Path((id, sha256)): Path<(Uuid, String)>,
) -> Result<Response, Problem> {
    let HexHash(hash) = sha256.parse().map_err(|_| none())?;
    let is_held = local.journal.read(move |db| parts::is_held_by(db, id, hash)).await?;
    if is_held { picture(&local, HexHash(hash)).await } else { Err(none()) }
}

/// `DELETE /api/drafts/{id}/photos/{sha256}`
pub async fn remove(
    State(local): State<Arc<Local>>,
    Path((id, sha256)): Path<(Uuid, String)>,
) -> Result<StatusCode, Problem> {
    let HexHash(hash) = sha256.parse().map_err(|_| none())?;
    let gone = local.journal.write(move |tx| parts::remove(tx, id, hash)).await?;
    if gone { Ok(StatusCode::NO_CONTENT) } else { Err(none()) }
}

/// `GET /api/parts/{sha256}`
pub async fn of_report(
    State(local): State<Arc<Local>>,
    Path(sha256): Path<String>,
) -> Result<Response, Problem> {
    picture(&local, sha256.parse().map_err(|_| none())?).await
}

async fn picture(local: &Local, HexHash(hash): HexHash) -> Result<Response, Problem> {
    let found = local.journal.read(move |db| {
        let Some(known) = parts::one(db, hash)? else { return Ok(None) };
        Ok(parts::bytes(db, hash, 0, PHOTO_BYTES_MAX)?.map(|bytes| (known.media, bytes)))
    });
    let (media, bytes) = found.await?.ok_or_else(none)?;
    // Named by its content, and this person's only.
    let headers = [
        (header::CONTENT_TYPE, media.mime()),
        (header::CACHE_CONTROL, "private, max-age=3600, immutable"),
        (header::CONTENT_DISPOSITION, "inline"),
    ];
    Ok((headers, bytes).into_response())
}
