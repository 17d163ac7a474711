//! `linewatch-server calls`: the telephone system's export is imported.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::{Desk, out};
use crate::app::calls::{Columns, import};
use crate::app::import::{FILE_BYTES_MAX, ImportError};

/// The export, and which columns say what.
#[derive(Debug, Args)]
pub(super) struct CallsArgs {
    /// The file: UTF-8 CSV or a workbook's first sheet, with a header line.
    file: PathBuf,
    /// The column of the day, where each row is a day.
    #[arg(long, value_name = "COLUMN", default_value = "day")]
    day: String,
    /// The column of the calls that came in.
    #[arg(long, value_name = "COLUMN", default_value = "offered")]
    offered: String,
    /// The column of the calls that were answered.
    #[arg(long, value_name = "COLUMN", default_value = "answered")]
    answered: String,
    /// The column of the calls that were answered within 20 seconds.
    #[arg(long = "within-20s", value_name = "COLUMN", default_value = "within_20s")]
    within_20s: String,
    /// Where each row is a call: the column of the time at which it came in.
    #[arg(long, value_name = "COLUMN", requires = "waited")]
    started: Option<String>,
    /// Where each row is a call: the column of the seconds until it was answered, empty where it was not.
    #[arg(long, value_name = "COLUMN", requires = "started")]
    waited: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(desk: &Desk, args: CallsArgs) -> anyhow::Result<()> {
    let CallsArgs { file, day, offered, answered, within_20s, started, waited, dry_run, json } = args;
    let columns = match started.zip(waited) {
        Some((started, waited)) => Columns::Calls { started, waited },
        None => Columns::Days { day, offered, answered, within_20s },
    };
    match import(&desk.db, &bytes(&file)?, &columns, dry_run, desk.now()).await {
        Ok(done) if json => out::json(&done),
        Ok(done) => {
            let verb = if dry_run { "would be " } else { "" };
            let (created, changed) = (done.created.len(), done.changed.len());
            out::line(format_args!(
                "days: {created} {verb}created, {changed} {verb}changed, {} unchanged",
                done.unchanged
            ));
            Ok(())
        }
        Err(ImportError::Mistakes(mistakes)) => {
            if json {
                out::json(&serde_json::json!({ "mistakes": mistakes }))?;
            } else {
                for mistake in &mistakes {
                    out::line(format_args!("{}: {mistake}", file.display()));
                }
            }
            bail!("{} rows with mistakes in {}; nothing was imported", mistakes.len(), file.display())
        }
        Err(ImportError::App(error)) => Err(error.into()),
    }
}

fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let size = std::fs::metadata(file).with_context(|| file.display().to_string())?.len();
    if size > FILE_BYTES_MAX {
        bail!("{}: larger than {FILE_BYTES_MAX} bytes; split it", file.display());
    }
    std::fs::read(file).with_context(|| file.display().to_string())
}
