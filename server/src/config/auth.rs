//! `[auth]`: how people prove who they are, and how long they stay signed in.

use std::path::{Path, PathBuf};

use super::oidc::Oidc;
use super::read::duration_ms;
use super::source::Source;
use crate::auth::Role;
use crate::auth::credential::{IDLE_MS, Lasting, SESSION_MS};

/// A session that ended sooner would end under people's hands.
const IDLE_MS_MIN: i64 = 5 * 60_000;

/// `[auth]`.
#[derive(Clone, Debug)]
pub struct Auth {
    /// `auth.session_max`, default `12h`, and `auth.session_idle`, default `2h`.
    pub lasting: Lasting,
    /// `auth.second_factor`, default `optional`: whether everybody has to have one.
    pub factor_required: bool,
    /// `auth.second_factor_roles`: those who have to have one although it is optional.
    pub factor_roles: Vec<Role>,
    /// `auth.secrets_key_file`, default `secrets.key` in `data_dir`: what secrets in the database are sealed with.
    pub secrets_key_file: PathBuf,
    /// `[auth.oidc]`, when it names an issuer: single sign-on.
    pub oidc: Option<Oidc>,
}

impl Auth {
    /// Whether somebody of that role has to have a second factor.
    #[must_use]
    pub fn requires_factor(&self, role: Role) -> bool {
        self.factor_required || self.factor_roles.contains(&role)
    }
}

pub(super) fn auth(s: &mut Source, data_dir: &Path) -> Auth {
    let max_ms = s.parsed("auth.session_max", session).unwrap_or(SESSION_MS);
    let idle_ms = s.parsed("auth.session_idle", session).unwrap_or(IDLE_MS).min(max_ms);
    let required = s.choice("auth.second_factor", &[("optional", false), ("required", true)]);
    Auth {
        lasting: Lasting { max_ms, idle_ms },
        factor_required: required.unwrap_or(false),
        factor_roles: roles(s),
        secrets_key_file: s.path("auth.secrets_key_file").unwrap_or_else(|| data_dir.join("secrets.key")),
        oidc: super::oidc::oidc(s),
    }
}

fn roles(s: &mut Source) -> Vec<Role> {
    let mut roles = Vec::new();
    for name in s.list("auth.second_factor_roles").unwrap_or_default() {
        match Role::parse(&name) {
            Some(role) => roles.push(role),
            None => s.mistake("auth.second_factor_roles", &format!("\"{name}\" is not a role")),
        }
    }
    roles
}

fn session(text: &str) -> Result<i64, String> {
    let ms = duration_ms(text)?;
    if ms < IDLE_MS_MIN { Err(format!("\"{text}\" is too short: at least 5m")) } else { Ok(ms) }
}
