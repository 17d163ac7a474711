//! What the prober alone costs (no detector, no journal) beside fping and beside the kernel's floor in the same run: at
//! a ping a second, and in a burst; and how true its round trips are.
//!
//! `bench_probe` measures; with a verb it is one of the processes that are measured: `load` or `floor`, with
//! COUNT targets every INTERVAL milliseconds, until it is interrupted or PINGS were answered.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use linewatch_tests::bench::say;
use linewatch_tests::bench_agent::{Place, Sockets};
use linewatch_tests::bench_probe::{
    EVERY_SECOND_MS, bare, burst, floor, fping, inside, interrupt, loopback_targets, measure, ours, precision,
};
use linewatch_tests::harness::{Namespace, interrupt_on_signals, is_interrupted, program};

const WARM_UP: Duration = Duration::from_secs(2);
const SPAN: Duration = Duration::from_secs(8);

fn main() -> Result<()> {
    const USAGE: &str = "usage: bench_probe [load|floor COUNT INTERVAL [PINGS]]";
    let args: Vec<_> = env::args().skip(1).collect();
    let Some((verb, numbers)) = args.split_first() else { return compare_all() };
    let numbers: Vec<u32> = numbers.iter().map(|n| n.parse()).collect::<Result<_, _>>().context(USAGE)?;
    let (&[count, interval_ms], pings) = numbers.split_first_chunk().context(USAGE)?;
    let targets: Vec<_> = loopback_targets(count).collect();
    let pings = pings.first().copied().map(u64::from);
    match verb.as_str() {
        "load" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(ours::load(&targets, interval_ms, pings))
        }
        "floor" => {
            interrupt_on_signals()?;
            let stopped =
                |[_, received]: [u64; 2]| is_interrupted() || pings.is_some_and(|enough| received >= enough);
            let [sent, received] = floor(&targets, interval_ms as usize, stopped)?;
            say(format!("  bare: {sent} sent, {received} received"))
        }
        _ => bail!(USAGE),
    }
}

fn compare_all() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = Place::new()?;
    place.allow(Sockets::Datagram)?;
    let namespace = place.namespace().map(Namespace::name);
    for count in [1_000, 10_000] {
        compare(count, folder.path(), namespace)?;
    }
    burst::compare(folder.path(), namespace)?;
    precision::compare(folder.path())
}

fn compare(count: u32, folder: &Path, namespace: Option<&str>) -> Result<()> {
    let targets: Vec<_> = loopback_targets(count).collect();
    let mut child = inside(namespace, program("bench_probe")?.as_os_str())
        .args(["load", &count.to_string(), &EVERY_SECOND_MS.to_string()])
        .spawn()?;
    let ours = measure(&[child.id()], WARM_UP, SPAN);
    interrupt(&mut child)?;
    let (ours, peer) = (ours?, fping(&targets, folder, namespace, (WARM_UP, SPAN))?);
    let least = bare(targets.len(), namespace, (WARM_UP, SPAN))?;
    say(format!(
        "{count:6} targets at {EVERY_SECOND_MS} ms: prober {ours}; fping {peer}; bare send and receive {least}; {:.2} \
         times fping's CPU, {:.2} times the bare",
        ours.cpu_ratio(&peer),
        ours.cpu_ratio(&least)
    ))
}
