//! One turn of the reactor: look, expire, send. Generic over the network, so that a test's clock and network drive
//! the very code that runs.

use std::mem;
use std::sync::Arc;

use super::core::Core;
use super::moment::{Now, Request};
use super::net::Network;
use super::sys::SEND_BATCH;
use crate::clock::NanoClock;

/// Requests sent between two looks at the sockets when there is a backlog, so that replies never fill the
/// receive buffer.
const SENDS_PER_LOOK: usize = 256;

/// The core with a network and a clock.
pub struct Engine<N> {
    pub core: Core,
    pub net: N,
    clock: Arc<dyn NanoClock>,
    due: Vec<u32>,
    requests: Vec<Request>,
}

impl<N: Network> Engine<N> {
    pub fn new(net: N, clock: Arc<dyn NanoClock>, now: Now) -> Self {
        Self { core: Core::new(now), net, clock, due: Vec::new(), requests: Vec::new() }
    }

    pub fn now(&self) -> Now {
        Now::of(&*self.clock)
    }

    /// Does what there is to do now. `planned_ms` is when this turn was meant to come.
    pub fn turn(&mut self, planned_ms: i64) {
        self.look();
        let now = self.now();
        self.core.expire(now, now.mono_ms() - planned_ms);
        let mut due = mem::take(&mut self.due);
        self.core.collect_due(now, &mut due);
        for (i, some) in due.chunks(SENDS_PER_LOOK).enumerate() {
            if i > 0 {
                self.look();
            }
            for few in some.chunks(SEND_BATCH) {
                self.send(few);
            }
        }
        due.clear();
        self.due = due;
    }

    fn send(&mut self, slots: &[u32]) {
        let now = self.now();
        self.requests.clear();
        self.requests.extend(slots.iter().filter_map(|slot| self.core.request(*slot, now)));
        self.net.send(&mut self.requests);
        for request in &self.requests {
            self.core.sent(request, now);
        }
    }

    fn look(&mut self) {
        let (core, clock) = (&mut self.core, &*self.clock);
        let mut now = Now::of(clock);
        self.net.receive(&mut |answer| {
            // A packet that came while we were reading is newer than `now`.
            if answer.rx_mono_ns > now.mono_ns {
                now = Now::of(clock);
            }
            core.answer(answer, now);
        });
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
