//! A CSV file, or a workbook's first sheet, as rows of named cells.

use super::{Kind, ROWS_MAX, RowMistake, sheet};

/// How a text begins that spreadsheets take for a formula, or read past.
pub const FORMULA_BEGINS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// The longest cell, in characters.
const CELL_CHARS_MAX: usize = 2048;

/// A row's line in the file, from 1, and its cells.
pub(super) type NumberedRow = (u64, Vec<String>);

/// A file, with cells trimmed.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) kind: Kind,
    columns: Vec<String>,
    pub(super) rows: Vec<TableRow>,
}

#[derive(Debug)]
pub(super) struct TableRow {
    /// Line of the file, from 1.
    pub(super) line: u64,
    cells: Vec<String>,
}

/// What a row says about one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// The file has no such column.
    NoColumn,
    /// The cell is empty.
    Empty,
    /// The cell's text.
    Text(&'a str),
}

impl Cell<'_> {
    /// The new value of a field that was `old`.
    pub(super) fn over(self, old: Option<&String>) -> Option<String> {
        match self {
            Self::NoColumn => old.cloned(),
            Self::Empty => None,
            Self::Text(text) => Some(text.to_owned()),
        }
    }
}

impl Table {
    /// Reads the file. `Ok` also carries what is wrong with single cells, so that the rows can still
    /// be checked against the database; `Err` means that the rows could not be told apart.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, Vec<RowMistake>), Vec<RowMistake>> {
        if sheet::is_workbook(bytes) {
            return Self::of_rows(sheet::rows(bytes)?.into_iter().map(Ok));
        }
        let text = utf8(bytes)?;
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let row = |record: Result<csv::StringRecord, csv::Error>| {
            let record = record.map_err(|e| csv_mistake(&e))?;
            let line = record.position().map_or(0, csv::Position::line);
            Ok((line, record.iter().map(str::to_owned).collect()))
        };
        Self::of_rows(reader.records().map(row))
    }

    pub(super) fn of_rows(
        mut rows: impl Iterator<Item = Result<NumberedRow, RowMistake>>,
    ) -> Result<(Self, Vec<RowMistake>), Vec<RowMistake>> {
        let columns = match rows.next() {
            Some(header) => header.map_err(|mistake| vec![mistake])?.1,
            None => return Err(vec![mistake(1, "", "the file is empty: it begins with a header line")]),
        };
        let kind = Kind::of_header(&columns)?;
        let mut table = Self { kind, columns, rows: Vec::new() };
        let mut mistakes = Vec::new();
        for row in rows {
            match row {
                Ok((line, cells)) => table.add(line, cells, &mut mistakes),
                Err(mistake) => mistakes.push(mistake),
            }
            if table.rows.len() > ROWS_MAX {
                return Err(vec![mistake(0, "", format!("more than {ROWS_MAX} rows; split the file"))]);
            }
        }
        Ok((table, mistakes))
    }

    fn add(&mut self, line: u64, mut cells: Vec<String>, mistakes: &mut Vec<RowMistake>) {
        if cells.iter().all(String::is_empty) {
            return;
        }
        if cells.len() != self.columns.len() {
            let reason = format!("has {} cells where the header has {}", cells.len(), self.columns.len());
            return mistakes.push(mistake(line, "", reason));
        }
        for (column, cell) in self.columns.iter().zip(&mut cells) {
            if let Some(text) = unguarded(cell) {
                *cell = text;
            }
            if cell.chars().count() > CELL_CHARS_MAX {
                mistakes.push(mistake(line, column, format!("longer than {CELL_CHARS_MAX} characters")));
            } else if cell.chars().any(char::is_control) {
                mistakes.push(mistake(line, column, "contains a control character or a line break"));
            }
        }
        self.rows.push(TableRow { line, cells });
    }

    pub(super) fn cell<'a>(&self, row: &'a TableRow, column: &str) -> Cell<'a> {
        let index = self.columns.iter().position(|name| name == column);
        match index.and_then(|index| row.cells.get(index)).map(String::as_str) {
            None => Cell::NoColumn,
            Some("") => Cell::Empty,
            Some(text) => Cell::Text(text),
        }
    }
}

/// A header, and rows with their lines.
type Plain = (Vec<String>, Vec<NumberedRow>);

/// The header and the rows of a file whose columns are the caller's to know, cells trimmed; empty rows are left out.
///
/// # Errors
/// When the rows cannot be told apart, or are too many.
pub(in crate::app) fn plain(bytes: &[u8]) -> Result<Plain, Vec<RowMistake>> {
    let mut rows: Vec<NumberedRow> = Vec::new();
    if sheet::is_workbook(bytes) {
        rows = sheet::rows(bytes)?;
    } else {
        let text = utf8(bytes)?;
        let mut builder = csv::ReaderBuilder::new();
        let builder = builder.flexible(true).has_headers(false).trim(csv::Trim::All);
        for record in builder.from_reader(text.as_bytes()).records() {
            let record = record.map_err(|e| vec![csv_mistake(&e)])?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, record.iter().map(str::to_owned).collect()));
            if rows.len() > ROWS_MAX + 1 {
                return Err(vec![mistake(0, "", format!("more than {ROWS_MAX} rows; split the file"))]);
            }
        }
    }
    if rows.is_empty() {
        return Err(vec![mistake(1, "", "the file is empty: it begins with a header line")]);
    }
    let (_, header) = rows.remove(0);
    rows.retain(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()));
    Ok((header, rows))
}

/// A text that was guarded against being taken for a formula, as exports do.
fn unguarded(cell: &str) -> Option<String> {
    let text = cell.strip_prefix('\'')?;
    text.starts_with(FORMULA_BEGINS).then(|| text.to_owned())
}

pub(super) fn mistake(line: u64, column: &str, reason: impl Into<String>) -> RowMistake {
    RowMistake { line, column: column.to_owned(), reason: reason.into() }
}

fn utf8(bytes: &[u8]) -> Result<&str, Vec<RowMistake>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].split(|b| *b == b'\n').count() as u64;
        vec![mistake(line, "", "is not UTF-8: save the file as UTF-8 CSV")]
    })
}

fn csv_mistake(e: &csv::Error) -> RowMistake {
    mistake(e.position().map_or(0, csv::Position::line), "", format!("is not CSV: {e}"))
}
