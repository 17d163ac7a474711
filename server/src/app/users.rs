//! Users: who may sign in, and as what.

use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;

use super::tokens::{self, NewToken};
use super::{Action, AppError, agent_people, audit};
use crate::auth::{Role, password};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::scope::{self, Given, given_to_all};
use crate::store::users::UserRow;
use crate::store::{self, api_tokens, second_factor, sessions};

/// The longest user name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// Who does what a command does.
pub const COMMAND: &str = "command line";

/// A user, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// The role.
    pub role: Role,
    /// True when the user cannot sign in.
    pub disabled: bool,
    /// When the user was added, RFC 3339.
    pub created_at: String,
    /// API tokens that are valid.
    pub tokens: u32,
    /// The contractor, of one's technician.
    pub contractor: Option<String>,
    /// Whether a second factor is asked for.
    pub second_factor: bool,
    /// Whether the user signs in by single sign-on.
    pub single_sign_on: bool,
    /// What the user was given to see.
    pub given: Given,
}

/// Adds a user.
///
/// # Errors
/// When the name is taken or not usable, or the password too short.
pub async fn add(db: &Db, name: &str, role: Role, secret: &str, now: UnixMs) -> Result<(), AppError> {
    add_of(db, name, (role, None), secret, (COMMAND, now)).await
}

/// Adds a user; a technician may be a contractor's. `by` does it, now.
///
/// # Errors
/// Those of [`add`]; when there is no such contractor, or the role is not a technician's.
pub async fn add_of(
    db: &Db,
    name: &str,
    (role, contractor): (Role, Option<String>),
    secret: &str,
    (by, now): (&str, UnixMs),
) -> Result<(), AppError> {
    if contractor.is_some() && role != Role::Technician {
        return Err(AppError::Refused("only technicians belong to a contractor".to_owned()));
    }
    check_name(name)?;
    password::check_rules(secret, name)?;
    let hash = password::hash(secret.to_owned()).await?;
    let (name, by) = (name.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        if let Some(code) = &contractor
            && store::contractors::one(tx, code)?.is_none()
        {
            return Err(AppError::Unknown { kind: "contractor", name: code.clone() });
        }
        if !store::users::insert(tx, &name, role, &hash, contractor.as_deref(), now)? {
            return Err(AppError::Refused(format!("there is already a user called \"{name}\"")));
        }
        let mut detail = json!({ "role": role });
        if let Some(code) = &contractor {
            detail["contractor"] = json!(code);
        }
        Ok(audit(tx, now.0, &by, Action::UserAdded, &name, Some(&detail))?)
    })
    .await
}

/// Makes an API token of the usual kind for a user; it is shown only this once.
///
/// # Errors
/// Those of [`tokens::make`].
pub async fn token(db: &Db, name: &str, by: &str, now: UnixMs) -> Result<String, AppError> {
    tokens::make(db, name, NewToken::default(), by, now).await
}

/// Ends a user's access: no more sign-ins, sessions gone, tokens gone.
///
/// # Errors
/// When there is no such user, or it is the one that disables.
pub async fn disable(db: &Db, name: &str, by: &str, now: UnixMs) -> Result<(), AppError> {
    if name == by {
        return Err(AppError::Refused("nobody ends their own access; another administrator does".to_owned()));
    }
    let (name, by) = (name.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        if !store::users::disable(tx, &name)? {
            return Err(unknown(&name));
        }
        end_access(tx, &name)?;
        audit(tx, now.0, &by, Action::UserDisabled, &name, None)?;
        Ok(agent_people::user_changed(tx, &name)?)
    })
    .await
}

/// Gives a user another role; sessions and tokens of before are gone.
///
/// # Errors
/// When there is no such user, it is the one that says so, or a contractor's technician.
pub async fn give_role(db: &Db, name: &str, role: Role, by: &str, now: UnixMs) -> Result<(), AppError> {
    if name == by {
        return Err(AppError::Refused(
            "nobody changes their own role; another administrator does".to_owned(),
        ));
    }
    let (name, by) = (name.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let before = store::users::one(tx, &name, now)?.ok_or_else(|| unknown(&name))?;
        if before.contractor.is_some() && role != Role::Technician {
            return Err(AppError::Refused("only technicians belong to a contractor".to_owned()));
        }
        Ok(change_role(tx, &name, (before.role, role), (&by, now))?)
    })
    .await
}

