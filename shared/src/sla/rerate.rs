//! Other rules for a fault that is open: re-rated by a person's decision, or only looked at before that.
//!
//! A re-rate keeps the start and the pauses. What was kept, missed or over before it stays as it was: only the work
//! itself, or a pause, corrects a miss (domain.md, "Re-rated while open").

use uuid::Uuid;

use super::countable::Countable;
use super::deadline::{Deadline, DeadlineKind};
use super::fault::{Fault, Former, State, Terms};
use super::rules::LineRules;
use crate::rules::{Pack, Tier};
use crate::time::UnixMs;

/// The most re-rates of one fault.
const RERATES_MAX: usize = 20;

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

    /// Promised by another tier or version from now on; answers why not.
    pub(super) fn rerate(
        &mut self,
        at: UnixMs,
        tier: Option<&str>,
        version: Option<&str>,
        rules: &LineRules,
    ) -> Result<(), String> {
        if !self.state.is_live() || self.state == State::Suspected {
            return Err(format!("a fault is re-rated while it is open; it is {}", self.state.name()));
        }
        if self.former.len() >= RERATES_MAX {
            return Err(format!("a fault is re-rated at most {RERATES_MAX} times"));
        }
        let (pack_name, known) = (&self.terms.pack, &self.terms.version);
        let version = version.unwrap_or(known);
        let pack = rules.version(pack_name, version).ok_or_else(|| {
            format!("the pack {pack_name} has no version \"{version}\" that is or was in force")
        })?;
        let name = tier.unwrap_or(&self.terms.tier.name);
        let tier = pack.tier_for(name, &self.terms.service).ok_or_else(|| {
            let tiers: Vec<&str> = pack.tiers.iter().map(|tier| tier.name.as_str()).collect();
            format!("\"{name}\" is no tier of the pack {pack_name} {version}; it has: {}", tiers.join(", "))
        })?;
        // A fault from before its customer was admitted is promised something from here on.
        let promised = rules.terms_at(at).promised;
        let terms = Terms { version: pack.version.clone(), tier, promised, ..self.terms.clone() };
        if terms == self.terms {
            return Err("it is promised by that tier and version already".to_owned());
        }
        let terms = std::mem::replace(&mut self.terms, terms);
        self.former.push(Former { until: at, terms, countable: Countable::default() });
        Ok(())
    }

    /// The tier that held at a moment.
    #[must_use]
    pub fn tier_at(&self, at: UnixMs) -> &Tier {
        &self.terms_at(at).tier
    }

    /// Whether anything was promised at a moment.
    #[must_use]
    pub fn is_promised_at(&self, at: UnixMs) -> bool {
        self.terms_at(at).promised
    }

    fn terms_at(&self, at: UnixMs) -> &Terms {
        let former = self.former.iter().find(|former| at < former.until);
        former.map_or(&self.terms, |former| &former.terms)
    }

    /// Counts the working time that its limits need, now and before it was re-rated.
    pub(super) fn count(&mut self, rules: &LineRules) {
        let former: Vec<Former> = std::mem::take(&mut self.former);
        self.countable = Countable::of(self, rules.pack_of(self));
        self.former = former
            .into_iter()
            .map(|former| {
                let then = Self { terms: former.terms.clone(), ..self.clone() };
                Former { countable: Countable::of(&then, rules.pack_of(&then)), ..former }
            })
            .collect();
    }
}

/// The promises of a fault through its re-rates. What had ended, or had been missed, when a re-rate came is as it was
/// under the terms before it; the rest is as it is under those after it.
pub(super) fn through_rerates(fault: &Fault, promises: fn(&Fault) -> Vec<Deadline>) -> Vec<Deadline> {
    let mut list: Option<(UnixMs, Vec<Deadline>)> = None;
    let by = |former: &Former| {
        let (terms, countable) = (former.terms.clone(), former.countable.clone());
        promises(&Fault { terms, countable, former: Vec::new(), ..fault.clone() })
    };
    for former in &fault.former {
        let after = by(former);
        list = Some((former.until, join(list, after)));
    }
    join(list, promises(fault))
}

fn join(before: Option<(UnixMs, Vec<Deadline>)>, mut after: Vec<Deadline>) -> Vec<Deadline> {
    let Some((at, before)) = before else { return after };
    let is_settled =
        |one: &Deadline| one.due_at < at || one.ended.is_some_and(|(ended_at, _)| ended_at <= at);
    for settled in before.into_iter().filter(is_settled) {
        let same = |one: &&mut Deadline| (one.kind, one.period) == (settled.kind, settled.period);
        match after.iter_mut().find(same) {
            Some(one) => *one = settled,
            None => after.push(settled),
        }
    }
    after
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
