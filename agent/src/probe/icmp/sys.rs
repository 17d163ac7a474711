//! The reactor's two batched system calls and one socket option that no safe wrapper offers as we need them.
//!
//! This is the agent's only unsafe code. `nix`'s wrappers keep one set of control messages per call and do not
//! reset lengths that the kernel shortened, and both matter here: options differ by packet, and headers are
//! used again and again. Every pointer handed to the kernel is made in the call that uses it, from memory that
//! the batch owns and does not move meanwhile.
#![expect(
    unsafe_code,
    reason = "sendmmsg, recvmmsg and setsockopt on memory owned by the batch; see the module's text"
)]

use std::io;
use std::mem::zeroed;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::cabi::{Control, SockAddr, timespec_ns};
use super::packet::HEAD_BYTES;

/// Packets handed to the kernel in one call. Few, because one send stamp serves them all: on loopback, where each
/// packet's whole round trip takes place within the call, the last of them seems to take as long as all together.
pub const SEND_BATCH: usize = 4;
/// Packets taken from the kernel in one call.
pub const RECV_BATCH: usize = 64;
/// Bytes kept of a received packet: the longest headers, a quoted packet and its cookie fit.
const RECV_BYTES: usize = 256;

/// Zeros that stand behind each head, so that a packet of the usual size is one piece for the kernel to copy.
const NEAR_PAD_BYTES: usize = 24;
/// Zeros that fill a larger packet up to its size; a page of it becomes resident only when it is sent.
static PADDING: [u8; 65_536] = [0; 65_536];

/// Packets waiting to be sent in one call.
pub struct SendBatch {
    /// How often the kernel was called.
    pub calls: u64,
    len: usize,
    heads: [[u8; HEAD_BYTES + NEAR_PAD_BYTES]; SEND_BATCH],
    pad_bytes: [usize; SEND_BATCH],
    names: [SockAddr; SEND_BATCH],
    control: [Control; SEND_BATCH],
}

/// IP header fields of one packet; `None` leaves the socket's own.
#[derive(Clone, Copy, Default)]
pub struct HeaderFields {
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// Type of service, or traffic class: the DSCP shifted left by two.
    pub tos: Option<u8>,
}

impl SendBatch {
    pub fn new() -> Box<Self> {
        Box::new(Self {
            calls: 0,
            len: 0,
            heads: [[0; HEAD_BYTES + NEAR_PAD_BYTES]; SEND_BATCH],
            pad_bytes: [0; SEND_BATCH],
            names: [SockAddr::default(); SEND_BATCH],
            control: [Control::default(); SEND_BATCH],
        })
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds a packet of `head` and `pad_bytes` zeros; a full batch ignores it.
    pub fn push(&mut self, to: IpAddr, head: [u8; HEAD_BYTES], pad_bytes: usize, fields: HeaderFields) {
        if self.len == SEND_BATCH {
            return;
        }
        self.heads[self.len][..HEAD_BYTES].copy_from_slice(&head);
        self.pad_bytes[self.len] = pad_bytes.min(PADDING.len());
        self.names[self.len] = SockAddr::of(to);
        self.control[self.len].set(to.is_ipv4(), fields);
        self.len += 1;
    }

    /// Sends packets `from..`; the answer is how many the kernel took, at least one.
    ///
    /// # Errors
    /// The kernel's error for packet `from`; none was sent.
    pub fn send(&mut self, fd: BorrowedFd<'_>, from: usize) -> io::Result<usize> {
        // SAFETY: all-zero bytes are valid for these C structs of integers and pointers.
        let mut vectors: [[libc::iovec; 2]; SEND_BATCH] = unsafe { zeroed() };
        // SAFETY: as above.
        let mut messages: [libc::mmsghdr; SEND_BATCH] = unsafe { zeroed() };
        for i in from..self.len {
            let near_bytes = self.pad_bytes[i].min(NEAR_PAD_BYTES);
            let far_bytes = self.pad_bytes[i] - near_bytes;
            vectors[i][0] =
                libc::iovec { iov_base: self.heads[i].as_mut_ptr().cast(), iov_len: HEAD_BYTES + near_bytes };
            vectors[i][1] = libc::iovec { iov_base: PADDING.as_ptr().cast_mut().cast(), iov_len: far_bytes };
            let header = &mut messages[i].msg_hdr;
            header.msg_name = (&raw mut self.names[i].bytes).cast();
            header.msg_namelen = self.names[i].len;
            header.msg_iov = vectors[i].as_mut_ptr();
            header.msg_iovlen = if far_bytes == 0 { 1 } else { 2 };
            if self.control[i].bytes > 0 {
                header.msg_control = self.control[i].words.as_mut_ptr().cast();
                header.msg_controllen = self.control[i].bytes as _;
            }
        }
        self.calls += 1;
        // SAFETY: `messages[from..len]` point at heads, padding, names and control that outlive this call; the
        // kernel only reads them (padding is a shared static) and writes `msg_len` in `messages`.
        let sent = unsafe {
            libc::sendmmsg(
                fd.as_raw_fd(),
                messages[from..].as_mut_ptr(),
                (self.len - from) as libc::c_uint,
                libc::MSG_DONTWAIT,
            )
        };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
    }
}

/// Packets taken in one call.
pub struct RecvBatch {
    /// How often the kernel was called.
    pub calls: u64,
    bytes: [[u8; RECV_BYTES]; RECV_BATCH],
    names: [SockAddr; RECV_BATCH],
    control: [Control; RECV_BATCH],
    lens: [usize; RECV_BATCH],
}

/// One received packet, or one entry of the error queue.
pub struct Received<'a> {
    /// The packet, cut at 256 bytes.
    pub bytes: &'a [u8],
    /// The sender; in the error queue, whom the failed packet was for.
    pub from: Option<IpAddr>,
    /// The kernel's stamp, wall nanoseconds.
    pub rx_wall_ns: Option<i64>,
    /// In the error queue: where the error comes from (`SO_EE_ORIGIN_*`), and its ICMP type.
    pub error: Option<(u8, u8)>,
}

