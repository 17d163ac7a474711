//! Service that goes, grows bad, and comes back: the clocks, the outage and the degradations of a fault.

use uuid::Uuid;

use super::fault::{Ending, Fault, FeedbackRun, Run, State};
use super::fold::FACTS_PER_FAULT_MAX;
use super::interval::Interval;
use super::walk::{begun, end};
use crate::detector::LineState;
use crate::facts::Reopening;
use crate::rules::ClockStarts;
use crate::time::UnixMs;

/// What opens a fault, or joins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Evidence that service is out.
    Down,
    /// Evidence that service is there, and worse than promised.
    Degraded,
    /// A person's report, and what evidence says of the line then.
    Report(LineState),
}

impl Opening {
    /// Whether service is out: a report counts as an outage unless probes know better.
    const fn is_outage(self) -> bool {
        matches!(self, Self::Down | Self::Report(LineState::Up | LineState::Down | LineState::Unknown))
    }
}

impl Fault {
    /// Something is wrong with service, by evidence or by a person's report.
    pub(super) fn opened(&mut self, fact: Uuid, at: UnixMs, opening: Opening, clock_starts: ClockStarts) {
        let reported = matches!(opening, Opening::Report(_));
        let first_evidence = !reported && self.detected_at.is_none();
        if reported {
            self.reported_at.get_or_insert(at);
        } else {
            self.detected_at.get_or_insert(at);
        }
        self.proposed_restored_at = None;
        if !self.state.is_working() {
            self.take_back(at);
            // A clock that ran before goes on from the time already spent.
            if opening.is_outage() && !self.clock.is_empty() {
                start(&mut self.clock, at);
            }
            self.owe_feedback_again(fact, at);
        }
        if opening.is_outage() {
            end(&mut self.degraded, at, Ending::Cancelled);
            start(&mut self.outage, at);
            match clock_starts {
                ClockStarts::Report if self.reported_at.is_none() => {}
                // Until something detects it, a fault is promised from the report on.
                ClockStarts::Detection if first_evidence => self.clock = vec![Interval::open(at)],
                _ => start(&mut self.clock, at),
            }
        } else {
            self.degrade(fact, at);
        }
        if reported && self.feedback_running().is_none() {
            self.begin_feedback(fact, at);
        }
    }

    /// Service is there again, or still, but bad: no outage; what was promised for an outage runs on.
    fn degrade(&mut self, fact: Uuid, at: UnixMs) {
        stop(&mut self.outage, at);
        let clock_runs = self.clock.last().is_some_and(|clock| clock.to.is_none());
        if !clock_runs && self.degraded.last().is_none_or(|run| run.ended.is_some()) {
            self.degraded.push(Run { begun_by: Some(fact), from: at, ended: None });
        }
    }

    /// Evidence says that service is well.
    pub(super) fn came_back(&mut self, fact: Uuid, at: UnixMs) {
        stop(&mut self.outage, at);
        if !self.state.is_working() {
            return;
        }
        if self.reported_at.is_none() {
            self.restore(fact, at);
        } else {
            self.proposed_restored_at.get_or_insert(at);
        }
    }

    /// Whether clearing evidence belongs to the fault's story; a line that flaps on and on fills no memory.
    pub(super) fn takes_clearing(&self) -> bool {
        self.state.is_live() && (self.waits_for_clearing() || self.facts.len() < FACTS_PER_FAULT_MAX)
    }

    /// Whether service is out or bad, as far as the fault knows.
    pub(super) fn waits_for_clearing(&self) -> bool {
        self.state.is_working() || self.outage.last().is_some_and(|outage| outage.to.is_none())
    }

    pub(super) fn restore(&mut self, fact: Uuid, at: UnixMs) {
        self.state = State::Restored;
        self.restored_at = Some(at);
        self.last_restored_at = Some(at);
        self.proposed_restored_at = None;
        stop(&mut self.outage, at);
        stop(&mut self.clock, at);
        end(&mut self.degraded, at, Ending::Done);
        self.end_feedback(at, Ending::Cancelled);
        let run = begun(&self.repairs, fact, at);
        self.repairs.push(run);
        let run = Run { begun_by: Some(fact), from: at, ended: None };
        self.feedback.push(FeedbackRun { run, is_back: true });
    }

    /// The restoration is taken back: wholly, or from now on.
    pub(super) fn reopen(&mut self, fact: Uuid, at: UnixMs, case: Reopening) {
        self.take_back(at);
        match case {
            Reopening::NeverCameBack if self.was_degraded_last() => {
                if let Some(run) = self.degraded.last_mut() {
                    run.ended = None;
                }
            }
            Reopening::NeverCameBack => {
                resume(&mut self.clock);
                resume(&mut self.outage);
            }
            Reopening::FailedAgain if self.is_degraded_only() => self.degrade(fact, at),
            Reopening::FailedAgain => {
                // A clock that nothing has started yet is started by what starts clocks, not by this.
                if !self.clock.is_empty() {
                    start(&mut self.clock, at);
                }
                start(&mut self.outage, at);
            }
        }
        self.owe_feedback_again(fact, at);
    }

    /// What followed the restoration is owed no longer.
    fn take_back(&mut self, at: UnixMs) {
        self.state = if self.acknowledged { State::Acknowledged } else { State::Open };
        self.restored_at = None;
        self.closed_at = None;
        end(&mut self.repairs, at, Ending::Cancelled);
        self.end_callbacks(at, Ending::Cancelled);
        self.end_feedback(at, Ending::Cancelled);
    }

    /// Where nobody had to be told yet, nobody has to be told because a probe lost its line again.
    fn owe_feedback_again(&mut self, fact: Uuid, at: UnixMs) {
        if self.reported_at.is_some() || self.feedback_was_owed() {
            self.begin_feedback(fact, at);
        }
    }

    /// Whether what was restored last was a degradation, and no outage.
    fn was_degraded_last(&self) -> bool {
        let outage = self.outage.last().map(|outage| outage.from);
        self.degraded.last().is_some_and(|run| outage.is_none_or(|outage| outage < run.from))
    }
}

fn start(intervals: &mut Vec<Interval>, at: UnixMs) {
    if intervals.last().is_none_or(|last| last.to.is_some()) {
        intervals.push(Interval::open(at));
    }
}

fn stop(intervals: &mut [Interval], at: UnixMs) {
    if let Some(last) = intervals.last_mut().filter(|last| last.to.is_none()) {
        last.to = Some(at);
    }
}

/// Goes on as if it had never stopped.
fn resume(intervals: &mut [Interval]) {
    if let Some(last) = intervals.last_mut() {
        last.to = None;
    }
}
