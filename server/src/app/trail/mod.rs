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

use linewatch_shared::time::UnixMs;
use serde_json::json;

use super::{Action, AppError, audit};
use crate::db::{Db, DbError, Priority};
use crate::store::audit as store;
use anchors::Anchor;

/// Under which name an erasure counts the details of the trail that went with it.
pub const ERASED_COUNT: &str = "audit details";

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
