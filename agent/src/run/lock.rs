//! One `run` for a data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

const FILE_NAME: &str = "run.lock";

/// Held while the agent runs; the system gives it back whatever becomes of the process.
pub struct RunLock {
    _file: File,
}

/// Takes the lock; none when another process has it.
///
/// # Errors
/// When the file cannot be opened.
pub fn take(data_dir: &Path) -> std::io::Result<Option<RunLock>> {
    let path = data_dir.join(FILE_NAME);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(RunLock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether an agent runs on this data directory.
#[must_use]
pub fn is_taken(data_dir: &Path) -> bool {
    let Ok(file) = File::open(data_dir.join(FILE_NAME)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
