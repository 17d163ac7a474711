//! `linewatch-agent probe TARGET`: a few probes by hand, like ping, through the same prober as the service's.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use linewatch_shared::probe_url::{Host, PacketOptions, ProbeSpec};
use tokio::sync::mpsc;

use self::report::Report;
use super::schedule::phase_key_for;
use super::{DEFAULT_TIMEOUT_MS, Prober, ProberStats, SocketKind, TargetConfig, names};
use crate::clock::{BootClock, NanoClock};

mod report;

const TARGET: u32 = 0;
const FIRST_AFTER_MS: i64 = 10;
const MAX_WAITING_BATCHES: usize = 64;
const MIN_SPAN_MS: u32 = 10;
const MAX_SPAN_MS: u32 = 60_000;

/// Probe one target by hand, like ping. Exits with 0 if any answer came, with 1 otherwise.
#[derive(Args, Debug, Clone)]
pub struct ProbeArgs {
    /// Host or address (meaning ICMP), or a probe URL such as `tcp://HOST:PORT` or `dns://SERVER/NAME`
    pub target: String,
    /// How many probes to send; 0 goes on until Ctrl-C
    #[arg(short, long, default_value_t = 4)]
    pub count: u32,
    /// Time between two probes, such as 200ms or 1s
    #[arg(short, long, default_value = "1s", value_parser = span_ms)]
    pub interval: u32,
    /// How long to wait for an answer, such as 900ms [default: the URL's, or 1s]
    #[arg(short = 'W', long, value_parser = span_ms)]
    pub timeout: Option<u32>,
    /// Time to live (hop limit) of the packets, 1 to 255; ICMP and TCP
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    pub ttl: Option<u8>,
    /// Differentiated services code point, 0 to 63; ICMP and TCP
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=63))]
    pub dscp: Option<u8>,
    /// Payload in bytes, 32 to 65507; ICMP only [default: 56]
    #[arg(short, long, value_parser = clap::value_parser!(u16).range(32..=65_507))]
    pub size: Option<u16>,
    /// Forbid fragmentation of the packets; ICMP only
    #[arg(long)]
    pub df: bool,
    /// Print one JSON object at the end instead of text
    #[arg(long)]
    pub json: bool,
}

/// Runs the command; its exit code says whether any answer came.
///
/// # Errors
/// When the target is not understood, does not resolve, or this machine grants no way to probe it.
pub async fn run(args: ProbeArgs) -> anyhow::Result<ExitCode> {
    let answered = probe_to(&args, &mut io::stdout()).await?;
    Ok(if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The command with its output to `out`; `true` if any answer came.
///
/// # Errors
/// As [`run`], and when `out` cannot be written.
pub async fn probe_to(args: &ProbeArgs, out: &mut impl Write) -> anyhow::Result<bool> {
    let spec = located(spec_of(args)?).await?;
    let clock: Arc<dyn NanoClock> = Arc::new(BootClock);
    let (sink, mut batches) = mpsc::channel(MAX_WAITING_BATCHES);
    let prober = Prober::start(Arc::clone(&clock), sink).context("cannot start the prober")?;
    let means = means_of(&spec, &prober.stats())?;
    let phase_key = phase_key_for(args.interval, clock.mono().0, FIRST_AFTER_MS);
    let timeout_ms = args.timeout.or(spec.timeout_ms()).unwrap_or(DEFAULT_TIMEOUT_MS);
    let target = TargetConfig { target: TARGET, spec, interval_ms: args.interval, timeout_ms, phase_key };
    prober.set_targets(vec![target])?;

    if !args.json {
        writeln!(out, "Probing {} through {means}", args.target)?;
    }
    let mut report = Report::new(means, args.count, !args.json);
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    while !report.is_complete() {
        tokio::select! {
            _ = &mut interrupt => break,
            batch = batches.recv() => {
                let Some(batch) = batch else { break };
                report.take(batch, out)?;
            }
        }
    }
    prober.shutdown();
    if args.json {
        writeln!(out, "{}", report.json(&args.target))?;
    } else {
        report.summary(&args.target, out)?;
    }
    Ok(report.answered())
}

fn spec_of(args: &ProbeArgs) -> anyhow::Result<ProbeSpec> {
    let text = args.target.as_str();
    let mut spec = if text.contains("://") {
        text.parse::<ProbeSpec>()?
    } else if let Ok(ip) = text.parse() {
        ProbeSpec::Icmp { host: Host::Ip(ip), options: PacketOptions::default(), timeout_ms: None }
    } else {
        format!("icmp://{text}").parse::<ProbeSpec>()?
    };
    let size_or_df = args.size.is_some() || args.df;
    match &mut spec {
        ProbeSpec::Icmp { options, .. } => {
            options.size_bytes = args.size.or(options.size_bytes);
            options.df = args.df.then_some(true).or(options.df);
            set_fields(options, args);
        }
        ProbeSpec::Tcp { options, .. } if !size_or_df => set_fields(options, args),
        ProbeSpec::Tcp { .. } => bail!("--size and --df are for ICMP targets only"),
        _ if size_or_df || args.ttl.is_some() || args.dscp.is_some() => {
            bail!("--ttl, --dscp, --size and --df are not for HTTP or DNS targets")
        }
        _ => {}
    }
    Ok(spec)
}

fn set_fields(options: &mut PacketOptions, args: &ProbeArgs) {
    options.ttl = args.ttl.or(options.ttl);
    options.dscp = args.dscp.or(options.dscp);
}

/// The target with its name resolved, so that a name that does not resolve is an error of its own.
async fn located(mut spec: ProbeSpec) -> anyhow::Result<ProbeSpec> {
    if let ProbeSpec::Icmp { host, .. } | ProbeSpec::Tcp { host, .. } | ProbeSpec::Dns { server: host, .. } =
        &mut spec
    {
        let Some(ip) = names::address_of(host).await else {
            bail!("'{host}' does not resolve to an address")
        };
        *host = Host::Ip(ip);
    }
    Ok(spec)
}

/// Through what the target is probed, for the reader.
fn means_of(spec: &ProbeSpec, stats: &ProberStats) -> anyhow::Result<String> {
    let ProbeSpec::Icmp { host, .. } = spec else {
        return Ok(match spec {
            ProbeSpec::Tcp { .. } => "TCP connect",
            ProbeSpec::Http { .. } => "HTTP GET",
            _ => "DNS over UDP",
        }
        .to_owned());
    };
    let v6 = host.ip().is_some_and(|ip| ip.is_ipv6());
    match if v6 { &stats.socket_v6 } else { &stats.socket_v4 } {
        SocketKind::None { reason } => bail!("this machine grants no ICMP socket: {reason}"),
        kind => Ok(format!("a {kind} ICMPv{} socket", if v6 { 6 } else { 4 })),
    }
}

/// Reads `200ms` or `1s`.
fn span_ms(text: &str) -> Result<u32, String> {
    let ms = match text.strip_suffix("ms") {
        Some(ms) => ms.parse().ok(),
        None => text.strip_suffix('s').and_then(|s| s.parse::<u32>().ok()).and_then(|s| s.checked_mul(1_000)),
    };
    ms.filter(|ms| (MIN_SPAN_MS..=MAX_SPAN_MS).contains(ms))
        .ok_or_else(|| format!("'{text}' is not a time from 10ms to 60s: write 200ms or 1s"))
}

#[cfg(test)]
mod tests;
