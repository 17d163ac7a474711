//! What the whole agent costs (prober, detector, journal, sync) beside fping in the same run, and how long
//! a lost packet takes to become a fault on the board. Real processes, enrolled with a real server.
//!
//! `bench_agent [--targets N] [--seconds N] [--rounds N] [--raw]`

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use linewatch_tests::bench::Row;
use linewatch_tests::bench_agent::{Desk, Latency, Place, Sockets, cut_lines};
use linewatch_tests::bench_probe::{Load, bare, fping};
use linewatch_tests::harness::{Folder, Namespace, interrupt_on_signals};

/// What the agent may use at most: of fping's CPU in the same run, and memory.
#[derive(Clone, Copy)]
struct Goals {
    of_fping: f64,
    rss_mib: f64,
}

/// For so many targets.
const GOALS: [(u32, Goals); 2] =
    [(1_000, Goals { of_fping: 0.5, rss_mib: 25.0 }), (10_000, Goals { of_fping: 0.25, rss_mib: 25.0 })];
/// From the first lost packet to the fault on the board.
const FAULT_WITHIN_MS: i64 = 6_000;
/// Lines cut, one by one, to see that.
const FAULTS: usize = 7;
const WARM_UP: Duration = Duration::from_secs(3);
const KIB_PER_MIB: f64 = 1_024.0;

#[derive(Clone, Copy)]
struct Options {
    targets: Option<u32>,
    span: Duration,
    rounds: usize,
    sockets: Sockets,
}

/// One kind of process, all its rounds.
struct Series {
    name: String,
    loads: Vec<Load>,
}

fn main() -> Result<()> {
    let options = parse(std::env::args().skip(1))?;
    interrupt_on_signals()?;
    tell(machine())?;
    let wanted = |count: u32| options.targets.is_none_or(|targets| targets == count);
    for (count, goals) in GOALS.into_iter().filter(|(count, _)| wanted(*count)) {
        compare(options, count, goals)?;
    }
    Ok(())
}

fn parse(args: impl Iterator<Item = String>) -> Result<Options> {
    const USAGE: &str = "usage: bench_agent [--targets N] [--seconds N] [--rounds N] [--raw]
  --targets N  1000 or 10000; both unless given
  --seconds N  how long each program is measured; 60, a whole minute's work, unless given
  --rounds N   how often; 1 unless given
  --raw        with raw sockets, as root; datagram sockets, which the packages allow, unless given";
    let mut options =
        Options { targets: None, span: Duration::from_mins(1), rounds: 1, sockets: Sockets::Datagram };
    let mut args = args;
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse::<u32>().ok()).filter(|n| *n > 0).context(USAGE);
        match arg.as_str() {
            "--targets" => options.targets = Some(number()?),
            "--seconds" => options.span = Duration::from_secs(number()?.into()),
            "--rounds" => options.rounds = number()? as usize,
            "--raw" => options.sockets = Sockets::Raw,
            _ => bail!(USAGE),
        }
    }
    Ok(options)
}

/// Measures `count` lines: a round is the agent, then fping, then the kernel's floor.
fn compare(options: Options, count: u32, goals: Goals) -> Result<()> {
    let folder = Folder::new()?;
    let place = Place::new()?;
    let mut desk = Desk::set_up(folder.path(), &place, count)?;
    let span_s = options.span.as_secs();
    tell(format!("{count} ICMP targets at 1 s, {span_s} s a program; load average {}", load_average()))?;
    let [mut ours, mut peer, mut least] = ["agent", "fping", "bare send and receive"]
        .map(|name| Series { name: name.to_owned(), loads: Vec::new() });
    let namespace = place.namespace().map(Namespace::name);
    let spans = (WARM_UP, options.span);
    place.allow(options.sockets)?;
    for _ in 0..options.rounds {
        desk.start_agent()?;
        let measured = desk.measure_agent(&place, options.span)?;
        desk.stop_agent()?;
        let [sent, answered, lost] = measured.probes;
        ours.name = format!("agent, {} sockets", measured.socket);
        ours.push(measured.load, &format!("; {sent} probes sent, {answered} answered, {lost} lost"))?;
        peer.push(fping(desk.targets(), folder.path(), namespace, spans)?, "")?;
        least.push(bare(desk.targets().len(), namespace, spans)?, "")?;
    }
    table(count, &ours, &[peer, least], goals)?;
    faults(&mut desk, &place)?;
    desk.take_down()?;
    tell(format!("load average {}\n", load_average()))
}

fn table(count: u32, ours: &Series, others: &[Series], goals: Goals) -> Result<()> {
    tell(format!("  {:26} {:>7} {:>8}", "medians of CPU, max RSS", "CPU", "RSS"))?;
    let (cpu, rss) = (ours.cpu_percent(), ours.rss_mib());
    tell(format!("  {:26} {cpu:5.1} % {rss:4.1} MiB", ours.name))?;
    for series in others {
        let theirs = series.cpu_percent();
        tell(format!(
            "  {:26} {theirs:5.1} % {:4.1} MiB  the agent uses {:.2} times its CPU",
            series.name,
            series.rss_mib(),
            cpu / theirs.max(f64::MIN_POSITIVE),
        ))?;
    }
    let Some(fping) = others.first().map(Series::cpu_percent) else { return Ok(()) };
    let path = format!("{count} ICMP targets at 1 s, the whole agent");
    Row::at_most(format!("{path}, CPU"), cpu / fping.max(f64::MIN_POSITIVE), goals.of_fping, "of fping's")
        .beside(format!("{cpu:.1} % of a core; fping {fping:.1} %"))
        .tell()?;
    Row::at_most(format!("{path}, memory"), rss, goals.rss_mib, "MiB").tell()
}

impl Series {
    fn push(&mut self, load: Load, more: &str) -> Result<()> {
        self.loads.push(load);
        tell(format!("  {:26} {load}{more}", self.name))
    }

    fn cpu_percent(&self) -> f64 {
        let mut all: Vec<_> = self.loads.iter().map(|load| load.cpu_percent).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    }

    fn rss_mib(&self) -> f64 {
        self.loads.iter().map(|load| load.peak_rss_kib as f64 / KIB_PER_MIB).fold(0.0, f64::max)
    }
}

fn faults(desk: &mut Desk, place: &Place) -> Result<()> {
    if place.namespace().is_none() {
        return tell("  first lost packet to fault on the board: not measured, dropping packets needs root");
    }
    let times = FAULTS;
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
