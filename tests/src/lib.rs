//! Stories with real processes, fault injection and benchmarks: the harness that they share.

pub mod backlog;
pub mod bench;
pub mod bench_agent;
pub mod bench_agents;
pub mod bench_checks;
pub mod bench_growth;
pub mod bench_kills;
pub mod bench_plot;
pub mod bench_probe;
pub mod bench_rows;
pub mod bench_versions;
pub mod demo;
pub mod faults;
pub mod fuzz;
pub mod harness;
pub mod large;
pub mod load;
pub mod nodes;
pub mod procfs;
pub mod proxy;
pub mod sim;
pub mod smtp;
pub mod year;
pub mod zabbix;
