//! Planned work: written down, announced, called off, and its lines judged anew.

mod view;

pub use view::{WorkDetail, WorkView, read, view};

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::rules::format_duration;
use linewatch_shared::sla::Window;
use linewatch_shared::time::{DAY_MS, SECOND_MS, UnixMs};
use serde_json::json;
use uuid::Uuid;

use super::report::check_time;
use super::{Desk, DeskError, Touched};
use crate::app::{Action, audit};
use crate::db::{DbError, Tx};
use crate::store::planned::{self, Work};
use crate::store::{faults, lines};

/// The most lines that one window names.
pub const LINES_MAX: usize = 1_000;
/// The longest planned work (ms).
pub const WORK_MS_MAX: i64 = 14 * DAY_MS;
/// The most lines that are judged anew in one transaction.
const LINES_PER_TRANSACTION_MAX: usize = 100;
/// So long after the end of planned work its lines are judged: by then agents have told what came back (ms).
const LOOK_AFTER_MS: i64 = 30 * SECOND_MS;

/// Planned work to write down.
#[derive(Clone, Debug)]
pub struct NewWork {
    /// Its window.
    pub window: Window,
    /// What for.
    pub reason: String,
    /// The lines; empty where a node is named.
    pub lines: BTreeSet<String>,
    /// The node.
    pub upstream: Option<String>,
    /// Who writes it down.
    pub by: String,
}

/// Writes planned work down and judges its lines anew, as far as it has begun.
///
/// # Errors
/// When a line is not known, a time is not possible, or there are too many lines: nothing is changed then.
pub fn plan(desk: &Desk, tx: &mut Tx<'_>, new: &NewWork, now: UnixMs) -> Result<Work, DeskError> {
    check_window(&new.window, now)?;
    for line in &new.lines {
        if !lines::is_known(tx, line)? {
            return Err(DeskError::NoLine(line.clone()));
        }
    }
    let work = Work {
        window: new.window,
        reason: new.reason.clone(),
        upstream: new.upstream.clone(),
        recorded_at: now,
        by: new.by.clone(),
        cancelled_at: None,
    };
    let codes: Vec<String> = new.lines.iter().cloned().collect();
    planned::insert(tx, &work, &codes)?;
    if planned::lines(tx, &work, "", 1)?.is_empty() {
        let reason = format!("no line hangs on \"{}\"", new.upstream.as_deref().unwrap_or_default());
        return Err(DeskError::Invalid { field: "upstream", reason });
    }
    write_audit(tx, Action::PlannedWorkAdded, &work, &new.by, now)?;
    judge_anew(desk, tx, &work, now)?;
    Ok(work)
}

fn check_window(window: &Window, now: UnixMs) -> Result<(), DeskError> {
    let Window { from, to, applied_at, announced_at, .. } = *window;
    let invalid = |field, reason: String| Err(DeskError::Invalid { field, reason });
    if to <= from {
        return invalid("to", "planned work ends after it begins".to_owned());
    }
    if to.since(from) > WORK_MS_MAX {
        return invalid("to", format!("planned work takes at most {}", format_duration(WORK_MS_MAX)));
    }
    if from.0 < 0 {
        return invalid("from", format!("{} is before 1970", from.to_rfc3339()));
    }
    check_time("applied_at", applied_at, now)?;
    announced_at.map_or(Ok(()), |at| check_time("announced_at", at, now))
}

/// Says that the customers were told.
///
/// # Errors
/// When there is no such work, or it was called off or announced already.
pub fn announce(
    desk: &Desk,
    tx: &mut Tx<'_>,
    id: Uuid,
    at: UnixMs,
    by: &str,
    now: UnixMs,
) -> Result<Work, DeskError> {
    check_time("announced_at", at, now)?;
    let mut work = standing(tx, id)?;
    if let Some(known) = work.window.announced_at {
        return Err(impossible(format!("it was announced at {} already", known.to_rfc3339())));
    }
    planned::announce(tx, id, at)?;
    work.window.announced_at = Some(at);
    write_audit(tx, Action::PlannedWorkAnnounced, &work, by, now)?;
    judge_anew(desk, tx, &work, now)?;
    Ok(work)
}

