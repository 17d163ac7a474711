//! Reports as tables: what CSV and XLSX write, cell by cell.

use linewatch_shared::time::UnixMs;

use super::words::{self, Lang, Words};
use crate::app::report::Published;
use crate::app::report::figure::{Figure, Figures, Section, Unit};
use crate::app::report::group::Group;
use crate::app::report::make::Entry;
use crate::app::report::ratio::{Ratio, RatioKind};

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// A number of things.
    Count(i64),
    /// A share, in thousandths.
    Share(i64),
    /// A share of a time, in millionths.
    TimeShare(i64),
    /// Points, in hundredths.
    Points(i64),
    /// A length of time (ms).
    Span(i64),
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn of(unit: Unit, value: i64) -> Self {
        match unit {
            Unit::Count | Unit::Points => Self::Count(value),
            Unit::Ms => Self::Span(value),
        }
    }

    pub(super) fn ratio(ratio: &Ratio, figures: &Figures) -> Self {
        let Some(value) = ratio.rounded(figures) else { return Self::Empty };
        match ratio.kind() {
            RatioKind::Share => Self::Share(value),
            RatioKind::TimeShare => Self::TimeShare(value),
            RatioKind::Mean => Self::Span(value),
            RatioKind::Points => Self::Points(value),
        }
    }

    /// A figure; empty where it is not known.
    pub(super) fn figure(figure: Figure, figures: &Figures) -> Self {
        figures.known(figure).map_or(Self::Empty, |value| Self::of(figure.unit(), value))
    }
}

/// A table with a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub title: String,
    /// The header.
    pub header: Vec<String>,
    /// The rows, each as long as the header.
    pub rows: Vec<Vec<Cell>>,
}

/// The figures of the whole: a row for each.
#[must_use]
pub fn summary(published: &Published, lang: Lang) -> Table {
    let report = &published.report;
    // What is not known says why; a share without anything to divide by is empty as ever.
    let said = |cell: Cell, section: Section| match unknown(&report.total, section) {
        Some(words) if cell == Cell::Empty => Cell::text(lang.pick(words)),
        _ => cell,
    };
    let figure = |figure: &Figure| {
        let value = said(Cell::figure(*figure, &report.total), figure.section());
        vec![Cell::text(lang.pick(words::figure(*figure))), value]
    };
    let ratio = |ratio: &Ratio| {
        let value = said(Cell::ratio(ratio, &report.total), ratio.section());
        vec![Cell::text(lang.pick(words::ratio(ratio))), value]
    };
    let mut rows = vec![vec![Cell::text(lang.pick(words::PERIOD)), Cell::text(report.period.to_string())]];
    rows.extend(Figure::ALL.iter().map(figure));
    rows.extend(Ratio::ALL.iter().map(ratio));
    rows.push(vec![Cell::text(lang.pick(words::FINGERPRINT)), Cell::text(published.sha256.clone())]);
    Table {
        title: lang.pick(words::SUMMARY).to_owned(),
        header: [words::FIGURE, words::VALUE].map(|word| lang.pick(word).to_owned()).to_vec(),
        rows,
    }
}

/// Why figures of a section are not known, in a word, where some are not.
pub(super) const fn unknown(total: &Figures, section: Section) -> Option<Words> {
    match section {
        Section::Calls if total.get(Figure::CallDays) == 0 => Some(words::NOT_IMPORTED),
        Section::Quality if total.get(Figure::SamplesDrawn) == 0 => Some(words::NOT_DRAWN),
        Section::Quality if total.get(Figure::SamplesChecked) == 0 => Some(words::UNCHECKED),
        _ => None,
    }
}

/// A grouping with the hotline's figures beside it, which are of the whole alone.
#[must_use]
pub fn with_hotline(published: &Published, group: Group, lang: Lang) -> Table {
    let total = &published.report.total;
    let mut table = grouping(published, group, lang);
    let figures = Figure::ALL.iter().filter(|figure| figure.section() == Section::Calls);
    let figures = figures.map(|figure| (words::figure(*figure), Cell::figure(*figure, total)));
    let ratios = Ratio::ALL.iter().filter(|ratio| ratio.section() == Section::Calls);
    let ratios = ratios.map(|ratio| (words::ratio(ratio), Cell::ratio(ratio, total)));
    let said = |cell: Cell| match unknown(total, Section::Calls) {
        Some(words) if cell == Cell::Empty => Cell::text(lang.pick(words)),
        _ => cell,
    };
    for (name, cell) in figures.chain(ratios) {
        table.header.push(lang.pick(name).to_owned());
        for (at, row) in table.rows.iter_mut().enumerate() {
            row.push(if at == 0 { said(cell.clone()) } else { Cell::Empty });
        }
    }
    table
}

/// What a line's row has beside its figures.
const LINE_COLUMNS: [Words; 9] = [
    words::one(Group::Customer),
    words::one(Group::Tier),
    words::YEAR_FAULTS,
    words::YEAR_FAULTS_LIMIT,
    words::YEAR_INTERRUPTION,
    words::YEAR_INTERRUPTION_LIMIT,
    words::AVAILABILITY,
    words::AVAILABILITY_PROMISED,
    words::INTERRUPTION_LEFT,
];

