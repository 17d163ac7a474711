//! One round of the deadline engine: what is due is judged, told and saved. Cost grows with what is due.

use linewatch_shared::sla::advance_owed;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{Changes, Desk};
use crate::db::{DbError, Tx};
use crate::store::facts;
use crate::store::faults::{self, Saved};

/// The most faults of one transaction.
pub const FAULTS_PER_ROUND_MAX: i64 = 200;

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Faults that were due.
    pub due: usize,
    /// How late the first of them was (ms).
    pub lag_ms: i64,
    /// The next moment at which something is due.
    pub next: Option<UnixMs>,
}

impl Round {
    /// Two rounds as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let next = self.next.into_iter().chain(other.next).min();
        Self { due: self.due + other.due, lag_ms: self.lag_ms.max(other.lag_ms), next }
    }
}

/// Judges what is due by now. Call it again at once while it answers that as many were due as fit.
///
/// # Errors
/// The database's.
pub fn round(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<Round, DbError> {
    let due = faults::due(tx, now, FAULTS_PER_ROUND_MAX)?;
    let keys: Vec<_> = due.iter().map(|(_, line, _)| faults::lock_key(line)).collect();
    tx.lock(&keys)?;
    let versions = if due.is_empty() { Vec::new() } else { desk.packs.versions(tx)? };
    let mut changes = Changes::default();
    let ids: Vec<_> = due.iter().map(|(id, _, _)| *id).collect();
    judge(tx, &ids, now, &mut changes)?;
    desk.finish(tx, &changes, &versions, now)?;
    Ok(Round {
        due: due.len(),
        lag_ms: due.first().map_or(0, |(_, _, wake)| now.since(*wake)),
        next: faults::next_due(tx)?,
    })
}

/// Judges faults, read again under their lines' locks: another node may have been here before.
fn judge(tx: &mut Tx<'_>, ids: &[Uuid], now: UnixMs, changes: &mut Changes) -> Result<(), DbError> {
    let mut saved = Vec::new();
    for (mut state, joins_until) in faults::still_due(tx, ids, now)? {
        let (owed, effects) = advance_owed(&mut state, now);
        changes.faults.push((state.fault.clone(), effects));
        saved.push(Saved { state, owed, joins_until, wait_until: None });
    }
    faults::save(tx, &saved, now)
}

/// Lines with facts that no fault was found from yet, because the line was not known: now that it is, they
/// are folded.
///
/// # Errors
/// The database's.
pub fn settle_waiting(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<usize, DbError> {
    let waiting = facts::of_lines_now_known(tx, FAULTS_PER_ROUND_MAX)?;
    let count = waiting.len();
    let touched = waiting.into_iter().map(|(line, from)| (line, super::Touched::at(from))).collect();
    desk.settle(tx, &touched, now)?;
    Ok(count)
}
