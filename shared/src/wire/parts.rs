//! How photos and signatures follow their reports, in chunks that are each acknowledged: `POST /sync/v1/parts`,
//! `POST /sync/v1/chunk`. A part is named by the hash of its bytes; what is held stays held whatever is cut.

use serde::{Deserialize, Serialize};

use super::Hash;

/// The most parts of one question.
pub const PARTS_ASKED_MAX: usize = 100;

/// Asks how much of some parts is held.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parts {
    /// Which.
    pub parts: Vec<Hash>,
}

/// How much of each is held, in the order of the question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartsAnswer {
    /// One for each.
    pub parts: Vec<PartHeld>,
}

/// How much of a part is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartHeld {
    /// No report that names it has been taken in (yet).
    Unknown,
    /// So many bytes from the beginning on.
    Upto(u64),
    /// All, and its hash is right.
    Whole,
}

/// A chunk of a part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chunk {
    /// The part.
    pub part: Hash,
    /// Where in the part it begins.
    pub at: u64,
    /// Its bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// What is held of the part after a chunk. A chunk that does not begin where the held bytes end changes nothing; bytes
/// that turn out not to have the part's hash are thrown away, and the answer is `Upto(0)`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ChunkAnswer {
    /// How much.
    pub held: PartHeld,
}
