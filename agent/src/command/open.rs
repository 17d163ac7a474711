//! What commands open: the clocks, the key, the journal.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use linewatch_shared::time::Clock;

use crate::clock::{BootClock, boot_id};
use crate::config::Config;
use crate::enroll::Identity;
use crate::journal::{self, FILE_NAME, Journal, JournalError, Scribe, open_reader, open_vault};
use crate::out;
use crate::vault::{Vault, VaultConfig};

/// This device's clocks, ready to write with.
///
/// # Errors
/// When the system does not name its boot.
pub fn scribe() -> anyhow::Result<Scribe> {
    let boot = boot_id().context("the system does not name its boot")?;
    Ok(Scribe::new(Arc::new(BootClock) as Arc<dyn Clock>, boot))
}

/// Opens the journal for writing, creating the data directory.
///
/// # Errors
/// When the directory or the database cannot be used.
pub fn open_journal(config: &Config) -> anyhow::Result<Journal> {
    let dir = &config.data_dir;
    std::fs::create_dir_all(dir).with_context(|| format!("data_dir {}", dir.display()))?;
    let open = || Journal::open_with(dir, &find_vault(config)?, scribe()?).map_err(anyhow::Error::from);
    let journal = open().with_context(|| dir.join(FILE_NAME).display().to_string())?;
    if let Err(error) = Identity::seal_stored(dir, journal.vault()) {
        tracing::warn!(%error, "the private key is not sealed");
    }
    Ok(journal)
}

/// What the data of this agent is sealed with. Its directory exists.
///
/// # Errors
/// When there is no key, and none may be made.
pub fn find_vault(config: &Config) -> anyhow::Result<Vault> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let config_vault = VaultConfig { credentials, ..config.vault.clone() };
    Ok(open_vault(&config.data_dir, &config_vault)?)
}

/// Opens the journal for reading; none when nothing was ever written.
///
/// # Errors
/// When it is there but cannot be read.
pub fn reader(config: &Config) -> anyhow::Result<Option<rusqlite::Connection>> {
    if !config.data_dir.join(FILE_NAME).exists() {
        return Ok(None);
    }
    let dir = &config.data_dir;
    let read = || -> anyhow::Result<rusqlite::Connection> {
        let vault = find_vault(config)?;
        match open_reader(dir, &vault) {
            Err(JournalError::Older { .. }) => {
                // The first command after an upgrade: the journal is brought to this version first.
                drop(Journal::open_with(dir, &vault, scribe()?)?);
                Ok(open_reader(dir, &vault)?)
            }
            opened => Ok(opened?),
        }
    };
    read().map(Some).with_context(|| config.data_dir.join(FILE_NAME).display().to_string())
}

/// Refuses to show or take in anything of people's on a device that the server has revoked.
///
/// # Errors
/// While it is locked.
pub fn refuse_locked(db: &rusqlite::Connection) -> anyhow::Result<()> {
    let Some(since) = journal::locked(db)? else { return Ok(()) };
    bail!(
        "this device is locked since {}, because the server has revoked it: what is here is kept, and neither shown nor \
         added to, until it is enrolled again (`linewatch-agent enroll URL --token TOKEN --force`)",
        out::local(since)
    );
}
