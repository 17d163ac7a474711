//! Quality samples: of what was closed in a month a part is drawn, and somebody who did not do the work checks it.
//!
//! What is drawn follows from the ids and the month alone, so that it can be drawn again: who closed what, and when it is
//! looked at, has no part in it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::audit;
use crate::app::desk::{Desk, DeskError};
use crate::app::report::ReportError;
use crate::app::report::make::{START, book, walk, walk_matters};
use crate::app::report::period::Period;
use crate::db::{DbError, Tx};
use crate::store::quality::{self, Check};
use crate::store::{customers, facts, matters};

/// The most items of one sample.
pub const SAMPLE_MAX: usize = 500;
/// The full points of a check.
pub const POINTS_MAX: i64 = 100;

/// How much is drawn, and what counts as good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRules {
    /// Of what was closed, in hundredths.
    pub share_percent: usize,
    /// At least so many, while there are as many.
    pub at_least: usize,
    /// Good from so many points on.
    pub good_from: i64,
    /// In which months begin and end.
    pub zone: chrono_tz::Tz,
}

/// Closed work that was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Sampled {
    /// The fault's or the matter's id.
    pub subject: Uuid,
    /// `fault`, `complaint`, `request` or `defect`.
    pub kind: String,
    /// The customer's code.
    pub customer: String,
    /// The line's code; empty where it is about none.
    pub line: String,
    /// Who answers for it; empty for a fault of a customer that nobody has.
    pub owner: String,
    /// When it was closed.
    pub closed_at: String,
    /// Points from 0 to 100; none while it was not checked.
    pub points: Option<i64>,
    /// Whether they are enough.
    pub good: Option<bool>,
    /// What the checker remarks.
    pub remarks: Option<String>,
    /// Who checked it.
    pub checked_by: Option<String>,
    /// When.
    pub checked_at: Option<String>,
}

/// A month's sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QualityMonth {
    /// The month.
    pub month: String,
    /// How many faults and matters were closed in it.
    pub closed: usize,
    /// How many of them were checked.
    pub checked: usize,
    /// How many of those are good.
    pub good: usize,
    /// Their share of those checked, in thousandths; none while none was.
    pub good_permille: Option<usize>,
    /// What was drawn.
    pub items: Vec<Sampled>,
}

fn invalid(field: &'static str, reason: impl Into<String>) -> DeskError {
    DeskError::Invalid { field, reason: reason.into() }
}

/// The sample of a month that is over.
///
/// # Errors
/// When the month is not over, or too much was closed in it.
pub fn sample(
    desk: &Desk,
    tx: &mut Tx<'_>,
    month: Period,
    rules: SampleRules,
    now: UnixMs,
) -> Result<QualityMonth, DeskError> {
    let (from, to) = month.bounds(rules.zone);
    if now < to {
        return Err(invalid("month", format!("{month} is not over yet: its sample is drawn then")));
    }
    let closed = closed(desk, tx, month, (from, to), now).map_err(|error| match error {
        ReportError::Db(error) => DeskError::Db(error),
        other => invalid("month", other.to_string()),
    })?;
    let total = closed.len();
    let mut items = drawn(closed, &month.to_string(), rules);
    let checks = quality::of_month(tx, &month.to_string(), SAMPLE_MAX as i64)?;
    let owners = owners_of(tx, &items)?;
    for (item, owner) in items.iter_mut().zip(owners) {
        if item.owner.is_empty() {
            item.owner = owner;
        }
        if let Some(check) = checks.get(&item.subject) {
            item.points = Some(check.points);
            item.good = Some(check.points >= rules.good_from);
            item.remarks = Some(check.remarks.clone());
            item.checked_by = Some(check.by.clone());
            item.checked_at = Some(check.at.to_rfc3339());
        }
    }
    let checked = items.iter().filter(|item| item.points.is_some()).count();
    let good = items.iter().filter(|item| item.good == Some(true)).count();
    let good_permille = (checked > 0).then(|| good * 1_000 / checked.max(1));
    Ok(QualityMonth { month: month.to_string(), closed: total, checked, good, good_permille, items })
}

