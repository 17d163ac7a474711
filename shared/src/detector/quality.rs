//! What a line's contract allows before it counts as degraded: loss, round trip, jitter.

/// A smoothed value moves by a sixteenth of what is new, as jitter of real-time traffic is counted.
const SMOOTHING: i64 = 16;
/// So many parts of a limit, in tenths, let a degraded line be well again.
const WELL_TENTHS: i64 = 9;
/// Lost probes that prove more than chance.
const LOST_MIN: u32 = 2;

/// The contract's values. What is absent is not promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    loss_at_most_ppm: u32,
    latency_at_most_us: u32,
    jitter_at_most_us: u32,
}

/// Stands for what is not promised: every line has such values, and their memory is counted.
const ANY: u32 = u32::MAX;

impl Default for Quality {
    fn default() -> Self {
        Self::new(None, None, None)
    }
}

impl Quality {
    /// Lost of a million, round trip, difference of round trips in a row: at most.
    #[must_use]
    pub fn new(loss_ppm: Option<u32>, latency_us: Option<u32>, jitter_us: Option<u32>) -> Self {
        Self {
            loss_at_most_ppm: loss_ppm.unwrap_or(ANY),
            latency_at_most_us: latency_us.unwrap_or(ANY),
            jitter_at_most_us: jitter_us.unwrap_or(ANY),
        }
    }

    /// How many losses of so many probes make a line degraded, and how many at most let it be well again.
    pub(super) fn losses(&self, of: u8) -> Option<(u32, u32)> {
        if self.loss_at_most_ppm == ANY {
            return None;
        }
        let allowed = u64::from(self.loss_at_most_ppm) * u64::from(of) / 1_000_000;
        let allowed = allowed as u32;
        Some(((allowed + 1).max(LOST_MIN), allowed / 2))
    }
}

/// Round trips, smoothed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Smoothed {
    /// [`ANY`] before the first answer.
    rtt_us: u32,
    jitter_us: u32,
}

impl Smoothed {
    /// Before the first answer.
    pub const NONE: Self = Self { rtt_us: ANY, jitter_us: 0 };

    /// Takes an answer; `before_us` is the round trip of the one before it.
    pub fn take(&mut self, rtt_us: u32, before_us: Option<u32>) {
        let toward = |from: u32, to: u32| {
            let moved = i64::from(from) + (i64::from(to) - i64::from(from)) / SMOOTHING;
            u32::try_from(moved).unwrap_or(u32::MAX)
        };
        if self.rtt_us == ANY {
            self.rtt_us = rtt_us;
            return;
        }
        self.rtt_us = toward(self.rtt_us, rtt_us);
        if let Some(before_us) = before_us {
            self.jitter_us = toward(self.jitter_us, rtt_us.abs_diff(before_us));
        }
    }

    /// Whether the contract is broken; for a line that is degraded already, whether it is not well again.
    pub fn exceeds(self, quality: &Quality, degraded: bool) -> bool {
        let tenths = if degraded { WELL_TENTHS } else { 10 };
        let over = |value_us: u32, limit_us: u32| {
            limit_us != ANY && value_us != ANY && i64::from(value_us) * 10 > i64::from(limit_us) * tenths
        };
        over(self.rtt_us, quality.latency_at_most_us) || over(self.jitter_us, quality.jitter_at_most_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_those_beyond_what_is_allowed() {
        let at = |ppm| Quality::new(Some(ppm), None, None).losses(60);
        assert_eq!(at(100_000), Some((7, 3)), "six of sixty are a tenth");
        assert_eq!(at(1_000), Some((2, 0)), "one lost probe is chance");
        assert_eq!(Quality::default().losses(60), None);
    }

    #[test]
    fn one_slow_answer_breaks_nothing_and_many_do() {
        let quality = Quality::new(None, Some(50_000), Some(30_000));
        let mut smoothed = Smoothed::NONE;
        let mut before = None;
        let mut answer = |smoothed: &mut Smoothed, rtt_us| {
            smoothed.take(rtt_us, before);
            before = Some(rtt_us);
        };
        for _ in 0..60 {
            answer(&mut smoothed, 10_000);
        }
        answer(&mut smoothed, 200_000);
        assert!(!smoothed.exceeds(&quality, false));
        for _ in 0..60 {
            answer(&mut smoothed, 60_000);
        }
        assert!(smoothed.exceeds(&quality, false), "slow");
        for _ in 0..60 {
            answer(&mut smoothed, 47_000);
        }
        assert!(!smoothed.exceeds(&quality, false) && smoothed.exceeds(&quality, true), "not well again yet");
        for turn in 0..60 {
            answer(&mut smoothed, if turn % 2 == 0 { 5_000 } else { 45_000 });
        }
        assert!(smoothed.exceeds(&quality, false), "unsteady");
    }
}
