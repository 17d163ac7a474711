//! The agent's generation: a small secret that the server turns on with each hello. The newest that is stored is shown with
//! each request; a copy of the disk falls behind, and is noticed.
//!
//! It is read from its file for each request: another process of this device may have gone on meanwhile. One that could not
//! be stored durably is never shown, for after a power cut the older one would be back.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use linewatch_shared::wire::Generation;

use crate::vault::write_durably;

/// The file in the data directory.
const FILE_NAME: &str = "identity.generation";
/// What is read of it, in bytes.
const BYTES_MAX: usize = 256;

/// Where the generation is kept.
#[derive(Clone, Debug)]
pub struct Generations {
    path: PathBuf,
    doubt: Arc<Mutex<Doubt>>,
}

/// Whether it is certain what is in the file.
#[derive(Debug, Default)]
enum Doubt {
    #[default]
    None,
    /// It is not: this is what was there for certain.
    Before(Option<Vec<u8>>),
}

impl Generations {
    /// In this data directory.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self { path: data_dir.join(FILE_NAME), doubt: Arc::default() }
    }

    fn stored(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(&self.path) {
            Ok(bytes) if bytes.len() <= BYTES_MAX => Ok(Some(bytes)),
            Ok(_) => Err(io::Error::new(ErrorKind::InvalidData, "too long")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What to show; none before the server has given any.
    ///
    /// # Errors
    /// When the file cannot be read: nothing may be asked then, for showing none is what a copy would do.
    pub fn newest(&self) -> io::Result<Option<Vec<u8>>> {
        match &*self.doubt.lock().unwrap_or_else(PoisonError::into_inner) {
            Doubt::None => self.stored(),
            Doubt::Before(certain) => Ok(certain.clone()),
        }
    }

    /// Stores the next one. Where that fails the one before it goes on: the server hands the next one out again.
    pub fn keep(&self, next: &Generation) {
        let Ok(before) = self.newest() else { return };
        if before.as_deref() == Some(&next.0) || next.0.len() > BYTES_MAX {
            return;
        }
        let written = write_durably(&self.path, &next.0);
        let mut doubt = self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        *doubt = match written {
            Ok(()) => Doubt::None,
            Err(error) => {
                tracing::warn!(%error, path = %self.path.display(), "not stored; the one before it goes on");
                Doubt::Before(before)
            }
        };
    }

    /// A new enrolment begins anew.
    pub fn forget(&self) {
        drop(fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_durable_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let ours = Generations::of(dir.path());
        assert_eq!(ours.newest().unwrap(), None);
        ours.keep(&Generation(vec![1]));
        assert_eq!(ours.newest().unwrap(), Some(vec![1]));
        // Another process of this device goes on.
        Generations::of(dir.path()).keep(&Generation(vec![2]));
        assert_eq!(ours.newest().unwrap(), Some(vec![2]));
        // The disk fails, after the file was replaced or before.
        let part = dir.path().join("identity.generation.part");
        fs::create_dir(&part).unwrap();
        ours.keep(&Generation(vec![3]));
        fs::write(dir.path().join(FILE_NAME), [3]).unwrap();
        assert_eq!(ours.newest().unwrap(), Some(vec![2]));
        fs::remove_dir(&part).unwrap();
        ours.keep(&Generation(vec![3]));
        assert_eq!(ours.newest().unwrap(), Some(vec![3]));
        ours.keep(&Generation(vec![9; BYTES_MAX + 1]));
        assert_eq!(ours.newest().unwrap(), Some(vec![3]));
        ours.forget();
        assert_eq!(ours.newest().unwrap(), None);
        // What cannot be read is not taken for none.
        fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
        assert!(ours.newest().is_err());
        ours.keep(&Generation(vec![4]));
        assert!(ours.newest().is_err());
    }
}
