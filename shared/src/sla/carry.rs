//! After a refold: what was told of the old faults goes over to the new ones.

use super::advance::{FaultState, Ledger};
use super::fault::{Fault, State};

/// The most ledgers of faults that have become another's; further ones are forgotten.
const FORMER_MAX: usize = 16;

/// Gives each new fault the ledgers of all the old ones whose id it answers to. An old fault to which no
/// new one answers was taken away by later facts: it is withdrawn, and its id still answers. A fault that is
/// one of its own again takes up what had been told of it.
#[must_use]
pub fn carry(old: Vec<FaultState>, new: Vec<Fault>) -> Vec<FaultState> {
    let mut states: Vec<FaultState> = new
        .into_iter()
        .map(|fault| FaultState { ledger: again(&old, &fault), fault, former: Vec::new() })
        .collect();
    for mut gone in old {
        let Some(state) = states.iter_mut().find(|state| state.fault.answers_to(gone.fault.id)) else {
            withdraw(&mut gone.fault);
            states.push(gone);
            continue;
        };
        let FaultState { fault, ledger, former } = gone;
        state.former.extend(former.into_iter().filter(|(id, _)| state.fault.answers_to(*id)));
        if fault.id != state.fault.id {
            state.former.push((fault.id, ledger.clone()));
        }
        state.ledger.absorb(ledger);
    }
    for state in &mut states {
        state.former.sort_by_key(|(id, _)| *id);
        state.former.dedup_by_key(|(id, _)| *id);
        state.former.truncate(FORMER_MAX);
    }
    states
}

/// What had been told of a fault before it became another's.
fn again(old: &[FaultState], fault: &Fault) -> Ledger {
    if old.iter().any(|state| state.fault.id == fault.id) {
        return Ledger::default();
    }
    let former = old.iter().flat_map(|state| &state.former);
    former.filter(|(id, _)| *id == fault.id).map(|(_, ledger)| ledger.clone()).next().unwrap_or_default()
}

fn withdraw(fault: &mut Fault) {
    fault.state = State::Withdrawn;
    fault.clock.clear();
    fault.outage.clear();
    fault.degraded.clear();
    fault.feedback.clear();
    fault.repairs.clear();
    fault.callbacks.clear();
    fault.retries.clear();
    fault.supervision.clear();
    fault.proposed_restored_at = None;
}
