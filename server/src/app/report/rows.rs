//! The rows that a figure is made of: the same walk and the same measure as the figure itself.

use std::ops::ControlFlow;

use linewatch_shared::sla::Fault;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use super::ReportError;
use super::book::Book;
use super::figure::Figure;
use super::group::{Group, Keys};
use super::history::Learnt;
use super::hotline;
use super::make::{Entry, START, make, walk, walk_matters};
use super::measure::{exempt_outage, measure, outage};
use super::measure_matter::measure_matter;
use super::period::Period;
use super::samples::{self, measure_sample};
use super::service::LineAvailability;
use super::tally::LineYear;
use crate::app::quality::Sampled;
use crate::db::Tx;
use crate::store::calls::Calls;
use crate::store::report::Position;

/// Which rows.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The figure.
    pub figure: Figure,
    /// Only what belongs to this key of this grouping.
    pub group: Option<(Group, String)>,
}

impl Asked {
    fn wants(&self, keys: &Keys) -> bool {
        self.group.as_ref().is_none_or(|(group, key)| keys.of(*group).iter().any(|own| own == key))
    }
}

/// A row of a figure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReportRow {
    /// The fault's id, where the row is one.
    pub fault: Option<String>,
    /// The matter's id, where the row is one.
    pub matter: Option<String>,
    /// The line's code.
    pub line: String,
    /// The customer's code.
    pub customer: String,
    /// `pack/tier`; empty for a matter, unless it was drawn for checking: then its customer's.
    pub tier: String,
    /// `pack/class` of a matter.
    pub class: Option<String>,
    /// When the fault began, or the matter was opened.
    pub started_at: Option<String>,
    /// When service came back, the matter was resolved, or what was drawn for checking was closed.
    pub restored_at: Option<String>,
    /// What the row adds to the figure: pieces or milliseconds. Outages of one line that overlap count once in
    /// the figure.
    pub value: i64,
    /// How the line stands in its year, where the row is a line.
    pub year: Option<LineYear>,
    /// How the line stands against its promised availability, where the row is a line.
    pub availability: Option<LineAvailability>,
    /// Where the line's outages are, where the row is a line.
    pub outages: Option<String>,
    /// The day, where the row is one of the hotline's.
    pub day: Option<String>,
    /// Its calls; none where none were imported.
    pub calls: Option<DayCalls>,
    /// What was drawn for checking, where the row is that.
    pub sample: Option<Sampled>,
}

/// The hotline on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DayCalls {
    /// Calls that came in.
    pub offered: i64,
    /// Of those, the ones that were answered.
    pub answered: i64,
    /// Of those, the ones that were answered within 20 seconds.
    pub within_20s: i64,
}

