//! The sync protocol's bytes: batches, answers, chains, and the guard in front of the decoder.
//!
//! A batch is zstd over an envelope and length-prefixed opaque bodies, so that one bad body never
//! spoils its neighbours. Every count and length has a bound; hostile input is refused before
//! anything is allocated for it.

mod batch;
mod chain;
mod identity;
mod messages;
mod parts;
mod ranges;
mod scan;
mod tasks;

pub use batch::{Batch, Envelope, EnvelopeError};
pub use chain::{Chain, Hash, record_hash};
pub use identity::{
    Challenge, Challenged, Enroll, Enrolled, GENERATION_HEADER, Generation, Prove, Renew, Renewed,
    proof_message,
};
pub use messages::{
    CarryKey, Cursor, Head, Heartbeat, HeartbeatAnswer, Held, HeldLane, Hello, HelloAnswer, Limits, PackText,
    Person, Pull, PullPage, PushAnswer, Reference, ReferenceCustomer, ReferenceLine, ReferenceTerms,
};
pub use parts::{Chunk, ChunkAnswer, PARTS_ASKED_MAX, PartHeld, Parts, PartsAnswer};
pub use ranges::{RANGES_MAX, Range, RangeSet, RangeSum};
pub use scan::{ScanError, scan};
pub use tasks::{
    TASK_FAULTS_MAX, TASK_MATTERS_MAX, Tasks, TasksAnswer, Work, WorkFact, WorkFault, WorkMatter,
};

use serde::{Serialize, de::DeserializeOwned};

/// The newest protocol that this program speaks.
pub const PROTOCOL: u16 = 1;
/// The oldest protocol that this program still speaks.
pub const PROTOCOL_MIN: u16 = 1;
/// What a program can do within the protocol, beyond its first form. Both sides say theirs; neither says what the other
/// does not understand. 1: people, open work, parts of reports. 2: certificates that are renewed, generations
/// ([`LEVEL_RENEWS`]).
pub const LEVEL: u16 = 2;
/// The level from which on an agent renews its certificate by itself.
pub const LEVEL_RENEWS: u16 = 2;
/// The longest decompressed batch, in bytes.
pub const BATCH_BYTES_MAX: usize = 4 << 20;
/// The most records in one batch.
pub const BATCH_RECORDS_MAX: usize = 1_000;
/// The longest body of one record, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// The longest message other than a batch, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// The content type of batches and messages.
pub const CONTENT_TYPE: &str = "application/vnd.linewatch+msgpack";

/// Bytes from outside could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The guard refused them.
    #[error("refused before decoding: {0}")]
    Scan(#[from] ScanError),
    /// They are MessagePack, but not of this shape.
    #[error("not of the expected shape: {0}")]
    Shape(#[from] rmp_serde::decode::Error),
}

/// Writes a message as MessagePack with named fields.
///
/// # Errors
/// Never for this module's own types.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    rmp_serde::to_vec_named(message)
}

/// Reads a message from outside, scanned first.
///
/// # Errors
/// When the guard refuses the bytes, or they have another shape.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    scan(bytes)?;
    Ok(rmp_serde::from_slice(bytes)?)
}
