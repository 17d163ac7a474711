//! Addresses and control messages in the memory layout of 64-bit Linux, read and written without pointers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::sys::HeaderFields;

const CONTROL_WORDS: usize = 24;
const NS_PER_SECOND: i64 = 1_000_000_000;

/// Reads a `timespec` as nanoseconds.
pub fn timespec_ns(data: &[u8]) -> Option<i64> {
    let seconds = i64::from_ne_bytes(data.get(..8)?.try_into().ok()?);
    let ns = i64::from_ne_bytes(data.get(8..16)?.try_into().ok()?);
    seconds.checked_mul(NS_PER_SECOND)?.checked_add(ns)
}

/// A `sockaddr_in` or `sockaddr_in6` with port and scope zero.
#[derive(Clone, Copy, Default)]
#[repr(C, align(8))]
pub struct SockAddr {
    pub bytes: [u8; Self::MAX_BYTES],
    pub len: u32,
}

impl SockAddr {
    /// Size of a `sockaddr_in6`.
    pub const MAX_BYTES: usize = 28;
    const V4_BYTES: u32 = 16;

    pub fn of(ip: IpAddr) -> Self {
        let mut bytes = [0; Self::MAX_BYTES];
        // Family in the machine's order, port, then the IPv4 address, or flow information and the IPv6 address.
        let (family, len) = match ip {
            IpAddr::V4(ip) => {
                bytes[4..8].copy_from_slice(&ip.octets());
                (libc::AF_INET, Self::V4_BYTES)
            }
            IpAddr::V6(ip) => {
                bytes[8..24].copy_from_slice(&ip.octets());
                (libc::AF_INET6, Self::MAX_BYTES as u32)
            }
        };
        bytes[..2].copy_from_slice(&(family as u16).to_ne_bytes());
        Self { bytes, len }
    }

    pub fn ip(&self) -> Option<IpAddr> {
        match i32::from(u16::from_ne_bytes([self.bytes[0], self.bytes[1]])) {
            libc::AF_INET if self.len >= Self::V4_BYTES => {
                let octets: [u8; 4] = self.bytes[4..8].try_into().ok()?;
                Some(IpAddr::V4(Ipv4Addr::from(octets)))
            }
            libc::AF_INET6 if self.len >= 24 => {
                let octets: [u8; 16] = self.bytes[8..24].try_into().ok()?;
                Some(IpAddr::V6(Ipv6Addr::from(octets)))
            }
            _ => None,
        }
    }
}

/// Control messages, aligned as the kernel wants them. On 64-bit Linux a header is 16 bytes (length, level,
/// type) and each message is padded to 8.
#[derive(Clone, Copy, Default)]
pub struct Control {
    pub words: [u64; CONTROL_WORDS],
    pub bytes: usize,
}

const CMSG_HEADER_BYTES: usize = size_of::<libc::cmsghdr>();
const _: () = assert!(CMSG_HEADER_BYTES == 16, "control messages are laid out for 64-bit Linux");

impl Control {
    pub fn set(&mut self, v4: bool, fields: HeaderFields) {
        self.bytes = 0;
        let (level, ttl, tos) = if v4 {
            (libc::IPPROTO_IP, libc::IP_TTL, libc::IP_TOS)
        } else {
            (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, libc::IPV6_TCLASS)
        };
        for (kind, value) in [(ttl, fields.ttl), (tos, fields.tos)] {
            if let Some(value) = value {
                self.push(level, kind, i32::from(value));
            }
        }
    }

    fn push(&mut self, level: i32, kind: i32, value: i32) {
        let at = self.bytes / 8;
        self.words[at] = (CMSG_HEADER_BYTES + size_of::<i32>()) as u64;
        self.words[at + 1] = pair(level, kind);
        self.words[at + 2] = pair(value, 0);
        self.bytes += CMSG_HEADER_BYTES + 8;
    }

    /// Calls `take` with level, type and data of each message.
    pub fn each(&self, mut take: impl FnMut(i32, i32, &[u8])) {
        let mut at = 0;
        let end = self.bytes.min(CONTROL_WORDS * 8);
        while at + CMSG_HEADER_BYTES <= end {
            let len = self.words[at / 8] as usize;
            if len < CMSG_HEADER_BYTES || at + len > end {
                return;
            }
            let names = self.words[at / 8 + 1].to_ne_bytes();
            let level = i32::from_ne_bytes([names[0], names[1], names[2], names[3]]);
            let kind = i32::from_ne_bytes([names[4], names[5], names[6], names[7]]);
            let words = &self.words[at / 8 + 2..(at + len).div_ceil(8)];
            let mut data = [0; CONTROL_WORDS * 8];
            for (to, word) in data.chunks_exact_mut(8).zip(words) {
                to.copy_from_slice(&word.to_ne_bytes());
            }
            take(level, kind, &data[..len - CMSG_HEADER_BYTES]);
            at += len.next_multiple_of(8);
        }
    }
}

/// Two C integers side by side, as they lie in memory.
fn pair(first: i32, second: i32) -> u64 {
    let (a, b) = (first.to_ne_bytes(), second.to_ne_bytes());
    u64::from_ne_bytes([a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_went() {
        for text in ["127.0.0.9", "255.1.2.3", "::1", "2001:db8::ffff"] {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(SockAddr::of(ip).ip(), Some(ip));
        }
        assert_eq!(SockAddr::default().ip(), None);
    }

    #[test]
    fn control_messages_come_back_as_they_went() {
        let mut control = Control::default();
        control.set(true, HeaderFields { ttl: Some(7), tos: Some(184) });
        let mut seen = Vec::new();
        control
            .each(|level, kind, data| seen.push((level, kind, i32::from_ne_bytes(data.try_into().unwrap()))));
        assert_eq!(seen, [(libc::IPPROTO_IP, libc::IP_TTL, 7), (libc::IPPROTO_IP, libc::IP_TOS, 184)]);
        control.set(false, HeaderFields::default());
        assert_eq!(control.bytes, 0);
    }

    #[test]
    fn a_lying_length_ends_the_walk() {
        let mut control = Control { bytes: 32, ..Control::default() };
        control.words[0] = 4_000;
        control.each(|_, _, _| panic!("took a message beyond the end"));
        control.words[0] = 3;
        control.each(|_, _, _| panic!("took a message shorter than its header"));
    }
}
