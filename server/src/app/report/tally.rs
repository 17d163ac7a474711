//! Sums figures up, for the whole and for each group. What it holds grows with the number of groups, never with
//! the number of faults.

use std::collections::BTreeMap;

use linewatch_shared::rules::{RepeatCounts, RepeatWindow};
use linewatch_shared::sla::{Interval, Terms, union_ms, year_bounds};
use linewatch_shared::time::{DAY_MS, UnixMs};

use super::book::Book;
use super::figure::{Figure, Figures, Section};
use super::group::{Group, Keys};
use super::measure::{Span, exempt_outage, exempted, measure, outage};
use super::measure_matter::{exempted_matter, measure_matter};
use super::period::Period;
use super::service::LineAvailability;
use crate::store::figures::Part;
use crate::store::report::{ReportedFault, ReportedMatter};

/// A line against what is promised for a year, as of the end of the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct LineYear {
    /// Its faults of the year, as the pack counts them.
    pub faults: u32,
    /// They stay below; none where nothing is promised.
    pub faults_limit: Option<u32>,
    /// Time without service in the year, in milliseconds.
    pub interruption_ms: i64,
    /// At most; none where nothing is promised.
    pub interruption_limit_ms: Option<i64>,
}

/// What is kept of a line while faults go by.
#[derive(Debug)]
struct LineTally {
    /// Of its last fault in the period.
    keys: Keys,
    terms: Terms,
    /// Its outages in the period, disjoint and rising.
    outages: Vec<(UnixMs, UnixMs)>,
    /// Those of its exempt faults.
    exempt: Vec<(UnixMs, UnixMs)>,
    /// It had a fault or an outage that counts.
    touched: bool,
}

/// The sums.
#[derive(Debug)]
pub struct Tally {
    /// Of everything.
    pub total: Figures,
    /// What was decided of exempt faults and matters, which is in no other sum.
    pub exempt: Figures,
    groups: BTreeMap<Group, BTreeMap<String, Figures>>,
    lines: BTreeMap<String, LineTally>,
    /// Lines' places in the year.
    pub years: BTreeMap<String, LineYear>,
    /// Lines against their promised availability.
    pub availability: BTreeMap<String, LineAvailability>,
    /// The last places of lines whose time is looked at.
    served: BTreeMap<String, Keys>,
}

impl Default for Tally {
    fn default() -> Self {
        let groups = Group::ALL.into_iter().map(|group| (group, BTreeMap::new())).collect();
        Self {
            total: Figures::default(),
            exempt: Figures::default(),
            groups,
            lines: BTreeMap::new(),
            years: BTreeMap::new(),
            availability: BTreeMap::new(),
            served: BTreeMap::new(),
        }
    }
}

impl Tally {
    /// Adds a fault. Faults come in the order of their starts, so that the same faults give the same sums.
    pub fn add(&mut self, book: &Book, reported: &ReportedFault) {
        let fault = &reported.fault;
        let span = book.span(&fault.terms);
        let mut figures = measure(fault, span);
        let pieces: Vec<(UnixMs, UnixMs)> = outage(fault, span).collect();
        let exempt: Vec<(UnixMs, UnixMs)> = exempt_outage(fault, span).collect();
        if figures.is_zero() && pieces.is_empty() && exempt.is_empty() {
            return;
        }
        let keys = book.keys(fault, reported.restored_by.as_deref());
        if !book.wants(&keys) {
            return;
        }
        self.exempt.add_all(&exempted(fault, span));
        let touched = !pieces.is_empty() || figures.get(Figure::Faults) > 0;
        let line = self.lines.entry(fault.line.clone()).or_insert_with(|| LineTally {
            keys: keys.clone(),
            terms: fault.terms.clone(),
            outages: Vec::new(),
            exempt: Vec::new(),
            touched: false,
        });
        if touched {
            if line.terms != fault.terms {
                line.keys = keys.clone();
                line.terms = fault.terms.clone();
            }
            line.touched = true;
        }
        figures.add(Figure::InterruptionMs, extend(&mut line.outages, &pieces));
        figures.add(Figure::ExemptMs, extend(&mut line.exempt, &exempt));
        self.count(&keys, &figures);
    }

    /// Adds a matter.
    pub fn add_matter(&mut self, book: &Book, reported: &ReportedMatter) {
        let matter = &reported.matter;
        let span = book.span_of_matter(matter);
        let (figures, exempt) = (measure_matter(matter, span), exempted_matter(matter, span));
        if figures.is_zero() && exempt.is_zero() {
            return;
        }
        let keys = book.keys_of_matter(matter, reported.done_by.as_deref());
        if book.wants(&keys) {
            self.exempt.add_all(&exempt);
            if !figures.is_zero() {
                self.count(&keys, &figures);
            }
        }
    }

    /// Adds a stretch of a line's time in service, and how its promise stands.
    pub fn add_time(&mut self, keys: Keys, figures: &Figures, promise: Option<LineAvailability>) {
        self.count(&keys, figures);
        if let Some(promise) = promise {
            self.availability.insert(keys.line.clone(), promise);
        }
        self.served.insert(keys.line.clone(), keys);
    }

