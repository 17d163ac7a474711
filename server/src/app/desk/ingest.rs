//! Records of agents come in: stored raw, their facts folded, acknowledged once durable.

mod field;
mod intake;
mod look_up;
mod text;

use linewatch_shared::facts::{Lane, Record};
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use linewatch_shared::wire::{BATCH_RECORDS_MAX, Envelope, Hash, Held, record_hash};
use uuid::Uuid;

use super::Desk;
use crate::app::matters::{self, reported, taken_in};
use crate::db::{DbError, Tx};
use crate::store::agent_heads;
use crate::store::agents;
use crate::store::records::{self, Aside, AsideReason};
use crate::store::streams;
use intake::{Intake, Refusal, Stored};

/// A fact further ahead of our clock waits until its time has come (ms).
pub const AHEAD_MAX_MS: i64 = 5 * MINUTE_MS;
/// The most records of one transaction, so that it ends soon and others get their turn.
pub const RECORDS_PER_TRANSACTION_MAX: usize = BATCH_RECORDS_MAX;

/// What became of a part of a batch.
#[derive(Debug)]
pub enum Taken {
    /// Stored; the lane is held so far, and so many bodies were put aside.
    Upto(Held, u32),
    /// The agent's records are not those that the server holds: it must open a new epoch.
    Fork,
}

/// A part of a batch: bodies with their numbers in one lane.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// Who sends it.
    pub agent: Uuid,
    /// What the batch says of itself.
    pub envelope: &'a Envelope,
    /// All its bodies.
    pub bodies: &'a [Vec<u8>],
    /// Where in the batch the part begins.
    pub skip: usize,
}

/// Takes in the part of a batch that fits one transaction.
///
/// # Errors
/// The database's; nothing is stored then.
pub fn take(desk: &Desk, tx: &mut Tx<'_>, part: &Part<'_>, now: UnixMs) -> Result<Taken, DbError> {
    let Envelope { epoch, lane, .. } = *part.envelope;
    tx.lock(&[streams::lock_key(part.agent)])?;
    let mut stream = streams::load(tx, part.agent, epoch, lane)?;
    let fresh = if lane == Lane::Summary { Some(unordered(part, &stream)) } else { ordered(part, &stream) };
    let Some(fresh) = fresh else { return Ok(Taken::Fork) };
    let mut taken = if agents::turn(tx, part.agent)?.quarantined {
        keep_aside(tx, part, &fresh, now)?
    } else {
        store(tx, part, &fresh, now)?
    };
    for (number, hash, _) in &fresh {
        if lane == Lane::Summary {
            stream.ranges.insert(*number, *hash);
        } else {
            stream.last = *number;
            stream.chain = stream.chain.after(*hash);
        }
    }
    streams::save(tx, part.agent, epoch, lane, &stream)?;
    if more_follows(tx, part, &stream)? {
        taken.touched.values_mut().for_each(|touched| touched.more_follows = true);
    }
    let set_aside = taken.set_aside;
    follow(desk, tx, taken, now)?;
    Ok(Taken::Upto(stream.held(lane), set_aside))
}

/// Whether the agent has more of this lane for us: a batch that is full is followed by another, and its heartbeats say how far
/// it has written.
fn more_follows(tx: &mut Tx<'_>, part: &Part<'_>, stream: &streams::Stream) -> Result<bool, DbError> {
    let Envelope { epoch, lane, count, .. } = *part.envelope;
    if lane == Lane::Summary {
        return Ok(false);
    }
    Ok(count as usize >= BATCH_RECORDS_MAX
        || agent_heads::of_lane(tx, part.agent, epoch, lane)? > stream.last)
}

/// What follows from records once they are stored. Matters before lines, as everywhere; what is told of them comes last.
fn follow(desk: &Desk, tx: &mut Tx<'_>, mut taken: Stored, now: UnixMs) -> Result<(), DbError> {
    let nothing = taken.visits.is_empty() && taken.opened.is_empty() && taken.deeds.is_empty();
    let versions = if nothing { Vec::new() } else { desk.packs.versions(tx)? };
    let mut changed = reported::take(tx, &versions, &taken.visits, now)?;
    changed.extend(taken_in::open(tx, &versions, &taken.opened, now)?);
    changed.extend(taken_in::take_steps(tx, &versions, &taken.deeds, now)?);
    taken.agents.extend(reported::events(tx, &taken.visits)?);
    desk.settle_with(tx, &taken.touched, taken.agents, now)?;
    matters::finish(desk, tx, &changed, now)
}

type Numbered<'a> = (u64, Hash, &'a [u8]);

fn numbered<'a>(part: &'a Part<'_>) -> impl Iterator<Item = Numbered<'a>> {
    let bodies = part.bodies.iter().enumerate().skip(part.skip).take(RECORDS_PER_TRANSACTION_MAX);
    bodies.map(|(at, body)| (part.envelope.first + at as u64, record_hash(body), body.as_slice()))
}

