//! What a fault owes, by when, and whether it was kept: read from the fault, stored nowhere as a truth.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fault::{Ending, Fault, FeedbackRun, Retry, Run};
use super::interval::{Interval, moment_spent, within, without};
use super::rerate::through_rerates;
use crate::rules::{Limit, MatterKind};
use crate::time::UnixMs;

/// The most passed feedback periods of one stretch that are listed; the earlier ones are counted only.
pub const FEEDBACK_PERIODS_LISTED_MAX: i64 = 200;

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineKind {
    /// Service is back.
    Restoration,
    /// The customer was told how it stands.
    Feedback,
    /// The cause is mended.
    Repair,
    /// The customer was asked whether it is well.
    Callback,
    /// Somebody took it up.
    Answer,
    /// It was handed to the unit that it concerns.
    Routing,
    /// The work is done.
    Resolution,
    /// The customer of an unfinished matter was told how it stands.
    Progress,
    /// A visit was made.
    Visit,
    /// A patrol was made.
    Patrol,
    /// A superior has reviewed the report.
    Review,
    /// A supervisor has decided.
    Supervisor,
    /// A permit to work was returned.
    Permit,
    /// The line's interruption of the year stayed within its limit.
    Interruption,
    /// The line was with service as much as is promised.
    Availability,
}

impl DeadlineKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Restoration,
        Self::Feedback,
        Self::Repair,
        Self::Callback,
        Self::Answer,
        Self::Routing,
        Self::Resolution,
        Self::Progress,
        Self::Visit,
        Self::Patrol,
        Self::Review,
        Self::Supervisor,
        Self::Permit,
        Self::Interruption,
        Self::Availability,
    ];

    /// What a round of that kind of matter owes.
    pub(crate) const fn of_round(kind: MatterKind) -> Self {
        if matches!(kind, MatterKind::Visit) { Self::Visit } else { Self::Patrol }
    }

    /// The kind's name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restoration => "restoration",
            Self::Feedback => "feedback",
            Self::Repair => "repair",
            Self::Callback => "callback",
            Self::Answer => "answer",
            Self::Routing => "routing",
            Self::Resolution => "resolution",
            Self::Progress => "progress",
            Self::Visit => "visit",
            Self::Patrol => "patrol",
            Self::Review => "review",
            Self::Supervisor => "supervisor",
            Self::Permit => "permit",
            Self::Interruption => "interruption",
            Self::Availability => "availability",
        }
    }

    /// Reads [`DeadlineKind::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Which one of its kind a deadline is: the first, or the one that a fact began; and, for feedback, how
/// many periods of that stretch have passed before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// The fact that began the stretch; none for the first.
    pub begun_by: Option<Uuid>,
    /// Periods of the stretch before this one.
    pub passed: u32,
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.begun_by {
            Some(fact) => write!(f, "{}", fact.simple())?,
            None => write!(f, "first")?,
        }
        if self.passed > 0 { write!(f, "+{}", self.passed) } else { Ok(()) }
    }
}

/// One promise of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// What is owed.
    pub kind: DeadlineKind,
    /// Which one of its kind.
    pub period: Period,
    /// Since when.
    pub started_at: UnixMs,
    /// By when: met at this very moment, missed after it.
    pub due_at: UnixMs,
    /// The whole allowance (ms).
    pub allowance_ms: i64,
    /// The warning marks: thousandths of the allowance, and the moment at which so much is spent.
    pub marks: Vec<(u16, UnixMs)>,
    /// How it ended, if it did.
    pub ended: Option<(UnixMs, Ending)>,
    /// Pauses of its clock.
    pub pauses: Vec<Interval>,
    /// Recorded and listed, and told to nobody: a period after the first of a stretch, so that eight silent hours
    /// are sixteen misses and one chain of alerts.
    pub quiet: bool,
}

/// How a deadline stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Status {
    /// Its time runs.
    Running,
    /// Its time stands still.
    Paused,
    /// Kept.
    Met {
        /// When.
        met_at: UnixMs,
    },
    /// Not kept; stays so when the work is done later.
    Missed {
        /// When the work was done after all.
        met_at: Option<UnixMs>,
    },
    /// Owed no longer, in time.
    Cancelled,
}

