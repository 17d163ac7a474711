//! Everything unsent as one sealed file, for carrying it to the server by another machine.
//!
//! ```text
//! "LINEWATCH-EXPORT\n"
//! u32 length | head (MessagePack, named: format = 2, salt, key: which one opens it)
//! chunks, see [`sealed`]; what is in them, one after the other:
//!   u32 length | header (MessagePack, named: epoch, agent, exported_at, count)
//!   count × ( u8 lane (1 fault, 2 desk, 3 summary) | u64 number | 32 bytes SHA-256 | u32 length | body )
//!   sections: ( u8 kind | u64 length | bytes ), the last of kind 0 and length 0
//! ```
//! Numbers are big-endian. Ids and bytes are those of the journal; an import keeps them, so a record that reaches the
//! server on two ways is stored once. Format 1 was the same in the clear, with a checksum at its end; it is still read.
//!
//! A section of kind 1 is a part of one of these reports ([`crate::field::carried`]). One of a kind that is not known is
//! refused with the whole file: a newer program wrote it. Drafts stay on their device.
//!
//! The key is the one that the agents of one server share ([`super::carry`]), or made of a passphrase.

mod head;
mod read;
mod sealed;
mod write;

use std::io;

use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::JournalError;
use crate::vault::VaultError;

pub use read::import;
pub use write::export;

const MAGIC: &[u8] = b"LINEWATCH-EXPORT\n";
/// The longest head and header, in bytes.
const HEADER_BYTES_MAX: usize = 4_096;
/// The kinds of sections: what ends a file, and a part.
const END: u8 = 0;
const PART: u8 = 1;

/// An export or import failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The passphrase.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The file is not one of ours, or is damaged.
    #[error("not a whole export file: {0}")]
    Format(String),
    /// There is nothing to seal it with.
    #[error(
        "this agent has no key that others know, as it has not met a server that gives one: seal the file with a passphrase (--passphrase-file FILE, or at a terminal)"
    )]
    NoKey,
    /// It was sealed with a key that is not known here.
    #[error(
        "the file is sealed with a key of another server, or with one that this agent has not been given yet: let it contact its server (`sync`), or export with --passphrase-file"
    )]
    UnknownKey,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    epoch: u64,
    /// The exporting agent's name; empty before enrolment.
    agent: String,
    exported_at: UnixMs,
    count: u64,
}

/// What an export holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records.
    pub records: u64,
    /// Photos and signatures of them.
    pub parts: u64,
}

/// What an import found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The exporting agent's name.
    pub agent: String,
    /// Records that are new here.
    pub added: u64,
    /// Records that were here already.
    pub skipped: u64,
    /// Photos and signatures that are new here.
    pub parts: u64,
}

fn format(text: &str) -> ExportError {
    ExportError::Format(text.to_owned())
}

/// A read that ended too early, or what the seal says.
fn cut(error: io::Error) -> ExportError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => format("it is cut off"),
        io::ErrorKind::InvalidData => ExportError::Format(error.to_string()),
        _ => ExportError::Io(error),
    }
}
