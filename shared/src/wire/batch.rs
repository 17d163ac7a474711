//! A batch: an envelope and length-prefixed opaque bodies.
//!
//! ```text
//! zstd( u32 length of envelope | envelope | u32 length of body | body | u32 … )     big-endian
//! ```

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, BODY_BYTES_MAX, Chain, DecodeError, PROTOCOL, PROTOCOL_MIN};
use crate::facts::Lane;

/// The longest envelope, in bytes.
const ENVELOPE_BYTES_MAX: usize = 4_096;
/// How far back a packed batch may refer, as a power of two: a whole batch, and no more. What a frame asks for itself is memory
/// taken before a byte is unpacked.
const WINDOW_LOG_MAX: u32 = 23;
/// Level 3 is within a few percent of the slower ones on our records, at ten times their speed.
const ZSTD_LEVEL: i32 = 3;

/// What a batch says of itself. Who sends it comes from the credential, never from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The protocol in which the batch is written.
    pub protocol: u16,
    /// The journal's epoch.
    pub epoch: u64,
    /// The lane.
    pub lane: Lane,
    /// The number of the first body; the others follow without gaps.
    pub first: u64,
    /// The lane's chain before the first body ([`Chain::START`] in the summary lane, which has none).
    pub chain: Chain,
    /// How many bodies follow.
    pub count: u32,
}

/// An envelope with its bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What the batch says of itself.
    pub envelope: Envelope,
    /// The records' bytes, opaque here.
    pub bodies: Vec<Vec<u8>>,
}

/// A batch that cannot be taken in at all.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not zstd, or damaged.
    #[error("the batch cannot be decompressed: {0}")]
    Compression(std::io::Error),
    /// More than the bound once decompressed.
    #[error("the batch is longer than {BATCH_BYTES_MAX} bytes decompressed")]
    TooLong,
    /// Shorter than its own lengths say, or longer.
    #[error("the batch's lengths do not fit: {0}")]
    Lengths(&'static str),
    /// The envelope is not readable.
    #[error("the envelope: {0}")]
    Envelope(#[from] DecodeError),
    /// A protocol that this program does not speak.
    #[error("protocol {0} is not between {PROTOCOL_MIN} and {PROTOCOL}")]
    Protocol(u16),
}

impl Batch {
    /// Packs the batch for sending.
    ///
    /// # Errors
    /// When compression fails, which it does not for input within the bounds.
    pub fn pack(&self) -> std::io::Result<Vec<u8>> {
        let envelope = super::encode(&self.envelope).map_err(std::io::Error::other)?;
        let size = envelope.len() + self.bodies.iter().map(|body| body.len() + 4).sum::<usize>() + 4;
        let mut plain = Vec::with_capacity(size);
        for part in std::iter::once(&envelope).chain(&self.bodies) {
            let length = u32::try_from(part.len()).map_err(std::io::Error::other)?;
            plain.extend_from_slice(&length.to_be_bytes());
            plain.extend_from_slice(part);
        }
        zstd::bulk::compress(&plain, ZSTD_LEVEL)
    }

    /// Unpacks a batch from outside. Decompression stops at [`BATCH_BYTES_MAX`].
    ///
    /// # Errors
    /// When nothing of it can be taken in; a body is not looked into here.
    pub fn unpack(packed: &[u8]) -> Result<Self, EnvelopeError> {
        let plain = decompress(packed)?;
        let mut rest = plain.as_slice();
        let envelope = take(&mut rest, ENVELOPE_BYTES_MAX)?;
        let envelope: Envelope = super::decode(envelope)?;
        if !(PROTOCOL_MIN..=PROTOCOL).contains(&envelope.protocol) {
            return Err(EnvelopeError::Protocol(envelope.protocol));
        }
        let count = envelope.count as usize;
        if count == 0 || count > BATCH_RECORDS_MAX {
            return Err(EnvelopeError::Lengths("a batch has 1 to 1000 records"));
        }
        if envelope.first == 0
            || envelope.first.checked_add(u64::from(envelope.count)).is_none_or(|end| end > i64::MAX as u64)
        {
            return Err(EnvelopeError::Lengths("numbers start at 1 and fit 63 bits"));
        }
        let mut bodies = Vec::with_capacity(count);
        for _ in 0..count {
            bodies.push(take(&mut rest, BODY_BYTES_MAX)?.to_vec());
        }
        if !rest.is_empty() {
            return Err(EnvelopeError::Lengths("bytes follow the last body"));
        }
        Ok(Self { envelope, bodies })
    }
}

fn decompress(packed: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let mut decoder = zstd::stream::read::Decoder::new(packed).map_err(EnvelopeError::Compression)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(EnvelopeError::Compression)?;
    let mut plain = Vec::new();
    decoder.take(BATCH_BYTES_MAX as u64 + 1).read_to_end(&mut plain).map_err(EnvelopeError::Compression)?;
    if plain.len() > BATCH_BYTES_MAX { Err(EnvelopeError::TooLong) } else { Ok(plain) }
}

fn take<'a>(rest: &mut &'a [u8], most: usize) -> Result<&'a [u8], EnvelopeError> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(EnvelopeError::Lengths("cut off"))?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > most {
        return Err(EnvelopeError::Lengths("a part is longer than its bound"));
    }
    let (part, after) = after.split_at_checked(length).ok_or(EnvelopeError::Lengths("cut off"))?;
    *rest = after;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(bodies: Vec<Vec<u8>>) -> Batch {
        let envelope = Envelope {
            protocol: PROTOCOL,
            epoch: 7,
            lane: Lane::Fault,
            first: 1,
            chain: Chain::START,
            count: bodies.len() as u32,
        };
        Batch { envelope, bodies }
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let bomb = zstd::bulk::compress(&vec![0; BATCH_BYTES_MAX * 8], 3).unwrap();
        assert!(bomb.len() < 10_000);
        assert!(matches!(Batch::unpack(&bomb), Err(EnvelopeError::TooLong)));
    }

    #[test]
    fn counts_that_lie_are_refused() {
        let mut lying = batch(vec![vec![1]]);
        lying.envelope.count = 2;
        assert!(matches!(Batch::unpack(&lying.pack().unwrap()), Err(EnvelopeError::Lengths(_))));
        lying.envelope.count = 0;
        assert!(matches!(Batch::unpack(&lying.pack().unwrap()), Err(EnvelopeError::Lengths(_))));
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..20)) {
            let batch = batch(bodies);
            prop_assert_eq!(Batch::unpack(&batch.pack().unwrap()).unwrap(), batch);
        }

        #[test]
        fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Batch::unpack(&bytes).is_err());
            let framed = zstd::bulk::compress(&bytes, 3).unwrap();
            prop_assert!(Batch::unpack(&framed).is_err());
        }
    }
}
