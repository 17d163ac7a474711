//! An assessment in every form. Equal figures give equal bytes.

use linewatch_shared::rules::CENTI;
use linewatch_shared::time::UnixMs;

use super::columns::{INNER, Layout, shown};
use super::page::{Align, BLACK, GREY, Ink, MARGIN, Pages, RED};
use super::pdf::{TEXT_SIZE, TITLE_SIZE, header, heading, row};
use super::table::{Cell, Table, moment_text};
use super::words::{self, Lang, Words};
use super::{Form, RenderError, csv, xlsx};
use crate::app::assessment::{AssessedView, AssessmentView};

const TITLE: Words = ("服务质量考核", "Service quality assessment");
const SCORE: Words = ("考核得分", "Score");
const MONTHS: Words = ("逐月", "Month by month");
const HEADER: [Words; 11] = [
    words::FIGURE,
    ("应完成", "Owed"),
    ("完成", "Kept"),
    ("未完成", "Missed"),
    ("豁免", "Exempt"),
    ("完成率", "Kept, share"),
    ("满分线", "Full at"),
    ("零分线", "Zero at"),
    ("权重", "Weight"),
    ("得分", "Points"),
    ("失分", "Lost"),
];
const MONTH: Words = ("月份", "Month");
const REACHED: Words = ("累计得分率", "Reached so far");
const WITHHELD: Words = ("累计扣减费用比例", "Fee withheld so far");
const FEE_PART: Words = ("与考核挂钩的费用比例", "Part of the fee that hangs on it");
const FEE_LEFT: Words = ("保留的费用比例", "Part of the fee left");
const FEE_WITHHELD: Words = ("扣减的费用比例", "Part of the fee withheld");
const NOT_DECIDING: Words = ("费用不按此周期考核", "The fee does not hang on this period");

/// Writes an assessment in a form.
///
/// # Errors
/// When the form cannot hold it.
pub fn render(view: &AssessmentView, form: Form, lang: Lang) -> Result<Vec<u8>, RenderError> {
    match form {
        Form::Json => {
            let mut text = serde_json::to_vec_pretty(view).map_err(|e| RenderError::Write(e.to_string()))?;
            text.push(b'\n');
            Ok(text)
        }
        Form::Csv => csv::render(&score(view, lang)),
        Form::Xlsx => {
            let title = format!("{} {}", view.code, view.period);
            xlsx::workbook(&title, year(view), &[score(view, lang), months(view, lang)])
        }
        Form::Pdf => pdf(view, lang),
    }
}

fn year(view: &AssessmentView) -> u16 {
    view.period.get(..4).and_then(|year| year.parse().ok()).unwrap_or(1_980)
}

fn ppm(value: u32) -> Cell {
    Cell::TimeShare(i64::from(value))
}

fn points(centi: Option<u32>) -> Cell {
    centi.map_or(Cell::Empty, |centi| Cell::Points(i64::from(centi)))
}

fn figure(item: &AssessedView, lang: Lang) -> Vec<Cell> {
    let amount = |value| Cell::of(item.unit, value);
    vec![
        Cell::Text(lang.label(&item.label).to_owned()),
        amount(item.owed),
        amount(item.kept),
        amount(item.missed),
        amount(item.exempt),
        item.kept_ppm.map_or(Cell::Empty, ppm),
        ppm(item.full_at_ppm),
        ppm(item.zero_at_ppm),
        Cell::Count(i64::from(item.weight)),
        points(item.points_centi),
        points(item.lost_centi),
    ]
}

