//! Making room: pruning what the server has had for long, thinning summaries on a full disk.
//!
//! Faults and visits are never dropped. Summaries that the server holds go first, then the oldest
//! unsent ones, each leaving a tombstone under its number so that the lane stays without gaps.

use std::fs::{self, File};
use std::path::Path;

use linewatch_shared::facts::{Body, Lane, Record, When};
use linewatch_shared::time::{DAY_MS, UnixMs};
use linewatch_shared::wire::{Chain, Hash, RangeSum, record_hash};
use rusqlite::{Connection, TransactionBehavior, params};

use super::lanes::{self, damaged, is_ordered};
use super::{JournalError, Scribe, acks};

/// Acknowledged records are kept this long, so that a server put back from a backup can be sent them again.
pub const KEEP_MS: i64 = 30 * DAY_MS;
/// Records pruned in one transaction and lane.
const PRUNE_PAGE: u64 = 2_000;
/// Unsent summaries given up at a time.
const THIN_PAGE: i64 = 500;
/// Kept aside so that a full disk can still be written to while room is made.
const RESERVE_BYTES: u64 = 8 << 20;

/// Prunes a bounded number of records that the server acknowledged, written before `before`.
///
/// Returns how many went; call again while that is not zero.
pub fn prune(tx: &Connection, before: UnixMs, lanes_to_prune: &[Lane]) -> Result<u64, JournalError> {
    let stream = lanes::require(tx)?;
    let mut gone = 0;
    for lane in lanes_to_prune {
        gone += prune_lane(tx, stream.gen_, *lane, before)?;
        gone += tx.execute(
            "DELETE FROM record WHERE rowid IN (SELECT r.rowid FROM record r JOIN held h
                 ON h.gen = r.gen AND h.lane = r.lane AND r.number BETWEEN h.first AND h.last
              WHERE r.gen < ?1 AND r.lane = ?2 AND r.written_at < ?3 LIMIT ?4)",
            params![stream.gen_, lanes::code(*lane), before.0, PRUNE_PAGE.cast_signed()],
        )? as u64;
    }
    Ok(gone)
}

fn prune_lane(tx: &Connection, gen_: i64, lane: Lane, before: UnixMs) -> Result<u64, JournalError> {
    let mut row = lanes::read(tx, gen_, lane)?;
    let held = acks::held(tx, gen_, lane)?;
    let held_prefix = held.first().filter(|range| range.first == 1).map_or(0, |range| range.last);
    let most = held_prefix.min(row.pruned + PRUNE_PAGE);
    let (mut sum, mut end, mut chain) = (row.pruned_sum, row.pruned, row.pruned_chain);
    let mut statement = tx.prepare_cached(
        "SELECT number, written_at, hash, chain FROM record
         WHERE gen = ?1 AND lane = ?2 AND number > ?3 AND number <= ?4 ORDER BY number",
    )?;
    let code = lanes::code(lane);
    let mut rows = statement.query(params![gen_, code, row.pruned.cast_signed(), most.cast_signed()])?;
    while let Some(found) = rows.next()? {
        if found.get::<_, i64>(1)? >= before.0 {
            break;
        }
        let (hash, link): (Vec<u8>, Vec<u8>) = (found.get(2)?, found.get(3)?);
        end = found.get::<_, i64>(0)?.cast_unsigned();
        if is_ordered(lane) {
            chain = Chain::from_slice(&link).ok_or_else(|| damaged("a chain has another length"))?;
        } else {
            let hash = Hash::from_slice(&hash).ok_or_else(|| damaged("a hash has another length"))?;
            sum = sum.plus(RangeSum::of(end, hash));
        }
    }
    let gone = end - row.pruned;
    if gone > 0 {
        tx.execute(
            "DELETE FROM record WHERE gen = ?1 AND lane = ?2 AND number <= ?3",
            params![gen_, code, end.cast_signed()],
        )?;
        (row.pruned, row.pruned_chain, row.pruned_sum) = (end, chain, sum);
        lanes::write(tx, gen_, lane, &row)?;
    }
    Ok(gone)
}

/// Makes room on a full disk.
pub(super) fn make(db: &mut Connection, reserve: &Path, scribe: &Scribe) -> Result<(), JournalError> {
    // The reserve's room is used up by this very transaction and by what follows it.
    let is_freed = fs::remove_file(reserve).is_ok();
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut gone = prune(&tx, UnixMs::MAX, &[Lane::Summary])?;
    if gone == 0 {
        gone = thin(&tx, scribe)?;
    }
    tx.commit()?;
    tracing::warn!(
        summaries = gone,
        reserve = is_freed,
        "the disk is full: what was kept in reserve is used up, and summaries were given up"
    );
    if gone == 0 && !is_freed { Err(JournalError::DiskFull) } else { Ok(()) }
}

/// Puts the reserve file in place where there is none.
pub(super) fn reserve(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let file = File::create(path)?;
    let bytes = i64::try_from(RESERVE_BYTES).unwrap_or(i64::MAX);
    // Really allocated: a sparse file keeps no room.
    nix::fcntl::fallocate(&file, nix::fcntl::FallocateFlags::empty(), 0, bytes)
        .inspect_err(|_| _ = fs::remove_file(path))?;
    Ok(())
}

/// Gives up the oldest unsent summaries; their numbers stay.
fn thin(tx: &Connection, scribe: &Scribe) -> Result<u64, JournalError> {
    let gen_ = lanes::require(tx)?.gen_;
    let code = lanes::code(Lane::Summary);
    let mut statement = tx.prepare_cached(
        "SELECT r.rowid, unseal(r.sealed, 'record') FROM record r WHERE r.gen = ?1 AND r.lane = ?2 AND r.kind <> 'tombstone'
           AND NOT EXISTS (SELECT 1 FROM held h WHERE h.gen = r.gen AND h.lane = r.lane
               AND r.number BETWEEN h.first AND h.last)
         ORDER BY r.number LIMIT ?3",
    )?;
    let found: Vec<(i64, Vec<u8>)> = statement
        .query_map(params![gen_, code, THIN_PAGE], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let gone = found.len() as u64;
    for (rowid, bytes) in found {
        let occurred = Record::from_bytes(&bytes).map_or(When::Machine(scribe.reading()), |old| old.occurred);
        // A new id: the server may already hold the old one with its old bytes.
        let stone = scribe.record(occurred, None, Body::Tombstone);
        let bytes = stone.to_bytes()?;
        tx.execute(
            "UPDATE record SET id = ?1, kind = 'tombstone', hash = ?2, sealed = seal(?3, 'record') WHERE rowid = ?4",
            params![stone.id.as_bytes(), record_hash(&bytes).0, bytes, rowid],
        )?;
    }
    Ok(gone)
}
