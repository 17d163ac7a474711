//! An account manager's diary: visits planned and made, and calls made and owed, at the own customers. Nothing is entered twice:
//! it is read from rounds, visit reports, and the words that faults and matters owe.

use std::collections::BTreeSet;

use linewatch_shared::facts::{Body, Callback, Record, Step, StepKind};
use linewatch_shared::matter::{Matter, MatterEvent, MatterStep};
use linewatch_shared::sla::{DeadlineKind, Event};
use linewatch_shared::time::{DAY_MS, UnixMs};
use serde::Serialize;
use uuid::Uuid;

use crate::app::desk::DeskError;
use crate::db::{DbError, Tx};
use crate::store::diary::{self, Owed, Said, Span};
use crate::store::scope::{self, Scope};
use crate::store::visit_reports;

/// The longest span of one answer (ms).
const SPAN_MAX_MS: i64 = 92 * DAY_MS;
/// The most entries of one kind.
pub const ENTRIES_MAX: i64 = 2_000;

/// Something in the diary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
pub struct DiaryEntry {
    /// When it was made, or else is planned for, RFC 3339.
    pub at: String,
    /// `visit`, `visit_report`, `feedback` or `callback`.
    pub kind: String,
    /// `planned` or `made`.
    pub state: &'static str,
    /// The customer's code.
    pub customer: String,
    /// When it was planned for, RFC 3339.
    pub planned_at: Option<String>,
    /// Who made it; empty of a plan.
    pub by: String,
    /// Whether the customer was reached, of a call.
    pub reached: Option<bool>,
    /// The round, fault or matter that it is about, or the visit report.
    pub about: Uuid,
    /// Why a visit report counts for no round.
    pub why: Option<String>,
}

/// A diary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Diary {
    /// Its entries, by time.
    pub entries: Vec<DiaryEntry>,
    /// Whether there are more of a kind than fit: ask for a shorter span.
    pub cut: bool,
}

/// Reads a diary.
///
/// # Errors
/// When the span is none, or too long.
pub fn read(
    tx: &mut Tx<'_>,
    scope: &Scope,
    manager: &str,
    from: UnixMs,
    until: UnixMs,
) -> Result<Diary, DeskError> {
    if until <= from || until.since(from) > SPAN_MAX_MS {
        let reason = "lies after `from`, by at most 92 days".to_owned();
        return Err(DeskError::Invalid { field: "until", reason });
    }
    let span = Span { manager: manager.to_owned(), from, until, limit: ENTRIES_MAX + 1 };
    let mut cut = false;
    let mut fits = |found: usize| cut |= found as i64 > ENTRIES_MAX;
    let mut entries = Vec::new();
    let rounds = diary::rounds(tx, &span)?;
    fits(rounds.len());
    entries.extend(rounds.iter().filter_map(|standing| round(&standing.matter, &span)));
    let reports = diary::visit_reports(tx, &span)?;
    fits(reports.len());
    let own: BTreeSet<String> = diary::customers(tx, manager)?.into_iter().collect();
    let ids: Vec<Uuid> = reports.iter().map(|(id, _)| *id).collect();
    let mut joined = visit_reports::of(tx, &ids)?;
    for (id, bytes) in reports {
        let joined = joined.remove(&id).unwrap_or_default();
        // The report of a round that it made is that round's entry.
        if joined.matter.is_none() || joined.why.is_some() {
            entries.extend(report(id, &bytes, &own, joined.why)?);
        }
    }
    let of_faults = diary::about_faults(tx, &span)?;
    fits(of_faults.len());
    entries.extend(of_faults.into_iter().filter_map(of_fault));
    let of_matters = diary::about_matters(tx, &span)?;
    fits(of_matters.len());
    entries.extend(of_matters.into_iter().filter_map(of_matter));
    let owed = diary::owed_calls(tx, &span)?;
    fits(owed.len());
    entries.extend(owed.into_iter().map(owed_call));
    if let Some(seen) = scope::customers(tx, scope)? {
        entries.retain(|entry| seen.contains(&entry.customer));
    }
    entries.sort();
    Ok(Diary { entries, cut })
}

/// A round is one entry: planned, and once it was made, made.
fn round(round: &Matter, span: &Span) -> Option<DiaryEntry> {
    let at = round.resolved_at.or(round.planned_at).filter(|at| span.from <= *at && *at < span.until)?;
    let made = round.resolved_at.is_some();
    Some(DiaryEntry {
        at: at.to_rfc3339(),
        kind: "visit".to_owned(),
        state: if made { "made" } else { "planned" },
        customer: round.customer.clone(),
        planned_at: round.planned_at.map(UnixMs::to_rfc3339),
        by: if made { round.owner.clone() } else { String::new() },
        reached: None,
        about: round.id,
        why: None,
    })
}

fn report(
    id: Uuid,
    bytes: &[u8],
    own: &BTreeSet<String>,
    why: Option<String>,
) -> Result<Option<DiaryEntry>, DbError> {
    let record = Record::from_bytes(bytes).map_err(|error| DbError::Data(error.to_string()))?;
    let Body::Visit(visit) = record.body else { return Ok(None) };
    Ok(own.contains(&visit.customer).then(|| DiaryEntry {
        at: record.occurred.raw().to_rfc3339(),
        kind: "visit_report".to_owned(),
        state: "made",
        customer: visit.customer,
        planned_at: None,
        by: record.by.unwrap_or_default(),
        reached: None,
        about: id,
        why,
    }))
}

fn call<T>(said: Said<T>, kind: &str, reached: bool) -> DiaryEntry {
    DiaryEntry {
        at: said.at.to_rfc3339(),
        kind: kind.to_owned(),
        state: "made",
        customer: said.customer,
        planned_at: None,
        by: said.by,
        reached: Some(reached),
        about: said.about,
        why: None,
    }
}

/// A call that is owed is planned for when it falls due; once it was made, that is another entry, and it is owed no more.
fn owed_call(owed: Owed) -> DiaryEntry {
    let kind = if owed.kind == DeadlineKind::Callback { "callback" } else { "feedback" };
    DiaryEntry {
        at: owed.due_at.to_rfc3339(),
        kind: kind.to_owned(),
        state: "planned",
        customer: owed.customer,
        planned_at: Some(owed.due_at.to_rfc3339()),
        by: String::new(),
        reached: None,
        about: owed.about,
        why: None,
    }
}

fn of_fault(said: Said<Event>) -> Option<DiaryEntry> {
    match said.event {
        Event::Step(Step { kind: StepKind::Feedback { reached }, .. }) => {
            Some(call(said, "feedback", reached))
        }
        Event::Step(Step { kind: StepKind::Callback(callback), .. }) => {
            Some(call(said, "callback", callback != Callback::NotReached))
        }
        _ => None,
    }
}

fn of_matter(said: Said<MatterEvent>) -> Option<DiaryEntry> {
    match said.event {
        MatterEvent::Step(MatterStep::Told { reached }) => Some(call(said, "feedback", reached)),
        MatterEvent::Step(MatterStep::Callback(callback)) => {
            Some(call(said, "callback", callback != Callback::NotReached))
        }
        _ => None,
    }
}
