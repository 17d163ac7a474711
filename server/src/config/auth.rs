//! `[auth]`: how long people stay signed in.

use super::read::duration_ms;
use super::source::Source;
use crate::auth::credential::{IDLE_MS, Lasting, SESSION_MS};

/// A session that ended sooner would end under people's hands.
const IDLE_MS_MIN: i64 = 5 * 60_000;

/// `[auth]`.
#[derive(Clone, Debug)]
pub struct Auth {
    /// `auth.session_max`, default `12h`, and `auth.session_idle`, default `2h`.
    pub lasting: Lasting,
}

pub(super) fn auth(s: &mut Source) -> Auth {
    let max_ms = s.parsed("auth.session_max", session).unwrap_or(SESSION_MS);
    let idle_ms = s.parsed("auth.session_idle", session).unwrap_or(IDLE_MS).min(max_ms);
    Auth { lasting: Lasting { max_ms, idle_ms } }
}

fn session(text: &str) -> Result<i64, String> {
    let ms = duration_ms(text)?;
    if ms < IDLE_MS_MIN { Err(format!("\"{text}\" is too short: at least 5m")) } else { Ok(ms) }
}
