//! Counts what programs change on a disk, and stops the disk at the n-th change: there the machine dies.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What happens at the chosen change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// The disk stands still; of a write that is under way so many 512-byte sectors are written.
    Freeze {
        /// Sectors of the write under way that still reach the page cache.
        sectors: u64,
    },
    /// The change fails with `EIO`, once.
    Fail,
}

/// How a change goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// As usual.
    Go,
    /// It fails.
    Fail,
    /// It is the one at which everything stops: call [`Gate::stand`] before answering.
    Stop {
        /// Sectors of it that are written first.
        sectors: u64,
    },
}

#[derive(Debug, Default)]
struct State {
    changes: u64,
    trap: Option<(u64, Trap)>,
    failed: bool,
    frozen: bool,
    released: bool,
    full: u64,
}

/// The gate that every change passes.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    turned: Condvar,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the trap at the change after `after` more ones.
    pub fn arm(&self, after: u64, trap: Trap) {
        let mut state = self.state();
        state.trap = Some((state.changes + after, trap));
        state.failed = false;
    }

    /// Takes the trap away.
    pub fn disarm(&self) {
        self.state().trap = None;
    }

    /// A change begins.
    pub fn pass(&self) -> Pass {
        let mut state = self.state();
        if state.frozen {
            return Pass::Fail;
        }
        let number = state.changes;
        state.changes += 1;
        match state.trap {
            Some((at, trap)) if number >= at => {
                state.trap = None;
                match trap {
                    Trap::Fail => {
                        state.failed = true;
                        Pass::Fail
                    }
                    Trap::Freeze { sectors } => Pass::Stop { sectors },
                }
            }
            _ => Pass::Go,
        }
    }

    /// Stands still until [`Gate::release`].
    pub fn stand(&self) {
        let mut state = self.state();
        state.frozen = true;
        while !state.released {
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Stops at once whatever comes; for a cut when nothing is under way.
    pub fn freeze_now(&self) {
        let mut state = self.state();
        state.frozen = true;
        state.released = true;
    }

    /// Lets those go that stand: their processes are dead by now, and nothing that they wanted is done any more.
    pub fn release(&self) {
        self.state().released = true;
        self.turned.notify_all();
    }

    /// Whether the machine has died.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.state().frozen
    }

    /// Whether a change was made to fail since the trap was set.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// Ready for the next life of the disk.
    pub fn open(&self) {
        let mut state = self.state();
        (state.frozen, state.released, state.trap) = (false, false, None);
    }

    /// A change was refused because the disk is full.
    pub fn note_full(&self) {
        self.state().full += 1;
    }

    /// Changes so far.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// How often the disk said that it is full.
    #[must_use]
    pub fn full_count(&self) -> u64 {
        self.state().full
    }
}
