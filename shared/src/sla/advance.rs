//! What has to be told, and when to look again. The ledger remembers what was told; it is never an input
//! to a figure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::deadline::{Deadline, DeadlineKind, Period, Status, deadlines};
use super::fault::Fault;
use crate::time::UnixMs;

/// An effect that fires more than this after its own moment says that it is late (ms).
pub const LATE_AFTER_MS: i64 = 60_000;
/// The most verdicts kept of one deadline; the oldest go first.
const HISTORY_MAX: usize = 32;
/// How far a moment may lie before the last one that was judged and still be one of somebody who had to wait in between, for a
/// lock or for the one writer (ms). Further back it is a clock that was set right.
const WAITED_MAX_MS: i64 = 120_000;
/// The mark of the miss itself, in thousandths.
const MISS_PERMILLE: u16 = 1_000;

/// The moment of a deadline's life that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// So many thousandths of the allowance are spent.
    Warning(u16),
    /// The due time has passed.
    Missed,
    /// The work was done after the due time.
    MetLate,
    /// What was told as missed is not: a fact with a time of its own before the due time came late.
    Corrected,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Warning(permille) if permille % 10 == 0 => write!(f, "warn_{}", permille / 10),
            Self::Warning(permille) => write!(f, "warn_{}.{}", permille / 10, permille % 10),
            Self::Missed => write!(f, "missed"),
            Self::MetLate => write!(f, "met_late"),
            Self::Corrected => write!(f, "corrected"),
        }
    }
}

/// The verdict on a deadline, as it was last stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not decided.
    Open,
    /// Kept.
    Met,
    /// Not kept.
    Missed,
    /// Owed no longer.
    Cancelled,
}

impl Verdict {
    const fn of(status: Status) -> Self {
        match status {
            Status::Running | Status::Paused => Self::Open,
            Status::Met { .. } => Self::Met,
            Status::Missed { .. } => Self::Missed,
            Status::Cancelled => Self::Cancelled,
        }
    }

    /// The verdict's name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A verdict that once was, with its own time and the time at which it was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastVerdict {
    /// The verdict.
    pub verdict: Verdict,
    /// The moment that it speaks of.
    pub at: UnixMs,
    /// When it was learnt.
    pub learnt_at: UnixMs,
}

/// What the ledger holds of one deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// How often a decided verdict has changed.
    pub turn: u32,
    /// The last verdict.
    pub verdict: Verdict,
    /// The highest mark that was told, or passed over for a higher one.
    pub told_permille: u16,
    /// Whether "met late" was told.
    pub met_late_told: bool,
    /// Earlier verdicts, oldest first.
    pub history: Vec<PastVerdict>,
}

impl LedgerEntry {
    const fn new() -> Self {
        Self { turn: 0, verdict: Verdict::Open, told_permille: 0, met_late_told: false, history: Vec::new() }
    }
}

/// What was told of a fault, by deadline. Only a stretch's first feedback period has an entry: eight
/// silent hours are sixteen misses and one chain of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    entries: BTreeMap<(DeadlineKind, Period), LedgerEntry>,
    /// The last moment as of which something new was found.
    #[serde(default)]
    learnt_at: UnixMs,
}

impl Ledger {
    /// The entry of a deadline.
    #[must_use]
    pub fn entry(&self, kind: DeadlineKind, period: Period) -> Option<&LedgerEntry> {
        self.entries.get(&(kind, period))
    }

    /// As of when to judge for whom it is `now`. Two may judge at once, and who looked at the clock first may come second: what
    /// had passed by then stays passed.
    #[must_use]
    pub fn as_of(&self, now: UnixMs) -> UnixMs {
        if self.learnt_at.since(now) <= WAITED_MAX_MS { now.max(self.learnt_at) } else { now }
    }

    /// An allowance may get back what was used of it, when a fault turns out to be exempt or shorter: the marks that it
    /// has not reached any more are told again when it reaches them again.
    pub fn unwarn(&mut self, deadline: &Deadline, now: UnixMs) {
        let reached = deadline.marks.iter().filter(|(_, at)| *at <= now).map(|(permille, _)| *permille).max();
        let Some(entry) = self.entries.get_mut(&(deadline.kind, deadline.period)) else { return };
        let reached = reached.unwrap_or_default();
        if entry.verdict == Verdict::Open && entry.told_permille > reached {
            entry.told_permille = reached;
            entry.turn += 1;
            self.learnt_at = now;
        }
    }

