//! The reactor's view of the network: two methods, so that tests can stand in for it.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use linewatch_shared::sample::NotSentCause;

use super::moment::{Answer, Request};
use super::packet::{self, Heard};
use super::socket::{IcmpSocket, SocketKind, cause_of};
use super::sys::{HeaderFields, Received, RecvBatch, SEND_BATCH, SendBatch};
use crate::clock::NanoClock;

/// Most receive calls on one socket in one turn; the rest waits for the next.
const MAX_RECEIVE_CALLS: usize = 1_024;
/// An ICMP error about one packet can fail the sending of another: how often a packet is tried again.
const SEND_RETRIES: u32 = 3;
const DF_CLASSES: usize = 3;
/// Most sockets at once.
pub const MAX_SOCKETS: usize = 2 * DF_CLASSES;

/// What the reactor needs of a network.
pub trait Network {
    /// Sends the requests and fills in `sent` of each.
    fn send(&mut self, requests: &mut [Request]);
    /// Hands on what came in since the last call, without waiting.
    fn receive(&mut self, take: &mut dyn FnMut(&Answer<'_>));
}

/// The machine's own network: one socket for each family and don't-fragment setting in use.
pub struct SocketNetwork {
    clock: Arc<dyn NanoClock>,
    sockets: [[Option<IcmpSocket>; DF_CLASSES]; 2],
    kinds: [SocketKind; 2],
    out: Box<SendBatch>,
    input: Box<RecvBatch>,
}

impl SocketNetwork {
    /// Opens the socket of each family; a family that has none is told by [`kinds`](Self::kinds).
    pub fn open(clock: Arc<dyn NanoClock>) -> Self {
        let (v4, v4_kind) = open_first(true);
        let (v6, v6_kind) = open_first(false);
        Self {
            clock,
            sockets: [[v4, None, None], [v6, None, None]],
            kinds: [v4_kind, v6_kind],
            out: SendBatch::new(),
            input: RecvBatch::new(),
        }
    }

    /// What kind of socket IPv4 and IPv6 have.
    pub fn kinds(&self) -> [SocketKind; 2] {
        self.kinds.clone()
    }

    /// System calls so far with which packets went, and came or were asked for.
    pub fn calls(&self) -> [u64; 2] {
        [self.out.calls, self.input.calls]
    }

    /// Every open socket, to wait on.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.iter().flatten().flatten().map(IcmpSocket::fd)
    }
}

fn open_first(v4: bool) -> (Option<IcmpSocket>, SocketKind) {
    match IcmpSocket::open(v4, None) {
        Ok(socket) => {
            let kind = socket.kind();
            (Some(socket), kind)
        }
        Err(reason) => (None, SocketKind::None { reason }),
    }
}

/// Family and don't-fragment setting: which socket a request goes through.
fn class_of(request: &Request) -> (usize, usize) {
    let df = match request.df {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    };
    (usize::from(request.to.is_ipv6()), df)
}

impl Network for SocketNetwork {
    fn send(&mut self, requests: &mut [Request]) {
        for same in requests.chunk_by_mut(|a, b| class_of(a) == class_of(b)) {
            let Some(first) = same.first() else { continue };
            let (family, df) = class_of(first);
            let place = &mut self.sockets[family][df];
            if place.is_none() {
                *place = IcmpSocket::open(family == 0, first.df).ok();
            }
            for few in same.chunks_mut(SEND_BATCH) {
                match place {
                    Some(socket) => send_few(socket, few, &mut self.out, &*self.clock),
                    None => few.iter_mut().for_each(|r| r.sent = Err(NotSentCause::Refused)),
                }
            }
        }
    }

