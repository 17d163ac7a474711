//! Which customers should have a plan of a year and have none that is approved.

use chrono::NaiveDate;
use chrono_tz::Tz;
use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::rules_of;
use crate::app::daily_list::Notice;
use crate::app::days::{day_of, moment};
use crate::app::desk::Desk;
use crate::db::{DbError, Tx};
use crate::store::plans;
use crate::store::scope::Scope;

/// Customers looked at in one reading.
const PAGE: i64 = 500;

/// A customer without an approved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NoPlan {
    /// The customer's code.
    pub customer: String,
    /// Its name.
    pub name: String,
    /// Its account manager; empty for none.
    pub manager: String,
    /// Its tier.
    pub tier: String,
    /// `missing`, or `proposed` where a plan waits for approval.
    pub state: &'static str,
    /// By when it is owed, RFC 3339.
    pub due_at: String,
    /// Whether that has passed.
    pub overdue: bool,
}

/// Customers after a code who should have a plan of a year, and have none that is approved; at most `limit`.
///
/// # Errors
/// The database's.
pub fn without_plan(
    desk: &Desk,
    tx: &mut Tx<'_>,
    (scope, year, manager): (&Scope, i32, Option<&str>),
    after: &str,
    limit: usize,
    now: UnixMs,
) -> Result<Vec<NoPlan>, DbError> {
    let versions = desk.packs.versions(tx)?;
    let mut found = Vec::new();
    let mut after = after.to_owned();
    if versions.iter().all(|version| version.pack.plans.is_none()) {
        return Ok(found);
    }
    loop {
        let page = plans::unplanned(tx, (scope, year), manager, &after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        after.clone_from(&last.code);
        let more = page.len() as i64 >= PAGE;
        for one in page {
            let Some((pack, rules)) = rules_of(&versions, &one.code, &one.pack, now) else { continue };
            if !rules.is_for_tier(&one.tier) {
                continue;
            }
            let due_at = due_at(year, rules.due, pack.time_zone);
            found.push(NoPlan {
                customer: one.code,
                name: one.name,
                manager: one.manager,
                tier: one.tier,
                state: if one.state.is_some() { "proposed" } else { "missing" },
                due_at: due_at.to_rfc3339(),
                overdue: now >= due_at,
            });
            if found.len() >= limit {
                return Ok(found);
            }
        }
        if !more {
            return Ok(found);
        }
    }
}

/// The end of the day by which a year's plan is owed.
fn due_at(year: i32, (month, day): (u32, u32), zone: Tz) -> UnixMs {
    let day = NaiveDate::from_ymd_opt(year, month, day).and_then(|day| day.succ_opt());
    day.map_or(UnixMs::MAX, |next| moment(zone, next, 0))
}

/// From the day by which they are owed: that plans of the running year are wanting.
///
/// # Errors
/// The database's.
pub fn notice(desk: &Desk, tx: &mut Tx<'_>, zone: Tz, now: UnixMs) -> Result<Option<Notice>, DbError> {
    let year = chrono::Datelike::year(&day_of(zone, now));
    let first = without_plan(desk, tx, (&Scope::Everything, year, None), "", 1, now)?
        .into_iter()
        .find(|one| one.overdue);
    Ok(first.map(|one| Notice {
        kind: "plans_missing".to_owned(),
        month: year.to_string(),
        due_at: one.due_at,
    }))
}
