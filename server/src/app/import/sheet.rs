//! A workbook's first sheet as rows of text.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, Xlsx};
use zip::ZipArchive;

use super::table::{NumberedRow, mistake};
use super::{ROWS_MAX, RowMistake};

/// How a ZIP file, and so every workbook, begins.
const MAGIC: &[u8] = b"PK\x03\x04";
/// The largest workbook, in bytes: it is unpacked in memory.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most bytes that a workbook unpacks to: a few kilobytes can hold gigabytes of the same.
const UNPACKED_MAX: u64 = 256 * 1024 * 1024;
/// The most bytes of text in a sheet: a thousand cells can share one long text.
const TEXT_MAX: usize = 64 * 1024 * 1024;
/// The widest sheet, in columns.
const COLUMNS_MAX: u32 = 64;
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
    let unreadable = |e: &dyn std::error::Error| whole(format!("is no XLSX workbook: {e}"));
    if unpacked(bytes, UNPACKED_MAX).map_err(|e| unreadable(&e))? > UNPACKED_MAX {
        return Err(whole(format!("the workbook unpacks to more than {UNPACKED_MAX} bytes; save it as CSV")));
    }
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| unreadable(&e))?;
    let name = book.sheet_names().into_iter().next();
    let name = name.ok_or_else(|| whole("the workbook has no sheet".to_owned()))?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(|e| unreadable(&e))?;
    let mut sheet = Sheet::default();
    while let Some(cell) = cells.next_cell().map_err(|e| unreadable(&e))? {
        sheet.put(cell.get_position(), text(cell.get_value())).map_err(whole)?;
    }
    sheet.rows().map_err(whole)
}

/// What the workbook unpacks to, in bytes; no more than one over `max` is looked at. What its headers say is not
/// believed.
fn unpacked(bytes: &[u8], max: u64) -> Result<u64, zip::result::ZipError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut total = 0;
    for entry in 0..archive.len() {
        let allowed = (max + 1).saturating_sub(total);
        total += std::io::copy(&mut archive.by_index(entry)?.take(allowed), &mut std::io::sink())?;
    }
    Ok(total)
}

/// The cells that hold something, by row.
#[derive(Default)]
struct Sheet {
    rows: BTreeMap<u32, BTreeMap<u32, String>>,
    text_bytes: usize,
}

impl Sheet {
    fn put(&mut self, (row, column): (u32, u32), text: String) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        if column >= COLUMNS_MAX {
            return Err(format!("the sheet has more than {COLUMNS_MAX} columns; line {} does", row + 1));
        }
        self.text_bytes += text.len();
        if self.text_bytes > TEXT_MAX {
            return Err(format!("the sheet has more than {TEXT_MAX} bytes of text; save it as CSV"));
        }
        self.rows.entry(row).or_default().insert(column, text);
        if self.rows.len() > ROWS_MAX + 1 {
            return Err(format!("the sheet has more than {ROWS_MAX} rows; import it in parts"));
        }
        Ok(())
    }

    /// The rows with their numbers, all as wide as the widest.
    fn rows(self) -> Result<Vec<NumberedRow>, String> {
        let first = self.rows.values().filter_map(|row| row.keys().next()).min().copied().unwrap_or(0);
        let last = self.rows.values().filter_map(|row| row.keys().next_back()).max().copied().unwrap_or(0);
        let width = (last - first) as usize + 1;
        if self.rows.len() * width > CELLS_MAX {
            return Err(format!("the sheet has more than {CELLS_MAX} cells; save it as CSV"));
        }
        let row = |(number, mut cells): (u32, BTreeMap<u32, String>)| {
            let texts = (first..=last).map(|column| cells.remove(&column).unwrap_or_default()).collect();
            (u64::from(number) + 1, texts)
        };
        Ok(self.rows.into_iter().map(row).collect())
    }
}

/// A cell as it would stand in a CSV file: whole numbers, such as telephone numbers, without a point; days as 2026-07-01.
fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Empty => String::new(),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => calamine::Data::from(other.clone()).to_string().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn workbook(fill: impl FnOnce(&mut Worksheet) -> Result<(), XlsxError>) -> Vec<u8> {
        let mut book = Workbook::new();
        fill(book.add_worksheet()).unwrap();
        book.save_to_buffer().unwrap()
    }

    fn refusal(bytes: &[u8]) -> String {
        rows(bytes).unwrap_err()[0].to_string()
    }

    #[test]
    fn rows_are_as_a_csv_file_would_have_them() {
        let bytes = workbook(|sheet| {
            for (column, text) in (1..).zip(["code", "name", "contact_phone"]) {
                sheet.write(2, column, text)?;
            }
            sheet.write(4, 1, "bank")?.write(4, 2, " 样例银行 ")?;
            sheet.write(5, 1, "mill")?.write(5, 3, 13_000_000_000_u64)?;
            let day = ExcelDateTime::from_ymd(2026, 7, 1)?;
            sheet.write_with_format(5, 2, &day, &Format::new().set_num_format("yyyy/m/d"))?;
            Ok(())
        });
        let row = |line, cells: [&str; 3]| (line, cells.map(str::to_owned).to_vec());
        let expected = [
            row(3, ["code", "name", "contact_phone"]),
            row(5, ["bank", "样例银行", ""]),
            row(6, ["mill", "2026-07-01", "13000000000"]),
        ];
        assert_eq!(rows(&bytes).unwrap(), expected);
        assert_eq!(rows(&workbook(|_| Ok(()))).unwrap(), []);
    }

    #[test]
    fn a_small_file_does_not_become_a_large_sheet() {
        let far = workbook(|sheet| sheet.write(0, 0, "code")?.write(1_048_575, 16_383, "x").map(drop));
        assert!(refusal(&far).contains("more than 64 columns; line 1048576 does"), "{}", refusal(&far));
        let long = "x".repeat(32_767);
        let shared =
            workbook(|sheet| (0..2_200).try_for_each(|row| sheet.write(row, 0, long.as_str()).map(drop)));
        assert!(shared.len() < 1_000_000);
        assert!(refusal(&shared).contains("bytes of text"), "{}", refusal(&shared));

        let mut bomb = ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["xl/workbook.xml", "xl/worksheets/sheet1.xml"] {
            bomb.start_file(name, SimpleFileOptions::default()).unwrap();
            bomb.write_all(&vec![0; 1 << 20]).unwrap();
        }
        let bomb = bomb.finish().unwrap().into_inner();
        assert!(bomb.len() < 10_000);
        assert_eq!(unpacked(&bomb, 1 << 30).unwrap(), 2 << 20);
        assert_eq!(unpacked(&bomb, 3 << 19).unwrap(), (3 << 19) + 1);
        assert!(refusal(b"PK\x03\x04 and no more").contains("is no XLSX workbook"));
    }
}
