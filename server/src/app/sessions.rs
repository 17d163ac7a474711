//! Sessions of people: which there are, and their end.

use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;

use super::{Action, AppError, audit};
use crate::auth::{Caller, credential};
use crate::db::{Db, Priority};
use crate::store::{self, sessions};

/// A session, as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnSession {
    /// What it is called here.
    pub id: String,
    /// When it began, RFC 3339.
    pub began_at: String,
    /// When something was last asked with it, to the minute.
    pub seen_at: String,
    /// When it ends at the latest.
    pub ends_at: String,
    /// From which address.
    pub address: String,
    /// What the browser calls itself.
    pub browser: String,
    /// Whether it is a screen on the wall.
    pub screen: bool,
    /// Whether it is the one that asks.
    pub here: bool,
}

/// The caller's running sessions, the last begun first.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, caller: &Caller, now: UnixMs) -> Result<Vec<OwnSession>, AppError> {
    let user = caller.user.clone();
    let rows = db.read(move |tx| sessions::of(tx, &user, now)).await?;
    let shown = rows.into_iter().map(|row| {
        let id = credential::id_of(&row.hash);
        OwnSession {
            here: id == caller.proof,
            id,
            began_at: row.created_at.to_rfc3339(),
            seen_at: row.seen_at.to_rfc3339(),
            ends_at: row.expires_at.to_rfc3339(),
            address: row.address,
            browser: row.browser,
            screen: row.screen,
        }
    });
    Ok(shown.collect())
}

/// Ends the session of that secret; that there is none is no error.
///
/// # Errors
/// The database's.
pub async fn sign_out(db: &Db, secret: &str, now: UnixMs) -> Result<(), AppError> {
    let hash = credential::hash_of(secret);
    db.write(Priority::Api, move |tx| {
        let known = sessions::user_of(tx, hash, now)?;
        sessions::end(tx, hash)?;
        if let Some(known) = known {
            audit(tx, now.0, &known.user, Action::SignedOut, &known.user, None)?;
        }
        Ok(())
    })
    .await
}

/// Ends one of the user's sessions.
///
/// # Errors
/// When the user has none that is called so.
pub async fn end_one(db: &Db, user: &str, id: &str, now: UnixMs) -> Result<(), AppError> {
    let (user, id) = (user.to_owned(), id.to_owned());
    db.write(Priority::Api, move |tx| {
        let rows = sessions::of(tx, &user, now)?;
        let unknown = || AppError::Unknown { kind: "session", name: id.clone() };
        let row = rows.iter().find(|row| credential::id_of(&row.hash) == id).ok_or_else(unknown)?;
        sessions::end(tx, row.hash)?;
        let detail = json!({ "session": id });
        Ok(audit(tx, now.0, &user, Action::SessionEnded, &user, Some(&detail))?)
    })
    .await
}

/// Ends every session of a user, screens too; says how many there were. `by` does it.
///
/// # Errors
/// When there is no such user.
pub async fn end_all(db: &Db, user: &str, by: &str, now: UnixMs) -> Result<u64, AppError> {
    let (user, by) = (user.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let unknown = || AppError::Unknown { kind: "user", name: user.clone() };
        store::users::is_disabled(tx, &user)?.ok_or_else(unknown)?;
        let ended = sessions::end_all_of(tx, &user)?;
        let detail = json!({ "ended": ended });
        audit(tx, now.0, &by, Action::SignedOutEverywhere, &user, Some(&detail))?;
        Ok(ended)
    })
    .await
}
