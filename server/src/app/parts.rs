//! Photos and signatures follow their reports in chunks. Each chunk is durable before it is acknowledged; what turns out
//! not to be what its name says is thrown away. Nothing is taken that no report of the sender's names.

use linewatch_shared::facts::{
    CAPTION_CHARS_MAX, CHUNK_BYTES_MAX, Media, PART_BYTES_MAX, PARTS_MAX, Part, VISIT_ITEMS_MAX,
};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Chunk, Hash, PartHeld, record_hash};
use serde_json::json;
use uuid::Uuid;

use crate::db::{DbError, Tx};
use crate::store::outgoing::{EventKind, NewEvent, append_events};
use crate::store::parts::{self, ERASED, NamedPart, Naming, PartState, StoredPart};

/// Bytes that came whole and wrong so often are not wanted any more.
pub const FAILURES_MAX: i64 = 3;
/// A chunk that is not the last has at least so many bytes, so that a part is of few rows.
pub const CHUNK_BYTES_MIN: usize = 1024;
/// The most reports that are looked at when a part has become whole.
const REPORTS_MAX: i64 = 500;
/// How many bytes say how the rest is to be read.
const MAGIC_BYTES: usize = 8;

/// Keeps the parts that a report names. What breaks a bound is kept with the reason, and not wanted.
///
/// # Errors
/// The database's.
pub(in crate::app) fn name(
    tx: &mut Tx<'_>,
    naming: &Naming<'_>,
    parts: &[Part],
    is_erased: bool,
) -> Result<(), DbError> {
    let mut named = Vec::with_capacity(parts.len().min(VISIT_ITEMS_MAX));
    for (n, part) in parts.iter().take(VISIT_ITEMS_MAX).enumerate() {
        let why = if is_erased {
            Some(ERASED.to_owned())
        } else if n >= PARTS_MAX {
            Some(format!("a report has at most {PARTS_MAX} parts"))
        } else if part.bytes == 0 || part.bytes > PART_BYTES_MAX {
            Some(format!("a part has 1 to {PART_BYTES_MAX} bytes"))
        } else {
            parts::want(tx, part)?;
            let known = parts::one(tx, part.sha256)?;
            let differs = known.is_some_and(|known| (known.media, known.bytes) != (part.media, part.bytes));
            differs.then(|| "it was named before with another length or as another kind of image".to_owned())
        };
        let caption = part.caption.chars().take(CAPTION_CHARS_MAX).collect();
        named.push(NamedPart { part: Part { caption, ..part.clone() }, why });
    }
    parts::insert_named(tx, naming, &named)
}

/// How much of a part is held, for an agent.
///
/// # Errors
/// The database's.
pub fn held(tx: &mut Tx<'_>, agent: Uuid, part: Hash) -> Result<PartHeld, DbError> {
    match parts::named_by(tx, agent, part)? {
        // What was erased is never asked for again: the sender may forget it too.
        Some(Some(why)) if why == ERASED => Ok(PartHeld::Whole),
        None | Some(Some(_)) => Ok(PartHeld::Unknown),
        Some(None) => Ok(parts::one(tx, part)?.map_or(PartHeld::Unknown, |known| shown(&known))),
    }
}

const fn shown(part: &StoredPart) -> PartHeld {
    match part.state {
        PartState::Whole => PartHeld::Whole,
        PartState::Wanted => PartHeld::Upto(part.held),
        PartState::Bad => PartHeld::Unknown,
    }
}

/// Why a chunk is refused.
#[must_use]
pub fn mistake_in(chunk: &Chunk) -> Option<String> {
    let of = chunk.bytes.len();
    (of == 0 || of > CHUNK_BYTES_MAX).then(|| format!("a chunk has 1 to {CHUNK_BYTES_MAX} bytes, not {of}"))
}

/// Takes a chunk in, and answers how much is held then.
///
/// # Errors
/// The database's; nothing is kept then.
pub fn take(tx: &mut Tx<'_>, agent: Uuid, chunk: &Chunk, now: UnixMs) -> Result<PartHeld, DbError> {
    tx.lock(&[parts::lock_key(chunk.part)])?;
    let found = held(tx, agent, chunk.part)?;
    let (PartHeld::Upto(held), Some(known)) = (found, parts::one(tx, chunk.part)?) else { return Ok(found) };
    let end = held + chunk.bytes.len() as u64;
    if chunk.at != held || (chunk.bytes.len() < CHUNK_BYTES_MIN && end < known.bytes) {
        return Ok(found);
    }
    let begins_wrong = held == 0 && !begins_as(&chunk.bytes, known.media);
    if end > known.bytes || begins_wrong {
        return throw_away(tx, chunk.part, &known);
    }
    parts::insert_chunk(tx, chunk.part, chunk.at, &chunk.bytes)?;
    if end < known.bytes {
        return Ok(PartHeld::Upto(end));
    }
    if record_hash(&parts::bytes(tx, chunk.part)?) != chunk.part {
        return throw_away(tx, chunk.part, &known);
    }
    parts::set_whole(tx, chunk.part)?;
    tell_complete(tx, chunk.part, now)?;
    Ok(PartHeld::Whole)
}

/// The first chunk is shorter than what says how it is to be read only where the whole part is.
fn begins_as(bytes: &[u8], media: Media) -> bool {
    Media::of(&bytes[..bytes.len().min(MAGIC_BYTES)]) == Some(media)
}

fn throw_away(tx: &mut Tx<'_>, part: Hash, known: &StoredPart) -> Result<PartHeld, DbError> {
    let failures = known.failures + 1;
    let state = if failures >= FAILURES_MAX { PartState::Bad } else { PartState::Wanted };
    parts::forget_bytes(tx, part, state, failures)?;
    tracing::warn!(part = %hex::encode(part.0), failures, "the bytes of a part were not what its name says");
    Ok(PartHeld::Upto(0))
}

/// Tells the boards of reports of which nothing is missing any more.
fn tell_complete(tx: &mut Tx<'_>, part: Hash, now: UnixMs) -> Result<(), DbError> {
    let reports = parts::reports_naming(tx, part, REPORTS_MAX)?;
    let counts = parts::counts(tx, &reports)?;
    let complete = reports.iter().filter(|id| counts.get(id).is_some_and(|(total, whole)| total == whole));
    let events: Vec<NewEvent> = complete.map(|id| event(*id, true)).collect();
    append_events(tx, &events, now)
}

/// What boards are told of a visit report.
#[must_use]
pub(in crate::app) fn event(report: Uuid, complete: bool) -> NewEvent {
    let body = json!({ "visit": report, "complete": complete });
    NewEvent { kind: EventKind::Visit, subject: Some(report), body: body.to_string() }
}
