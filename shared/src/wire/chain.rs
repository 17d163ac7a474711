//! Hash chains: both sides prove with 32 bytes that they hold the same records in the same order.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The hash of one record's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hash(#[serde(with = "serde_bytes")] pub [u8; 32]);

/// The hash over all records of a lane up to a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chain(#[serde(with = "serde_bytes")] pub [u8; 32]);

/// The hash of a record's bytes.
#[must_use]
pub fn record_hash(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

impl Chain {
    /// The chain before the first record.
    pub const START: Self = Self([0; 32]);

    /// The chain after one more record.
    #[must_use]
    pub fn after(self, record: Hash) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(record.0).finalize().into())
    }

    /// Reads a stored chain.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl Hash {
    /// Reads a stored hash.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

macro_rules! debug_as_hex {
    ($type:ident) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($type), hex::encode(&self.0[..6]))
            }
        }
    };
}
debug_as_hex!(Hash);
debug_as_hex!(Chain);
