//! Taking an export file in.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use linewatch_shared::facts::{Lane, Record};
use linewatch_shared::wire::{self, BODY_BYTES_MAX, Hash, record_hash};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::head;
use super::sealed::SealedReader;
use super::{END, ExportError, HEADER_BYTES_MAX, Header, Imported, MAGIC, PART, cut, format};
use crate::field::carried::{CARRIED_BYTES_MAX, Carried};
use crate::journal::records::{self, Entry};
use crate::journal::{Journal, carry, lanes};
use crate::vault::VaultError;

/// The format in the clear.
const FORMAT_PLAIN: u16 = 1;
/// Records appended in one transaction by an import.
const IMPORT_PAGE: usize = 500;

/// Appends the records of an export file to this journal. The file is checked whole before anything is appended. `ask`
/// gives the passphrase of a file that is sealed with one; it is called at most once.
///
/// # Errors
/// When the file is damaged or its key is not known (nothing is appended), or the journal cannot be written.
pub fn import(
    journal: &Journal,
    path: &Path,
    mut ask: impl FnMut() -> Result<Zeroizing<String>, VaultError>,
) -> Result<Imported, ExportError> {
    let known = journal.read_blocking(carry::keys)?;
    let mut typed: Option<Zeroizing<String>> = None;
    let mut ask_once = || -> Result<Zeroizing<String>, VaultError> {
        if typed.is_none() {
            typed = Some(ask()?);
        }
        Ok(typed.clone().unwrap_or_default())
    };
    let mut walk = |each: Each<'_>| {
        let mut input = BufReader::new(File::open(path)?);
        let mut magic = [0; MAGIC.len()];
        input.read_exact(&mut magic).map_err(cut)?;
        if magic != MAGIC {
            return Err(format("it does not begin with LINEWATCH-EXPORT"));
        }
        let head = part(&mut input, HEADER_BYTES_MAX)?;
        match format_of(&head)? {
            FORMAT_PLAIN => walk_plain(input, &head, each),
            head::FORMAT => {
                let key = head::open(&head, &known, &mut ask_once)?;
                walk_sealed(SealedReader::new(input, key), each)
            }
            other => Err(ExportError::Format(format!("format {other} is not known to this program"))),
        }
    };
    let header = walk(&mut |_| Ok(()))?;
    let mut imported = Imported { agent: header.agent, ..Imported::default() };
    let mut page = Vec::with_capacity(IMPORT_PAGE);
    walk(&mut |item| match item {
        Item::Record(entry) => {
            page.push(entry);
            if page.len() == IMPORT_PAGE { flush(journal, &mut page, &mut imported) } else { Ok(()) }
        }
        Item::Part(part) => {
            // Its report goes before it.
            flush(journal, &mut page, &mut imported)?;
            let now = journal.scribe().now();
            imported.parts += u64::from(journal.write_blocking(move |tx| part.take(tx, now))?);
            Ok(())
        }
    })?;
    flush(journal, &mut page, &mut imported)?;
    Ok(imported)
}

fn flush(journal: &Journal, page: &mut Vec<Entry>, imported: &mut Imported) -> Result<(), ExportError> {
    let entries = std::mem::take(page);
    let count = entries.len() as u64;
    let added = journal.write_blocking(move |tx| records::append(tx, &entries))? as u64;
    imported.added += added;
    imported.skipped += count - added;
    Ok(())
}

fn format_of(head: &[u8]) -> Result<u16, ExportError> {
    #[derive(Deserialize)]
    struct Any {
        format: u16,
    }
    let any: Any = wire::decode(head).map_err(|error| ExportError::Format(error.to_string()))?;
    Ok(any.format)
}

fn header_of(bytes: &[u8]) -> Result<Header, ExportError> {
    wire::decode(bytes).map_err(|error| ExportError::Format(error.to_string()))
}

/// What is in a file.
enum Item {
    Record(Entry),
    Part(Carried),
}

type Each<'a> = &'a mut dyn FnMut(Item) -> Result<(), ExportError>;

/// What comes after the head of a sealed file: the chunks vouch for it.
fn walk_sealed(mut input: impl Read, each: Each<'_>) -> Result<Header, ExportError> {
    let header = header_of(&part(&mut input, HEADER_BYTES_MAX)?)?;
    walk_records(&mut input, header.count, each)?;
    loop {
        let (mut kind, mut length) = ([0], [0; 8]);
        input.read_exact(&mut kind).map_err(cut)?;
        input.read_exact(&mut length).map_err(cut)?;
        match (kind[0], u64::from_be_bytes(length)) {
            (END, 0) => break,
            (PART, length @ ..=CARRIED_BYTES_MAX) => {
                let mut packed = vec![0; length as usize];
                input.read_exact(&mut packed).map_err(cut)?;
                let part = Carried::unpack(&packed).ok_or_else(|| format("a part is not whole"))?;
                each(Item::Part(part))?;
            }
            (PART, _) => return Err(format("a part is longer than its bound")),
            _ => return Err(format("it holds something that this program does not know: update it first")),
        }
    }
    if input.read(&mut [0]).map_err(cut)? != 0 {
        return Err(format("something follows its end"));
    }
    Ok(header)
}

/// What comes after the head of a file of format 1, which is its header, too.
fn walk_plain(input: impl Read, head: &[u8], each: Each<'_>) -> Result<Header, ExportError> {
    let header = header_of(head)?;
    let mut hasher = Sha256::new_with_prefix(MAGIC);
    hasher.update((head.len() as u32).to_be_bytes());
    hasher.update(head);
    let mut input = Hashed { inner: input, hasher };
    walk_records(&mut input, header.count, each)?;
    let digest = input.hasher.clone().finalize();
    let mut stored = [0; 32];
    input.read_exact(&mut stored).map_err(cut)?;
    if digest[..] != stored || input.read(&mut [0])? != 0 {
        return Err(format("the checksum at its end does not fit"));
    }
    Ok(header)
}

/// Hashes what passes through.
struct Hashed<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        Ok(read)
    }
}

fn walk_records(input: &mut impl Read, count: u64, each: Each<'_>) -> Result<(), ExportError> {
    for _ in 0..count {
        let mut head = [0; 41];
        input.read_exact(&mut head).map_err(cut)?;
        let bytes = part(input, BODY_BYTES_MAX)?;
        if Hash::from_slice(&head[9..]) != Some(record_hash(&bytes)) {
            return Err(format("a record does not match its hash"));
        }
        if let Some(entry) = entry_of(i64::from(head[0]), bytes)? {
            each(Item::Record(entry))?;
        }
    }
    Ok(())
}

fn part(input: &mut impl Read, most: usize) -> Result<Vec<u8>, ExportError> {
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(cut)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > most {
        return Err(format("a part is longer than its bound"));
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
