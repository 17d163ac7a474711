//! Whether the gateway, the far end and hosts outside answer, through the same prober as the service's.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use linewatch_shared::facts::{Finding, Grade};
use linewatch_shared::probe_url::{Host, PacketOptions, ProbeSpec};
use linewatch_shared::sample::Outcome;
use tokio::sync::mpsc;

use super::finding;
use crate::clock::{BootClock, NanoClock};
use crate::probe::{Prober, TargetConfig};

/// Probes to each.
const PROBES: usize = 5;
const INTERVAL_MS: u32 = 300;
const TIMEOUT_MS: u32 = 1_000;
/// The longest that all may take.
const SPAN: Duration = Duration::from_secs(12);
/// Batches that wait.
const BATCHES_MAX: usize = 64;

/// What became of the probes to one target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// Judged probes.
    pub sent: usize,
    /// Answered ones.
    pub answered: usize,
    /// Those that never left this machine.
    pub not_sent: usize,
    rtt_us: u64,
}

impl Answers {
    fn mean_us(&self) -> u64 {
        self.rtt_us / (self.answered.max(1) as u64)
    }
}

/// Probes several targets at the same time, `count` times each.
pub async fn probe(specs: Vec<ProbeSpec>, count: usize) -> Vec<Answers> {
    let mut found = vec![Answers::default(); specs.len()];
    let (sink, mut batches) = mpsc::channel(BATCHES_MAX);
    let Ok(prober) = Prober::start(Arc::new(BootClock) as Arc<dyn NanoClock>, sink) else { return found };
    let target = |(n, spec): (u32, ProbeSpec)| {
        let timeout_ms = spec.timeout_ms().unwrap_or(TIMEOUT_MS);
        TargetConfig { target: n, spec, interval_ms: INTERVAL_MS, timeout_ms, phase_key: u64::from(n) }
    };
    if prober.set_targets((0..).zip(specs).map(target).collect()).is_err() {
        return found;
    }
    let listen = async {
        while found.iter().any(|one| one.sent + one.not_sent < count) {
            let Some(batch) = batches.recv().await else { break };
            for sample in batch.samples {
                let Some(one) = found.get_mut(sample.target as usize) else { continue };
                if one.sent + one.not_sent >= count {
                    continue;
                }
                match sample.outcome {
                    Outcome::Answered { rtt_us } => {
                        one.sent += 1;
                        one.answered += 1;
                        one.rtt_us += u64::from(rtt_us);
                    }
                    Outcome::Lost(_) => one.sent += 1,
                    Outcome::NotSent(_) => one.not_sent += 1,
                }
            }
        }
    };
    let _ = tokio::time::timeout(SPAN, listen).await;
    prober.shutdown();
    found
}

/// Gateway, far end, outside.
pub async fn check(gateway: Option<IpAddr>, far_end: &ProbeSpec, outside: &[ProbeSpec]) -> Vec<Finding> {
    let own = gateway.map(|ip| ProbeSpec::Icmp {
        host: Host::Ip(ip),
        options: PacketOptions::default(),
        timeout_ms: None,
    });
    let mut specs = vec![far_end.clone()];
    specs.extend(own.clone());
    specs.extend(outside.iter().cloned());
    let found = probe(specs, PROBES).await;
    let mut rest = found.iter().skip(1);
    let near = match own.and_then(|_| rest.next()) {
        Some(answers) => judged("gateway", *answers, Grade::Warn),
        None => finding("gateway", Grade::Unknown, "none", []),
    };
    let far = judged("far_end", found.first().copied().unwrap_or_default(), Grade::Fail);
    let best = rest.max_by_key(|answers| answers.answered);
    let out = match best {
        Some(answers) => judged("outside", *answers, Grade::Fail),
        None => finding("outside", Grade::Unknown, "not_configured", []),
    };
    vec![near, far, out]
}

/// A gateway that does not answer pings may be set up so; a far end that was to answer is down.
fn judged(check: &str, answers: Answers, silent: Grade) -> Finding {
    let Answers { sent, answered, not_sent, .. } = answers;
    let counts = ("answered", format!("{answered}/{}", sent + not_sent));
    let rtt = ("rtt_us", answers.mean_us().to_string());
    match (sent, answered) {
        (0, _) => finding(check, Grade::Fail, "not_sent", [counts]),
        (_, 0) => finding(check, silent, "silent", [counts]),
        (sent, answered) if answered < sent => finding(check, Grade::Warn, "losses", [counts, rtt]),
        _ => finding(check, Grade::Ok, "answers", [counts, rtt]),
    }
}