/// Faults that add to a figure, in the order of their starts, after a position: with the position of each.
///
/// # Errors
/// The database's; when the figure's rows are lines.
pub fn faults(
    tx: &mut Tx<'_>,
    book: &Book,
    asked: &Asked,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<(Position, ReportRow)>, ReportError> {
    let mut rows = Vec::new();
    walk(tx, book, after.unwrap_or(START), &mut |_, reported| {
        let fault = &reported.fault;
        let value = value(book, fault, asked.figure);
        if value != 0 {
            let keys = book.keys(fault, reported.restored_by.as_deref());
            if asked.wants(&keys) {
                let row = ReportRow {
                    fault: Some(fault.id.to_string()),
                    line: fault.line.clone(),
                    customer: keys.customer,
                    tier: keys.tier,
                    started_at: Some(fault.started_at.to_rfc3339()),
                    restored_at: fault.restored_at.map(UnixMs::to_rfc3339),
                    value,
                    ..ReportRow::default()
                };
                rows.push(((fault.started_at, fault.id), row));
            }
        }
        Ok(if rows.len() >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(rows)
}

fn value(book: &Book, fault: &Fault, figure: Figure) -> i64 {
    let span = book.span(&fault.terms);
    if figure == Figure::InterruptionMs {
        return outage(fault, span).map(|(from, to)| to.since(from)).sum();
    }
    if figure == Figure::ExemptMs {
        return exempt_outage(fault, span).map(|(from, to)| to.since(from)).sum();
    }
    measure(fault, span).get(figure)
}

/// Matters that add to a figure, in the order of their openings, after a position: with the position of each.
///
/// # Errors
/// The database's.
pub fn matters(
    tx: &mut Tx<'_>,
    book: &Book,
    asked: &Asked,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<(Position, ReportRow)>, ReportError> {
    let mut rows = Vec::new();
    walk_matters(tx, book, after.unwrap_or(START), &mut |_, reported| {
        let matter = &reported.matter;
        let value = measure_matter(matter, book.span_of_matter(matter)).get(asked.figure);
        let keys = book.keys_of_matter(matter, reported.done_by.as_deref());
        if value != 0 && asked.wants(&keys) {
            let row = ReportRow {
                matter: Some(matter.id.to_string()),
                line: keys.line,
                customer: keys.customer,
                class: keys.class,
                started_at: Some(matter.opened_at.to_rfc3339()),
                restored_at: matter.resolved_at.map(UnixMs::to_rfc3339),
                value,
                ..ReportRow::default()
            };
            rows.push(((matter.opened_at, matter.id), row));
        }
        Ok(if rows.len() >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(rows)
}

/// Lines that add to a figure, by code, after one.
///
/// # Errors
/// The database's; when the figure's rows are faults.
pub fn lines(
    tx: &mut Tx<'_>,
    book: &Book,
    period: Period,
    asked: &Asked,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<ReportRow>, ReportError> {
    let report = make(tx, book, period, &mut Learnt::default())?;
    let adds = |entry: &&Entry| {
        let in_group = entry.place.as_ref().is_some_and(|place| asked.wants(place));
        in_group
            && entry.figures.get(asked.figure) != 0
            && after.is_none_or(|after| entry.key.as_str() > after)
    };
    let outages = format!(
        "/api/v1/reports/{}/{period}/rows?figure={}&group=line&key=",
        period.kind().name(),
        Figure::InterruptionMs.name()
    );
    let row = |entry: &Entry| {
        let place = entry.place.as_ref();
        ReportRow {
            line: entry.key.clone(),
            customer: place.map(|place| place.customer.clone()).unwrap_or_default(),
            tier: place.map(|place| place.tier.clone()).unwrap_or_default(),
            value: entry.figures.get(asked.figure),
            year: entry.year,
            availability: entry.availability.clone(),
            outages: Some(format!("{outages}{}", query_text(&entry.key))),
            ..ReportRow::default()
        }
    };
    Ok(report.of(Group::Line).iter().filter(adds).take(limit).map(row).collect())
}

/// What was drawn for checking and adds to a figure, in the order of its closing, after a position: with the position
/// of each.
///
/// # Errors
/// The database's.
pub fn samples(
    tx: &mut Tx<'_>,
    book: &Book,
    period: Period,
    asked: &Asked,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<(Position, ReportRow)>, ReportError> {
    let Some((rules, now)) = book.samples() else { return Ok(Vec::new()) };
    let drawn = samples::draw(tx, book, (period, rules), now)?;
    let row = |(keys, sampled): (Keys, Sampled)| {
        let value = measure_sample(&sampled).get(asked.figure);
        let closed_at = UnixMs::parse_rfc3339(&sampled.closed_at).unwrap_or_default();
        let id = sampled.subject.to_string();
        let is_fault = sampled.kind == "fault";
        let row = ReportRow {
            fault: is_fault.then(|| id.clone()),
            matter: (!is_fault).then_some(id),
            line: keys.line.clone(),
            customer: keys.customer.clone(),
            tier: keys.tier.clone(),
            restored_at: Some(sampled.closed_at.clone()),
            value,
            sample: Some(sampled),
            ..ReportRow::default()
        };
        (keys, ((closed_at, row.sample.as_ref().map_or(Uuid::nil(), |sampled| sampled.subject)), row))
    };
    let all = drawn.into_iter().flat_map(|month| month.items).map(row);
    let adds = |(keys, (at, row)): &(Keys, (Position, ReportRow))| {
        asked.wants(keys) && row.value != 0 && after.is_none_or(|after| *at > after)
    };
    let mut rows: Vec<(Position, ReportRow)> = all.filter(adds).map(|(_, placed)| placed).collect();
    rows.sort_by_key(|(at, _)| *at);
    rows.truncate(limit);
    Ok(rows)
}

/// Days of the hotline that add to a figure, after one.
///
/// # Errors
/// The database's.
pub fn days(
    tx: &mut Tx<'_>,
    book: &Book,
    period: Period,
    asked: &Asked,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<ReportRow>, ReportError> {
    let Some((rules, now)) = book.samples() else { return Ok(Vec::new()) };
    let row = |(day, calls): (String, Option<Calls>)| ReportRow {
        value: hotline::measure_day(calls.as_ref()).get(asked.figure),
        calls: calls.map(|calls| DayCalls {
            offered: calls.offered,
            answered: calls.answered,
            within_20s: calls.within_20s,
        }),
        day: Some(day),
        ..ReportRow::default()
    };
    let days = hotline::days(tx, (period, rules.zone), now)?;
    let later = days.into_iter().filter(|(day, _)| after.is_none_or(|after| day.as_str() > after));
    Ok(later.map(row).filter(|row| row.value != 0).take(limit).collect())
}

/// A code within a link: codes have none of the characters that end a part of a path, and may have others of a query.
pub(in crate::app) fn query_text(code: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let written = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    code.bytes().map(written).collect()
}

/// Whether a figure has rows in a grouping.
///
/// # Errors
/// With what would be right.
pub fn check(asked: &Asked) -> Result<(), ReportError> {
    match &asked.group {
        Some((group, _)) if !group.has(asked.figure.section()) => {
            let (figure, group) = (asked.figure.name(), group.name());
            Err(ReportError::Unknown(format!("{figure} is not counted by {group}")))
        }
        _ => Ok(()),
    }
}
