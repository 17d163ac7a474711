//! Passwords: argon2id with 19 MiB, 2 passes, 1 lane (OWASP's first choice), a random salt each, kept
//! as a PHC string: when the parameters rise, each password is hashed anew at its next sign-in.
//!
//! Hashing runs on blocking threads, a few at a time: it is meant to be slow, and must not starve the
//! rest or be a way to fill the memory.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use super::common;
use crate::app::AppError;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Lanes side by side.
const LANES: u32 = 1;
/// Hashes computed at the same time.
const AT_ONCE: usize = 2;
/// Sign-ins that may wait for their turn.
const WAITING_MAX: usize = 64;
/// The shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// The longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;

static SLOTS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));
static WAITING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE + WAITING_MAX)));
/// Verified against when there is no such user, so that the answer takes as long.
static NOBODY: LazyLock<Result<String, String>> = LazyLock::new(|| hash_now("nobody has this password"));

/// Refuses what is too short, too long, or what everybody tries first. What a password is made of is nobody's business.
///
/// # Errors
/// [`AppError::WeakPassword`] with the rule.
pub fn check_rules(password: &str, user: &str) -> Result<(), AppError> {
    let weak = |reason, text: String| Err(AppError::WeakPassword { reason, text });
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return weak("short", format!("the password is too short: at least {PASSWORD_CHARS_MIN} characters"));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return weak("long", format!("the password is too long: at most {PASSWORD_BYTES_MAX} bytes"));
    }
    if common::is_common(password) {
        return weak("common", "the password is one of those that everybody tries first".to_owned());
    }
    if common::is_name(password, user) {
        return weak("name", "the password is little more than a name".to_owned());
    }
    Ok(())
}

/// Whether a stored hash was made with other parameters than today's.
#[must_use]
pub fn is_outdated(stored: &str) -> bool {
    !stored.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"))
}

/// The PHC string to store.
///
/// # Errors
/// When too many wait already.
pub async fn hash(password: String) -> Result<String, AppError> {
    in_turn(move || hash_now(&password)).await?.map_err(AppError::Password)
}

/// True when `password` is the one that `stored` was made of. Without `stored` (no such user) it
/// takes as long and is false.
///
/// # Errors
/// When too many wait already.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool, AppError> {
    in_turn(move || {
        let known = stored.is_some();
        let phc = stored.or_else(|| NOBODY.as_ref().ok().cloned()).unwrap_or_default();
        let matches = PasswordHash::new(&phc)
            .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
        known && matches
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    let busy = || AppError::Password("too many sign-ins at once; try again in a moment".into());
    let waiting = Arc::clone(&WAITING).try_acquire_owned().map_err(|_| busy())?;
    let slot = Arc::clone(&SLOTS).acquire_owned().await.map_err(|_| busy())?;
    let done = tokio::task::spawn_blocking(move || {
        // The slots go with the work: a caller that goes away does not free them early.
        let _slots = (waiting, slot);
        work()
    });
    done.await.map_err(|e| AppError::Password(e.to_string()))
}

fn hash_now(password: &str) -> Result<String, String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| e.to_string())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let stored = hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, hash("correct horse".into()).await.unwrap());
        assert!(verify("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!verify("correct hors".into(), Some(stored)).await.unwrap());
        assert!(!verify("nobody has this password".into(), None).await.unwrap());
        assert!(!verify("x".into(), Some("not a hash".into())).await.unwrap());
    }

    #[test]
    fn length_is_counted_in_characters() {
        let reason = |password: &str| match check_rules(password, "ops") {
            Err(AppError::WeakPassword { reason, .. }) => reason,
            other => panic!("{password}: {other:?}"),
        };
        assert_eq!(reason("十一个字的口令还是不够"), "short");
        assert!(check_rules("十二个字的口令现在够长了", "ops").is_ok());
        assert!(check_rules(&"longer than most ".repeat(12), "ops").is_ok());
        assert_eq!(reason(&"x".repeat(PASSWORD_BYTES_MAX + 1)), "long");
        assert_eq!(reason("password1234"), "common");
        assert_eq!(reason("linewatch-ops"), "name");
    }

    #[tokio::test]
    async fn older_parameters_are_noticed() {
        assert!(!is_outdated(&hash("correct horse".into()).await.unwrap()));
        assert!(is_outdated("$argon2id$v=19$m=12288,t=3,p=1$c2FsdHNhbHQ$aGFzaA") && is_outdated("none"));
    }
}
