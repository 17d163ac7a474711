//! Everything unsent as one file, for carrying it to the server by another machine.
//!
//! ```text
//! "LINEWATCH-EXPORT\n"
//! u32 length | header (MessagePack, named: format, epoch, agent, exported_at, count)
//! count × ( u8 lane (1 fault, 2 desk, 3 summary) | u64 number | 32 bytes SHA-256 | u32 length | body )
//! 32 bytes: SHA-256 of everything before
//! ```
//! Numbers are big-endian. Ids and bytes are those of the journal; an import keeps them, so a record
//! that reaches the server on two ways is stored once.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use linewatch_shared::facts::{Lane, Record};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{self, BODY_BYTES_MAX, Hash, record_hash};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::records::Entry;
use super::{Journal, JournalError, lanes, view};

const MAGIC: &[u8] = b"LINEWATCH-EXPORT\n";
const FORMAT: u16 = 1;
/// The longest header, in bytes.
const HEADER_BYTES_MAX: usize = 4_096;
/// Records appended in one transaction by an import.
const IMPORT_PAGE: usize = 500;

/// An export or import failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is not one of ours, or is damaged.
    #[error("not a whole export file: {0}")]
    Format(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u16,
    epoch: u64,
    /// The exporting agent's name; empty before enrolment.
    agent: String,
    exported_at: UnixMs,
    count: u64,
}

/// What an import found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The exporting agent's name.
    pub agent: String,
    /// Records that are new here.
    pub added: u64,
    /// Records that were here already.
    pub skipped: u64,
}

/// Writes everything unsent to `path`, whole or not at all. Returns how many records.
///
/// # Errors
/// When the journal cannot be read, or the file cannot be written.
pub fn export(db: &Connection, agent: &str, now: UnixMs, path: &Path) -> Result<u64, ExportError> {
    // One read transaction: what is counted is what is written.
    let tx = db.unchecked_transaction().map_err(JournalError::from)?;
    let part = path.with_extension("part");
    let count = write_file(&tx, agent, now, &part).inspect_err(|_| _ = fs::remove_file(&part))?;
    fs::rename(&part, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(count)
}

/// Hashes what passes through.
struct Hashed<W> {
    inner: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        Ok(read)
    }
}

fn write_file(db: &Connection, agent: &str, now: UnixMs, path: &Path) -> Result<u64, ExportError> {
    let (stream, views) = view::lane_views(db)?;
    let count = views.iter().map(view::LaneView::unsent).sum();
    let header =
        Header { format: FORMAT, epoch: stream.epoch, agent: agent.to_owned(), exported_at: now, count };
    let header = wire::encode(&header).map_err(JournalError::from)?;
    let mut out = Hashed { inner: BufWriter::new(File::create(path)?), hasher: Sha256::new() };
    out.write_all(MAGIC)?;
    out.write_all(&(header.len() as u32).to_be_bytes())?;
    out.write_all(&header)?;
    let mut statement = db
        .prepare(
            "SELECT number, hash, unseal(sealed, 'record') FROM record
             WHERE gen = ?1 AND lane = ?2 AND number BETWEEN ?3 AND ?4 ORDER BY number",
        )
        .map_err(JournalError::from)?;
    for view in &views {
        let code = lanes::code(view.lane);
        for gap in view.gaps() {
            let span = params![stream.gen_, code, gap.first.cast_signed(), gap.last.cast_signed()];
            let mut rows = statement.query(span).map_err(JournalError::from)?;
            while let Some(row) = rows.next().map_err(JournalError::from)? {
                let (number, hash, bytes) = read_row(row)?;
                out.write_all(&[code as u8])?;
                out.write_all(&number.to_be_bytes())?;
                out.write_all(&hash)?;
                out.write_all(&(bytes.len() as u32).to_be_bytes())?;
                out.write_all(&bytes)?;
            }
        }
    }
    let digest = out.hasher.clone().finalize();
    out.write_all(&digest)?;
    out.flush()?;
    out.inner.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(count)
}

