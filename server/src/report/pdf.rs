//! The report for reading and printing: the whole, each grouping, the lines to watch, what changed. Equal figures
//! give equal bytes.

use super::columns::{INNER, Layout, figure_cells, figure_layout, rate, shown};
use super::page::{Align, BLACK, GREY, Ink, LINE, MARGIN, Pages, RED, SHADE};
use super::table::{Cell, Table, clock_text, moment_text, time_share_text};
use super::words::{self, Lang, Words};
use super::{RenderError, table};
use crate::app::report::Published;
use crate::app::report::figure::{Figure, Figures, Section};
use crate::app::report::group::Group;
use crate::app::report::make::Entry;
use crate::app::report::ratio::Ratio;

/// Rows of one table; what is beyond is said, and stands in the other formats.
const ROWS_MAX: usize = 2_000;
pub(super) const TITLE_SIZE: f32 = 18.0;
const HEADING_SIZE: f32 = 12.0;
pub(super) const TEXT_SIZE: f32 = 8.5;
const HEADER_SIZE: f32 = 7.5;
const ROW_HEIGHT: f32 = 15.0;
/// One line of a table's header.
const HEADER_LINE: f32 = 10.0;
/// The room between a cell's edge and its text.
const PAD: f32 = 3.0;

/// Writes a report.
///
/// # Errors
/// When the font lacks a character, naming it; when there are too many pages.
pub fn render(published: &Published, lang: Lang) -> Result<Vec<u8>, RenderError> {
    let report = &published.report;
    let mut pages = Pages::new()?;
    let title = format!("{} {}", lang.pick(words::title(report.period.kind())), report.period);
    head(&mut pages, published, &title, lang)?;
    summary(&mut pages, &report.total, lang)?;
    for group in Group::ALL.into_iter().filter(|group| *group != Group::Line) {
        // A desk without contractors is not shown that all of it is its own.
        let entries = report.of(group);
        if entries
            .iter()
            .any(|entry| !entry.key.is_empty() || group == Group::Region || group == Group::Manager)
        {
            grouping(&mut pages, published, group, lang)?;
        }
    }
    lines_to_watch(&mut pages, published, lang)?;
    changes(&mut pages, published, lang)?;
    let short = published.sha256.get(..16).unwrap_or_default();
    let foot = format!("{title}    {} {short}", lang.pick(words::FINGERPRINT));
    pages.finish(&title, lang.name(), &foot)
}

fn head(pages: &mut Pages, published: &Published, title: &str, lang: Lang) -> Result<(), RenderError> {
    let report = &published.report;
    pages.skip(TITLE_SIZE);
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (TITLE_SIZE, BLACK), title)?;
    for (zone, span) in &report.zones {
        pages.skip(16.0);
        let period = lang.pick(words::PERIOD);
        let mut text =
            format!("{period}  {} – {}  {zone}", moment_text(span.from, zone), moment_text(span.to, zone));
        if !report.complete {
            let until = moment_text(span.until, zone);
            text = format!("{text}  ({} {until})", lang.pick(words::RUNNING));
        }
        pages.text((MARGIN, pages.y()), INNER, Align::Left, (TEXT_SIZE, GREY), &text)?;
    }
    pages.skip(14.0);
    Ok(())
}

pub(super) fn heading(pages: &mut Pages, text: &str) -> Result<(), RenderError> {
    if !pages.fits(HEADING_SIZE + 6.0 * ROW_HEIGHT) {
        pages.turn()?;
    }
    pages.skip(HEADING_SIZE + 8.0);
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (HEADING_SIZE, BLACK), text)?;
    pages.skip(8.0);
    Ok(())
}

