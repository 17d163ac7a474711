//! Lines' time with service: what of it there was in the period, and whether what is promised over month, quarter or
//! year was kept. A promise belongs to the period in which it was decided: where its allowance was used up, else where
//! its span ended.

use linewatch_shared::rules::{Availability, Figure as Assessed, Over, Pack};
use linewatch_shared::sla::{Allowance, AllowanceFigures, Interval, Promised, union_ms};
use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::ReportError;
use super::book::{Book, Place};
use super::figure::{Figure, Figures};
use super::make::within_bounds;
use super::period::{Period, PeriodKind};
use super::stretch::{Of, Stretch, stretches};
use super::tally::Tally;
use crate::db::Tx;
use crate::store::figures::Part;
use crate::store::report;
use crate::store::service_time::{self, ServedLine};

/// Lines whose time is read at a time.
const LINES_AT_ONCE: usize = 200;
/// A year has so many months: the most spans of one promise in one period.
const SPANS_MAX: usize = 12;

/// A line against its promised availability, over the last span that reaches into the period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineAvailability {
    /// What is promised, in millionths of the time.
    pub at_least_ppm: u32,
    /// `month`, `quarter` or `year`.
    pub over: &'static str,
    /// Since when it counts: the span's beginning, or the line's, RFC 3339.
    pub from: String,
    /// The end of the span.
    pub to: String,
    /// The part of the time so far with service, in millionths, rounded down; null while no time has passed.
    pub available_ppm: Option<u32>,
    /// Time without service so far, in milliseconds.
    pub interruption_ms: i64,
    /// How much the span may hold, in milliseconds.
    pub allowance_ms: i64,
    /// What is left of that, in milliseconds; negative once it is missed.
    pub left_ms: i64,
    /// When the allowance was used up; while an outage runs, when it will be.
    pub exhausted_at: Option<String>,
    /// `running`, `met` or `missed`.
    pub state: &'static str,
}

impl LineAvailability {
    /// For people and programs.
    #[must_use]
    pub fn new(promise: &Availability, figures: &AllowanceFigures) -> Self {
        Self {
            at_least_ppm: promise.at_least_ppm,
            over: kind_of(promise.over).name(),
            from: figures.from.to_rfc3339(),
            to: figures.to.to_rfc3339(),
            available_ppm: figures.ppm(),
            interruption_ms: figures.interruption_ms,
            allowance_ms: figures.allowance_ms,
            left_ms: figures.left_ms(),
            exhausted_at: figures.exhausted_at.map(UnixMs::to_rfc3339),
            state: figures.state.name(),
        }
    }
}

/// The kind of period over which something is promised.
#[must_use]
pub const fn kind_of(over: Over) -> PeriodKind {
    match over {
        Over::Month => PeriodKind::Month,
        Over::Quarter => PeriodKind::Quarter,
        Over::Year => PeriodKind::Year,
    }
}

/// Whether a pack promises availability, or has it assessed.
#[must_use]
pub fn looks_at_time(pack: &Pack) -> bool {
    let assessed = pack.assessment.iter().flat_map(|assessment| &assessment.figures);
    pack.availability.is_some() || assessed.into_iter().any(|item| item.figure == Assessed::Availability)
}

/// Adds every line's time in service, where a pack looks at it.
pub(super) fn count(
    tx: &mut Tx<'_>,
    book: &Book,
    period: Period,
    tally: &mut Tally,
) -> Result<(), ReportError> {
    if !book.looks_at_time() {
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let lines = service_time::lines(tx, book.only_customer(), &after, LINES_AT_ONCE)?;
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(()) };
        let parts = report::contributions(tx, &first.code, &last.code, (period.year() - 1, period.year()))?;
        for line in &lines {
            count_line(book, tally, line, parts.get(&line.code).map_or(&[], Vec::as_slice));
        }
        within_bounds(tally)?;
        after.clone_from(&last.code);
        if lines.len() < LINES_AT_ONCE {
            return Ok(());
        }
    }
}

fn count_line(book: &Book, tally: &mut Tally, line: &ServedLine, parts: &[Part]) {
    let outages: Vec<Interval> = parts.iter().flat_map(|part| part.contribution.pieces.clone()).collect();
    let first_outage = outages.iter().map(|piece| piece.from).min();
    let of = |of: Of| {
        let list = stretches(line, first_outage, |pack| book.zone(pack), of);
        let placed = list.into_iter().filter_map(|stretch| {
            let place = book.in_force(&stretch.terms.pack, stretch.to)?;
            looks_at_time(&place.pack).then_some((place, stretch))
        });
        placed.collect::<Vec<_>>()
    };
    // Time belongs to who maintained the line then, a promise to who does when it is decided.
    for (place, stretch) in of(Of::Contractor) {
        let keys = book.keys_of_line(&line.code, &stretch.terms);
        if let Some(figures) = time(place, &stretch, &outages).filter(|_| book.wants(&keys)) {
            tally.add_time(keys, &figures, None);
        }
    }
    for (place, stretch) in of(Of::Customer) {
        let keys = book.keys_of_line(&line.code, &stretch.terms);
        let Some(promise) = place.pack.availability.as_ref().filter(|_| book.wants(&keys)) else { continue };
        let (figures, last) = promised(place, promise, &stretch, &outages);
        if let Some(last) = last {
            tally.add_time(keys, &figures, Some(LineAvailability::new(promise, &last)));
        }
    }
}

/// The time of a stretch in the period.
fn time(place: &Place, stretch: &Stretch, outages: &[Interval]) -> Option<Figures> {
    let (from, until) = stretch.within(place.span.from, place.span.until)?;
    let service_ms = until.since(from);
    let clipped = outages.iter().map(|piece| Interval { from: piece.from.max(from), to: piece.to });
    let mut figures = Figures::default();
    figures.add(Figure::ServiceMs, service_ms);
    figures.add(Figure::AvailableMs, service_ms - union_ms(clipped, until));
    Some(figures)
}

/// What was decided in the period of what is promised for a stretch, and how the last such promise stands.
fn promised(
    place: &Place,
    promise: &Availability,
    stretch: &Stretch,
    outages: &[Interval],
) -> (Figures, Option<AllowanceFigures>) {
    let mut figures = Figures::default();
    let span = place.span;
    let (kind, zone) = (kind_of(promise.over), place.pack.time_zone);
    let mut at = span.from;
    let mut last = None;
    for _ in 0..SPANS_MAX {
        if at >= span.until {
            break;
        }
        let (from, to) = Period::containing(kind, zone, at).bounds(zone);
        at = to;
        let Some(own) = stretch.within(from, to).filter(|own| own.0 < span.until) else { continue };
        let found = Allowance::availability(promise, own).figures(outages, span.until);
        let missed_at = found.exhausted_at.filter(|_| found.state == Promised::Missed);
        figures.add(Figure::AvailabilityMissed, i64::from(missed_at.is_some_and(|at| span.contains(at))));
        // Its end belongs to the period that ends with it.
        let ended = span.from < found.to && found.to <= span.until;
        figures.add(Figure::AvailabilityKept, i64::from(found.state == Promised::Met && ended));
        last = Some(found);
    }
    (figures, last)
}
