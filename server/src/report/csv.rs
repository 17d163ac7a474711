//! One grouping as CSV, for spreadsheets: UTF-8 with a byte order mark, CRLF, times in seconds, shares from 0 to 1.

use super::RenderError;
use super::table::{Cell, Table};

/// How spreadsheet programs know UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Writes a table.
///
/// # Errors
/// Never in fact: it is written to memory.
pub fn render(table: &Table) -> Result<Vec<u8>, RenderError> {
    let mut bytes = BYTE_ORDER_MARK.to_vec();
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut bytes);
    let failed = |e: csv::Error| RenderError::Write(e.to_string());
    writer.write_record(table.header.iter().map(|text| guarded(text))).map_err(failed)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(text)).map_err(failed)?;
    }
    writer.flush().map_err(|e| RenderError::Write(e.to_string()))?;
    drop(writer);
    Ok(bytes)
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => guarded(text),
        Cell::Count(count) => count.to_string(),
        Cell::Share(permille) => thousandths(*permille),
        Cell::TimeShare(ppm) => format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000),
        Cell::Points(centi) => super::assessment::points_text(*centi),
        Cell::Span(ms) => thousandths(*ms),
    }
}

/// A whole number of thousandths as a decimal number.
fn thousandths(value: i64) -> String {
    if value % 1_000 == 0 {
        (value / 1_000).to_string()
    } else {
        format!("{}.{:03}", value / 1_000, value % 1_000)
    }
}

/// A text that a spreadsheet would take for a formula gets an apostrophe before it.
#[must_use]
pub fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_numbers_are_numbers() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let table = Table {
            title: String::new(),
            header: vec!["a".to_owned(), "专线".to_owned(), "c".to_owned()],
            rows: vec![
                vec![text("=1+1"), text("+86"), text("-x")],
                vec![text("@a"), text("a,\"b\""), text("\t=1")],
                vec![Cell::Count(-3), Cell::Share(667), Cell::Span(3_600_000)],
                vec![Cell::Empty, Cell::Share(1_000), Cell::Span(1_250)],
                vec![Cell::TimeShare(989_999), Cell::TimeShare(1_000_000), Cell::Empty],
            ],
        };
        let written = String::from_utf8(render(&table).unwrap()).unwrap();
        let expected = "\u{feff}a,专线,c\r\n'=1+1,'+86,'-x\r\n'@a,\"a,\"\"b\"\"\",'\t=1\r\n\
             -3,0.667,3600\r\n,1,1.250\r\n0.989999,1.000000,\r\n";
        assert_eq!(written, expected);
    }
}
