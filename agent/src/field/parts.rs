//! Photos and signatures on this device: each kept once, by the hash of its cleaned bytes, as long as a draft or a report
//! that is not yet old holds it.

use linewatch_shared::facts::{Media, PARTS_MAX};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Hash, record_hash};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::journal::JournalError;

/// How many bytes of a part are kept, and sealed, together.
const PIECE_BYTES: usize = 64 << 10;

/// A part without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The hash of its bytes.
    pub sha256: Hash,
    /// How they are to be read.
    pub media: Media,
    /// How many.
    pub bytes: u64,
    /// How many of them the server has.
    pub held: u64,
    /// Whether it has all.
    pub whole: bool,
}

/// What is still to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsent {
    /// Parts.
    pub parts: u64,
    /// Bytes of them.
    pub bytes: u64,
}

const fn name_of(media: Media) -> &'static str {
    match media {
        Media::Jpeg => "jpeg",
        Media::Png => "png",
    }
}

/// Keeps a part for a draft; false when the draft has too many, or is gone.
///
/// # Errors
/// When the database cannot be written.
pub fn keep(
    tx: &Connection,
    draft: Uuid,
    media: Media,
    bytes: &[u8],
    now: UnixMs,
) -> Result<Option<Known>, JournalError> {
    let is_there = tx.prepare_cached("SELECT 1 FROM draft WHERE id = ?1")?.exists([draft.as_bytes()])?;
    let count: i64 = tx
        .prepare_cached("SELECT COUNT(*) FROM part_use WHERE owner = ?1")?
        .query_row([draft.as_bytes()], |row| row.get(0))?;
    if !is_there || count >= PARTS_MAX as i64 {
        return Ok(None);
    }
    let sha256 = store(tx, media, bytes, now)?;
    tx.prepare_cached("INSERT INTO part_use (owner, sha256) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![draft.as_bytes(), sha256.0])?;
    one(tx, sha256)
}

/// Keeps the bytes of a part, where they are not here yet.
pub(super) fn store(tx: &Connection, media: Media, bytes: &[u8], now: UnixMs) -> Result<Hash, JournalError> {
    let sha256 = record_hash(bytes);
    let is_new = tx
        .prepare_cached(
            "INSERT INTO part (sha256, media, bytes, added_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (sha256) DO NOTHING",
        )?
        .execute(params![sha256.0, name_of(media), bytes.len() as i64, now.0])?;
    if is_new > 0 {
        let mut statement = tx
            .prepare_cached("INSERT INTO part_piece (sha256, n, sealed) VALUES (?1, ?2, seal(?3, 'part'))")?;
        for (n, piece) in (0_i64..).zip(bytes.chunks(PIECE_BYTES)) {
            statement.execute(params![sha256.0, n, piece])?;
        }
    }
    Ok(sha256)
}

/// A part of a draft or report.
///
/// # Errors
/// When the database cannot be read.
pub fn one(db: &Connection, sha256: Hash) -> Result<Option<Known>, JournalError> {
    db.prepare_cached("SELECT sha256, media, bytes, held, whole FROM part WHERE sha256 = ?1")?
        .query_row([sha256.0], raw)
        .optional()?
        .map(known)
        .transpose()
}

/// Whether a draft or report holds a part.
///
/// # Errors
/// When the database cannot be read.
pub fn is_held_by(db: &Connection, owner: Uuid, sha256: Hash) -> Result<bool, JournalError> {
    let mut statement = db.prepare_cached("SELECT 1 FROM part_use WHERE owner = ?1 AND sha256 = ?2")?;
    Ok(statement.exists(params![owner.as_bytes(), sha256.0])?)
}

/// The bytes of a part, `most` at most from `at` on; none when it is not here.
///
/// # Errors
/// When the database cannot be read.
pub fn bytes(db: &Connection, sha256: Hash, at: u64, most: usize) -> Result<Option<Vec<u8>>, JournalError> {
    let Some(known) = one(db, sha256)? else { return Ok(None) };
    let end = known.bytes.min(at.saturating_add(most as u64));
    let (first, last) = (at / PIECE_BYTES as u64, end.saturating_sub(1) / PIECE_BYTES as u64);
    let mut statement = db.prepare_cached(
        "SELECT unseal(sealed, 'part') FROM part_piece WHERE sha256 = ?1 AND n BETWEEN ?2 AND ?3 ORDER BY n",
    )?;
    let mut rows = statement.query(params![sha256.0, first.cast_signed(), last.cast_signed()])?;
    let mut body = Vec::new();
    while let Some(row) = rows.next()? {
        body.extend(row.get::<_, Vec<u8>>(0)?);
    }
    let skip = usize::try_from(at - first * PIECE_BYTES as u64).unwrap_or(usize::MAX).min(body.len());
    body.drain(..skip);
    body.truncate(most);
    Ok(Some(body))
}

/// A draft became a report that names these: they are sent from now on, and whatever else it held is let go.
///
/// # Errors
/// When the database cannot be written.
pub fn finish(tx: &Connection, owner: Uuid, named: &[Hash]) -> Result<(), JournalError> {
    for sha256 in named {
        tx.prepare_cached("UPDATE part_use SET finished = 1 WHERE owner = ?1 AND sha256 = ?2")?
            .execute(params![owner.as_bytes(), sha256.0])?;
    }
    tx.execute("DELETE FROM part_use WHERE owner = ?1 AND finished = 0", [owner.as_bytes()])?;
    sweep(tx)
}

/// Lets go of one part of a draft.
///
/// # Errors
/// When the database cannot be written.
pub fn remove(tx: &Connection, draft: Uuid, sha256: Hash) -> Result<bool, JournalError> {
    let sql = "DELETE FROM part_use WHERE owner = ?1 AND sha256 = ?2 AND finished = 0";
    let gone = tx.execute(sql, params![draft.as_bytes(), sha256.0])? > 0;
    sweep(tx)?;
    Ok(gone)
}

/// Lets go of all that a draft holds.
pub(super) fn release(tx: &Connection, draft: Uuid) -> Result<(), JournalError> {
    tx.execute("DELETE FROM part_use WHERE owner = ?1 AND finished = 0", [draft.as_bytes()])?;
    sweep(tx)
}

/// Parts that nothing holds.
fn sweep(tx: &Connection) -> Result<(), JournalError> {
    tx.execute(
        "DELETE FROM part WHERE NOT EXISTS (SELECT 1 FROM part_use u WHERE u.sha256 = part.sha256)",
        [],
    )?;
    Ok(())
}

/// Lets go of parts that the server has had since before `before`, as records are pruned.
///
/// # Errors
/// When the database cannot be written.
pub fn prune(tx: &Connection, before: UnixMs) -> Result<u64, JournalError> {
    let old = "SELECT sha256 FROM part WHERE whole = 1 AND added_at < ?1";
    tx.execute(&format!("DELETE FROM part_use WHERE finished = 1 AND sha256 IN ({old})"), [before.0])?;
    let before_count = tx.changes();
    sweep(tx)?;
    Ok(before_count)
}

/// The next parts to be sent: named by a report, not whole at the server, the oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn unsent(db: &Connection, most: usize) -> Result<Vec<Known>, JournalError> {
    let mut statement = db.prepare_cached(
        "SELECT sha256, media, bytes, held, whole FROM part p WHERE whole = 0
           AND EXISTS (SELECT 1 FROM part_use u WHERE u.sha256 = p.sha256 AND u.finished = 1)
         ORDER BY added_at, sha256 LIMIT ?1",
    )?;
    let rows = statement.query_map([most as i64], raw)?.collect::<Result<Vec<Raw>, _>>()?;
    rows.into_iter().map(known).collect()
}

