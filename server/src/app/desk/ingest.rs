//! Records of agents come in: stored raw, their facts folded, acknowledged once durable.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::facts::{Body, ClockFact, Lane, Record, When};
use linewatch_shared::health::Health;
use linewatch_shared::sla::{Event, Fact};
use linewatch_shared::time::{MINUTE_MS, MonoMs, UnixMs};
use linewatch_shared::wire::{Envelope, Hash, Held, record_hash};
use serde_json::json;
use uuid::Uuid;

use super::correct::{self, Clocks};
use super::{Desk, Touched};
use crate::db::{DbError, Tx};
use crate::store::facts::{self, DeviceStamp, StoredFact};
use crate::store::outgoing::{EventKind, NewEvent};
use crate::store::records::{self, Aside, AsideReason, ClockRow, RawRecord};
use crate::store::{agents, faults, lines, streams};

/// A fact further ahead of our clock waits until its time has come (ms).
pub const AHEAD_MAX_MS: i64 = 5 * MINUTE_MS;
/// The most records of one transaction, so that it ends soon and others get their turn.
pub const RECORDS_PER_TRANSACTION_MAX: usize = 128;

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
    let taken = store(tx, part, &fresh, now)?;
    for (number, hash, _) in &fresh {
        if lane == Lane::Summary {
            stream.ranges.insert(*number, *hash);
        } else {
            stream.last = *number;
            stream.chain = stream.chain.after(*hash);
        }
    }
    streams::save(tx, part.agent, epoch, lane, &stream)?;
    desk.settle_with(tx, &taken.touched, taken.agents, now)?;
    Ok(Taken::Upto(stream.held(lane), taken.set_aside))
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

#[derive(Default)]
struct Stored {
    touched: BTreeMap<String, Touched>,
    set_aside: u32,
    agents: Vec<NewEvent>,
}