/// The bodies after what is held, proven by the chain to follow it; none where they do not.
fn ordered<'a>(part: &'a Part<'_>, stream: &streams::Stream) -> Option<Vec<Numbered<'a>>> {
    if part.envelope.first > stream.last + 1 {
        // A gap: the answer says what is held, and the agent goes on from there.
        return Some(Vec::new());
    }
    let mut chain = part.envelope.chain;
    for (number, body) in (part.envelope.first..).zip(part.bodies) {
        if number > stream.last {
            break;
        }
        chain = chain.after(record_hash(body));
    }
    let end = part.envelope.first + part.bodies.len() as u64 - 1;
    if end >= stream.last && chain != stream.chain {
        return None;
    }
    Some(numbered(part).filter(|(number, _, _)| *number > stream.last).collect())
}

/// The bodies whose numbers are not held.
fn unordered<'a>(part: &'a Part<'_>, stream: &streams::Stream) -> Vec<Numbered<'a>> {
    numbered(part).filter(|(number, _, _)| !stream.ranges.contains(*number)).collect()
}

fn set_aside(part: &Part<'_>, (number, hash, bytes): Numbered<'_>, refusal: Refusal) -> Aside {
    Aside {
        agent: part.agent,
        epoch: part.envelope.epoch,
        lane: part.envelope.lane.name(),
        number,
        hash,
        reason: refusal.reason,
        detail: refusal.detail,
        due_at: refusal.due_at,
        bytes: bytes.to_vec(),
    }
}

/// Keeps what a quarantined agent sends: durable, and unread until a person has said what becomes of it.
fn keep_aside(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    fresh: &[Numbered<'_>],
    now: UnixMs,
) -> Result<Stored, DbError> {
    let why = || Refusal::of(AsideReason::Quarantined, "there are two of this agent");
    let asides: Vec<_> = fresh.iter().map(|numbered| set_aside(part, *numbered, why())).collect();
    records::put_aside(tx, &asides, now)?;
    let reason = AsideReason::Quarantined.name();
    metrics::counter!("linewatch_records_set_aside_total", "reason" => reason).increment(asides.len() as u64);
    Ok(Stored { set_aside: asides.len() as u32, ..Stored::default() })
}

fn store(tx: &mut Tx<'_>, part: &Part<'_>, fresh: &[Numbered<'_>], now: UnixMs) -> Result<Stored, DbError> {
    let mut intake = Intake::new(tx, part.agent, now)?;
    let mut asides = Vec::new();
    let aside = |number: u64, hash: Hash, bytes: &[u8], refusal: Refusal| {
        set_aside(part, (number, hash, bytes), refusal)
    };
    let mut readable = Vec::new();
    for (number, hash, bytes) in fresh {
        match Record::from_bytes(bytes) {
            Ok(record) if record.body.lane() == part.envelope.lane => {
                readable.push((*number, *hash, *bytes, record));
            }
            Ok(_) => asides.push(aside(
                *number,
                *hash,
                bytes,
                Refusal::unreadable("it stands in another lane than its own"),
            )),
            Err(error) => asides.push(aside(*number, *hash, bytes, Refusal::unreadable(&error.to_string()))),
        }
    }
    let records: Vec<&Record> = readable.iter().map(|(_, _, _, record)| record).collect();
    intake.look_up(tx, &records)?;
    // Clock facts first: they correct the times of their neighbours in the same batch.
    for (_, _, _, record) in &readable {
        intake.clock(tx, record)?;
    }
    for (number, hash, bytes, record) in readable {
        if let Err(refusal) = intake.record(tx, hash, bytes, &record)? {
            asides.push(aside(number, hash, bytes, refusal));
        }
    }
    for aside in &asides {
        metrics::counter!("linewatch_records_set_aside_total", "reason" => aside.reason.name()).increment(1);
        tracing::warn!(agent = %part.agent, lane = aside.lane, number = aside.number, reason = aside.reason.name(), "a record was put aside");
    }
    records::put_aside(tx, &asides, now)?;
    let stored = intake.finish(tx)?;
    Ok(Stored { set_aside: asides.len() as u32, ..stored })
}

/// Takes in again what had come too early, now that it is due, and what a person has released.
///
/// # Errors
/// The database's.
pub fn take_due(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<usize, DbError> {
    let due = records::ahead_until(tx, now, RECORDS_PER_TRANSACTION_MAX as i64)?;
    let mut taken = Stored::default();
    for ahead in &due {
        let mut intake = Intake::new(tx, ahead.agent, now)?;
        if let Ok(record) = Record::from_bytes(&ahead.bytes) {
            intake.clock(tx, &record)?;
        }
        intake.again(tx, ahead)?;
        taken.merge(intake.finish(tx)?);
    }
    follow(desk, tx, taken, now)?;
    Ok(due.len())
}
