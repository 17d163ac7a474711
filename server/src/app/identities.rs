//! Single sign-on: whose identity it is that a provider tells of, and what role it gives.
//!
//! A user belongs to an identity by the provider's subject alone. Names and addresses change hands: they make a new user at
//! the most, and never open an old one.

use linewatch_shared::time::UnixMs;
use serde_json::json;

use super::users::{change_role, check_name, end_access, unknown};
use super::{Action, AppError, audit, random};
use crate::auth::{Role, password};
use crate::config::Oidc;
use crate::db::{Db, Priority, Tx};
use crate::oidc::Told;
use crate::store::identities::{self, Linked};
use crate::store::users as rows;

/// Who does what follows from what a provider says.
pub const PROVIDER: &str = "single sign-on";

/// Whom a provider told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A user.
    As(String, Role),
    /// Somebody whom linewatch does not know, or who may not come in; `user` is who it is, where that is known.
    Refused {
        /// For programs.
        code: &'static str,
        /// For people.
        detail: String,
        /// Who it is.
        user: Option<String>,
    },
}

/// Finds the user of an identity; makes it, where the provider's groups give a role.
///
/// # Errors
/// The database's.
pub async fn arrive(db: &Db, told: Told, rules: &Oidc, now: UnixMs) -> Result<Arrival, AppError> {
    let role = rules.role_of(&told.groups);
    let follows_groups = !rules.roles.is_empty();
    let known = {
        let told = told.clone();
        db.read(move |tx| identities::find(tx, &told.issuer, &told.subject, now)).await?
    };
    // Nobody knows the password of who has never had one; an administrator may give one.
    let fresh = match (&known, role) {
        (None, Some(role)) => Some((role, password::hash(hex::encode(random::<32>()?)).await?)),
        _ => None,
    };
    db.write(Priority::Api, move |tx| match identities::find(tx, &told.issuer, &told.subject, now)? {
        Some(linked) => known_one(tx, linked, (follows_groups, role), now),
        None => new_one(tx, &told, fresh.as_ref(), now),
    })
    .await
}

fn known_one(
    tx: &mut Tx<'_>,
    linked: Linked,
    (follows_groups, role): (bool, Option<Role>),
    now: UnixMs,
) -> Result<Arrival, AppError> {
    let Linked { user, role: before, provisioned, may_come_in } = linked;
    if !may_come_in {
        return Ok(refused("identity_disabled", "your access to linewatch has ended", Some(user)));
    }
    if !(provisioned && follows_groups) {
        return Ok(Arrival::As(user, before));
    }
    let Some(role) = role else {
        end_access(tx, &user)?;
        let detail = "none of your groups has a role here any more: ask whoever keeps the groups";
        return Ok(refused("identity_without_role", detail, Some(user)));
    };
    if role != before {
        change_role(tx, &user, (before, role), (PROVIDER, now))?;
    }
    Ok(Arrival::As(user, role))
}

fn new_one(
    tx: &mut Tx<'_>,
    told: &Told,
    fresh: Option<&(Role, String)>,
    now: UnixMs,
) -> Result<Arrival, AppError> {
    let Some((role, hash)) = fresh else {
        let detail = format!(
            "nobody here belongs to your identity: sign in with a password and connect it on the page of your account, or ask an \
             administrator to link it (subject {})",
            told.subject
        );
        return Ok(refused("identity_unknown", &detail, None));
    };
    let name = told.name.clone().unwrap_or_default();
    if check_name(&name).is_err() {
        let detail =
            "the provider gives you no name that linewatch can use: ask whoever keeps auth.oidc.name_claim";
        return Ok(refused("identity_without_name", detail, None));
    }
    if !rows::insert(tx, &name, *role, hash, None, now)? {
        let detail = format!(
            "there is already a user called \"{name}\": sign in with its password and connect your identity on the page of \
             your account, or ask an administrator to link it (subject {})",
            told.subject
        );
        return Ok(refused("identity_name_taken", &detail, None));
    }
    let detail = json!({ "role": role });
    audit(tx, now.0, PROVIDER, Action::UserAdded, &name, Some(&detail))?;
    put(tx, (&told.issuer, &told.subject), &name, (PROVIDER, true), now)?;
    Ok(Arrival::As(name, *role))
}

fn refused(code: &'static str, detail: &str, user: Option<String>) -> Arrival {
    Arrival::Refused { code, detail: detail.to_owned(), user }
}

/// Says whose an identity is; `by` does it. A user has one: the former is given up.
///
/// # Errors
/// When there is no such user, or the identity is another one's.
pub async fn link(
    db: &Db,
    (issuer, subject): (&str, &str),
    user: &str,
    by: &str,
    now: UnixMs,
) -> Result<(), AppError> {
    let [issuer, subject, user, by] = [issuer, subject, user, by].map(str::to_owned);
    if subject.trim().is_empty() {
        return Err(AppError::Refused("the provider's subject is missing".to_owned()));
    }
    db.write(Priority::Api, move |tx| {
        rows::is_disabled(tx, &user)?.ok_or_else(|| unknown(&user))?;
        if let Some(linked) = identities::find(tx, &issuer, &subject, now)? {
            if linked.user == user {
                return Ok(());
            }
            return Err(taken());
        }
        identities::unlink(tx, &user)?;
        put(tx, (&issuer, &subject), &user, (&by, false), now)
    })
    .await
}

fn put(
    tx: &mut Tx<'_>,
    identity: (&str, &str),
    user: &str,
    (by, provisioned): (&str, bool),
    now: UnixMs,
) -> Result<(), AppError> {
    if !identities::link(tx, identity, user, provisioned, now)? {
        return Err(taken());
    }
    let detail = json!({ "issuer": identity.0, "subject": identity.1 });
    Ok(audit(tx, now.0, by, Action::IdentityLinked, user, Some(&detail))?)
}

/// Takes a user's identity away and signs the user out; `by` does it.
///
/// # Errors
/// When there is no such user, or it has none.
pub async fn unlink(db: &Db, user: &str, by: &str, now: UnixMs) -> Result<(), AppError> {
    let [user, by] = [user, by].map(str::to_owned);
    db.write(Priority::Api, move |tx| {
        rows::is_disabled(tx, &user)?.ok_or_else(|| unknown(&user))?;
        if identities::unlink(tx, &user)? == 0 {
            return Err(AppError::Refused(format!("\"{user}\" has no identity of single sign-on")));
        }
        crate::store::sessions::end_all_of(tx, &user)?;
        Ok(audit(tx, now.0, &by, Action::IdentityUnlinked, &user, None)?)
    })
    .await
}

/// Since when a provider's sign-ins are a user's.
///
/// # Errors
/// The database's.
pub async fn linked_at(db: &Db, issuer: &str, user: &str) -> Result<Option<UnixMs>, AppError> {
    let [issuer, user] = [issuer, user].map(str::to_owned);
    Ok(db.read(move |tx| identities::linked_at(tx, &issuer, &user)).await?)
}

fn taken() -> AppError {
    AppError::Refused("this identity belongs to another user here".to_owned())
}
