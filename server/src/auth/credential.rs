//! Sessions and API tokens: random, shown once, stored only as a hash, looked up anew with each request.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use sha2::{Digest, Sha256};

use super::{Role, TokenScope};
use crate::app::{AppError, random};
use crate::db::{Db, DbError, Priority};
use crate::store::sessions::SessionRow;
use crate::store::{api_tokens, sessions};

/// How long a sign-in lasts at most, where the configuration says nothing else.
pub const SESSION_MS: i64 = 12 * HOUR_MS;
/// After how much quiet it ends, where the configuration says nothing else.
pub const IDLE_MS: i64 = 2 * HOUR_MS;
/// How long the sign-in of a screen on the wall lasts.
pub const SCREEN_MS: i64 = 365 * DAY_MS;
/// What the secrets of screens begin with: what they may do is known from it.
const SCREEN_PREFIX: &str = "screen_";
/// What API tokens begin with, so that they are recognised where they should not be.
pub const TOKEN_PREFIX: &str = "lw_";
/// How exactly it is known when a session was last used.
pub const SEEN_GRAIN_MS: i64 = 60_000;
/// The most that is kept of what a browser calls itself, in characters.
const BROWSER_CHARS_MAX: usize = 200;
/// Bytes of a hash by which a session or token is called.
const ID_BYTES: usize = 8;

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
    /// What may be done of what the role may.
    pub scope: TokenScope,
    /// What the session or token is called.
    pub proof: String,
}

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// At most.
    pub max_ms: i64,
    /// Without anything asked.
    pub idle_ms: i64,
}

impl Default for Lasting {
    fn default() -> Self {
        Self { max_ms: SESSION_MS, idle_ms: IDLE_MS }
    }
}

/// Where a sign-in comes from, as its user is shown it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address.
    pub address: String,
    /// What the browser calls itself.
    pub browser: String,
}

impl Origin {
    /// From an address and a `User-Agent`.
    #[must_use]
    pub fn new(address: std::net::IpAddr, browser: &str) -> Self {
        let browser = browser.chars().filter(|c| !c.is_control()).take(BROWSER_CHARS_MAX).collect();
        Self { address: address.to_canonical().to_string(), browser }
    }
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

/// What a session or token is called: the beginning of its hash, of which nobody finds the secret.
#[must_use]
pub fn id_of(hash: &[u8; 32]) -> String {
    hex::encode(&hash[..ID_BYTES])
}

/// Starts a session; gives the cookie's value, which is new each time.
///
/// # Errors
/// The database's.
pub async fn start_session(
    db: &Db,
    user: &str,
    lasting: Lasting,
    from: Origin,
    now: UnixMs,
) -> Result<String, AppError> {
    let (secret, _) = fresh()?;
    let times = (now + lasting.max_ms, Some(lasting.idle_ms));
    start(db, user, secret, times, from, now).await
}

/// Starts the session of a screen on the wall; gives the cookie's value.
///
/// # Errors
/// The database's.
pub async fn start_screen(db: &Db, user: &str, from: Origin, now: UnixMs) -> Result<String, AppError> {
    let (secret, _) = fresh()?;
    let secret = format!("{SCREEN_PREFIX}{secret}");
    start(db, user, secret, (now + SCREEN_MS, None), from, now).await
}

async fn start(
    db: &Db,
    user: &str,
    secret: String,
    (expires_at, idle_ms): (UnixMs, Option<i64>),
    from: Origin,
    now: UnixMs,
) -> Result<String, AppError> {
    let row = SessionRow {
        hash: hash_of(&secret),
        user: user.to_owned(),
        created_at: now,
        seen_at: now,
        expires_at,
        idle_ms,
        screen: Via::cookie(&secret) == Via::Screen,
        address: from.address,
        browser: from.browser,
    };
    db.write(Priority::Api, move |tx| sessions::start(tx, &row)).await?;
    Ok(secret)
}

/// Who the secret belongs to; `None` when it is unknown, has expired, or the user is disabled.
///
/// # Errors
/// The database's.
pub async fn caller(db: &Db, via: Via, secret: &str, now: UnixMs) -> Result<Option<Caller>, DbError> {
    let hash = hash_of(secret);
    let proof = id_of(&hash);
    if via == Via::Token {
        let Some(known) = db.read(move |tx| api_tokens::user_of(tx, hash, now)).await? else {
            return Ok(None);
        };
        if known.used_at.is_none_or(|at| at.0 / DAY_MS != now.0 / DAY_MS) {
            note(db.write(Priority::Api, move |tx| api_tokens::used(tx, hash, now)).await);
        }
        let api_tokens::Known { user, role, contractor, scope, .. } = known;
        return Ok(Some(Caller { user, role, via, contractor, scope, proof }));
    }
    let Some(known) = db.read(move |tx| sessions::user_of(tx, hash, now)).await? else { return Ok(None) };
    if now.0 - known.seen_at.0 >= SEEN_GRAIN_MS {
        note(db.write(Priority::Api, move |tx| sessions::seen(tx, hash, now)).await);
    }
    let sessions::Known { user, role, contractor, .. } = known;
    Ok(Some(Caller { user, role, via, contractor, scope: TokenScope::Write, proof }))
}

/// When something was last used is worth no refusal.
fn note(written: Result<(), DbError>) {
    if let Err(error) = written {
        tracing::debug!(%error, "when a session or token was used could not be written");
    }
}
