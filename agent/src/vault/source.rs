//! Where the data key comes from, the first that is there: `key_file` of the configuration, a credential of systemd's,
//! a passphrase, else a key file beside the data directory, which the agent makes itself before it seals anything.
//!
//! A key that is missing is never replaced by a new one where there is sealed data.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::cost::Cost;
use super::{Key, Vault, VaultError, files, passphrase, terminal};

/// The credential's name in `$CREDENTIALS_DIRECTORY`.
const CREDENTIAL_NAME: &str = "linewatch-agent.key";

/// `[vault]` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaultConfig {
    /// A file that holds the key.
    pub key_file: Option<PathBuf>,
    /// A file whose first line is the passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// Whether a passphrase is asked for at the terminal.
    pub passphrase: bool,
    /// The directory of systemd's credentials, from the environment.
    #[serde(skip)]
    pub credentials: Option<PathBuf>,
}

/// Where a key came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file that the configuration names.
    KeyFile(PathBuf),
    /// systemd's.
    Credential(PathBuf),
    /// A passphrase, by way of `vault.toml`.
    Passphrase,
    /// The file that the agent made beside its data.
    OwnKey(PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KeyFile(path) => write!(f, "the one in {} (key_file)", path.display()),
            Self::Credential(path) => write!(f, "the one in {} (systemd's credential)", path.display()),
            Self::Passphrase => f.write_str("the one in vault.toml, under the passphrase"),
            Self::OwnKey(path) => write!(f, "the one in {}", path.display()),
        }
    }
}

impl Source {
    /// The file that holds the key in the clear; none under a passphrase.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::KeyFile(path) | Self::Credential(path) | Self::OwnKey(path) => Some(path),
            Self::Passphrase => None,
        }
    }

    /// Whether users other than its owner may read the key's file.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        self.path().is_some_and(files::is_open_to_others)
    }
}

/// The key file that the agent makes for a data directory: beside it, so that neither alone is enough.
#[must_use]
pub fn own_key_path(data_dir: &Path) -> PathBuf {
    let whole = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_owned());
    let mut name: OsString = whole.into_os_string();
    name.push(".key");
    PathBuf::from(name)
}

/// Finds the key of a data directory that exists. `is_sealed`: whether there is sealed data in it.
///
/// # Errors
/// When a source that is configured cannot be read, or there is sealed data and no key.
pub fn find(data_dir: &Path, config: &VaultConfig, is_sealed: bool) -> Result<Vault, VaultError> {
    if let Some(path) = &config.key_file {
        let key = files::read_key(path)?.ok_or_else(|| VaultError::KeyFileMissing(path.clone()))?;
        return Vault::new(key, Source::KeyFile(path.clone()));
    }
    let credential = config.credentials.as_ref().map(|folder| folder.join(CREDENTIAL_NAME));
    if let Some(path) = &credential
        && let Some(key) = files::read_key(path)?
    {
        return Vault::new(key, Source::Credential(path.clone()));
    }
    // Held while it is looked and, where there is none, made: two processes must not make two keys.
    let _lock = files::lock(data_dir)?;
    if passphrase::exists(data_dir)? {
        let text = entered(config, "passphrase of the agent's data", false)?;
        return Vault::new(passphrase::unwrap(data_dir, &text)?, Source::Passphrase);
    }
    let own = own_key_path(data_dir);
    let found = files::read_key(&own)?;
    if is_sealed && found.is_none() {
        let mut looked = vec!["key_file in [vault]: not set".to_owned()];
        looked.push(credential.map_or_else(
            || "systemd's credential: none given".to_owned(),
            |path| path.display().to_string(),
        ));
        looked.push(passphrase::path(data_dir).display().to_string());
        looked.push(own.display().to_string());
        return Err(VaultError::NoKey(looked));
    }
    if config.passphrase || config.passphrase_file.is_some() {
        if is_sealed {
            return Err(VaultError::UnderOwnKey(own));
        }
        let text = entered(config, "new passphrase for the agent's data", true)?;
        let key = Key::random()?;
        passphrase::wrap(data_dir, &key, &text, Cost::NEW)?;
        return Vault::new(key, Source::Passphrase);
    }
    let key = match found {
        Some(key) => key,
        None => make_own(&own)?,
    };
    Vault::new(key, Source::OwnKey(own))
}

fn make_own(path: &Path) -> Result<Key, VaultError> {
    let key = Key::random()?;
    files::write_durably(path, key.bytes())
        .map_err(|source| VaultError::CannotMake { path: path.to_owned(), source })?;
    Ok(key)
}

fn entered(config: &VaultConfig, prompt: &str, twice: bool) -> Result<Zeroizing<String>, VaultError> {
    terminal::read_passphrase(config.passphrase_file.as_deref(), prompt, twice)
}

/// Puts the data key of an opened vault under a passphrase, replacing an earlier one; a key that the agent had made
/// beside its data is wiped afterwards.
///
/// # Errors
/// When the file cannot be written; then nothing has changed.
pub(crate) fn put_under(
    data_dir: &Path,
    vault: &Vault,
    passphrase: &str,
    cost: Cost,
) -> Result<(), VaultError> {
    let _lock = files::lock(data_dir)?;
    passphrase::wrap(data_dir, vault.root(), passphrase, cost)?;
    match vault.source() {
        Source::OwnKey(path) => files::wipe(path),
        _ => Ok(()),
    }
}
