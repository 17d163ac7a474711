//! The real clock: the only place in this program that asks the system for the time.

use std::time::{Duration, Instant};

use linewatch_shared::time::{Clock, MonoMs, UnixMs};

/// The system's clocks. `main` makes one and passes it down.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> UnixMs {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        UnixMs(i64::try_from(since.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(i64::MAX))
    }

    fn mono(&self) -> MonoMs {
        MonoMs(i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}