fn read_row(row: &rusqlite::Row<'_>) -> Result<(u64, Vec<u8>, Vec<u8>), JournalError> {
    Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?, row.get(2)?))
}

/// Appends the records of an export file to this journal. The file is checked whole before anything
/// is appended.
///
/// # Errors
/// When the file is damaged (nothing is appended), or the journal cannot be written.
pub fn import(journal: &Journal, path: &Path) -> Result<Imported, ExportError> {
    let header = walk(path, |_| Ok(()))?;
    let mut imported = Imported { agent: header.agent, ..Imported::default() };
    let mut page = Vec::with_capacity(IMPORT_PAGE);
    walk(path, |entry| {
        page.push(entry);
        if page.len() == IMPORT_PAGE { flush(journal, &mut page, &mut imported) } else { Ok(()) }
    })?;
    flush(journal, &mut page, &mut imported)?;
    Ok(imported)
}

fn flush(journal: &Journal, page: &mut Vec<Entry>, imported: &mut Imported) -> Result<(), ExportError> {
    let entries = std::mem::take(page);
    let count = entries.len() as u64;
    let added = journal.write_blocking(move |tx| super::records::append(tx, &entries))? as u64;
    imported.added += added;
    imported.skipped += count - added;
    Ok(())
}

/// Reads a file from its beginning to its checksum.
fn walk(path: &Path, mut each: impl FnMut(Entry) -> Result<(), ExportError>) -> Result<Header, ExportError> {
    let mut input = Hashed { inner: BufReader::new(File::open(path)?), hasher: Sha256::new() };
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).map_err(cut)?;
    if magic != MAGIC {
        return Err(ExportError::Format("it does not begin with LINEWATCH-EXPORT".to_owned()));
    }
    let header = part(&mut input, HEADER_BYTES_MAX)?;
    let header: Header = wire::decode(&header).map_err(|e| ExportError::Format(e.to_string()))?;
    if header.format != FORMAT {
        return Err(ExportError::Format(format!("format {} is not known to this program", header.format)));
    }
    for _ in 0..header.count {
        let mut head = [0; 41];
        input.read_exact(&mut head).map_err(cut)?;
        let bytes = part(&mut input, BODY_BYTES_MAX)?;
        if Hash::from_slice(&head[9..]) != Some(record_hash(&bytes)) {
            return Err(ExportError::Format("a record does not match its hash".to_owned()));
        }
        if let Some(entry) = entry_of(i64::from(head[0]), bytes)? {
            each(entry)?;
        }
    }
    let digest = input.hasher.clone().finalize();
    let mut stored = [0; 32];
    input.read_exact(&mut stored).map_err(cut)?;
    if digest[..] != stored || input.read(&mut [0])? != 0 {
        return Err(ExportError::Format("the checksum at its end does not fit".to_owned()));
    }
    Ok(header)
}

fn cut(error: io::Error) -> ExportError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ExportError::Format("it is cut off".to_owned()),
        _ => ExportError::Io(error),
    }
}

fn part(input: &mut impl Read, most: usize) -> Result<Vec<u8>, ExportError> {
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(cut)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > most {
        return Err(ExportError::Format("a part is longer than its bound".to_owned()));
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes).map_err(cut)?;
    Ok(bytes)
}

/// The entry of an exported body. One that was wrapped as unreadable stays with its own journal.
fn entry_of(code: i64, bytes: Vec<u8>) -> Result<Option<Entry>, ExportError> {
    if !Lane::ALL.into_iter().any(|lane| lanes::code(lane) == code) {
        return Err(ExportError::Format(format!("lane {code} is not known")));
    }
    let Ok(record) = Record::from_bytes(&bytes) else { return Ok(None) };
    let mut entry = Entry::new(&record)?;
    // The bytes as they are: a newer program may have written fields that this one does not know.
    entry.bytes = bytes;
    // Another machine's lines are not this machine's to show.
    entry.line_state = None;
    Ok(Some(entry))
}
