//! The least that this machine's kernel can do the same work for: the same packets sent and answers received in
//! the same small calls on the agent's own kind of socket, and nothing kept or judged.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;
use std::thread::sleep;
use std::time::Duration;

use linewatch_agent::clock::{BootClock, NanoClock};
use linewatch_agent::probe::icmp::socket::IcmpSocket;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg};

/// As the agent's reactor has them.
const TICK_MS: usize = 10;
const SEND_BATCH: usize = 4;
const RECEIVE_BATCH: usize = 64;
const SENDS_PER_LOOK: usize = 256;
const PACKET_BYTES: usize = 64;
const ECHO_REQUEST: u8 = 8;

/// Pings each target once every `interval_ms` until it is told to stop by one who hears how many were sent and
/// received; answers those numbers.
///
/// # Errors
/// The kernel's.
pub fn floor(
    targets: &[Ipv4Addr],
    interval_ms: usize,
    stopped: impl Fn([u64; 2]) -> bool,
) -> io::Result<[u64; 2]> {
    let mut bare = Bare::open()?;
    let addresses: Vec<_> =
        targets.iter().map(|ip| Some(SockaddrIn::from(SocketAddrV4::new(*ip, 0)))).collect();
    let ticks = interval_ms.div_ceil(TICK_MS).max(1);
    let begin_ns = BootClock.mono_ns();
    for tick in 1.. {
        if stopped(bare.counts) {
            break;
        }
        let turn = (tick - 1) % ticks;
        let share = |n| addresses.len() * n / ticks;
        for some in addresses[share(turn)..share(turn + 1)].chunks(SENDS_PER_LOOK) {
            bare.send(some)?;
            bare.receive()?;
        }
        let due_ns = begin_ns + (tick * TICK_MS) as i64 * 1_000_000;
        sleep(Duration::from_nanos((due_ns - BootClock.mono_ns()).max(0).unsigned_abs()));
    }
    Ok(bare.counts)
}

/// A socket with what its calls need, made once.
struct Bare {
    socket: IcmpSocket,
    packet: [u8; PACKET_BYTES],
    out: MultiHeaders<SockaddrIn>,
    input: MultiHeaders<SockaddrIn>,
    buffers: Box<[[u8; 256]; RECEIVE_BATCH]>,
    /// Sent and received.
    counts: [u64; 2],
}

impl Bare {
    fn open() -> io::Result<Self> {
        let socket = IcmpSocket::open(true, None).map_err(io::Error::other)?;
        let stamp = nix::cmsg_space!(nix::sys::time::TimeSpec);
        Ok(Self {
            packet: echo_request(socket.id),
            socket,
            out: MultiHeaders::preallocate(SEND_BATCH, None),
            input: MultiHeaders::preallocate(RECEIVE_BATCH, Some(stamp)),
            buffers: Box::new([[0; 256]; RECEIVE_BATCH]),
            counts: [0; 2],
        })
    }

    fn send(&mut self, addresses: &[Option<SockaddrIn>]) -> io::Result<()> {
        let fd = self.socket.fd().as_raw_fd();
        for few in addresses.chunks(SEND_BATCH) {
            let bodies = [[IoSlice::new(&self.packet)]; SEND_BATCH];
            let sent = sendmmsg(fd, &mut self.out, &bodies, few, [], MsgFlags::MSG_DONTWAIT)?;
            self.counts[0] += sent.count() as u64;
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<()> {
        let fd = self.socket.fd().as_raw_fd();
        loop {
            let mut slices = self.buffers.each_mut().map(|bytes| [IoSliceMut::new(bytes)]);
            let count = match recvmmsg(fd, &mut self.input, &mut slices, MsgFlags::MSG_DONTWAIT, None) {
                Ok(messages) => messages.count(),
                Err(Errno::EWOULDBLOCK) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            self.counts[1] += count as u64;
            if count < RECEIVE_BATCH {
                return Ok(());
            }
        }
    }
}

/// One request; the same bytes do for all.
fn echo_request(id: u16) -> [u8; PACKET_BYTES] {
    let mut packet = [0; PACKET_BYTES];
    packet[0] = ECHO_REQUEST;
    packet[4..6].copy_from_slice(&id.to_be_bytes());
    // The Internet checksum of a packet with no other words than its type and its id.
    let (sum, carry) = (u16::from(ECHO_REQUEST) << 8).overflowing_add(id);
    packet[2..4].copy_from_slice(&(!(sum + u16::from(carry))).to_be_bytes());
    packet
}
