//! When to try again: capped exponential growth, with the jitter added *after* the cap, so that agents that
//! have all reached it do not come back in step.
//!
//! Pure: chance is handed in as a number in `0.0..1.0` drawn by the caller.

/// How a failing exchange is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffPolicy {
    /// The first wait.
    pub first_ms: u32,
    /// The longest wait before jitter; each wait doubles up to it.
    pub cap_ms: u32,
    /// Jitter adds up to this share of the wait, in percent.
    pub jitter_percent: u32,
    /// The longest wait that a server's `Retry-After` can order.
    pub retry_after_cap_ms: u32,
    /// A reconnect after a while without a network begins with a random wait up to this.
    pub reconnect_spread_ms: u32,
}

impl Default for BackoffPolicy {
    fn default() -> Self {
        Self {
            first_ms: 500,
            cap_ms: 60_000,
            jitter_percent: 50,
            retry_after_cap_ms: 3_600_000,
            reconnect_spread_ms: 5_000,
        }
    }
}

/// The state of one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    policy: BackoffPolicy,
    failures: u32,
}

impl Backoff {
    /// Nothing has failed yet.
    #[must_use]
    pub const fn new(policy: BackoffPolicy) -> Self {
        Self { policy, failures: 0 }
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// It worked: the next failure begins anew.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// It failed: how long to wait, in milliseconds. `retry_after_ms` is what the server asked for; it is
    /// obeyed as the least wait, up to its cap, and jitter comes on top. `chance` is in `0.0..1.0`.
    #[must_use]
    pub fn failed(&mut self, retry_after_ms: Option<u64>, chance: f64) -> u64 {
        let doubled = u64::from(self.policy.first_ms) << self.failures.min(31);
        self.failures = self.failures.saturating_add(1);
        let capped = doubled.min(u64::from(self.policy.cap_ms));
        let asked = retry_after_ms.unwrap_or(0).min(u64::from(self.policy.retry_after_cap_ms));
        let wait = capped.max(asked);
        let spread = capped.max(asked.min(u64::from(self.policy.cap_ms)));
        wait + share(spread * u64::from(self.policy.jitter_percent) / 100, chance)
    }

    /// The wait before the first attempt after the network came back, in milliseconds.
    #[must_use]
    pub fn reconnect_delay_ms(&self, chance: f64) -> u64 {
        share(u64::from(self.policy.reconnect_spread_ms), chance)
    }
}

/// A part of `most`; chances out of range (and NaN) count as the nearest end.
fn share(most: u64, chance: f64) -> u64 {
    (most as f64 * chance.clamp(0.0, 1.0)) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waits(chance: f64, count: usize) -> Vec<u64> {
        let mut backoff = Backoff::new(BackoffPolicy::default());
        (0..count).map(|_| backoff.failed(None, chance)).collect()
    }

    #[test]
    fn it_doubles_up_to_the_cap_and_jitter_comes_after_it() {
        assert_eq!(waits(0.0, 9), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(waits(0.5, 9)[8], 75_000, "the cap does not cut the jitter off");
    }

    #[test]
    fn success_begins_anew() {
        let mut backoff = Backoff::new(BackoffPolicy::default());
        for _ in 0..5 {
            let _ = backoff.failed(None, 0.9);
        }
        backoff.succeeded();
        assert_eq!(backoff.failed(None, 0.0), 500);
    }

    proptest! {
        #[test]
        fn what_the_server_asks_is_the_least_wait(
            failures in 0..200_u32, asked in any::<u64>(), chance in 0.0..1.0_f64,
        ) {
            let policy = BackoffPolicy::default();
            let mut backoff = Backoff { policy, failures };
            let wait = backoff.failed(Some(asked), chance);
            prop_assert!(wait >= asked.min(u64::from(policy.retry_after_cap_ms)));
            prop_assert!(wait <= u64::from(policy.retry_after_cap_ms) + u64::from(policy.cap_ms) / 2);
        }

        #[test]
        fn two_agents_at_the_cap_differ_as_their_chances_do(a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
            let at = |chance| waits(chance, 40)[39] as f64;
            prop_assert!(((at(a) - at(b)).abs() - (a - b).abs() * 30_000.0).abs() <= 1.0);
        }

        #[test]
        fn waits_never_shrink_without_jitter_and_never_overflow(
            first_ms in any::<u32>(), cap_ms in any::<u32>(), jitter_percent in 0..1_000_u32,
        ) {
            let policy = BackoffPolicy { first_ms, cap_ms, jitter_percent, ..BackoffPolicy::default() };
            let mut backoff = Backoff::new(policy);
            let mut before = 0;
            for _ in 0..70 {
                let wait = backoff.failed(None, 0.0);
                prop_assert!(wait >= before && wait <= u64::from(cap_ms));
                before = wait;
            }
            let _ = backoff.failed(Some(u64::MAX), f64::NAN);
        }

        #[test]
        fn the_first_delay_after_a_reconnect_is_spread(chance in -1.0..2.0_f64) {
            let backoff = Backoff::new(BackoffPolicy::default());
            prop_assert!(backoff.reconnect_delay_ms(chance) <= 5_000);
            prop_assert_eq!(backoff.reconnect_delay_ms(0.5), 2_500);
        }
    }
}
