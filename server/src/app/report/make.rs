//! Makes a report: one pass over the faults that reach into the period, in the order of their starts.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use linewatch_shared::rules::Label;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::ReportError;
use super::book::{Book, Places};
use super::figure::Figures;
use super::group::{Group, Keys};
use super::history::Learnt;
use super::hotline;
use super::measure::Span;
use super::period::Period;
use super::samples::{self, Samples};
use super::service::{self, LineAvailability};
use super::tally::{LineYear, Tally};
use crate::app::quality::SampleRules;
use crate::db::Tx;
use crate::store::packs::PackCache;
use crate::store::report::{self, Position, ReportedFault, ReportedMatter};

/// Faults read at a time.
const FAULTS_AT_ONCE: i64 = 500;
/// Lines whose year is read at a time.
const LINES_AT_ONCE: usize = 200;
/// The most faults that may reach into a period from before it.
const REACHING_MAX: usize = 1_000_000;
/// The most groups in one report.
pub const GROUPS_MAX: usize = 1_000_000;

/// The figures of one group.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The group's key in its grouping.
    pub key: String,
    /// Its name for people.
    pub label: Label,
    /// Its figures.
    pub figures: Figures,
    /// Of a line: to which other groups it belongs.
    pub place: Option<Keys>,
    /// Of a line: how it stands in its year.
    pub year: Option<LineYear>,
    /// Of a line: how it stands against its promised availability.
    pub availability: Option<LineAvailability>,
}

/// A report: a function of the facts and of the period alone, once the period is over.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it is about.
    pub period: Period,
    /// What the period is in each time zone of the packs.
    pub zones: BTreeMap<&'static str, Span>,
    /// Whether the period is over in every zone.
    pub complete: bool,
    /// As of when promises are judged.
    pub until: UnixMs,
    /// The figures of everything.
    pub total: Figures,
    /// What was decided of exempt faults and matters, which is in no other figure.
    pub exempt: Figures,
    /// The figures of each group, by key.
    pub groups: BTreeMap<Group, Vec<Entry>>,
}

impl Report {
    /// The entries of a grouping.
    #[must_use]
    pub fn of(&self, group: Group) -> &[Entry] {
        self.groups.get(&group).map_or(&[], Vec::as_slice)
    }
}

/// What reports are looked up in, for a period that has begun.
///
/// # Errors
/// The database's; when the period lies ahead.
pub fn book(
    packs: &PackCache,
    tx: &mut Tx<'_>,
    (period, rules): (Period, SampleRules),
    now: UnixMs,
) -> Result<Book, ReportError> {
    let versions = packs.versions(tx)?;
    let book = Book::new(period, &versions, Arc::new(Places::read(tx)?), now).with_samples(rules, now);
    if book.widest().from > now {
        return Err(ReportError::NotBegun(period));
    }
    Ok(book)
}

/// Makes a report. `learnt` is told of each fault that was written since the figures were made last.
///
/// # Errors
/// The database's; when the report would not fit its bounds.
pub fn make(
    tx: &mut Tx<'_>,
    book: &Book,
    period: Period,
    learnt: &mut Learnt,
) -> Result<Report, ReportError> {
    let mut tally = Tally::default();
    let mut samples = book.samples().map(|(rules, now)| Samples::new(period, rules, now));
    walk(tx, book, START, &mut |tx, reported| {
        tally.add(book, &reported);
        if let Some(samples) = &mut samples {
            samples.note(book, &reported);
        }
        learnt.note(tx, book, &reported)?;
        within_bounds(&tally)?;
        Ok(ControlFlow::Continue(()))
    })?;
    walk_matters(tx, book, START, &mut |tx, reported| {
        tally.add_matter(book, &reported);
        if let Some(samples) = &mut samples {
            samples.note_matter(book, &reported);
        }
        learnt.note_matter(tx, book, &reported)?;
        within_bounds(&tally)?;
        Ok(ControlFlow::Continue(()))
    })?;
    judge_lines(tx, book, period, &mut tally)?;
    service::count(tx, book, period, &mut tally)?;
    if let (Some((rules, now)), Some(samples)) = (book.samples(), samples) {
        samples::count(tx, samples, &mut tally)?;
        hotline::count(tx, (period, rules.zone), now, &mut tally, learnt)?;
        within_bounds(&tally)?;
    }
    let widest = book.widest();
    Ok(Report {
        period,
        zones: book.zones(),
        complete: widest.until == widest.to,
        until: widest.until,
        groups: Group::ALL.into_iter().map(|group| (group, entries(book, &tally, group))).collect(),
        total: tally.total,
        exempt: tally.exempt,
    })
}

