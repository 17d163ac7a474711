//! Matters: what is owed beside the restoration of lines. A complaint, a request, a defect, a promise, a round of
//! visits or patrols: each is found from its own facts by one pure fold, and owes deadlines like a fault does.
//!
//! A new kind of promise is a class in a pack, and at most a step here.

mod acceptance;
mod callback;
mod fact;
mod fold;
mod owed;
mod permit;
mod rounds;
mod state;
#[cfg(test)]
mod tests;
mod walk;
mod walk_round;

pub use acceptance::{Accepting, Side, Signature};
pub use fact::{MatterEvent, MatterFact, MatterStep, Opening, Papers, Point};
pub use fold::{FACTS_PER_MATTER_MAX, fold};
pub use owed::{Owed, Term, deadlines};
pub use permit::{Certificate, Held, PermitGrant};
pub use rounds::{moment, period};
pub use state::{Matter, MatterState, Standing, advance, next_wake};