/// Calls it off: what is down in it is a fault.
///
/// # Errors
/// When there is no such work, or it is over, or was called off already.
pub fn cancel(desk: &Desk, tx: &mut Tx<'_>, id: Uuid, by: &str, now: UnixMs) -> Result<Work, DeskError> {
    let mut work = standing(tx, id)?;
    if work.window.to <= now {
        return Err(impossible(format!("it ended at {}", work.window.to.to_rfc3339())));
    }
    planned::cancel(tx, id, now)?;
    work.cancelled_at = Some(now);
    write_audit(tx, Action::PlannedWorkCancelled, &work, by, now)?;
    judge_anew(desk, tx, &work, now)?;
    Ok(work)
}

fn standing(tx: &mut Tx<'_>, id: Uuid) -> Result<Work, DeskError> {
    let work = planned::one(tx, id)?.ok_or(DeskError::NoWork(id))?;
    match work.cancelled_at {
        Some(at) => Err(impossible(format!("it was called off at {}", at.to_rfc3339()))),
        None => Ok(work),
    }
}

fn impossible(detail: String) -> DeskError {
    DeskError::Impossible { detail, possible: Vec::new() }
}

fn write_audit(tx: &mut Tx<'_>, action: Action, work: &Work, by: &str, now: UnixMs) -> Result<(), DbError> {
    let Window { id, from, to, applied_at, announced_at } = work.window;
    let detail = json!({
        "from": from.to_rfc3339(),
        "to": to.to_rfc3339(),
        "applied_at": applied_at.to_rfc3339(),
        "announced_at": announced_at.map(UnixMs::to_rfc3339),
        "upstream": work.upstream,
    });
    audit(tx, now.0, by, action, &id.to_string(), Some(&detail))
}

/// Judges the first lines at once; the engine goes on with the others.
fn judge_anew(desk: &Desk, tx: &mut Tx<'_>, work: &Work, now: UnixMs) -> Result<(), DbError> {
    if work.window.from > now {
        let at = work.cancelled_at.is_none().then_some(work.window.to + LOOK_AFTER_MS);
        return planned::look(tx, work.window.id, at, "");
    }
    judge_from(desk, tx, work, "", now)
}

/// The engine's part: lines of planned work that has changed, or has ended. Answers how many windows it looked at.
///
/// # Errors
/// The database's.
pub fn round(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<usize, DbError> {
    let Some((work, upto)) = planned::to_look_at(tx, now)? else { return Ok(0) };
    judge_from(desk, tx, &work, &upto, now)?;
    Ok(1)
}

fn judge_from(desk: &Desk, tx: &mut Tx<'_>, work: &Work, after: &str, now: UnixMs) -> Result<(), DbError> {
    let Window { id, from, to, .. } = work.window;
    let lines = planned::lines(tx, work, after, LINES_PER_TRANSACTION_MAX as i64)?;
    let last = lines.last().cloned().unwrap_or_default();
    let more = lines.len() == LINES_PER_TRANSACTION_MAX;
    let keys: Vec<_> = lines.iter().map(|line| faults::lock_key(line)).collect();
    tx.lock(&keys)?;
    if more {
        planned::look(tx, id, Some(now), &last)?;
    } else {
        let at = (to + LOOK_AFTER_MS > now && work.cancelled_at.is_none()).then_some(to + LOOK_AFTER_MS);
        planned::look(tx, id, at, "")?;
    }
    let mut touched = BTreeMap::new();
    for line in lines {
        // What began in work that this one goes on from may overrun now, or not.
        if planned::has_facts(tx, &line, from - WORK_MS_MAX, to)? {
            touched.insert(line, Touched::at(from));
        }
    }
    desk.settle(tx, &touched, now)?;
    Ok(())
}

/// The work that a report at a moment falls into: the one that ends last.
///
/// # Errors
/// The database's.
pub fn under_way(desk: &Desk, tx: &mut Tx<'_>, line: &str, at: UnixMs) -> Result<Option<Work>, DbError> {
    let versions = desk.packs.versions(tx)?;
    let Some(rules) = lines::rules(tx, line, &versions)? else { return Ok(None) };
    let windows = planned::windows_of_lines(tx, &[line])?.pop().unwrap_or_default();
    let exempting =
        windows.into_iter().filter(|window| window.from <= at && at < window.to && rules.exempts(window.id));
    match exempting.max_by_key(|window| window.to) {
        Some(window) => planned::one(tx, window.id),
        None => Ok(None),
    }
}
