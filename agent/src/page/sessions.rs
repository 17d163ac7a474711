//! Who is signed in, in memory: after a restart one signs in again. And how fast passwords may be tried.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linewatch_shared::time::{HOUR_MS, MonoMs, SECOND_MS};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The most sessions; the one that was idle longest gives way.
const SESSIONS_MAX: usize = 32;
/// A session ends after so long without a call.
const IDLE_MS: i64 = 12 * HOUR_MS;
/// Wrong passwords for a name before it has to wait.
const FREE_TRIES: u32 = 4;
/// The longest wait.
const WAIT_MS_MAX: i64 = 60 * SECOND_MS;
/// Names whose tries are remembered.
const NAMES_MAX: usize = 256;

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct User {
    /// The name.
    pub name: String,
    /// The role's name at the desk.
    pub role: String,
}

/// A session.
#[derive(Clone)]
pub struct Session {
    /// Whose.
    pub user: User,
    /// What the page shows with each write.
    pub token: String,
    used: MonoMs,
}

impl Session {
    /// Whether this is the session's token.
    pub fn is_token(&self, token: &str) -> bool {
        self.token.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

#[derive(Clone, Copy, Default)]
struct Tries {
    wrong: u32,
    last: MonoMs,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<[u8; 32], Session>,
    tries: HashMap<String, Tries>,
}

/// Those who are signed in.
#[derive(Default)]
pub struct Sessions(Mutex<Inner>);

fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn key(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

impl Sessions {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session of a cookie's secret.
    pub fn find(&self, secret: &str, now: MonoMs) -> Option<Session> {
        let mut inner = self.inner();
        let session = inner.sessions.get_mut(&key(secret))?;
        if now.0 - session.used.0 > IDLE_MS {
            inner.sessions.remove(&key(secret));
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    /// Begins a session; answers the cookie's secret and the session.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn begin(&self, user: User, now: MonoMs) -> Result<(String, Session), getrandom::Error> {
        let (cookie, token) = (secret()?, secret()?);
        let mut inner = self.inner();
        inner.tries.remove(&user.name);
        if inner.sessions.len() >= SESSIONS_MAX
            && let Some(idle) =
                inner.sessions.iter().min_by_key(|(_, session)| session.used.0).map(|(key, _)| *key)
        {
            inner.sessions.remove(&idle);
        }
        let session = Session { user, token, used: now };
        inner.sessions.insert(key(&cookie), session.clone());
        Ok((cookie, session))
    }

    /// Ends a session.
    pub fn end(&self, secret: &str) {
        self.inner().sessions.remove(&key(secret));
    }

    /// How long a name has to wait before its next try (ms); none when it may try.
    pub fn must_wait(&self, name: &str, now: MonoMs) -> Option<i64> {
        let tries = self.inner().tries.get(name).copied()?;
        let over = tries.wrong.checked_sub(FREE_TRIES)?;
        let wait_ms = (SECOND_MS << over.min(6)).min(WAIT_MS_MAX);
        let left_ms = tries.last.0 + wait_ms - now.0;
        (left_ms > 0).then_some(left_ms)
    }

    /// A try begins, and counts as wrong until [`Sessions::begin`]: so tries at the same time count as well.
    pub fn try_begins(&self, name: &str, now: MonoMs) {
        let mut inner = self.inner();
        if inner.tries.len() >= NAMES_MAX
            && let Some(oldest) =
                inner.tries.iter().min_by_key(|(_, tries)| tries.last.0).map(|(name, _)| name.clone())
        {
            inner.tries.remove(&oldest);
        }
        let tries = inner.tries.entry(name.to_owned()).or_default();
        *tries = Tries { wrong: tries.wrong.saturating_add(1), last: now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> User {
        User { name: name.to_owned(), role: "technician".to_owned() }
    }

    #[test]
    fn a_session_is_known_by_its_cookie_until_it_was_idle_for_long() {
        let sessions = Sessions::default();
        let (cookie, session) = sessions.begin(user("technician-1"), MonoMs(0)).unwrap();
        assert!(session.is_token(&session.token) && !session.is_token(&cookie));
        assert_eq!(sessions.find(&cookie, MonoMs(IDLE_MS)).unwrap().user.name, "technician-1");
        assert!(sessions.find(&session.token, MonoMs(IDLE_MS)).is_none());
        assert!(sessions.find(&cookie, MonoMs(2 * IDLE_MS + 1)).is_none());
        let (cookie, _) = sessions.begin(user("technician-1"), MonoMs(0)).unwrap();
        sessions.end(&cookie);
        assert!(sessions.find(&cookie, MonoMs(0)).is_none());
    }

    #[test]
    fn sessions_are_bounded() {
        let sessions = Sessions::default();
        let first = sessions.begin(user("a"), MonoMs(0)).unwrap().0;
        for n in 1..=SESSIONS_MAX {
            sessions.begin(user("b"), MonoMs(n as i64)).unwrap();
        }
        assert!(sessions.find(&first, MonoMs(1)).is_none());
        assert_eq!(sessions.inner().sessions.len(), SESSIONS_MAX);
    }

    #[test]
    fn wrong_passwords_cost_more_and_more_time_and_never_a_lockout() {
        let sessions = Sessions::default();
        for _ in 0..FREE_TRIES - 1 {
            sessions.try_begins("a", MonoMs(0));
        }
        assert_eq!(sessions.must_wait("a", MonoMs(0)), None);
        sessions.try_begins("a", MonoMs(0));
        assert_eq!(sessions.must_wait("a", MonoMs(0)), Some(1_000));
        assert_eq!(sessions.must_wait("a", MonoMs(1_000)), None);
        assert_eq!(sessions.must_wait("b", MonoMs(0)), None, "others are not kept out by it");
        for _ in 0..40 {
            sessions.try_begins("a", MonoMs(0));
        }
        assert_eq!(sessions.must_wait("a", MonoMs(0)), Some(WAIT_MS_MAX));
        sessions.begin(user("a"), MonoMs(0)).unwrap();
        assert_eq!(sessions.must_wait("a", MonoMs(0)), None);
    }
}
