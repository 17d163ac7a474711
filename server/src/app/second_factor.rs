//! The second proof at sign-in: an authenticator app's code, or a recovery code, each good once.

use linewatch_shared::time::{MINUTE_MS, UnixMs};
use serde::Serialize;
use serde_json::json;

use super::{Action, AppError, audit, random};
use crate::auth::seal::SecretsKey;
use crate::auth::{Role, credential, totp};
use crate::config::Auth;
use crate::db::{Db, Priority, Tx};
use crate::store::second_factor::{self as rows, Pending};
use crate::store::users;

/// How long a sign-in waits for its second proof.
pub const WAIT_MS: i64 = 5 * MINUTE_MS;
/// Codes that may be tried for one password.
pub const TRIES_MAX: i64 = 5;
/// Recovery codes of one user.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a recovery code.
const RECOVERY_BYTES: usize = 10;
/// Characters of it that are written together.
const RECOVERY_GROUP: usize = 4;

/// What to set an authenticator app up with.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct FactorSetup {
    /// The secret, as apps let it be typed.
    pub secret: String,
    /// The same as apps read it from a picture.
    pub uri: String,
}

/// How things stand with a user's second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FactorState {
    /// Since when it is asked for, RFC 3339; absent where it is not.
    pub on_since: Option<String>,
    /// Recovery codes that were not used.
    pub recovery_codes: u32,
    /// Whether the user has to have one.
    pub required: bool,
}

/// A sign-in whose password was right.
pub struct Waiting {
    /// What the browser shows with the code.
    pub secret: String,
    /// To set up now, of somebody who has to have a factor and has none.
    pub setup: Option<FactorSetup>,
}

/// A sign-in that has both proofs.
pub struct Proved {
    /// Whose.
    pub user: String,
    /// Whether it is for a screen on the wall.
    pub screen: bool,
    /// Of a factor that came into force just now.
    pub recovery_codes: Option<Vec<String>>,
}

/// How things stand.
///
/// # Errors
/// The database's.
pub async fn state(db: &Db, auth: &Auth, user: &str, role: Role) -> Result<FactorState, AppError> {
    let (user, required) = (user.to_owned(), auth.requires_factor(role));
    db.read(move |tx| {
        let factor = rows::of(tx, &user)?;
        let on_since = factor.and_then(|factor| factor.confirmed_at).map(UnixMs::to_rfc3339);
        Ok(FactorState { on_since, recovery_codes: rows::codes_left(tx, &user)?, required })
    })
    .await
}

/// Begins to set a factor up; it is in force once a code of it was given.
///
/// # Errors
/// When one is in force.
pub async fn begin(db: &Db, key: &SecretsKey, user: &str) -> Result<FactorSetup, AppError> {
    let secret = random::<{ totp::SECRET_BYTES }>()?;
    let sealed = key.seal(&context(user), &secret)?;
    let name = user.to_owned();
    db.write(Priority::Api, move |tx| {
        if rows::begin(tx, &name, &sealed)? {
            return Ok(());
        }
        Err(AppError::Refused("there is a second factor already: turn it off first".to_owned()))
    })
    .await?;
    Ok(FactorSetup { secret: totp::base32(&secret), uri: totp::uri(user, &secret) })
}

/// Puts a factor in force by its first code; gives the recovery codes.
///
/// # Errors
/// [`AppError::WrongCode`]; when none was begun, or one is in force.
pub async fn confirm(
    db: &Db,
    key: &SecretsKey,
    user: &str,
    code: &str,
    now: UnixMs,
) -> Result<Vec<String>, AppError> {
    let (user, code, key) = (user.to_owned(), totp::plain(code), key.clone());
    let fresh = fresh_codes()?;
    db.write(Priority::Api, move |tx| {
        if rows::of(tx, &user)?.is_none_or(|factor| factor.confirmed_at.is_some()) {
            return Err(AppError::Refused("there is no second factor to be put in force".to_owned()));
        }
        put_in_force(tx, &key, &user, &code, &fresh, now)?;
        Ok(fresh.clone())
    })
    .await
}

