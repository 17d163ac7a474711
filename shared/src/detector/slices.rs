//! When some line of an uplink last answered, coarsely and in 16 bytes.

use crate::time::MonoMs;

const SLICE_MS: i64 = 250;
const SLICES: i64 = 64;

/// One bit for each quarter of a second in which some line answered; the last 16 s.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnswerSlices {
    newest: i64,
    bits: u64,
}

impl AnswerSlices {
    /// An answered probe was sent at `mono`.
    pub fn note(&mut self, mono: MonoMs) {
        let slice = mono.0.div_euclid(SLICE_MS);
        let ahead = slice - self.newest;
        if ahead > 0 {
            self.bits = if ahead < SLICES { self.bits << ahead } else { 0 };
            self.newest = slice;
        }
        let age = self.newest - slice;
        if age < SLICES {
            self.bits |= 1 << age;
        }
    }

    /// Whether an answered probe was sent in a slice that lies wholly within `from..=to`.
    pub fn any_within(&self, from: MonoMs, to: MonoMs) -> bool {
        let first = from.0.div_euclid(SLICE_MS) + i64::from(from.0.rem_euclid(SLICE_MS) != 0);
        let last = (to.0 + 1).div_euclid(SLICE_MS) - 1;
        (first.max(self.newest - SLICES + 1)..=last.min(self.newest))
            .any(|slice| self.bits >> (self.newest - slice) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_remember_sixteen_seconds() {
        let mut slices = AnswerSlices::default();
        slices.note(MonoMs(10_000));
        assert!(slices.any_within(MonoMs(9_900), MonoMs(10_300)));
        assert!(!slices.any_within(MonoMs(10_001), MonoMs(12_000)));
        assert!(!slices.any_within(MonoMs(9_000), MonoMs(10_100)));
        slices.note(MonoMs(26_500));
        assert!(!slices.any_within(MonoMs(9_900), MonoMs(10_300)), "it is forgotten by then");
    }
}
