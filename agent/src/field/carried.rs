//! Photos and signatures in export files: those of reports that are in the file themselves. A part whose report has gone
//! by another way follows it on that way: the server takes a part only from whom it has the report.

use linewatch_shared::facts::{Media, PART_BYTES_MAX};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Hash, decode, encode};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::parts;
use crate::journal::{self, JournalError};

/// The longest head of a part in a file, in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The longest part in a file, with its head.
pub const CARRIED_BYTES_MAX: u64 = 4 + HEAD_BYTES_MAX as u64 + PART_BYTES_MAX;

/// A part on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// How its bytes are to be read.
    media: Media,
    /// The reports that name it.
    owners: Vec<Uuid>,
    bytes: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    owners: Vec<Uuid>,
}

/// The parts of unsent reports, each once, with the reports that name them.
///
/// # Errors
/// When the database cannot be read.
pub fn unsent(db: &Connection) -> Result<Vec<(Hash, Vec<Uuid>)>, JournalError> {
    let gen_ = journal::stream(db)?.gen_;
    let mut statement = db.prepare_cached(
        "SELECT u.sha256, u.owner FROM part_use u JOIN part p ON p.sha256 = u.sha256
           JOIN record r ON r.id = u.owner
         WHERE u.finished = 1 AND p.whole = 0 AND r.gen = ?1
           AND NOT EXISTS (SELECT 1 FROM held h WHERE h.gen = r.gen AND h.lane = r.lane
               AND r.number BETWEEN h.first AND h.last)
         ORDER BY u.sha256, u.owner",
    )?;
    let mut rows = statement.query([gen_])?;
    let mut found: Vec<(Hash, Vec<Uuid>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (sha256, owner): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let damaged = || JournalError::Damaged("the name of a part has another length".to_owned());
        let sha256 = Hash::from_slice(&sha256).ok_or_else(damaged)?;
        let owner = Uuid::from_slice(&owner).map_err(|_| damaged())?;
        match found.last_mut() {
            Some((last, owners)) if *last == sha256 => owners.push(owner),
            _ => found.push((sha256, vec![owner])),
        }
    }
    Ok(found)
}

/// A part as it is written into a file: u32 length | owners (MessagePack) | its bytes.
///
/// # Errors
/// When the database cannot be read.
pub fn pack(db: &Connection, sha256: Hash, owners: &[Uuid]) -> Result<Vec<u8>, JournalError> {
    let head = encode(&Head { owners: owners.to_vec() })?;
    let missing = || JournalError::Damaged("a part of a report is missing".to_owned());
    let bytes = parts::bytes(db, sha256, 0, PART_BYTES_MAX as usize)?.ok_or_else(missing)?;
    let mut packed = Vec::with_capacity(4 + head.len() + bytes.len());
    packed.extend_from_slice(&(head.len() as u32).to_be_bytes());
    packed.extend_from_slice(&head);
    packed.extend_from_slice(&bytes);
    Ok(packed)
}

impl Carried {
    /// Reads what [`pack`] made; none when it is something else.
    #[must_use]
    pub fn unpack(packed: &[u8]) -> Option<Self> {
        let (length, rest) = packed.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > HEAD_BYTES_MAX {
            return None;
        }
        let (head, bytes) = rest.split_at_checked(length)?;
        let Head { owners } = decode(head).ok()?;
        Some(Self { media: Media::of(bytes)?, owners, bytes: bytes.to_vec() })
    }

    /// Keeps it for those of its reports that are here; answers whether anything of it is new.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn take(&self, tx: &Connection, now: UnixMs) -> Result<bool, JournalError> {
        let mut here = Vec::new();
        for owner in &self.owners {
            if journal::contains(tx, *owner)? {
                here.push(owner);
            }
        }
        if here.is_empty() {
            return Ok(false);
        }
        let sha256 = parts::store(tx, self.media, &self.bytes, now)?;
        let mut added = 0;
        for owner in here {
            added += tx
                .prepare_cached(
                    "INSERT INTO part_use (owner, sha256, finished) VALUES (?1, ?2, 1) ON CONFLICT DO NOTHING",
                )?
                .execute(params![owner.as_bytes(), sha256.0])?;
        }
        Ok(added > 0)
    }
}
