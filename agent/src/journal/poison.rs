//! A record that the server refuses even alone in its batch.
//!
//! Its number cannot be left out of an ordered lane, so its bytes are wrapped: sent as something that
//! the server keeps raw and shows to a person. The original stays here, and the record's id in the wrapper.

use linewatch_shared::facts::Lane;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{BODY_BYTES_MAX, Hash, record_hash};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::JournalError;
use super::lanes::{self, damaged, is_ordered};
use super::records::chain_at;

/// Room that the wrapper itself takes, in bytes.
const WRAPPER_BYTES: usize = 256;
/// Records renumbered in one step.
const RECHAIN_PAGE: i64 = 1_000;

/// What is sent in the place of an unreadable record.
#[derive(Serialize)]
struct Unreadable<'a> {
    /// The record's id.
    #[serde(rename = "unreadable")]
    id: uuid::Uuid,
    /// Why.
    why: &'a str,
    /// The hash of the original bytes.
    #[serde(with = "byte_string")]
    hash: &'a [u8],
    /// The original bytes; absent when they were refused once wrapped, too.
    #[serde(with = "byte_string", skip_serializing_if = "<[u8]>::is_empty")]
    bytes: &'a [u8],
}

/// Byte strings rather than arrays of numbers.
mod byte_string {
    pub fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }
}

/// Wraps an unsent record: with its bytes the first time, without them the second.
///
/// Returns false when both were refused already, or when the record is not there.
pub fn poison(
    tx: &Connection,
    lane: Lane,
    number: u64,
    why: &str,
    now: UnixMs,
) -> Result<bool, JournalError> {
    let stream = lanes::require(tx)?;
    let place = params![stream.gen_, lanes::code(lane), number.cast_signed()];
    let found: Option<(i64, Vec<u8>, Vec<u8>, String)> = tx
        .query_row(
            "SELECT rowid, id, unseal(sealed, 'record'), kind FROM record
             WHERE gen = ?1 AND lane = ?2 AND number = ?3",
            place,
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    let Some((rowid, id, bytes, kind)) = found else { return Ok(false) };
    let (original, keep) = match kind.as_str() {
        "unreadable" => {
            let original: Vec<u8> = tx.query_row(
                "SELECT unseal(sealed, 'poisoned') FROM poisoned WHERE id = ?1",
                [&id],
                |row| row.get(0),
            )?;
            (original, false)
        }
        "poisoned" => return Ok(false),
        _ => {
            tx.execute(
                "INSERT INTO poisoned (id, sealed, noted_at, why)
                 VALUES (?1, seal(?2, 'poisoned'), ?3, seal(?4, 'poisoned'))",
                params![id, bytes, now.0, why],
            )?;
            let fits = bytes.len() + WRAPPER_BYTES + why.len() <= BODY_BYTES_MAX;
            (bytes, fits)
        }
    };
    let record_id = uuid::Uuid::from_slice(&id).map_err(|_| damaged("an id has another length"))?;
    let hash = record_hash(&original);
    let wrapper = Unreadable { id: record_id, why, hash: &hash.0, bytes: if keep { &original } else { &[] } };
    let bytes = rmp_serde::to_vec_named(&wrapper)?;
    let kind = if keep { "unreadable" } else { "poisoned" };
    tx.execute(
        "UPDATE record SET sealed = seal(?1, 'record'), hash = ?2, kind = ?3 WHERE rowid = ?4",
        params![bytes, record_hash(&bytes).0, kind, rowid],
    )?;
    rechain(tx, stream.gen_, lane, number)?;
    Ok(true)
}

/// Computes the chain anew from a number on.
fn rechain(tx: &Connection, gen_: i64, lane: Lane, from: u64) -> Result<(), JournalError> {
    if !is_ordered(lane) {
        return Ok(());
    }
    let mut chain = chain_at(tx, gen_, lane, from - 1)?.ok_or_else(|| damaged("a record is missing"))?;
    let mut at = from;
    let mut page = tx.prepare_cached(
        "SELECT rowid, hash FROM record WHERE gen = ?1 AND lane = ?2 AND number >= ?3 ORDER BY number LIMIT ?4",
    )?;
    let mut step = tx.prepare_cached("UPDATE record SET chain = ?1 WHERE rowid = ?2")?;
    loop {
        let span = params![gen_, lanes::code(lane), at.cast_signed(), RECHAIN_PAGE];
        let found: Vec<(i64, Vec<u8>)> =
            page.query_map(span, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        if found.is_empty() {
            break;
        }
        at += found.len() as u64;
        for (rowid, hash) in found {
            chain = chain.after(Hash::from_slice(&hash).ok_or_else(|| damaged("a hash has another length"))?);
            step.execute(params![chain.0, rowid])?;
        }
    }
    let mut row = lanes::read(tx, gen_, lane)?;
    row.chain = chain;
    lanes::write(tx, gen_, lane, &row)
}
