//! What a probe carries in its payload, so that an answer proves which probe it answers.
//!
//! ICMP's 16-bit sequence number wraps within seconds at 10,000 probes a second and says nothing of the sender's
//! process. The cookie does: target slot, send counter and send time, sealed with a keyed
//! hash whose key is random per process. An answer whose seal is wrong is another's, or made up.

use std::hash::{BuildHasher, RandomState};

/// Bytes of a cookie; the smallest payload.
pub const COOKIE_BYTES: usize = 32;

/// What a cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// The target's place in the reactor.
    pub slot: u32,
    /// The target's send counter.
    pub counter: u32,
    /// The probe's place among those under way.
    pub index: u32,
    /// Boot time of sending, microseconds, low 32 bits: for round trips when the probe itself is forgotten.
    pub sent_mono_us: u32,
    /// Wall time of sending, milliseconds.
    pub sent_at_ms: i64,
}

/// Seals and opens cookies with a key that dies with the process.
pub struct Seal {
    key: RandomState,
}

impl Seal {
    pub fn new() -> Self {
        Self { key: RandomState::new() }
    }

    pub fn write(&self, cookie: &Cookie) -> [u8; COOKIE_BYTES] {
        let mut bytes = [0; COOKIE_BYTES];
        bytes[8..12].copy_from_slice(&cookie.slot.to_be_bytes());
        bytes[12..16].copy_from_slice(&cookie.counter.to_be_bytes());
        bytes[16..20].copy_from_slice(&cookie.index.to_be_bytes());
        bytes[20..24].copy_from_slice(&cookie.sent_mono_us.to_be_bytes());
        bytes[24..32].copy_from_slice(&cookie.sent_at_ms.to_be_bytes());
        let tag = self.key.hash_one(&bytes[8..]);
        bytes[..8].copy_from_slice(&tag.to_be_bytes());
        bytes
    }

    /// The cookie at the start of `payload`, if this process wrote it.
    pub fn open(&self, payload: &[u8]) -> Option<Cookie> {
        let bytes: &[u8; COOKIE_BYTES] = payload.first_chunk()?;
        let (tag, body) = bytes.split_first_chunk::<8>()?;
        if self.key.hash_one(body) != u64::from_be_bytes(*tag) {
            return None;
        }
        let word = |at: usize| u32::from_be_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
        let (_, sent_at) = body.split_last_chunk::<8>()?;
        Some(Cookie {
            slot: word(0),
            counter: word(4),
            index: word(8),
            sent_mono_us: word(12),
            sent_at_ms: i64::from_be_bytes(*sent_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> Cookie {
        Cookie { slot: 9_999, counter: u32::MAX, index: 3, sent_mono_us: 77, sent_at_ms: 1_790_000_000_123 }
    }

    #[test]
    fn a_cookie_comes_back_as_it_went() {
        let seal = Seal::new();
        let mut payload = seal.write(&cookie()).to_vec();
        payload.extend([0; 24]);
        assert_eq!(seal.open(&payload), Some(cookie()));
    }

    #[test]
    fn any_changed_bit_breaks_the_seal() {
        let seal = Seal::new();
        let bytes = seal.write(&cookie());
        for bit in 0..COOKIE_BYTES * 8 {
            let mut forged = bytes;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal.open(&forged), None, "bit {bit}");
        }
        assert_eq!(seal.open(&bytes[..31]), None);
    }

    #[test]
    fn another_process_cannot_open_it() {
        assert_eq!(Seal::new().open(&Seal::new().write(&cookie())), None);
    }
}
