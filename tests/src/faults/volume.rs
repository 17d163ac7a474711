//! A mounted [`Disk`]: a laptop's. It can stop, lose what was not synced, be imaged and be put back.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fuser::{BackgroundSession, Config, MountOption, Session};

use super::disk::{Cut, Damage, Disk, Manners};
use super::fuse::Served;
use super::gate::Gate;
use crate::harness::{Seed, eventually};

/// What the mounts are called in the kernel's list; the process id follows.
const NAME: &str = "linewatch-faults-";
/// How long a mount may be busy after the last process has gone.
const BUSY: Duration = Duration::from_secs(5);

/// Whether this machine can mount such a disk; says what is missing.
///
/// # Errors
/// When it cannot.
pub fn check() -> Result<()> {
    if !Path::new("/dev/fuse").exists() {
        bail!("there is no /dev/fuse: power cuts and full disks cannot be played (modprobe fuse)");
    }
    if !nix::unistd::geteuid().is_root() {
        bail!("only root can mount the disks on which power cuts are played");
    }
    remove_leftovers()
}

/// Unmounts what killed runs have left behind.
fn remove_leftovers() -> Result<()> {
    for line in std::fs::read_to_string("/proc/mounts")?.lines() {
        let mut words = line.split(' ');
        let (source, place) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let Some(pid) = source.strip_prefix(NAME) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            Command::new("umount").args(["--lazy", place]).status().context("umount")?;
        }
    }
    Ok(())
}

/// The disk of one laptop.
pub struct Volume {
    place: PathBuf,
    disk: Arc<Mutex<Disk>>,
    gate: Arc<Gate>,
    session: Option<BackgroundSession>,
    chance: Seed,
}

impl Volume {
    /// Mounts an empty disk, or an image, at a folder.
    ///
    /// # Errors
    /// When it cannot be mounted.
    pub fn new(place: &Path, disk: Disk, chance: Seed) -> Result<Self> {
        std::fs::create_dir_all(place)?;
        let disk = Arc::new(Mutex::new(disk));
        let mut volume =
            Self { place: place.to_owned(), disk, gate: Arc::new(Gate::default()), session: None, chance };
        volume.mount()?;
        Ok(volume)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// What its changes pass.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The disk itself.
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mount(&mut self) -> Result<()> {
        self.gate.open();
        let chance = Seed::of(self.chance.draw());
        let served =
            Served { disk: Arc::clone(&self.disk), gate: Arc::clone(&self.gate), chance: Mutex::new(chance) };
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName(format!("{NAME}{}", std::process::id()))];
        let session = Session::new(served, &self.place, &config);
        let session = session.with_context(|| format!("mount {}", self.place.display()))?;
        self.session = Some(session.spawn()?);
        Ok(())
    }

    fn unmount(&mut self) -> Result<()> {
        self.gate.release();
        let Some(session) = self.session.take() else { return Ok(()) };
        if session.umount_and_join().is_ok() {
            return Ok(());
        }
        // The last process has only just gone. The disk's server ends with the mount.
        eventually(BUSY, "the disk can be unmounted", || umount(&self.place).map(Some))
    }

    /// Ends this life of the disk and begins the next one. Every process that had files on it must be dead.
    ///
    /// # Errors
    /// When it cannot be unmounted or mounted.
    pub fn restart(&mut self, cut: Cut<'_>) -> Result<Damage> {
        self.gate.freeze_now();
        self.unmount()?;
        let (found, damage) = self.disk().cut(cut);
        *self.disk() = found;
        self.mount()?;
        Ok(damage)
    }

    /// The disk as it is, as if it had been shut down in order.
    #[must_use]
    pub fn image(&self) -> Disk {
        let mut image = self.disk().clone();
        image.sync_all();
        image
    }

    /// Puts an image in the disk's place. Every process that had files on it must be dead.
    ///
    /// # Errors
    /// When it cannot be unmounted or mounted.
    pub fn put_back(&mut self, image: Disk) -> Result<()> {
        self.unmount()?;
        *self.disk() = image;
        self.mount()
    }

    /// Changes how the disk keeps its word.
    pub fn behave(&self, manners: Manners) {
        self.disk().behave(manners);
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // A mount that stays is found by the next run.
        let _ = self.unmount();
    }
}

fn umount(place: &Path) -> Result<()> {
    let ran = Command::new("umount").arg(place).output().context("umount")?;
    let said = String::from_utf8_lossy(&ran.stderr);
    if ran.status.success() || said.contains("not mounted") { Ok(()) } else { bail!("{said}") }
}
