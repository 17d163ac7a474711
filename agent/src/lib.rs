//! linewatch-agent: probes lines, keeps faults and visits offline, syncs them to the server.

pub mod carrier;
pub mod clock;

pub mod command;
pub mod config;
pub mod diagnosis;
pub mod enroll;
pub mod field;
pub mod health;
pub mod journal;
pub mod monitor;
pub mod out;
pub mod page;
pub mod probe;
pub mod run;
pub mod scope;
pub mod sync;
pub mod vault;
