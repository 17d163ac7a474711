//! Zabbix as Debian has it, beside which our backlog is measured: a proxy that takes values in while its server is out of
//! reach, and a server on a PostgreSQL of one's own. Real processes with the settings that their packages ship; what they
//! watch is written into the server's tables, as there is no frontend.

mod daemon;
mod programs;
mod sender;
mod tables;
mod values;
mod world;

pub use programs::Programs;
pub use sender::Sending;
pub use values::{ITEMS, Values};
pub use world::{Drained, Zabbix};
