//! The prober alone, as a process that is measured and as one that is listened to.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use linewatch_agent::clock::BootClock;
use linewatch_agent::probe::{Batch, DEFAULT_TIMEOUT_MS, Prober, ProberHandle, ProberStats, TargetConfig};
use linewatch_shared::sample::Outcome;
use tokio::signal::ctrl_c;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::timeout;

use crate::bench::say;

const MAX_WAITING_BATCHES: usize = 64;
/// What listening may take beyond the time of the probes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Probes until it is interrupted, or `enough` probes were answered, then says what it saw.
///
/// # Errors
/// When the prober cannot start.
pub async fn load(targets: &[Ipv4Addr], interval_ms: u32, enough: Option<u64>) -> Result<()> {
    let (prober, mut batches) = start(targets, interval_ms)?;
    let mut rtts_us: Vec<u32> = Vec::new();
    let mut answered = 0;
    let interrupt = ctrl_c();
    tokio::pin!(interrupt);
    while enough.is_none_or(|enough| answered < enough) {
        tokio::select! {
            _ = &mut interrupt => break,
            batch = batches.recv() => {
                let Some(batch) = batch else { break };
                // The sum of all is not kept: memory is being measured.
                rtts_us.clear();
                rtts_us.extend(batch.samples.iter().filter_map(|sample| rtt_of(sample.outcome)));
                answered += rtts_us.len() as u64;
            }
        }
    }
    tell(&prober.stats(), &mut rtts_us)
}

/// Listens until `each` probes of each target have ended; their round trips in microseconds, in the order of
/// sending, `None` where one was lost.
///
/// # Errors
/// When it takes too long.
pub async fn listen(
    targets: &[Ipv4Addr],
    interval_ms: u32,
    each: usize,
) -> Result<HashMap<Ipv4Addr, Vec<Option<f64>>>> {
    let (prober, mut batches) = start(targets, interval_ms)?;
    let mut told: Vec<Vec<Option<f64>>> = vec![Vec::new(); targets.len()];
    let mut open = targets.len();
    let span = Duration::from_millis(u64::from(interval_ms) * each as u64) + PATIENCE;
    let listening = async {
        while open > 0 {
            let batch = batches.recv().await.context("the prober ended")?;
            for sample in batch.samples {
                let of_target = &mut told[sample.target as usize];
                if !matches!(sample.outcome, Outcome::NotSent(_)) && of_target.len() < each {
                    of_target.push(rtt_of(sample.outcome).map(f64::from));
                    open -= usize::from(of_target.len() == each);
                }
            }
        }
        anyhow::Ok(())
    };
    timeout(span, listening).await.context("the probes did not end in time")??;
    prober.shutdown();
    Ok(targets.iter().copied().zip(told).collect())
}

fn start(targets: &[Ipv4Addr], interval_ms: u32) -> Result<(ProberHandle, Receiver<Batch>)> {
    start_urls(targets.iter().map(|ip| format!("icmp://{ip}")), interval_ms)
}

/// A prober for these URLs, at work, and its samples.
///
/// # Errors
/// When it cannot start.
pub fn start_urls(
    urls: impl Iterator<Item = String>,
    interval_ms: u32,
) -> Result<(ProberHandle, Receiver<Batch>)> {
    let (sink, batches) = mpsc::channel(MAX_WAITING_BATCHES);
    let prober = Prober::start(Arc::new(BootClock), sink)?;
    let targets = urls.zip(0..).map(|(url, target)| {
        let spec = url.parse()?;
        let phase_key = u64::from(target);
        Ok(TargetConfig { target, spec, interval_ms, timeout_ms: DEFAULT_TIMEOUT_MS, phase_key })
    });
    prober.set_targets(targets.collect::<Result<_>>()?)?;
    Ok((prober, batches))
}

fn rtt_of(outcome: Outcome) -> Option<u32> {
    match outcome {
        Outcome::Answered { rtt_us } => Some(rtt_us),
        _ => None,
    }
}

fn tell(stats: &ProberStats, rtts_us: &mut [u32]) -> Result<()> {
    rtts_us.sort_unstable();
    let median_us = rtts_us.get(rtts_us.len() / 2).copied().unwrap_or_default();
    let ProberStats { sent, received, lost, duplicates, calls, .. } = stats;
    let packets_a_call = (sent + received) as f64 / (*calls).max(1) as f64;
    say(format!(
        "  {} socket; {sent} sent, {received} answered, {lost} lost, {} not sent, {duplicates} doubled, \
         {packets_a_call:.1} packets a call; sent late by {} µs on average, {} µs at most; median of the last round trips {median_us} µs",
        stats.socket_v4,
        stats.not_sent.total(),
        stats.lateness.mean_us,
        stats.lateness.max_us,
    ))
}
