//! API tokens: made, shown once, listed, revoked.

use linewatch_shared::time::{DAY_MS, UnixMs};
use serde::Serialize;
use serde_json::json;

use super::{Action, AppError, audit};
use crate::auth::{TokenScope, credential};
use crate::db::{Db, Priority};
use crate::store::api_tokens::{self, TokenRow};
use crate::store::users;

/// How long a token is valid where nothing else is said.
pub const TOKEN_MS: i64 = 90 * DAY_MS;
/// The longest that a token is valid.
pub const TOKEN_MS_MAX: i64 = 366 * DAY_MS;
/// The most valid tokens of one user.
pub const TOKENS_MAX: usize = 50;
/// The longest label, in characters.
const LABEL_CHARS_MAX: usize = 100;

/// A token to make.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// What it is for, in words.
    pub label: String,
    /// What may be done with it.
    pub scope: TokenScope,
    /// For how long; 90 days where nothing is said.
    pub lasts_ms: Option<i64>,
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ApiToken {
    /// What it is called here.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// What may be done with it.
    pub scope: TokenScope,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it ends; absent for one of before there was an end.
    pub expires_at: Option<String>,
    /// The last day on which it was used.
    pub used_on: Option<String>,
}

impl From<TokenRow> for ApiToken {
    fn from(row: TokenRow) -> Self {
        Self {
            id: credential::id_of(&row.hash),
            label: row.label,
            scope: row.scope,
            created_at: row.created_at.to_rfc3339(),
            expires_at: row.expires_at.map(UnixMs::to_rfc3339),
            used_on: row.used_at.map(|at| at.to_rfc3339().chars().take_while(|c| *c != 'T').collect()),
        }
    }
}

fn unknown_user(name: &str) -> AppError {
    AppError::Unknown { kind: "user", name: name.to_owned() }
}

/// Makes a token for a user; it is shown only this once. `by` does it.
///
/// # Errors
/// When there is no such user, it is disabled, has too many, or the token would be valid for too long.
pub async fn make(db: &Db, name: &str, new: NewToken, by: &str, now: UnixMs) -> Result<String, AppError> {
    let lasts_ms = new.lasts_ms.unwrap_or(TOKEN_MS);
    if !(1..=TOKEN_MS_MAX).contains(&lasts_ms) {
        let days = TOKEN_MS_MAX / DAY_MS;
        return Err(AppError::Refused(format!("a token is valid for at most {days} days")));
    }
    let label: String = new.label.trim().chars().filter(|c| !c.is_control()).collect();
    if label.chars().count() > LABEL_CHARS_MAX {
        return Err(AppError::Refused(format!(
            "the label is too long: at most {LABEL_CHARS_MAX} characters"
        )));
    }
    let (secret, _) = credential::fresh()?;
    let token = format!("{}{secret}", credential::TOKEN_PREFIX);
    let row = TokenRow {
        hash: credential::hash_of(&token),
        user: name.to_owned(),
        label,
        scope: new.scope,
        created_at: now,
        expires_at: Some(now + lasts_ms),
        used_at: None,
    };
    let by = by.to_owned();
    db.write(Priority::Api, move |tx| {
        let name = &row.user;
        if users::is_disabled(tx, name)?.ok_or_else(|| unknown_user(name))? {
            return Err(AppError::Refused(format!("the user \"{name}\" is disabled")));
        }
        if api_tokens::of(tx, name, now)?.len() >= TOKENS_MAX {
            return Err(AppError::Refused(format!("at most {TOKENS_MAX} tokens for one user: revoke some")));
        }
        api_tokens::insert(tx, &row)?;
        let shown = ApiToken::from(row.clone());
        let detail = json!({ "token": shown.id, "scope": shown.scope, "expires_at": shown.expires_at });
        Ok(audit(tx, now.0, &by, Action::TokenMade, name, Some(&detail))?)
    })
    .await?;
    Ok(token)
}

/// A user's valid tokens, the last made first.
///
/// # Errors
/// When there is no such user.
pub async fn list(db: &Db, name: &str, now: UnixMs) -> Result<Vec<ApiToken>, AppError> {
    let name = name.to_owned();
    db.read(move |tx| {
        users::is_disabled(tx, &name)?.ok_or_else(|| unknown_user(&name))?;
        Ok(api_tokens::of(tx, &name, now)?.into_iter().map(ApiToken::from).collect())
    })
    .await
}

/// Revokes one of a user's tokens.
///
/// # Errors
/// When the user has none that is called so.
pub async fn revoke(db: &Db, name: &str, id: &str, by: &str, now: UnixMs) -> Result<(), AppError> {
    let (name, id, by) = (name.to_owned(), id.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let unknown = || AppError::Unknown { kind: "token", name: id.clone() };
        let rows = api_tokens::of(tx, &name, now)?;
        let row = rows.iter().find(|row| credential::id_of(&row.hash) == id).ok_or_else(unknown)?;
        api_tokens::remove(tx, row.hash)?;
        Ok(audit(tx, now.0, &by, Action::TokenRevoked, &name, Some(&json!({ "token": id })))?)
    })
    .await
}
