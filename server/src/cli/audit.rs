//! `linewatch-server audit`: whether the audit trail is whole, and what leaves of it.

use std::fs::File;
use std::io::{BufReader, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};

use super::{Desk, out};
use crate::app::trail::anchors::{self, Anchor};
use crate::app::trail::export::{self, Form};
use crate::app::trail::verify::{self, Verdict};
use crate::app::trail::{self};
use crate::app::users::COMMAND;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check the whole trail against itself and its anchors; 1 when it is broken, with the first entry and how.
    Verify {
        /// An export (JSON lines) in place of the database.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Anchors that were kept elsewhere, beside those of this installation; may be given several times.
        #[arg(long, value_name = "FILE")]
        anchors: Vec<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the whole trail into a file, with its hashes; that is an entry itself.
    Export {
        /// The new file; `-` is standard output.
        file: PathBuf,
        /// jsonl, from which the hashes can be computed again, or csv; what the file ends with, or jsonl.
        #[arg(long)]
        format: Option<FormArg>,
    },
    /// Write down where the trail ends now, and list where it ended before.
    Anchors {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say that the trail ends before its last anchor because a backup was put back.
    Restored {
        /// What happened.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FormArg {
    Jsonl,
    Csv,
}

pub(super) async fn run(desk: &Desk, command: AuditCommand) -> anyhow::Result<()> {
    let own = anchors::file(&desk.settings);
    match command {
        AuditCommand::Verify { file, anchors, json } => {
            let known = known(&own, &anchors)?;
            let verdict = match file {
                None => verify::verify(&desk.db, &known).await?,
                Some(file) => {
                    let opened = File::open(&file).with_context(|| file.display().to_string())?;
                    verify::verify_file(BufReader::new(opened), &known)?
                }
            };
            say(&verdict, json)
        }
        AuditCommand::Export { file, format } => export(desk, &file, format).await,
        AuditCommand::Anchors { json } => {
            anchors::write(&desk.db, &own, desk.now()).await?;
            let known = anchors::read(&own)?;
            if json {
                return out::json(&known);
            }
            for Anchor { at, n, hash, .. } in known {
                out::line(format_args!("{at}  {n}  {hash}"));
            }
            Ok(())
        }
        AuditCommand::Restored { reason } => {
            let anchor = trail::restored(&desk.db, &own, COMMAND, &reason, desk.now()).await?;
            out::line(format_args!("the trail goes on from entry {}", anchor.n));
            Ok(())
        }
    }
}

fn known(own: &Path, more: &[PathBuf]) -> anyhow::Result<Vec<Anchor>> {
    let mut known = anchors::read(own)?;
    for file in more {
        if !file.exists() {
            bail!("{}: there is no such file", file.display());
        }
        known.extend(anchors::read(file)?);
    }
    known.sort_by_key(|anchor| anchor.n);
    Ok(known)
}

fn say(verdict: &Verdict, json: bool) -> anyhow::Result<()> {
    if json {
        out::json(verdict)?;
    } else if verdict.whole {
        let Verdict { upto, entries, emptied, erased, anchors, hash, .. } = verdict;
        out::line(format_args!(
            "whole up to entry {upto}: {entries} checked, {emptied} of them empty as their time was over, \
             {erased} details erased, {anchors} anchors compared; {hash}"
        ));
    }
    match &verdict.broken {
        Some(broken) => bail!("the audit trail is broken at entry {}: {}", broken.n, broken.says),
        None => Ok(()),
    }
}

async fn export(desk: &Desk, file: &Path, format: Option<FormArg>) -> anyhow::Result<()> {
    let is_csv = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let form = match format {
        Some(FormArg::Csv) => Form::Csv,
        None if is_csv => Form::Csv,
        Some(FormArg::Jsonl) | None => Form::Jsonl,
    };
    if file.as_os_str() == "-" {
        export::write(&desk.db, form, COMMAND, desk.now(), stdout().lock()).await?;
        return Ok(());
    }
    let made = File::options().write(true).create_new(true).open(file);
    let mut made = std::io::BufWriter::new(made.with_context(|| file.display().to_string())?);
    let written = export::write(&desk.db, form, COMMAND, desk.now(), &mut made).await?;
    made.flush()?;
    out::line(format_args!("{written} entries"));
    Ok(())
}