fn store(tx: &mut Tx<'_>, part: &Part<'_>, fresh: &[Numbered<'_>], now: UnixMs) -> Result<Stored, DbError> {
    let mut intake = Intake::new(tx, part.agent, now)?;
    let mut asides = Vec::new();
    let aside = |number: u64, hash: Hash, bytes: &[u8], refusal: Refusal| Aside {
        agent: part.agent,
        epoch: part.envelope.epoch,
        lane: part.envelope.lane.name(),
        number,
        hash,
        reason: refusal.reason,
        detail: refusal.detail,
        due_at: refusal.due_at,
        bytes: bytes.to_vec(),
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

/// Takes in again what had come too early, now that it is due.
///
/// # Errors
/// The database's.
pub fn take_due(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<usize, DbError> {
    let due = records::take_due(tx, now, RECORDS_PER_TRANSACTION_MAX as i64)?;
    let count = due.len();
    let mut touched = BTreeMap::new();
    for (agent, bytes) in due {
        let Ok(record) = Record::from_bytes(&bytes) else { continue };
        let mut intake = Intake::new(tx, agent, now)?;
        if intake.record(tx, record_hash(&bytes), &bytes, &record)?.is_err() {
            continue;
        }
        for (line, touch) in intake.finish(tx)?.touched {
            touched.entry(line).and_modify(|known: &mut Touched| known.merge(touch.clone())).or_insert(touch);
        }
    }
    desk.settle(tx, &touched, now)?;
    Ok(count)
}

/// Why a body is put aside.
struct Refusal {
    reason: AsideReason,
    detail: String,
    due_at: Option<UnixMs>,
}

impl Refusal {
    fn unreadable(detail: &str) -> Self {
        Self { reason: AsideReason::Unreadable, detail: detail.to_owned(), due_at: None }
    }

    fn of(reason: AsideReason, detail: &str) -> Self {
        Self { reason, detail: detail.to_owned(), due_at: None }
    }
}

/// The records of one agent in one transaction.
struct Intake {
    agent: Uuid,
    name: String,
    now: UnixMs,
    clocks: Clocks,
    new_clocks: BTreeMap<Uuid, MonoMs>,
    raw: Vec<RawRecord>,
    facts: Vec<StoredFact>,
    stored: Stored,
    /// Lines of opening facts of this very batch, which steps may name.
    opened: BTreeMap<Uuid, String>,
    in_scope: BTreeMap<String, bool>,
    seen: BTreeMap<Uuid, Hash>,
}

impl Intake {
    fn new(tx: &mut Tx<'_>, agent: Uuid, now: UnixMs) -> Result<Self, DbError> {
        Ok(Self {
            agent,
            name: agents::name_of(tx, agent)?,
            now,
            clocks: Clocks::default(),
            new_clocks: BTreeMap::new(),
            raw: Vec::new(),
            facts: Vec::new(),
            stored: Stored::default(),
            opened: BTreeMap::new(),
            in_scope: BTreeMap::new(),
            seen: BTreeMap::new(),
        })
    }

    fn clock(&mut self, tx: &mut Tx<'_>, record: &Record) -> Result<(), DbError> {
        let Body::Clock(clock) = record.body else { return Ok(()) };
        let ClockFact { device, .. } = clock;
        let row = ClockRow {
            record: record.id,
            mono: device.mono,
            wall: device.wall,
            offset_ms: clock.offset_ms(),
        };
        records::insert_clock(tx, self.agent, record.boot, &row)?;
        self.new_clocks
            .entry(record.boot)
            .and_modify(|first| *first = device.mono.min(*first))
            .or_insert(device.mono);
        Ok(())
    }

    /// Takes in one record; a duplicate changes nothing.
    fn record(
        &mut self,
        tx: &mut Tx<'_>,
        hash: Hash,
        bytes: &[u8],
        record: &Record,
    ) -> Result<Result<(), Refusal>, DbError> {
        let known = match self.seen.get(&record.id) {
            Some(hash) => Some(*hash),
            None => records::known_hashes(tx, &[record.id])?.remove(&record.id),
        };
        match known {
            Some(known) if known == hash => return Ok(Ok(())),
            Some(_) => {
                let detail = format!("record {} is known with other bytes", record.id);
                return Ok(Err(Refusal::of(AsideReason::OtherBytes, &detail)));
            }
            None => {}
        }
        let (kind, event) = match self.event(tx, record)? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some((line, event, detail)) = event
            && let Err(refusal) = self.fact(tx, record, line, event, detail)?
        {
            return Ok(Err(refusal));
        }
        self.seen.insert(record.id, hash);
        let (agent, recorded_at, occurred_at) = (self.agent, self.now, record.occurred.raw());
        self.raw.push(RawRecord {
            id: record.id,
            agent,
            hash,
            kind,
            occurred_at,
            recorded_at,
            bytes: bytes.to_vec(),
        });
        Ok(Ok(()))
    }

    /// What the record means for a line, where it does.
    #[expect(clippy::type_complexity, reason = "a refusal inside a database error, used once")]
    fn event(
        &mut self,
        tx: &mut Tx<'_>,
        record: &Record,
    ) -> Result<Result<(&'static str, Option<(Option<String>, Event, Option<String>)>), Refusal>, DbError>
    {
        let outside = |what: &str| Ok(Err(Refusal::of(AsideReason::OutOfScope, what)));
        Ok(Ok(match &record.body {
            Body::Line(change) => {
                if !self.in_scope(tx, &change.line)? {
                    return outside("the line is not the agent's");
                }
                let event = Event::Evidence { agent: self.name.clone(), state: change.state };
                let detail = serde_json::to_string(&change.evidence).ok();
                ("line", Some((Some(change.line.clone()), event, detail)))
            }
            Body::Report(report) => {
                if !self.in_scope(tx, &report.line)? {
                    return outside("the line is not the agent's");
                }
                let (reporter, description) = (report.reporter.clone(), report.description.clone());
                let event = Event::Report { channel: report.channel, reporter, description };
                self.opened.insert(record.id, report.line.clone());
                ("report", Some((Some(report.line.clone()), event, None)))
            }
            Body::Step(step) => {
                let line = self.line_of(tx, step.fault)?;
                if let Some(line) = &line
                    && !self.in_scope(tx, line)?
                {
                    return outside("the fault's line is not the agent's");
                }
                ("step", Some((line, Event::Step(step.clone()), None)))
            }
            Body::Health(health) => {
                self.health(tx, health, record.written.wall)?;
                ("health", None)
            }
            Body::Clock(_) => ("clock", None),
            Body::Minute(_) => ("minute", None),
            Body::Visit(_) => ("visit", None),
            Body::Tombstone => ("tombstone", None),
        }))
    }

    fn fact(
        &mut self,
        tx: &mut Tx<'_>,
        record: &Record,
        line: Option<String>,
        event: Event,
        detail: Option<String>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let (wall, mono) = match record.occurred {
            When::Machine(reading) => (reading.wall, Some(reading.mono)),
            When::Typed(at) => (at, None),
        };
        let stamp = DeviceStamp { agent: self.agent, boot: record.boot, wall, mono };
        let corrected = self.clocks.correct(tx, record.id, &stamp)?;
        if corrected.at.since(self.now) > AHEAD_MAX_MS {
            let detail = format!(
                "dated {} ahead",
                linewatch_shared::rules::format_duration(corrected.at.since(self.now))
            );
            return Ok(Err(Refusal { reason: AsideReason::Future, detail, due_at: Some(corrected.at) }));
        }
        if matches!(event, Event::Evidence { .. })
            && let Some(line) = &line
        {
            self.opened.insert(record.id, line.clone());
        }
        if let Some(line) = &line {
            let named = match &event {
                Event::Step(step) => faults::resolve(tx, step.fault)?.map(|(fault, _)| fault),
                _ => None,
            };
            let touch = Touched { from: corrected.at, named: BTreeSet::from_iter(named) };
            self.stored
                .touched
                .entry(line.clone())
                .and_modify(|known| known.merge(touch.clone()))
                .or_insert(touch);
        }
        self.facts.push(StoredFact {
            fact: Fact { id: record.id, occurred_at: corrected.at, event },
            line,
            recorded_at: self.now,
            by: record
                .by
                .as_ref()
                .map_or_else(|| format!("agent {}", self.name), |by| format!("{by} (agent {})", self.name)),
            stamp: Some(stamp),
            corrected_ms: corrected.by_ms,
            uncertain: !corrected.certain,
            detail,
        });
        Ok(Ok(()))
    }

    /// The line of the fault that a step names, as far as it is known.
    fn line_of(&self, tx: &mut Tx<'_>, fault: Uuid) -> Result<Option<String>, DbError> {
        if let Some(line) = self.opened.get(&fault) {
            return Ok(Some(line.clone()));
        }
        match faults::resolve(tx, fault)? {
            Some((_, line)) => Ok(Some(line)),
            None => facts::line_of(tx, fault),
        }
    }

    /// A line that is not known yet is let in: its facts wait for it.
    fn in_scope(&mut self, tx: &mut Tx<'_>, line: &str) -> Result<bool, DbError> {
        if let Some(known) = self.in_scope.get(line) {
            return Ok(*known);
        }
        let in_scope = lines::was_in_scope(tx, line, self.agent)? || !lines::is_known(tx, line)?;
        self.in_scope.insert(line.to_owned(), in_scope);
        Ok(in_scope)
    }

    /// Keeps the newest health; a board is told when its warnings change.
    fn health(&mut self, tx: &mut Tx<'_>, health: &Health, at: UnixMs) -> Result<(), DbError> {
        let known = agents::health(tx, self.agent)?;
        if known.as_ref().is_some_and(|(_, known_at)| *known_at > at) {
            return Ok(());
        }
        let text = serde_json::to_string(health).map_err(|error| DbError::Data(error.to_string()))?;
        agents::save_health(tx, self.agent, &text, at)?;
        let before = known.and_then(|(health, _)| serde_json::from_str::<Health>(&health).ok());
        let warnings = health.warnings();
        if warnings != before.map(|health| health.warnings()).unwrap_or_default() {
            let body = json!({ "name": self.name, "state": "warned", "warnings": warnings });
            self.stored.agents.push(NewEvent {
                kind: EventKind::Agent,
                subject: None,
                body: body.to_string(),
            });
        }
        Ok(())
    }

    fn finish(mut self, tx: &mut Tx<'_>) -> Result<Stored, DbError> {
        if !self.new_clocks.is_empty() {
            self.ahead_again(tx)?;
        }
        records::insert(tx, &self.raw)?;
        facts::insert(tx, &self.facts)?;
        if !self.new_clocks.is_empty() {
            correct::again(tx, self.agent, &self.new_clocks, &mut self.stored.touched)?;
        }
        Ok(self.stored)
    }

    /// What was dated ahead may not be, now that more is known of the device's clock.
    fn ahead_again(&mut self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        for (n, bytes) in records::ahead_of(tx, self.agent, RECORDS_PER_TRANSACTION_MAX as i64)? {
            let Ok(record) = Record::from_bytes(&bytes) else { continue };
            if self.record(tx, record_hash(&bytes), &bytes, &record)?.is_ok() {
                records::settle_aside(tx, n)?;
            }
        }
        Ok(())
    }
}
