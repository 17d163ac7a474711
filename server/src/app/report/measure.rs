//! What one fault adds to the figures of a period: a pure function, and the only place that says what a
//! figure means.
//!
//! A promise belongs to the period in which it was decided: where it was kept, if in time, else where it fell
//! due. So figures of a period that is over do not depend on when they are read. An exempt fault adds to the
//! figures of exemptions alone.

use linewatch_shared::sla::{
    Deadline, DeadlineKind, Ending, Fault, FeedbackRun, Interval, Run, State, Status, deadlines,
};
use linewatch_shared::time::UnixMs;

use super::figure::{Figure, Figures};

/// The span of a report in one time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: UnixMs,
    /// The first moment after it.
    pub to: UnixMs,
    /// As of when promises are judged: its end, or the moment of reading while it still runs.
    pub until: UnixMs,
}

impl Span {
    /// Whether the moment lies within.
    #[must_use]
    pub fn contains(&self, at: UnixMs) -> bool {
        self.from <= at && at < self.to
    }
}

/// What a fault adds, without its outage: see [`outage`].
#[must_use]
pub fn measure(fault: &Fault, span: &Span) -> Figures {
    let mut figures = Figures::default();
    if matches!(fault.state, State::Suspected | State::Withdrawn) || fault.started_at >= span.until {
        return figures;
    }
    let mut counted = Figures::default();
    promises(fault, span, &mut counted);
    if fault.exemption.is_some() {
        figures.add(Figure::Exempted, i64::from(span.contains(fault.started_at)));
        figures.add(Figure::ExemptedMissed, counted.get(Figure::Missed));
        return figures;
    }
    figures.add_all(&counted);
    life(fault, span, &mut figures);
    figures
}

/// What was decided in the period of an exempt fault, and of no other: it counts nowhere.
#[must_use]
pub fn exempted(fault: &Fault, span: &Span) -> Figures {
    let mut figures = Figures::default();
    let known = !matches!(fault.state, State::Suspected | State::Withdrawn);
    if fault.exemption.is_some() && known && fault.started_at < span.until {
        promises(fault, span, &mut figures);
    }
    figures
}

/// The stretches without service in the period, for lines' unions; none of an exempt fault.
pub fn outage<'a>(fault: &'a Fault, span: &Span) -> impl Iterator<Item = (UnixMs, UnixMs)> + use<'a> {
    clipped(if fault.counts() { &fault.outage } else { &[] }, *span)
}

/// The same of an exempt fault, and of no other.
pub fn exempt_outage<'a>(fault: &'a Fault, span: &Span) -> impl Iterator<Item = (UnixMs, UnixMs)> + use<'a> {
    clipped(if fault.exemption.is_some() { &fault.outage } else { &[] }, *span)
}

fn clipped(pieces: &[Interval], span: Span) -> impl Iterator<Item = (UnixMs, UnixMs)> {
    let clipped =
        pieces.iter().map(move |piece| (piece.from.max(span.from), piece.end(span.until).min(span.until)));
    clipped.filter(|(from, to)| from < to)
}

fn life(fault: &Fault, span: &Span, figures: &mut Figures) {
    figures.add(Figure::Faults, i64::from(span.contains(fault.started_at)));
    let clock_runs = |piece: &Interval| piece.from < span.until && piece.end(UnixMs::MAX) >= span.until;
    let bad = |run: &Run| Interval { from: run.from, to: run.ended.map(|(at, _)| at) };
    let degraded: Vec<Interval> = fault.degraded.iter().map(bad).collect();
    let out = fault.clock.iter().chain(&fault.outage).chain(&degraded).any(clock_runs);
    figures.add(Figure::Open, i64::from(out));
    if let Some(at) = fault.acknowledged_at.filter(|at| span.contains(*at)) {
        figures.add(Figure::Answered, 1);
        figures.add(Figure::AnswerMs, at.since(fault.started_at));
    }
    if fault.restored_at.is_some_and(|at| span.contains(at)) {
        figures.add(Figure::Restored, 1);
        let net_ms = fault.net_ms(span.to);
        let gross_ms = if fault.pauses.is_empty() { net_ms } else { unpaused(fault).net_ms(span.to) };
        figures.add(Figure::RestorationGrossMs, gross_ms);
        figures.add(Figure::RestorationNetMs, net_ms);
    }
    callbacks(fault, span, figures);
}

