//! What each fact does to a fault. Called in fold order only.

use uuid::Uuid;

use super::fault::{Ending, Exemption, Fault, FeedbackRun, Pause, Run, State};
use super::fold::FACTS_PER_FAULT_MAX;
use super::interval::Interval;
use crate::detector::LineState;
use crate::facts::{Reopening, StepKind};
use crate::rules::{ClockStarts, Pack};
use crate::time::UnixMs;

impl Fault {
    /// Service is down, by evidence or by a person's report.
    pub(super) fn opened(&mut self, fact: Uuid, at: UnixMs, reported: bool, clock_starts: ClockStarts) {
        let first_evidence = !reported && self.detected_at.is_none();
        if reported {
            self.reported_at.get_or_insert(at);
        } else {
            self.detected_at.get_or_insert(at);
        }
        self.proposed_restored_at = None;
        if !self.state.is_working() {
            self.reopen(fact, at, Reopening::FailedAgain);
        }
        start(&mut self.outage, at);
        match clock_starts {
            ClockStarts::Report if self.reported_at.is_none() => {}
            // Until something detects it, a fault is promised from the report on.
            ClockStarts::Detection if first_evidence => self.clock = vec![Interval::open(at)],
            _ => start(&mut self.clock, at),
        }
        if reported && self.feedback_running().is_none() {
            self.begin_feedback(fact, at);
        }
    }

    /// Evidence says that service is back.
    pub(super) fn came_back(&mut self, fact: Uuid, at: UnixMs) {
        stop(&mut self.outage, at);
        if !self.state.is_working() {
            return;
        }
        if self.reported_at.is_none() {
            self.restore(fact, at);
        } else {
            self.proposed_restored_at = Some(at);
        }
    }

    /// Whether clearing evidence belongs to the fault's story; a line that flaps on and on fills no memory.
    pub(super) fn takes_clearing(&self) -> bool {
        self.state.is_live() && (self.outage_runs() || self.facts.len() < FACTS_PER_FAULT_MAX)
    }

    pub(super) fn outage_runs(&self) -> bool {
        self.outage.last().is_some_and(|outage| outage.to.is_none())
    }

    /// A step; answers why it does not fit, where it does not.
    pub(super) fn step(
        &mut self,
        fact: Uuid,
        at: UnixMs,
        kind: &StepKind,
        pack: &Pack,
        line: LineState,
    ) -> Result<(), String> {
        if !self.possible(at).contains(&kind.name()) {
            return Err(self.refusal(kind.name()));
        }
        match kind {
            StepKind::Acknowledged => {
                self.state = State::Acknowledged;
                self.acknowledged = true;
                if self.feedback_running().is_none() {
                    self.begin_feedback(fact, at);
                }
            }
            StepKind::Dispatched => {
                self.state = State::Dispatched;
                self.acknowledged = true;
            }
            StepKind::Restored => {
                stop(&mut self.outage, at);
                self.restore(fact, at);
            }
            StepKind::Repaired => self.repair(fact, at),
            StepKind::Feedback { reached } => self.feedback(fact, at, *reached),
            StepKind::Callback(result) => self.callback(fact, at, *result, line),
            StepKind::Reopened { case, .. } => self.reopen(fact, at, *case),
            StepKind::ClosedUnconfirmed { .. } => self.close(at, State::ClosedUnconfirmed),
            StepKind::Paused { cause, until, grantor, evidence, .. } => {
                known_cause(&pack.pause_causes, cause, "pause")?;
                if *until <= at {
                    return Err("a pause ends after it begins".to_owned());
                }
                let span = Interval { from: at, to: Some(*until) };
                let (cause, evidence, grantor) = (cause.clone(), evidence.clone(), grantor.clone());
                self.pauses.push(Pause { span, cause, evidence, grantor });
            }
            StepKind::Resumed => {
                if let Some(pause) = self.pauses.last_mut() {
                    pause.span.to = Some(at);
                }
            }
            StepKind::Exempted { cause, grantor } => {
                known_cause(&pack.exempt_causes, cause, "exemption")?;
                self.exemption = Some(Exemption { cause: cause.clone(), grantor: grantor.clone(), at });
            }
            // Merges and splits were judged before the walk.
            StepKind::Merged { .. } | StepKind::Split { .. } | StepKind::Note { .. } => {}
        }
        Ok(())
    }

