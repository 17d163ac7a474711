//! Real processes of linewatch, for stories, the demo and benchmarks: each in a private folder, on free
//! ports, with its output in a file there.
//!
//! Nothing waits for a fixed time: [`eventually`] polls with a bound. Processes end with the value that
//! stands for them, and with the thread that started them however that ends.

mod agent;
mod api;
mod clock;
mod cluster;
mod folder;
mod mailbox;
mod netns;
mod process;
mod programs;
pub mod sample;
mod seed;
mod server;
mod store;
mod wait;

pub use agent::Agent;
pub use api::{Answer, Api};
pub use clock::ShiftedClock;
pub use cluster::{Cluster, postgres_program};
pub use folder::{Folder, free_port, story};
pub use mailbox::{Mail, Mailbox};
pub use netns::{Namespace, is_root, remove_leftovers};
pub use process::{Process, Ran, run};
pub use programs::program;
pub use seed::Seed;
pub use server::{Server, ServerOptions};
pub use store::Store;
pub use wait::{block_on, eventually, interrupt_on_signals, is_interrupted, mono_ms, now, pause};

/// How long anything here may take on a busy machine, unless a story says otherwise.
pub const BOUND: std::time::Duration = std::time::Duration::from_secs(30);
