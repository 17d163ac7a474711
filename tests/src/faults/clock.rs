//! A laptop's wall clock that can be set wrong, and stepped while programs run, by `libfaketime`. Its other clocks
//! run on, as they do when somebody sets the date.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Where Debian puts it, by architecture.
const LIBRARY: &str = "faketime/libfaketime.so.1";

/// The clock of one laptop.
#[derive(Debug)]
pub struct WrongClock {
    library: PathBuf,
    file: PathBuf,
    offset_s: i64,
}

/// Finds the library.
///
/// # Errors
/// Says how to install it.
pub fn library() -> Result<PathBuf> {
    let places = std::fs::read_dir("/usr/lib")?.flatten().map(|entry| entry.path().join(LIBRARY));
    let found = places.chain([Path::new("/usr/lib").join(LIBRARY)]).find(|path| path.exists());
    let Some(found) = found else { bail!("libfaketime is missing: scripts/setup.sh faults installs it") };
    Ok(found)
}

impl WrongClock {
    /// A right clock, kept in a file.
    ///
    /// # Errors
    /// When the library is missing, or the file cannot be written.
    pub fn new(file: &Path) -> Result<Self> {
        let mut clock = Self { library: library()?, file: file.to_owned(), offset_s: 0 };
        clock.step(0)?;
        Ok(clock)
    }

    /// Sets how far it is ahead. Programs that run see it at once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn step(&mut self, offset_s: i64) -> Result<()> {
        self.offset_s = offset_s;
        // Replaced whole: a program may be reading it.
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, format!("{offset_s:+}\n"))?;
        std::fs::rename(&fresh, &self.file).with_context(|| self.file.display().to_string())
    }

    /// How far it is ahead.
    #[must_use]
    pub const fn offset_s(&self) -> i64 {
        self.offset_s
    }

    /// What `env` is told so that a program has this clock.
    #[must_use]
    pub fn environment(&self) -> Vec<String> {
        vec![
            format!("LD_PRELOAD={}", self.library.display()),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.file.display()),
            "FAKETIME_NO_CACHE=1".to_owned(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
            "NO_FAKE_STAT=1".to_owned(),
        ]
    }
}
