//! The papers as tables, one for each item of the agenda: what XLSX writes, and what is laid out on paper.

use linewatch_shared::rules::Label;
use linewatch_shared::time::UnixMs;

use super::lists;
use super::words as w;
use crate::app::papers::content::{Listed, PaperFigure, PapersView, Worst};
use crate::app::report::figure::{Figure, Unit};
use crate::app::report::ratio::{Ratio, RatioKind};
use crate::report::page::Align;
use crate::report::table::{Cell, Table, clock_text, moment_text};
use crate::report::words::{self, Lang, Words};

/// A column: heading, its part of the width, alignment.
pub(super) type Column = (Words, f32, Align);

/// An item of the agenda.
pub(super) struct Section {
    pub(super) title: Words,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// How many rows are left out.
    pub(super) more: usize,
    /// A word before the table.
    pub(super) note: Option<String>,
    /// Whether the agenda says how many there are.
    pub(super) counted: bool,
}

impl Section {
    /// For spreadsheets.
    pub(super) fn table(self, lang: Lang) -> Table {
        // What sheets may not be called.
        let title = lang.pick(self.title).replace(':', "");
        let header: Vec<String> = self.columns.iter().map(|(word, ..)| lang.pick(*word).to_owned()).collect();
        let mut rows = self.rows;
        let more = (self.more > 0).then(|| format!("… {} {}", self.more, lang.pick(w::AND_MORE)));
        for words in self.note.into_iter().chain(more) {
            let mut row = vec![Cell::Empty; header.len()];
            row[0] = Cell::Text(words);
            rows.push(row);
        }
        Table { title, header, rows }
    }
}

/// What tables are written with.
pub(super) struct Pen<'a> {
    pub(super) lang: Lang,
    zone: &'a str,
}

impl Pen<'_> {
    pub(super) fn word(&self, words: Words) -> Cell {
        text(self.lang.pick(words))
    }

    pub(super) fn label(&self, label: &Label) -> Cell {
        text(self.lang.label(label))
    }

    pub(super) fn labels(&self, labels: &[Label]) -> Cell {
        let mut words: Vec<&str> = labels.iter().map(|label| self.lang.label(label)).collect();
        words.dedup();
        text(&words.join(", "))
    }

    pub(super) fn moment(&self, at: &str) -> Cell {
        UnixMs::parse_rfc3339(at).map_or(Cell::Empty, |at| text(&moment_text(at, self.zone)))
    }

    pub(super) fn perhaps(&self, at: Option<&String>) -> Cell {
        at.map_or(Cell::Empty, |at| self.moment(at))
    }
}

pub(super) fn text(words: &str) -> Cell {
    if words.is_empty() { Cell::Empty } else { Cell::Text(words.to_owned()) }
}

pub(super) fn left(word: Words, part: f32) -> Column {
    (word, part, Align::Left)
}

pub(super) fn right(word: Words, part: f32) -> Column {
    (word, part, Align::Right)
}

pub(super) fn count(value: impl TryInto<i64>) -> Cell {
    Cell::Count(value.try_into().unwrap_or(i64::MAX))
}

/// Every item of the agenda.
pub(super) fn sections(view: &PapersView, lang: Lang) -> Vec<Section> {
    let papers = &view.papers;
    let pen = Pen { lang, zone: &papers.time_zone };
    let mut sections = Vec::new();
    if !view.changed_since.is_empty() {
        sections.push(changed(view, &pen));
    }
    sections.push(figures(view, &pen));
    sections.extend([
        worst(w::CUSTOMERS_MISSED, &papers.customers_by_missed, false),
        worst(w::CUSTOMERS_TIME, &papers.customers_by_interruption, false),
        worst(w::LINES_MISSED, &papers.lines_by_missed, true),
        worst(w::LINES_TIME, &papers.lines_by_interruption, true),
        watched(view),
        lists::missed(view, &pen),
        lists::exemptions(view, &pen),
        lists::complaints(view, &pen),
        lists::grave(view, &pen),
        lists::samples(view, &pen),
        lists::contractors(view, &pen),
        lists::risks(view, &pen),
        lists::late(view, &pen),
        lists::decisions(view, &pen),
    ]);
    sections
}

pub(super) fn listed<T>(
    title: Words,
    list: &Listed<T>,
    columns: Vec<Column>,
    row: impl Fn(&T) -> Vec<Cell>,
) -> Section {
    let rows = list.items.iter().map(row).collect();
    Section { title, columns, rows, more: list.more, note: None, counted: true }
}

/// A figure's, a share's or a mean's name.
pub(super) fn named(name: &str) -> Words {
    match (Figure::from_name(name), Ratio::from_name(name)) {
        (Some(figure), _) => words::figure(figure),
        (None, Some(ratio)) => words::ratio(ratio),
        (None, None) => ("", ""),
    }
}

/// A value of a figure, a share or a mean by its name.
pub(super) fn valued(name: &str, value: Option<i64>) -> Cell {
    let Some(value) = value else { return Cell::Empty };
    if let Some(figure) = Figure::from_name(name) {
        return if figure.unit() == Unit::Ms { Cell::Span(value) } else { Cell::Count(value) };
    }
    match Ratio::from_name(name).map(Ratio::kind) {
        Some(RatioKind::Share) => Cell::Share(value),
        Some(RatioKind::TimeShare) => Cell::TimeShare(value),
        Some(RatioKind::Mean) => Cell::Span(value),
        Some(RatioKind::Points) => Cell::Points(value),
        None => Cell::Count(value),
    }
}

