//! Measuring TCP and HTTP probes, with `blackbox_exporter` beside them in the same run: the same targets here, probed at
//! the same rate, by our prober because its wheel says so and by theirs because somebody asks for each.

mod blackbox;
mod site;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use linewatch_agent::clock::{BootClock, NanoClock};
use tokio::signal::ctrl_c;

pub use self::blackbox::Blackbox;
pub use self::site::Site;
use crate::bench::{Row, figures, say, spread};
use crate::bench_probe::ours::start_urls;
use crate::bench_probe::{inside, interrupt, measure};
use crate::harness::program;
use crate::procfs;

/// As many targets as make five hundred probes a second, each probed five times a second.
pub const TARGETS: u32 = 100;
/// See [`TARGETS`].
pub const INTERVAL_MS: u32 = 200;
const PROBES_PER_SECOND: f64 = TARGETS as f64 * 1_000.0 / INTERVAL_MS as f64;
const WARM_UP: Duration = Duration::from_secs(1);
const SPAN: Duration = Duration::from_secs(6);
const ROUNDS: usize = 3;
const OF_BLACKBOX: f64 = 1.0 / 3.0;
const MS_PER_SECOND: f64 = 1_000.0;
const NS_PER_SECOND: f64 = 1e9;

/// What is asked of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A connection, closed again.
    Tcp,
    /// A GET on a fresh connection, answered by two bytes.
    Http,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "TCP",
            Self::Http => "HTTP",
        })
    }
}

/// What probes of one kind took.
#[derive(Clone, Copy, Debug)]
struct Took {
    /// CPU milliseconds for each.
    cpu_ms: f64,
    /// Probes a second.
    pace: f64,
}

/// Measures a kind of probe alternately with ours and, where there is one, with theirs, and tells the row.
///
/// # Errors
/// When a program or a probe fails.
pub fn compare(kind: Kind, site: &Site, peer: Option<&Blackbox>) -> Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(own(&site.url(kind))?);
        if let Some(blackbox) = peer {
            theirs.push(asked(blackbox, kind, &site.address(kind))?);
        }
    }
    let ours = tell(kind, "prober", &ours)?;
    if theirs.is_empty() {
        return Ok(());
    }
    let theirs = tell(kind, "blackbox_exporter", &theirs)?;
    Row::at_most(format!("{kind} probes, CPU for each"), ours / theirs, OF_BLACKBOX, "of blackbox_exporter's")
        .beside(format!("{} ms; blackbox_exporter {} ms", figures(ours), figures(theirs)))
        .tell()
}

/// Says what one program took; the answer is the median.
fn tell(kind: Kind, name: &str, took: &[Took]) -> Result<f64> {
    let of = |pick: fn(&Took) -> f64| spread(&took.iter().map(pick).collect::<Vec<_>>());
    let [median, least, most] = of(|took| took.cpu_ms);
    let [cpu, from, to, pace] = [median, least, most, of(|took| took.pace)[0]].map(figures);
    say(format!("  {kind:4} {name:18} {cpu} CPU ms a probe ({from} to {to}), {pace} probes/s"))?;
    Ok(median)
}

/// Probes until it is interrupted; the answer is how many probes were answered a second.
///
/// # Errors
/// When the prober cannot start.
pub async fn load(url: &str, count: u32, interval_ms: u32) -> Result<f64> {
    let (prober, mut batches) = start_urls((0..count).map(|_| url.to_owned()), interval_ms)?;
    let began_ns = BootClock.mono_ns();
    let interrupt = ctrl_c();
    tokio::pin!(interrupt);
    loop {
        tokio::select! {
            _ = &mut interrupt => break,
            batch = batches.recv() => if batch.is_none() { break },
        }
    }
    Ok(prober.stats().received as f64 * NS_PER_SECOND / (BootClock.mono_ns() - began_ns) as f64)
}

/// By our prober, as a process of its own.
fn own(url: &str) -> Result<Took> {
    let mut child = inside(None, program("bench_checks")?.as_os_str())
        .args(["load", url, &TARGETS.to_string(), &INTERVAL_MS.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let load = measure(&[child.id()], WARM_UP, SPAN);
    interrupt(&mut child)?;
    let output = child.wait_with_output()?;
    // It says at its end how many there were a second.
    let pace: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().context("what the prober said")?;
    Ok(Took { cpu_ms: load?.cpu_percent / 100.0 * MS_PER_SECOND / pace, pace })
}

/// By theirs, which is asked for each.
fn asked(blackbox: &Blackbox, kind: Kind, target: &str) -> Result<Took> {
    let asking = blackbox.ask(kind, target, PROBES_PER_SECOND)?;
    std::thread::sleep(WARM_UP);
    let now =
        || Ok::<_, anyhow::Error>((procfs::cpu_time(blackbox.pid())?, asking.done(), BootClock.mono_ns()));
    let before = now()?;
    std::thread::sleep(SPAN);
    let after = now()?;
    asking.end()?;
    let probes = (after.1 - before.1) as f64;
    let seconds = (after.2 - before.2) as f64 / NS_PER_SECOND;
    let cpu_ms = after.0.saturating_sub(before.0).as_secs_f64() * MS_PER_SECOND / probes;
    Ok(Took { cpu_ms, pace: probes / seconds })
}

/// Their program, where it was unpacked.
#[must_use]
pub fn blackbox_in(peers: &Path) -> PathBuf {
    peers.join("usr/bin/prometheus-blackbox-exporter")
}
