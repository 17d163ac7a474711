//! So many requests a minute of each caller: a bucket that holds a minute's worth and fills steadily.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use linewatch_shared::time::MonoMs;

/// The time over which a full bucket fills, in milliseconds.
const PERIOD_MS: i64 = 60_000;
/// Callers that are remembered. A full bucket is forgotten first: it says nothing.
const CALLERS_MAX: usize = 20_000;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// What is left, in thousandths of a request.
    left: i64,
    at: MonoMs,
}

/// The buckets of one kind of caller.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    /// Requests in a minute, in thousandths.
    size: i64,
    held: Mutex<HashMap<K, Bucket>>,
}

impl<K: Eq + Hash> Buckets<K> {
    pub(super) fn new(per_minute: usize) -> Self {
        let size =
            i64::try_from(per_minute).unwrap_or(i64::MAX).saturating_mul(1_000).min(i64::MAX / PERIOD_MS);
        Self { size, held: Mutex::default() }
    }

    /// Takes one request; `Err` gives the seconds after which there is one again.
    pub(super) fn take(&self, caller: K, now: MonoMs) -> Result<(), i64> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= CALLERS_MAX && !held.contains_key(&caller) {
            held.retain(|_, bucket| self.filled(*bucket, now).left < self.size);
            if held.len() >= CALLERS_MAX {
                // Nobody whom we know is forgotten for the sake of one whom we do not.
                return Err(PERIOD_MS / 1_000);
            }
        }
        let bucket = held.entry(caller).or_insert(Bucket { left: self.size, at: now });
        *bucket = self.filled(*bucket, now);
        if bucket.left < 1_000 {
            let missing_ms = (1_000 - bucket.left) * PERIOD_MS / self.size.max(1);
            return Err(missing_ms.div_euclid(1_000) + 1);
        }
        bucket.left -= 1_000;
        Ok(())
    }

    fn filled(&self, bucket: Bucket, now: MonoMs) -> Bucket {
        let passed_ms = (now.0 - bucket.at.0).clamp(0, PERIOD_MS);
        Bucket { left: (bucket.left + passed_ms * self.size / PERIOD_MS).min(self.size), at: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_at_once_then_steadily() {
        let buckets = Buckets::new(60);
        for _ in 0..60 {
            buckets.take("a", MonoMs(0)).unwrap();
        }
        assert_eq!(buckets.take("a", MonoMs(0)), Err(2));
        buckets.take("b", MonoMs(0)).unwrap();
        assert!(buckets.take("a", MonoMs(999)).is_err());
        buckets.take("a", MonoMs(2_000)).unwrap();
        // However long nobody came, there is no more than a minute's worth.
        let passed = (0..1_000).filter(|_| buckets.take("a", MonoMs(3_600_000)).is_ok()).count();
        assert_eq!(passed, 60);
    }

    #[test]
    fn small_steps_fill_it_too() {
        let buckets = Buckets::new(6_000);
        while buckets.take(1, MonoMs(0)).is_ok() {}
        let passed = (1..=1_000).filter(|ms| buckets.take(1, MonoMs(*ms)).is_ok()).count();
        assert_eq!(passed, 100);
    }

    #[test]
    fn memory_has_a_bound_and_full_buckets_give_way() {
        let buckets = Buckets::new(60);
        for n in 0..CALLERS_MAX {
            buckets.take(n, MonoMs(0)).unwrap();
        }
        assert!(buckets.take(CALLERS_MAX, MonoMs(0)).is_err());
        buckets.take(0, MonoMs(0)).unwrap();
        buckets.take(CALLERS_MAX, MonoMs(PERIOD_MS)).unwrap();
        assert!(buckets.held.lock().unwrap().len() <= 2);
    }
}
