//! The routers on the way: UDP packets with rising hop limits, answered into the socket's error queue, so that no privilege
//! is needed.

use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use linewatch_shared::facts::{Finding, Grade};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt, sockopt};

use super::finding;

/// The most routers.
const HOPS_MAX: u8 = 20;
/// Routers in a row that may stay silent before no more are asked.
const SILENT_MAX: usize = 4;
/// How long each may take.
const TIMEOUT: Duration = Duration::from_millis(700);
/// Ports that nobody listens on, as is the custom.
const PORT: u16 = 33_434;
/// What the kernel says of an ICMP answer: time exceeded, port unreachable.
const TIME_EXCEEDED: u8 = 11;
const UNREACHABLE: u8 = 3;

/// Follows the way to an address.
pub async fn check(address: Option<IpAddr>) -> Finding {
    let Some(IpAddr::V4(ip)) = address else { return finding("path", Grade::Unknown, "no_ipv4", []) };
    match tokio::task::spawn_blocking(move || trace(ip)).await {
        Ok(Ok(trace)) => trace.finding(),
        _ => finding("path", Grade::Unknown, "not_possible", []),
    }
}

#[derive(Debug, Default)]
struct Trace {
    hops: Vec<Option<Ipv4Addr>>,
    reached: bool,
}

impl Trace {
    fn finding(&self) -> Finding {
        let text = |hop: &Option<Ipv4Addr>| hop.map_or_else(|| "*".to_owned(), |ip| ip.to_string());
        let hops = ("hops", self.hops.iter().map(text).collect::<Vec<_>>().join(" "));
        let last = self.hops.iter().rev().flatten().next();
        match (self.reached, last) {
            (true, _) => finding("path", Grade::Ok, "reaches", [hops]),
            (false, Some(last)) => finding("path", Grade::Warn, "ends", [hops, ("last", last.to_string())]),
            (false, None) => finding("path", Grade::Unknown, "silent", [hops]),
        }
    }
}

fn trace(to: Ipv4Addr) -> std::io::Result<Trace> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_nonblocking(true)?;
    setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
    let mut trace = Trace::default();
    for ttl in 1..=HOPS_MAX {
        socket.set_ttl(u32::from(ttl))?;
        let port = PORT + u16::from(ttl);
        // An error that waits from the packet before is told here, and is no reason to end.
        let sent = socket.send_to(&[0; 32], SocketAddr::from((to, port)));
        if sent.is_err() && socket.send_to(&[0; 32], SocketAddr::from((to, port))).is_err() {
            break;
        }
        let (hop, reached) = answer(&socket)?;
        trace.hops.push(hop);
        trace.reached = reached || hop == Some(to);
        let silent = trace.hops.iter().rev().take_while(|hop| hop.is_none()).count();
        if trace.reached || silent >= SILENT_MAX {
            break;
        }
    }
    let answering = trace.hops.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    trace.hops.truncate(answering.max(1));
    Ok(trace)
}

/// Who answers, and whether it is the far end.
fn answer(socket: &UdpSocket) -> std::io::Result<(Option<Ipv4Addr>, bool)> {
    #[expect(clippy::disallowed_methods, reason = "how long to wait, dated by nothing")]
    let until = Instant::now() + TIMEOUT;
    loop {
        #[expect(clippy::disallowed_methods, reason = "how long to wait, dated by nothing")]
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok((None, false));
        }
        let mut polled = [PollFd::new(std::os::fd::AsFd::as_fd(socket), PollFlags::POLLERR)];
        poll(&mut polled, PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO))?;
        let mut payload = [0; 64];
        let mut parts = [IoSliceMut::new(&mut payload)];
        let mut control = nix::cmsg_space!(nix::libc::sock_extended_err, nix::libc::sockaddr_in);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let Ok(message) = recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags)
        else {
            continue;
        };
        for one in message.cmsgs()? {
            if let ControlMessageOwned::Ipv4RecvErr(error, Some(from)) = one {
                let ip = Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr));
                match error.ee_type {
                    TIME_EXCEEDED => return Ok((Some(ip), false)),
                    // Nobody listens there: the far end itself says so.
                    UNREACHABLE => return Ok((Some(ip), error.ee_code == UNREACHABLE)),
                    _ => {}
                }
            }
        }
    }
}
