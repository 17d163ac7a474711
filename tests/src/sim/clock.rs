//! A device's clock: the world's, set wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use linewatch_shared::time::{Clock, ManualClock, MonoMs, UnixMs};

/// What a device takes for the time. Its monotonic clock begins with its boot.
pub struct DeviceClock {
    world: Arc<ManualClock>,
    ahead_ms: AtomicI64,
    booted_at: AtomicI64,
}

impl DeviceClock {
    /// A device that has just started with the right time.
    pub fn new(world: &Arc<ManualClock>) -> Self {
        let booted_at = AtomicI64::new(world.mono().0);
        Self { world: Arc::clone(world), ahead_ms: AtomicI64::new(0), booted_at }
    }

    /// Steps the wall clock, as a person or a time server would.
    pub fn step(&self, span_ms: i64) {
        self.ahead_ms.fetch_add(span_ms, Ordering::SeqCst);
    }

    /// Sets the wall clock right.
    pub fn set_right(&self) {
        self.ahead_ms.store(0, Ordering::SeqCst);
    }

    /// The device starts anew.
    pub fn boot(&self) {
        self.booted_at.store(self.world.mono().0, Ordering::SeqCst);
    }
}

impl Clock for DeviceClock {
    fn now(&self) -> UnixMs {
        self.world.now() + self.ahead_ms.load(Ordering::SeqCst)
    }

    fn mono(&self) -> MonoMs {
        MonoMs(self.world.mono().0 - self.booted_at.load(Ordering::SeqCst))
    }
}
