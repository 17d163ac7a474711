//! What the server holds, checked against our own hashes before it counts; and new numberings.

use linewatch_shared::facts::Lane;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Chain, Hash, Held, Range, RangeSet, RangeSum};
use rusqlite::{Connection, params};

use super::JournalError;
use super::lanes::{self, LaneRow, Stream, damaged, is_ordered, read_sum};
use super::records::chain_at;

/// The most ranges in an answer.
pub const RANGES_MAX: usize = 64;
/// Rows moved to a new numbering in one step.
const RENUMBER_PAGE: i64 = 1_000;

/// What an answer of the server came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It agrees with our hashes and is noted.
    Accepted,
    /// It speaks of an epoch that is no longer in use: of no consequence.
    Stale,
    /// The server holds other records under our numbers: this journal was copied or restored.
    Fork(String),
    /// The server lacks records that were pruned here after it had acknowledged them.
    Hole {
        /// The first number that nobody can send any more.
        first: u64,
        /// The last one.
        last: u64,
    },
}

/// Which records get new numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// Those of the stream in use that are not known to be stored.
    Unheld,
    /// All that are still here: the server has lost what it acknowledged.
    Everything,
}

/// Checks what the server says it holds of a lane, and notes it where it is right.
pub fn accept(tx: &Connection, epoch: u64, lane: Lane, held: &Held) -> Result<Verdict, JournalError> {
    let stream = lanes::require(tx)?;
    if stream.epoch != epoch {
        return Ok(Verdict::Stale);
    }
    let row = lanes::read(tx, stream.gen_, lane)?;
    match held {
        Held::Upto { last, chain } if is_ordered(lane) => upto(tx, stream.gen_, lane, &row, *last, *chain),
        Held::Ranges(set) if !is_ordered(lane) => ranges(tx, stream.gen_, lane, &row, set),
        _ => Err(JournalError::Damaged(format!("an answer of the wrong kind for lane {}", lane.name()))),
    }
}

fn upto(
    tx: &Connection,
    gen_: i64,
    lane: Lane,
    row: &LaneRow,
    last: u64,
    chain: Chain,
) -> Result<Verdict, JournalError> {
    if last > row.last {
        return Ok(Verdict::Fork(format!("the server holds {last} records, this journal has {}", row.last)));
    }
    if last < row.pruned {
        return Ok(Verdict::Hole { first: last + 1, last: row.pruned });
    }
    let own = chain_at(tx, gen_, lane, last)?.ok_or_else(|| damaged("a record is missing"))?;
    if own != chain {
        return Ok(Verdict::Fork(format!("another chain at number {last}")));
    }
    let whole = (last > 0).then_some(Range { first: 1, last, sum: RangeSum(0) });
    replace(tx, gen_, lane, whole.as_slice())?;
    Ok(Verdict::Accepted)
}

fn ranges(
    tx: &Connection,
    gen_: i64,
    lane: Lane,
    row: &LaneRow,
    set: &RangeSet,
) -> Result<Verdict, JournalError> {
    let known = held(tx, gen_, lane)?;
    // Ranges come from outside: sorted and made disjoint before they are believed.
    let set = RangeSet::from_ranges(set.ranges().to_vec());
    let prefix = set.ranges().first().filter(|range| range.first == 1).map_or(0, |range| range.last);
    if prefix < row.pruned {
        return Ok(Verdict::Hole { first: prefix + 1, last: row.pruned });
    }
    for range in set.ranges() {
        if range.first == 0 || range.last < range.first || range.last > row.last {
            let Range { first, last, .. } = range;
            let text = format!("the server holds {first} to {last}, this journal has {}", row.last);
            return Ok(Verdict::Fork(text));
        }
        if sum_of(tx, gen_, lane, row, &known, range)? != range.sum {
            return Ok(Verdict::Fork(format!("another sum over {} to {}", range.first, range.last)));
        }
    }
    replace(tx, gen_, lane, set.ranges())?;
    Ok(Verdict::Accepted)
}

/// The sum of our own records in a range that does not end inside what was pruned.
fn sum_of(
    tx: &Connection,
    gen_: i64,
    lane: Lane,
    row: &LaneRow,
    known: &[Range],
    range: &Range,
) -> Result<RangeSum, JournalError> {
    let (mut at, mut sum) = (range.first, RangeSum(0));
    // What was checked before need not be hashed again.
    for part in known.iter().filter(|part| part.first >= range.first && part.last <= range.last) {
        if part.first > at {
            sum = sum.plus(rows_sum(tx, gen_, lane, row, at, part.first - 1)?);
        }
        sum = sum.plus(part.sum);
        at = part.last + 1;
    }
    if at <= range.last {
        sum = sum.plus(rows_sum(tx, gen_, lane, row, at, range.last)?);
    }
    Ok(sum)
}

fn rows_sum(
    tx: &Connection,
    gen_: i64,
    lane: Lane,
    row: &LaneRow,
    first: u64,
    last: u64,
) -> Result<RangeSum, JournalError> {
    let (mut sum, mut at) = (RangeSum(0), first);
    if first <= row.pruned {
        (sum, at) = (row.pruned_sum, row.pruned + 1);
    }
    let mut statement = tx.prepare_cached(
        "SELECT number, hash FROM record WHERE gen = ?1 AND lane = ?2 AND number BETWEEN ?3 AND ?4 ORDER BY number",
    )?;
    let mut rows = statement.query(params![gen_, lanes::code(lane), at.cast_signed(), last.cast_signed()])?;
    while let Some(found) = rows.next()? {
        let (number, hash): (i64, Vec<u8>) = (found.get(0)?, found.get(1)?);
        let hash = Hash::from_slice(&hash).ok_or_else(|| damaged("a hash has another length"))?;
        if number.cast_unsigned() != at {
            break;
        }
        sum = sum.plus(RangeSum::of(at, hash));
        at += 1;
    }
    if at == last + 1 { Ok(sum) } else { Err(damaged("a record is missing")) }
}

