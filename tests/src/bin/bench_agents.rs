//! What 10,000 agents of 100,000 lines cost one node, and how it bears all of them coming back at once.
//!
//! `LINEWATCH_BENCH_AGENTS`, `LINEWATCH_BENCH_LINES`, `LINEWATCH_BENCH_SECONDS` make it larger or smaller.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use linewatch_tests::bench::Row;
use linewatch_tests::bench_agents::{Options, run};
use linewatch_tests::harness::{Folder, interrupt_on_signals};

/// The promises: percent of a core, and memory.
const CPU_GOAL: f64 = 50.0;
const RSS_GOAL_MIB: f64 = 400.0;
/// As agents do.
const HEARTBEAT: Duration = Duration::from_secs(15);

fn main() -> Result<()> {
    interrupt_on_signals()?;
    let span = Duration::from_secs(size("SECONDS", 30) as u64);
    let (agents, lines) = (size("AGENTS", 10_000), size("LINES", 100_000));
    let options = Options { agents, lines, heartbeat: HEARTBEAT, span };
    let folder = Folder::new()?;
    let figures = run(&folder, options, say)?;
    say(&format!("{agents} agents of {lines} lines, a heartbeat each {} s:", HEARTBEAT.as_secs()));
    let (cpu, mib) = (figures.cpu_share * 100.0, |kib: u64| kib as f64 / 1_024.0);
    let path = format!("server with {agents} agents of {lines} lines");
    Row::at_most(format!("{path}, CPU"), cpu, CPU_GOAL, "% of a core").tell()?;
    Row::at_most(format!("{path}, memory"), mib(figures.rss_kib), RSS_GOAL_MIB, "MiB").tell()?;
    let peak = mib(figures.peak_kib);
    say(&format!(
        "  {peak:.0} MiB at its peak; {} heartbeats were answered, {} failed",
        figures.heartbeats, figures.failed
    ));
    let (after, used) = (figures.back_after_ms as f64 / 1_000.0, figures.back_cpu.as_secs_f64());
    say(&format!(
        "all at once after the server's death: the last was back {after:.1} s after it was ready; {used:.1} s of CPU"
    ));
    let peak = mib(figures.back_peak_kib);
    Row::at_most(format!("{agents} agents back at once, memory"), peak, RSS_GOAL_MIB, "MiB").tell()?;
    for (reason, count) in &figures.reasons {
        say(&format!("  {count} × {reason}"));
    }
    say(&format!("  the new server complained {} times", figures.complaints.len()));
    for line in figures.complaints.iter().take(5) {
        say(&format!("    {line}"));
    }
    Ok(())
}

fn size(name: &str, usual: usize) -> usize {
    std::env::var(format!("LINEWATCH_BENCH_{name}")).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

fn say(text: &str) {
    // With standard output gone there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{text}");
}
