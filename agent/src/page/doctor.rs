//! `GET /api/doctor`: what `doctor` finds, in both languages.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::error::Problem;
use super::state::Local;
use crate::command::doctor::{Lang, examine};
use crate::journal::JournalError;

/// `GET /api/doctor`
pub async fn show(State(local): State<Arc<Local>>) -> Result<Json<Value>, Problem> {
    let (config, journal) = (local.config.clone(), local.journal.clone());
    let both = tokio::task::spawn_blocking(move || {
        let examine = |lang| examine(&config, lang, Some(&journal));
        (examine(Lang::En), examine(Lang::Zh))
    })
    .await;
    let (en, zh) = both.map_err(|error| JournalError::Damaged(error.to_string()))?;
    let failed = |error: anyhow::Error| JournalError::Damaged(error.to_string());
    let (en, zh) = (en.map_err(failed)?, zh.map_err(failed)?);
    let items: Vec<Value> = en
        .iter()
        .zip(&zh)
        .map(|(en, zh)| {
            json!({ "check": en.check, "grade": format!("{:?}", en.grade).to_lowercase(), "text": { "en": en.text, "zh": zh.text } })
        })
        .collect();
    Ok(Json(json!(items)))
}
