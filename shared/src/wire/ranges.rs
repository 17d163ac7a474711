//! What a server holds of a lane that arrives in any order: closed ranges, each with a sum.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Hash;

/// The most ranges in one answer; an agent that is told so many sends its oldest gap first.
pub const RANGES_MAX: usize = 64;

/// The sum, modulo 2^128, of one hash for each `(number, record)`: it does not depend on the order in
/// which records arrive, and two neighbouring ranges are joined by adding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RangeSum(#[serde(with = "sum_bytes")] pub u128);

impl RangeSum {
    /// The sum of one record.
    #[must_use]
    pub fn of(number: u64, record: Hash) -> Self {
        let digest = Sha256::new().chain_update(number.to_be_bytes()).chain_update(record.0).finalize();
        let mut head = [0; 16];
        head.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(head))
    }

    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

mod sum_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(sum: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&sum.to_be_bytes())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let bytes = serde_bytes::ByteBuf::deserialize(deserializer)?;
        let bytes: [u8; 16] =
            bytes.as_ref().try_into().map_err(|_| D::Error::custom("a sum has 16 bytes"))?;
        Ok(u128::from_be_bytes(bytes))
    }
}

/// The numbers `first..=last`, all held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// The sum of its records.
    pub sum: RangeSum,
}

/// Disjoint ranges in rising order, neighbours joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RangeSet(Vec<Range>);

impl RangeSet {
    /// From stored ranges, in any order; ranges that overlap are dropped after the first.
    #[must_use]
    pub fn from_ranges(mut ranges: Vec<Range>) -> Self {
        ranges.sort_by_key(|range| range.first);
        let mut set = Self::default();
        for range in ranges {
            if set.0.last().is_none_or(|last| last.last < range.first) {
                set.push_joined(range);
            }
        }
        set
    }

    fn push_joined(&mut self, range: Range) {
        match self.0.last_mut() {
            Some(last) if last.last.checked_add(1) == Some(range.first) => {
                last.last = range.last;
                last.sum = last.sum.plus(range.sum);
            }
            _ => self.0.push(range),
        }
    }

    /// The ranges.
    #[must_use]
    pub fn ranges(&self) -> &[Range] {
        &self.0
    }

    /// Whether the number is held.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        let after = self.0.partition_point(|range| range.first <= number);
        after > 0 && self.0[after - 1].last >= number
    }

    /// Adds one record; false when its number was held already (its sum is then left alone).
    pub fn insert(&mut self, number: u64, record: Hash) -> bool {
        if self.contains(number) {
            return false;
        }
        let at = self.0.partition_point(|range| range.first < number);
        let sum = RangeSum::of(number, record);
        self.0.insert(at, Range { first: number, last: number, sum });
        self.join(at);
        if at > 0 {
            self.join(at - 1);
        }
        true
    }

    /// Joins the range at `at` with its right neighbour where they touch.
    fn join(&mut self, at: usize) {
        if at + 1 < self.0.len() && self.0[at].last.checked_add(1) == Some(self.0[at + 1].first) {
            let right = self.0.remove(at + 1);
            self.0[at].last = right.last;
            self.0[at].sum = self.0[at].sum.plus(right.sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record_hash;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_gives_the_same_ranges(numbers in proptest::collection::btree_set(1_u64..60, 0..50), seed in any::<u64>()) {
            let hash = |n: u64| record_hash(&n.to_be_bytes());
            let sorted: Vec<u64> = numbers.iter().copied().collect();
            let mut shuffled = sorted.clone();
            shuffled.sort_by_key(|n| n.wrapping_mul(seed | 1).rotate_left(17));
            let build = |order: &[u64]| {
                let mut set = RangeSet::default();
                for n in order {
                    assert!(set.insert(*n, hash(*n)));
                    assert!(!set.insert(*n, hash(*n)));
                }
                set
            };
            let set = build(&shuffled);
            prop_assert_eq!(&set, &build(&sorted));
            for n in 0..61 {
                prop_assert_eq!(set.contains(n), numbers.contains(&n));
            }
            for pair in set.ranges().windows(2) {
                prop_assert!(pair[0].last + 1 < pair[1].first);
            }
            prop_assert_eq!(RangeSet::from_ranges(set.ranges().to_vec()), set);
        }
    }
}
