//! What lines may be without service within a month, quarter or year, judged at its moments: warned of while it is
//! being used, missed when it is used up, kept when its span ends.
//!
//! Facts only ask for a look ([`crate::store::allowances::ask`]); the engine looks right after their commit. A line
//! without an outage costs nothing.

mod owed;
mod tell;

use std::collections::{BTreeMap, HashMap};

use linewatch_shared::sla::{
    Deadline, Effect, Interval, LineRules, PackVersion, judge_all, local_year, next_mark,
};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::Desk;
use super::engine::Round;
use crate::db::{DbError, Tx};
use crate::store::allowances::{self, Look, Outages, Stored};
use crate::store::deadlines::{self, Subject};
use crate::store::service_time::{self, ServedLine};
use crate::store::{faults, lines};

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
    // Read again under the locks: another node may have been here before.
    let looks = allowances::still_due(tx, &due, now)?;
    let mut judged = Judged::default();
    let cases = cases(tx, &versions, &looks, now)?;
    let mut done = Vec::new();
    for look in looks {
        let next = cases
            .get(&look.line)
            .and_then(|case| judge(case, &versions, (look.from.min(now), now), &mut judged));
        done.push((look, next));
    }
    judged.save(tx, now)?;
    allowances::looked(tx, &done, now)?;
    tell::send(desk, tx, &judged.told, &versions, now)?;
    tell::append_events(tx, &judged.told, now)?;
    Ok(Round { due: due.len(), lag_ms: 0, next: allowances::next_due(tx)? })
}

/// What a line's allowances are judged by.
struct Case {
    line: ServedLine,
    rules: LineRules,
    outages: Outages,
    stored: Vec<Stored>,
    last_fault: Option<Uuid>,
}

/// Reads it, of all lines that are known.
fn cases(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    looks: &[Look],
    now: UnixMs,
) -> Result<HashMap<String, Case>, DbError> {
    let codes: Vec<&str> = looks.iter().map(|look| look.line.as_str()).collect();
    let since: Vec<_> = looks.iter().map(|look| (look.line.as_str(), look.from.min(now))).collect();
    // A span may reach back into the year before that of its zone.
    let years = |from| (local_year(chrono_tz::UTC, from) - 1, local_year(chrono_tz::UTC, now) + 1);
    let of_years: Vec<_> = since.iter().map(|(line, from)| (*line, years(*from))).collect();
    let served = service_time::of_codes(tx, &codes)?;
    let mut served: HashMap<String, ServedLine> =
        served.into_iter().map(|line| (line.code.clone(), line)).collect();
    let rules = lines::rules_of(tx, &codes, versions)?;
    let outages = allowances::outages(tx, &of_years)?;
    let stored = allowances::of_lines(tx, &since)?;
    let last_faults = faults::last_of_lines(tx, &codes)?;
    let mut cases = HashMap::new();
    let of_line = rules.into_iter().zip(outages).zip(stored.into_iter().zip(last_faults));
    for (code, ((rules, outages), (stored, last_fault))) in codes.into_iter().zip(of_line) {
        if let (Some(line), Some(rules)) = (served.remove(code), rules) {
            cases.insert(code.to_owned(), Case { line, rules, outages, stored, last_fault });
        }
    }
    Ok(cases)
}

/// What a round has judged.
#[derive(Default)]
struct Judged {
    /// Allowances that differ from what is stored.
    differ: Vec<Stored>,
    /// The promise of each allowance; none where it is promised no more.
    promises: Vec<(Stored, Vec<Deadline>)>,
    told: Vec<Told>,
}

impl Judged {
    fn save(&self, tx: &mut Tx<'_>, now: UnixMs) -> Result<(), DbError> {
        allowances::save(tx, &self.differ.iter().collect::<Vec<_>>())?;
        let promises: Vec<_> =
            self.promises.iter().map(|(of, list)| (subject(of), list.as_slice())).collect();
        deadlines::save_all(tx, &promises, now)
    }
}

fn subject(of: &Stored) -> Subject<'_> {
    Subject { id: of.id, kind: SUBJECT_KIND, line: &of.line, customer: &of.customer, tier: &of.tier }
}

/// Judges a line's allowances of spans that end after a moment; answers when to look again.
fn judge(
    case: &Case,
    versions: &[PackVersion],
    (from, now): (UnixMs, UnixMs),
    judged: &mut Judged,
) -> Option<UnixMs> {
    let Case { line, rules, outages: by_fault, stored, last_fault } = case;
    let outages: Vec<Interval> = by_fault.iter().flat_map(|(_, pieces)| pieces.iter().copied()).collect();
    let runs = outages.iter().any(|piece| piece.from <= now && piece.to.is_none_or(|end| end > now));
    let mut stored: BTreeMap<Uuid, Stored> = stored.iter().map(|one| (one.id, one.clone())).collect();
    let mut next: Option<UnixMs> = None;
    for owed in owed::of(versions, rules, line, &outages, (from, now)) {
        let before = stored.remove(&owed.id);
        let span = (owed.allowance.from, owed.allowance.to);
        let uses = |piece: &Interval| piece.from < span.1 && piece.end(UnixMs::MAX) > span.0;
        if before.is_none() && !outages.iter().any(uses) {
            continue;
        }
        let ledger = before.as_ref().map(|before| before.ledger.clone()).unwrap_or_default();
        let now = ledger.as_of(now);
        let deadline = owed.allowance.deadline(&outages, now);
        let mut new = Stored {
            id: owed.id,
            line: line.code.clone(),
            kind: owed.allowance.kind.name().to_owned(),
            customer: owed.customer,
            tier: owed.tier,
            from: span.0,
            to: span.1,
            allowance_ms: owed.allowance.allowance_ms,
            promised: true,
            ledger,
        };
        new.ledger.unwarn(&deadline, now);
        let list = vec![deadline];
        let effects = judge_all(new.id, &list, &mut new.ledger, now);
        let mark = next_mark(&list, &new.ledger, now);
        // What goes on beyond the span uses of the next one.
        let end = (runs && now < span.1).then_some(span.1);
        next = next.into_iter().chain(mark).chain(end).min();
        if before.as_ref() != Some(&new) {
            judged.differ.push(new.clone());
        }
        judged.promises.push((new.clone(), list));
        let used = by_fault.iter().rev().find(|(_, pieces)| pieces.iter().any(uses));
        // Of one that nothing uses any more: the line's last fault.
        let fault = used.map(|(fault, _)| *fault).or(*last_fault);
        judged.told.push(Told { of: new, fault, effects });
    }
    for mut gone in stored.into_values().filter(|one| one.promised) {
        let now = gone.ledger.as_of(now);
        let effects = judge_all(gone.id, &[], &mut gone.ledger, now);
        gone.promised = false;
        judged.differ.push(gone.clone());
        judged.promises.push((gone.clone(), Vec::new()));
        judged.told.push(Told { of: gone, fault: *last_fault, effects });
    }
    next
}
