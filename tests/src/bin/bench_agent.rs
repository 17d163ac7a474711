//! What the whole agent costs (prober, detector, journal, sync) beside fping in the same run, and how long
//! a lost packet takes to become a fault on the board. Real processes, enrolled with a real server.
//!
//! `bench_agent [--seconds N] [--rounds N] [--quick]`

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use linewatch_tests::bench_agent::{Desk, Latency, Measured, Place, Sockets, cut_lines};
use linewatch_tests::bench_probe::{Load, fping};
use linewatch_tests::harness::{Folder, Namespace, interrupt_on_signals};

/// Targets, and what the agent may use for them at most: percent of one core, MiB.
const GOALS: [(u32, f64, f64); 2] = [(1_000, 3.0, 25.0), (10_000, 10.0, 40.0)];
/// From the first lost packet to the fault on the board.
const FAULT_WITHIN_MS: i64 = 6_000;
const FPING_WARM_UP: Duration = Duration::from_secs(3);
const KIB_PER_MIB: f64 = 1_024.0;

#[derive(Clone, Copy)]
struct Options {
    span: Duration,
    rounds: usize,
    faults: usize,
}

/// One kind of run, all its rounds.
struct Series {
    name: String,
    loads: Vec<Load>,
}

fn main() -> Result<()> {
    let options = parse(std::env::args().skip(1))?;
    interrupt_on_signals()?;
    tell(machine())?;
    for (count, cpu_percent, rss_mib) in GOALS {
        compare(options, count, cpu_percent, rss_mib)?;
    }
    Ok(())
}

fn parse(args: impl Iterator<Item = String>) -> Result<Options> {
    const USAGE: &str = "usage: bench_agent [--seconds N] [--rounds N] [--quick]";
    let mut options = Options { span: Duration::from_secs(20), rounds: 3, faults: 7 };
    let mut args = args;
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse::<u32>().ok()).filter(|n| *n > 0).context(USAGE);
        match arg.as_str() {
            "--quick" => options = Options { span: Duration::from_secs(10), rounds: 1, faults: 5 },
            "--seconds" => options.span = Duration::from_secs(number()?.max(10).into()),
            "--rounds" => options.rounds = number()? as usize,
            _ => bail!(USAGE),
        }
    }
    Ok(options)
}

/// Measures `count` lines: a round is the agent with each kind of socket, then fping.
fn compare(options: Options, count: u32, cpu_goal: f64, rss_goal: f64) -> Result<()> {
    let folder = Folder::new()?;
    let place = Place::new()?;
    let mut desk = Desk::set_up(folder.path(), &place, count)?;
    tell(format!(
        "{count} ICMP targets at 1 s, {} s a span; load average {}",
        options.span.as_secs(),
        load_average()
    ))?;
    let mut ours: Vec<Series> = Vec::new();
    let mut peer = Series { name: "fping".to_owned(), loads: Vec::new() };
    for _ in 0..options.rounds {
        for (n, choice) in place.choices().iter().enumerate() {
            let measured = run_agent(&mut desk, &place, *choice, options.span)?;
            if ours.len() <= n {
                ours.push(Series { name: format!("agent, {} sockets", measured.socket), loads: Vec::new() });
            }
            ours[n].loads.push(measured.load);
            desk.stop_agent()?;
        }
        let namespace = place.namespace().map(Namespace::name);
        let load = fping(desk.targets(), folder.path(), namespace, (FPING_WARM_UP, options.span))?;
        tell(format!("  fping:                  {load}"))?;
        peer.loads.push(load);
    }
    table(&ours, &peer, cpu_goal, rss_goal)?;
    faults(&mut desk, &place, options.faults)?;
    desk.take_down()?;
    tell(format!("load average {}\n", load_average()))
}

fn run_agent(desk: &mut Desk, place: &Place, sockets: Option<Sockets>, span: Duration) -> Result<Measured> {
    if let Some(sockets) = sockets {
        place.allow(sockets)?;
    }
    desk.start_agent()?;
    let measured = desk.measure_agent(place, span)?;
    let [sent, answered, lost] = measured.probes;
    tell(format!(
        "  agent, {:8} sockets: {}; {sent} probes sent, {answered} answered, {lost} lost",
        measured.socket, measured.load
    ))?;
    Ok(measured)
}

fn table(ours: &[Series], peer: &Series, cpu_goal: f64, rss_goal: f64) -> Result<()> {
    let peer_cpu = peer.cpu_percent();
    tell(format!("  {:24} {:>7} {:>8} {:>10}  goal", "medians of CPU, max RSS", "CPU", "RSS", "of fping's"))?;
    for series in ours {
        let (cpu, rss) = (series.cpu_percent(), series.rss_mib());
        let verdict = if cpu <= cpu_goal && rss <= rss_goal { "met" } else { "NOT MET" };
        tell(format!(
            "  {:24} {cpu:5.1} % {rss:4.1} MiB {:9.2}x  {cpu_goal} %, {rss_goal} MiB: {verdict}",
            series.name,
            cpu / peer_cpu.max(f64::MIN_POSITIVE),
        ))?;
    }
    tell(format!("  {:24} {peer_cpu:5.1} % {:4.1} MiB", peer.name, peer.rss_mib()))
}

impl Series {
    fn cpu_percent(&self) -> f64 {
        let mut all: Vec<_> = self.loads.iter().map(|load| load.cpu_percent).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    }

    fn rss_mib(&self) -> f64 {
        self.loads.iter().map(|load| load.peak_rss_kib as f64 / KIB_PER_MIB).fold(0.0, f64::max)
    }
}

fn faults(desk: &mut Desk, place: &Place, times: usize) -> Result<()> {
    if place.namespace().is_none() {
        return tell("  first lost packet to fault on the board: not measured, dropping packets needs root");
    }
    place.allow(Sockets::Raw)?;
    desk.start_agent()?;
    let latencies = cut_lines(desk, place, times)?;
    desk.stop_agent()?;
    let of = |pick: fn(&Latency) -> i64| {
        let mut all: Vec<_> = latencies.iter().map(pick).collect();
        all.sort_unstable();
        (all.get(all.len() / 2).copied().unwrap_or_default(), all.last().copied().unwrap_or_default())
    };
    let (median_ms, max_ms) = of(|latency| latency.from_first_lost_ms);
    let (cut_median_ms, cut_max_ms) = of(|latency| latency.from_cut_ms);
    let verdict = if max_ms <= FAULT_WITHIN_MS { "met" } else { "NOT MET" };
    tell(format!(
        "  first lost packet to fault on the board, {times} lines cut one by one: median {median_ms} ms, at most \
         {max_ms} ms (goal {FAULT_WITHIN_MS} ms: {verdict}); from the cut: median {cut_median_ms} ms, at most \
         {cut_max_ms} ms"
    ))
}

/// Processor, cores and kernel.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let names: Vec<_> = cpus.lines().filter(|line| line.starts_with("model name")).collect();
    let name =
        names.first().and_then(|line| line.split_once(": ")).map_or("unknown processor", |(_, name)| name);
    format!("{} cores of {name}, Linux {}", names.len(), read("/proc/sys/kernel/osrelease").trim())
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn tell(text: impl Display) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
