//! What the prober alone costs (no detector, no journal), with fping beside it in the same run.
//! `bench_probe` measures 1,000 and 10,000 targets; `bench_probe load COUNT` is the process that it measures,
//! `bench_probe floor COUNT` the one that does no more than send and receive.

use std::env;
use std::io::{self, Write};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use linewatch_agent::clock::BootClock;
use linewatch_agent::probe::{Prober, ProberStats, TargetConfig};
use linewatch_shared::sample::Outcome;
use linewatch_tests::bench_probe::{bare, floor, fping, interrupt, loopback_targets, measure};
use linewatch_tests::harness::{interrupt_on_signals, is_interrupted};
use tokio::signal::ctrl_c;
use tokio::sync::mpsc;

const WARM_UP: Duration = Duration::from_secs(3);
const SPAN: Duration = Duration::from_secs(15);
const INTERVAL_MS: u32 = 1_000;
const MAX_WAITING_BATCHES: usize = 64;

fn main() -> anyhow::Result<()> {
    match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => [1_000, 10_000].into_iter().try_for_each(compare),
        [verb, count] if verb == "load" => {
            let count = count.parse().context("COUNT must be a number")?;
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load(count))
        }
        [verb, count] if verb == "floor" => bare_floor(count.parse().context("COUNT must be a number")?),
        _ => bail!("usage: bench_probe [load COUNT | floor COUNT]"),
    }
}

fn compare(count: u32) -> anyhow::Result<()> {
    let mut out = io::stdout();
    let folder = tempfile::tempdir()?;
    let targets: Vec<_> = loopback_targets(count).collect();
    let mut child = Command::new(env::current_exe()?).args(["load", &count.to_string()]).spawn()?;
    let ours = measure(&[child.id()], WARM_UP, SPAN);
    interrupt(&mut child)?;
    let (ours, peer) = (ours?, fping(&targets, folder.path(), None, (WARM_UP, SPAN))?);
    let least = bare(targets.len(), None, (WARM_UP, SPAN))?;
    writeln!(
        out,
        "{count:6} targets at {INTERVAL_MS} ms: prober {ours}; fping {peer}; bare send and receive {least}; {:.2} \
         times fping's CPU, {:.2} times the bare",
        ours.cpu_ratio(&peer),
        ours.cpu_ratio(&least)
    )?;
    Ok(())
}

fn bare_floor(count: u32) -> anyhow::Result<()> {
    interrupt_on_signals()?;
    let [sent, received] = floor(&loopback_targets(count).collect::<Vec<_>>(), is_interrupted)?;
    writeln!(io::stdout(), "  bare: {sent} sent, {received} received")?;
    Ok(())
}

/// Probes until it is interrupted, then says what it saw.
async fn load(count: u32) -> anyhow::Result<()> {
    let (sink, mut batches) = mpsc::channel(MAX_WAITING_BATCHES);
    let prober = Prober::start(Arc::new(BootClock), sink)?;
    let targets = loopback_targets(count).zip(0..).map(|(ip, target)| {
        let spec = format!("icmp://{ip}").parse()?;
        Ok(TargetConfig {
            target,
            spec,
            interval_ms: INTERVAL_MS,
            timeout_ms: 1_000,
            phase_key: u64::from(target),
        })
    });
    prober.set_targets(targets.collect::<anyhow::Result<_>>()?)?;
    let mut rtts_us: Vec<u32> = Vec::new();
    let interrupt = ctrl_c();
    tokio::pin!(interrupt);
    loop {
        tokio::select! {
            _ = &mut interrupt => break,
            batch = batches.recv() => {
                let Some(batch) = batch else { break };
                // The sum of all is not kept: memory is being measured.
                rtts_us.clear();
                rtts_us.extend(batch.samples.iter().filter_map(|s| match s.outcome {
                    Outcome::Answered { rtt_us } => Some(rtt_us),
                    _ => None,
                }));
            }
        }
    }
    tell(&prober.stats(), &mut rtts_us)
}

fn tell(stats: &ProberStats, rtts_us: &mut [u32]) -> anyhow::Result<()> {
    rtts_us.sort_unstable();
    let median_us = rtts_us.get(rtts_us.len() / 2).copied().unwrap_or_default();
    let ProberStats { sent, received, lost, duplicates, .. } = stats;
    writeln!(
        io::stdout(),
        "  {} socket; {sent} sent, {received} answered, {lost} lost, {} not sent, {duplicates} doubled; \
         sent late by {} µs on average, {} µs at most; median of the last round trips {median_us} µs",
        stats.socket_v4,
        stats.not_sent.total(),
        stats.lateness.mean_us,
        stats.lateness.max_us,
    )?;
    Ok(())
}
