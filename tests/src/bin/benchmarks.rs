//! Writes the rows that a run of benchmarks has left as a page: `benchmarks ROWS > docs/benchmarks.md`.

use std::fs;

use anyhow::{Context, Result};
use linewatch_tests::bench::{Row, say};

fn main() -> Result<()> {
    let file = std::env::args().nth(1).context("usage: benchmarks ROWS")?;
    let rows = fs::read_to_string(&file).context(file)?;
    let rows: Vec<Row> = rows.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    say(
        "# Benchmarks\n\nWritten by `make bench`. Ratios to what else ran in the same run count; times of another day or machine do not compare.\n",
    )?;
    say(format!("{}\n", machine()))?;
    say("| what | ours | beside it | goal | of the goal |\n| --- | --- | --- | --- | --- |")?;
    for row in &rows {
        let Row { path, ours, peer, goal, of_goal } = row;
        let missed = if row.is_met() { "" } else { " **not met**" };
        say(format!("| {path} | {ours} | {peer} | {goal} | {:.0} %{missed} |", of_goal * 100.0))?;
    }
    Ok(())
}

/// Processor, memory and kernel.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (cpus, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let names: Vec<_> = cpus.lines().filter(|line| line.starts_with("model name")).collect();
    let value = |line: Option<&str>| {
        line.and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let kib: u64 = value(memory.lines().find(|line| line.starts_with("MemTotal")))
        .split(' ')
        .next()
        .and_then(|kib| kib.parse().ok())
        .unwrap_or_default();
    format!(
        "Machine: {} cores of {}, {} GiB, Linux {}; linewatch {}.",
        names.len(),
        value(names.first().copied()),
        kib >> 20,
        read("/proc/sys/kernel/osrelease").trim(),
        env!("CARGO_PKG_VERSION")
    )
}
