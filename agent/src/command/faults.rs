//! The faults that this device knows of, found by the same fold as on the server, offline.

use std::collections::BTreeMap;

use anyhow::Context;
use linewatch_shared::facts::{Body, Record, When};
use linewatch_shared::sla::{Carried, Event, Fact, Fault, deadlines, fold};
use linewatch_shared::time::UnixMs;
use rusqlite::Connection;
use serde::Serialize;
use uuid::Uuid;

use crate::journal::{self, Scribe, meta};
use crate::scope;
use crate::scope::contracts::{pack_versions, rules};
use crate::sync::clock::LastClock;

/// The newest records that are looked at.
const RECORDS_MAX: usize = 50_000;

/// A fault as listed.
#[derive(Debug, Serialize)]
pub struct FaultView {
    /// The fault's id: that of its first opening fact.
    pub id: Uuid,
    /// The line's code.
    pub line: String,
    /// The customer's code; empty while the line is not known here.
    pub customer: String,
    /// The tier; empty while the line is not known here.
    pub tier: String,
    /// Where it stands.
    pub state: String,
    /// Since when.
    pub started_at: String,
    /// The same, for people's texts.
    #[serde(skip)]
    pub started: UnixMs,
    /// Whether every fact of it has reached the server.
    pub sent: bool,
    /// What is owed.
    pub deadlines: Vec<DeadlineView>,
    /// What happened, in order.
    pub facts: Vec<FactView>,
}

/// A promise as of now.
#[derive(Debug, Serialize)]
pub struct DeadlineView {
    /// What is owed.
    pub kind: &'static str,
    /// By when.
    pub due_at: String,
    /// How it stands.
    pub state: &'static str,
    /// What is left, negative when overdue.
    pub remaining_ms: i64,
    /// Whether it is still to be done.
    #[serde(skip)]
    pub open: bool,
}

/// A fact of a fault.
#[derive(Debug, Serialize)]
pub struct FactView {
    /// The fact's id.
    pub id: Uuid,
    /// What happened.
    pub kind: &'static str,
    /// When, corrected.
    pub occurred_at: String,
    /// The same, for people's texts.
    #[serde(skip)]
    pub at: UnixMs,
    /// In words, where a person said something.
    pub text: String,
    /// Who wrote it.
    pub by: Option<String>,
    /// Why it has no effect, where it has none.
    pub misfit: Option<String>,
    /// Whether it has reached the server.
    pub sent: bool,
}

/// The server's time as well as this device can know it.
pub struct Corrected {
    last: Option<LastClock>,
}

impl Corrected {
    /// From the last clock fact.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn read(db: &Connection) -> anyhow::Result<Self> {
        Ok(Self { last: meta::get(db, meta::LAST_CLOCK)? })
    }

    fn at(&self, when: When, boot: Uuid) -> UnixMs {
        match (when, &self.last) {
            (When::Machine(reading), Some(last)) if last.boot == boot => {
                last.fact.server + (reading.mono.0 - last.fact.device.mono.0)
            }
            (When::Machine(reading), Some(last)) => reading.wall + last.fact.offset_ms(),
            _ => when.raw(),
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self, scribe: &Scribe) -> UnixMs {
        self.at(When::Machine(scribe.reading()), scribe.boot())
    }
}

/// A record that concerns a line.
struct Known {
    fact: Fact,
    by: Option<String>,
    sent: bool,
}

fn text_of(event: &Event) -> String {
    use linewatch_shared::facts::StepKind;
    match event {
        Event::Report { description, .. } => description.clone(),
        Event::Step(step) => match &step.kind {
            StepKind::Note { text } => text.clone(),
            _ => step.note.clone().unwrap_or_default(),
        },
        _ => String::new(),
    }
}

