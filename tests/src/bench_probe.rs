//! Measuring what probing costs, with fping beside it in the same run.

pub mod burst;
mod far;
mod floor;
pub mod ours;
pub mod precision;
mod wire;

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use linewatch_agent::clock::{BootClock, NanoClock};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub use self::floor::floor;
use crate::harness::program;
use crate::procfs;

/// Targets that one fping process can ping once a second without running out of its sequence numbers.
const FPING_TARGETS: usize = 5_000;
/// The interval of what is measured over a span.
pub const EVERY_SECOND_MS: u32 = 1_000;
const NS_PER_SECOND: f64 = 1e9;

/// What some processes used together, over a span.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// CPU in percent of one core.
    pub cpu_percent: f64,
    /// Peak resident memory, added up, in KiB.
    pub peak_rss_kib: u64,
}

impl Load {
    /// This load's CPU as a multiple of another's.
    pub fn cpu_ratio(&self, other: &Self) -> f64 {
        self.cpu_percent / other.cpu_percent.max(f64::MIN_POSITIVE)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5.1} % of a core, {:5.1} MiB", self.cpu_percent, self.peak_rss_kib as f64 / 1_024.0)
    }
}

/// `count` addresses of 127/8, none of them 127.0.0.1.
pub fn loopback_targets(count: u32) -> impl Iterator<Item = Ipv4Addr> {
    const FIRST: u32 = 0x7f01_0001;
    (0..count).map(|n| Ipv4Addr::from(FIRST + n))
}

/// Watches running processes: lets them warm up, then measures over `span`.
///
/// # Errors
/// When one of them ends meanwhile.
pub fn measure(pids: &[u32], warm_up: Duration, span: Duration) -> io::Result<Load> {
    sleep(warm_up);
    let used = || pids.iter().map(|pid| procfs::cpu_time(*pid)).sum::<io::Result<Duration>>();
    let (begin_ns, before) = (BootClock.mono_ns(), used()?);
    sleep(span);
    let (after, end_ns) = (used()?, BootClock.mono_ns());
    let seconds = (end_ns - begin_ns) as f64 / NS_PER_SECOND;
    let peak_rss_kib = pids.iter().map(|pid| procfs::peak_rss_kib(*pid)).sum::<io::Result<u64>>()?;
    Ok(Load { cpu_percent: after.saturating_sub(before).as_secs_f64() * 100.0 / seconds, peak_rss_kib })
}

/// Measures fping on the same targets, once a second each: as many processes as it needs, in a network
/// namespace if one is named.
///
/// # Errors
/// When fping is not installed, or ends by itself.
pub fn fping(
    targets: &[Ipv4Addr],
    folder: &Path,
    namespace: Option<&str>,
    (warm_up, span): (Duration, Duration),
) -> io::Result<Load> {
    let mut children = Vec::new();
    for (n, few) in targets.chunks(FPING_TARGETS).enumerate() {
        children.push(start_fping(few, &folder.join(format!("targets-{n}")), namespace)?);
    }
    let pids: Vec<u32> = children.iter().map(Child::id).collect();
    let load = measure(&pids, warm_up, span);
    for mut child in children {
        interrupt(&mut child)?;
    }
    load
}

fn start_fping(targets: &[Ipv4Addr], list: &Path, namespace: Option<&str>) -> io::Result<Child> {
    write_list(targets, list)?;
    // Spread over the second; its default of 10 ms between two packets would not do 1,000 a second.
    let between_ms = format!("{:.2}", 900.0 / targets.len().max(1) as f64);
    inside(namespace, "fping".as_ref())
        .args(["-l", "-p", &EVERY_SECOND_MS.to_string(), "-q", "-i", &between_ms, "-f"])
        .arg(list)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// One address a line, as fping reads them.
fn write_list(targets: &[Ipv4Addr], list: &Path) -> io::Result<()> {
    let lines: Vec<_> = targets.iter().map(Ipv4Addr::to_string).collect();
    fs::write(list, lines.join("\n") + "\n")
}

/// Measures what the kernel alone takes for the same packets: see [`floor`].
///
/// # Errors
/// When the process ends by itself.
pub fn bare(count: usize, namespace: Option<&str>, (warm_up, span): (Duration, Duration)) -> Result<Load> {
    let mut child = inside(namespace, program("bench_probe")?.as_os_str())
        .args(["floor", &count.to_string(), &EVERY_SECOND_MS.to_string()])
        .stdout(Stdio::null())
        .spawn()?;
    let load = measure(&[child.id()], warm_up, span);
    interrupt(&mut child)?;
    Ok(load?)
}

/// Interrupts the child, which ends it.
///
/// # Errors
/// The kernel's.
pub fn interrupt(child: &mut Child) -> io::Result<()> {
    let _ = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT);
    child.wait().map(drop)
}

/// A program in a network namespace, if one is named: `ip netns exec` and `setpriv` become it, so its process id
/// is the child's, and it ends with us.
pub fn inside(namespace: Option<&str>, program: &OsStr) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]);
    if let Some(namespace) = namespace {
        command.args(["ip", "netns", "exec", namespace]);
    }
    command.arg(program);
    command
}
