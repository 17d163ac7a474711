//! ICMP sockets: datagram where the kernel allows it, raw where not; filters, stamps and don't-fragment.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};

use linewatch_shared::sample::NotSentCause;
use nix::errno::Errno;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::packet;
use super::sys::{set_option, set_words};

/// A port to name where no packet is sent.
const DISCARD_PORT: u16 = 9;
/// Wanted room for replies that wait to be read; the kernel may grant less.
const RECEIVE_BUFFER_BYTES: i32 = 4 << 20;

/// What kind of socket sends a family's probes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum SocketKind {
    /// Unprivileged: the kernel lets this process's groups ping (`net.ipv4.ping_group_range`).
    Datagram,
    /// Privileged: root or `CAP_NET_RAW`.
    Raw,
    /// Neither could be opened, and why.
    None {
        /// What the kernel said to both attempts.
        reason: String,
    },
    /// Not tried yet.
    #[default]
    Unknown,
}

impl std::fmt::Display for SocketKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Datagram => f.write_str("datagram"),
            Self::Raw => f.write_str("raw"),
            Self::None { reason } => write!(f, "none ({reason})"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// One open socket.
pub struct IcmpSocket {
    socket: Socket,
    pub v4: bool,
    pub raw: bool,
    /// The ICMP id of what is sent. On a datagram socket the kernel puts its own in its place.
    pub id: u16,
    /// The error queue may hold something.
    pub check_errors: bool,
}

impl IcmpSocket {
    /// Opens a socket of a family, datagram first, whose packets carry don't-fragment as `df` says.
    ///
    /// # Errors
    /// A text with the kernel's answer to both attempts.
    pub fn open(v4: bool, df: Option<bool>) -> Result<Self, String> {
        Self::open_as(v4, df, false).or_else(|datagram| {
            Self::open_as(v4, df, true).map_err(|raw| {
                format!("datagram socket: {datagram} (see net.ipv4.ping_group_range); raw socket: {raw} (needs CAP_NET_RAW)")
            })
        })
    }

    /// Opens a socket of one kind only.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open_as(v4: bool, df: Option<bool>, raw: bool) -> io::Result<Self> {
        let (domain, protocol) =
            if v4 { (Domain::IPV4, Protocol::ICMPV4) } else { (Domain::IPV6, Protocol::ICMPV6) };
        let socket = Socket::new(domain, if raw { Type::RAW } else { Type::DGRAM }, Some(protocol))?;
        socket.set_nonblocking(true)?;
        let id = (getrandom::u32().unwrap_or_else(|_| std::process::id()) & 0xffff) as u16;
        let this = Self { socket, v4, raw, id, check_errors: false };
        if raw {
            this.block_types()?;
            this.socket.attach_filter(&answers_only(v4, id))?;
        } else {
            let (level, name) = if v4 {
                (libc::IPPROTO_IP, libc::IP_RECVERR)
            } else {
                (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
            };
            set_option(this.fd(), level, name, 1)?;
        }
        set_option(this.fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        this.set_df(df)?;
        this.widen_buffer();
        Ok(this)
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    pub fn kind(&self) -> SocketKind {
        if self.raw { SocketKind::Raw } else { SocketKind::Datagram }
    }

    /// Clears the error that the last ICMP error left on the socket, so that it fails no other packet's sending.
    pub fn clear_error(&self) {
        let _ = self.socket.take_error();
    }

    /// Lets only replies and errors through, before the kernel even copies a packet for the filter to look at: the
    /// echo requests of others, and on loopback our own, are many.
    fn block_types(&self) -> io::Result<()> {
        if self.v4 {
            let passed = [packet::V4_ECHO_REPLY].into_iter().chain(V4_ERRORS);
            let blocked = passed.fold(u32::MAX, |blocked, kind| blocked & !(1 << kind));
            return set_option(self.fd(), SOL_RAW, ICMP_FILTER, blocked.cast_signed());
        }
        let mut blocked = [u32::MAX; 8];
        for kind in [packet::V6_ECHO_REPLY].into_iter().chain(V6_ERRORS) {
            blocked[usize::from(kind / 32)] &= !(1 << (kind % 32));
        }
        set_words(self.fd(), libc::IPPROTO_ICMPV6, ICMPV6_FILTER, &blocked)
    }

    fn set_df(&self, df: Option<bool>) -> io::Result<()> {
        let Some(df) = df else { return Ok(()) };
        let discover = if df { libc::IP_PMTUDISC_DO } else { libc::IP_PMTUDISC_DONT };
        if self.v4 {
            return set_option(self.fd(), libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, discover);
        }
        set_option(self.fd(), libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, discover)?;
        set_option(self.fd(), libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, i32::from(df))
    }

    fn widen_buffer(&self) {
        let force = set_option(self.fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
        if force.is_err() {
            let _ = set_option(self.fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_BUFFER_BYTES);
        }
    }
}

/// Why the kernel would not send.
pub fn cause_of(error: &io::Error) -> NotSentCause {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENETUNREACH | Errno::EHOSTUNREACH) => NotSentCause::NoRoute,
        Some(Errno::ENETDOWN | Errno::ENODEV | Errno::EADDRNOTAVAIL) => NotSentCause::NoCarrier,
        Some(Errno::ENOBUFS | Errno::EAGAIN | Errno::ENOMEM) => NotSentCause::BufferFull,
        _ => NotSentCause::Refused,
    }
}

/// Whether this machine has a route to `ip`, asked of the kernel without sending anything.
pub fn route_error(ip: IpAddr) -> Option<NotSentCause> {
    let domain = if ip.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).ok()?;
    socket.connect(&std::net::SocketAddr::new(ip, DISCARD_PORT).into()).err().map(|e| cause_of(&e))
}

const V4_ERRORS: [u8; 3] = [packet::V4_UNREACHABLE, packet::V4_TIME_EXCEEDED, packet::V4_PARAMETER_PROBLEM];
const V6_ERRORS: [u8; 4] = [
    packet::V6_UNREACHABLE,
    packet::V6_PACKET_TOO_BIG,
    packet::V6_TIME_EXCEEDED,
    packet::V6_PARAMETER_PROBLEM,
];
/// `linux/icmp.h` and `linux/icmpv6.h`; the libc crate has no names for these.
const SOL_RAW: i32 = 255;
const ICMP_FILTER: i32 = 1;
const ICMPV6_FILTER: i32 = 1;

const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE_AT_X: u16 = 0x50;
const LOAD_HALF_AT_X: u16 = 0x48;
const LOAD_X_IP_HEADER_BYTES: u16 = 0xb1;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const WHOLE_PACKET: u32 = u32::MAX;

/// A filter that passes, of the types let through, only replies to `id` and errors that quote a request of `id`, so that other traffic does
/// not even wake us. A raw IPv4 socket sees the IP header (X is its length), a raw IPv6 socket does not. Our
/// requests have no IP options, so the quoted header's length is known.
fn answers_only(v4: bool, id: u16) -> Vec<SockFilter> {
    let op = |code, jt, jf, k| SockFilter::new(code, jt, jf, k);
    let (byte, half, quoted_protocol_at, quoted_id_at, protocol, reply) = if v4 {
        (LOAD_BYTE_AT_X, LOAD_HALF_AT_X, 8 + 9, 8 + 20 + 4, libc::IPPROTO_ICMP, packet::V4_ECHO_REPLY)
    } else {
        (LOAD_BYTE, LOAD_HALF, 8 + 6, 8 + 40 + 4, libc::IPPROTO_ICMPV6, packet::V6_ECHO_REPLY)
    };
    let mut program = Vec::with_capacity(10);
    if v4 {
        program.push(op(LOAD_X_IP_HEADER_BYTES, 0, 0, 0));
    }
    program.extend([
        op(byte, 0, 0, 0),
        op(JUMP_IF_EQUAL, 4, 0, u32::from(reply)),
        op(byte, 0, 0, quoted_protocol_at),
        op(JUMP_IF_EQUAL, 0, 5, protocol as u32),
        op(half, 0, 0, quoted_id_at),
        op(JUMP_IF_EQUAL, 2, 3, u32::from(id)),
        op(half, 0, 0, 4),
        op(JUMP_IF_EQUAL, 0, 1, u32::from(id)),
        op(RETURN, 0, 0, WHOLE_PACKET),
        op(RETURN, 0, 0, 0),
    ]);
    program
}
