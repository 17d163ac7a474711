//! Who sees what: decided once for each request, from the user's row and what the user was given. What is not seen is
//! answered as if it did not exist.

use std::collections::BTreeSet;

use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use super::desk::DeskError;
use super::{Action, App, AppError, audit};
use crate::auth::{Caller, Role};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store;
use crate::store::scope::{self, Given, Scope};

/// The most regions, customers or names that a user is given.
const GIVEN_MAX: usize = 500;
/// The longest of them, in characters.
const NAME_CHARS_MAX: usize = 100;

/// What a caller sees: an administrator everything; the monitoring centre everything, or the regions and customers that the
/// user was given; account managers and technicians their own customers; a contractor's technician what that one
/// maintains.
///
/// # Errors
/// The database's.
pub async fn of(app: &App, caller: &Caller) -> Result<Scope, DbError> {
    if let Some(contractor) = &caller.contractor {
        return Ok(Scope::Contractor(contractor.clone()));
    }
    match caller.role {
        Role::Admin => return Ok(Scope::Everything),
        Role::Manager | Role::Technician if app.settings.own_scope => {
            return Ok(Scope::Own(caller.user.clone()));
        }
        Role::Noc | Role::Manager | Role::Technician => {}
    }
    let user = caller.user.clone();
    let narrowed = app.db.read(move |tx| scope::is_narrowed(tx, &user)).await?;
    Ok(if narrowed { Scope::Own(caller.user.clone()) } else { Scope::Everything })
}

/// Refuses a customer that is not seen, as if it were not there.
///
/// # Errors
/// When it is not.
pub fn sees_customer(tx: &mut Tx<'_>, scope: &Scope, code: &str) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_customer(tx, scope, code)?;
    seen.then_some(()).ok_or_else(|| DeskError::NoCustomer(code.to_owned()))
}

/// The same of one that a body names in its field `customer`, as [`DeskError::Invalid`].
///
/// # Errors
/// When it is not.
pub fn sees_named(tx: &mut Tx<'_>, scope: &Scope, code: &str) -> Result<(), DeskError> {
    sees_customer(tx, scope, code).map_err(|error| match error {
        DeskError::NoCustomer(_) => DeskError::Invalid { field: "customer", reason: no_customer(code) },
        other => other,
    })
}

/// What is said of a code that names no customer.
#[must_use]
pub fn no_customer(code: &str) -> String {
    format!("there is no customer called \"{code}\"")
}

/// The same of a line.
///
/// # Errors
/// When it is not.
pub fn sees_line(tx: &mut Tx<'_>, scope: &Scope, line: &str) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_line(tx, scope, line)?;
    seen.then_some(()).ok_or_else(|| DeskError::NoLine(line.to_owned()))
}

/// The same of a fault.
///
/// # Errors
/// When it is not.
pub fn sees_fault(tx: &mut Tx<'_>, scope: &Scope, fault: Uuid) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_fault(tx, scope, fault)?;
    seen.then_some(()).ok_or(DeskError::NoFault(fault))
}

/// The same of a matter.
///
/// # Errors
/// When it is not.
pub fn sees_matter(tx: &mut Tx<'_>, scope: &Scope, matter: Uuid) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_matter(tx, scope, matter)?;
    seen.then_some(()).ok_or(DeskError::NoMatter(matter))
}

/// The same of a site.
///
/// # Errors
/// When it is not.
pub fn sees_site(tx: &mut Tx<'_>, scope: &Scope, site: Uuid) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_site(tx, scope, site)?;
    seen.then_some(()).ok_or(DeskError::NoSite(site))
}

/// The same of a piece of equipment.
///
/// # Errors
/// When it is not.
pub fn sees_equipment(tx: &mut Tx<'_>, scope: &Scope, piece: Uuid) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_equipment(tx, scope, piece)?;
    seen.then_some(()).ok_or(DeskError::NoEquipment(piece))
}

/// The same of the report of a visit.
///
/// # Errors
/// When it is not.
pub fn sees_visit(tx: &mut Tx<'_>, scope: &Scope, id: Uuid) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_visit(tx, scope, id)?;
    seen.then_some(()).ok_or(DeskError::NoVisit(id))
}

/// The same of planned work.
///
/// # Errors
/// When it is not.
pub fn sees_work(tx: &mut Tx<'_>, scope: &Scope, id: Uuid) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_work(tx, scope, id)?;
    seen.then_some(()).ok_or(DeskError::NoWork(id))
}

/// The same of a conflict.
///
/// # Errors
/// When it is not.
pub fn sees_conflict(tx: &mut Tx<'_>, scope: &Scope, id: Uuid) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_conflict(tx, scope, id)?;
    seen.then_some(()).ok_or(DeskError::NoConflict(id))
}

/// The same of a risk.
///
/// # Errors
/// When it is not.
pub fn sees_risk(tx: &mut Tx<'_>, scope: &Scope, id: Uuid) -> Result<(), DeskError> {
    let seen = scope.is_everything() || scope::has_risk(tx, scope, id)?;
    seen.then_some(()).ok_or(DeskError::NoRisk(id))
}

/// What a user was given.
///
/// # Errors
/// When there is no such user.
pub async fn given(db: &Db, name: &str, now: UnixMs) -> Result<Given, AppError> {
    let name = name.to_owned();
    db.read(move |tx| {
        if store::users::one(tx, &name, now)?.is_none() {
            return Err(AppError::Unknown { kind: "user", name: name.clone() });
        }
        Ok(scope::given(tx, &name)?)
    })
    .await
}

/// Gives a user regions, customers, and the names under which customers have him; what was given before goes. Whoever has
/// an open board sees the change with the next reading.
///
/// # Errors
/// When there is no such user or customer, or there are too many.
pub async fn give(db: &Db, name: &str, given: Given, by: &str, now: UnixMs) -> Result<(), AppError> {
    check(&given)?;
    let (name, by) = (name.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let Some(user) = store::users::one(tx, &name, now)? else {
            return Err(AppError::Unknown { kind: "user", name: name.clone() });
        };
        if user.contractor.is_some() || user.role == Role::Admin {
            let reason =
                "administrators see everything, contractors' technicians what the contractor maintains";
            return Err(AppError::Refused(reason.to_owned()));
        }
        for code in &given.customers {
            if !scope::has_customer(tx, &Scope::Everything, code)? {
                return Err(AppError::Unknown { kind: "customer", name: code.clone() });
            }
        }
        scope::give(tx, &name, &given)?;
        let detail =
            json!({ "persons": given.persons, "regions": given.regions, "customers": given.customers });
        Ok(audit(tx, now.0, &by, Action::ScopeGiven, &name, Some(&detail))?)
    })
    .await
}

fn check(given: &Given) -> Result<(), AppError> {
    let all: [&BTreeSet<String>; 3] = [&given.persons, &given.regions, &given.customers];
    if all.iter().any(|set| set.len() > GIVEN_MAX) {
        return Err(AppError::Refused(format!("at most {GIVEN_MAX} of a kind are given to one user")));
    }
    let fits = |text: &String| {
        !text.trim().is_empty() && text.chars().count() <= NAME_CHARS_MAX && !text.contains('\0')
    };
    match all.into_iter().flatten().find(|text| !fits(text)) {
        Some(text) => {
            Err(AppError::Refused(format!("\"{text}\" has to have 1 to {NAME_CHARS_MAX} characters")))
        }
        None => Ok(()),
    }
}
