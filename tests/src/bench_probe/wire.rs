//! What really went over a link and when, by the kernel's own stamps: of each request as it is handed to the link,
//! of each reply as it comes from it.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg, setsockopt,
    socket, sockopt,
};
use nix::sys::time::TimeSpec;

use crate::harness::Namespace;

/// Room for what comes between two looks.
const BUFFER_BYTES: usize = 16 << 20;
const LOOK_EVERY: Duration = Duration::from_millis(5);
const ICMP: u8 = 1;
const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
const NS_PER_US: f64 = 1_000.0;

/// Round trips of each target in microseconds, in the order of the requests; `None` where no reply came.
pub type Trips = HashMap<Ipv4Addr, Vec<Option<f64>>>;

/// A watch over all links of a namespace, until it is asked what it saw.
pub struct Wire {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Trips>>,
}

impl Wire {
    /// From now on nothing is missed.
    ///
    /// # Errors
    /// When the kernel lets nobody watch.
    pub fn watch(namespace: &Namespace) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let socket = namespace.spawn(open)?.join().map_err(|_| anyhow!("the watch panicked"))??;
        let thread = std::thread::Builder::new().spawn(move || watch(&socket, &stopped))?;
        Ok(Self { stop, thread })
    }

    /// What came and went.
    ///
    /// # Errors
    /// When the kernel ended the watch.
    pub fn seen(self) -> Result<Trips> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the watch panicked"))?
    }
}

fn open() -> Result<OwnedFd> {
    // Only who asks for every protocol sees what goes out, too.
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Packet, SockType::Datagram, flags, SockProtocol::EthAll)?;
    setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    Ok(socket)
}

fn watch(socket: &OwnedFd, stopped: &AtomicBool) -> Result<Trips> {
    let mut seen = Seen::default();
    loop {
        let last = stopped.load(Ordering::Relaxed);
        while let Some((at_ns, packet)) = next(socket)? {
            if let Some(echo) = Echo::of(&packet) {
                seen.take(&echo, at_ns);
            }
        }
        if last {
            return Ok(seen.trips);
        }
        sleep(LOOK_EVERY);
    }
}

/// The next packet from its IP header on, with its stamp.
fn next(socket: &OwnedFd) -> Result<Option<(i64, Vec<u8>)>> {
    let mut bytes = vec![0; 128];
    let mut space = nix::cmsg_space!(TimeSpec);
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut space), MsgFlags::empty());
    let (stamp, len) = match message {
        Ok(message) => {
            let stamp = message.cmsgs()?.find_map(|control| match control {
                ControlMessageOwned::ScmTimestampns(at) => Some(at),
                _ => None,
            });
            (stamp.context("a packet without a stamp")?, message.bytes)
        }
        Err(Errno::EWOULDBLOCK) => return Ok(None),
        Err(error) => return Err(io::Error::from(error).into()),
    };
    bytes.truncate(len);
    Ok(Some((stamp.tv_sec() * 1_000_000_000 + stamp.tv_nsec(), bytes)))
}

/// An echo request or its reply.
struct Echo {
    request: bool,
    /// Whom the request is for, or whom the reply is from.
    target: Ipv4Addr,
    /// The ICMP id and sequence number.
    number: [u8; 4],
}

impl Echo {
    fn of(packet: &[u8]) -> Option<Self> {
        let header_bytes = usize::from(packet.first()? & 0x0f) * 4;
        let (source, destination) = (packet.get(12..16)?, packet.get(16..20)?);
        let icmp = packet.get(header_bytes..header_bytes + 8).filter(|_| packet[9] == ICMP)?;
        let request = match icmp[0] {
            ECHO_REQUEST => true,
            ECHO_REPLY => false,
            _ => return None,
        };
        let target: [u8; 4] = if request { destination } else { source }.try_into().ok()?;
        Some(Self { request, target: target.into(), number: icmp[4..8].try_into().ok()? })
    }
}

#[derive(Default)]
struct Seen {
    trips: Trips,
    /// When the last request of that number went to that target, and which of its trips that was.
    under_way: HashMap<(Ipv4Addr, [u8; 4]), (i64, usize)>,
}

impl Seen {
    fn take(&mut self, echo: &Echo, at_ns: i64) {
        let key = (echo.target, echo.number);
        let trips = self.trips.entry(echo.target).or_default();
        if echo.request {
            self.under_way.insert(key, (at_ns, trips.len()));
            trips.push(None);
        } else if let Some((sent_ns, nth)) = self.under_way.remove(&key) {
            trips[nth] = Some((at_ns - sent_ns) as f64 / NS_PER_US);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, from: [u8; 4], to: [u8; 4], seq: u8) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, ICMP, 0, 0];
        bytes.extend(from.into_iter().chain(to).chain([kind, 0, 0, 0, 7, 7, 0, seq]));
        bytes
    }

    #[test]
    fn replies_find_their_requests() {
        let (us, them) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let mut seen = Seen::default();
        let packets = [
            (1_000, packet(ECHO_REQUEST, us, them, 1)),
            (2_000, packet(ECHO_REQUEST, us, them, 2)),
            (52_500, packet(ECHO_REPLY, them, us, 2)),
            (60_000, packet(ECHO_REPLY, them, us, 2)),
            (61_000, packet(ECHO_REPLY, them, us, 3)),
            (70_000, packet(3, them, us, 1)),
        ];
        for (at_ns, packet) in packets {
            if let Some(echo) = Echo::of(&packet) {
                seen.take(&echo, at_ns);
            }
        }
        assert_eq!(seen.trips[&Ipv4Addr::from(them)], [None, Some(50.5)]);
        assert!(Echo::of(&[0x45, 0]).is_none());
    }
}
