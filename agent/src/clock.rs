//! The agent's only source of time: wall time for facts, boot time for intervals and round trips.
//!
//! Boot time (`CLOCK_BOOTTIME`) never steps and goes on counting while the machine sleeps.

use std::{fs, io};

use linewatch_shared::time::{Clock, ManualClock, MonoMs, UnixMs};
use nix::time::{ClockId, clock_gettime};
use uuid::Uuid;

const BOOT_ID_PATH: &str = "/proc/sys/kernel/random/boot_id";
const NS_PER_MS: i64 = 1_000_000;
const NS_PER_SECOND: i64 = 1_000_000_000;

/// A clock fine enough for round trips. Both readings are nanoseconds of the clocks behind [`Clock`].
pub trait NanoClock: Clock {
    /// Wall time in nanoseconds since 1970, the same clock that stamps received packets.
    fn wall_ns(&self) -> i64;
    /// Nanoseconds since boot.
    fn mono_ns(&self) -> i64;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootClock;

impl Clock for BootClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.wall_ns().div_euclid(NS_PER_MS))
    }

    fn mono(&self) -> MonoMs {
        MonoMs(self.mono_ns() / NS_PER_MS)
    }
}

impl NanoClock for BootClock {
    fn wall_ns(&self) -> i64 {
        read_ns(ClockId::CLOCK_REALTIME)
    }

    fn mono_ns(&self) -> i64 {
        read_ns(ClockId::CLOCK_BOOTTIME)
    }
}

/// A test's clock, which stands still within a millisecond.
impl NanoClock for ManualClock {
    fn wall_ns(&self) -> i64 {
        self.now().0 * NS_PER_MS
    }

    fn mono_ns(&self) -> i64 {
        self.mono().0 * NS_PER_MS
    }
}

/// Reads a clock that every supported kernel has; reading it cannot fail, so a failure reads as zero.
fn read_ns(id: ClockId) -> i64 {
    clock_gettime(id).map_or(0, |t| t.tv_sec() * NS_PER_SECOND + t.tv_nsec())
}

/// Names this boot of the machine. Monotonic times can be compared only within one.
///
/// # Errors
/// When `/proc` is not mounted or does not hold a UUID.
pub fn boot_id() -> io::Result<Uuid> {
    let text = fs::read_to_string(BOOT_ID_PATH)?;
    Uuid::parse_str(text.trim()).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_run_forwards_and_agree_with_their_milliseconds() {
        let clock = BootClock;
        let (wall, mono) = (clock.wall_ns(), clock.mono_ns());
        assert!(wall > 1_700_000_000 * NS_PER_SECOND, "wall time is set");
        assert!(clock.mono_ns() >= mono && mono > 0);
        assert!((clock.now().0 - wall / NS_PER_MS).abs() < 1_000);
        assert!(clock.mono().0 >= mono / NS_PER_MS);
    }

    #[test]
    fn the_boot_id_is_stable() {
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
        assert!(!boot_id().unwrap().is_nil());
    }
}