/// Every figure of the whole, in three columns under its section.
fn summary(pages: &mut Pages, total: &Figures, lang: Lang) -> Result<(), RenderError> {
    const PER_ROW: usize = 3;
    const WIDE: f32 = INNER / PER_ROW as f32;
    for section in Section::ALL {
        let figures: Vec<&Figure> = Figure::ALL.iter().filter(|figure| figure.section() == section).collect();
        // A desk that keeps no such matters is not shown a page of zeros.
        if section == Section::Matters && figures.iter().all(|figure| total.get(**figure) == 0) {
            continue;
        }
        heading(pages, lang.pick(words::section(section)))?;
        if let Some(words) = nothing_known(total, section) {
            pages.skip(ROW_HEIGHT);
            pages.text((MARGIN, pages.y()), INNER, Align::Left, (TEXT_SIZE, GREY), lang.pick(words))?;
            continue;
        }
        let figure = |figure: &&Figure| (words::figure(**figure), Cell::figure(**figure, total));
        let mut cells: Vec<(Words, Cell)> = figures.iter().map(figure).collect();
        let ratios = Ratio::ALL.iter().enumerate().filter(|(_, ratio)| ratio.section() == section);
        cells.extend(ratios.map(|(at, ratio)| (words::ratio(ratio), rate(total, at))));
        for row in cells.chunks(PER_ROW) {
            for (column, (words, cell)) in (0_u8..).zip(row) {
                let x = MARGIN + f32::from(column) * WIDE;
                let y = pages.y() + ROW_HEIGHT - 4.5;
                let (name, value) = (lang.pick(*words), shown(cell));
                pages.text((x + PAD, y), WIDE * 0.66, Align::Left, (TEXT_SIZE, GREY), name)?;
                pages.text((x, y), WIDE - 14.0, Align::Right, (TEXT_SIZE, BLACK), &value)?;
                pages.fill((x, pages.y() + ROW_HEIGHT), (WIDE - 10.0, 0.4), LINE);
            }
            pages.skip(ROW_HEIGHT);
        }
    }
    Ok(())
}

/// What is said in the place of a section of which nothing is known.
const fn nothing_known(total: &Figures, section: Section) -> Option<Words> {
    match section {
        Section::Calls if total.get(Figure::CallDays) == 0 => Some(words::CALLS_NOT_IMPORTED),
        Section::Quality if total.get(Figure::SamplesDrawn) == 0 => Some(words::NO_SAMPLES),
        _ => None,
    }
}

pub(super) fn header(pages: &mut Pages, layout: &Layout) -> Result<(), RenderError> {
    let lines = layout.iter().map(|(heading, ..)| heading.lines().count()).max().unwrap_or(1);
    let height = lines as f32 * HEADER_LINE + 6.0;
    pages.fill((MARGIN, pages.y()), (INNER, height), SHADE);
    let mut x = MARGIN;
    for (heading, width, align) in layout {
        let mut y = pages.y() + HEADER_LINE;
        for line in heading.lines() {
            pages.text((x + PAD, y), width - 2.0 * PAD, *align, (HEADER_SIZE, BLACK), line)?;
            y += HEADER_LINE;
        }
        x += width;
    }
    pages.skip(height);
    Ok(())
}

/// One row; answers only once it stands, on a new page with the header again where it has to be.
pub(super) fn row(pages: &mut Pages, layout: &Layout, cells: &[(String, Ink)]) -> Result<(), RenderError> {
    if !pages.fits(ROW_HEIGHT) {
        pages.turn()?;
        header(pages, layout)?;
    }
    let (mut x, y) = (MARGIN, pages.y() + ROW_HEIGHT - 4.5);
    for ((_, width, align), (text, ink)) in layout.iter().zip(cells) {
        pages.text((x + PAD, y), width - 2.0 * PAD, *align, (TEXT_SIZE, *ink), text)?;
        x += width;
    }
    pages.fill((MARGIN, pages.y() + ROW_HEIGHT), (INNER, 0.4), LINE);
    pages.skip(ROW_HEIGHT);
    Ok(())
}

fn beyond(pages: &mut Pages, count: usize, lang: Lang) -> Result<(), RenderError> {
    if count <= ROWS_MAX {
        return Ok(());
    }
    if !pages.fits(ROW_HEIGHT) {
        pages.turn()?;
    }
    pages.skip(ROW_HEIGHT);
    let text = format!("… {} {}", count - ROWS_MAX, lang.pick(words::MORE));
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (TEXT_SIZE, GREY), &text)
}

fn grouping(pages: &mut Pages, published: &Published, group: Group, lang: Lang) -> Result<(), RenderError> {
    heading(pages, lang.pick(words::group(group)))?;
    let layout = figure_layout(group, lang);
    header(pages, &layout)?;
    let entries = published.report.of(group);
    for entry in entries.iter().take(ROWS_MAX) {
        row(pages, &layout, &figure_cells(group, name(group, entry, lang), &entry.figures))?;
    }
    // Causes are not of every fault: their rows do not add up to the whole.
    if group != Group::Cause {
        let total = figure_cells(group, lang.pick(words::TOTAL).to_owned(), &published.report.total);
        row(pages, &layout, &total)?;
    }
    beyond(pages, entries.len(), lang)
}

fn name(group: Group, entry: &Entry, lang: Lang) -> String {
    if entry.key.is_empty() {
        return lang.pick(words::NONE).to_owned();
    }
    let label = lang.label(&entry.label);
    match group {
        // What contracts say; the pack before it only tells equal names apart.
        Group::Tier => {
            entry.key.split_once('/').map_or_else(|| label.to_owned(), |(_, tier)| format!("{label} {tier}"))
        }
        Group::Customer | Group::Contractor => format!("{label} {}", entry.key),
        _ => label.to_owned(),
    }
}

