//! One ICMP target as the reactor keeps it.

use std::net::IpAddr;

use linewatch_shared::probe_url::PacketOptions;

use super::cookie::COOKIE_BYTES;
use super::outstanding::Untold;
use crate::probe::schedule::Turns;

/// ICMP payload when the probe's URL names none: what ping sends.
pub const DEFAULT_SIZE_BYTES: u16 = 56;
/// How many of a target's latest probes may still get a late answer.
pub const LATE_PROBES: u32 = 64;

/// What the reactor is told about a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpTarget {
    /// The caller's number for it.
    pub id: u32,
    /// Its address; `None` while its name is not resolved.
    pub ip: Option<IpAddr>,
    pub options: PacketOptions,
    pub interval_ms: u32,
    pub timeout_ms: u32,
    pub phase_key: u64,
}

/// A target's place in the reactor.
pub struct Place {
    pub config: IcmpTarget,
    pub turns: Turns,
    pub due_ms: i64,
    pub live: bool,
    /// Number of the next probe. Goes on when the place gets another target.
    pub counter: u32,
    /// The first number that belongs to this target at this address.
    pub first_counter: u32,
    /// Bit `n` is set while the `n`-th latest probe counts as lost and no late answer came.
    pub lost_bits: u64,
    pub untold: Untold,
}

impl Place {
    pub fn new(config: IcmpTarget, counter: u32, now_ms: i64) -> Self {
        let turns = Turns::new(config.interval_ms, config.phase_key);
        Self {
            turns,
            due_ms: turns.after(now_ms),
            live: true,
            counter,
            first_counter: counter,
            lost_bits: 0,
            untold: Untold::EMPTY,
            config,
        }
    }

    /// Whether `target` is what this place has, but for its pace. A name keeps the address that it resolved to.
    pub fn stays(&self, target: &IcmpTarget) -> bool {
        (target.ip.is_none() || target.ip == self.config.ip)
            && target.options == self.config.options
            && target.timeout_ms == self.config.timeout_ms
            && target.phase_key == self.config.phase_key
    }

    /// Probes this target at another pace from now on.
    pub fn set_interval(&mut self, interval_ms: u32, now_ms: i64) {
        self.config.interval_ms = interval_ms;
        self.turns = Turns::new(interval_ms, self.config.phase_key);
        self.due_ms = self.turns.after(now_ms);
    }

    pub fn next_counter(&mut self) -> u32 {
        let counter = self.counter;
        self.counter = counter.wrapping_add(1);
        self.lost_bits <<= 1;
        counter
    }

    /// How many probes ago `counter` was, 0 for the latest; `None` when it is not one of this target's latest.
    pub fn age(&self, counter: u32) -> Option<u32> {
        let age = self.counter.wrapping_sub(counter).wrapping_sub(1);
        let of_this_target = age < self.counter.wrapping_sub(self.first_counter);
        (of_this_target && age < LATE_PROBES).then_some(age)
    }

    pub fn mark_lost(&mut self, counter: u32) {
        if let Some(age) = self.age(counter) {
            self.lost_bits |= 1 << age;
        }
    }

    /// Whether `counter` counts as lost; asks only once, so that a second late answer is a duplicate.
    pub fn take_lost(&mut self, counter: u32) -> bool {
        let Some(bit) = self.age(counter).map(|age| 1 << age) else { return false };
        let lost = self.lost_bits & bit != 0;
        self.lost_bits &= !bit;
        lost
    }

    /// Zeros behind the cookie.
    pub fn pad_bytes(&self) -> usize {
        usize::from(self.config.options.size_bytes.unwrap_or(DEFAULT_SIZE_BYTES)).saturating_sub(COOKIE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(counter: u32) -> Place {
        let config = IcmpTarget {
            id: 1,
            ip: None,
            options: PacketOptions::default(),
            interval_ms: 1_000,
            timeout_ms: 1_000,
            phase_key: 0,
        };
        Place::new(config, counter, 0)
    }

    #[test]
    fn a_lost_probe_is_late_once_and_only_while_it_is_remembered() {
        let mut place = place(u32::MAX - 2);
        let lost = place.next_counter();
        place.mark_lost(lost);
        for _ in 0..60 {
            place.next_counter();
        }
        assert!(place.take_lost(lost), "60 probes later, across the counter's wrap");
        assert!(!place.take_lost(lost), "a second late answer");
        let lost = place.next_counter();
        place.mark_lost(lost);
        for _ in 0..64 {
            place.next_counter();
        }
        assert!(!place.take_lost(lost), "too old");
    }

    #[test]
    fn numbers_of_the_places_earlier_target_mean_nothing() {
        let mut place = place(100);
        place.next_counter();
        assert_eq!(place.age(100), Some(0));
        assert_eq!(place.age(99), None);
        assert_eq!(place.age(101), None, "not yet sent");
    }
}
