//! How true the round trips are: what the prober, ping and fping say of each probe beside what the kernel's own stamps of
//! the same packets say. Over a link between two namespaces, to a far end that takes 10 to 20 ms.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Output, Stdio};

use anyhow::{Context, Result, anyhow, ensure};

use super::far::Far;
use super::wire::{Trips, Wire};
use super::{FPING_TARGETS, inside, ours, write_list};
use crate::bench::{Row, figures, say, spread};
use crate::harness::{Namespace, is_root, remove_leftovers};

/// What names of namespaces begin with; the process id follows.
const PREFIX: &str = "lwtrue";
/// All addresses are from the range that is set aside for benchmarks (RFC 2544).
const NEAR_NET: &str = "198.18.78.1/30";
const FAR_NET: &str = "198.18.78.2/30";
const FAR_IP: &str = "198.18.78.2";
const TARGETS_NET: &str = "198.19.0.0/16";
const FIRST_TARGET: u32 = 0xc613_0001;
/// How much of a run's probes has to be told and answered, so that its figures say something.
const LEAST_SHARE: f64 = 0.99;

/// How many targets are probed how often, and the goal for the median error.
#[derive(Clone, Copy)]
struct Work {
    targets: u32,
    interval_ms: u32,
    each: usize,
    median_us: f64,
    /// One process for each target is too much where they are many.
    with_ping: bool,
}

const WORKS: [Work; 2] = [
    Work { targets: 10, interval_ms: 100, each: 50, median_us: 30.0, with_ping: true },
    Work { targets: 10_000, interval_ms: 1_000, each: 5, median_us: 60.0, with_ping: false },
];

/// Measures both sizes and tells their rows; says so where it may not.
///
/// # Errors
/// When a program or the network fails.
pub fn compare(folder: &Path) -> Result<()> {
    if !is_root() {
        return say("round trips beside the kernel's stamps: not measured, namespaces need root");
    }
    remove_leftovers(PREFIX)?;
    let place = Place::new()?;
    for work in WORKS {
        let targets: Vec<_> = (0..work.targets).map(|n| Ipv4Addr::from(FIRST_TARGET + n)).collect();
        let own = place.errors(work, "prober", || own(&place.near, &targets, work))?;
        let mut peers = Vec::new();
        if work.with_ping {
            let one = Work { targets: 1, each: work.each * targets.len() / 5, ..work };
            peers.push(("ping", place.errors(one, "ping", || ping(&place.near, targets[0], one))?));
        }
        peers.push(("fping", place.errors(work, "fping", || fping(&place.near, &targets, work, folder))?));
        let beside: Vec<_> =
            peers.iter().map(|(name, error)| format!("{name} {} µs", figures(*error))).collect();
        Row::at_most(
            format!("round trips against the kernel's stamps, {} targets, median error", work.targets),
            own,
            work.median_us,
            "µs",
        )
        .beside(beside.join("; "))
        .tell()?;
    }
    Ok(())
}

struct Place {
    near: Namespace,
    /// Keeps the far end alive; it goes before its namespace.
    _answers: Far,
    _far: Namespace,
}

impl Place {
    fn new() -> Result<Self> {
        let pid = std::process::id();
        let near = Namespace::new(&format!("{PREFIX}{pid}-near"))?;
        let far = Namespace::new(&format!("{PREFIX}{pid}-far"))?;
        near.link("line0", NEAR_NET, &far, "line1", FAR_NET)?;
        near.ip(&format!("route add {TARGETS_NET} via {FAR_IP}"))?;
        // Each of the targets is the far end's own address, and its kernel leaves the answers to us.
        far.ip(&format!("route add local {TARGETS_NET} dev lo"))?;
        far.set("net/ipv4/icmp_echo_ignore_all", "1")?;
        near.set("net/ipv4/ping_group_range", "0 2147483647")?;
        let answers = Far::start(&far)?;
        // The link's neighbours find each other before anything is measured.
        said_by(&inside(Some(near.name()), "ping".as_ref()).args(["-c", "1", "-W", "5", FAR_IP]).output()?)?;
        Ok(Self { near, _answers: answers, _far: far })
    }

