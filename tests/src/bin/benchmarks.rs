//! Writes the rows that a run of benchmarks has left as a page, and their curves as a picture beside it:
//! `benchmarks ROWS docs/growth.svg > docs/benchmarks.md`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use linewatch_tests::bench::{Row, say};
use linewatch_tests::bench_plot::plot;
use linewatch_tests::bench_versions::versions;

/// What the names of curves begin with.
const GROWTH: &str = "growth of ";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: benchmarks ROWS PICTURE";
    let (file, picture) = (args.next().context(usage)?, args.next().context(usage)?);
    let rows = fs::read_to_string(&file).context(file)?;
    let rows: Vec<Row> = rows.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    say(
        "# Benchmarks\n\nWritten by `make bench`; what others take beside ours is measured with `BENCH_PEERS=1 make bench`, and \
         one benchmark alone runs with `make bench NAME=minutes`. Ratios to what else ran in the same run count; times of another day or machine do not compare.\n",
    )?;
    say(format!("{}\n\nWith {}.\n", machine(), versions()))?;
    say("| what | ours | beside it | goal | of the goal |\n| --- | --- | --- | --- | --- |")?;
    let (curves, rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| !row.points.is_empty());
    for row in &rows {
        let Row { path, ours, peer, goal, of_goal, .. } = row;
        let missed = if row.is_met() { "" } else { " **not met**" };
        say(format!("| {path} | {ours} | {peer} | {goal} | {:.0} %{missed} |", of_goal * 100.0))?;
    }
    if curves.is_empty() { Ok(()) } else { growth(&curves, Path::new(&picture)) }
}

/// How the server's paths grow with what is stored.
fn growth(curves: &[Row], picture: &Path) -> Result<()> {
    fs::write(picture, plot(curves, GROWTH))?;
    let name = picture.file_name().unwrap_or_default().display();
    say(format!(
        "\n## Growth\n\nThe same work with 10,000 faults on 1,000 lines, with ten times of both, and with a hundred times: median times. The slope is \
         that of the curve on logarithmic axes: 0 is flat, 1 is in proportion.\n\n![curves]({name})\n"
    ))?;
    say("| path | slope | 1×, 10×, 100× | goal |\n| --- | --- | --- | --- |")?;
    for Row { path, ours, peer, goal, of_goal, .. } in curves {
        let missed = if *of_goal <= 1.0 { "" } else { " **not met**" };
        let (path, slope) = (path.strip_prefix(GROWTH).unwrap_or(path), ours.trim_end_matches(" slope"));
        say(format!("| {path} | {slope} | {peer} | {}{missed} |", goal.trim_end_matches(" slope")))?;
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
