//! Erasure of what is personal, once a service has ended: names, numbers, words. Facts, figures and the audit trail
//! stay. The work goes page by page, so that nobody waits for long, and can be begun again at any point: what was
//! erased is found erased.
//!
//! Copies outside of the database (backups, exported files, mails that were sent, logs of mail servers) are beyond it.

mod page;
mod words;

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use crate::app::desk::DeskError;
use crate::app::trail::erase::Whose;
use crate::app::{Action, AppError, audit, trail};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::erasure::{self, Erasure};
use crate::store::{reference, service};
use page::{Place, Scope, page};

/// How much was erased, by what it was in.
pub type Counts = BTreeMap<String, i64>;

/// Erasures that are taken up again in one round.
const RUNNING_AT_ONCE: i64 = 10;
/// Customers whose retention is over that one round begins with.
const DUE_AT_ONCE: i64 = 10;
/// The most pages of one erasure.
const PAGES_MAX: usize = 1_000_000;
/// Who asks where the retention is over.
pub const BY_RULE: &str = "rule";

fn add(counts: &mut Counts, what: &str, n: i64) {
    if n > 0 {
        *counts.entry(what.to_owned()).or_default() += n;
    }
}

/// Begins an erasure: from its commit on, what comes in is erased on its way.
///
/// # Errors
/// When there is no such customer, or its service goes on.
pub fn begin(tx: &mut Tx<'_>, new: &Erasure, now: UnixMs) -> Result<(), DeskError> {
    check(tx, &new.customer, now)?;
    tx.lock(&[erasure::lock_key(&new.customer)])?;
    erasure::begin(tx, new)?;
    let detail = json!({ "erasure": new.id, "reason": new.reason });
    audit(tx, now.0, &new.by, Action::ErasureBegun, &format!("customer {}", new.customer), Some(&detail))?;
    Ok(())
}

fn check(tx: &mut Tx<'_>, customer: &str, now: UnixMs) -> Result<(), DeskError> {
    let standing = service::of_customer(tx, customer)?;
    let standing = standing.ok_or_else(|| DeskError::NoCustomer(customer.to_owned()))?;
    let detail = match standing.ends_at {
        Some(at) if at <= now => return Ok(()),
        Some(at) => format!("the service of customer {customer} ends only at {}", at.to_rfc3339()),
        None => format!("the service of customer {customer} goes on: end it first"),
    };
    Err(DeskError::Impossible { detail, possible: vec!["service-end"] })
}

/// Says what an erasure would erase, and changes nothing.
///
/// # Errors
/// When there is no such customer, or its service goes on.
pub async fn preview(db: &Db, customer: &str, now: UnixMs) -> Result<Counts, DeskError> {
    let customer = customer.to_owned();
    let (whose, mut counts) = db
        .read(move |tx| {
            check(tx, &customer, now)?;
            let scope = Scope::of(tx, &customer, false)?;
            let mut counts = Counts::new();
            let personal = words::personal(tx, &scope)?;
            words::replace(tx, &scope, &personal, &mut counts)?;
            let mut place = Place::START;
            for _ in 0..PAGES_MAX {
                place = page(tx, &scope, place, &mut counts)?;
                if place == Place::Done {
                    break;
                }
            }
            let whose = Whose { customer: customer.clone(), words: personal };
            Ok::<_, DeskError>((whose, counts))
        })
        .await?;
    add(&mut counts, "audit details", trail::erase::details(db, whose, None, now).await?);
    Ok(counts)
}

/// Erases until nothing is left; one that is finished stays as it is.
///
/// # Errors
/// The database's; what was not reached is taken up again by [`come_round`].
pub async fn run(db: &Db, id: Uuid, now: UnixMs) -> Result<Option<Erasure>, AppError> {
    let found: Result<Option<Erasure>, DbError> = db.read(move |tx| erasure::one(tx, id)).await;
    let Some(asked) = found?.filter(|erasure| erasure.finished_at.is_none()) else {
        let found: Result<_, DbError> = db.read(move |tx| erasure::one(tx, id)).await;
        return Ok(found?);
    };
    let customer = asked.customer.clone();
    let read: Result<_, DbError> = db
        .read(move |tx| {
            let scope = Scope::of(tx, &customer, true)?;
            let words = words::personal(tx, &scope)?;
            Ok((scope, words))
        })
        .await;
    let (scope, personal) = read?;
    let whose = Whose { customer: scope.customer.clone(), words: personal.clone() };
    let of_trail = trail::erase::details(db, whose, Some(id), now).await?;
    let within = scope.clone();
    let mut counts: Counts = db
        .write(Priority::Ingest, move |tx| {
            let mut counts = Counts::new();
            add(&mut counts, "audit details", of_trail);
            words::replace(tx, &within, &personal, &mut counts)?;
            Ok::<_, DbError>(counts)
        })
        .await?;
    let mut place = Place::START;
    for _ in 0..PAGES_MAX {
        let scope = scope.clone();
        let (next, more) = db
            .write(Priority::Ingest, move |tx| {
                let mut counts = Counts::new();
                let next = page(tx, &scope, place, &mut counts)?;
                Ok::<_, DbError>((next, counts))
            })
            .await?;
        for (what, n) in more {
            add(&mut counts, &what, n);
        }
        place = next;
        if place == Place::Done {
            break;
        }
    }
    finish(db, asked, counts, now).await
}

async fn finish(db: &Db, asked: Erasure, counts: Counts, now: UnixMs) -> Result<Option<Erasure>, AppError> {
    let id = asked.id;
    let done = db
        .write(Priority::Ingest, move |tx| {
            let text = serde_json::to_string(&counts).map_err(|error| DbError::Data(error.to_string()))?;
            erasure::finish(tx, id, &text, now)?;
            let detail = json!({ "erasure": id, "counts": counts });
            let subject = format!("customer {}", asked.customer);
            audit(tx, now.0, &asked.by, Action::Erased, &subject, Some(&detail))?;
            // Agents that still keep the contact are given the customer anew, without it.
            reference::changed(tx, &[(reference::Kind::Customer, asked.customer.clone())])?;
            erasure::one(tx, id)
        })
        .await?;
    Ok(done)
}

/// Takes up what was begun, and begins what is due: customers whose service ended longer ago than the retention.
/// Answers how many erasures were finished.
///
/// # Errors
/// The database's.
pub async fn come_round(db: &Db, erase_after_ms: Option<i64>, now: UnixMs) -> Result<usize, AppError> {
    if let Some(after_ms) = erase_after_ms {
        let due: Result<Vec<String>, DbError> =
            db.read(move |tx| service::to_erase(tx, now - after_ms, DUE_AT_ONCE)).await;
        for customer in due? {
            let id = crate::app::derived_id(Uuid::nil(), format!("erasure/{customer}/{}", now.0).as_bytes());
            let reason = "the retention after the end of service is over".to_owned();
            let by = BY_RULE.to_owned();
            let new = Erasure { id, customer, reason, by, begun_at: now, finished_at: None, counts: None };
            db.write(Priority::Ingest, move |tx| begin(tx, &new, now).map_err(DbError::from)).await?;
        }
    }
    let running: Result<Vec<Erasure>, DbError> =
        db.read(move |tx| erasure::running(tx, RUNNING_AT_ONCE)).await;
    let running = running?;
    for erasure in &running {
        run(db, erasure.id, now).await?;
    }
    Ok(running.len())
}
