//! Records in and out of the tables. Numbers are given here, inside the caller's transaction.

use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Body, Lane, Record};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{BODY_BYTES_MAX, Chain, Hash, record_hash};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::JournalError;
use super::lanes::{self, damaged, is_ordered};

/// A record's bytes with what the journal must know of them.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The lane in which it travels.
    pub lane: Lane,
    /// The record's id.
    pub id: Uuid,
    /// A word for listings: the kind of its body.
    pub kind: &'static str,
    /// When it was written down, by the device's wall clock.
    pub written_at: UnixMs,
    /// What is hashed and sent.
    pub bytes: Vec<u8>,
    /// The line's new state, where that is what the record says.
    pub line_state: Option<LineMark>,
}

/// A line's state, for `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineMark {
    /// The line's code.
    pub line: String,
    /// The state's name.
    pub state: String,
    /// From when on.
    pub since_at: UnixMs,
}

/// The name under which a body is listed.
#[must_use]
pub const fn kind_of(body: &Body) -> &'static str {
    match body {
        Body::Line(_) => "line",
        Body::Report(_) => "report",
        Body::Step(_) => "step",
        Body::Clock(_) => "clock",
        Body::Health(_) => "health",
        Body::Minute(_) => "minute",
        Body::Visit(_) => "visit",
        Body::Opened(_) => "opened",
        Body::Deed(_) => "deed",
        Body::Diagnosis(_) => "diagnosis",
        Body::Tombstone => "tombstone",
    }
}

/// The name under which a line's state is listed.
#[must_use]
pub const fn state_name(state: LineState) -> &'static str {
    match state {
        LineState::Up => "up",
        LineState::Down => "down",
        LineState::Degraded => "degraded",
        LineState::Unknown => "unknown",
    }
}

impl Entry {
    /// Encodes a record.
    ///
    /// # Errors
    /// When it is longer than [`BODY_BYTES_MAX`].
    pub fn new(record: &Record) -> Result<Self, JournalError> {
        let bytes = record.to_bytes()?;
        if bytes.len() > BODY_BYTES_MAX {
            return Err(JournalError::TooLong(bytes.len()));
        }
        let line_state = match &record.body {
            Body::Line(change) => Some(LineMark {
                line: change.line.clone(),
                state: state_name(change.state).to_owned(),
                since_at: record.occurred.raw(),
            }),
            _ => None,
        };
        let (lane, kind) = (record.body.lane(), kind_of(&record.body));
        Ok(Self { lane, id: record.id, kind, written_at: record.written.wall, bytes, line_state })
    }
}

/// Appends entries to the stream in use. An id that is already there is skipped.
///
/// Returns how many were new.
pub(super) fn append(tx: &Connection, entries: &[Entry]) -> Result<usize, JournalError> {
    let gen_ = lanes::require(tx)?.gen_;
    let mut added = 0;
    for lane in Lane::ALL {
        let mut row = None;
        for entry in entries.iter().filter(|entry| entry.lane == lane) {
            if contains(tx, entry.id)? {
                continue;
            }
            let state = match &mut row {
                Some(state) => state,
                None => row.insert(lanes::read(tx, gen_, lane)?),
            };
            let hash = record_hash(&entry.bytes);
            state.last += 1;
            if is_ordered(lane) {
                state.chain = state.chain.after(hash);
            }
            insert(tx, gen_, state.last, entry, hash, state.chain)?;
            added += 1;
        }
        if let Some(state) = row {
            lanes::write(tx, gen_, lane, &state)?;
        }
    }
    Ok(added)
}

fn insert(
    tx: &Connection,
    gen_: i64,
    number: u64,
    entry: &Entry,
    hash: Hash,
    chain: Chain,
) -> Result<(), JournalError> {
    let chain: &[u8] = if is_ordered(entry.lane) { &chain.0 } else { &[] };
    tx.prepare_cached(
        "INSERT INTO record (gen, lane, number, id, kind, written_at, hash, chain, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, seal(?9, 'record'))",
    )?
    .execute(params![
        gen_,
        lanes::code(entry.lane),
        number.cast_signed(),
        entry.id.as_bytes(),
        entry.kind,
        entry.written_at.0,
        hash.0,
        chain,
        entry.bytes,
    ])?;
    if let Some(mark) = &entry.line_state {
        tx.prepare_cached(
            "INSERT INTO line_state (line, state, since_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (line) DO UPDATE SET state = ?2, since_at = ?3 WHERE since_at <= ?3",
        )?
        .execute(params![mark.line, mark.state, mark.since_at.0])?;
    }
    Ok(())
}

/// Whether a record is in the journal, in any stream.
pub fn contains(db: &Connection, id: Uuid) -> Result<bool, JournalError> {
    Ok(db.prepare_cached("SELECT 1 FROM record WHERE id = ?1")?.exists([id.as_bytes()])?)
}

