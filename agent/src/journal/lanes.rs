//! The stream in use and the state of its lanes.

use linewatch_shared::facts::Lane;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Chain, RangeSum};
use rusqlite::{Connection, OptionalExtension, params};

use super::JournalError;

/// The number of a lane in the tables.
pub(super) const fn code(lane: Lane) -> i64 {
    match lane {
        Lane::Fault => 1,
        Lane::Desk => 2,
        Lane::Summary => 3,
    }
}

/// Whether a lane is numbered and sent in order, with a chain.
#[must_use]
pub const fn is_ordered(lane: Lane) -> bool {
    !matches!(lane, Lane::Summary)
}

/// The numbering in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Rises with each new epoch.
    pub gen_: i64,
    /// The protocol's epoch.
    pub epoch: u64,
}

/// How far a lane has been written, and what is gone from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LaneRow {
    pub last: u64,
    pub chain: Chain,
    pub pruned: u64,
    pub pruned_chain: Chain,
    pub pruned_sum: RangeSum,
}

impl LaneRow {
    const EMPTY: Self =
        Self { last: 0, chain: Chain::START, pruned: 0, pruned_chain: Chain::START, pruned_sum: RangeSum(0) };
}

pub(super) fn damaged(what: &str) -> JournalError {
    JournalError::Damaged(what.to_owned())
}

pub(super) fn read_sum(bytes: &[u8]) -> Result<RangeSum, JournalError> {
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| damaged("a sum has another length"))?;
    Ok(RangeSum(u128::from_be_bytes(bytes)))
}

/// The newest stream; none in a database that was never opened for writing.
pub fn current(db: &Connection) -> Result<Option<Stream>, JournalError> {
    let row = db
        .prepare_cached("SELECT gen, epoch FROM stream ORDER BY gen DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    Ok(row.map(|(gen_, epoch)| Stream { gen_, epoch: epoch.cast_unsigned() }))
}

/// The newest stream of an opened journal.
pub fn require(db: &Connection) -> Result<Stream, JournalError> {
    current(db)?.ok_or_else(|| damaged("it has no stream"))
}

/// Begins a new numbering.
pub(super) fn begin(tx: &Connection, why: &str, now: UnixMs) -> Result<Stream, JournalError> {
    let epoch = random_epoch()?;
    tx.execute(
        "INSERT INTO stream (epoch, opened_at, why) VALUES (?1, ?2, ?3)",
        params![epoch.cast_signed(), now.0, why],
    )?;
    Ok(Stream { gen_: tx.last_insert_rowid(), epoch })
}

fn random_epoch() -> Result<u64, JournalError> {
    getrandom::u64().map_err(|e| JournalError::Damaged(format!("no random numbers: {e}")))
}

pub(super) fn read(db: &Connection, gen_: i64, lane: Lane) -> Result<LaneRow, JournalError> {
    type Raw = (i64, Vec<u8>, i64, Vec<u8>, Vec<u8>);
    let raw: Option<Raw> = db
        .prepare_cached(
            "SELECT last, chain, pruned, pruned_chain, pruned_sum FROM lane WHERE gen = ?1 AND lane = ?2",
        )?
        .query_row(params![gen_, code(lane)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    let Some((last, chain, pruned, pruned_chain, pruned_sum)) = raw else { return Ok(LaneRow::EMPTY) };
    Ok(LaneRow {
        last: last.cast_unsigned(),
        chain: Chain::from_slice(&chain).ok_or_else(|| damaged("a chain has another length"))?,
        pruned: pruned.cast_unsigned(),
        pruned_chain: Chain::from_slice(&pruned_chain)
            .ok_or_else(|| damaged("a chain has another length"))?,
        pruned_sum: read_sum(&pruned_sum)?,
    })
}

pub(super) fn write(tx: &Connection, gen_: i64, lane: Lane, row: &LaneRow) -> Result<(), JournalError> {
    tx.prepare_cached(
        "INSERT INTO lane (gen, lane, last, chain, pruned, pruned_chain, pruned_sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (gen, lane) DO UPDATE SET last = ?3, chain = ?4, pruned = ?5, pruned_chain = ?6, pruned_sum = ?7",
    )?
    .execute(params![
        gen_,
        code(lane),
        row.last.cast_signed(),
        row.chain.0,
        row.pruned.cast_signed(),
        row.pruned_chain.0,
        row.pruned_sum.0.to_be_bytes(),
    ])?;
    Ok(())
}