/// A row for each figure, one for the whole, and what it means for the fee.
fn score(view: &AssessmentView, lang: Lang) -> Table {
    let title = |words: Words| lang.pick(words).to_owned();
    let mut rows: Vec<Vec<Cell>> = view.figures.iter().map(|item| figure(item, lang)).collect();
    let counted = || view.figures.iter().filter(|item| item.points_centi.is_some());
    let sum = |of: fn(&AssessedView) -> u32| counted().map(of).sum::<u32>();
    let mut total = vec![Cell::Empty; HEADER.len()];
    total[0] = Cell::Text(title(words::TOTAL));
    total[5] = ppm(view.reached_ppm);
    total[8] = Cell::Count(i64::from(sum(|item| item.weight)));
    total[9] = points(Some(sum(|item| item.points_centi.unwrap_or_default())));
    total[10] = points(Some(sum(|item| item.lost_centi.unwrap_or_default())));
    rows.push(total);
    for (name, value) in
        [(FEE_PART, view.fee_part_ppm), (FEE_LEFT, view.left_ppm), (FEE_WITHHELD, view.withheld_ppm)]
    {
        let mut row = vec![Cell::Empty; HEADER.len()];
        row[0] = Cell::Text(title(name));
        row[5] = ppm(value);
        rows.push(row);
    }
    Table { title: title(SCORE), header: HEADER.map(title).to_vec(), rows }
}

/// A row for each month: what each figure missed in it, and how all of it stood at its end.
fn months(view: &AssessmentView, lang: Lang) -> Table {
    let title = |words: Words| lang.pick(words).to_owned();
    let mut header = vec![title(MONTH)];
    let missed = lang.pick(HEADER[3]);
    header.extend(view.figures.iter().map(|item| format!("{} {missed}", lang.label(&item.label))));
    header.extend([title(REACHED), title(WITHHELD)]);
    let rows = view.months.iter().map(|month| {
        let mut row = vec![Cell::Text(month.month.clone())];
        let sums = view.figures.iter().zip(&month.sums);
        row.extend(sums.map(|(item, sums)| Cell::of(item.unit, sums.missed)));
        row.extend([ppm(month.reached_ppm), ppm(month.withheld_ppm)]);
        row
    });
    Table { title: title(MONTHS), rows: rows.collect(), header }
}

fn pdf(view: &AssessmentView, lang: Lang) -> Result<Vec<u8>, RenderError> {
    let mut pages = Pages::new()?;
    let title = format!("{} {}  {} {}", lang.pick(TITLE), view.period, view.name, view.code);
    pages.skip(TITLE_SIZE);
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (TITLE_SIZE, BLACK), &title)?;
    let as_of = UnixMs::parse_rfc3339(&view.as_of).map(|at| moment_text(at, view.time_zone));
    let mut text = format!("{} {}    {}", view.pack, view.version, view.time_zone);
    if !view.complete {
        text = format!("{text}    {} {}", lang.pick(words::RUNNING), as_of.unwrap_or_default());
    }
    if !view.decides_fee {
        text = format!("{text}    {}", lang.pick(NOT_DECIDING));
    }
    pages.skip(16.0);
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (TEXT_SIZE, GREY), &text)?;
    table(&mut pages, &score(view, lang), 170.0, |column, cell| {
        let lost = matches!(cell, Cell::Points(value) if *value > 0) && column == HEADER.len() - 1;
        if lost { RED } else { BLACK }
    })?;
    table(&mut pages, &months(view, lang), 60.0, |_, _| BLACK)?;
    pages.finish(&title, lang.name(), &title)
}

fn table(
    pages: &mut Pages,
    table: &Table,
    first: f32,
    ink: impl Fn(usize, &Cell) -> Ink,
) -> Result<(), RenderError> {
    heading(pages, &table.title)?;
    let width = (INNER - first) / table.header.len().saturating_sub(1).max(1) as f32;
    let column = |(at, text): (usize, &String)| match at {
        0 => (text.clone(), first, Align::Left),
        // A heading of many words takes a line for each.
        _ => (text.replace(' ', "\n"), width, Align::Right),
    };
    let layout: Layout = table.header.iter().enumerate().map(column).collect();
    header(pages, &layout)?;
    for cells in &table.rows {
        let cell = |(column, cell): (usize, &Cell)| {
            let text = if *cell == Cell::Empty { String::new() } else { shown(cell) };
            (text, ink(column, cell))
        };
        row(pages, &layout, &cells.iter().enumerate().map(cell).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Hundredths of points for people.
pub(super) fn points_text(centi: i64) -> String {
    let whole = i64::from(CENTI);
    format!("{}.{:02}", centi / whole, centi % whole)
}