    /// What was told under another id of the same fault counts as told.
    pub fn absorb(&mut self, other: Self) {
        self.learnt_at = self.learnt_at.max(other.learnt_at);
        for (key, theirs) in other.entries {
            match self.entries.get_mut(&key) {
                None => {
                    self.entries.insert(key, theirs);
                }
                Some(ours) => {
                    ours.turn = ours.turn.max(theirs.turn);
                    ours.told_permille = ours.told_permille.max(theirs.told_permille);
                    ours.met_late_told |= theirs.met_late_told;
                    ours.history.extend(theirs.history);
                    ours.history.sort_by_key(|past| past.learnt_at);
                    if theirs.verdict == Verdict::Missed {
                        ours.verdict = Verdict::Missed;
                    }
                }
            }
        }
    }
}

/// A fault and what was told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultState {
    /// The fault.
    pub fault: Fault,
    /// What was told.
    pub ledger: Ledger,
    /// What was told of faults that have become this one's, by their ids: theirs again after a split.
    #[serde(default)]
    pub former: Vec<(Uuid, Ledger)>,
}

/// The key under which an effect happens once, whatever is repeated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectKey {
    /// The fault.
    pub subject: Uuid,
    /// What is owed.
    pub kind: DeadlineKind,
    /// Which one of its kind.
    pub period: Period,
    /// What is told.
    pub mark: Mark,
    /// After how many changes of the verdict.
    pub turn: u32,
}

impl std::fmt::Display for EffectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { subject, kind, period, mark, turn } = self;
        write!(f, "{subject}/{}/{period}/{mark}/{turn}", kind.name())
    }
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its key.
    pub key: EffectKey,
    /// The moment that it speaks of.
    pub at: UnixMs,
    /// True when it is told so long after that moment that it must not sound like news.
    pub late: bool,
    /// When the deadline is, or was, due.
    pub due_at: UnixMs,
}

/// Says what has to be told as of `now`, and remembers it. A second call at the same time says nothing.
pub fn advance(state: &mut FaultState, now: UnixMs) -> Vec<Effect> {
    advance_owed(state, now).1
}

/// The same with what is owed.
pub fn advance_owed(state: &mut FaultState, now: UnixMs) -> (Vec<Deadline>, Vec<Effect>) {
    let now = state.ledger.as_of(now);
    let owed = deadlines(&state.fault, now);
    let effects = judge_all(state.fault.id, &owed, &mut state.ledger, now);
    (owed, effects)
}

/// The same for whatever owes these deadlines, as of a moment that the ledger agrees with.
pub fn judge_all(subject: Uuid, list: &[Deadline], ledger: &mut Ledger, now: UnixMs) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut seen = Vec::new();
    let known = ledger.entries.len();
    for deadline in list.iter().filter(|deadline| !deadline.quiet) {
        let key = (deadline.kind, deadline.period);
        seen.push(key);
        let entry = ledger.entries.entry(key).or_insert_with(LedgerEntry::new);
        let mut tell = |mark: Mark, at: UnixMs, turn: u32| {
            let key = EffectKey { subject, kind: deadline.kind, period: deadline.period, mark, turn };
            effects.push(Effect { key, at, late: now.since(at) > LATE_AFTER_MS, due_at: deadline.due_at });
        };
        judge(entry, deadline, now, &mut tell);
    }
    effects.extend(withdraw_unfounded(subject, ledger, &seen, now));
    let mut decided = ledger.entries.values().filter_map(|entry| entry.history.last());
    if !effects.is_empty() || ledger.entries.len() > known || decided.any(|last| last.learnt_at == now) {
        ledger.learnt_at = now;
    }
    effects
}

