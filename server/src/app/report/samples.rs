//! Samples of closed work, as they are drawn while a report walks over faults and matters: the draw of a month, what was
//! found of it, and what that adds to the figures.
//!
//! What is drawn follows from the ids and the month alone. What is held while walking is bounded by the largest sample.

use std::collections::BTreeMap;

use linewatch_shared::rules::MatterKind;
use linewatch_shared::sla::State;
use linewatch_shared::time::UnixMs;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ReportError;
use super::book::Book;
use super::figure::{Figure, Figures};
use super::group::Keys;
use super::make::{START, walk, walk_matters};
use super::period::Period;
use super::tally::Tally;
use crate::app::quality::{SAMPLE_MAX, SampleRules, Sampled};
use crate::db::{DbError, Tx};
use crate::store::quality::{self, Check};
use crate::store::report::{ReportedFault, ReportedMatter};

/// Something closed, with the groups that it belongs to.
#[derive(Clone, Debug)]
struct Closed {
    subject: Uuid,
    kind: &'static str,
    owner: String,
    at: UnixMs,
    keys: Keys,
}

/// What was closed in a month: how many, and those that come first in the draw.
#[derive(Debug)]
struct MonthDraw {
    month: Period,
    from: UnixMs,
    to: UnixMs,
    closed: usize,
    /// By a hash of the month and the id; at most [`SAMPLE_MAX`].
    first: BTreeMap<([u8; 32], Uuid), Closed>,
}

/// The samples of a period's months that are over.
#[derive(Debug)]
pub struct Samples {
    rules: SampleRules,
    months: Vec<MonthDraw>,
}

/// A month's sample.
#[derive(Clone, Debug)]
pub struct MonthSample {
    /// How many faults and matters were closed in the month.
    pub closed: usize,
    /// What was drawn, in the order of the draw, with the groups that each belongs to.
    pub items: Vec<(Keys, Sampled)>,
}

impl Samples {
    /// Of a period, as of a moment.
    #[must_use]
    pub fn new(period: Period, rules: SampleRules, now: UnixMs) -> Self {
        let draw = |month: Period| {
            let (from, to) = month.bounds(rules.zone);
            (to <= now).then(|| MonthDraw { month, from, to, closed: 0, first: BTreeMap::new() })
        };
        Self { rules, months: period.months().into_iter().filter_map(draw).collect() }
    }

    /// Looks at a fault. One that later facts took away is no work that was done: whether it was ever seen depends on the
    /// order in which they came.
    pub fn note(&mut self, book: &Book, reported: &ReportedFault) {
        let fault = &reported.fault;
        if matches!(fault.state, State::Suspected | State::Withdrawn) {
            return;
        }
        let Some((at, month)) = self.month_of(fault.closed_at) else { return };
        let keys = book.keys(fault, reported.restored_by.as_deref());
        let owner = keys.manager.clone();
        month.offer(Closed { subject: fault.id, kind: "fault", owner, at, keys });
    }

    /// Looks at a matter. Rounds of visits and patrols have a review of their own.
    pub fn note_matter(&mut self, book: &Book, reported: &ReportedMatter) {
        let matter = &reported.matter;
        if !matches!(matter.kind, MatterKind::Complaint | MatterKind::Request | MatterKind::Defect) {
            return;
        }
        let Some((at, month)) = self.month_of(matter.closed_at) else { return };
        let keys = book.keys_of_checked(matter, reported.done_by.as_deref());
        let owner = if matter.owner.is_empty() { keys.manager.clone() } else { matter.owner.clone() };
        month.offer(Closed { subject: matter.id, kind: matter.kind.name(), owner, at, keys });
    }

    fn month_of(&mut self, closed_at: Option<UnixMs>) -> Option<(UnixMs, &mut MonthDraw)> {
        let at = closed_at?;
        let month = self.months.iter_mut().find(|month| month.from <= at && at < month.to)?;
        Some((at, month))
    }

    /// What was drawn, month by month, with what was found of it.
    ///
    /// # Errors
    /// The database's.
    pub fn found(self, tx: &mut Tx<'_>) -> Result<Vec<MonthSample>, DbError> {
        let rules = self.rules;
        let found = |draw: MonthDraw| {
            let checks = quality::of_month(tx, &draw.month.to_string(), SAMPLE_MAX as i64)?;
            Ok(draw.finish(rules, &checks))
        };
        self.months.into_iter().map(found).collect()
    }
}

impl MonthDraw {
    fn offer(&mut self, closed: Closed) {
        let month = self.month.to_string();
        let hash = Sha256::new().chain_update(month).chain_update(closed.subject.as_bytes()).finalize();
        self.closed += 1;
        self.first.insert((hash.into(), closed.subject), closed);
        if self.first.len() > SAMPLE_MAX {
            self.first.pop_last();
        }
    }

    fn finish(self, rules: SampleRules, checks: &BTreeMap<Uuid, Check>) -> MonthSample {
        let wanted = (self.closed * rules.share_percent).div_ceil(100).max(rules.at_least);
        let items = self.first.into_values().take(wanted.min(SAMPLE_MAX));
        let sampled = |closed: Closed| {
            let check = checks.get(&closed.subject);
            let sampled = Sampled {
                subject: closed.subject,
                kind: closed.kind.to_owned(),
                customer: closed.keys.customer.clone(),
                line: closed.keys.line.clone(),
                owner: closed.owner,
                closed_at: closed.at.to_rfc3339(),
                points: check.map(|check| check.points),
                good: check.map(|check| check.points >= rules.good_from),
                remarks: check.map(|check| check.remarks.clone()),
                checked_by: check.map(|check| check.by.clone()),
                checked_at: check.map(|check| check.at.to_rfc3339()),
            };
            (closed.keys, sampled)
        };
        MonthSample { closed: self.closed, items: items.map(sampled).collect() }
    }
}

/// What something that was drawn adds: the only place that says what these figures mean.
#[must_use]
pub fn measure_sample(sampled: &Sampled) -> Figures {
    let mut figures = Figures::default();
    figures.add(Figure::SamplesDrawn, 1);
    if let Some(points) = sampled.points {
        figures.add(Figure::SamplesChecked, 1);
        figures.add(Figure::SamplesGood, i64::from(sampled.good == Some(true)));
        figures.add(Figure::SamplePoints, points);
    }
    figures
}

/// Counts what was drawn.
///
/// # Errors
/// The database's.
pub(super) fn count(tx: &mut Tx<'_>, samples: Samples, tally: &mut Tally) -> Result<(), DbError> {
    for month in samples.found(tx)? {
        for (keys, sampled) in &month.items {
            tally.add_sample(keys, &measure_sample(sampled));
        }
    }
    Ok(())
}

/// Draws the samples of the months of a period that are over, by a walk of their own.
///
/// # Errors
/// The database's; when the period has more than a report holds.
pub fn draw(
    tx: &mut Tx<'_>,
    book: &Book,
    (period, rules): (Period, SampleRules),
    now: UnixMs,
) -> Result<Vec<MonthSample>, ReportError> {
    let mut samples = Samples::new(period, rules, now);
    walk(tx, book, START, &mut |_, reported| {
        samples.note(book, &reported);
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    walk_matters(tx, book, START, &mut |_, reported| {
        samples.note_matter(book, &reported);
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    Ok(samples.found(tx)?)
}
