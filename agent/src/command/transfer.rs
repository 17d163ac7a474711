//! `export` and `import`.

use std::path::PathBuf;

use clap::Args;

use super::{open_journal, reader};
use crate::config::Config;
use crate::enroll::Identity;
use crate::{journal, out};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write
    pub file: PathBuf,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file to take in
    pub file: PathBuf,
}

/// Writes everything unsent.
///
/// # Errors
/// When the journal cannot be read or the file not be written.
pub fn export_to(config: &Config, args: &ExportArgs) -> anyhow::Result<()> {
    let Some(db) = reader(config)? else { anyhow::bail!("there is no journal yet: nothing to export") };
    let name = Identity::load(&config.data_dir)?.map(|identity| identity.name).unwrap_or_default();
    let now = super::scribe()?.now();
    let count = journal::export(&db, &name, now, &args.file)?;
    out::line(&format!("{} written to {}", out::records(count), args.file.display()))?;
    Ok(())
}

/// Takes in an export.
///
/// # Errors
/// When the file is damaged, or the journal cannot be written.
pub fn import_from(config: &Config, args: &ImportArgs) -> anyhow::Result<()> {
    let journal = open_journal(config)?;
    let imported = journal::import(&journal, &args.file)?;
    let from = if imported.agent.is_empty() { String::new() } else { format!(" of {}", imported.agent) };
    let added = out::records(imported.added);
    out::line(&format!("{added}{from} taken in, {} here already", imported.skipped))?;
    Ok(())
}
