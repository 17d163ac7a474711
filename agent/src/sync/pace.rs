//! How fast the way to the server is, from what was sent lately: for saying how long the rest will take.

/// How much the newest exchange counts.
const NEWEST: f64 = 0.2;
/// What is too short to say anything, in milliseconds.
const SHORT_MS: i64 = 5;

/// The rate of what was sent lately.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    bytes_per_s: Option<f64>,
}

impl Pace {
    /// So many bytes were sent and acknowledged in so long.
    pub fn note(&mut self, bytes: u64, took_ms: i64) {
        let rate = bytes as f64 * 1_000.0 / took_ms.max(SHORT_MS) as f64;
        self.bytes_per_s = Some(self.bytes_per_s.map_or(rate, |known| known + (rate - known) * NEWEST));
    }

    /// Bytes a second; none before anything was sent.
    #[must_use]
    pub fn bytes_per_s(&self) -> Option<u64> {
        self.bytes_per_s.map(|rate| rate.round().max(1.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_counts_most_but_not_alone() {
        let mut pace = Pace::default();
        assert_eq!(pace.bytes_per_s(), None);
        pace.note(8_000, 1_000);
        assert_eq!(pace.bytes_per_s(), Some(8_000));
        pace.note(1_000, 1_000);
        assert_eq!(pace.bytes_per_s(), Some(6_600));
        pace.note(0, 0);
        assert!(pace.bytes_per_s() >= Some(1), "never a division by nothing");
    }
}
