//! Quality samples: of what was closed in a month a part is drawn, and somebody who did not do the work checks it.
//!
//! What is drawn follows from the ids and the month alone, so that it can be drawn again: who closed what, and when it is
//! looked at, has no part in it.

use std::collections::BTreeSet;

use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::app::desk::{Desk, DeskError};
use crate::app::report::ReportError;
use crate::app::report::figure::{Figure, Figures};
use crate::app::report::make::book;
use crate::app::report::period::Period;
use crate::app::report::ratio::Ratio;
use crate::app::report::samples::{self, MonthSample, measure_sample};
use crate::app::{Action, audit};
use crate::db::{DbError, Tx};
use crate::store::quality::{self, Check};
use crate::store::{facts, matters};

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

impl QualityMonth {
    fn of(month: Period, drawn: Vec<MonthSample>) -> Self {
        let mut figures = Figures::default();
        let (mut closed, mut items) = (0, Vec::new());
        for sample in drawn {
            closed += sample.closed;
            items.extend(sample.items.into_iter().map(|(_, sampled)| sampled));
        }
        for sampled in &items {
            figures.add_all(&measure_sample(sampled));
        }
        let count = |figure| usize::try_from(figures.get(figure)).unwrap_or_default();
        let rate = Ratio::from_name("samples_good_rate").and_then(|ratio| ratio.rounded(&figures));
        Self {
            month: month.to_string(),
            closed,
            checked: count(Figure::SamplesChecked),
            good: count(Figure::SamplesGood),
            good_permille: rate.and_then(|rate| usize::try_from(rate).ok()),
            items,
        }
    }
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
    let (_, to) = month.bounds(rules.zone);
    if now < to {
        return Err(invalid("month", format!("{month} is not over yet: its sample is drawn then")));
    }
    let drawn = book(&desk.packs, tx, (month, rules), now)
        .and_then(|book| samples::draw(tx, &book, (month, rules), now))
        .map_err(|error| match error {
            ReportError::Db(error) => DeskError::Db(error),
            other => invalid("month", other.to_string()),
        })?;
    Ok(QualityMonth::of(month, drawn))
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
    audit(tx, now.0, &new.by, Action::QualityChecked, &new.subject.to_string(), Some(&detail))?;
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
