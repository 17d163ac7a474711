//! Faults are found, not made: a pure fold over the facts of one line.
//!
//! [`fold()`] turns facts and rules into faults; [`deadlines`] reads from a fault what is owed by when;
//! [`advance`] says what has to be told now, and [`next_wake`] when to ask again. The same facts in any
//! order, with any delay, repeated or not, give the same faults. Nothing here knows the current time.

mod advance;
mod allowance;
mod callback;
mod carry;
mod contribution;
mod countable;
mod deadline;
mod evidence;
mod fact;
mod fault;
mod fold;
mod interval;
mod line;
mod planned;
mod rerate;
mod reshape;
mod rules;
mod service;
mod upstream;
mod walk;
mod window;

pub use advance::{
    Effect, EffectKey, FaultState, Ledger, LedgerEntry, Mark, PastVerdict, Verdict, advance, advance_owed,
    judge_all, next_mark, next_wake,
};
pub use allowance::{Allowance, AllowanceFigures, Promised};
pub(crate) use callback::{InVain, after_call_in_vain};
pub use carry::carry;
pub use contribution::{Contribution, Interruption, YearFigures, contributions, local_year, year_bounds};
pub use countable::Countable;
pub use deadline::{Deadline, DeadlineKind, Period, Status, deadlines, feedback_missed};
pub use fact::{Event, Fact};
pub use fault::{Ending, Exemption, Fault, FeedbackRun, Former, Pause, Placed, Retry, Run, State, Terms};
pub use fold::{Carried, FACTS_PER_FAULT_MAX, Folded, fold};
pub use interval::{Interval, moment_spent, union_ms, within, without};
pub use rerate::{Moved, moved};
pub use rules::{LineRules, LineTerms, PackVersion, RulesError};
pub use upstream::{Parent, Peer, parents};
pub(crate) use walk::known_cause;
pub use window::Window;
