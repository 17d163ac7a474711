//! What lines may be without service within a month, quarter or year, judged at its moments: warned of while it is
//! being used, missed when it is used up, kept when its span ends.
//!
//! Facts only ask for a look ([`crate::store::allowances::ask`]); the engine looks right after their commit. A line
//! without an outage costs nothing.

mod owed;
mod tell;

use std::collections::BTreeMap;

use linewatch_shared::sla::{Deadline, Effect, Interval, PackVersion, judge_all, local_year, next_mark};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::Desk;
use super::engine::Round;
use crate::db::{DbError, Tx};
use crate::store::allowances::{self, Look, Stored};
use crate::store::deadlines::{self, Subject};
use crate::store::{faults, lines, service_time};

/// The most lines of one transaction.
pub const LINES_PER_ROUND_MAX: i64 = 200;
/// What promises of a line are, among the promises of faults and matters.
pub const SUBJECT_KIND: &str = "line";

/// Something to tell of an allowance.
pub(in crate::app) struct Told {
    /// The allowance.
    pub of: Stored,
    /// The last fault that used of it, else the line's last one.
    pub fault: Option<Uuid>,
    /// What.
    pub effects: Vec<Effect>,
}

/// Looks at the lines that are due. Call it again at once while it answers that as many were due as fit.
///
/// # Errors
/// The database's.
pub fn round(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<Round, DbError> {
    let due = allowances::due(tx, now, LINES_PER_ROUND_MAX)?;
    let keys: Vec<_> = due.iter().map(|look| faults::lock_key(&look.line)).collect();
    tx.lock(&keys)?;
    let versions = if due.is_empty() { Vec::new() } else { desk.packs.versions(tx)? };
    let mut told = Vec::new();
    for Look { line, .. } in &due {
        // Read again under the lock: another node may have been here before.
        let Some(look) = allowances::one_due(tx, line, now)? else { continue };
        let next = judge(tx, &versions, &look, now, &mut told)?;
        allowances::looked(tx, &look, next.map(|at| (now, at)))?;
    }
    tell::send(desk, tx, &told, &versions, now)?;
    tell::append_events(tx, &told, now)?;
    Ok(Round { due: due.len(), lag_ms: 0, next: allowances::next_due(tx)? })
}

/// Judges a line's allowances; answers when to look again.
fn judge(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    look: &Look,
    now: UnixMs,
    told: &mut Vec<Told>,
) -> Result<Option<UnixMs>, DbError> {
    let from = look.from.min(now);
    let Some(line) = service_time::one(tx, &look.line)? else { return Ok(None) };
    let Some(rules) = lines::rules(tx, &look.line, versions)? else { return Ok(None) };
    // A span may reach back into the year before that of its zone.
    let years = (local_year(chrono_tz::UTC, from) - 1, local_year(chrono_tz::UTC, now) + 1);
    let by_fault = allowances::outages(tx, &look.line, years)?;
    let outages: Vec<Interval> = by_fault.iter().flat_map(|(_, pieces)| pieces.iter().copied()).collect();
    let runs = outages.iter().any(|piece| piece.from <= now && piece.to.is_none_or(|end| end > now));
    let mut stored: BTreeMap<Uuid, Stored> =
        allowances::of_line(tx, &look.line, from)?.into_iter().map(|one| (one.id, one)).collect();
    let last = faults::last_of_line(tx, &look.line)?;
    let mut next: Option<UnixMs> = None;
    for owed in owed::of(versions, &rules, &line, &outages, (from, now)) {
        let before = stored.remove(&owed.id);
        let span = (owed.allowance.from, owed.allowance.to);
        let uses = |piece: &Interval| piece.from < span.1 && piece.end(UnixMs::MAX) > span.0;
        if before.is_none() && !outages.iter().any(uses) {
            continue;
        }
        let deadline = owed.allowance.deadline(&outages, now);
        let mut new = Stored {
            id: owed.id,
            line: look.line.clone(),
            kind: owed.allowance.kind.name().to_owned(),
            customer: owed.customer,
            tier: owed.tier,
            from: span.0,
            to: span.1,
            allowance_ms: owed.allowance.allowance_ms,
            promised: true,
            ledger: before.as_ref().map(|before| before.ledger.clone()).unwrap_or_default(),
        };
        new.ledger.unwarn(&deadline, now);
        let list = [deadline];
        let effects = judge_all(new.id, &list, &mut new.ledger, now);
        let mark = next_mark(&list, &new.ledger, now);
        // What goes on beyond the span uses of the next one.
        let end = (runs && now < span.1).then_some(span.1);
        next = next.into_iter().chain(mark).chain(end).min();
        if before.as_ref() != Some(&new) {
            allowances::save(tx, &new)?;
        }
        save_promise(tx, &new, &list, now)?;
        let used = by_fault.iter().rev().find(|(_, pieces)| pieces.iter().any(uses));
        // Of one that nothing uses any more: the line's last fault.
        let fault = used.map(|(fault, _)| *fault).or(last);
        told.push(Told { of: new, fault, effects });
    }
    for mut gone in stored.into_values().filter(|one| one.promised) {
        let effects = judge_all(gone.id, &[], &mut gone.ledger, now);
        gone.promised = false;
        allowances::save(tx, &gone)?;
        save_promise(tx, &gone, &[], now)?;
        told.push(Told { of: gone, fault: last, effects });
    }
    Ok(next)
}

fn save_promise(tx: &mut Tx<'_>, of: &Stored, list: &[Deadline], now: UnixMs) -> Result<(), DbError> {
    let subject =
        Subject { id: of.id, kind: SUBJECT_KIND, line: &of.line, customer: &of.customer, tier: &of.tier };
    deadlines::save(tx, &subject, list, now)
}
