//! What passes between the core and the world: a moment, a request, an answer.

use std::net::IpAddr;

use linewatch_shared::sample::NotSentCause;

use super::cookie::COOKIE_BYTES;
use crate::clock::NanoClock;

pub(super) const NS_PER_MS: i64 = 1_000_000;

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub mono_ns: i64,
    pub wall_ns: i64,
}

impl Now {
    pub fn of(clock: &dyn NanoClock) -> Self {
        Self { mono_ns: clock.mono_ns(), wall_ns: clock.wall_ns() }
    }

    pub const fn mono_ms(self) -> i64 {
        self.mono_ns / NS_PER_MS
    }

    pub const fn wall_ms_at(self, mono_ms: i64) -> i64 {
        (self.wall_ns - self.mono_ns) / NS_PER_MS + mono_ms
    }
}

/// A request to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub to: IpAddr,
    pub ttl: Option<u8>,
    pub dscp: Option<u8>,
    pub df: Option<bool>,
    pub pad_bytes: usize,
    pub seq: u16,
    pub cookie: [u8; COOKIE_BYTES],
    /// Filled in by the network: when it left (boot time, nanoseconds), or why it did not.
    pub sent: Result<i64, NotSentCause>,
    /// The probe's place among those under way.
    pub index: u32,
}

/// What came back.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// An echo reply, or else an error about the request.
    pub reply: bool,
    /// Whom a reply is from, or where the failed request was going.
    pub peer: Option<IpAddr>,
    /// The request's sequence number, where an error quoted it.
    pub seq: Option<u16>,
    /// The request's payload, as far as it came back.
    pub payload: &'a [u8],
    /// The kernel's receive stamp on the monotonic clock.
    pub rx_mono_ns: i64,
}
