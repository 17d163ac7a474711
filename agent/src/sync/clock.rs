//! When the two clocks, read in one exchange, are worth a fact.

use linewatch_shared::facts::{ClockFact, Reading};
use linewatch_shared::time::{HOUR_MS, MonoMs, UnixMs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A moved offset is worth a fact beyond this, in milliseconds.
const MOVED_MS: i64 = 50;
/// A measurement coarser than this is followed by one that is twice as good, in milliseconds.
const COARSE_MS: u32 = 20;
/// A clock fact this old is followed by another, so that drift stays bounded.
const OLD_MS: i64 = HOUR_MS;

/// The last clock fact that was journalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastClock {
    /// The boot in which it was read.
    pub boot: Uuid,
    /// What it said.
    pub fact: ClockFact,
}

/// From the device's clocks before and after an exchange, and the server's in its answer.
#[must_use]
pub fn measure(before: Reading, after: Reading, server: UnixMs) -> ClockFact {
    let round_trip_ms = (after.mono.0 - before.mono.0).max(0);
    let half_ms = round_trip_ms / 2;
    // From one reading: a wall clock that steps during the exchange does not come between the two.
    let device = Reading { wall: before.wall + half_ms, mono: MonoMs(before.mono.0 + half_ms) };
    ClockFact { device, server, round_trip_ms: u32::try_from(round_trip_ms).unwrap_or(u32::MAX) }
}

/// Whether a measurement says something that the last journalled one did not.
#[must_use]
pub fn is_news(last: Option<&LastClock>, boot: Uuid, fact: &ClockFact) -> bool {
    let Some(last) = last.filter(|last| last.boot == boot) else { return true };
    let moved_ms = (fact.offset_ms() - last.fact.offset_ms()).abs();
    // Half a round trip either way is the error of each measurement.
    let error_ms = i64::midpoint(fact.round_trip_ms.into(), last.fact.round_trip_ms.into());
    // The first exchange of a connection has a TLS handshake in it.
    let better = fact.round_trip_ms < last.fact.round_trip_ms / 2 && last.fact.round_trip_ms > COARSE_MS;
    moved_ms > MOVED_MS + error_ms || better || fact.device.mono.0 - last.fact.device.mono.0 > OLD_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(mono: i64, offset: i64, round_trip_ms: u32) -> ClockFact {
        let device = Reading { wall: UnixMs(1_000_000 + mono), mono: MonoMs(mono) };
        ClockFact { device, server: device.wall + offset, round_trip_ms }
    }

    #[test]
    fn the_middle_of_the_exchange_is_compared() {
        let before = Reading { wall: UnixMs(5_000), mono: MonoMs(100) };
        let after = Reading { wall: UnixMs(5_080), mono: MonoMs(180) };
        let fact = measure(before, after, UnixMs(5_040 - 3_600_000));
        assert_eq!(fact.offset_ms(), -3_600_000);
        assert_eq!(fact.round_trip_ms, 80);
        assert_eq!(fact.device.mono, MonoMs(140));
    }

    #[test]
    fn what_is_news() {
        let boot = Uuid::from_u128(1);
        let last = LastClock { boot, fact: fact(0, 1_000, 10) };
        let cases = [
            ("nothing known", None, boot, fact(1, 1_000, 10), true),
            ("the same", Some(&last), boot, fact(1, 1_000, 10), false),
            ("another boot", Some(&last), Uuid::from_u128(2), fact(1, 1_000, 10), true),
            ("a little", Some(&last), boot, fact(1, 1_050, 10), false),
            ("moved", Some(&last), boot, fact(1, 1_100, 10), true),
            ("moved back", Some(&last), boot, fact(1, 900, 10), true),
            ("within the error of a slow exchange", Some(&last), boot, fact(1, 1_500, 1_000), false),
            ("an hour", Some(&last), boot, fact(HOUR_MS, 1_000, 10), false),
            ("more than an hour", Some(&last), boot, fact(HOUR_MS + 1, 1_000, 10), true),
        ];
        for (name, last, boot, fact, expected) in cases {
            assert_eq!(is_news(last, boot, &fact), expected, "{name}");
        }
        let slow = LastClock { boot, fact: fact(0, 1_000, 2_000) };
        assert!(is_news(Some(&slow), boot, &fact(1, 1_000, 20)), "a much better measurement");
    }
}
