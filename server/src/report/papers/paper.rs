//! The papers on paper: a title, the agenda, each item in its turn. Texts are set in full, on as many lines as they take.

use linewatch_shared::time::UnixMs;

use super::tables::{Section, sections};
use super::words as w;
use crate::app::papers::content::{CopyView, PapersView};
use crate::report::RenderError;
use crate::report::columns::{INNER, Layout, shown};
use crate::report::page::{Align, BLACK, GREY, LINE, MARGIN, Pages};
use crate::report::pdf::{TEXT_SIZE, TITLE_SIZE, header, heading};
use crate::report::table::{Cell, moment_text};
use crate::report::words::Lang;

/// The distance between lines of one cell.
const LEADING: f32 = 11.0;
/// The room of a cell above and below its text.
const ROOM: f32 = 4.5;
/// The most lines of one cell; what is longer is cut visibly, and whole in the other forms.
const LINES_MAX: usize = 6;
/// The room between a cell's edge and its text.
const PAD: f32 = 3.0;
/// Items of the agenda side by side.
const AGENDA_COLUMNS: usize = 3;

/// Writes papers.
///
/// # Errors
/// When there are too many pages.
pub(super) fn render(view: &PapersView, lang: Lang) -> Result<Vec<u8>, RenderError> {
    let papers = &view.papers;
    let title = format!("{} {}", lang.pick(w::TITLE), papers.month);
    let mut pages = Pages::new()?;
    pages.skip(TITLE_SIZE);
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (TITLE_SIZE, BLACK), &title)?;
    pages.skip(16.0);
    let standing = standing(&pages, view, lang);
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (TEXT_SIZE, GREY), &standing)?;
    let sections = sections(view, lang);
    agenda(&mut pages, &sections, lang)?;
    for (number, section) in (1..).zip(&sections) {
        item(&mut pages, number, section, lang)?;
    }
    let copy = view.copy.as_ref().map(|copy| copied(copy, &papers.time_zone, lang));
    let foot = copy.map_or_else(|| title.clone(), |copy| format!("{title}    {copy}"));
    let foot = pages.spelled(&foot);
    pages.finish(&title, lang.name(), &foot)
}

/// As of when, which copy, and who approved it.
fn standing(pages: &Pages, view: &PapersView, lang: Lang) -> String {
    let zone = &view.papers.time_zone;
    let as_of = moment(&view.as_of, zone);
    let mut text = format!("{} {as_of}  {zone}", lang.pick(w::AS_OF));
    if !view.papers.complete {
        text = format!("{text}    {}", lang.pick(w::RUNNING));
    }
    if let Some(copy) = &view.copy {
        text = format!("{text}    {}", copied(copy, zone, lang));
    }
    pages.spelled(&text)
}

fn copied(copy: &CopyView, zone: &str, lang: Lang) -> String {
    let number = match lang {
        Lang::Zh => format!("{} {} 份", lang.pick(w::COPY), copy.number),
        Lang::En => format!("{} {}", lang.pick(w::COPY), copy.number),
    };
    let made = format!("{number}, {} {}", lang.pick(w::MADE_BY), copy.made_by);
    match (&copy.approved_by, &copy.approved_at) {
        (Some(by), Some(at)) => format!("{made}, {} {by} {}", lang.pick(w::APPROVED_BY), moment(at, zone)),
        _ => format!("{made}, {}", lang.pick(w::UNAPPROVED)),
    }
}

fn moment(at: &str, zone: &str) -> String {
    UnixMs::parse_rfc3339(at).map(|at| moment_text(at, zone)).unwrap_or_default()
}

/// What is in the papers, by number, with how many there are of each.
fn agenda(pages: &mut Pages, sections: &[Section], lang: Lang) -> Result<(), RenderError> {
    heading(pages, lang.pick(w::AGENDA))?;
    let wide = INNER / AGENDA_COLUMNS as f32;
    let names: Vec<String> =
        (1..).zip(sections).map(|(number, section)| named(number, section, lang)).collect();
    for row in names.chunks(names.len().div_ceil(AGENDA_COLUMNS).max(1)).enumerate() {
        let (column, names) = row;
        for (at, name) in names.iter().enumerate() {
            let x = MARGIN + column as f32 * wide;
            let y = pages.y() + (at + 1) as f32 * LEADING * 1.2;
            pages.text((x, y), wide - PAD, Align::Left, (TEXT_SIZE, BLACK), name)?;
        }
    }
    pages.skip(names.len().div_ceil(AGENDA_COLUMNS) as f32 * LEADING * 1.2 + 4.0);
    Ok(())
}

fn named(number: usize, section: &Section, lang: Lang) -> String {
    let title = lang.pick(section.title);
    if section.counted {
        format!("{number}  {title}  ({})", section.rows.len() + section.more)
    } else {
        format!("{number}  {title}")
    }
}

fn item(pages: &mut Pages, number: usize, section: &Section, lang: Lang) -> Result<(), RenderError> {
    heading(pages, &named(number, section, lang))?;
    if let Some(note) = &section.note {
        line(pages, note)?;
        pages.skip(6.0);
    }
    if section.rows.is_empty() {
        return line(pages, lang.pick(w::NOTHING));
    }
    let parts: f32 = section.columns.iter().map(|(_, part, _)| part).sum();
    let layout: Layout = section
        .columns
        .iter()
        .map(|(word, part, align)| (lang.pick(*word).to_owned(), INNER * part / parts, *align))
        .collect();
    header(pages, &layout)?;
    for cells in &section.rows {
        row(pages, &layout, cells)?;
    }
    if section.more > 0 {
        line(pages, &format!("… {} {}", section.more, lang.pick(w::AND_MORE)))?;
    }
    Ok(())
}

fn line(pages: &mut Pages, words: &str) -> Result<(), RenderError> {
    if !pages.fits(LEADING + ROOM) {
        pages.turn()?;
    }
    pages.skip(LEADING);
    let words = pages.spelled(words);
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (TEXT_SIZE, GREY), &words)
}

/// A row as high as its longest text, never torn between pages.
fn row(pages: &mut Pages, layout: &Layout, cells: &[Cell]) -> Result<(), RenderError> {
    let mut set = Vec::with_capacity(cells.len());
    for ((_, width, align), cell) in layout.iter().zip(cells) {
        let words = pages.spelled(&shown(cell));
        let room = width - 2.0 * PAD;
        let lines = match align {
            Align::Left => pages.wrapped(&words, TEXT_SIZE, room, LINES_MAX)?,
            Align::Right => vec![words],
        };
        set.push(lines);
    }
    let lines = set.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let height = lines as f32 * LEADING + ROOM;
    if !pages.fits(height) {
        pages.turn()?;
        header(pages, layout)?;
    }
    let mut x = MARGIN;
    for ((_, width, align), lines) in layout.iter().zip(&set) {
        for (at, words) in lines.iter().enumerate() {
            let y = pages.y() + (at + 1) as f32 * LEADING;
            pages.text((x + PAD, y), width - 2.0 * PAD, *align, (TEXT_SIZE, BLACK), words)?;
        }
        x += width;
    }
    pages.fill((MARGIN, pages.y() + height), (INNER, 0.4), LINE);
    pages.skip(height);
    Ok(())
}
