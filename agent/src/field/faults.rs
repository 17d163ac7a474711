//! The faults that this device knows of, found by the same fold as on the server, offline: from what the server last told
//! of open work, and what was written down here since.

use linewatch_shared::sla::{Carried, Deadline, Event, Fault, deadlines, fold};
use linewatch_shared::time::UnixMs;
use rusqlite::Connection;
use serde::Serialize;
use uuid::Uuid;

use super::corrected::Corrected;
use super::known::{Known, by_line, text_of};
use super::work;
use crate::journal::{JournalError, Scribe};
use crate::scope;
use crate::scope::contracts::{pack_versions, rules};

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
    /// Steps that are possible next.
    pub possible: Vec<&'static str>,
    /// Whether something is still owed.
    #[serde(skip)]
    pub live: bool,
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
    /// Since when.
    pub started_at: String,
    /// When its owner is warned.
    pub warn_at: Vec<String>,
    /// Whether it is still to be done.
    pub open: bool,
}

impl DeadlineView {
    /// A promise as of a moment.
    #[must_use]
    pub fn new(deadline: &Deadline, now: UnixMs) -> Self {
        Self {
            kind: deadline.kind.name(),
            due_at: deadline.due_at.to_rfc3339(),
            state: deadline.status(now).name(),
            remaining_ms: deadline.remaining_ms(now),
            started_at: deadline.started_at.to_rfc3339(),
            warn_at: deadline.marks.iter().map(|(_, at)| at.to_rfc3339()).collect(),
            open: deadline.ended.is_none(),
        }
    }
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
    /// Whether it was written down here.
    pub here: bool,
}

/// Every fault that this device knows of, the oldest first.
///
/// # Errors
/// When the journal cannot be read.
pub fn all(db: &Connection, scribe: &Scribe, agent: &str) -> Result<Vec<FaultView>, JournalError> {
    let times = Corrected::read(db)?;
    let now = times.now(scribe);
    let packs = pack_versions(db)?;
    let references = scope::lines(db)?;
    let mut found = Vec::new();
    for (code, facts) in by_line(db, work::load(db)?, agent, &times)? {
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
        deadlines: owed.iter().map(|deadline| DeadlineView::new(deadline, now)).collect(),
        facts: listed,
        possible: fault.possible(now),
        live: fault.state.is_live(),
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
        here: known.here,
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
        possible: vec!["note"],
        live: true,
    })
}

#[cfg(test)]
mod tests;