fn put_in_force(
    tx: &mut Tx<'_>,
    key: &SecretsKey,
    user: &str,
    code: &str,
    fresh: &[String],
    now: UnixMs,
) -> Result<(), AppError> {
    take(tx, key, user, code, now)?;
    rows::put_codes(tx, user, &hashes(fresh))?;
    Ok(audit(tx, now.0, user, Action::SecondFactorOn, user, None)?)
}

/// Turns one's own factor off, by a code of it.
///
/// # Errors
/// [`AppError::WrongCode`]; when it is required or there is none.
pub async fn turn_off(
    db: &Db,
    key: &SecretsKey,
    auth: &Auth,
    (user, role): (&str, Role),
    code: &str,
    now: UnixMs,
) -> Result<(), AppError> {
    if auth.requires_factor(role) {
        return Err(AppError::Refused("your role has to have a second factor".to_owned()));
    }
    let (user, code, key) = (user.to_owned(), totp::plain(code), key.clone());
    db.write(Priority::Api, move |tx| {
        take_any(tx, &key, &user, &code, now)?;
        rows::remove(tx, &user)?;
        Ok(audit(tx, now.0, &user, Action::SecondFactorOff, &user, None)?)
    })
    .await
}

/// Gives a user new recovery codes, by a code of the app; the former ones are worthless.
///
/// # Errors
/// [`AppError::WrongCode`]; when there is no factor.
pub async fn renew_codes(
    db: &Db,
    key: &SecretsKey,
    user: &str,
    code: &str,
    now: UnixMs,
) -> Result<Vec<String>, AppError> {
    let (user, code, key) = (user.to_owned(), totp::plain(code), key.clone());
    let fresh = fresh_codes()?;
    db.write(Priority::Api, move |tx| {
        if rows::of(tx, &user)?.is_none_or(|factor| factor.confirmed_at.is_none()) {
            return Err(AppError::Refused("there is no second factor".to_owned()));
        }
        take(tx, &key, &user, &code, now)?;
        rows::put_codes(tx, &user, &hashes(&fresh))?;
        audit(tx, now.0, &user, Action::RecoveryCodesMade, &user, None)?;
        Ok(fresh.clone())
    })
    .await
}

/// Takes a user's factor away, for somebody who lost it; signs the user out. `by` does it.
///
/// # Errors
/// When there is no such user, or it has no factor.
pub async fn reset(db: &Db, user: &str, by: &str, now: UnixMs) -> Result<(), AppError> {
    let (user, by) = (user.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let unknown = || AppError::Unknown { kind: "user", name: user.clone() };
        users::is_disabled(tx, &user)?.ok_or_else(unknown)?;
        if !rows::remove(tx, &user)? {
            return Err(AppError::Refused(format!("\"{user}\" has no second factor")));
        }
        crate::store::sessions::end_all_of(tx, &user)?;
        rows::end_waits_of(tx, &user)?;
        Ok(audit(tx, now.0, &by, Action::SecondFactorReset, &user, None)?)
    })
    .await
}

/// After a right password: what is still asked for; none where the password is enough.
///
/// # Errors
/// The database's.
pub async fn ask(
    db: &Db,
    key: &SecretsKey,
    auth: &Auth,
    (user, role, screen): (&str, Role, bool),
    now: UnixMs,
) -> Result<Option<Waiting>, AppError> {
    let name = user.to_owned();
    let factor = db.read(move |tx| rows::of(tx, &name)).await?;
    let is_on = factor.is_some_and(|factor| factor.confirmed_at.is_some());
    if !is_on && !auth.requires_factor(role) {
        return Ok(None);
    }
    let setup = if is_on { None } else { Some(begin(db, key, user).await?) };
    let (secret, hash) = credential::fresh()?;
    let pending = Pending { user: user.to_owned(), screen };
    db.write(Priority::Api, move |tx| rows::wait(tx, hash, &pending, now + WAIT_MS, TRIES_MAX)).await?;
    Ok(Some(Waiting { secret, setup }))
}