/// The journal's facts by line. A step belongs to the line of the fact that it names.
fn by_line(db: &Connection, agent: &str, times: &Corrected) -> anyhow::Result<BTreeMap<String, Vec<Known>>> {
    let mut lines: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    let mut line_of: BTreeMap<Uuid, String> = BTreeMap::new();
    let mut steps = Vec::new();
    for stored in journal::of_kinds(db, &["line", "report", "step"], RECORDS_MAX)? {
        let Ok(record) = Record::from_bytes(&stored.bytes) else { continue };
        let occurred_at = times.at(record.occurred, record.boot);
        let (line, event) = match record.body {
            Body::Line(change) => {
                let state = change.seen();
                (change.line, Event::Evidence { agent: agent.to_owned(), state })
            }
            Body::Report(report) => {
                let (channel, reporter, description) = (report.channel, report.reporter, report.description);
                (report.line, Event::Report { channel, reporter, description })
            }
            Body::Step(step) => {
                let fact = Fact { id: record.id, occurred_at, event: Event::Step(step.clone()) };
                steps.push((step.fault, Known { fact, by: record.by, sent: stored.acked }));
                continue;
            }
            _ => continue,
        };
        line_of.insert(record.id, line.clone());
        let fact = Fact { id: record.id, occurred_at, event };
        lines.entry(line).or_default().push(Known { fact, by: record.by, sent: stored.acked });
    }
    for (fault, step) in steps {
        if let Some(line) = line_of.get(&fault) {
            lines.entry(line.clone()).or_default().push(step);
        }
    }
    Ok(lines)
}

/// Every fault that this device knows of, the oldest first.
///
/// # Errors
/// When the journal cannot be read.
pub fn all(db: &Connection, scribe: &Scribe, agent: &str) -> anyhow::Result<Vec<FaultView>> {
    let times = Corrected::read(db)?;
    let now = times.now(scribe);
    let packs = pack_versions(db).context("packs")?;
    let references = scope::lines(db)?;
    let mut found = Vec::new();
    for (code, facts) in by_line(db, agent, &times)? {
        let reference = references.iter().find(|line| line.code == code);
        match reference.and_then(|line| rules(line, &packs)) {
            Some(rules) => {
                let folded =
                    fold(facts.iter().map(|k| k.fact.clone()).collect(), &rules, &Carried::default());
                found.extend(folded.faults.iter().map(|fault| view(fault, &facts, now)));
            }
            None => found.extend(facts.iter().filter_map(|known| bare(&code, known))),
        }
    }
    found.sort_by_key(|fault| (fault.started, fault.id));
    Ok(found)
}

fn view(fault: &Fault, facts: &[Known], now: UnixMs) -> FaultView {
    let of = |id: Uuid| facts.iter().find(|known| known.fact.id == id);
    let listed: Vec<FactView> = fault
        .facts
        .iter()
        .filter_map(|placed| Some(fact_view(of(placed.id)?, placed.misfit.clone())))
        .collect();
    let owed = deadlines(fault, now);
    FaultView {
        id: fault.id,
        line: fault.line.clone(),
        customer: fault.terms.customer.clone(),
        tier: fault.terms.tier.name.clone(),
        state: fault.state.name().to_owned(),
        started_at: fault.started_at.to_rfc3339(),
        started: fault.started_at,
        sent: listed.iter().all(|fact| fact.sent),
        deadlines: owed
            .iter()
            .map(|deadline| DeadlineView {
                kind: deadline.kind.name(),
                due_at: deadline.due_at.to_rfc3339(),
                state: deadline.status(now).name(),
                remaining_ms: deadline.remaining_ms(now),
                open: deadline.ended.is_none(),
            })
            .collect(),
        facts: listed,
    }
}

fn fact_view(known: &Known, misfit: Option<String>) -> FactView {
    FactView {
        id: known.fact.id,
        kind: known.fact.event.name(),
        occurred_at: known.fact.occurred_at.to_rfc3339(),
        at: known.fact.occurred_at,
        text: text_of(&known.fact.event),
        by: known.by.clone(),
        misfit,
        sent: known.sent,
    }
}

/// A report about a line whose rules are not here: shown as it is, without a countdown.
fn bare(code: &str, known: &Known) -> Option<FaultView> {
    matches!(known.fact.event, Event::Report { .. }).then(|| FaultView {
        id: known.fact.id,
        line: code.to_owned(),
        customer: String::new(),
        tier: String::new(),
        state: "reported".to_owned(),
        started_at: known.fact.occurred_at.to_rfc3339(),
        started: known.fact.occurred_at,
        sent: known.sent,
        deadlines: Vec::new(),
        facts: vec![fact_view(known, None)],
    })
}

#[cfg(test)]
mod tests;
