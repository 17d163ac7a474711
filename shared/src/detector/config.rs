//! The detector's numbers: how many losses, how long, how fast, how sure.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::recent::{DEPTH, WINDOW};

/// The rules by which samples become line states.
///
/// With the defaults, a line probed every second whose probes time out after one second is declared down
/// 2.5 s after its first lost probe was sent when the gateway answers, and at most 4.5 s after it when
/// nobody can be asked: the loss is known after 1 s, probing then goes on every 250 ms, the run of losses
/// must last 1.5 s, which is known another second later; confirmation takes at most 2 s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectorConfig {
    /// Losses in a row before a line can go down.
    pub raise_losses: u8,
    /// How long that run must last, from its first lost probe's sending to its last one's. Faster probing
    /// gives more evidence in this time; it does not make a blip an outage.
    pub raise_span_ms: u32,
    /// Answers in a row before a line comes up.
    pub clear_answers: u8,
    /// How long that run must last.
    pub clear_span_ms: u32,
    /// Judged probes (answered or lost) after a start or a gap before any verdict, and after an outage of
    /// the own uplink before a line can be down.
    pub window: u8,
    /// While in doubt, a line is probed at its interval divided by this.
    pub fast_divisor: u32,
    /// Never faster than this.
    pub fast_floor_ms: u32,
    /// Never slower than this while in doubt, however long the line's interval.
    pub fast_ceiling_ms: u32,
    /// Lines probed fast at the same time. The others in doubt keep their interval, so that an outage of
    /// everything does not multiply the traffic.
    pub fast_lines: u32,
    /// A line without a judged probe for this many of its intervals is unknown …
    pub gap_intervals: u32,
    /// … but not before this time.
    pub gap_floor_ms: u32,
    /// A confirming answer counts when its probe was sent at least this long after the line's first loss:
    /// just before, both may still have worked.
    pub confirm_slack_ms: u32,
    /// How long to wait for those who could confirm; who has said nothing by then is left out.
    pub confirm_timeout_ms: u32,
    /// Losses since the line's first loss before an anchor counts as silent.
    pub anchor_losses: u8,
    /// An anchor that has not answered for this long while lines did is no longer asked.
    pub anchor_memory_ms: u32,
    /// What makes a line that is up a degraded one.
    pub loss: LossRule,
}

/// "k of the last n": loss that never gets long enough to be an outage is still shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossRule {
    /// Judged probes looked at, at most 64.
    pub of: u8,
    /// Lost among them that make a line degraded.
    pub degraded_at: u8,
    /// Lost among them at or below which it is clean again.
    pub clean_at: u8,
    /// Lost among them that take the line down although no run was long enough. Off by default.
    pub down_at: Option<u8>,
}

impl Default for LossRule {
    fn default() -> Self {
        Self { of: 60, degraded_at: 12, clean_at: 3, down_at: None }
    }
}

impl Default for DetectorConfig {
    fn default() -> Self {
        Self {
            raise_losses: 3,
            raise_span_ms: 1_500,
            clear_answers: 5,
            clear_span_ms: 2_000,
            window: 10,
            fast_divisor: 4,
            fast_floor_ms: 200,
            fast_ceiling_ms: 1_000,
            fast_lines: 256,
            gap_intervals: 5,
            gap_floor_ms: 10_000,
            confirm_slack_ms: 500,
            confirm_timeout_ms: 2_000,
            anchor_losses: 2,
            anchor_memory_ms: 600_000,
            loss: LossRule::default(),
        }
    }
}

/// Numbers that contradict each other or the detector's memory.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("detector.{key}: {reason}")]
pub struct DetectorConfigError {
    /// The key at fault.
    pub key: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl DetectorConfig {
    /// Checks the numbers against each other.
    ///
    /// # Errors
    /// Names the first key that is out of range.
    pub fn check(&self) -> Result<(), DetectorConfigError> {
        let depth = DEPTH as u32;
        within("raise_losses", self.raise_losses.into(), 1, depth)?;
        within("clear_answers", self.clear_answers.into(), 1, depth)?;
        within("window", self.window.into(), 1, WINDOW as u32)?;
        within("raise_span_ms", self.raise_span_ms, 0, 600_000)?;
        within("clear_span_ms", self.clear_span_ms, 0, 600_000)?;
        within("fast_divisor", self.fast_divisor, 1, 100)?;
        within("fast_floor_ms", self.fast_floor_ms, 10, 60_000)?;
        within("fast_ceiling_ms", self.fast_ceiling_ms, self.fast_floor_ms, 60_000)?;
        within("gap_intervals", self.gap_intervals, 2, 1_000)?;
        within("gap_floor_ms", self.gap_floor_ms, 1_000, 3_600_000)?;
        within("confirm_slack_ms", self.confirm_slack_ms, 0, self.raise_span_ms)?;
        within("confirm_timeout_ms", self.confirm_timeout_ms, 100, 60_000)?;
        within("anchor_losses", self.anchor_losses.into(), 1, depth)?;
        within("anchor_memory_ms", self.anchor_memory_ms, 1_000, 86_400_000)?;
        let of = u32::from(self.loss.of);
        within("loss.of", of, 1, WINDOW as u32)?;
        within("loss.degraded_at", self.loss.degraded_at.into(), 1, of)?;
        within("loss.clean_at", self.loss.clean_at.into(), 0, u32::from(self.loss.degraded_at) - 1)?;
        within("loss.down_at", self.loss.down_at.unwrap_or(1).into(), 1, of)
    }

    /// The interval of a line in doubt; never longer than its own.
    #[must_use]
    pub fn fast_interval_ms(&self, interval_ms: u32) -> u32 {
        let fast = interval_ms / self.fast_divisor.max(1);
        fast.min(self.fast_ceiling_ms).max(self.fast_floor_ms).min(interval_ms)
    }

    /// The time without a judged probe after which a line is unknown.
    #[must_use]
    pub fn gap_ms(&self, interval_ms: u32) -> i64 {
        let intervals = i64::from(interval_ms) * i64::from(self.gap_intervals);
        intervals.max(i64::from(self.gap_floor_ms))
    }
}

fn within(key: &'static str, value: u32, least: u32, most: u32) -> Result<(), DetectorConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(DetectorConfigError { key, reason: format!("{value} is not between {least} and {most}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_agree_with_each_other() {
        assert_eq!(DetectorConfig::default().check(), Ok(()));
    }

    #[test]
    fn a_contradiction_is_named() {
        let config = DetectorConfig { confirm_slack_ms: 2_000, ..DetectorConfig::default() };
        let error = config.check().unwrap_err();
        assert_eq!(error.to_string(), "detector.confirm_slack_ms: 2000 is not between 0 and 1500");
    }

    #[test]
    fn doubt_is_probed_faster_but_within_bounds() {
        let config = DetectorConfig::default();
        let cases = [(100, 100), (400, 200), (1_000, 250), (3_000, 750), (60_000, 1_000)];
        for (interval_ms, fast_ms) in cases {
            assert_eq!(config.fast_interval_ms(interval_ms), fast_ms, "interval {interval_ms}");
        }
    }
}
