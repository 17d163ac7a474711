//! Private folders and free ports.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

/// Ports below those that the kernel gives to outgoing connections.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
/// Ports tried before giving up.
const TRIES_MAX: usize = 200;
/// What folders' names begin with; the process id follows.
const PREFIX: &str = "linewatch-story-";
/// Where files are in memory alone.
const MEMORY: &str = "/dev/shm";
/// Room that must be there for it to be used.
const MEMORY_BYTES_MIN: u64 = 2 << 30;
/// Lines of each log that are shown when a story fails.
const LOG_LINES_SHOWN: usize = 40;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A folder that is removed at the end. When the story fails, the ends of the logs in it are printed.
pub struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    /// An empty folder. Those that killed processes have left behind are removed.
    ///
    /// # Errors
    /// When there is no room.
    pub fn new() -> Result<Self> {
        remove_leftovers();
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let dir = tempfile::Builder::new().prefix(&prefix).tempdir().context("a temporary folder")?;
        Ok(Self { dir })
    }

    /// An empty folder in memory, where the machine has such a place with room: for what writes much, and need not
    /// outlive the machine.
    ///
    /// # Errors
    /// When there is no room.
    pub fn in_memory() -> Result<Self> {
        let room = nix::sys::statvfs::statvfs(MEMORY);
        let free = room.map_or(0, |room| room.blocks_available() * room.fragment_size());
        if free < MEMORY_BYTES_MIN {
            return Self::new();
        }
        remove_leftovers();
        let prefix = format!("{PREFIX}{}-", std::process::id());
        match tempfile::Builder::new().prefix(&prefix).tempdir_in(MEMORY) {
            Ok(dir) => Ok(Self { dir }),
            Err(_) => Self::new(),
        }
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A folder in it, made as needed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn sub(&self, name: &str) -> Result<PathBuf> {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    /// Copies every log in it to another folder, for a person to look at.
    ///
    /// # Errors
    /// When the other folder cannot be written.
    pub fn copy_logs(&self, to: &Path) -> Result<()> {
        std::fs::create_dir_all(to).with_context(|| to.display().to_string())?;
        let mut logs = Vec::new();
        find_logs(self.dir.path(), &mut logs);
        for log in logs {
            std::fs::copy(&log, to.join(log.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    fn show_logs(&self) {
        let mut out = std::io::stderr().lock();
        let mut logs = Vec::new();
        find_logs(self.dir.path(), &mut logs);
        for log in logs {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
            // With standard error gone there is nobody left to tell.
            let _ =
                writeln!(out, "--- {} ({} lines)\n{}", log.display(), lines.len(), lines[from..].join("\n"));
        }
    }
}

/// Removes the folders of processes that are no more.
fn remove_leftovers() {
    let places = [std::env::temp_dir(), PathBuf::from(MEMORY)];
    let entries = places.iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str());
        let rest = name.and_then(|name| name.strip_prefix(PREFIX));
        let pid = rest.and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // It may belong to another user.
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

fn find_logs(dir: &Path, logs: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            find_logs(&path, logs);
        } else if path.extension().is_some_and(|extension| extension == "log") {
            logs.push(path);
        }
    }
}

/// Plays a story in a folder of its own; when it fails the ends of its logs are printed.
///
/// # Panics
/// When the story fails.
pub fn story(play: impl FnOnce(&Folder) -> Result<()>) {
    let folder = match Folder::new() {
        Ok(folder) => folder,
        Err(error) => panic!("{error:#}"),
    };
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(&folder)));
    if !matches!(played, Ok(Ok(()))) {
        folder.show_logs();
    }
    drop(folder);
    match played {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error:#}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// A TCP port that nobody has on `ip`, and that was not given out before by this process.
///
/// # Errors
/// When none is found.
pub fn free_port(ip: IpAddr) -> Result<u16> {
    for _ in 0..TRIES_MAX {
        let span = u32::from(PORTS.end - PORTS.start);
        let at = uuid::Uuid::new_v4().as_fields().0 % span;
        let port = PORTS.start + u16::try_from(at).unwrap_or(0);
        if TcpListener::bind((ip, port)).is_ok()
            && GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port)
        {
            return Ok(port);
        }
    }
    bail!("no free port on {ip}")
}