fn judge(
    entry: &mut LedgerEntry,
    deadline: &Deadline,
    now: UnixMs,
    tell: &mut impl FnMut(Mark, UnixMs, u32),
) {
    let status = deadline.status(now);
    let verdict = Verdict::of(status);
    let warned = deadline.marks.iter().rev().find(|(_, at)| *at <= now).copied();
    if entry.verdict != verdict {
        let decided_before = entry.verdict != Verdict::Open;
        let alarmed = entry.verdict == Verdict::Missed && entry.told_permille == MISS_PERMILLE;
        remember(entry, verdict, decided_at(deadline, status, now), now);
        if decided_before {
            entry.turn += 1;
            entry.met_late_told = false;
            entry.told_permille = warned.map_or(0, |(permille, _)| permille);
            if alarmed {
                tell(Mark::Corrected, decided_at(deadline, status, now), entry.turn);
            }
        }
    } else if verdict != Verdict::Open {
        // The verdict stands, but speaks of another moment now: that is kept too.
        let at = decided_at(deadline, status, now);
        if entry.history.last().is_some_and(|last| last.at != at) {
            remember(entry, verdict, at, now);
        }
    }
    match status {
        Status::Running | Status::Paused => {
            if let Some((permille, at)) = warned.filter(|(permille, _)| *permille > entry.told_permille) {
                entry.told_permille = permille;
                tell(Mark::Warning(permille), at, entry.turn);
            }
        }
        Status::Missed { met_at } => {
            if entry.told_permille < MISS_PERMILLE {
                entry.told_permille = MISS_PERMILLE;
                tell(Mark::Missed, deadline.due_at, entry.turn);
            }
            if let Some(met_at) = met_at.filter(|_| !entry.met_late_told) {
                entry.met_late_told = true;
                tell(Mark::MetLate, met_at, entry.turn);
            }
        }
        Status::Met { .. } | Status::Cancelled => {}
    }
}

/// The moment of which a verdict speaks: a miss is marked at its own time, whenever it is learnt.
fn decided_at(deadline: &Deadline, status: Status, now: UnixMs) -> UnixMs {
    match status {
        Status::Met { met_at } => met_at,
        Status::Missed { .. } => deadline.due_at,
        Status::Cancelled => deadline.ended.map_or(now, |(at, _)| at),
        Status::Running | Status::Paused => now,
    }
}

fn remember(entry: &mut LedgerEntry, verdict: Verdict, at: UnixMs, now: UnixMs) {
    entry.verdict = verdict;
    entry.history.push(PastVerdict { verdict, at, learnt_at: now });
    if entry.history.len() > HISTORY_MAX {
        entry.history.remove(0);
    }
}

/// Deadlines that later facts took away: whoever was alarmed is told.
fn withdraw_unfounded(
    subject: Uuid,
    ledger: &mut Ledger,
    seen: &[(DeadlineKind, Period)],
    now: UnixMs,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (key, entry) in &mut ledger.entries {
        if seen.contains(key) || entry.verdict == Verdict::Cancelled {
            continue;
        }
        let alarmed = entry.verdict == Verdict::Missed && entry.told_permille == MISS_PERMILLE;
        remember(entry, Verdict::Cancelled, now, now);
        entry.turn += 1;
        if alarmed {
            let (kind, period) = *key;
            let key = EffectKey { subject, kind, period, mark: Mark::Corrected, turn: entry.turn };
            effects.push(Effect { key, at: now, late: false, due_at: now });
        }
    }
    effects
}

/// The next moment at which [`advance`] may have something to tell, or a feedback period passes.
#[must_use]
pub fn next_wake(state: &FaultState, now: UnixMs) -> Option<UnixMs> {
    next_mark(&deadlines(&state.fault, now), &state.ledger, now)
}

/// The same for whatever owes these deadlines.
#[must_use]
pub fn next_mark(list: &[Deadline], ledger: &Ledger, now: UnixMs) -> Option<UnixMs> {
    let open = list.iter().filter(|deadline| deadline.status(now).is_open());
    open.flat_map(|deadline| {
        let told = ledger.entry(deadline.kind, deadline.period).map_or(0, |entry| entry.told_permille);
        let marks = deadline.marks.iter().filter(move |(permille, _)| *permille > told).map(|(_, at)| *at);
        let pauses = deadline.pauses.iter().filter_map(|pause| pause.to);
        marks.chain(pauses).chain([deadline.due_at + 1])
    })
    .filter(|at| *at > now)
    .min()
}
