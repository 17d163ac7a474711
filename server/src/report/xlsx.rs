//! The whole report as a workbook: a sheet for the whole, one for each grouping, one for changes. Numbers are
//! numbers, times are days with a format, headers stay in sight and can be filtered. Equal figures give equal bytes.

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use super::table::{Cell, Table};
use super::words::Lang;
use super::{RenderError, table};
use crate::app::report::Published;
use crate::app::report::group::Group;
use linewatch_shared::rules::CENTI;
use linewatch_shared::time::DAY_MS;

/// The rows of a sheet, header included: the format's own bound.
const ROWS_MAX: usize = 1_048_576;
/// The longest text of a cell, in characters: the format's own bound.
const TEXT_CHARS_MAX: usize = 32_767;
/// The width of columns for texts and for numbers, in characters.
const TEXT_WIDTH: f64 = 24.0;
const NUMBER_WIDTH: f64 = 14.0;

struct Formats {
    header: Format,
    count: Format,
    share: Format,
    time_share: Format,
    points: Format,
    span: Format,
}

/// Writes a report.
///
/// # Errors
/// When a grouping has more rows than a sheet holds.
pub fn render(published: &Published, lang: Lang) -> Result<Vec<u8>, RenderError> {
    let mut tables = vec![table::summary(published, lang)];
    tables.extend(Group::ALL.into_iter().map(|group| table::grouping(published, group, lang)));
    tables.push(table::changes(published, lang));
    let year = u16::try_from(published.report.period.year()).unwrap_or(1_980);
    workbook(&published.report.period.to_string(), year, &tables)
}

/// Writes tables, a sheet for each; the year stands for when it was made, so that equal tables give equal bytes.
///
/// # Errors
/// When a table has more rows than a sheet holds.
pub fn workbook(title: &str, year: u16, tables: &[Table]) -> Result<Vec<u8>, RenderError> {
    for table in tables {
        if table.rows.len() >= ROWS_MAX {
            return Err(RenderError::TooLarge(format!("{}: more than {ROWS_MAX} rows", table.title)));
        }
    }
    write(title, year, tables).map_err(|e| RenderError::Write(e.to_string()))
}

fn write(title: &str, year: u16, tables: &[Table]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The period's own year, not the moment of writing.
    let created = ExcelDateTime::from_ymd(year, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&created));
    let formats = Formats {
        header: Format::new()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter)
            .set_background_color(Color::RGB(0x00DD_E6F0)),
        count: Format::new().set_num_format("#,##0"),
        share: Format::new().set_num_format("0.0%"),
        points: Format::new().set_num_format("0.00"),
        time_share: Format::new().set_num_format("0.0000%"),
        span: Format::new().set_num_format("[h]:mm:ss"),
    };
    for table in tables {
        let sheet = workbook.add_worksheet();
        sheet.set_name(&table.title)?;
        fill(sheet, table, &formats)?;
    }
    workbook.save_to_buffer()
}

fn fill(sheet: &mut Worksheet, table: &Table, formats: &Formats) -> Result<(), XlsxError> {
    for (column, title) in (0_u16..).zip(&table.header) {
        sheet.write_string_with_format(0, column, title, &formats.header)?;
        let texts =
            table.rows.iter().take(2).any(|row| matches!(row.get(usize::from(column)), Some(Cell::Text(_))));
        sheet.set_column_width(column, if texts || column < 2 { TEXT_WIDTH } else { NUMBER_WIDTH })?;
    }
    for (row, cells) in (1_u32..).zip(&table.rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => {
                    let kept: String = text.chars().take(TEXT_CHARS_MAX).collect();
                    sheet.write_string(row, column, kept)?;
                }
                Cell::Count(count) => {
                    sheet.write_number_with_format(row, column, *count as f64, &formats.count)?;
                }
                Cell::Share(permille) => {
                    sheet.write_number_with_format(
                        row,
                        column,
                        *permille as f64 / 1_000.0,
                        &formats.share,
                    )?;
                }
                Cell::TimeShare(ppm) => {
                    let share = *ppm as f64 / 1_000_000.0;
                    sheet.write_number_with_format(row, column, share, &formats.time_share)?;
                }
                Cell::Points(centi) => {
                    let points = *centi as f64 / f64::from(CENTI);
                    sheet.write_number_with_format(row, column, points, &formats.points)?;
                }
                Cell::Span(ms) => {
                    sheet.write_number_with_format(row, column, *ms as f64 / DAY_MS as f64, &formats.span)?;
                }
            }
        }
    }
    let (last_row, last_column) = (table.rows.len() as u32, table.header.len().saturating_sub(1) as u16);
    sheet.autofilter(0, 0, last_row, last_column)?;
    sheet.set_freeze_panes(1, 1)?;
    Ok(())
}
