//! What the records of one agent mean: known already, readable, in scope, and of which line.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::facts::{Body, ClockFact, Deed, Opened, Record, Step, When};
use linewatch_shared::health::Health;
use linewatch_shared::sla::{Event, Fact};
use linewatch_shared::time::{MonoMs, UnixMs};
use linewatch_shared::wire::Hash;
use serde_json::json;
use uuid::Uuid;

use super::{AHEAD_MAX_MS, RECORDS_PER_TRANSACTION_MAX, text};
use crate::app::audit;
use crate::app::desk::Touched;
use crate::app::desk::correct::{self, Clocks, Corrected};
use crate::app::desk::step;
use crate::app::matters::reported::Reported;
use crate::app::matters::taken_in::OnSite;
use crate::db::{DbError, Tx};
use crate::store::diagnoses::{self, StoredDiagnosis};
use crate::store::erasure::ErasedOfLine;
use crate::store::facts::{self, DeviceStamp, StoredFact};
use crate::store::outgoing::{EventKind, NewEvent};
use crate::store::records::{self, Ahead, AsideReason, ClockRow, RawRecord};
use crate::store::{agents, visit_reports};

/// What a transaction has to do once the records are stored.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) touched: BTreeMap<String, Touched>,
    pub(super) set_aside: u32,
    pub(super) agents: Vec<NewEvent>,
    pub(super) visits: Vec<Reported>,
    pub(super) opened: Vec<OnSite<Opened>>,
    pub(super) deeds: Vec<OnSite<Deed>>,
    pub(super) diagnoses: Vec<StoredDiagnosis>,
}

impl Stored {
    /// With what another intake left to do.
    pub(super) fn merge(&mut self, other: Self) {
        for (line, touch) in other.touched {
            self.touched.entry(line).and_modify(|known| known.merge(touch.clone())).or_insert(touch);
        }
        self.set_aside += other.set_aside;
        self.agents.extend(other.agents);
        self.visits.extend(other.visits);
        self.opened.extend(other.opened);
        self.deeds.extend(other.deeds);
    }
}

/// Why a body is put aside.
pub(super) struct Refusal {
    pub(super) reason: AsideReason,
    pub(super) detail: String,
    pub(super) due_at: Option<UnixMs>,
}

impl Refusal {
    pub(super) fn unreadable(detail: &str) -> Self {
        Self { reason: AsideReason::Unreadable, detail: detail.to_owned(), due_at: None }
    }

    pub(super) fn of(reason: AsideReason, detail: &str) -> Self {
        Self { reason, detail: detail.to_owned(), due_at: None }
    }
}

/// The records of one agent in one transaction.
pub(super) struct Intake {
    pub(super) agent: Uuid,
    pub(super) name: String,
    pub(super) now: UnixMs,
    pub(super) clocks: Clocks,
    pub(super) new_clocks: BTreeMap<Uuid, MonoMs>,
    pub(super) raw: Vec<RawRecord>,
    pub(super) facts: Vec<StoredFact>,
    pub(super) stored: Stored,
    /// Lines of opening facts of this very batch, which steps may name.
    pub(super) opened: BTreeMap<Uuid, String>,
    /// Customers of matters that are opened by this very batch.
    pub(super) taken_in: BTreeMap<Uuid, String>,
    pub(super) in_scope: BTreeMap<String, bool>,
    /// To which fault, of which line, an id was found to belong. No fault changes before all records are stored.
    pub(super) resolved: BTreeMap<Uuid, Option<(Uuid, String)>>,
    /// Records that are stored, or come with this very batch.
    pub(super) seen: BTreeMap<Uuid, Hash>,
    /// Those of which it is known whether they were stored.
    pub(super) looked_up: BTreeSet<Uuid>,
    pub(super) erased: BTreeMap<String, ErasedOfLine>,
}