/// What was closed in the month with the customer's or a supervisor's word, rounds of visits and patrols apart: those
/// have a review of their own.
fn closed(
    desk: &Desk,
    tx: &mut Tx<'_>,
    month: Period,
    (from, to): (UnixMs, UnixMs),
    now: UnixMs,
) -> Result<Vec<Sampled>, ReportError> {
    let book = book(&desk.packs, tx, month, now)?;
    let within = |at: Option<UnixMs>| at.filter(|at| *at >= from && *at < to);
    let item = |subject, kind: &str, customer: &str, line: &str, owner: &str, at: UnixMs| Sampled {
        subject,
        kind: kind.to_owned(),
        customer: customer.to_owned(),
        line: line.to_owned(),
        owner: owner.to_owned(),
        closed_at: at.to_rfc3339(),
        points: None,
        good: None,
        remarks: None,
        checked_by: None,
        checked_at: None,
    };
    let mut found = Vec::new();
    walk(tx, &book, START, &mut |_, reported| {
        let fault = reported.fault;
        if let Some(at) = within(fault.closed_at) {
            found.push(item(fault.id, "fault", &fault.terms.customer, &fault.line, "", at));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    walk_matters(tx, &book, START, &mut |_, reported| {
        let matter = reported.matter;
        let is_case = matches!(matter.kind, MatterKind::Complaint | MatterKind::Request | MatterKind::Defect);
        if let Some(at) = within(matter.closed_at).filter(|_| is_case) {
            let line = matter.line.as_deref().unwrap_or_default();
            found.push(item(matter.id, matter.kind.name(), &matter.customer, line, &matter.owner, at));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// Draws by a hash of the month and the id: the smallest ones.
fn drawn(mut closed: Vec<Sampled>, month: &str, rules: SampleRules) -> Vec<Sampled> {
    let share = (closed.len() * rules.share_percent).div_ceil(100);
    let wanted = share.max(rules.at_least).min(SAMPLE_MAX);
    let place = |item: &Sampled| {
        let hash = Sha256::new().chain_update(month).chain_update(item.subject.as_bytes()).finalize();
        (<[u8; 32]>::from(hash), item.subject)
    };
    closed.sort_by_cached_key(place);
    closed.truncate(wanted);
    closed
}

/// The account managers of the items' customers.
fn owners_of(tx: &mut Tx<'_>, items: &[Sampled]) -> Result<Vec<String>, DbError> {
    let manager = |tx: &mut Tx<'_>, item: &Sampled| {
        Ok(customers::owners(tx, &item.customer)?.and_then(|owners| owners.manager).unwrap_or_default())
    };
    items.iter().map(|item| manager(tx, item)).collect()
}

/// What a checker found.
#[derive(Clone, Debug)]
pub struct NewCheck {
    /// The month that it was drawn for.
    pub month: Period,
    /// The fault or the matter.
    pub subject: Uuid,
    /// 0 to 100.
    pub points: i64,
    /// In words.
    pub remarks: String,
    /// Who checked.
    pub by: String,
}

/// Writes down what a checker found.
///
/// # Errors
/// When it was not drawn for that month, or the checker did the work.
pub fn check(
    desk: &Desk,
    tx: &mut Tx<'_>,
    new: &NewCheck,
    rules: SampleRules,
    now: UnixMs,
) -> Result<QualityMonth, DeskError> {
    if !(0..=POINTS_MAX).contains(&new.points) {
        return Err(invalid("points", format!("are 0 to {POINTS_MAX}")));
    }
    if new.points < rules.good_from && new.remarks.is_empty() {
        return Err(invalid("remarks", format!("say what is wanting below {} points", rules.good_from)));
    }
    let month = sample(desk, tx, new.month, rules, now)?;
    let item = month.items.iter().find(|item| item.subject == new.subject);
    let item = item.ok_or_else(|| invalid("subject", format!("was not drawn for {}", new.month)))?;
    if item.owner == new.by || workers(tx, item)?.contains(&new.by) {
        let detail = format!("{} did the work: somebody else checks it", new.by);
        return Err(DeskError::Impossible { detail, possible: Vec::new() });
    }
    let check = Check { points: new.points, remarks: new.remarks.clone(), by: new.by.clone(), at: now };
    quality::save(tx, &month.month, new.subject, &check)?;
    let detail = json!({ "month": month.month, "points": new.points });
    audit(tx, now.0, &new.by, "quality checked", &new.subject.to_string(), Some(&detail))?;
    sample(desk, tx, new.month, rules, now)
}

/// Everybody who wrote something down about it.
fn workers(tx: &mut Tx<'_>, item: &Sampled) -> Result<BTreeSet<String>, DbError> {
    if item.kind == "fault" {
        let since = crate::store::report::one(tx, item.subject)?.map(|reported| reported.fault);
        let Some(fault) = since else { return Ok(BTreeSet::new()) };
        let ids: Vec<Uuid> = fault.facts.iter().map(|placed| placed.id).collect();
        return Ok(facts::of_ids(tx, &ids)?.into_iter().map(|stored| stored.by).collect());
    }
    Ok(matters::facts(tx, item.subject)?.into_iter().map(|stored| stored.by).collect())
}
