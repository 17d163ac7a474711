//! Asking the customer: until somebody answers, by the pack's schedule, and then by a supervisor's decision. The
//! schedule is the same for faults and for matters.

use uuid::Uuid;

use super::fault::{Ending, Fault, Retry, Run, State};
use super::walk::{begun, end};
use crate::detector::LineState;
use crate::facts::{Callback, Reopening};
use crate::time::UnixMs;

/// What is owed after a call in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InVain {
    /// Another callback: which one of the schedule, from 0 on.
    Again(u32),
    /// A supervisor's decision: the schedule is used up.
    Supervisor,
    /// Nothing new: the supervisor is to decide already.
    Nothing,
}

/// Goes on in a schedule of so many retries; `running` is the one that was owed, where it was one.
pub(crate) const fn after_call_in_vain(
    running: Option<u32>,
    supervisor_decides: bool,
    retries: usize,
) -> InVain {
    if supervisor_decides {
        return InVain::Nothing;
    }
    let next = match running {
        Some(number) => number + 1,
        None => 0,
    };
    if (next as usize) < retries { InVain::Again(next) } else { InVain::Supervisor }
}

impl Fault {
    pub(super) fn callback(&mut self, fact: Uuid, at: UnixMs, result: Callback, line: LineState) {
        if result == Callback::NotReached {
            self.called_in_vain(fact, at);
            return;
        }
        self.end_callbacks(at, Ending::Done);
        match result {
            Callback::NotReached => {}
            Callback::Satisfied => self.close(at, State::Closed),
            Callback::StillDown => self.reopen(fact, at, Reopening::FailedAgain),
            // The probes have said so all along: the restoration never was one.
            Callback::Unsatisfied if line == LineState::Down => {
                self.reopen(fact, at, Reopening::NeverCameBack);
            }
            Callback::Unsatisfied => {
                self.state = State::Restored;
                if let Some(repair) = self.repairs.last_mut() {
                    repair.ended = None;
                }
            }
        }
    }

    /// What was owed was tried; it is owed again by the pack's schedule, and after that by a supervisor.
    fn called_in_vain(&mut self, fact: Uuid, at: UnixMs) {
        let supervisor_decides = self.supervision.last().is_some_and(|run| run.ended.is_none());
        let running = self.retries.last().filter(|retry| retry.run.ended.is_none()).map(|retry| retry.number);
        let retries = self.terms.tier.callback_retries_ms.len();
        let next = after_call_in_vain(running, supervisor_decides, retries);
        if next != InVain::Nothing {
            self.end_callbacks(at, Ending::Cancelled);
        }
        match next {
            InVain::Nothing => {}
            InVain::Again(number) => {
                let run = Run { begun_by: Some(fact), from: at, ended: None };
                self.retries.push(Retry { run, number });
            }
            InVain::Supervisor => {
                let run = begun(&self.supervision, fact, at);
                self.supervision.push(run);
            }
        }
    }

    /// Nothing is owed any more.
    pub(super) fn close(&mut self, at: UnixMs, state: State) {
        self.state = state;
        self.closed_at = Some(at);
        end(&mut self.repairs, at, Ending::Cancelled);
        end(&mut self.supervision, at, Ending::Done);
        self.end_callbacks(at, Ending::Cancelled);
        self.end_feedback(at, Ending::Cancelled);
    }

    /// Ends whichever callback is owed, and with it a supervisor's decision: the customer was reached after all.
    pub(super) fn end_callbacks(&mut self, at: UnixMs, ending: Ending) {
        end(&mut self.callbacks, at, ending);
        if let Some(retry) = self.retries.last_mut().filter(|retry| retry.run.ended.is_none()) {
            retry.run.ended = Some((at, ending));
        }
        end(&mut self.supervision, at, Ending::Cancelled);
    }
}
