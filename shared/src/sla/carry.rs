//! After a refold: what was told of the old faults goes over to the new ones.

use super::advance::{FaultState, Ledger};
use super::fault::{Fault, State};

/// Gives each new fault the ledgers of all the old ones whose id it answers to. An old fault to which no
/// new one answers was taken away by later facts: it is withdrawn, and its id still answers.
#[must_use]
pub fn carry(old: Vec<FaultState>, new: Vec<Fault>) -> Vec<FaultState> {
    let mut states: Vec<FaultState> =
        new.into_iter().map(|fault| FaultState { fault, ledger: Ledger::default() }).collect();
    for mut gone in old {
        if let Some(state) = states.iter_mut().find(|state| state.fault.answers_to(gone.fault.id)) {
            state.ledger.absorb(gone.ledger);
        } else {
            withdraw(&mut gone.fault);
            states.push(gone);
        }
    }
    states
}

fn withdraw(fault: &mut Fault) {
    fault.state = State::Withdrawn;
    fault.clock.clear();
    fault.outage.clear();
    fault.feedback.clear();
    fault.repairs.clear();
    fault.callbacks.clear();
    fault.proposed_restored_at = None;
}
