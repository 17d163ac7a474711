//! What would be owed by other rules: nothing is changed, two lists of promises are compared.

use uuid::Uuid;

use super::countable::Countable;
use super::deadline::{Deadline, DeadlineKind};
use super::fault::Fault;
use crate::rules::Pack;
use crate::time::UnixMs;

/// A promise that is open, and would be due at another time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What is owed.
    pub kind: DeadlineKind,
    /// The fact that began it; none for the first of its kind.
    pub begun_by: Option<Uuid>,
    /// When it is due; none where it is not promised.
    pub from: Option<UnixMs>,
    /// When it would be due; none where it would not be promised.
    pub to: Option<UnixMs>,
}

impl Fault {
    /// The fault as it would be under a pack: its limits are that pack's, its start and its pauses stay. None where the
    /// pack has no such tier.
    #[must_use]
    pub fn under(&self, pack: &Pack) -> Option<Self> {
        let mut fault = self.clone();
        fault.terms.tier = pack.tier_for(&self.terms.tier.name, &self.terms.service)?;
        fault.terms.pack.clone_from(&pack.name);
        fault.terms.version.clone_from(&pack.version);
        fault.countable = Countable::of(&fault, pack);
        Some(fault)
    }
}

/// The promises that are open in one list and due at another time, or not promised, in the other.
#[must_use]
pub fn moved(now: &[Deadline], then: &[Deadline]) -> Vec<Moved> {
    let keys = |list: &[Deadline]| -> Vec<(DeadlineKind, Option<Uuid>)> {
        list.iter().filter(|one| one.ended.is_none()).map(|one| (one.kind, one.period.begun_by)).collect()
    };
    let mut all = keys(now);
    all.extend(keys(then));
    all.sort_unstable();
    all.dedup();
    all.into_iter()
        .map(|(kind, begun_by)| {
            // Of what comes again and again, the last one is open.
            let due = |list: &[Deadline]| {
                let of_kind = |one: &&Deadline| (one.kind, one.period.begun_by) == (kind, begun_by);
                list.iter().rev().find(|one| of_kind(one) && one.ended.is_none()).map(|one| one.due_at)
            };
            Moved { kind, begun_by, from: due(now), to: due(then) }
        })
        .filter(|moved| moved.from != moved.to)
        .collect()
}
