//! kill -9 in the middle of things, ours and a peer's: what was acknowledged, and what of it is there in the end.

mod intake;
mod peer;
mod returning;

use std::collections::BTreeSet;
use std::fmt;

use uuid::Uuid;

pub use intake::taking_in;
pub use peer::{PeerKilled, peer};
pub use returning::{Killed, returning};

use crate::bench::count;

/// What some kills did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    /// How often something was killed.
    pub kills: u64,
    /// What was acknowledged before.
    pub acknowledged: u64,
    /// What of it was not there in the end.
    pub lost: u64,
    /// What was there more than once.
    pub doubled: u64,
}

impl Toll {
    fn of_ids(kills: u64, acknowledged: &[Uuid], there: &[Uuid]) -> Self {
        let once: BTreeSet<_> = there.iter().collect();
        let lost = acknowledged.iter().filter(|id| !once.contains(id)).count();
        let doubled = there.len() - once.len();
        Self { kills, acknowledged: acknowledged.len() as u64, lost: lost as u64, doubled: doubled as u64 }
    }

    /// Of some more kills, too.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            kills: self.kills + other.kills,
            acknowledged: self.acknowledged + other.acknowledged,
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
        }
    }

    /// Lost or doubled.
    #[must_use]
    pub const fn wrong(self) -> u64 {
        self.lost + self.doubled
    }
}

impl fmt::Display for Toll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, acknowledged, lost, doubled } = *self;
        let percent = lost as f64 * 100.0 / acknowledged.max(1) as f64;
        let [lost, acknowledged, doubled] = [lost, acknowledged, doubled].map(count);
        write!(f, "{lost} of {acknowledged} lost ({percent:.1} %), {doubled} doubled, {kills} kills")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_there_twice_is_counted() {
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let toll = Toll::of_ids(1, &[a, b], &[b, c, c]);
        assert_eq!(toll, Toll { kills: 1, acknowledged: 2, lost: 1, doubled: 1 });
        assert_eq!(toll.and(Toll::of_ids(2, &[a], &[a])).wrong(), 2);
    }
}
