//! A small piece of what `make bench NAME=agents` measures: that everybody gets in, and back, without complaints.

use std::time::Duration;

use anyhow::ensure;
use linewatch_tests::bench_agents::{Options, run};
use linewatch_tests::harness::story;

const AGENTS: usize = 100;

#[test]
fn all_agents_come_back_at_once_and_nothing_complains() {
    story(|folder| {
        let options = Options {
            agents: AGENTS,
            lines: 10 * AGENTS,
            heartbeat: Duration::from_secs(1),
            span: Duration::from_secs(3),
        };
        let figures = run(folder, options, |line| println!("{line}"))?;
        println!("{figures:?}");
        ensure!(figures.failed == 0 && figures.heartbeats >= AGENTS, "{figures:?}");
        ensure!(figures.complaints.is_empty(), "{:?}", figures.complaints);
        ensure!(
            figures.reasons.values().sum::<usize>() >= AGENTS,
            "everybody noticed: {:?}",
            figures.reasons
        );
        Ok(())
    });
}