/// How much is still to be sent.
///
/// # Errors
/// When the database cannot be read.
pub fn left(db: &Connection) -> Result<Unsent, JournalError> {
    let mut statement = db.prepare_cached(
        "SELECT COUNT(*), COALESCE(SUM(bytes - held), 0) FROM part p WHERE whole = 0
           AND EXISTS (SELECT 1 FROM part_use u WHERE u.sha256 = p.sha256 AND u.finished = 1)",
    )?;
    let (parts, bytes): (i64, i64) = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Unsent { parts: parts.cast_unsigned(), bytes: bytes.cast_unsigned() })
}

/// Notes how much of a part the server has.
///
/// # Errors
/// When the database cannot be written.
pub fn note(tx: &Connection, sha256: Hash, held: u64, whole: bool) -> Result<(), JournalError> {
    tx.prepare_cached("UPDATE part SET held = ?2, whole = ?3 WHERE sha256 = ?1")?.execute(params![
        sha256.0,
        held.cast_signed(),
        whole
    ])?;
    Ok(())
}

/// The server is another one, or went back: nothing counts as sent until it says so again.
///
/// # Errors
/// When the database cannot be written.
pub fn forget(tx: &Connection) -> Result<(), JournalError> {
    tx.execute("UPDATE part SET held = 0, whole = 0", [])?;
    Ok(())
}

type Raw = (Vec<u8>, String, i64, i64, bool);

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn known((sha256, media, bytes, held, whole): Raw) -> Result<Known, JournalError> {
    let damaged = |what: &str| JournalError::Damaged(what.to_owned());
    let sha256 = Hash::from_slice(&sha256).ok_or_else(|| damaged("a hash has another length"))?;
    let media = match media.as_str() {
        "jpeg" => Media::Jpeg,
        "png" => Media::Png,
        _ => return Err(damaged("a part of an unknown kind")),
    };
    Ok(Known { sha256, media, bytes: bytes.cast_unsigned(), held: held.cast_unsigned(), whole })
}
