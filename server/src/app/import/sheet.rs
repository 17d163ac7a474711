//! A workbook's first sheet as rows of text.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use super::table::{NumberedRow, mistake};
use super::{ROWS_MAX, RowMistake};

/// How a ZIP file, and so every workbook, begins.
const MAGIC: &[u8] = b"PK\x03\x04";
/// The largest workbook, in bytes: it is unpacked in memory.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most cells of a sheet, empty ones included.
const CELLS_MAX: usize = 20 * ROWS_MAX;

/// Whether the bytes are a workbook's.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The rows of the first sheet, with their numbers in it.
pub(super) fn rows(bytes: &[u8]) -> Result<Vec<NumberedRow>, Vec<RowMistake>> {
    let whole = |reason: String| vec![mistake(0, "", reason)];
    if bytes.len() > BYTES_MAX {
        return Err(whole(format!("a workbook is at most {BYTES_MAX} bytes; save it as CSV")));
    }
    let unreadable = |e: calamine::XlsxError| whole(format!("is no XLSX workbook: {e}"));
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let range = book
        .worksheet_range_at(0)
        .ok_or_else(|| whole("the workbook has no sheet".to_owned()))?
        .map_err(unreadable)?;
    let (height, width) = range.get_size();
    if height * width > CELLS_MAX {
        return Err(whole(format!("the sheet has more than {CELLS_MAX} cells; save it as CSV")));
    }
    let first = range.start().map_or(0, |(row, _)| u64::from(row)) + 1;
    Ok(range.rows().zip(first..).map(|(row, line)| (line, row.iter().map(text).collect())).collect())
}

/// A cell as it would stand in a CSV file: whole numbers, such as telephone numbers, without a point.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        other => other.to_string().trim().to_owned(),
    }
}
