//! `vault.toml`: the data key, wrapped by a key that a passphrase makes. Another passphrase wraps it anew; what is
//! sealed stays as it is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::cost::{self, Cost, SALT_BYTES, stretch};
use super::files::write_durably;
use super::{KEY_BYTES, Key, Source, Vault, VaultError};

/// The file's name in the data directory.
pub(super) const FILE_NAME: &str = "vault.toml";
/// What the data key is sealed as.
const PURPOSE: &str = "data key";
const VERSION: u32 = 1;
/// The longest file, in bytes.
const FILE_BYTES_MAX: u64 = 4_096;
const HEAD: &str = "# The key of this agent's data, wrapped by its passphrase. Without this file the passphrase opens nothing:\n\
                    # it belongs into every backup of this directory.\n";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    salt: String,
    memory_kib: u32,
    passes: u32,
    wrapped: String,
}

/// Where it is kept.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

fn wrapper(passphrase: &str, salt: &[u8], cost: Cost) -> Result<Vault, VaultError> {
    Vault::new(stretch(passphrase, salt, cost)?, Source::Passphrase)
}

/// Wraps a data key, replacing what was there.
pub(super) fn wrap(data_dir: &Path, key: &Key, passphrase: &str, cost: Cost) -> Result<(), VaultError> {
    cost::check(passphrase)?;
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| VaultError::Random(error.to_string()))?;
    let wrapped = wrapper(passphrase, &salt, cost)?.seal(PURPOSE, key.bytes())?;
    let stored = Stored {
        version: VERSION,
        salt: hex::encode(salt),
        memory_kib: cost.memory_kib,
        passes: cost.passes,
        wrapped: hex::encode(wrapped),
    };
    let path = path(data_dir);
    let text = toml::to_string(&stored)
        .map_err(|error| VaultError::Toml { path: path.clone(), reason: error.to_string() })?;
    write_durably(&path, format!("{HEAD}{text}").as_bytes()).map_err(VaultError::file(&path))
}

/// Whether the data key is wrapped here.
pub(super) fn exists(data_dir: &Path) -> Result<bool, VaultError> {
    let path = path(data_dir);
    path.try_exists().map_err(VaultError::file(&path))
}

/// The data key.
pub(super) fn unwrap(data_dir: &Path, passphrase: &str) -> Result<Key, VaultError> {
    let path = path(data_dir);
    let wrong = |reason: String| VaultError::Toml { path: path.clone(), reason };
    let size = fs::metadata(&path).map_err(VaultError::file(&path))?.len();
    if size > FILE_BYTES_MAX {
        return Err(wrong(format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(&path).map_err(VaultError::file(&path))?;
    let stored: Stored = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
    if stored.version != VERSION {
        return Err(wrong(format!("version {} is not known to this program", stored.version)));
    }
    let salt = hex::decode(&stored.salt).map_err(|error| wrong(format!("salt: {error}")))?;
    let wrapped = hex::decode(&stored.wrapped).map_err(|error| wrong(format!("wrapped: {error}")))?;
    let cost = Cost { memory_kib: stored.memory_kib, passes: stored.passes };
    let opener =
        wrapper(passphrase, &salt, cost).map_err(|_| wrong("its parameters are out of bounds".to_owned()))?;
    let plain = Zeroizing::new(opener.unseal(PURPOSE, &wrapped).map_err(|_| VaultError::WrongPassphrase)?);
    let bytes: [u8; KEY_BYTES] =
        plain.as_slice().try_into().map_err(|_| wrong("the key has another length".to_owned()))?;
    Ok(Key::new(bytes))
}

/// Reads a passphrase from a file: its first line.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, VaultError> {
    let size = fs::metadata(path).map_err(VaultError::file(path))?.len();
    if size > FILE_BYTES_MAX {
        let source = std::io::Error::new(ErrorKind::InvalidData, "too long for a passphrase");
        return Err(VaultError::File { path: path.to_owned(), source });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(VaultError::file(path))?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
