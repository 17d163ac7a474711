//! Slows down guessing: failed sign-ins are counted by account and by address, before any hashing.
//!
//! The counts are this node's own and are lost at a restart; they bound the rate, they don't lock
//! anyone out for good.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use linewatch_shared::time::MonoMs;

/// The time over which failures count, in milliseconds.
pub const WINDOW_MS: i64 = 15 * 60 * 1000;
/// Failures of one account in that time.
pub const ACCOUNT_FAILURES_MAX: u32 = 10;
/// Failures from one address in that time; several people may share one.
pub const ADDRESS_FAILURES_MAX: u32 = 50;
/// Accounts and addresses that are remembered.
const REMEMBERED_MAX: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(IpAddr),
}

#[derive(Debug)]
struct Count {
    since: MonoMs,
    failures: u32,
}

/// The counts.
#[derive(Debug, Default)]
pub struct Throttle {
    counts: Mutex<HashMap<Key, Count>>,
}

impl Throttle {
    /// Counts an attempt as failed beforehand, so that many at once cannot slip through; `Err` gives
    /// the milliseconds after which it is worth trying again.
    pub fn begin(&self, account: &str, address: IpAddr, now: MonoMs) -> Result<(), i64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = [
            (Key::Account(account.to_owned()), ACCOUNT_FAILURES_MAX),
            (Key::Address(address), ADDRESS_FAILURES_MAX),
        ];
        for (key, max) in &keys {
            if let Some(count) = counts.get(key) {
                let left_ms = WINDOW_MS - (now.0 - count.since.0);
                if left_ms > 0 && count.failures >= *max {
                    return Err(left_ms);
                }
            }
        }
        if counts.len() + keys.len() > REMEMBERED_MAX {
            counts.retain(|_, count| now.0 - count.since.0 < WINDOW_MS);
        }
        if counts.len() + keys.len() > REMEMBERED_MAX {
            return Err(WINDOW_MS);
        }
        for (key, _) in keys {
            let count = counts.entry(key).or_insert(Count { since: now, failures: 0 });
            if now.0 - count.since.0 >= WINDOW_MS {
                *count = Count { since: now, failures: 0 };
            }
            count.failures += 1;
        }
        Ok(())
    }

    /// The attempt succeeded: the account starts afresh, the address gets its one attempt back.
    pub fn succeeded(&self, account: &str, address: IpAddr) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&Key::Account(account.to_owned()));
        if let Some(count) = counts.get_mut(&Key::Address(address)) {
            count.failures = count.failures.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::BROADCAST);

    #[test]
    fn an_account_is_slowed_from_everywhere_and_recovers() {
        let throttle = Throttle::default();
        for _ in 0..ACCOUNT_FAILURES_MAX {
            throttle.begin("a", HERE, MonoMs(0)).unwrap();
        }
        assert_eq!(throttle.begin("a", THERE, MonoMs(1000)), Err(WINDOW_MS - 1000));
        throttle.begin("b", HERE, MonoMs(1000)).unwrap();
        throttle.begin("a", HERE, MonoMs(WINDOW_MS)).unwrap();
        throttle.succeeded("a", HERE);
        for _ in 0..ACCOUNT_FAILURES_MAX {
            throttle.begin("a", HERE, MonoMs(WINDOW_MS + 1)).unwrap();
        }
    }

    #[test]
    fn an_address_is_slowed_over_all_accounts() {
        let throttle = Throttle::default();
        for n in 0..ADDRESS_FAILURES_MAX {
            throttle.begin(&n.to_string(), HERE, MonoMs(0)).unwrap();
        }
        assert!(throttle.begin("new", HERE, MonoMs(0)).is_err());
        throttle.begin("new", THERE, MonoMs(0)).unwrap();
    }
}