impl Status {
    /// The status' name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Met { .. } => "met",
            Self::Missed { .. } => "missed",
            Self::Cancelled => "cancelled",
        }
    }

    /// When what was owed was done, in time or late.
    #[must_use]
    pub const fn met_at(self) -> Option<UnixMs> {
        match self {
            Self::Met { met_at } | Self::Missed { met_at: Some(met_at) } => Some(met_at),
            _ => None,
        }
    }

    /// Whether the work may still be done in time.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

impl Deadline {
    /// How it stands. Met if the work's time is at most the due time; missed once now is beyond it.
    #[must_use]
    pub fn status(&self, now: UnixMs) -> Status {
        match self.ended {
            Some((at, Ending::Done)) if at <= self.due_at => Status::Met { met_at: at },
            Some((at, Ending::Done)) => Status::Missed { met_at: Some(at) },
            Some((at, Ending::Cancelled)) if at <= self.due_at => Status::Cancelled,
            Some((_, Ending::Cancelled)) => Status::Missed { met_at: None },
            None if now > self.due_at => Status::Missed { met_at: None },
            None if self.pauses.iter().any(|pause| pause.contains(now)) => Status::Paused,
            None => Status::Running,
        }
    }

    /// What is left of the allowance (ms), negative when overdue. A pause leaves it as it is.
    #[must_use]
    pub fn remaining_ms(&self, now: UnixMs) -> i64 {
        let paused_ms: i64 = self
            .pauses
            .iter()
            .map(|pause| pause.end(self.due_at).min(self.due_at).since(pause.from.max(now)).max(0))
            .sum();
        self.due_at.since(now) - paused_ms
    }
}

/// Every promise of a fault, as of a moment: the moment decides only how many feedback periods passed.
#[must_use]
pub fn deadlines(fault: &Fault, now: UnixMs) -> Vec<Deadline> {
    let mut list = through_rerates(fault, single_promises);
    for feedback in fault.feedback.iter().filter(|feedback| fault.is_promised_at(feedback.run.from)) {
        // A stretch of feedback keeps what was promised when it began.
        let tier = fault.tier_at(feedback.run.from);
        if let Some(every_ms) = tier.feedback_every_ms {
            feedback_periods(feedback, every_ms, &tier.warn_at_permille, now, &mut list);
        }
    }
    list
}

/// What is promised once, by the fault's terms.
fn single_promises(fault: &Fault) -> Vec<Deadline> {
    let tier = &fault.terms.tier;
    if !fault.terms.promised {
        return Vec::new();
    }
    let pauses: Vec<Interval> = fault.pauses.iter().map(|pause| pause.span).collect();
    let mut list = Vec::new();
    list.extend(restoration(fault, &pauses));
    if let Some(within_ms) = tier.degraded_restore_within_ms {
        let limit = Limit::always(within_ms);
        let run = |run| counted(DeadlineKind::Restoration, run, limit, fault, &pauses);
        list.extend(fault.degraded.iter().filter_map(run));
    }
    list.extend(answer(fault));
    if let Some(limit) = tier.repair_within() {
        list.extend(
            fault.repairs.iter().filter_map(|run| counted(DeadlineKind::Repair, run, limit, fault, &pauses)),
        );
    }
    if let Some(limit) = tier.callback_within() {
        list.extend(
            fault.callbacks.iter().filter_map(|run| counted(DeadlineKind::Callback, run, limit, fault, &[])),
        );
        let again = |retry: &Retry| {
            let limit = Limit::always(*tier.callback_retries_ms.get(retry.number as usize)?);
            counted(DeadlineKind::Callback, &retry.run, limit, fault, &[])
        };
        list.extend(fault.retries.iter().filter_map(again));
    }
    let decision_within = Limit::always(tier.supervisor_within_ms);
    let decision = |run| counted(DeadlineKind::Supervisor, run, decision_within, fault, &[]);
    list.extend(fault.supervision.iter().filter_map(decision));
    list
}

/// How many feedback periods have passed unmet until the moment, listed or not.
#[must_use]
pub fn feedback_missed(fault: &Fault, now: UnixMs) -> i64 {
    let passed = |feedback: &FeedbackRun| {
        Some(periods_passed(feedback, fault.tier_at(feedback.run.from).feedback_every_ms?, now))
    };
    fault.feedback.iter().filter(|feedback| fault.is_promised_at(feedback.run.from)).filter_map(passed).sum()
}

