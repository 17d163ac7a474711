//! Writing an export file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use linewatch_shared::time::UnixMs;
use linewatch_shared::wire;
use rusqlite::{Connection, params};

use super::head::{self, With};
use super::sealed::{FileKey, SealedWriter};
use super::{END, ExportError, Exported, Header, MAGIC, PART};
use crate::field::carried;
use crate::journal::{JournalError, carry, lanes, view};
use crate::vault::Cost;

/// Writes everything unsent to `path`, whole or not at all, sealed with the passphrase, or else with the newest key that
/// the server's agents share.
///
/// # Errors
/// When there is no key, the journal cannot be read, or the file cannot be written.
pub fn export(
    db: &Connection,
    agent: &str,
    now: UnixMs,
    path: &Path,
    passphrase: Option<&str>,
) -> Result<Exported, ExportError> {
    let keys = carry::keys(db)?;
    let with = match (passphrase, keys.last()) {
        (Some(text), _) => With::Passphrase(text),
        (None, Some(key)) => With::Carry(key),
        (None, None) => return Err(ExportError::NoKey),
    };
    let head = head::make(&with, Cost::NEW)?;
    // One read transaction: what is counted is what is written.
    let tx = db.unchecked_transaction().map_err(JournalError::from)?;
    let part = path.with_extension("part");
    let exported = write_file(&tx, agent, now, &part, head).inspect_err(|_| _ = fs::remove_file(&part))?;
    fs::rename(&part, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(exported)
}

fn write_file(
    db: &Connection,
    agent: &str,
    now: UnixMs,
    path: &Path,
    (head, key): (Vec<u8>, FileKey),
) -> Result<Exported, ExportError> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut out = BufWriter::new(file);
    out.write_all(MAGIC)?;
    out.write_all(&(head.len() as u32).to_be_bytes())?;
    out.write_all(&head)?;
    let mut out = SealedWriter::new(out, key);
    let records = write_records(db, agent, now, &mut out)?;
    let parts = write_parts(db, &mut out)?;
    out.write_all(&[END])?;
    out.write_all(&0_u64.to_be_bytes())?;
    let out = out.finish()?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(Exported { records, parts })
}

fn write_records(
    db: &Connection,
    agent: &str,
    now: UnixMs,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let (stream, views) = view::lane_views(db)?;
    let count = views.iter().map(view::LaneView::unsent).sum();
    let header = Header { epoch: stream.epoch, agent: agent.to_owned(), exported_at: now, count };
    let header = wire::encode(&header).map_err(JournalError::from)?;
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
    Ok(count)
}

fn write_parts(db: &Connection, out: &mut impl Write) -> Result<u64, ExportError> {
    let parts = carried::unsent(db)?;
    for (sha256, owners) in &parts {
        let packed = carried::pack(db, *sha256, owners)?;
        out.write_all(&[PART])?;
        out.write_all(&(packed.len() as u64).to_be_bytes())?;
        out.write_all(&packed)?;
    }
    Ok(parts.len() as u64)
}

fn read_row(row: &rusqlite::Row<'_>) -> Result<(u64, Vec<u8>, Vec<u8>), JournalError> {
    Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?, row.get(2)?))
}
