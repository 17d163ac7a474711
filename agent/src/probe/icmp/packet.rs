//! ICMP echo packets and what answers them: encoding, checksum, parsing. No sockets here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cookie::COOKIE_BYTES;

/// An ICMP header with the cookie behind it; zeros up to the probe's size follow.
pub const HEAD_BYTES: usize = ICMP_HEADER_BYTES + COOKIE_BYTES;
const ICMP_HEADER_BYTES: usize = 8;
const IPV6_HEADER_BYTES: usize = 40;
const IPV4_MIN_HEADER_BYTES: usize = 20;

pub const V4_ECHO_REPLY: u8 = 0;
pub const V4_ECHO: u8 = 8;
pub const V4_UNREACHABLE: u8 = 3;
pub const V4_TIME_EXCEEDED: u8 = 11;
pub const V4_PARAMETER_PROBLEM: u8 = 12;
pub const V6_UNREACHABLE: u8 = 1;
pub const V6_PACKET_TOO_BIG: u8 = 2;
pub const V6_TIME_EXCEEDED: u8 = 3;
pub const V6_PARAMETER_PROBLEM: u8 = 4;
pub const V6_ECHO: u8 = 128;
pub const V6_ECHO_REPLY: u8 = 129;

/// Writes an echo request's head. The padding behind it is zeros, which no checksum sees.
/// The kernel computes the checksum of `ICMPv6` itself.
pub fn echo_request(v4: bool, id: u16, seq: u16, cookie: &[u8; COOKIE_BYTES]) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[0] = if v4 { V4_ECHO } else { V6_ECHO };
    head[4..6].copy_from_slice(&id.to_be_bytes());
    head[6..8].copy_from_slice(&seq.to_be_bytes());
    head[8..].copy_from_slice(cookie);
    if v4 {
        let sum = checksum(&head);
        head[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    head
}

/// The Internet checksum (RFC 1071).
pub fn checksum(bytes: &[u8]) -> u16 {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut sum: u32 = pairs.iter().map(|p| u32::from(u16::from_be_bytes(*p))).sum();
    if let [last] = rest {
        sum += u32::from(*last) << 8;
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A packet that may answer one of our probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// An echo reply.
    Reply {
        /// The ICMP id, which on a datagram socket is the kernel's.
        id: u16,
        /// What came back behind the header.
        payload: &'a [u8],
    },
    /// A router's or host's message about one of our requests.
    Error(Quote<'a>),
}

/// As much of a failed request as the error message quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote<'a> {
    /// Where the request was going, when its IP header was quoted.
    pub to: Option<IpAddr>,
    /// The request's ICMP id.
    pub id: u16,
    /// The request's sequence number.
    pub seq: u16,
    /// The request's payload, possibly nothing: routers need to quote no more than the ICMP header.
    pub payload: &'a [u8],
}

/// Reads a packet of a raw IPv4 socket, which starts with its IP header.
pub fn parse_raw_v4(bytes: &[u8]) -> Option<Heard<'_>> {
    parse_icmp(true, after_v4_header(bytes)?)
}

/// Reads a packet that starts with its ICMP header: of a datagram socket, or of a raw IPv6 one.
pub fn parse_icmp(v4: bool, bytes: &[u8]) -> Option<Heard<'_>> {
    let (header, rest) = bytes.split_first_chunk::<ICMP_HEADER_BYTES>()?;
    match (v4, header[0]) {
        (true, V4_ECHO_REPLY) | (false, V6_ECHO_REPLY) => {
            Some(Heard::Reply { id: u16::from_be_bytes([header[4], header[5]]), payload: rest })
        }
        (true, V4_UNREACHABLE | V4_TIME_EXCEEDED | V4_PARAMETER_PROBLEM) => quoted_v4(rest).map(Heard::Error),
        (false, V6_UNREACHABLE..=V6_PARAMETER_PROBLEM) => quoted_v6(rest).map(Heard::Error),
        _ => None,
    }
}

/// Reads the request's own ICMP packet out of an error message or the socket's error queue.
pub fn parse_quote(v4: bool, to: Option<IpAddr>, bytes: &[u8]) -> Option<Quote<'_>> {
    let (header, payload) = bytes.split_first_chunk::<ICMP_HEADER_BYTES>()?;
    if header[0] != if v4 { V4_ECHO } else { V6_ECHO } {
        return None;
    }
    let id = u16::from_be_bytes([header[4], header[5]]);
    Some(Quote { to, id, seq: u16::from_be_bytes([header[6], header[7]]), payload })
}

fn quoted_v4(bytes: &[u8]) -> Option<Quote<'_>> {
    let inner = after_v4_header(bytes)?;
    let to: [u8; 4] = bytes.get(16..20)?.try_into().ok()?;
    parse_quote(true, Some(IpAddr::V4(Ipv4Addr::from(to))), inner)
}

fn quoted_v6(bytes: &[u8]) -> Option<Quote<'_>> {
    let (header, inner) = bytes.split_first_chunk::<IPV6_HEADER_BYTES>()?;
    if i32::from(header[6]) != libc::IPPROTO_ICMPV6 {
        return None;
    }
    let to: [u8; 16] = header[24..40].try_into().ok()?;
    parse_quote(false, Some(IpAddr::V6(Ipv6Addr::from(to))), inner)
}

fn after_v4_header(bytes: &[u8]) -> Option<&[u8]> {
    let first = *bytes.first()?;
    let header_bytes = usize::from(first & 0x0f) * 4;
    let icmp = first >> 4 == 4 && bytes.get(9).is_some_and(|p| i32::from(*p) == libc::IPPROTO_ICMP);
    (icmp && header_bytes >= IPV4_MIN_HEADER_BYTES).then(|| bytes.get(header_bytes..))?
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
