//! Asking the customer of a matter whether it is well, by the same schedule as of a fault.

use uuid::Uuid;

use super::fold::{class, within};
use super::state::{Matter, MatterState};
use crate::facts::Callback;
use crate::rules::{ClosedBy, Limit, Pack};
use crate::sla::{DeadlineKind, Ending, InVain, after_call_in_vain};
use crate::time::UnixMs;

impl Matter {
    pub(super) fn callback(
        &mut self,
        fact: Uuid,
        at: UnixMs,
        result: Callback,
        pack: &Pack,
    ) -> Result<(), String> {
        match result {
            Callback::NotReached => return self.called_in_vain(fact, at, pack),
            Callback::Satisfied => self.end_callbacks(at, Ending::Done),
            Callback::Unsatisfied | Callback::StillDown => {
                self.back_to_work(fact, at, pack)?;
                self.end_callbacks(at, Ending::Done);
            }
        }
        if result == Callback::Satisfied && self.closed_by != ClosedBy::Signature {
            self.close(at, MatterState::Closed);
        }
        Ok(())
    }

    /// What was owed was tried; it is owed again by the class' schedule, and after that by a supervisor.
    fn called_in_vain(&mut self, fact: Uuid, at: UnixMs, pack: &Pack) -> Result<(), String> {
        let supervisor_decides = self.running(DeadlineKind::Supervisor).is_some();
        if self.running(DeadlineKind::Callback).is_none() && !supervisor_decides {
            return Ok(());
        }
        let class = class(pack, self.kind, &self.class)?;
        let next =
            after_call_in_vain(self.callback_retry, supervisor_decides, class.callback_retries_ms.len());
        let (kind, allowance_ms) = match next {
            InVain::Nothing => return Ok(()),
            InVain::Again(number) => {
                let allowance_ms =
                    class.callback_retries_ms.get(number as usize).copied().unwrap_or_default();
                (DeadlineKind::Callback, allowance_ms)
            }
            InVain::Supervisor => (DeadlineKind::Supervisor, class.supervisor_within_ms),
        };
        let term = within(pack, Limit::always(allowance_ms), at)?;
        self.end_callbacks(at, Ending::Cancelled);
        self.owes_next(kind, fact, at, term);
        if let InVain::Again(number) = next {
            self.callback_retry = Some(number);
        }
        Ok(())
    }

    /// Ends whichever callback is owed, and with it a supervisor's decision: the customer was reached after all.
    fn end_callbacks(&mut self, at: UnixMs, ending: Ending) {
        self.callback_retry = None;
        self.end(DeadlineKind::Callback, at, ending);
        self.end(DeadlineKind::Supervisor, at, Ending::Cancelled);
    }
}
