//! What the probe command prints: each outcome, then the figures.

use std::fmt::Write as _;
use std::io::{self, Write};

use linewatch_shared::sample::{Late, LossCause, NotSentCause, Outcome, Sample};
use serde_json::json;

use crate::probe::Batch;

/// Samples so far, and how they are shown.
pub(super) struct Report {
    means: String,
    count: usize,
    as_they_come: bool,
    samples: Vec<Sample>,
}

impl Report {
    /// A report of `count` samples, 0 for no end, that prints each as it comes or nothing until the end.
    pub(super) fn new(means: String, count: u32, as_they_come: bool) -> Self {
        Self { means, count: count as usize, as_they_come, samples: Vec::new() }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.count > 0 && self.samples.len() >= self.count
    }

    pub(super) fn take(&mut self, batch: Batch, out: &mut impl Write) -> io::Result<()> {
        for sample in batch.samples {
            if self.is_complete() {
                break;
            }
            self.samples.push(sample);
            if self.as_they_come {
                writeln!(out, "{:>4}  {}", self.samples.len(), text_of(sample.outcome))?;
            }
        }
        for Late { rtt_us, .. } in batch.late {
            if self.as_they_come {
                writeln!(out, "      late answer after {}", ms_text(rtt_us))?;
            }
        }
        Ok(())
    }

    fn rtts_us(&self) -> Vec<u32> {
        self.samples.iter().filter_map(|s| rtt_of(s.outcome)).collect()
    }

    pub(super) fn answered(&self) -> bool {
        self.samples.iter().any(|s| rtt_of(s.outcome).is_some())
    }

    /// Sent, lost, not sent.
    fn counts(&self) -> (usize, usize, usize) {
        let lost = self.samples.iter().filter(|s| matches!(s.outcome, Outcome::Lost(_))).count();
        let not_sent = self.samples.iter().filter(|s| matches!(s.outcome, Outcome::NotSent(_))).count();
        (self.samples.len() - not_sent, lost, not_sent)
    }

    pub(super) fn summary(&self, target: &str, out: &mut impl Write) -> io::Result<()> {
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

    pub(super) fn json(&self, target: &str) -> serde_json::Value {
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
#[expect(clippy::struct_field_names, reason = "every field carries its unit")]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_the_mean_step() {
        assert_eq!(
            Spread::of(&[10, 20, 14]),
            Some(Spread { min_us: 10, avg_us: 14, max_us: 20, jitter_us: 8 })
        );
        assert_eq!(Spread::of(&[7]), Some(Spread { min_us: 7, avg_us: 7, max_us: 7, jitter_us: 0 }));
        assert_eq!(Spread::of(&[]), None);
    }
}