/// Gives a user another role, and ends what the former one had begun; `by` does it, now.
pub(super) fn change_role(
    tx: &mut Tx<'_>,
    name: &str,
    (from, to): (Role, Role),
    (by, now): (&str, UnixMs),
) -> Result<(), DbError> {
    store::users::set_role(tx, name, to)?;
    end_access(tx, name)?;
    audit(tx, now.0, by, Action::RoleGiven, name, Some(&json!({ "from": from, "to": to })))?;
    agent_people::user_changed(tx, name)
}

/// Gives a user a new password and lets it sign in again; sessions and tokens of before are gone.
///
/// # Errors
/// When there is no such user, or the password is too short.
pub async fn reset(db: &Db, name: &str, secret: &str, by: &str, now: UnixMs) -> Result<(), AppError> {
    password::check_rules(secret, name)?;
    let hash = password::hash(secret.to_owned()).await?;
    let (name, by) = (name.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        if !store::users::set_password(tx, &name, &hash)? {
            return Err(unknown(&name));
        }
        end_access(tx, &name)?;
        audit(tx, now.0, &by, Action::PasswordReset, &name, None)?;
        Ok(agent_people::user_changed(tx, &name)?)
    })
    .await
}

/// Every user, by name.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, now: UnixMs) -> Result<Vec<User>, AppError> {
    let read = move |tx: &mut Tx<'_>| Ok::<_, DbError>((store::users::all(tx, now)?, given_to_all(tx)?));
    let (rows, mut given) = db.read(read).await?;
    let user = |row: UserRow| {
        let given = given.remove(&row.name).unwrap_or_default();
        User::of(row, given)
    };
    Ok(rows.into_iter().map(user).collect())
}

/// One user.
///
/// # Errors
/// When there is none of that name.
pub async fn one(db: &Db, name: &str, now: UnixMs) -> Result<User, AppError> {
    let wanted = name.to_owned();
    let read = move |tx: &mut Tx<'_>| {
        Ok::<_, DbError>((store::users::one(tx, &wanted, now)?, scope::given(tx, &wanted)?))
    };
    let (found, given) = db.read(read).await?;
    found.map(|row| User::of(row, given)).ok_or_else(|| unknown(name))
}

impl User {
    fn of(row: UserRow, given: Given) -> Self {
        Self {
            name: row.name,
            role: row.role,
            disabled: row.disabled,
            created_at: row.created_at.to_rfc3339(),
            tokens: row.tokens,
            contractor: row.contractor,
            second_factor: row.second_factor,
            single_sign_on: row.identity,
            given,
        }
    }
}

/// The role of a user whose password this is, or `None`. An unknown or disabled user takes as long as
/// a known one. A hash of older parameters is made anew.
///
/// # Errors
/// The database's, or when too many wait to be hashed.
pub async fn check_password(
    db: &Db,
    name: &str,
    secret: String,
    now: UnixMs,
) -> Result<Option<Role>, AppError> {
    let wanted = name.to_owned();
    let found = db.read(move |tx| store::users::password_of(tx, &wanted, now)).await?;
    let (hash, role) = found.unzip();
    let outdated = hash.clone().filter(|hash| password::is_outdated(hash));
    if !password::verify(secret.clone(), hash).await? {
        return Ok(None);
    }
    if let Some(before) = outdated {
        rehash(db, name, secret, before).await?;
    }
    Ok(role)
}

/// Whether there is a user of that name.
///
/// # Errors
/// The database's.
pub async fn exists(db: &Db, name: &str) -> Result<bool, AppError> {
    let name = name.to_owned();
    Ok(db.read(move |tx| store::users::is_disabled(tx, &name)).await?.is_some())
}

/// Hashes a password with today's parameters, unless it was changed meanwhile.
async fn rehash(db: &Db, name: &str, secret: String, before: String) -> Result<(), AppError> {
    let hash = password::hash(secret).await?;
    let name = name.to_owned();
    db.write(Priority::Api, move |tx| {
        if store::users::rehash(tx, &name, &before, &hash)? {
            // Agents know people by a check that is made of the hash.
            agent_people::user_changed(tx, &name)?;
        }
        Ok(())
    })
    .await
}

/// Ends every session and every API token of a user.
pub(super) fn end_access(tx: &mut Tx<'_>, name: &str) -> Result<(), DbError> {
    sessions::end_all_of(tx, name)?;
    api_tokens::remove_all_of(tx, name)?;
    second_factor::end_waits_of(tx, name)?;
    Ok(())
}

pub(super) fn unknown(name: &str) -> AppError {
    AppError::Unknown { kind: "user", name: name.to_owned() }
}

