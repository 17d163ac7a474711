//! A person reports a fault: it begins one, or joins the line's open one.

use linewatch_shared::facts::{Channel, Report};
use linewatch_shared::sla::{Event, FACTS_PER_FAULT_MAX, Fact};
use linewatch_shared::time::UnixMs;
use std::collections::BTreeMap;
use uuid::Uuid;

use super::ingest::AHEAD_MAX_MS;
use super::planned::under_way;
use super::{Desk, DeskError, Touched};
use crate::db::Tx;
use crate::store::facts::{self, StoredFact};
use crate::store::planned::Work;
use crate::store::{faults, lines};

/// A report.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// Its id, made beforehand so that a second try is the same report.
    pub id: Uuid,
    /// What was reported.
    pub report: Report,
    /// When it was reported.
    pub reported_at: UnixMs,
    /// Who took it in.
    pub by: String,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The fault.
    pub fault: Uuid,
    /// Whether the fault was open already.
    pub joined: bool,
}

/// A report, taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenIn {
    /// It belongs to a fault.
    Fault(Reported),
    /// It falls into planned work: kept, to be answered, and no fault unless the work is overrun.
    Planned(Box<Work>),
}

/// Takes a report in.
///
/// # Errors
/// When the line is not known, or the report is dated more than 5 minutes ahead.
pub fn report(desk: &Desk, tx: &mut Tx<'_>, new: &NewReport, now: UnixMs) -> Result<TakenIn, DeskError> {
    let Report { line, channel, reporter, description } = new.report.clone();
    if !lines::is_known(tx, &line)? {
        return Err(DeskError::NoLine(line));
    }
    check_time("reported_at", new.reported_at, now)?;
    let event = Event::Report { channel, reporter, description };
    let stored = written_here(new.id, new.reported_at, &line, event, &new.by, now);
    tx.lock(&[faults::lock_key(&line)])?;
    facts::insert(tx, &[stored])?;
    let touched = BTreeMap::from([(line.clone(), Touched::at(new.reported_at))]);
    let changes = desk.settle(tx, &touched, now)?;
    // No fault has it only where the fold set it aside: the transaction ends, and nothing was changed.
    let Some((fault, _)) = faults::resolve(tx, new.id)? else {
        let work = under_way(desk, tx, &line, new.reported_at)?.ok_or_else(|| full(&line))?;
        return Ok(TakenIn::Planned(Box::new(work)));
    };
    Ok(TakenIn::Fault(Reported { fault, joined: fault != new.id || !changes.replaced.is_empty() }))
}

fn full(line: &str) -> DeskError {
    let detail = format!(
        "the open fault of line {line} holds {FACTS_PER_FAULT_MAX} facts and takes no more reports; close it first"
    );
    DeskError::Impossible { detail, possible: Vec::new() }
}

/// A time that a person gives lies at most a little ahead.
///
/// # Errors
/// When it lies further ahead, or before 1970.
pub fn check_time(field: &'static str, at: UnixMs, now: UnixMs) -> Result<(), DeskError> {
    if at.since(now) > AHEAD_MAX_MS {
        let reason = format!("{} is more than 5 minutes in the future", at.to_rfc3339());
        return Err(DeskError::Invalid { field, reason });
    }
    if at.0 < 0 {
        return Err(DeskError::Invalid { field, reason: format!("{} is before 1970", at.to_rfc3339()) });
    }
    Ok(())
}

/// A fact that was written at the server.
pub(super) fn written_here(
    id: Uuid,
    at: UnixMs,
    line: &str,
    event: Event,
    by: &str,
    now: UnixMs,
) -> StoredFact {
    StoredFact {
        fact: Fact { id, occurred_at: at, event },
        line: Some(line.to_owned()),
        recorded_at: now,
        by: by.to_owned(),
        stamp: None,
        corrected_ms: 0,
        uncertain: false,
        detail: None,
    }
}

/// Reads a channel's name.
#[must_use]
pub fn channel(name: &str) -> Option<Channel> {
    [Channel::Hotline, Channel::Manager, Channel::Technician, Channel::Noc]
        .into_iter()
        .find(|channel| channel.name() == name)
}