    fn refusal(&self, step: &str) -> String {
        format!("\"{step}\" is not possible while the fault is {}", self.state.name())
    }

    fn restore(&mut self, fact: Uuid, at: UnixMs) {
        self.state = State::Restored;
        self.restored_at = Some(at);
        self.last_restored_at = Some(at);
        self.proposed_restored_at = None;
        stop(&mut self.clock, at);
        self.end_feedback(at, Ending::Cancelled);
        let run = begun(&self.repairs, fact, at);
        self.repairs.push(run);
        let run = Run { begun_by: Some(fact), from: at, ended: None };
        self.feedback.push(FeedbackRun { run, is_back: true });
    }

    fn repair(&mut self, fact: Uuid, at: UnixMs) {
        self.state = State::Repaired;
        end(&mut self.repairs, at, Ending::Done);
        let run = begun(&self.callbacks, fact, at);
        self.callbacks.push(run);
    }

    fn feedback(&mut self, fact: Uuid, at: UnixMs, reached: bool) {
        if !reached {
            return;
        }
        self.end_feedback(at, Ending::Done);
        if self.state.is_working() {
            self.begin_feedback(fact, at);
        }
    }

    /// The restoration is taken back: wholly, or from now on.
    pub(super) fn reopen(&mut self, fact: Uuid, at: UnixMs, case: Reopening) {
        self.state = if self.acknowledged { State::Acknowledged } else { State::Open };
        self.restored_at = None;
        self.closed_at = None;
        end(&mut self.repairs, at, Ending::Cancelled);
        self.end_callbacks(at, Ending::Cancelled);
        self.end_feedback(at, Ending::Cancelled);
        match case {
            Reopening::NeverCameBack => {
                resume(&mut self.clock);
                resume(&mut self.outage);
            }
            Reopening::FailedAgain => {
                // A clock that nothing has started yet is started by what starts clocks, not by this.
                if !self.clock.is_empty() {
                    start(&mut self.clock, at);
                }
                start(&mut self.outage, at);
            }
        }
        // Where nobody had to be told yet, nobody has to be told because a probe lost its line again.
        if self.reported_at.is_some() || self.feedback_was_owed() {
            self.begin_feedback(fact, at);
        }
    }

    /// Whether anybody ever had to be told how the open fault stands.
    fn feedback_was_owed(&self) -> bool {
        self.feedback.iter().any(|feedback| !feedback.is_back)
    }

    fn feedback_running(&mut self) -> Option<&mut FeedbackRun> {
        self.feedback.last_mut().filter(|feedback| feedback.run.ended.is_none())
    }

    fn begin_feedback(&mut self, fact: Uuid, at: UnixMs) {
        let first = !self.feedback_was_owed();
        let run = Run { begun_by: (!first).then_some(fact), from: at, ended: None };
        self.feedback.push(FeedbackRun { run, is_back: false });
    }

    pub(super) fn end_feedback(&mut self, at: UnixMs, ending: Ending) {
        if let Some(feedback) = self.feedback_running() {
            feedback.run.ended = Some((at, ending));
        }
    }
}

/// Refuses a cause that the pack does not list, with those that it does.
pub(crate) fn known_cause(causes: &[crate::rules::Cause], name: &str, what: &str) -> Result<(), String> {
    if causes.iter().any(|cause| cause.name == name) {
        return Ok(());
    }
    let names: Vec<&str> = causes.iter().map(|cause| cause.name.as_str()).collect();
    Err(format!("\"{name}\" is no cause for a {what} in this pack; it knows: {}", names.join(", ")))
}

/// The next run of a list; the first one is known by its place, not by the fact that began it.
pub(super) fn begun(runs: &[Run], fact: Uuid, at: UnixMs) -> Run {
    Run { begun_by: (!runs.is_empty()).then_some(fact), from: at, ended: None }
}

pub(super) fn end(runs: &mut [Run], at: UnixMs, ending: Ending) {
    if let Some(run) = runs.last_mut().filter(|run| run.ended.is_none()) {
        run.ended = Some((at, ending));
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