/// Callbacks in which the customer was reached; the satisfied one closes the fault.
fn callbacks(fault: &Fault, span: &Span, figures: &mut Figures) {
    let runs = fault.callbacks.iter().chain(fault.retries.iter().map(|retry| &retry.run));
    let done = runs.filter_map(|run| run.ended).filter(|(_, ending)| *ending == Ending::Done);
    let mut reached: Vec<UnixMs> = done.map(|(at, _)| at).collect();
    let satisfied_at = fault.closed_at.filter(|_| fault.state == State::Closed);
    // While a supervisor's decision is owed no callback is, and the customer may be reached all the same.
    reached.extend(satisfied_at.filter(|at| !reached.contains(at)));
    for at in reached.into_iter().filter(|at| span.contains(*at)) {
        figures.add(Figure::CallbackDone, 1);
        figures.add(Figure::CallbackSatisfied, i64::from(satisfied_at == Some(at)));
        figures.add(Figure::CallbackUnsatisfied, i64::from(satisfied_at != Some(at)));
    }
}

fn promises(fault: &Fault, span: &Span, figures: &mut Figures) {
    let list = deadlines(fault, span.until);
    for deadline in &list {
        let figure = match deadline.kind {
            DeadlineKind::Restoration => Some((Figure::RestorationKept, Figure::RestorationMissed)),
            DeadlineKind::Answer => Some((Figure::AnswerKept, Figure::AnswerMissed)),
            DeadlineKind::Repair => Some((Figure::RepairKept, Figure::RepairMissed)),
            DeadlineKind::Callback => Some((Figure::CallbackKept, Figure::CallbackMissed)),
            // Counted below: a long stretch lists only its last periods.
            DeadlineKind::Feedback => continue,
            // A supervisor's decision: a miss like every other.
            _ => None,
        };
        match (decided(deadline, span), figure) {
            (Some(true), Some((kept, _))) => figures.add(kept, 1),
            (Some(false), Some((_, missed))) => {
                figures.add(missed, 1);
                figures.add(Figure::Missed, 1);
            }
            (Some(false), None) => figures.add(Figure::Missed, 1),
            (Some(true) | None, _) => {}
        }
    }
    gross(fault, &list, span, figures);
    if let Some(every_ms) = fault.terms.tier.feedback_every_ms {
        for run in &fault.feedback {
            feedback(run, every_ms, span, figures);
        }
    }
}

/// The fault as if no pause had been granted.
fn unpaused(fault: &Fault) -> Fault {
    Fault { pauses: Vec::new(), ..fault.clone() }
}

/// Restorations that would have been in time if pauses counted too.
fn gross(fault: &Fault, list: &[Deadline], span: &Span, figures: &mut Figures) {
    let kept = |list: &[Deadline]| {
        let restorations = list.iter().filter(|deadline| deadline.kind == DeadlineKind::Restoration);
        restorations.filter(|deadline| decided(deadline, span) == Some(true)).count() as i64
    };
    let in_time =
        if fault.pauses.is_empty() { kept(list) } else { kept(&deadlines(&unpaused(fault), span.until)) };
    figures.add(Figure::RestorationKeptGross, in_time);
}

/// Whether the promise was kept, where it was decided in the period.
pub(in crate::app) fn decided(deadline: &Deadline, span: &Span) -> Option<bool> {
    match deadline.status(span.until) {
        Status::Met { met_at } => span.contains(met_at).then_some(true),
        Status::Missed { .. } => span.contains(deadline.due_at).then_some(false),
        Status::Running | Status::Paused | Status::Cancelled => None,
    }
}

fn feedback(feedback: &FeedbackRun, every_ms: i64, span: &Span, figures: &mut Figures) {
    let run = &feedback.run;
    // Periods whose due time lies before a moment.
    let due_before = |at: UnixMs| {
        let periods = (at.since(run.from) - 1).max(0) / every_ms;
        if feedback.is_back { periods.min(1) } else { periods }
    };
    let stop = run.ended.map_or(span.until, |(at, _)| at.min(span.until));
    let missed = (due_before(stop) - due_before(span.from)).max(0);
    figures.add(Figure::FeedbackMissed, missed);
    figures.add(Figure::Missed, missed);
    if let Some((at, Ending::Done)) = run.ended {
        let in_time = !feedback.is_back || at.since(run.from) <= every_ms;
        figures.add(Figure::FeedbackKept, i64::from(in_time && span.contains(at)));
    }
}
