//! A far end that takes its time: answers echo requests for any address of its own after 10 to 20 ms, each request after
//! another time, as leased lines do and no two packets alike.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use linewatch_agent::clock::{BootClock, NanoClock};
use linewatch_agent::probe::icmp::packet::{V4_ECHO, V4_ECHO_REPLY, checksum};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendmsg,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeSpec;

use crate::harness::Namespace;

const BUFFER_BYTES: usize = 4 << 20;
const MAX_PACKET_BYTES: usize = 1_500;
const LEAST_NS: i64 = 10_000_000;
/// Steps of 1 µs on top of that, at most so many.
const STEPS: u32 = 10_000;
const NS_PER_STEP: i64 = 1_000;
/// How soon it notices that it is to end.
const GLANCE: Duration = Duration::from_millis(20);

/// Answers until it is dropped.
pub struct Far {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Far {
    /// Answers in that namespace for every address that it takes for its own; its kernel must not.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn start(namespace: &Namespace) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = Some(namespace.spawn(move || answer(&stopped))?);
        Ok(Self { stop, thread })
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Nobody is left to hear how it ended.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A reply that waits for its time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Reply {
    due_ns: i64,
    from: Ipv4Addr,
    to: Ipv4Addr,
    icmp: Vec<u8>,
}

fn answer(stopped: &AtomicBool) -> Result<()> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Inet, SockType::Raw, flags, SockProtocol::Icmp)?;
    setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES)?;
    let mut waiting: BinaryHeap<Reverse<Reply>> = BinaryHeap::new();
    let mut bytes = [0; MAX_PACKET_BYTES];
    while !stopped.load(Ordering::Relaxed) {
        loop {
            match recv(socket.as_raw_fd(), &mut bytes, MsgFlags::empty()) {
                Ok(len) => waiting.extend(reply(&bytes[..len], BootClock.mono_ns()).map(Reverse)),
                Err(Errno::EWOULDBLOCK) => break,
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        let now_ns = BootClock.mono_ns();
        while let Some(next) = waiting.peek_mut().filter(|next| next.0.due_ns <= now_ns) {
            send(&socket, &PeekMut::pop(next).0);
        }
        let left_ns = waiting.peek().map_or(i64::MAX, |Reverse(next)| next.due_ns - BootClock.mono_ns());
        let nap = Duration::from_nanos(left_ns.max(0).unsigned_abs()).min(GLANCE);
        let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        let _ = ppoll(&mut fds, Some(TimeSpec::from_duration(nap)), None);
    }
    Ok(())
}

/// The reply to a request that begins with its IP header.
fn reply(request: &[u8], now_ns: i64) -> Option<Reply> {
    let header_bytes = usize::from(request.first()? & 0x0f) * 4;
    let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(request.get(at..at + 4)?).ok()?));
    let mut icmp = request.get(header_bytes..)?.to_vec();
    if icmp.len() < 8 || icmp[0] != V4_ECHO {
        return None;
    }
    // The request's checksum is as good a dice as any, mixed (Knuth's multiplier) so that neighbours differ.
    let dice = u32::from(u16::from_be_bytes([icmp[2], icmp[3]])).wrapping_mul(2_654_435_761) >> 8;
    let due_ns = now_ns + LEAST_NS + i64::from(dice % STEPS) * NS_PER_STEP;
    icmp[0] = V4_ECHO_REPLY;
    icmp[2..4].fill(0);
    let sum = checksum(&icmp);
    icmp[2..4].copy_from_slice(&sum.to_be_bytes());
    Some(Reply { due_ns, from: address(16)?, to: address(12)?, icmp })
}

/// A reply that cannot be sent is one that was lost on the way.
fn send(socket: &OwnedFd, reply: &Reply) {
    let source = libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: libc::in_addr { s_addr: u32::from_ne_bytes(reply.from.octets()) },
        ipi_addr: libc::in_addr { s_addr: 0 },
    };
    let to = SockaddrIn::from(SocketAddrV4::new(reply.to, 0));
    let body = [IoSlice::new(&reply.icmp)];
    let control = [ControlMessage::Ipv4PacketInfo(&source)];
    let _ = sendmsg(socket.as_raw_fd(), &body, &control, MsgFlags::empty(), Some(&to));
}
