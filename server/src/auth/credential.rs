//! Sessions and API tokens: random, shown once, stored only as a hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use sha2::{Digest, Sha256};

use super::Role;
use crate::app::{AppError, random};
use crate::db::{Db, DbError, Priority};
use crate::store::sessions::{self, Known};

/// How long a sign-in lasts.
pub const SESSION_MS: i64 = 12 * HOUR_MS;
/// How long the sign-in of a screen on the wall lasts.
pub const SCREEN_MS: i64 = 365 * DAY_MS;
/// What the secrets of screens begin with: what they may do is known from it.
const SCREEN_PREFIX: &str = "screen_";
/// What API tokens begin with, so that they are recognised where they should not be.
pub const TOKEN_PREFIX: &str = "lw_";

/// How a caller proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The browser's cookie, which it sends by itself: writes need a check of their origin.
    Session,
    /// The same of a screen on the wall: it reads the board, and nothing else.
    Screen,
    /// `Authorization: Bearer`.
    Token,
}

impl Via {
    /// What a cookie's value is the secret of.
    #[must_use]
    pub fn cookie(secret: &str) -> Self {
        if secret.starts_with(SCREEN_PREFIX) { Self::Screen } else { Self::Session }
    }
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
    /// The contractor, of one's technician: it sees what that one maintains, and nothing else.
    pub contractor: Option<String>,
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
    db.write(Priority::Api, move |tx| sessions::start(tx, hash, &user, now, now + SESSION_MS)).await?;
    Ok(secret)
}

/// Starts the session of a screen on the wall; gives the cookie's value.
///
/// # Errors
/// The database's.
pub async fn start_screen(db: &Db, user: &str, now: UnixMs) -> Result<String, AppError> {
    let (secret, _) = fresh()?;
    let secret = format!("{SCREEN_PREFIX}{secret}");
    let (user, hash) = (user.to_owned(), hash_of(&secret));
    db.write(Priority::Api, move |tx| sessions::start(tx, hash, &user, now, now + SCREEN_MS)).await?;
    Ok(secret)
}

/// Ends a session; that there is none is no error.
///
/// # Errors
/// The database's.
pub async fn end_session(db: &Db, secret: &str) -> Result<(), DbError> {
    let hash = hash_of(secret);
    db.write(Priority::Api, move |tx| sessions::end(tx, hash)).await
}

/// Who the secret belongs to; `None` when it is unknown, has expired, or the user is disabled.
///
/// # Errors
/// The database's.
pub async fn caller(db: &Db, via: Via, secret: &str, now: UnixMs) -> Result<Option<Caller>, DbError> {
    let hash = hash_of(secret);
    let found = db
        .read(move |tx| match via {
            Via::Session | Via::Screen => sessions::user_of_session(tx, hash, now),
            Via::Token => sessions::user_of_token(tx, hash, now),
        })
        .await?;
    Ok(found.map(|Known { user, role, contractor }| Caller { user, role, via, contractor }))
}
