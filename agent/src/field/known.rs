//! The facts of lines that this device has: what the server told of open work, and what was written down here.

use std::collections::{BTreeMap, HashSet};

use linewatch_shared::facts::{Body, Record, StepKind};
use linewatch_shared::sla::{Event, Fact};
use linewatch_shared::wire::Work;
use rusqlite::Connection;
use uuid::Uuid;

use super::corrected::Corrected;
use crate::journal::{self, JournalError};

/// The newest records that are looked at.
const RECORDS_MAX: usize = 50_000;

/// A fact of a line, and where it comes from.
pub struct Known {
    /// The fact.
    pub fact: Fact,
    /// Who wrote it.
    pub by: Option<String>,
    /// Whether the server has it.
    pub sent: bool,
    /// Whether it was written down here.
    pub here: bool,
}

/// Facts by the codes of their lines.
pub type Lines = BTreeMap<String, Vec<Known>>;

/// In words, where a person said something.
#[must_use]
pub fn text_of(event: &Event) -> String {
    match event {
        Event::Report { description, .. } => description.clone(),
        Event::Step(step) => match &step.kind {
            StepKind::Note { text } => text.clone(),
            _ => step.note.clone().unwrap_or_default(),
        },
        _ => String::new(),
    }
}

/// All facts by line. A step belongs to the line of the fact that it names. What the server told counts before what is here
/// of the same fact: its time is corrected by more.
///
/// # Errors
/// When the journal cannot be read.
pub fn by_line(db: &Connection, work: Work, agent: &str, times: &Corrected) -> Result<Lines, JournalError> {
    let mut lines = Lines::new();
    let mut line_of: BTreeMap<Uuid, String> = BTreeMap::new();
    let mut told: HashSet<Uuid> = HashSet::new();
    for fault in work.faults {
        line_of.insert(fault.id, fault.line.clone());
        for one in fault.facts {
            if !told.insert(one.id) {
                continue;
            }
            line_of.insert(one.id, fault.line.clone());
            let fact = Fact { id: one.id, occurred_at: one.occurred_at, event: one.event };
            let known = Known { fact, by: Some(one.by), sent: true, here: false };
            lines.entry(fault.line.clone()).or_default().push(known);
        }
    }
    let mut steps = Vec::new();
    for stored in journal::of_kinds(db, &["line", "report", "step"], RECORDS_MAX)? {
        let Ok(record) = Record::from_bytes(&stored.bytes) else { continue };
        if told.contains(&record.id) {
            continue;
        }
        let Some((line, event)) = event_of(record.body, agent) else { continue };
        let fact = Fact { id: record.id, occurred_at: times.at(record.occurred, record.boot), event };
        let known = Known { fact, by: record.by, sent: stored.acked, here: true };
        match line {
            Place::Line(line) => {
                line_of.insert(record.id, line.clone());
                lines.entry(line).or_default().push(known);
            }
            Place::Fault(fault) => steps.push((fault, known)),
        }
    }
    for (fault, step) in steps {
        if let Some(line) = line_of.get(&fault) {
            lines.entry(line.clone()).or_default().push(step);
        }
    }
    Ok(lines)
}

/// What a record belongs to.
enum Place {
    Line(String),
    Fault(Uuid),
}

fn event_of(body: Body, agent: &str) -> Option<(Place, Event)> {
    Some(match body {
        Body::Line(change) => {
            let state = change.seen();
            (Place::Line(change.line), Event::Evidence { agent: agent.to_owned(), state })
        }
        Body::Report(report) => {
            let (channel, reporter, description) = (report.channel, report.reporter, report.description);
            (Place::Line(report.line), Event::Report { channel, reporter, description })
        }
        Body::Step(step) => (Place::Fault(step.fault), Event::Step(step)),
        _ => return None,
    })
}
