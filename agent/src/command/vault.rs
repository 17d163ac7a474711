//! `vault show|passphrase`: where the key of the data is, and putting it under a passphrase.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{JsonArgs, open_journal};
use crate::config::Config;
use crate::out;
use crate::vault::{Cost, Source, put_under, read_passphrase};

/// What to do with the key.
#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// Say where the key comes from that the data is sealed with
    Show(JsonArgs),
    /// Put the key under a passphrase, or under another one; what is sealed stays as it is
    Passphrase(PassphraseArgs),
}

/// Arguments of `vault passphrase`.
#[derive(Debug, Args)]
pub struct PassphraseArgs {
    /// The file with the new passphrase in its first line [default: asked at the terminal]
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Shown {
    source: &'static str,
    path: Option<PathBuf>,
    open_to_others: bool,
}

/// Runs a command about the key.
///
/// # Errors
/// With one clear line.
pub fn execute(config: &Config, command: VaultCommand) -> anyhow::Result<()> {
    match command {
        VaultCommand::Show(args) => show(config, args),
        VaultCommand::Passphrase(args) => passphrase(config, &args),
    }
}

/// The name of a source in JSON.
const fn name(source: &Source) -> &'static str {
    match source {
        Source::KeyFile(_) => "key_file",
        Source::Credential(_) => "credential",
        Source::Passphrase => "passphrase",
        Source::OwnKey(_) => "own_key",
    }
}

fn show(config: &Config, args: JsonArgs) -> anyhow::Result<()> {
    // Opened, so that what is shown is the key that fits.
    let journal = open_journal(config)?;
    let source = journal.vault().source();
    if args.json {
        let path = source.path().map(PathBuf::from);
        out::json(&Shown { source: name(source), path, open_to_others: source.is_open_to_others() })?;
        return Ok(());
    }
    out::line(&format!("the data is sealed; its key is {source}"))?;
    Ok(())
}

fn passphrase(config: &Config, args: &PassphraseArgs) -> anyhow::Result<()> {
    let journal = open_journal(config)?;
    let vault = journal.vault();
    if let Source::KeyFile(path) | Source::Credential(path) = vault.source() {
        bail!(
            "the key comes from {}, which goes before any passphrase: take that out of the configuration first",
            path.display()
        );
    }
    let file = args.new_passphrase_file.as_deref();
    let text = read_passphrase(file, "new passphrase for the agent's data", true)?;
    put_under(&config.data_dir, vault, &text, Cost::NEW)?;
    out::line(
        "the key is under the passphrase; name its file by passphrase_file in [vault], or be asked with passphrase = true",
    )?;
    Ok(())
}