/// Counts a try of the sign-in that waits under a secret, before its code is looked at; whose it is.
///
/// # Errors
/// [`AppError::SignInOver`] when none waits any more.
pub async fn try_once(db: &Db, secret: &str, now: UnixMs) -> Result<Pending, AppError> {
    let hash = credential::hash_of(secret);
    db.write(Priority::Api, move |tx| rows::try_once(tx, hash, now)).await?.ok_or(AppError::SignInOver)
}

/// The second proof of the sign-in that waits under a secret. It is over then, and its code is good for no other.
///
/// # Errors
/// [`AppError::WrongCode`], [`AppError::SignInOver`].
pub async fn prove(
    db: &Db,
    key: &SecretsKey,
    (secret, pending): (&str, Pending),
    code: &str,
    now: UnixMs,
) -> Result<Proved, AppError> {
    let (hash, code, key) = (credential::hash_of(secret), totp::plain(code), key.clone());
    let fresh = fresh_codes()?;
    db.write(Priority::Api, move |tx| {
        let Pending { user, screen } = pending.clone();
        if !rows::end_wait(tx, hash)? {
            return Err(AppError::SignInOver);
        }
        let is_new = rows::of(tx, &user)?.is_some_and(|factor| factor.confirmed_at.is_none());
        if is_new {
            put_in_force(tx, &key, &user, &code, &fresh, now)?;
        } else {
            take_any(tx, &key, &user, &code, now)?;
        }
        Ok(Proved { user, screen, recovery_codes: is_new.then(|| fresh.clone()) })
    })
    .await
}

/// Takes an app's code or a recovery code.
fn take_any(tx: &mut Tx<'_>, key: &SecretsKey, user: &str, code: &str, now: UnixMs) -> Result<(), AppError> {
    if totp::is_digits(code) {
        return take(tx, key, user, code, now);
    }
    if !rows::take_code(tx, user, credential::hash_of(code))? {
        return Err(AppError::WrongCode);
    }
    let detail = json!({ "left": rows::codes_left(tx, user)? });
    Ok(audit(tx, now.0, user, Action::RecoveryCodeUsed, user, Some(&detail))?)
}

/// Takes an app's code.
fn take(tx: &mut Tx<'_>, key: &SecretsKey, user: &str, code: &str, now: UnixMs) -> Result<(), AppError> {
    let factor = rows::of(tx, user)?.ok_or(AppError::WrongCode)?;
    let unreadable = || {
        AppError::Refused(
            "the second factor cannot be read with the server's key: an administrator resets it".into(),
        )
    };
    let secret = key.open(&context(user), &factor.sealed).ok_or_else(unreadable)?;
    let step = totp::step_of(&secret, code, now, factor.last_step).ok_or(AppError::WrongCode)?;
    if rows::take_step(tx, user, step, now)? { Ok(()) } else { Err(AppError::WrongCode) }
}

/// What a user's secret is sealed for.
fn context(user: &str) -> String {
    format!("second factor of {user}")
}

fn fresh_codes() -> Result<Vec<String>, AppError> {
    (0..RECOVERY_CODES).map(|_| Ok(grouped(&totp::base32(&random::<RECOVERY_BYTES>()?)))).collect()
}

/// `ABCD-EFGH-…`
fn grouped(code: &str) -> String {
    let chars: Vec<char> = code.chars().collect();
    let groups: Vec<String> = chars.chunks(RECOVERY_GROUP).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

fn hashes(codes: &[String]) -> Vec<[u8; 32]> {
    codes.iter().map(|code| credential::hash_of(&totp::plain(code))).collect()
}