    fn receive(&mut self, take: &mut dyn FnMut(&Answer<'_>)) {
        // Stamps are wall time; the difference of the clocks now makes them monotonic.
        let wall_ahead_ns = self.clock.wall_ns() - self.clock.mono_ns();
        for socket in self.sockets.iter_mut().flatten().flatten() {
            for _ in 0..MAX_RECEIVE_CALLS {
                if !receive_some(socket, &mut self.input, wall_ahead_ns, &*self.clock, take) {
                    break;
                }
            }
        }
    }
}

fn send_few(socket: &mut IcmpSocket, few: &mut [Request], out: &mut SendBatch, clock: &dyn NanoClock) {
    out.clear();
    for request in few.iter() {
        let head = packet::echo_request(socket.v4, socket.id, request.seq, &request.cookie);
        let fields = HeaderFields { ttl: request.ttl, tos: request.dscp.map(|dscp| dscp << 2) };
        out.push(request.to, head, request.pad_bytes, fields);
    }
    let (mut done, mut retries) = (0, 0);
    while done < few.len() {
        let stamp_ns = clock.mono_ns();
        match out.send(socket.fd(), done) {
            Ok(count) if count > 0 => {
                few[done..].iter_mut().take(count).for_each(|r| r.sent = Ok(stamp_ns));
                done += count;
                retries = 0;
            }
            Err(error) if retries < SEND_RETRIES && may_be_anothers(socket, &error) => {
                retries += 1;
                socket.check_errors = true;
                socket.clear_error();
            }
            result => {
                few[done].sent = Err(result.err().map_or(NotSentCause::BufferFull, |e| cause_of(&e)));
                done += 1;
                retries = 0;
            }
        }
    }
}

/// A datagram socket reports an ICMP error about an earlier packet by failing the next call, whatever it is.
fn may_be_anothers(socket: &IcmpSocket, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted || (!socket.raw && error.kind() != io::ErrorKind::WouldBlock)
}

/// One receive call; `true` when there may be more.
fn receive_some(
    socket: &mut IcmpSocket,
    input: &mut RecvBatch,
    wall_ahead_ns: i64,
    clock: &dyn NanoClock,
    take: &mut dyn FnMut(&Answer<'_>),
) -> bool {
    if socket.check_errors {
        socket.check_errors = false;
        return receive_errors(socket, input, clock, take);
    }
    match input.receive(socket.fd(), false) {
        Ok(count) => {
            for i in 0..count {
                let received = input.get(i);
                let rx_mono_ns = received.rx_wall_ns.map_or_else(|| clock.mono_ns(), |ns| ns - wall_ahead_ns);
                hear(socket, &received, rx_mono_ns, take);
            }
            count == super::sys::RECV_BATCH
        }
        Err(error) => {
            let pending = error.kind() != io::ErrorKind::WouldBlock;
            socket.check_errors = pending && !socket.raw;
            pending
        }
    }
}

fn hear(socket: &IcmpSocket, received: &Received<'_>, rx_mono_ns: i64, take: &mut dyn FnMut(&Answer<'_>)) {
    let heard = if socket.raw && socket.v4 {
        packet::parse_raw_v4(received.bytes)
    } else {
        packet::parse_icmp(socket.v4, received.bytes)
    };
    match heard {
        Some(Heard::Reply { id, payload }) if !socket.raw || id == socket.id => {
            take(&Answer { reply: true, peer: received.from, seq: None, payload, rx_mono_ns });
        }
        Some(Heard::Error(quote)) if quote.id == socket.id => {
            let (seq, payload) = (Some(quote.seq), quote.payload);
            take(&Answer { reply: false, peer: quote.to, seq, payload, rx_mono_ns });
        }
        _ => {}
    }
}

/// Reads a datagram socket's error queue; `true` so that the ordinary queue is looked at again.
fn receive_errors(
    socket: &mut IcmpSocket,
    input: &mut RecvBatch,
    clock: &dyn NanoClock,
    take: &mut dyn FnMut(&Answer<'_>),
) -> bool {
    let Ok(count) = input.receive(socket.fd(), true) else { return true };
    socket.check_errors = count > 0;
    for i in 0..count {
        let received = input.get(i);
        if !received.error.is_some_and(|(origin, kind)| is_about_delivery(socket.v4, origin, kind)) {
            continue;
        }
        if let Some(quote) = packet::parse_quote(socket.v4, received.from, received.bytes) {
            let (seq, payload) = (Some(quote.seq), quote.payload);
            take(&Answer { reply: false, peer: quote.to, seq, payload, rx_mono_ns: clock.mono_ns() });
        }
    }
    true
}

fn is_about_delivery(v4: bool, origin: u8, kind: u8) -> bool {
    if v4 {
        let types = [packet::V4_UNREACHABLE, packet::V4_TIME_EXCEEDED, packet::V4_PARAMETER_PROBLEM];
        origin == libc::SO_EE_ORIGIN_ICMP && types.contains(&kind)
    } else {
        let types = packet::V6_UNREACHABLE..=packet::V6_PARAMETER_PROBLEM;
        origin == libc::SO_EE_ORIGIN_ICMP6 && types.contains(&kind)
    }
}

#[cfg(test)]
#[path = "net_tests.rs"]
mod tests;
