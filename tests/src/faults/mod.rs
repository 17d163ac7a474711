//! The fault matrix: the real agent, at every moment of writing and sending, loses its process, its power, its disk,
//! its clock, its net or its server, and nothing that it answered is ever lost, doubled or changed.
//!
//! Everything by chance comes from one seed. The disks are in memory, behind FUSE ([`volume`]), and know what was
//! synced; so a power cut is one. Each laptop's journal is compared with the book ([`ledger`]) after every crash,
//! and the server with all of it at the end. A part of each run plays on a disk whose `fsync` does nothing: there
//! the book must find losses, or it would find none anywhere.

pub mod clock;
pub mod disk;
mod fuse;
pub mod gate;
pub mod golden;
pub mod kind;
pub mod laptop;
pub mod ledger;
pub mod machine;
pub mod matrix;
pub mod net;
pub mod page;
mod points;
mod saves;
pub mod volume;
pub mod world;

pub use kind::Kind;
pub use matrix::{Options, Outcome, run};
