//! What was written down here and where it is; finished reports whole, for reading and printing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use linewatch_shared::facts::{Body, Part};
use linewatch_shared::rules::Form;
use serde::Serialize;
use serde_json::json;

use super::error::Problem;
use super::extract::Id;
use super::state::Local;
use crate::field::draft::{Draft, HexHash};
use crate::field::{finish, parts, saved};
use crate::scope;

/// `GET /api/saved`
pub async fn list(State(local): State<Arc<Local>>) -> Result<Json<Vec<saved::SavedView>>, Problem> {
    Ok(Json(local.journal.read(saved::all).await?))
}

#[derive(Serialize)]
struct PartView {
    sha256: HexHash,
    role: linewatch_shared::facts::PartRole,
    media: &'static str,
    bytes: u64,
    caption: String,
    taken_at: Option<String>,
    place: Option<serde_json::Value>,
    whole: bool,
    here: bool,
}

fn part_view(part: &Part, known: Option<parts::Known>) -> PartView {
    let degrees = |place: linewatch_shared::facts::Place| {
        json!({
            "latitude": f64::from(place.latitude_udeg) / 1e6,
            "longitude": f64::from(place.longitude_udeg) / 1e6,
        })
    };
    PartView {
        sha256: HexHash(part.sha256),
        role: part.role,
        media: part.media.mime(),
        bytes: part.bytes,
        caption: part.caption.clone(),
        taken_at: part.taken_at.map(linewatch_shared::time::UnixMs::to_rfc3339),
        place: part.place.map(degrees),
        whole: known.is_none_or(|known| known.whole),
        here: known.is_some(),
    }
}

/// `GET /api/visits/{id}`
pub async fn visit(State(local): State<Arc<Local>>, Id(id): Id) -> Result<Response, Problem> {
    let found = local.journal.read(move |db| {
        let Some((record, state)) = saved::visit(db, id)? else { return Ok(None) };
        let Body::Visit(visit) = &record.body else { return Ok(None) };
        let customers = scope::customers(db)?;
        let customer = customers.into_iter().find(|known| known.code == visit.customer);
        let named = Draft { form: visit.form.clone(), ..Draft::default() };
        let form: Option<Form> = finish::form_of(db, &named)?;
        let mut views = Vec::new();
        for part in &visit.parts {
            views.push(part_view(part, parts::one(db, part.sha256)?));
        }
        let mut said = serde_json::to_value(visit).unwrap_or_default();
        if let Some(fields) = said.as_object_mut() {
            // With their state, beside.
            fields.remove("parts");
        }
        Ok(Some(json!({
            "id": id,
            "at": record.occurred.raw().to_rfc3339(),
            "written_at": record.written.wall.to_rfc3339(),
            "by": record.by,
            "state": state,
            "customer_name": customer.map(|known| known.name).unwrap_or_default(),
            "visit": said,
            "form": form,
            "parts": views,
        })))
    });
    let mut body =
        found.await?.ok_or_else(|| Problem::not_found("there is no such report on this device"))?;
    if let Some(fields) = body.as_object_mut() {
        fields.insert("device".to_owned(), json!(local.identity().map(|identity| identity.name)));
    }
    Ok(Json(body).into_response())
}