/// Whether the server no longer has what it once acknowledged: it went back without saying so.
pub fn has_lost(db: &Connection, epoch: u64, lane: Lane, said: &Held) -> Result<bool, JournalError> {
    let stream = lanes::require(db)?;
    if stream.epoch != epoch {
        return Ok(false);
    }
    let known = held(db, stream.gen_, lane)?;
    Ok(match said {
        Held::Upto { last, .. } => known.last().is_some_and(|range| range.last > *last),
        Held::Ranges(set) => {
            let within = |range: &Range| {
                set.ranges().iter().any(|said| said.first <= range.first && said.last >= range.last)
            };
            // Beyond a full list there may be more that it holds.
            let end = set.ranges().last().filter(|_| set.ranges().len() >= RANGES_MAX);
            let listed = |range: &&Range| end.is_none_or(|end| range.last <= end.last);
            known.iter().filter(listed).any(|range| !within(range))
        }
    })
}

/// What the server is known to hold of a lane: disjoint, rising.
pub(super) fn held(db: &Connection, gen_: i64, lane: Lane) -> Result<Vec<Range>, JournalError> {
    let mut statement =
        db.prepare_cached("SELECT first, last, sum FROM held WHERE gen = ?1 AND lane = ?2 ORDER BY first")?;
    let mut rows = statement.query(params![gen_, lanes::code(lane)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (first, last, sum): (i64, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.push(Range { first: first.cast_unsigned(), last: last.cast_unsigned(), sum: read_sum(&sum)? });
    }
    Ok(found)
}

fn replace(tx: &Connection, gen_: i64, lane: Lane, ranges: &[Range]) -> Result<(), JournalError> {
    let code = lanes::code(lane);
    tx.prepare_cached("DELETE FROM held WHERE gen = ?1 AND lane = ?2")?.execute(params![gen_, code])?;
    let mut statement =
        tx.prepare_cached("INSERT INTO held (gen, lane, first, last, sum) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for range in ranges {
        let (first, last) = (range.first.cast_signed(), range.last.cast_signed());
        statement.execute(params![gen_, code, first, last, range.sum.0.to_be_bytes()])?;
    }
    Ok(())
}

/// The server is another one than before, or went back: nothing counts as acknowledged until it says so
/// again, and what older numberings hold is numbered anew at the end of the one in use.
pub fn forget(tx: &Connection) -> Result<(), JournalError> {
    let stream = lanes::require(tx)?;
    tx.execute("DELETE FROM held", [])?;
    for lane in Lane::ALL {
        renumber(tx, lane, stream.gen_ - 1, stream.gen_, false)?;
    }
    Ok(())
}

/// Begins a new epoch; record ids are kept, numbers and chains are not.
pub fn new_epoch(tx: &Connection, resend: Resend, why: &str, now: UnixMs) -> Result<Stream, JournalError> {
    let old = lanes::require(tx)?;
    let new = lanes::begin(tx, why, now)?;
    if resend == Resend::Everything {
        tx.execute("DELETE FROM held", [])?;
    }
    for lane in Lane::ALL {
        renumber(tx, lane, old.gen_, new.gen_, resend == Resend::Unheld)?;
    }
    Ok(new)
}

/// Moves the records of generations up to `from` to the end of `to`.
fn renumber(tx: &Connection, lane: Lane, from: i64, to: i64, unheld_only: bool) -> Result<(), JournalError> {
    let mut row = lanes::read(tx, to, lane)?;
    let mut page = tx.prepare_cached(
        "SELECT r.gen, r.number, r.rowid, r.hash FROM record r
         WHERE r.lane = ?1 AND r.gen <= ?2 AND (r.gen, r.number) > (?3, ?4)
           AND NOT (?5 AND EXISTS (SELECT 1 FROM held h WHERE h.gen = r.gen AND h.lane = r.lane
                AND r.number BETWEEN h.first AND h.last))
         ORDER BY r.gen, r.number LIMIT ?6",
    )?;
    let mut step =
        tx.prepare_cached("UPDATE record SET gen = ?1, number = ?2, chain = ?3 WHERE rowid = ?4")?;
    let mut after = (0_i64, 0_i64);
    loop {
        type Raw = (i64, i64, i64, Vec<u8>);
        let span = params![lanes::code(lane), from, after.0, after.1, unheld_only, RENUMBER_PAGE];
        let found: Vec<Raw> = page
            .query_map(span, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<Result<_, _>>()?;
        let Some((gen_, number, _, _)) = found.last() else { break };
        after = (*gen_, *number);
        for (_, _, rowid, hash) in &found {
            let hash = Hash::from_slice(hash).ok_or_else(|| damaged("a hash has another length"))?;
            row.last += 1;
            let mut chain: &[u8] = &[];
            if is_ordered(lane) {
                row.chain = row.chain.after(hash);
                chain = &row.chain.0;
            }
            step.execute(params![to, row.last.cast_signed(), chain, rowid])?;
        }
    }
    lanes::write(tx, to, lane, &row)
}