fn restoration(fault: &Fault, pauses: &[Interval]) -> Option<Deadline> {
    let first = fault.clock.first()?;
    let mut runs = fault.clock.clone();
    let ended = runs.last().and_then(|run| run.to);
    // Where the clock stopped within the allowance, the due time is where it would have run out.
    if let Some(last) = runs.last_mut() {
        last.to = None;
    }
    let limit = fault.terms.tier.restore_within();
    let pieces = within(&without(&runs, pauses), &fault.countable.from(limit.counts, first.from));
    let within_ms = limit.ms;
    let spent = |permille: i64| moment_spent(&pieces, within_ms * permille / 1_000);
    Some(Deadline {
        kind: DeadlineKind::Restoration,
        period: Period { begun_by: None, passed: 0 },
        started_at: first.from,
        due_at: spent(1_000)?,
        allowance_ms: within_ms,
        marks: fault
            .terms
            .tier
            .warn_at_permille
            .iter()
            .filter_map(|m| Some((*m, spent(i64::from(*m))?)))
            .collect(),
        ended: ended.map(|at| (at, Ending::Done)),
        pauses: pauses.to_vec(),
        quiet: false,
    })
}

/// Somebody takes it up, from the start of the restoration clock on. A fault that is over before is taken up no more.
fn answer(fault: &Fault) -> Option<Deadline> {
    let limit = fault.terms.tier.answer_within?;
    let taken_up = fault.acknowledged_at.map(|at| (at, Ending::Done));
    let over = fault.repairs.first().map(|run| (run.from, Ending::Cancelled));
    let ended = [taken_up, over].into_iter().flatten().min_by_key(|(at, _)| *at);
    let run = Run { begun_by: None, from: fault.clock.first()?.from, ended };
    counted(DeadlineKind::Answer, &run, limit, fault, &[])
}

/// A single promise; none where the calendar does not reach as far as it would have to.
fn counted(
    kind: DeadlineKind,
    run: &Run,
    limit: Limit,
    fault: &Fault,
    pauses: &[Interval],
) -> Option<Deadline> {
    let pieces = without(&fault.countable.from(limit.counts, run.from), pauses);
    let spent = |permille: i64| moment_spent(&pieces, limit.ms * permille / 1_000);
    let marks = &fault.terms.tier.warn_at_permille;
    Some(Deadline {
        kind,
        period: Period { begun_by: run.begun_by, passed: 0 },
        started_at: run.from,
        due_at: spent(1_000)?,
        allowance_ms: limit.ms,
        marks: marks.iter().filter_map(|mark| Some((*mark, spent(i64::from(*mark))?))).collect(),
        ended: run.ended,
        pauses: pauses.to_vec(),
        quiet: false,
    })
}

/// Periods that ended unmet: the due moment lies before the stretch's end, or before now.
fn periods_passed(feedback: &FeedbackRun, every_ms: i64, now: UnixMs) -> i64 {
    let until = feedback.run.ended.map_or(now, |(at, _)| at);
    let passed = (until.since(feedback.run.from) - 1).max(0) / every_ms;
    if feedback.is_back { passed.min(1) } else { passed }
}

fn feedback_periods(
    feedback: &FeedbackRun,
    every_ms: i64,
    marks: &[u16],
    now: UnixMs,
    list: &mut Vec<Deadline>,
) {
    let run = &feedback.run;
    let passed = periods_passed(feedback, every_ms, now);
    let last = if feedback.is_back { 0 } else { passed };
    for period in (passed - FEEDBACK_PERIODS_LISTED_MAX).max(0)..=last {
        let from = run.from + period * every_ms;
        let due_at = from + every_ms;
        // What ended the stretch ended its last period; the earlier ones had passed by then. A message
        // "it is back" that came late was given after all.
        let ended = run.ended.filter(|_| period == last);
        list.push(Deadline {
            kind: DeadlineKind::Feedback,
            period: Period { begun_by: run.begun_by, passed: u32::try_from(period).unwrap_or(u32::MAX) },
            started_at: from,
            due_at,
            allowance_ms: every_ms,
            marks: marks.iter().map(|mark| (*mark, from + every_ms * i64::from(*mark) / 1_000)).collect(),
            ended,
            pauses: Vec::new(),
            quiet: period > 0,
        });
    }
}