fn lines_to_watch(pages: &mut Pages, published: &Published, lang: Lang) -> Result<(), RenderError> {
    heading(pages, lang.pick(words::LINES_TO_WATCH))?;
    let watched = |figures: &Figures| {
        [Figure::RepeatNear, Figure::RepeatReached, Figure::InterruptionOver, Figure::AvailabilityMissed]
            .iter()
            .any(|figure| figures.get(*figure) > 0)
    };
    let missed =
        |entry: &&Entry| entry.availability.as_ref().is_some_and(|promise| promise.state == "missed");
    let lines = published.report.of(Group::Line).iter();
    let lines: Vec<&Entry> = lines.filter(|entry| watched(&entry.figures) || missed(entry)).collect();
    if lines.is_empty() {
        pages.skip(ROW_HEIGHT);
        let text = lang.pick(words::NO_LINES_TO_WATCH);
        return pages.text((MARGIN, pages.y()), INNER, Align::Left, (TEXT_SIZE, GREY), text);
    }
    let headings = [
        (words::one(Group::Line), Align::Left),
        (words::one(Group::Customer), Align::Left),
        (words::one(Group::Tier), Align::Left),
        (words::YEAR_FAULTS, Align::Right),
        (words::YEAR_FAULTS_LIMIT, Align::Right),
        (words::YEAR_INTERRUPTION, Align::Right),
        (words::YEAR_INTERRUPTION_LIMIT, Align::Right),
        (words::AVAILABILITY, Align::Right),
        (words::AVAILABILITY_PROMISED, Align::Right),
        (words::INTERRUPTION_LEFT, Align::Right),
    ];
    let width = INNER / headings.len() as f32;
    let layout: Layout =
        headings.into_iter().map(|(word, align)| (lang.pick(word).to_owned(), width, align)).collect();
    header(pages, &layout)?;
    for entry in lines.iter().take(ROWS_MAX) {
        row(pages, &layout, &watched_cells(entry))?;
    }
    beyond(pages, lines.len(), lang)
}

fn watched_cells(entry: &Entry) -> Vec<(String, Ink)> {
    let year = entry.year.unwrap_or_default();
    let ink = |figure| if entry.figures.get(figure) > 0 { RED } else { BLACK };
    let place = entry.place.as_ref();
    let promise = entry.availability.as_ref();
    let missed = promise.is_some_and(|promise| promise.state == "missed");
    let limit = |text: Option<String>| (text.unwrap_or_else(|| "–".to_owned()), GREY);
    vec![
        (entry.key.clone(), BLACK),
        (place.map(|place| place.customer.clone()).unwrap_or_default(), BLACK),
        (place.map(|place| place.tier.clone()).unwrap_or_default(), GREY),
        (year.faults.to_string(), ink(Figure::RepeatReached)),
        limit(year.faults_limit.map(|limit| limit.to_string())),
        (clock_text(year.interruption_ms), ink(Figure::InterruptionOver)),
        limit(year.interruption_limit_ms.map(clock_text)),
        (
            promise
                .and_then(|promise| promise.available_ppm)
                .map_or_else(|| "–".to_owned(), |ppm| time_share_text(i64::from(ppm))),
            if missed { RED } else { BLACK },
        ),
        limit(promise.map(|promise| time_share_text(i64::from(promise.at_least_ppm)))),
        limit(promise.map(|promise| clock_text(promise.left_ms.max(0)))),
    ]
}

fn changes(pages: &mut Pages, published: &Published, lang: Lang) -> Result<(), RenderError> {
    let Table { title, header: headings, rows } = table::changes(published, lang);
    heading(pages, &title)?;
    if rows.is_empty() {
        pages.skip(ROW_HEIGHT);
        let text = lang.pick(words::NO_CHANGES);
        return pages.text((MARGIN, pages.y()), INNER, Align::Left, (TEXT_SIZE, GREY), text);
    }
    let width = INNER / headings.len() as f32;
    let layout: Layout = headings.into_iter().map(|heading| (heading, width, Align::Left)).collect();
    header(pages, &layout)?;
    for cells in rows.iter().take(ROWS_MAX) {
        let texts: Vec<(String, Ink)> = cells.iter().map(|cell| (shown(cell), BLACK)).collect();
        row(pages, &layout, &texts)?;
    }
    beyond(pages, rows.len(), lang)
}