/// The states that lines were last journalled in, by code.
pub fn line_marks(db: &Connection) -> Result<Vec<LineMark>, JournalError> {
    let mut statement = db.prepare_cached("SELECT line, state, since_at FROM line_state ORDER BY line")?;
    let rows = statement.query_map([], |row| {
        Ok(LineMark { line: row.get(0)?, state: row.get(1)?, since_at: UnixMs(row.get(2)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Records of one batch, as they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The journal's epoch.
    pub epoch: u64,
    /// The lane.
    pub lane: Lane,
    /// The number of the first body.
    pub first: u64,
    /// The chain before the first body ([`Chain::START`] in the summary lane).
    pub chain: Chain,
    /// The bodies, with rising numbers and no gaps.
    pub bodies: Vec<Vec<u8>>,
}

/// Which records to read for a batch, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The lane.
    pub lane: Lane,
    /// The first number wanted.
    pub first: u64,
    /// The last number wanted.
    pub last: u64,
    /// Whether to begin at `last` when not all fit.
    pub newest_first: bool,
    /// The most records.
    pub most_records: usize,
    /// The most bytes; one record always fits.
    pub most_bytes: usize,
}

/// Reads consecutive records of the stream in use, within the bounds; none when there are none.
pub fn slice(db: &Connection, wanted: &Wanted) -> Result<Option<Slice>, JournalError> {
    let stream = lanes::require(db)?;
    let order = if wanted.newest_first { "DESC" } else { "ASC" };
    let mut statement = db.prepare_cached(&format!(
        "SELECT number, unseal(sealed, 'record') FROM record WHERE gen = ?1 AND lane = ?2 AND number BETWEEN ?3 AND ?4
         ORDER BY number {order}"
    ))?;
    let lane = lanes::code(wanted.lane);
    let span = params![stream.gen_, lane, wanted.first.cast_signed(), wanted.last.cast_signed()];
    let mut rows = statement.query(span)?;
    let (mut bodies, mut bytes_sum, mut end): (Vec<Vec<u8>>, usize, Option<u64>) = (Vec::new(), 0, None);
    while let Some(row) = rows.next()? {
        let number = row.get::<_, i64>(0)?.cast_unsigned();
        let expected = end.map(|end| if wanted.newest_first { end - 1 } else { end + 1 });
        if expected.is_some_and(|expected| expected != number) || bodies.len() == wanted.most_records {
            break;
        }
        let bytes: Vec<u8> = row.get(1)?;
        // Each body has a length prefix of four bytes.
        bytes_sum += bytes.len() + 4;
        if !bodies.is_empty() && bytes_sum > wanted.most_bytes {
            break;
        }
        bodies.push(bytes);
        end = Some(number);
    }
    let Some(end) = end else { return Ok(None) };
    let first = if wanted.newest_first {
        bodies.reverse();
        end
    } else {
        end + 1 - bodies.len() as u64
    };
    let chain = chain_before(db, stream.gen_, wanted.lane, first)?;
    Ok(Some(Slice { epoch: stream.epoch, lane: wanted.lane, first, chain, bodies }))
}

fn chain_before(db: &Connection, gen_: i64, lane: Lane, first: u64) -> Result<Chain, JournalError> {
    if !is_ordered(lane) {
        return Ok(Chain::START);
    }
    chain_at(db, gen_, lane, first - 1)?.ok_or_else(|| damaged("the record before a batch is missing"))
}

/// The chain after a number of an ordered lane; none when the number is not there (any more, or yet).
pub(super) fn chain_at(
    db: &Connection,
    gen_: i64,
    lane: Lane,
    number: u64,
) -> Result<Option<Chain>, JournalError> {
    let row = lanes::read(db, gen_, lane)?;
    if number == row.pruned {
        return Ok(Some(row.pruned_chain));
    }
    let chain: Option<Vec<u8>> = db
        .prepare_cached("SELECT chain FROM record WHERE gen = ?1 AND lane = ?2 AND number = ?3")?
        .query_row(params![gen_, lanes::code(lane), number.cast_signed()], |row| row.get(0))
        .optional()?;
    chain
        .map(|chain| Chain::from_slice(&chain).ok_or_else(|| damaged("a chain has another length")))
        .transpose()
}

/// A stored record, for listings.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The record's id.
    pub id: Uuid,
    /// What was stored.
    pub bytes: Vec<u8>,
    /// Whether the server has acknowledged it.
    pub acked: bool,
}

/// The records of some kinds, oldest id first, `most` at most (the newest ones).
pub fn of_kinds(db: &Connection, kinds: &[&str], most: usize) -> Result<Vec<Stored>, JournalError> {
    let places: Vec<String> = (1..=kinds.len()).map(|n| format!("?{n}")).collect();
    let sql = format!(
        "SELECT r.id, unseal(r.sealed, 'record'), EXISTS (SELECT 1 FROM held h WHERE h.gen = r.gen AND h.lane = r.lane
             AND r.number BETWEEN h.first AND h.last)
         FROM record r WHERE r.kind IN ({}) ORDER BY r.id DESC LIMIT {most}",
        places.join(", ")
    );
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(kinds))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: Vec<u8> = row.get(0)?;
        let id = Uuid::from_slice(&id).map_err(|_| damaged("an id has another length"))?;
        found.push(Stored { id, bytes: row.get(1)?, acked: row.get(2)? });
    }
    found.reverse();
    Ok(found)
}

/// A record of this journal, in any stream.
pub fn one(db: &Connection, id: Uuid) -> Result<Option<Stored>, JournalError> {
    let mut statement = db.prepare_cached(
        "SELECT unseal(r.sealed, 'record'), EXISTS (SELECT 1 FROM held h WHERE h.gen = r.gen AND h.lane = r.lane
             AND r.number BETWEEN h.first AND h.last)
         FROM record r WHERE r.id = ?1",
    )?;
    let found =
        statement.query_row([id.as_bytes()], |row| Ok(Stored { id, bytes: row.get(0)?, acked: row.get(1)? }));
    Ok(found.optional()?)
}
