//! What 10,000 agents cost one node, and how it bears all of them coming back at once.
//!
//! `LINEWATCH_BENCH_AGENTS`, `LINEWATCH_BENCH_SECONDS` make it larger or smaller.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use linewatch_tests::bench_agents::{Options, run};
use linewatch_tests::harness::{Folder, interrupt_on_signals};

/// The promises: share of a core, and memory.
const CPU_GOAL: f64 = 0.5;
const RSS_GOAL_MIB: f64 = 400.0;
/// As agents do.
const HEARTBEAT: Duration = Duration::from_secs(15);

fn main() -> Result<()> {
    interrupt_on_signals()?;
    let span = Duration::from_secs(size("SECONDS", 60) as u64);
    let options = Options { agents: size("AGENTS", 10_000), heartbeat: HEARTBEAT, span };
    let folder = Folder::new()?;
    let figures = run(&folder, options, say)?;
    let verdict = |share: f64| if share <= 1.0 { "met" } else { "NOT MET" };
    let (cpu, rss) = (figures.cpu_share, figures.rss_kib as f64 / 1_024.0);
    say(&format!("{} agents, a heartbeat each {} s:", options.agents, HEARTBEAT.as_secs()));
    let part = cpu / CPU_GOAL;
    say(&format!(
        "  CPU    {:.1} % of a core (goal {:.0} %: {}, {part:.2} of it)",
        cpu * 100.0,
        CPU_GOAL * 100.0,
        verdict(part)
    ));
    let part = rss / RSS_GOAL_MIB;
    let peak = figures.peak_kib / 1_024;
    say(&format!(
        "  memory {rss:.0} MiB, {peak} MiB at its peak (goal {RSS_GOAL_MIB:.0} MiB: {}, {part:.2} of it)",
        verdict(part)
    ));
    say(&format!("  {} heartbeats were answered, {} failed", figures.heartbeats, figures.failed));
    let (after, used) = (figures.back_after_ms as f64 / 1_000.0, figures.back_cpu.as_secs_f64());
    let peak = figures.back_peak_kib as f64 / 1_024.0;
    say(&format!(
        "all at once after the server's death: the last was back {after:.1} s after it was ready; {used:.1} s of CPU, {peak:.0} MiB at \
         its peak (goal {RSS_GOAL_MIB:.0} MiB: {})",
        verdict(peak / RSS_GOAL_MIB)
    ));
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