impl Intake {
    pub(super) fn new(tx: &mut Tx<'_>, agent: Uuid, now: UnixMs) -> Result<Self, DbError> {
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
            taken_in: BTreeMap::new(),
            in_scope: BTreeMap::new(),
            resolved: BTreeMap::new(),
            seen: BTreeMap::new(),
            looked_up: BTreeSet::new(),
            erased: BTreeMap::new(),
        })
    }

    pub(super) fn clock(&mut self, tx: &mut Tx<'_>, record: &Record) -> Result<(), DbError> {
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
    pub(super) fn record(
        &mut self,
        tx: &mut Tx<'_>,
        hash: Hash,
        bytes: &[u8],
        record: &Record,
    ) -> Result<Result<(), Refusal>, DbError> {
        self.look_up_hashes(tx, &[record.id])?;
        match self.seen.get(&record.id) {
            Some(known) if *known == hash => return Ok(Ok(())),
            Some(_) => {
                let detail = format!("record {} is known with other bytes", record.id);
                return Ok(Err(Refusal::of(AsideReason::OtherBytes, &detail)));
            }
            None => {}
        }
        if text::cannot_be_kept(record) {
            return Ok(Err(Refusal::unreadable("it has a character that cannot be stored (U+0000)")));
        }
        let erased = self.erased(tx, record)?;
        let (bytes, record) = match &erased {
            Some((bytes, record)) => (bytes.as_slice(), record),
            None => (bytes, record),
        };
        let (kind, event) = match self.event(tx, record)? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = self.of_the_field(tx, record)? {
            return Ok(Err(refusal));
        }
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
                let event = Event::Evidence { agent: self.name.clone(), state: change.seen() };
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
            Body::Step(Step { kind, .. }) if kind.is_supervisors() => {
                return outside(&format!("\"{}\" is a supervisor's decision at the desk", kind.name()));
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
            Body::Opened(_) => ("opened", None),
            Body::Deed(deed) if !deed.is_technicians() => {
                return outside(&format!("\"{}\" is a step that the desk takes", deed.step.name()));
            }
            Body::Deed(deed) => {
                if let Some(customer) = self.customer_of(tx, deed.matter)?
                    && !visit_reports::is_in_scope(tx, &customer, self.agent)?
                {
                    return outside("the matter's customer has no line of the agent's");
                }
                ("deed", None)
            }
            Body::Diagnosis(diagnosis) => {
                if !self.in_scope(tx, &diagnosis.line)? {
                    return outside("the line is not the agent's");
                }
                ("diagnosis", None)
            }
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
        let (stamp, corrected) = match self.when(tx, record)? {
            Ok(when) => when,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if matches!(event, Event::Evidence { .. })
            && let Some(line) = &line
        {
            self.opened.insert(record.id, line.clone());
        }
        if let Some(line) = &line {
            let mut named = BTreeSet::new();
            if let Event::Step(step) = &event {
                for id in step.faults() {
                    named.extend(self.resolve(tx, id)?.map(|(fault, _)| fault));
                }
            }
            let touch = Touched { named, ..Touched::at(corrected.at) };
            self.stored
                .touched
                .entry(line.clone())
                .and_modify(|known| known.merge(touch.clone()))
                .or_insert(touch);
        }
        let by = self.by(record);
        if let Event::Step(step) = &event
            && step.kind.is_granted()
        {
            let fault = self.resolve(tx, step.fault)?.map_or(step.fault, |(fault, _)| fault);
            let detail = step::audited(record.id, step, corrected.at);
            audit(tx, self.now.0, &by, step::GRANTED, &fault.to_string(), Some(&detail))?;
        }
        self.facts.push(StoredFact {
            fact: Fact { id: record.id, occurred_at: corrected.at, event },
            line,
            recorded_at: self.now,
            by,
            stamp: Some(stamp),
            corrected_ms: corrected.by_ms,
            uncertain: !corrected.certain,
            detail,
        });
        Ok(Ok(()))
    }

    /// When it happened by the desk's clock; a time that is still to come is refused until then.
    pub(super) fn when(
        &mut self,
        tx: &mut Tx<'_>,
        record: &Record,
    ) -> Result<Result<(DeviceStamp, Corrected), Refusal>, DbError> {
        let (wall, mono) = match record.occurred {
            When::Machine(reading) => (reading.wall, Some(reading.mono)),
            When::Typed(at) => (at, None),
        };
        let stamp = DeviceStamp { agent: self.agent, boot: record.boot, wall, mono };
        let corrected = self.clocks.correct(tx, record.id, &stamp)?;
        let ahead_ms = corrected.at.since(self.now);
        if ahead_ms > AHEAD_MAX_MS {
            let detail = format!("dated {} ahead", linewatch_shared::rules::format_duration(ahead_ms));
            return Ok(Err(Refusal { reason: AsideReason::Future, detail, due_at: Some(corrected.at) }));
        }
        Ok(Ok((stamp, corrected)))
    }

    pub(super) fn by(&self, record: &Record) -> String {
        let agent = format!("agent {}", self.name);
        record.by.as_ref().map_or_else(|| agent.clone(), |by| format!("{by} ({agent})"))
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

    pub(super) fn finish(mut self, tx: &mut Tx<'_>) -> Result<Stored, DbError> {
        if !self.new_clocks.is_empty() {
            self.ahead_again(tx)?;
        }
        records::insert(tx, &self.raw)?;
        facts::insert(tx, &self.facts)?;
        diagnoses::insert(tx, &self.stored.diagnoses)?;
        if !self.new_clocks.is_empty() {
            correct::again(tx, self.agent, &self.new_clocks, &mut self.stored.touched)?;
        }
        Ok(self.stored)
    }

    /// What was dated ahead may not be, now that more is known of the device's clock.
    fn ahead_again(&mut self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        for ahead in records::ahead_of(tx, self.agent, RECORDS_PER_TRANSACTION_MAX as i64)? {
            self.again(tx, &ahead)?;
        }
        Ok(())
    }

    /// Takes in what had been dated ahead, or keeps it aside with the reason that it has now: it was
    /// acknowledged, so it is never dropped.
    pub(super) fn again(&mut self, tx: &mut Tx<'_>, ahead: &Ahead) -> Result<(), DbError> {
        let taken = match Record::from_bytes(&ahead.bytes) {
            Ok(record) => self.record(tx, ahead.hash, &ahead.bytes, &record)?,
            Err(error) => Err(Refusal::unreadable(&error.to_string())),
        };
        match taken {
            Ok(()) => records::settle_aside(tx, ahead.n),
            Err(refusal) => records::keep_aside(tx, ahead.n, refusal.reason, &refusal.detail, refusal.due_at),
        }
    }
}
