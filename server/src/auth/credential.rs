//! Sessions and API tokens: random, shown once, stored only as a hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linewatch_shared::time::{HOUR_MS, UnixMs};
use sha2::{Digest, Sha256};

use super::Role;
use crate::app::{AppError, random};
use crate::db::{Db, DbError, Priority, Tx};

/// How long a sign-in lasts.
pub const SESSION_MS: i64 = 12 * HOUR_MS;
/// What API tokens begin with, so that they are recognised where they should not be.
pub const TOKEN_PREFIX: &str = "lw_";

/// How a caller proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The browser's cookie, which it sends by itself: writes need a check of their origin.
    Session,
    /// `Authorization: Bearer`.
    Token,
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's name.
    pub user: String,
    /// The user's role.
    pub role: Role,
    /// How it was proved.
    pub via: Via,
}

/// A fresh secret and the hash to store.
///
/// # Errors
/// When the system has no random numbers.
pub fn fresh() -> Result<(String, [u8; 32]), AppError> {
    let secret = URL_SAFE_NO_PAD.encode(random::<32>()?);
    let hash = hash_of(&secret);
    Ok((secret, hash))
}

/// What is stored of a secret. The secret is random, so a plain hash is enough.
#[must_use]
pub fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Starts a session; gives the cookie's value.
///
/// # Errors
/// The database's.
pub async fn start_session(db: &Db, user: &str, now: UnixMs) -> Result<String, AppError> {
    let (secret, hash) = fresh()?;
    let user = user.to_owned();
    db.write(Priority::Api, move |tx| {
        tx.execute(
            "INSERT INTO session (hash, user_name, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4)",
            &[hash.into(), user.as_str().into(), now.into(), (now + SESSION_MS).into()],
        )
    })
    .await?;
    Ok(secret)
}

/// Ends a session; that there is none is no error.
///
/// # Errors
/// The database's.
pub async fn end_session(db: &Db, secret: &str) -> Result<(), DbError> {
    let hash = hash_of(secret);
    db.write(Priority::Api, move |tx| tx.execute("DELETE FROM session WHERE hash = $1", &[hash.into()]))
        .await?;
    Ok(())
}

/// Who the secret belongs to; `None` when it is unknown, has expired, or the user is disabled.
///
/// # Errors
/// The database's.
pub async fn caller(db: &Db, via: Via, secret: &str, now: UnixMs) -> Result<Option<Caller>, DbError> {
    let hash = hash_of(secret);
    let found = db.read(move |tx| look_up(tx, via, hash, now)).await?;
    Ok(found.map(|(user, role)| Caller { user, role, via }))
}

fn look_up(
    tx: &mut Tx<'_>,
    via: Via,
    hash: [u8; 32],
    now: UnixMs,
) -> Result<Option<(String, Role)>, DbError> {
    let sql = match via {
        Via::Session => {
            "SELECT u.name, u.role FROM session s JOIN app_user u ON u.name = s.user_name \
             WHERE s.hash = $1 AND s.expires_at_ms > $2 AND u.disabled = 0"
        }
        Via::Token => {
            "SELECT u.name, u.role FROM api_token t JOIN app_user u ON u.name = t.user_name \
             WHERE t.hash = $1 AND (t.expires_at_ms IS NULL OR t.expires_at_ms > $2) AND u.disabled = 0"
        }
    };
    let Some(row) = tx.query_opt(sql, &[hash.into(), now.into()])? else { return Ok(None) };
    let role: String = row.get(1)?;
    let role = Role::parse(&role).ok_or_else(|| DbError::Data(format!("app_user.role is \"{role}\"")))?;
    Ok(Some((row.get(0)?, role)))
}
