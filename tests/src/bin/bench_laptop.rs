//! What the agent costs a laptop on which nothing happens: 20 lines at 1 s, a server in reach, the page open in one window.
//!
//! `bench_laptop [--seconds N]`

use std::time::Duration;

use anyhow::{Context, Result, bail};
use linewatch_tests::bench::{Row, say};
use linewatch_tests::bench_agent::{Desk, Place, Sockets, syncs_per_minute};
use linewatch_tests::harness::{Folder, interrupt_on_signals};
use linewatch_tests::procfs;

const LINES: u32 = 20;
/// Percent of one core.
const CPU_GOAL: f64 = 1.0;
const RSS_GOAL_MIB: f64 = 30.0;
/// Calls of fsync and fdatasync a minute.
const SYNCS_GOAL: f64 = 20.0;
const KIB_PER_MIB: f64 = 1_024.0;
const USAGE: &str = "usage: bench_laptop [--seconds N]
  --seconds N  how long CPU and disk syncs are measured, one after the other; 45 unless given";

fn main() -> Result<()> {
    let span = parse(std::env::args().skip(1))?;
    interrupt_on_signals()?;
    let folder = Folder::new()?;
    let place = Place::new()?;
    let mut desk = Desk::set_up(folder.path(), &place, LINES)?;
    place.allow(Sockets::Datagram)?;
    desk.start_agent()?;
    let window = desk.open_window(&place)?;
    let pid = desk.pid()?;
    let seconds = span.as_secs();
    say(format!("{LINES} ICMP targets at 1 s, the page open in one window, {seconds} s; nothing happens"))?;
    let (looks, measured) = window.looking(|| desk.measure_agent(&place, span))?;
    let rss_mib = procfs::rss_kib(pid)? as f64 / KIB_PER_MIB;
    let peak_mib = measured.load.peak_rss_kib as f64 / KIB_PER_MIB;
    let cpu = measured.load.cpu_percent;
    Row::at_most("idle laptop, CPU", cpu, CPU_GOAL, "% of a core").tell()?;
    Row::at_most("idle laptop, memory", rss_mib, RSS_GOAL_MIB, "MiB").tell()?;
    say(format!("    {peak_mib:.1} MiB at its peak (signing in takes 19 for a moment)"))?;
    let [sent, answered, lost] = measured.probes;
    say(format!(
        "  meanwhile  {looks} looks by the window; {sent} probes sent, {answered} answered, {lost} lost"
    ))?;
    match window.looking(|| syncs_per_minute(pid, folder.path(), span))?.1 {
        Some(syncs) => Row::at_most("idle laptop, disk", syncs, SYNCS_GOAL, "syncs a minute").tell()?,
        None => say("  disk: syncs were not counted, there is no strace")?,
    }
    desk.stop_agent()?;
    desk.take_down()
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Duration> {
    let mut seconds = 45;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seconds" => {
                seconds = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0).context(USAGE)?;
            }
            _ => bail!(USAGE),
        }
    }
    Ok(Duration::from_secs(seconds))
}