pub(super) fn within_bounds(tally: &Tally) -> Result<(), ReportError> {
    if tally.group_count() > GROUPS_MAX { Err(ReportError::TooLarge("groups", GROUPS_MAX)) } else { Ok(()) }
}

/// Before every fault and matter.
pub const START: Position = (UnixMs(i64::MIN), Uuid::nil());

/// What a walk does with each fault.
type Each<'a> = dyn FnMut(&mut Tx<'_>, ReportedFault) -> Result<ControlFlow<()>, ReportError> + 'a;

/// Goes over the faults that reach into the period, in the order of their starts, after a position.
///
/// # Errors
/// The database's, and those of `each`.
pub fn walk(tx: &mut Tx<'_>, book: &Book, after: Position, each: &mut Each<'_>) -> Result<(), ReportError> {
    let Span { from, to, .. } = *book.widest();
    let reaching = report::reaching_into(tx, from, book.only_customer())?;
    if reaching.len() > REACHING_MAX {
        return Err(ReportError::TooLarge("faults from before it", REACHING_MAX));
    }
    for (_, id) in reaching.into_iter().filter(|position| *position > after) {
        let Some(reported) = report::one(tx, id)?.filter(|one| book.sees(&one.fault.terms.customer)) else {
            continue;
        };
        if each(tx, reported)?.is_break() {
            return Ok(());
        }
    }
    let mut after = after;
    loop {
        let faults = report::begun(tx, (from, to), after, book.only_customer(), FAULTS_AT_ONCE)?;
        let more = faults.len() as i64 == FAULTS_AT_ONCE;
        for reported in faults {
            after = (reported.fault.started_at, reported.fault.id);
            if !book.sees(&reported.fault.terms.customer) {
                continue;
            }
            if each(tx, reported)?.is_break() {
                return Ok(());
            }
        }
        if !more {
            return Ok(());
        }
    }
}

/// What a walk does with each matter.
type EachMatter<'a> = dyn FnMut(&mut Tx<'_>, ReportedMatter) -> Result<ControlFlow<()>, ReportError> + 'a;

/// The same for matters, in the order of their openings.
///
/// # Errors
/// The database's, and those of `each`.
pub fn walk_matters(
    tx: &mut Tx<'_>,
    book: &Book,
    after: Position,
    each: &mut EachMatter<'_>,
) -> Result<(), ReportError> {
    let Span { from, to, .. } = *book.widest();
    let mut positions = report::matters_reaching_into(tx, from, book.only_customer())?;
    if positions.len() > REACHING_MAX {
        return Err(ReportError::TooLarge("matters from before it", REACHING_MAX));
    }
    positions.retain(|position| *position > after);
    for (_, id) in positions {
        let Some(reported) = report::one_matter(tx, id)?.filter(|one| book.sees(&one.matter.customer)) else {
            continue;
        };
        if each(tx, reported)?.is_break() {
            return Ok(());
        }
    }
    let mut after = after;
    loop {
        let matters = report::matters_opened(tx, (from, to), after, book.only_customer(), FAULTS_AT_ONCE)?;
        let more = matters.len() as i64 == FAULTS_AT_ONCE;
        for reported in matters {
            after = (reported.matter.opened_at, reported.matter.id);
            if !book.sees(&reported.matter.customer) {
                continue;
            }
            if each(tx, reported)?.is_break() {
                return Ok(());
            }
        }
        if !more {
            return Ok(());
        }
    }
}

fn judge_lines(tx: &mut Tx<'_>, book: &Book, period: Period, tally: &mut Tally) -> Result<(), ReportError> {
    let lines = tally.touched_lines();
    for chunk in lines.chunks(LINES_AT_ONCE) {
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
        let years = (period.year() - 1, period.year());
        let parts = report::contributions(tx, first, last, years)?;
        for code in chunk {
            tally.judge_line(book, period, code, parts.get(code).map_or(&[], Vec::as_slice));
        }
    }
    Ok(())
}

fn entries(book: &Book, tally: &Tally, group: Group) -> Vec<Entry> {
    let of_line = group == Group::Line;
    let entry = |(key, figures): (&String, &Figures)| Entry {
        key: key.clone(),
        label: book.label(group, key),
        figures: figures.clone(),
        place: tally.keys_of_line(key).filter(|_| of_line).cloned(),
        year: tally.years.get(key).filter(|_| of_line).copied(),
        availability: tally.availability.get(key).filter(|_| of_line).cloned(),
    };
    tally.of(group).map(entry).collect()
}
