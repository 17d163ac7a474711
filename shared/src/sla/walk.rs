//! What each fact does to a fault. Called in fold order only.

use uuid::Uuid;

use super::fault::{Ending, Exemption, Fault, FeedbackRun, Pause, Run, State};
use super::interval::Interval;
use crate::detector::LineState;
use crate::facts::StepKind;
use crate::rules::Pack;
use crate::time::UnixMs;

impl Fault {
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
                self.acknowledged_at.get_or_insert(at);
                if self.feedback_running().is_none() {
                    self.begin_feedback(fact, at);
                }
            }
            // Who comes to mend what works again changes nothing of where it stands.
            StepKind::Arrived if !self.state.is_working() => {}
            StepKind::Dispatched | StepKind::Arrived => {
                self.state = State::Dispatched;
                self.acknowledged = true;
                self.acknowledged_at.get_or_insert(at);
            }
            StepKind::Restored => self.restore(fact, at),
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
            // Merges and splits were judged before the walk; a re-rate needs the rules of the line.
            StepKind::Merged { .. }
            | StepKind::Split { .. }
            | StepKind::Rerated { .. }
            | StepKind::Note { .. } => {}
        }
        Ok(())
    }

    fn refusal(&self, step: &str) -> String {
        format!("\"{step}\" is not possible while the fault is {}", self.state.name())
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

    /// Whether anybody ever had to be told how the open fault stands.
    pub(super) fn feedback_was_owed(&self) -> bool {
        self.feedback.iter().any(|feedback| !feedback.is_back)
    }

    pub(super) fn feedback_running(&mut self) -> Option<&mut FeedbackRun> {
        self.feedback.last_mut().filter(|feedback| feedback.run.ended.is_none())
    }

    pub(super) fn begin_feedback(&mut self, fact: Uuid, at: UnixMs) {
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
