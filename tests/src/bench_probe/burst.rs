//! A burst: the same targets pinged as often as the prober can be asked to, beside fping and the kernel's floor.
//! What counts is CPU for a million pings, of the process and of the kernel on its behalf.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{inside, write_list};
use crate::bench::{Row, figures, say, spread};
use crate::harness::{mono_ms, program};
use crate::procfs;

/// Each of them is pinged every 10 ms, the prober's shortest interval: 100,000 pings a second.
const TARGETS: u32 = 1_000;
/// See [`TARGETS`].
const INTERVAL_MS: u32 = 10;
const PINGS: u64 = 300_000;
/// Pings of one target by one fping: it has 65,535 sequence numbers and does not use one again within 10 s.
const FPING_EACH: u64 = 60;
const ROUNDS: usize = 5;
const MILLION: f64 = 1e6;
/// What it may cost, beside fping and beside the kernel alone.
const OF_FPING: f64 = 0.6;
/// See [`OF_FPING`].
const OF_FLOOR: f64 = 1.4;

/// What some pings took.
#[derive(Clone, Copy, Debug)]
struct Took {
    /// CPU seconds for a million pings.
    cpu_s: f64,
    pings_per_s: f64,
}

/// Measures ours, fping's and the floor, alternately, and tells the two rows.
///
/// # Errors
/// When one of them fails.
pub fn compare(folder: &Path, namespace: Option<&str>) -> Result<()> {
    let targets: Vec<_> = super::loopback_targets(TARGETS).collect();
    say(format!("{TARGETS} targets every {INTERVAL_MS} ms, {PINGS} pings a program, {ROUNDS} rounds"))?;
    let mut all: [Vec<Took>; 3] = Default::default();
    for _ in 0..ROUNDS {
        all[0].push(own("load", namespace)?);
        all[1].push(fping(&targets, folder, namespace)?);
        all[2].push(own("floor", namespace)?);
    }
    let cpu = |took: &[Took]| spread(&took.iter().map(|t| t.cpu_s).collect::<Vec<_>>());
    let pace = |took: &[Took]| spread(&took.iter().map(|t| t.pings_per_s).collect::<Vec<_>>())[0];
    for (name, took) in ["prober", "fping", "bare send and receive"].iter().zip(&all) {
        let [median, least, most] = cpu(took).map(figures);
        let pace = figures(pace(took));
        say(format!("  {name:22} {median} CPU s a million ({least} to {most}), {pace} pings/s"))?;
    }
    let [ours, peer, least] = all.each_ref().map(|took| cpu(took)[0]);
    let path = "pings in a burst, CPU for a million";
    Row::at_most(path, ours / peer, OF_FPING, "of fping's")
        .beside(format!("{} s; fping {} s", figures(ours), figures(peer)))
        .tell()?;
    Row::at_most(path, ours / least, OF_FLOOR, "of bare send and receive")
        .beside(format!("{} s; bare {} s", figures(ours), figures(least)))
        .tell()
}

/// This program as one who pings that many times and ends.
fn own(verb: &str, namespace: Option<&str>) -> Result<Took> {
    let mut command = inside(namespace, program("bench_probe")?.as_os_str());
    command.args([verb, &TARGETS.to_string(), &INTERVAL_MS.to_string(), &PINGS.to_string()]);
    took(&mut command, PINGS)
}

/// As many processes as that many pings need, one after the other; what each takes to begin is measured and left out.
fn fping(targets: &[Ipv4Addr], folder: &Path, namespace: Option<&str>) -> Result<Took> {
    let list = folder.join("burst");
    write_list(targets, &list)?;
    let period = INTERVAL_MS.to_string();
    let run = |each: u64| {
        let mut command = inside(namespace, "fping".as_ref());
        command.args(["-q", "-i", "0", "-p", &period, "-c", &each.to_string(), "-f"]).arg(&list);
        took(&mut command, each * targets.len() as u64)
    };
    let begin = run(1)?;
    let begin_s = begin.cpu_s * targets.len() as f64 / MILLION;
    let per_run = FPING_EACH * targets.len() as u64;
    let (mut cpu_s, mut seconds) = (0.0, 0.0);
    let runs = PINGS.div_ceil(per_run);
    for _ in 0..runs {
        let took = run(FPING_EACH)?;
        cpu_s += (took.cpu_s * per_run as f64 / MILLION - begin_s).max(0.0);
        seconds += per_run as f64 / took.pings_per_s;
    }
    let pings = (runs * per_run) as f64;
    Ok(Took { cpu_s: cpu_s * MILLION / pings, pings_per_s: pings / seconds })
}

fn took(command: &mut Command, pings: u64) -> Result<Took> {
    let (before, began_ms) = (procfs::children_cpu_time()?, mono_ms());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "{command:?} ended with {status}");
    let seconds = Duration::from_millis((mono_ms() - began_ms).max(1).unsigned_abs()).as_secs_f64();
    let cpu = procfs::children_cpu_time()?.saturating_sub(before);
    Ok(Took { cpu_s: cpu.as_secs_f64() * MILLION / pings as f64, pings_per_s: pings as f64 / seconds })
}