impl RecvBatch {
    pub fn new() -> Box<Self> {
        Box::new(Self {
            calls: 0,
            bytes: [[0; RECV_BYTES]; RECV_BATCH],
            names: [SockAddr::default(); RECV_BATCH],
            control: [Control::default(); RECV_BATCH],
            lens: [0; RECV_BATCH],
        })
    }

    /// Takes what is there without waiting; the answer is how many packets came.
    ///
    /// # Errors
    /// The kernel's, `WouldBlock` when there is nothing.
    pub fn receive(&mut self, fd: BorrowedFd<'_>, error_queue: bool) -> io::Result<usize> {
        // SAFETY: all-zero bytes are valid for these C structs of integers and pointers.
        let mut vectors: [libc::iovec; RECV_BATCH] = unsafe { zeroed() };
        // SAFETY: as above.
        let mut messages: [libc::mmsghdr; RECV_BATCH] = unsafe { zeroed() };
        for i in 0..RECV_BATCH {
            vectors[i] = libc::iovec { iov_base: self.bytes[i].as_mut_ptr().cast(), iov_len: RECV_BYTES };
            let header = &mut messages[i].msg_hdr;
            header.msg_name = (&raw mut self.names[i].bytes).cast();
            header.msg_namelen = SockAddr::MAX_BYTES as libc::socklen_t;
            header.msg_iov = &raw mut vectors[i];
            header.msg_iovlen = 1;
            header.msg_control = self.control[i].words.as_mut_ptr().cast();
            header.msg_controllen = size_of_val(&self.control[i].words) as _;
        }
        let flags = libc::MSG_DONTWAIT | if error_queue { libc::MSG_ERRQUEUE } else { 0 };
        self.calls += 1;
        // SAFETY: every message points at its own buffer, name and control in `self`, with their true sizes.
        let count = unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                messages.as_mut_ptr(),
                RECV_BATCH as libc::c_uint,
                flags,
                std::ptr::null_mut(),
            )
        };
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        for (i, message) in messages.iter().enumerate().take(count as usize) {
            self.lens[i] = (message.msg_len as usize).min(RECV_BYTES);
            self.names[i].len = message.msg_hdr.msg_namelen;
            self.control[i].bytes = message.msg_hdr.msg_controllen;
        }
        Ok(count as usize)
    }

    /// Packet `i` of the last [`receive`](Self::receive).
    pub fn get(&self, i: usize) -> Received<'_> {
        let mut received = Received {
            bytes: &self.bytes[i][..self.lens[i]],
            from: self.names[i].ip(),
            rx_wall_ns: None,
            error: None,
        };
        self.control[i].each(|level, kind, data| match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => received.rx_wall_ns = timespec_ns(data),
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                // `sock_extended_err`: errno (4 bytes), origin, type, code …
                received.error = data.get(4).copied().zip(data.get(5).copied());
            }
            _ => {}
        });
        received
    }
}

/// Sets an integer socket option.
///
/// # Errors
/// The kernel's.
pub fn set_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    set_words(fd, level, name, &[value.cast_unsigned()])
}

/// Sets a socket option that is an array of 32-bit words.
///
/// # Errors
/// The kernel's.
pub fn set_words(fd: BorrowedFd<'_>, level: i32, name: i32, words: &[u32]) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `words`, which outlives the call.
    let done = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            words.as_ptr().cast(),
            size_of_val(words) as libc::socklen_t,
        )
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
