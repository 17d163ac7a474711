//! Chance that can be had again: printed, and set by `STORY_SEED`.

/// A small generator (SplitMix64): the same seed, the same numbers.
#[derive(Clone, Debug)]
pub struct Seed {
    state: u64,
}

impl Seed {
    /// From `STORY_SEED`, else anew.
    #[must_use]
    pub fn from_env() -> Self {
        let given = std::env::var("STORY_SEED").ok().and_then(|text| text.parse().ok());
        Self { state: given.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 16) }
    }

    /// From `STORY_SEED`, anew where that is `random`, else the one given: a check before a change is the same twice.
    #[must_use]
    pub fn from_env_or(usual: u64) -> Self {
        if std::env::var_os("STORY_SEED").is_some() { Self::from_env() } else { Self::of(usual) }
    }

    /// From a number.
    #[must_use]
    pub const fn of(value: u64) -> Self {
        Self { state: value }
    }

    /// The seed, to be printed before anything is drawn.
    #[must_use]
    pub const fn value(&self) -> u64 {
        self.state
    }

    /// The next number.
    pub const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub const fn below(&mut self, n: u64) -> u64 {
        self.draw() % n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let (mut a, mut b) = (Seed { state: 7 }, Seed { state: 7 });
        let drawn: Vec<_> = (0..100).map(|_| a.below(10)).collect();
        assert_eq!(drawn, (0..100).map(|_| b.below(10)).collect::<Vec<_>>());
        assert!((0..10).all(|n| drawn.contains(&n)), "{drawn:?}");
    }
}