    /// The median error of what `tool` tells.
    fn errors(&self, work: Work, tool: &str, tell: impl FnOnce() -> Result<Trips>) -> Result<f64> {
        let wire = Wire::watch(&self.near)?;
        let told = tell()?;
        let seen = wire.seen()?;
        let errors = differences(&told, &seen).with_context(|| tool.to_owned())?;
        let wanted = work.targets as usize * work.each;
        let share = errors.len() as f64 / wanted as f64;
        ensure!(share >= LEAST_SHARE, "{tool}: {} of {wanted} probes to compare", errors.len());
        let [median, _, most] = spread(&errors);
        let p99 = percentile_99(&errors);
        say(format!(
            "  {:6} targets, {tool:7} {} probes; off by {} µs (median), {} µs (99 %), {} µs at most",
            work.targets,
            errors.len(),
            figures(median),
            figures(p99),
            figures(most)
        ))?;
        Ok(median)
    }
}

/// By how much what was told differs from what was seen, in microseconds: the n-th of a target's with its n-th.
fn differences(told: &Trips, seen: &Trips) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for (target, told) in told {
        let seen = seen.get(target).context("nothing was seen of a target")?;
        ensure!(seen.len() >= told.len(), "{} probes told, {} seen", told.len(), seen.len());
        let pairs = told.iter().zip(seen).filter_map(|(told, seen)| Some((*told)? - (*seen)?));
        all.extend(pairs.map(f64::abs));
    }
    Ok(all)
}

fn percentile_99(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * 99 / 100).copied().unwrap_or_default()
}

fn own(near: &Namespace, targets: &[Ipv4Addr], work: Work) -> Result<Trips> {
    let targets = targets.to_vec();
    let listening = near.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(ours::listen(&targets, work.interval_ms, work.each))
    })?;
    listening.join().map_err(|_| anyhow!("the prober panicked"))?
}

/// `… time=12.3 ms` for each answer.
fn ping(near: &Namespace, target: Ipv4Addr, work: Work) -> Result<Trips> {
    let between_s = format!("{:.3}", f64::from(work.interval_ms) / 2_000.0);
    let (count, target_text) = (work.each.to_string(), target.to_string());
    let mut command = inside(Some(near.name()), "ping".as_ref());
    let text = said_by(&command.args(["-n", "-i", &between_s, "-c", &count, &target_text]).output()?)?;
    let mut told = vec![None; work.each];
    for line in text.lines() {
        let Some((head, tail)) = line.split_once(" time=") else { continue };
        let seq =
            head.split("icmp_seq=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        let place = seq.and_then(|seq| told.get_mut(seq.checked_sub(1)?)).context("ping's icmp_seq")?;
        *place = tail.split(' ').next().and_then(ms_as_us);
    }
    Ok(HashMap::from([(target, told)]))
}

/// `ADDRESS : 12.3 13.1 - 11.8`, a line for each target, from as many processes as it needs.
fn fping(near: &Namespace, targets: &[Ipv4Addr], work: Work, folder: &Path) -> Result<Trips> {
    let (period, count) = (work.interval_ms.to_string(), work.each.to_string());
    let mut running = Vec::new();
    for (n, few) in targets.chunks(FPING_TARGETS).enumerate() {
        let list = folder.join(format!("told-{n}"));
        write_list(few, &list)?;
        let between_ms = format!("{:.2}", 0.9 * f64::from(work.interval_ms) / few.len() as f64);
        let mut command = inside(Some(near.name()), "fping".as_ref());
        command.args(["-q", "-p", &period, "-i", &between_ms, "-C", &count, "-f"]).arg(&list);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        running.push(child.spawn()?);
    }
    let mut told = HashMap::new();
    for child in running {
        let output = child.wait_with_output()?;
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            let (target, values) = line.split_once(':').with_context(|| line.to_owned())?;
            let values = values.split_whitespace().map(ms_as_us).collect();
            told.insert(target.trim().parse().with_context(|| line.to_owned())?, values);
        }
    }
    ensure!(told.len() == targets.len(), "fping told of {} targets", told.len());
    Ok(told)
}

fn ms_as_us(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().map(|ms| ms * 1_000.0)
}

fn said_by(output: &Output) -> Result<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    Ok(text)
}
