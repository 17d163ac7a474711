//! Key files: 32 raw bytes or 64 hexadecimal digits. Written durably before anything depends on them.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KEY_BYTES, Key, VaultError};

/// What is read of a key file, in bytes: the hexadecimal form with a line's end, and one more to see that it is longer.
const READ_BYTES_MAX: u64 = 2 * KEY_BYTES as u64 + 3;
/// The lock under which keys are made, in the data directory.
const LOCK_NAME: &str = "vault.lock";

/// Reads a key; none when there is no such file.
pub(super) fn read_key(path: &Path) -> Result<Option<Key>, VaultError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(VaultError::File { path: path.to_owned(), cause }),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(READ_BYTES_MAX as usize));
    file.take(READ_BYTES_MAX).read_to_end(&mut bytes).map_err(VaultError::file(path))?;
    let mut key = Key::new([0; KEY_BYTES]);
    if bytes.len() == KEY_BYTES {
        key.0.copy_from_slice(&bytes);
        return Ok(Some(key));
    }
    let wrong = || VaultError::NotAKey(path.to_owned());
    hex::decode_to_slice(bytes.trim_ascii(), &mut key.0[..]).map_err(|_| wrong())?;
    Ok(Some(key))
}

/// Whether others than its owner may read a file.
pub(super) fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

/// Writes a file of its owner's only, whole or not at all: it is on the disk, and so is its name, when this returns.
///
/// # Errors
/// When it cannot be written; then what was there stays.
pub fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    if let Err(error) = fs::remove_file(&part)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(bytes)?;
        leave_owner(&file, path, folder);
        file.sync_all()?;
        fs::rename(&part, path)?;
        File::open(folder)?.sync_all()
    };
    write().inspect_err(|_| _ = fs::remove_file(&part))
}

/// A command that root runs leaves the agent's files to the agent's own user, as `SQLite` does.
fn leave_owner(file: &File, path: &Path, folder: &Path) {
    let owner = fs::metadata(path).or_else(|_| fs::metadata(folder));
    if let (Ok(owner), Ok(own)) = (owner, file.metadata())
        && owner.uid() != own.uid()
    {
        // Whoever is not root may not, and need not.
        drop(fchown(file, Some(owner.uid()), Some(owner.gid())));
    }
}

/// Takes away a file that held a key: overwritten first. A disk may keep older blocks all the same.
pub(super) fn wipe(path: &Path) -> Result<(), VaultError> {
    let wipe = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(&[0; 2 * KEY_BYTES])?;
        file.sync_all()?;
        fs::remove_file(path)
    };
    wipe().map_err(VaultError::file(path))
}

/// Keeps other processes from making a key at the same time, until it is dropped.
pub(super) fn lock(data_dir: &Path) -> Result<File, VaultError> {
    let path = data_dir.join(LOCK_NAME);
    let take = || -> std::io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    take().map_err(VaultError::file(&path))
}
