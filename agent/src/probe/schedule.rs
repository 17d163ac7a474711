//! When a target's turn is: every interval, at a phase of its own, so that ten thousand targets do not all go at once.

/// Shortest interval: one tick of the reactor.
pub const MIN_INTERVAL_MS: u32 = 10;
/// Longest interval: a day.
pub const MAX_INTERVAL_MS: u32 = 86_400_000;

/// A target's turns lie at `phase + n * interval` on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turns {
    interval_ms: i64,
    phase_ms: i64,
}

impl Turns {
    /// Turns every `interval_ms` (clamped to what the prober can do), their phase spread by `phase_key`.
    pub fn new(interval_ms: u32, phase_key: u64) -> Self {
        let interval_ms = i64::from(interval_ms.clamp(MIN_INTERVAL_MS, MAX_INTERVAL_MS));
        Self { interval_ms, phase_ms: (spread(phase_key) % interval_ms.unsigned_abs()) as i64 }
    }

    pub const fn interval_ms(self) -> i64 {
        self.interval_ms
    }

    /// The first turn after `mono_ms`.
    pub const fn after(self, mono_ms: i64) -> i64 {
        mono_ms + self.interval_ms - (mono_ms - self.phase_ms).rem_euclid(self.interval_ms)
    }

    /// How many turns were missed by one who comes at `now_ms` for the turn of `due_ms`.
    pub const fn missed(self, due_ms: i64, now_ms: i64) -> i64 {
        if now_ms <= due_ms { 0 } else { (now_ms - due_ms) / self.interval_ms }
    }
}

/// A key whose turns begin `soon_ms` after `mono_ms`, to within a few milliseconds: for a probe by hand.
pub fn phase_key_for(interval_ms: u32, mono_ms: i64, soon_ms: i64) -> u64 {
    const TRIES: u64 = 20_000;
    let wait = |key| Turns::new(interval_ms, key).after(mono_ms) - mono_ms;
    (0..TRIES).find(|key| (soon_ms..soon_ms + 20).contains(&wait(*key))).unwrap_or(0)
}

/// Mixes a key so that neighbouring keys land far apart (the finaliser of `SplitMix64`).
fn spread(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_one_interval_apart_and_stay_on_their_grid() {
        let turns = Turns::new(1_000, 42);
        let first = turns.after(123_456);
        assert!((123_457..=124_456).contains(&first));
        assert_eq!(turns.after(first), first + 1_000);
        assert_eq!(turns.after(first + 999), first + 1_000);
        assert_eq!(
            Turns::new(1_000, 42).after(5_000_000) % 1_000,
            first % 1_000,
            "the phase outlives a restart"
        );
    }

    #[test]
    fn missed_turns_are_whole_intervals() {
        let turns = Turns::new(1_000, 1);
        assert_eq!(
            [(5_000, 5_000), (5_000, 5_999), (5_000, 6_000), (5_000, 8_500)].map(|(d, n)| turns.missed(d, n)),
            [0, 0, 1, 3]
        );
    }

    #[test]
    fn ten_thousand_neighbouring_keys_spread_evenly() {
        let mut ticks = [0_u32; 100];
        for key in 0..10_000 {
            ticks[(Turns::new(1_000, key).after(0) - 1) as usize / 10] += 1;
        }
        let (least, most) = (ticks.iter().min().unwrap(), ticks.iter().max().unwrap());
        assert!(*least > 60 && *most < 145, "each tick has about 100 targets, not {least} to {most}");
    }

    #[test]
    fn a_probe_by_hand_starts_soon() {
        for interval in [100, 1_000, 60_000] {
            let key = phase_key_for(interval, 777_777, 10);
            assert!(Turns::new(interval, key).after(777_777) - 777_777 < 100, "interval {interval}");
        }
    }

    #[test]
    fn intervals_are_clamped() {
        assert_eq!(Turns::new(0, 1).interval_ms(), 10);
        assert_eq!(Turns::new(u32::MAX, 1).interval_ms(), 86_400_000);
    }
}