    /// Adds what was drawn for checking, in the groups whose it is.
    pub fn add_sample(&mut self, keys: &Keys, figures: &Figures) {
        self.count_in(keys, figures, |group| group.has(Section::Quality));
    }

    fn count(&mut self, keys: &Keys, figures: &Figures) {
        self.count_in(keys, figures, |_| true);
    }

    fn count_in(&mut self, keys: &Keys, figures: &Figures, counts: impl Fn(Group) -> bool) {
        self.total.add_all(figures);
        for (group, sums) in self.groups.iter_mut().filter(|(group, _)| counts(**group)) {
            for key in keys.of(*group) {
                match sums.get_mut(key) {
                    Some(sum) => sum.add_all(figures),
                    None => {
                        sums.insert(key.clone(), figures.clone());
                    }
                }
            }
        }
    }

    /// The codes of the lines that had a fault or an outage.
    #[must_use]
    pub fn touched_lines(&self) -> Vec<String> {
        let touched = self.lines.iter().filter(|(_, line)| line.touched);
        touched.map(|(code, _)| code.clone()).collect()
    }

    /// Judges a line against its year, from everything that counts for it in that year and the one before.
    pub fn judge_line(&mut self, book: &Book, period: Period, code: &str, parts: &[Part]) {
        let Some(line) = self.lines.get(code) else { return };
        let year = line_year(book, &line.terms, period, parts);
        let mut figures = Figures::default();
        figures.add(Figure::Lines, 1);
        if let Some(limit) = year.faults_limit {
            figures.add(Figure::RepeatNear, i64::from(year.faults + 1 == limit));
            figures.add(Figure::RepeatReached, i64::from(year.faults >= limit));
        }
        let over = year.interruption_limit_ms.is_some_and(|limit_ms| year.interruption_ms > limit_ms);
        figures.add(Figure::InterruptionOver, i64::from(over));
        // Causes, and who did the work, are a fault's, not a line's.
        let keys = Keys { causes: Vec::new(), technician: None, ..line.keys.clone() };
        self.count(&keys, &figures);
        self.years.insert(code.to_owned(), year);
    }

    /// The sums of a grouping, by key.
    pub fn of(&self, group: Group) -> impl Iterator<Item = (&String, &Figures)> {
        self.groups.get(&group).into_iter().flatten()
    }

    /// The groups of a line.
    #[must_use]
    pub fn keys_of_line(&self, code: &str) -> Option<&Keys> {
        self.lines.get(code).map(|line| &line.keys).or_else(|| self.served.get(code))
    }

    /// How many groups there are in all.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.groups.values().map(BTreeMap::len).sum()
    }
}

/// Adds stretches to disjoint rising ones; answers by how much (ms) their union has grown.
fn extend(known: &mut Vec<(UnixMs, UnixMs)>, more: &[(UnixMs, UnixMs)]) -> i64 {
    let length = |spans: &[(UnixMs, UnixMs)]| spans.iter().map(|(from, to)| to.since(*from)).sum::<i64>();
    let before = length(known);
    known.extend_from_slice(more);
    known.sort_unstable();
    let mut merged: Vec<(UnixMs, UnixMs)> = Vec::with_capacity(known.len());
    for (from, to) in known.drain(..) {
        match merged.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(to),
            None => merged.push((from, to)),
        }
    }
    *known = merged;
    length(known) - before
}

fn line_year(book: &Book, terms: &Terms, period: Period, parts: &[Part]) -> LineYear {
    let limits = LineYear {
        faults_limit: terms.tier.faults_per_year_below,
        interruption_limit_ms: terms.tier.interruption_per_year_at_most_ms,
        ..LineYear::default()
    };
    let Some(pack) = book.pack(terms) else { return limits };
    let Span { until, .. } = *book.span(terms);
    let (from, to) = year_bounds(pack.time_zone, period.year());
    let since = match pack.repeat_window {
        RepeatWindow::Year => from,
        RepeatWindow::Rolling365 => until - 365 * DAY_MS,
    };
    let counted = parts
        .iter()
        .filter(|p| p.contribution.counted && p.started_at >= since && p.started_at < until)
        .count();
    let first = usize::from(pack.repeat_counts == RepeatCounts::Recurrences);
    let pieces = parts.iter().flat_map(|part| &part.contribution.pieces);
    let clipped = pieces
        .map(|piece| Interval { from: piece.from.max(from), to: piece.to.map(|end| end.min(to)) })
        .filter(|piece| piece.to.is_none_or(|end| piece.from < end));
    LineYear {
        faults: u32::try_from(counted.saturating_sub(first)).unwrap_or(u32::MAX),
        interruption_ms: union_ms(clipped, until),
        ..limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_added_once() {
        let at = |from, to| (UnixMs(from), UnixMs(to));
        let mut known = Vec::new();
        assert_eq!(extend(&mut known, &[at(0, 10), at(20, 30)]), 20);
        assert_eq!(extend(&mut known, &[at(5, 22)]), 10);
        assert_eq!(known, [at(0, 30)]);
        assert_eq!(extend(&mut known, &[]), 0);
    }
}
