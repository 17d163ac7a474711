//! What can go wrong with the journal.

use std::path::PathBuf;

/// A journal operation failed; nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// `SQLite` refused.
    #[error("journal: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A file beside the database.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database was written by a newer program.
    #[error(
        "the journal is of version {found}, this program knows versions up to {known}: install the newer program"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// The database was written by an older program.
    #[error(
        "the journal is of version {found}, this program writes version {known}: open it for writing once"
    )]
    Older {
        /// The version found.
        found: i64,
        /// The one in use.
        known: i64,
    },
    /// The key of what is sealed in it.
    #[error(transparent)]
    Vault(#[from] crate::vault::VaultError),
    /// The disk is full, and thinning summaries did not make enough room.
    #[error("the disk is full: nothing was saved")]
    DiskFull,
    /// A record is longer than the protocol allows.
    #[error("a record of {0} bytes is longer than the bound of {max}", max = linewatch_shared::wire::BODY_BYTES_MAX)]
    TooLong(usize),
    /// A record could not be encoded.
    #[error("a record could not be encoded: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
    /// The database holds something that this program did not write.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// The group of writes that this one shared a commit with failed.
    #[error("journal: the commit failed: {0}")]
    Commit(String),
    /// The writer has ended.
    #[error("the journal is closed")]
    Closed,
}

impl JournalError {
    /// Whether the disk (or the database's allowed size) is used up.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::DiskFull => true,
            // The file that processes share beside the log is the first to find no room.
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                error.code == rusqlite::ErrorCode::DiskFull
                    || error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
            }
            Self::File { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}
