//! Empties entries whose time is over, each kind after its own, and takes the chain's beginning away once all of it is
//! empty. The entry that says so is written first: what is gone is always accounted for.

use linewatch_shared::time::{DAY_MS, UnixMs};
use serde_json::{Map, Value, json};

use crate::app::{Action, AppError, audit};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::audit::{self as store, Cut, Kind};

/// How often it is looked for.
const EVERY_MS: i64 = DAY_MS;
/// Entries that one transaction touches.
const AT_ONCE: i64 = 500;
/// Who does it.
const BY_RULE: &str = "rule";

/// How long each kind is kept, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// `audit.keep_access`, default `730d`.
    pub access_ms: i64,
    /// `audit.keep_security`, default `730d`.
    pub security_ms: i64,
    /// `audit.keep_personal`, default `365d`.
    pub personal_ms: i64,
    /// `audit.keep_exports`, default `730d`.
    pub exports_ms: i64,
    /// `audit.keep_changes`, default `3650d`; of the trail itself as well.
    pub changes_ms: i64,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            access_ms: 730 * DAY_MS,
            security_ms: 730 * DAY_MS,
            personal_ms: 365 * DAY_MS,
            exports_ms: 730 * DAY_MS,
            changes_ms: 3_650 * DAY_MS,
        }
    }
}

impl Keep {
    /// How long a kind is kept, in milliseconds.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> i64 {
        match kind {
            Kind::Access => self.access_ms,
            Kind::Security => self.security_ms,
            Kind::Personal => self.personal_ms,
            Kind::Export => self.exports_ms,
            Kind::Change | Kind::Trail => self.changes_ms,
        }
    }

    fn before(&self, kind: Kind, now: UnixMs) -> UnixMs {
        now - self.of(kind)
    }
}

/// Does what is due; says how many entries were emptied.
///
/// # Errors
/// The database's; what was not reached is done the next time.
pub async fn tick(db: &Db, keep: Keep, now: UnixMs) -> Result<u64, AppError> {
    let Said::Due(cut) = db.write(Priority::Ingest, move |tx| announce(tx, keep, now)).await? else {
        return Ok(0);
    };
    let mut emptied = 0;
    for action in Action::ALL {
        let (action, before) = (*action, keep.before(action.kind(), now));
        loop {
            let empty = move |tx: &mut Tx<'_>| store::empty(tx, action, before, AT_ONCE);
            let done: Result<u64, DbError> = db.write(Priority::Ingest, empty).await;
            let done = done?;
            emptied += done;
            if done < AT_ONCE.cast_unsigned() {
                break;
            }
        }
    }
    if let Some(cut) = cut {
        loop {
            let take = move |tx: &mut Tx<'_>| store::take_off(tx, &cut, AT_ONCE);
            let done: Result<u64, DbError> = db.write(Priority::Ingest, take).await;
            if done? < AT_ONCE.cast_unsigned() {
                break;
            }
        }
    }
    Ok(emptied)
}

/// What is to be done.
enum Said {
    /// Nothing now.
    Nothing,
    /// What is due, and what stands before the cut.
    Due(Option<Cut>),
}

/// Says what will be gone, unless it was said lately, or nothing is due. Where the beginning is empty already, it is
/// cut off.
fn announce(tx: &mut Tx<'_>, keep: Keep, now: UnixMs) -> Result<Said, DbError> {
    if store::has_since(tx, BY_RULE, Action::TrailPruned, "audit", now - EVERY_MS)? {
        return Ok(Said::Nothing);
    }
    let mut is_due = false;
    for action in Action::ALL {
        is_due = is_due || store::emptiable_before(tx, *action, keep.before(action.kind(), now))?;
    }
    let held = store::cut(tx)?.map_or(0, |cut| cut.n);
    let first = store::first_kept(tx)?.unwrap_or(held + 1);
    let cut = if first - 1 > held { store::cut_off(tx, first - 1)? } else { None };
    if !is_due && cut.is_none() {
        return Ok(Said::Nothing);
    }
    let before = |kind: &Kind| (kind.name().to_owned(), Value::from(keep.before(*kind, now).0));
    let before: Map<String, Value> = Kind::ALL.iter().map(before).collect();
    let stands = if cut.is_some() { cut } else { store::cut(tx)? };
    let cut_json = stands.map(|cut| json!({ "n": cut.n, "hash": hex::encode(cut.hash) }));
    let detail = json!({ "before_ms": before, "cut": cut_json });
    audit(tx, now.0, BY_RULE, Action::TrailPruned, "audit", Some(&detail))?;
    Ok(Said::Due(stands))
}
