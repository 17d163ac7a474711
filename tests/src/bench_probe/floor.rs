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
const PACKET_BYTES: usize = 64;
const ECHO_REQUEST: u8 = 8;
const TICKS_PER_SECOND: usize = 1_000 / TICK_MS;

/// Pings each target once a second until it is told to stop; answers how many were sent and received.
///
/// # Errors
/// The kernel's.
pub fn floor(targets: &[Ipv4Addr], stopped: impl Fn() -> bool) -> io::Result<[u64; 2]> {
    let socket = IcmpSocket::open(true, None).map_err(io::Error::other)?;
    let fd = socket.fd().as_raw_fd();
    let packet = echo_request(socket.id);
    let addresses: Vec<_> =
        targets.iter().map(|ip| Some(SockaddrIn::from(SocketAddrV4::new(*ip, 0)))).collect();
    let begin_ns = BootClock.mono_ns();
    let [mut sent, mut received] = [0, 0];
    for tick in 1.. {
        if stopped() {
            break;
        }
        let turn = (tick - 1) % TICKS_PER_SECOND;
        let share = |n| addresses.len() * n / TICKS_PER_SECOND;
        for few in addresses[share(turn)..share(turn + 1)].chunks(SEND_BATCH) {
            let mut headers = MultiHeaders::preallocate(few.len(), None);
            let bodies = [[IoSlice::new(&packet)]; SEND_BATCH];
            sent += sendmmsg(fd, &mut headers, &bodies, few, [], MsgFlags::MSG_DONTWAIT)?.count() as u64;
        }
        received += receive(fd)?;
        let due_ns = begin_ns + (tick * TICK_MS) as i64 * 1_000_000;
        sleep(Duration::from_nanos((due_ns - BootClock.mono_ns()).max(0).unsigned_abs()));
    }
    Ok([sent, received])
}

fn receive(fd: i32) -> io::Result<u64> {
    let mut received = 0;
    loop {
        let mut buffers = [[0_u8; 256]; RECEIVE_BATCH];
        let mut slices: Vec<_> = buffers.iter_mut().map(|bytes| [IoSliceMut::new(bytes)]).collect();
        let space = nix::cmsg_space!(nix::sys::time::TimeSpec);
        let mut headers = MultiHeaders::<SockaddrIn>::preallocate(RECEIVE_BATCH, Some(space));
        let count = match recvmmsg(fd, &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None) {
            Ok(messages) => messages.count(),
            Err(Errno::EWOULDBLOCK) => return Ok(received),
            Err(error) => return Err(error.into()),
        };
        received += count as u64;
        if count < RECEIVE_BATCH {
            return Ok(received);
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