/// The figures of a grouping: a row for the whole, and one for each group.
#[must_use]
pub fn grouping(published: &Published, group: Group, lang: Lang) -> Table {
    let report = &published.report;
    let of_line = group == Group::Line;
    let mut header = vec![lang.pick(words::one(group)), lang.pick(words::NAME)];
    header.extend(figures_of(group).map(|figure| lang.pick(words::figure(*figure))));
    header.extend(ratios_of(group).map(|ratio| lang.pick(words::ratio(ratio))));
    if of_line {
        header.extend(LINE_COLUMNS.map(|word| lang.pick(word)));
    }
    let mut total = vec![Cell::text(lang.pick(words::TOTAL)), Cell::Empty];
    total.extend(values(group, &report.total));
    total.resize(header.len(), Cell::Empty);
    let row = |entry: &Entry| {
        let key = if entry.key.is_empty() { lang.pick(words::NONE) } else { &entry.key };
        let mut row = vec![Cell::text(key), Cell::text(lang.label(&entry.label))];
        row.extend(values(group, &entry.figures));
        if of_line {
            row.extend(line_cells(entry));
        }
        row
    };
    let rows = std::iter::once(total).chain(report.of(group).iter().map(row)).collect();
    Table {
        title: lang.pick(words::group(group)).to_owned(),
        header: header.into_iter().map(str::to_owned).collect(),
        rows,
    }
}

fn figures_of(group: Group) -> impl Iterator<Item = &'static Figure> {
    Figure::ALL.iter().filter(move |figure| group.has(figure.section()))
}

fn ratios_of(group: Group) -> impl Iterator<Item = &'static Ratio> {
    Ratio::ALL.iter().filter(move |ratio| group.has(ratio.section()))
}

fn values(group: Group, figures: &Figures) -> Vec<Cell> {
    let sums = figures_of(group).map(|figure| Cell::figure(*figure, figures));
    sums.chain(ratios_of(group).map(|ratio| Cell::ratio(ratio, figures))).collect()
}

fn line_cells(entry: &Entry) -> [Cell; 9] {
    let place = entry.place.as_ref();
    let year = entry.year.unwrap_or_default();
    let limit = |value: Option<i64>, cell: fn(i64) -> Cell| value.map_or(Cell::Empty, cell);
    let promise = entry.availability.as_ref();
    let available_ppm = promise.and_then(|promise| promise.available_ppm);
    [
        Cell::text(place.map_or("", |place| &place.customer)),
        Cell::text(place.map_or("", |place| &place.tier)),
        Cell::Count(i64::from(year.faults)),
        limit(year.faults_limit.map(i64::from), Cell::Count),
        Cell::Span(year.interruption_ms),
        limit(year.interruption_limit_ms, Cell::Span),
        limit(available_ppm.map(i64::from), Cell::TimeShare),
        limit(promise.map(|promise| i64::from(promise.at_least_ppm)), Cell::TimeShare),
        limit(promise.map(|promise| promise.left_ms.max(0)), Cell::Span),
    ]
}

/// What later facts changed, version by version.
#[must_use]
pub fn changes(published: &Published, lang: Lang) -> Table {
    let header = [
        words::MADE_AT,
        words::WHERE,
        words::KEY,
        words::FIGURE,
        words::BEFORE,
        words::AFTER,
        words::LEARNT_AT,
    ];
    // Where packs have several zones, the first by name.
    let zone = published.report.zones.keys().next().copied().unwrap_or("UTC");
    let moment = |text: &str| match UnixMs::parse_rfc3339(text) {
        Ok(at) => moment_text(at, zone),
        Err(_) => text.to_owned(),
    };
    let mut rows = Vec::new();
    for version in &published.versions {
        for change in &version.changes {
            let figure = Figure::from_name(&change.figure);
            let unit = figure.map_or(Unit::Count, Figure::unit);
            let place = match Group::from_name(&change.group) {
                Some(group) => lang.pick(words::one(group)),
                None => lang.pick(words::TOTAL),
            };
            rows.push(vec![
                Cell::text(moment(&version.made_at)),
                Cell::text(place),
                Cell::text(change.key.clone()),
                Cell::text(figure.map_or(change.figure.as_str(), |f| lang.pick(words::figure(f)))),
                Cell::of(unit, change.before),
                Cell::of(unit, change.after),
                change.learnt_at.as_deref().map_or(Cell::Empty, |at| Cell::text(moment(at))),
            ]);
        }
    }
    Table {
        title: lang.pick(words::CHANGES).to_owned(),
        header: header.map(|word| lang.pick(word).to_owned()).to_vec(),
        rows,
    }
}

/// A length of time for people: hours, minutes and seconds, such as `27:05:00`.
#[must_use]
pub fn clock_text(ms: i64) -> String {
    let seconds = ms / 1_000;
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// A share for people, such as `66.7 %`.
#[must_use]
pub fn share_text(permille: i64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

/// A share of a time for people, such as `99.0123 %`: never rounded up.
#[must_use]
pub fn time_share_text(ppm: i64) -> String {
    format!("{}.{:04} %", ppm / 10_000, ppm % 10_000)
}

/// A moment in a zone for people, such as `2026-11-01 00:00`.
#[must_use]
pub fn moment_text(at: UnixMs, zone: &str) -> String {
    let zone: chrono_tz::Tz = zone.parse().unwrap_or(chrono_tz::UTC);
    at.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}
