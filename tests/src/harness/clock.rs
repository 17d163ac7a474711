//! The machine's clocks, shifted.

use linewatch_agent::clock::BootClock;
use linewatch_shared::time::{Clock, MonoMs, UnixMs};

/// A clock that runs, but is off.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShiftedClock {
    /// How far the wall clock is ahead, in milliseconds.
    pub wall_ms: i64,
    /// How far the monotonic clock is ahead, in milliseconds.
    pub mono_ms: i64,
}

impl ShiftedClock {
    /// Both clocks as they were `ms` before now: for what a device wrote down then.
    #[must_use]
    pub const fn ago(ms: i64) -> Self {
        Self { wall_ms: -ms, mono_ms: -ms }
    }

    /// A wall clock that is wrong by `ms`.
    #[must_use]
    pub const fn wrong_by(ms: i64) -> Self {
        Self { wall_ms: ms, mono_ms: 0 }
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> UnixMs {
        BootClock.now() + self.wall_ms
    }

    fn mono(&self) -> MonoMs {
        MonoMs(BootClock.mono().0 + self.mono_ms)
    }
}
