//! The audit trail as a whole: whether it is, what leaves of it, what of it goes, and where its end was.

pub mod anchors;
pub mod erase;
pub mod export;
pub mod prune;
#[cfg(test)]
mod tests;
pub mod verify;
pub mod walk;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;

use super::{Action, App, AppError, audit};
use crate::db::{Db, DbError, Priority};
use crate::store::audit as store;
use anchors::Anchor;
use verify::Verdict;

/// What was found when the trail was last checked by itself.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TrailCheck {
    /// When.
    pub checked_at: String,
    /// What.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The last check, kept for whoever asks.
#[derive(Debug, Default)]
pub struct LastCheck(Mutex<Option<TrailCheck>>);

impl LastCheck {
    /// It.
    pub fn get(&self) -> Option<TrailCheck> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Checks the trail against itself and the anchors, and keeps what was found.
///
/// # Errors
/// The database's, and the anchors' file's.
pub async fn check(app: &App) -> Result<TrailCheck, AppError> {
    let known = anchors::read(&anchors::file(&app.settings))?;
    let verdict = verify::verify(&app.db, &known).await?;
    metrics::gauge!("linewatch_audit_whole").set(if verdict.whole { 1.0 } else { 0.0 });
    if let Some(broken) = &verdict.broken {
        tracing::error!(n = broken.n, says = broken.says, "the audit trail is broken");
    }
    let checked = TrailCheck { checked_at: app.now().to_rfc3339(), verdict };
    *app.trail.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(checked.clone());
    Ok(checked)
}

/// Says that the trail ends where it does because a backup was put back: what was anchored beyond that is no more. That is an
/// entry itself.
///
/// # Errors
/// When nothing is missing, the database's, and the file's.
pub async fn restored(db: &Db, file: &Path, by: &str, reason: &str, now: UnixMs) -> Result<Anchor, AppError> {
    let known = anchors::read(file)?.pop();
    let head = db.read(store::head).await?.map_or(0, |(n, _)| n);
    let Some(known) = known.filter(|known| known.n > head) else {
        return Err(AppError::Refused(
            "the audit trail goes as far as its anchors: nothing is missing".into(),
        ));
    };
    let (by, detail) = (by.to_owned(), json!({ "reason": reason, "ended_at": head, "anchored": known }));
    let written: Result<(), DbError> = db
        .write(Priority::Api, move |tx| audit(tx, now.0, &by, Action::TrailRestored, "audit", Some(&detail)))
        .await;
    written?;
    let (n, hash) = db.read(store::head).await?.unwrap_or_default();
    let anchor = Anchor { at: now.to_rfc3339(), n, hash: hex::encode(hash), restored: true };
    anchors::append(file, &anchor)?;
    Ok(anchor)
}
