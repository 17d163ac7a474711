//! The ICMP reactor: one thread for all ICMP targets, one socket per address family and don't-fragment setting.
//!
//! It ticks every 10 ms while it is busy: reads what came, expires what is overdue, sends what is due, few packets
//! a call. Replies carry the kernel's receive stamp, so reading them late does not lengthen their round trips; with
//! nothing due it sleeps until there is, or until a reply comes.
//! It never judges: it makes samples.

use std::array;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use std::time::Duration;

use self::engine::Engine;
use self::moment::Now;
use self::net::{MAX_SOCKETS, SocketNetwork};
use super::sink::Outbox;
use super::stats::Counts;
use crate::clock::NanoClock;

mod cabi;
mod cookie;
mod core;
mod engine;
mod mailbox;
mod membership;
mod moment;
mod net;
mod outstanding;
pub mod packet;
pub mod socket;
mod sys;
mod target;

pub use self::mailbox::Mailbox;
pub use self::socket::SocketKind;
pub use self::target::IcmpTarget;

/// Longest sleep when there is nothing to do.
const MAX_SLEEP_MS: i64 = 60_000;
/// With less than this to the next tick, replies wait in the socket until then.
const LISTEN_FROM_MS: i64 = 15;

/// The running reactor.
pub struct IcmpReactor {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

impl IcmpReactor {
    /// Opens the sockets and starts the thread.
    ///
    /// # Errors
    /// When the kernel grants no eventfd or no thread. Lack of permission for ICMP is not an error: it is told by
    /// the socket kinds, and every probe is told as not sent.
    pub fn start(clock: Arc<dyn NanoClock>, outbox: Outbox) -> io::Result<Self> {
        let net = SocketNetwork::open(Arc::clone(&clock));
        let wake =
            EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC).map_err(io::Error::from)?;
        let mailbox = Arc::new(Mailbox::new(wake, net.kinds()));
        let now = Now::of(&*clock);
        let mut reactor = Reactor {
            engine: Engine::new(net, clock, now),
            mailbox: Arc::clone(&mailbox),
            outbox,
            planned_ms: now.mono_ms(),
        };
        let thread = thread::Builder::new().name("probe-icmp".into()).spawn(move || reactor.run())?;
        Ok(Self { mailbox, thread: Some(thread) })
    }

    /// Where to leave orders for it.
    pub fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }
}

impl Drop for IcmpReactor {
    fn drop(&mut self) {
        self.mailbox.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Reactor {
    engine: Engine<SocketNetwork>,
    mailbox: Arc<Mailbox>,
    outbox: Outbox,
    /// When it meant to wake up last.
    planned_ms: i64,
}

impl Reactor {
    fn run(&mut self) {
        while !self.mailbox.stopped() {
            let now = self.engine.now();
            self.mailbox.deliver(&mut self.engine.core, now);
            self.engine.turn(self.planned_ms);
            let now_ms = self.engine.now().mono_ms();
            let wake_ms = self.engine.core.next_wake_ms().unwrap_or(i64::MAX).min(now_ms + MAX_SLEEP_MS);
            if !self.hand_on(now_ms, wake_ms) {
                break;
            }
            self.planned_ms = self.outbox.latest_wake(&self.engine.core.samples, now_ms, wake_ms);
            self.wait(self.planned_ms);
        }
    }

    /// Hands on samples now and then; `false` when nobody takes them any more.
    fn hand_on(&mut self, now_ms: i64, wake_ms: i64) -> bool {
        let calls = self.engine.net.calls().iter().sum();
        let core = &mut self.engine.core;
        self.mailbox.publish(Counts { calls, ..core.counts }, core.target_count());
        let stopped = || self.mailbox.stopped();
        self.outbox.hand_on(&mut core.samples, &mut core.late, (now_ms, wake_ms), stopped)
    }

    fn wait(&self, wake_ms: i64) {
        let left_ns = wake_ms.saturating_mul(moment::NS_PER_MS) - self.engine.now().mono_ns;
        if left_ns <= 0 {
            return;
        }
        let listen = left_ns > LISTEN_FROM_MS * moment::NS_PER_MS;
        let wake = || PollFd::new(self.mailbox.wake_fd(), PollFlags::POLLIN);
        let mut fds: [_; 1 + MAX_SOCKETS] = array::from_fn(|_| wake());
        let mut waited_on = 1;
        for socket in self.engine.net.fds().filter(|_| listen) {
            fds[waited_on] = PollFd::new(socket, PollFlags::POLLIN);
            waited_on += 1;
        }
        let timeout = TimeSpec::from_duration(Duration::from_nanos(left_ns.unsigned_abs()));
        // Interrupted or failed, the turn that follows looks at everything anyway.
        let _ = ppoll(&mut fds[..waited_on], Some(timeout), None);
    }
}