/// By how much a value is more or less than another; of shares in points of a hundred.
fn change(name: &str, now: Option<i64>, before: Option<i64>) -> Cell {
    let (Some(now), Some(before)) = (now, before) else { return Cell::Empty };
    let by = now - before;
    if by == 0 {
        return text("=");
    }
    let sign = if by > 0 { '+' } else { '-' };
    let size = by.abs();
    let size = match valued(name, Some(size)) {
        Cell::Span(ms) => clock_text(ms),
        Cell::Share(permille) => format!("{}.{}", permille / 10, permille % 10),
        Cell::TimeShare(ppm) => format!("{}.{:04}", ppm / 10_000, ppm % 10_000),
        Cell::Points(centi) => format!("{}.{:02}", centi / 100, centi % 100),
        _ => size.to_string(),
    };
    Cell::Text(format!("{sign}{size}"))
}

fn figures(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(words::FIGURE, 3.0),
        right(w::THIS_MONTH, 1.4),
        right(w::MONTH_BEFORE, 1.4),
        right(w::CHANGE, 1.2),
        right(w::YEAR_BEFORE, 1.4),
        right(w::YEAR_CHANGE, 1.2),
    ];
    let row = |figure: &PaperFigure| {
        let name = figure.name.as_str();
        vec![
            pen.word(named(name)),
            valued(name, figure.value),
            valued(name, figure.month_before),
            change(name, figure.value, figure.month_before),
            valued(name, figure.year_before),
            change(name, figure.value, figure.year_before),
        ]
    };
    let value = |name: &str| view.papers.figures.iter().find(|figure| figure.name == name)?.value;
    let unknown = [
        (value("calls_offered").is_none(), words::CALLS_NOT_IMPORTED),
        (value("samples_drawn").is_none(), words::NO_SAMPLES),
    ];
    let unknown: Vec<&str> =
        unknown.into_iter().filter(|(is, _)| *is).map(|(_, words)| pen.lang.pick(words)).collect();
    Section {
        title: w::FIGURES,
        columns,
        rows: view.papers.figures.iter().map(row).collect(),
        more: 0,
        note: (!unknown.is_empty()).then(|| unknown.join(" ")),
        counted: false,
    }
}

fn changed(view: &PapersView, pen: &Pen<'_>) -> Section {
    let row = |figure: &crate::app::papers::content::ChangedFigure| {
        let name = figure.name.as_str();
        vec![
            pen.word(named(name)),
            valued(name, figure.then),
            valued(name, figure.now),
            change(name, figure.now, figure.then),
        ]
    };
    Section {
        title: w::SINCE,
        columns: vec![
            left(words::FIGURE, 3.0),
            right(w::THEN, 1.0),
            right(w::NOW, 1.0),
            right(w::CHANGE, 1.0),
        ],
        rows: view.changed_since.iter().map(row).collect(),
        more: 0,
        note: None,
        counted: true,
    }
}

fn worst(title: Words, list: &Listed<Worst>, of_line: bool) -> Section {
    let code = if of_line { ("专线", "Line") } else { ("客户", "Customer") };
    let columns = vec![
        left(code, 1.6),
        left(words::NAME, 3.0),
        right(w::FAULTS, 1.0),
        right(w::MISSED_COUNT, 1.0),
        right(w::INTERRUPTION, 1.2),
    ];
    let row = |worst: &Worst| {
        vec![
            text(&worst.code),
            text(&worst.name),
            Cell::Count(worst.faults),
            Cell::Count(worst.missed),
            Cell::Span(worst.interruption_ms),
        ]
    };
    Section { counted: false, ..listed(title, list, columns, row) }
}

fn watched(view: &PapersView) -> Section {
    let columns = vec![
        left(("专线", "Line"), 1.6),
        left(("客户", "Customer"), 1.4),
        left(("服务等级", "Tier"), 1.6),
        right(words::YEAR_FAULTS, 1.2),
        right(w::LIMIT, 1.0),
        right(words::YEAR_INTERRUPTION, 1.4),
        right(w::AT_MOST, 1.2),
    ];
    listed(w::WATCHED, &view.papers.lines_to_watch, columns, |line| {
        vec![
            text(&line.line),
            text(&line.customer),
            text(&line.tier),
            count(line.faults),
            line.faults_limit.map_or(Cell::Empty, count),
            Cell::Span(line.interruption_ms),
            line.interruption_limit_ms.map_or(Cell::Empty, Cell::Span),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::font::Face;

    #[test]
    fn what_changed_is_written_with_signs_that_the_font_has() {
        let face = Face::load().unwrap();
        for (now, before, expected) in [(3, 1, "+2"), (1, 3, "-2"), (2, 2, "=")] {
            assert_eq!(change("faults", Some(now), Some(before)), Cell::Text(expected.to_owned()));
            assert_eq!(face.spelled(expected), expected);
        }
        assert_eq!(change("faults", Some(1), None), Cell::Empty);
    }
}
