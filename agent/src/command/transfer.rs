//! `export` and `import`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::{open_journal, reader, refuse_locked};
use crate::config::Config;
use crate::enroll::Identity;
use crate::vault::{VaultError, read_passphrase};
use crate::{journal, out};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write
    pub file: PathBuf,
    /// Seal it with the passphrase in this file, not with the key that the agents of one server share
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file to take in
    pub file: PathBuf,
    /// The passphrase that it is sealed with, if it is
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Writes everything unsent, sealed.
///
/// # Errors
/// When the journal cannot be read or the file not be written.
pub fn export_to(config: &Config, args: &ExportArgs) -> anyhow::Result<()> {
    let Some(db) = reader(config)? else { bail!("there is no journal yet: nothing to export") };
    refuse_locked(&db)?;
    let is_passphrase = args.passphrase_file.is_some() || journal::carry::keys(&db)?.is_empty();
    let passphrase = if is_passphrase {
        // Nobody to ask: the reason is that there is no other key.
        let asked = read_passphrase(args.passphrase_file.as_deref(), "passphrase for the file", true);
        match asked {
            Err(VaultError::PassphraseNeeded) => None,
            other => Some(other?),
        }
    } else {
        None
    };
    let name = Identity::load(&config.data_dir)?.map(|identity| identity.name).unwrap_or_default();
    let now = super::scribe()?.now();
    let exported =
        journal::export(&db, &name, now, &args.file, passphrase.as_ref().map(|text| text.as_str()))?;
    let with = if is_passphrase { "with the passphrase" } else { "for agents of the same server" };
    let (records, file) = (out::records(exported.records), args.file.display());
    out::line(&format!("{records}{} written to {file}, sealed {with}", pictures(exported.parts)))?;
    Ok(())
}

/// Takes in an export.
///
/// # Errors
/// When the file is damaged, or the journal cannot be written.
pub fn import_from(config: &Config, args: &ImportArgs) -> anyhow::Result<()> {
    let journal = open_journal(config)?;
    journal.read_blocking(|db| Ok(refuse_locked(db)))??;
    let ask = || {
        read_passphrase(args.passphrase_file.as_deref(), "passphrase of the file", false).map_err(|error| {
            match error {
                VaultError::PassphraseNeeded => VaultError::FilePassphraseNeeded,
                other => other,
            }
        })
    };
    let imported = journal::import(&journal, &args.file, ask)?;
    let from = if imported.agent.is_empty() { String::new() } else { format!(" of {}", imported.agent) };
    let added = out::records(imported.added);
    let parts = pictures(imported.parts);
    out::line(&format!("{added}{from}{parts} taken in, {} here already", imported.skipped))?;
    Ok(())
}

/// So many photos and signatures, where there are any.
fn pictures(count: u64) -> String {
    match count {
        0 => String::new(),
        1 => " with 1 picture".to_owned(),
        count => format!(" with {count} pictures"),
    }
}
