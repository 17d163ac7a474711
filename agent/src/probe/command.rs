//! `linewatch-agent probe TARGET`: a few probes by hand, like ping, through the same prober as the service's.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use linewatch_shared::probe_url::{Host, PacketOptions, ProbeSpec};
use linewatch_shared::sample::{Late, LossCause, NotSentCause, Outcome, Sample};
use serde_json::json;
use tokio::sync::mpsc;

use super::schedule::phase_key_for;
use super::{Batch, DEFAULT_TIMEOUT_MS, Prober, ProberStats, SocketKind, TargetConfig, names};
use crate::clock::{BootClock, NanoClock};

const TARGET: u32 = 0;
const FIRST_AFTER_MS: i64 = 10;
const MAX_WAITING_BATCHES: usize = 64;
const MIN_SPAN_MS: u32 = 10;
const MAX_SPAN_MS: u32 = 60_000;

/// Probe one target by hand, like ping. Exits with 0 if any answer came, with 1 otherwise.
#[derive(Args, Debug, Clone)]
pub struct ProbeArgs {
    /// Host or address (meaning ICMP), or a probe URL: icmp://, tcp://HOST:PORT, http(s)://, dns://SERVER/NAME
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

    let mut report = Report { means, ..Report::default() };
    if !args.json {
        writeln!(out, "Probing {} through {}", args.target, report.means)?;
    }
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    while args.count == 0 || report.samples.len() < args.count as usize {
        tokio::select! {
            _ = &mut interrupt => break,
            batch = batches.recv() => {
                let Some(batch) = batch else { break };
                report.take(batch, args, out)?;
            }
        }
    }
    prober.shutdown();
    if args.json {
        writeln!(out, "{}", report.json(&args.target))?
    } else {
        report.summary(&args.target, out)?
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

#[derive(Default)]
struct Report {
    means: String,
    samples: Vec<Sample>,
}

impl Report {
    fn take(&mut self, batch: Batch, args: &ProbeArgs, out: &mut impl Write) -> anyhow::Result<()> {
        for sample in batch.samples {
            if args.count > 0 && self.samples.len() >= args.count as usize {
                break;
            }
            self.samples.push(sample);
            if !args.json {
                writeln!(out, "{:>4}  {}", self.samples.len(), text_of(sample.outcome))?;
            }
        }
        for Late { rtt_us, .. } in batch.late {
            if !args.json {
                writeln!(out, "      late answer after {}", ms_text(rtt_us))?;
            }
        }
        Ok(())
    }

    fn rtts_us(&self) -> Vec<u32> {
        self.samples.iter().filter_map(|s| rtt_of(s.outcome)).collect()
    }

    fn answered(&self) -> bool {
        self.samples.iter().any(|s| rtt_of(s.outcome).is_some())
    }

    /// Sent, lost, not sent.
    fn counts(&self) -> (usize, usize, usize) {
        let lost = self.samples.iter().filter(|s| matches!(s.outcome, Outcome::Lost(_))).count();
        let not_sent = self.samples.iter().filter(|s| matches!(s.outcome, Outcome::NotSent(_))).count();
        (self.samples.len() - not_sent, lost, not_sent)
    }

    fn summary(&self, target: &str, out: &mut impl Write) -> io::Result<()> {
        let (sent, lost, not_sent) = self.counts();
        let mut line = format!("{target}: {sent} sent, {} answered, ", sent - lost);
        let _ = if sent > 0 {
            write!(line, "{:.1} % lost", percent(lost, sent))
        } else {
            write!(line, "no verdict")
        };
        if not_sent > 0 {
            let _ = write!(line, ", {not_sent} not sent");
        }
        writeln!(out, "{line}")?;
        let Some(Spread { min_us, avg_us, max_us, jitter_us }) = Spread::of(&self.rtts_us()) else {
            return Ok(());
        };
        let [min, avg, max, jitter] = [min_us, avg_us, max_us, jitter_us].map(ms_text);
        writeln!(out, "round trip min/avg/max/jitter: {min} / {avg} / {max} / {jitter}")
    }

    fn json(&self, target: &str) -> serde_json::Value {
        let (sent, lost, not_sent) = self.counts();
        let samples: Vec<_> = self.samples.iter().map(json_of).collect();
        json!({
            "target": target,
            "means": self.means,
            "sent": sent,
            "answered": sent - lost,
            "lost": lost,
            "not_sent": not_sent,
            "lost_percent": (sent > 0).then(|| percent(lost, sent)),
            "rtt": Spread::of(&self.rtts_us()).map(|s| json!({
                "min_us": s.min_us, "avg_us": s.avg_us, "max_us": s.max_us, "jitter_us": s.jitter_us,
            })),
            "samples": samples,
        })
    }
}

/// Round trips in short. Jitter is the mean difference between one and the next.
#[derive(Debug, PartialEq, Eq)]
struct Spread {
    min_us: u32,
    avg_us: u32,
    max_us: u32,
    jitter_us: u32,
}

impl Spread {
    fn of(rtts_us: &[u32]) -> Option<Self> {
        let mean = |sum: u64, n: usize| (sum / n.max(1) as u64) as u32;
        let sum = rtts_us.iter().map(|us| u64::from(*us)).sum();
        let steps = rtts_us.windows(2).map(|pair| u64::from(pair[0].abs_diff(pair[1]))).sum();
        Some(Self {
            min_us: *rtts_us.iter().min()?,
            avg_us: mean(sum, rtts_us.len()),
            max_us: *rtts_us.iter().max()?,
            jitter_us: mean(steps, rtts_us.len() - 1),
        })
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    (part as f64 * 1_000.0 / whole as f64).round() / 10.0
}

fn rtt_of(outcome: Outcome) -> Option<u32> {
    if let Outcome::Answered { rtt_us } = outcome { Some(rtt_us) } else { None }
}

fn ms_text(us: u32) -> String {
    format!("{:.3} ms", f64::from(us) / 1_000.0)
}

fn text_of(outcome: Outcome) -> String {
    match outcome {
        Outcome::Answered { rtt_us } => format!("answered in {}", ms_text(rtt_us)),
        Outcome::Lost(LossCause::Timeout) => "lost: no answer in time".to_owned(),
        Outcome::Lost(LossCause::Unreachable) => {
            "lost: the network says that it cannot be reached".to_owned()
        }
        Outcome::Lost(LossCause::Refused) => "lost: the far end refused".to_owned(),
        Outcome::Lost(LossCause::BadAnswer) => "lost: an answer came, but not a good one".to_owned(),
        Outcome::NotSent(NotSentCause::NoCarrier) => "not sent: no carrier or no address".to_owned(),
        Outcome::NotSent(NotSentCause::NoRoute) => "not sent: this machine has no route to it".to_owned(),
        Outcome::NotSent(NotSentCause::BufferFull) => "not sent: the socket's buffer is full".to_owned(),
        Outcome::NotSent(NotSentCause::Refused) => {
            "not sent: this machine refused (firewall, size with don't-fragment)".to_owned()
        }
        Outcome::NotSent(NotSentCause::Overrun) => "not sent: this machine was too busy".to_owned(),
    }
}

fn json_of(sample: &Sample) -> serde_json::Value {
    let sent_at = sample.sent_at.to_rfc3339();
    match sample.outcome {
        Outcome::Answered { rtt_us } => json!({"sent_at": sent_at, "outcome": "answered", "rtt_us": rtt_us}),
        Outcome::Lost(cause) => json!({"sent_at": sent_at, "outcome": "lost", "cause": cause}),
        Outcome::NotSent(cause) => json!({"sent_at": sent_at, "outcome": "not_sent", "cause": cause}),
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
#[path = "command_tests.rs"]
mod tests;