/// Names of users and agents: readable, safe in a shell and in a URL.
///
/// # Errors
/// [`AppError::Refused`] with the rule.
pub fn check_name(name: &str) -> Result<(), AppError> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    if name.is_empty()
        || name.chars().count() > NAME_CHARS_MAX
        || !name.chars().all(fits)
        || name.starts_with('-')
    {
        return Err(AppError::Refused(format!(
            "\"{name}\" is not a usable name: 1 to {NAME_CHARS_MAX} letters, digits or . - _ @"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};

    use super::*;
    use crate::auth::{Via, credential};
    use crate::db::testing::both;

    const NOW: UnixMs = UnixMs(1_000_000);
    const GOOD: &str = "long enough now";

    async fn who_is(db: &Db, via: Via, secret: &str, at: UnixMs) -> Option<String> {
        credential::caller(db, via, secret, at).await.unwrap().map(|c| c.user)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_user_signs_in_until_disabled() {
        both(|db| async move {
            add(&db, "ops", Role::Noc, GOOD, NOW).await.unwrap();
            let twice = add(&db, "ops", Role::Noc, GOOD, NOW).await.unwrap_err().to_string();
            assert!(twice.contains("already"), "{twice}");
            assert!(add(&db, "x y", Role::Noc, GOOD, NOW).await.is_err());
            assert!(add(&db, "short", Role::Noc, "12345678901", NOW).await.is_err());
            assert_eq!(check_password(&db, "ops", GOOD.into(), NOW).await.unwrap(), Some(Role::Noc));
            assert_eq!(check_password(&db, "ops", "wrong".into(), NOW).await.unwrap(), None);
            assert_eq!(check_password(&db, "nobody", GOOD.into(), NOW).await.unwrap(), None);
            let token = token(&db, "ops", COMMAND, NOW).await.unwrap();
            let (lasting, from) = (credential::Lasting::default(), credential::Origin::default());
            let session = credential::start_session(&db, "ops", lasting, from, NOW).await.unwrap();
            assert_eq!(who_is(&db, Via::Token, &token, NOW).await.as_deref(), Some("ops"));
            assert_eq!(who_is(&db, Via::Session, &session, NOW).await.as_deref(), Some("ops"));
            assert_eq!(who_is(&db, Via::Session, &token, NOW).await, None);
            // Quiet for too long, and then, used all the time, at its end.
            let idle = credential::IDLE_MS;
            assert_eq!(who_is(&db, Via::Session, &session, NOW + idle).await, None);
            for used in 1..7 {
                let at = NOW + used * (idle - 1);
                let known = who_is(&db, Via::Session, &session, at).await;
                assert_eq!(known.is_some(), at < NOW + credential::SESSION_MS, "{used}");
            }
            assert_eq!(who_is(&db, Via::Session, &session, NOW + credential::SESSION_MS).await, None);
            assert_eq!(list(&db, NOW).await.unwrap()[0].tokens, 1);
            disable(&db, "ops", COMMAND, NOW).await.unwrap();
            assert_eq!(who_is(&db, Via::Token, &token, NOW).await, None);
            assert_eq!(check_password(&db, "ops", GOOD.into(), NOW).await.unwrap(), None);
            reset(&db, "ops", "another password", COMMAND, NOW).await.unwrap();
            assert_eq!(who_is(&db, Via::Token, &token, NOW).await, None);
            assert!(check_password(&db, "ops", "another password".into(), NOW).await.unwrap().is_some());
            assert!(matches!(disable(&db, "nobody", COMMAND, NOW).await, Err(AppError::Unknown { .. })));
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_hash_of_older_parameters_is_made_anew() {
        both(|db| async move {
            add(&db, "ops", Role::Noc, GOOD, NOW).await.unwrap();
            let params = Params::new(12 * 1024, 3, 1, None).unwrap();
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let old = argon2.hash_password(GOOD.as_bytes()).unwrap().to_string();
            let before = old.clone();
            let put = move |tx: &mut Tx<'_>| store::users::set_password(tx, "ops", &old);
            db.write(Priority::Api, put).await.unwrap();
            let stored = async || {
                let read = |tx: &mut Tx<'_>| store::users::password_of(tx, "ops", NOW);
                db.read(read).await.unwrap().unwrap().0
            };
            assert_eq!(check_password(&db, "ops", "not this one".into(), NOW).await.unwrap(), None);
            assert_eq!(stored().await, before);
            assert!(check_password(&db, "ops", GOOD.into(), NOW).await.unwrap().is_some());
            assert!(!password::is_outdated(&stored().await));
            assert!(check_password(&db, "ops", GOOD.into(), NOW).await.unwrap().is_some());
        })
        .await;
    }
}
