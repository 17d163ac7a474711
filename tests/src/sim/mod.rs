//! Agents, a network and a server of two nodes in one thread, played by chance of a seed: partitions, lost requests and answers,
//! packets that come late, twice and in another order, restarts, clocks that step, full disks, a server put back to an old
//! backup. Journals, conversations, use cases, rules and databases are the real ones; only sockets and time are not there.
//!
//! What must hold is looked at after each step (`check`), and once more when all faults are over and everybody has said
//! what they had to say. The same seed plays the same faults in the same order.

mod check;
mod clock;
mod counts;
mod desk;
mod device;
mod end;
mod link;
mod nodes;
mod play;
mod template;
mod weather;

pub use counts::Counts;
pub use play::{Options, play};
pub use template::Template;
