//! `fault report|list|show`.

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use linewatch_shared::facts::{Body, Channel, Report, When};

use super::{JsonArgs, author, open_journal, reader, refuse_locked, typed_time};
use crate::config::Config;
use crate::enroll::Identity;
use crate::field::faults::{self, FaultView};
use crate::{out, scope};

/// What to do with faults.
#[derive(Debug, Subcommand)]
pub enum FaultCommand {
    /// Report a fault of a line; saved here at once, sent when the server is reached
    Report(ReportArgs),
    /// List the faults that this device knows of, with their countdowns
    List(JsonArgs),
    /// Show one fault with its facts and deadlines
    Show {
        /// The fault's id, the id of any of its reports, or its beginning
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Where a report came in.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ChannelArg {
    Hotline,
    Manager,
    Technician,
    Noc,
}

impl From<ChannelArg> for Channel {
    fn from(channel: ChannelArg) -> Self {
        match channel {
            ChannelArg::Hotline => Self::Hotline,
            ChannelArg::Manager => Self::Manager,
            ChannelArg::Technician => Self::Technician,
            ChannelArg::Noc => Self::Noc,
        }
    }
}

/// Arguments of `fault report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The line's code
    #[arg(long)]
    line: String,
    /// When it was reported: 14:05, "2026-03-01 14:05" or RFC 3339 [default: now]
    #[arg(long)]
    at: Option<String>,
    /// Where the report came in
    #[arg(long, value_enum, default_value = "technician")]
    channel: ChannelArg,
    /// Who reported it
    #[arg(long, default_value = "")]
    reporter: String,
    /// What is wrong
    description: String,
}

/// Runs a fault command.
///
/// # Errors
/// With one clear line.
pub fn execute(config: &Config, command: FaultCommand) -> anyhow::Result<()> {
    match command {
        FaultCommand::Report(args) => report(config, args),
        FaultCommand::List(args) => list(config, args),
        FaultCommand::Show { id, json } => show(config, &id, json),
    }
}

fn report(config: &Config, args: ReportArgs) -> anyhow::Result<()> {
    if args.description.trim().is_empty() {
        bail!("say what is wrong");
    }
    let journal = open_journal(config)?;
    journal.read_blocking(|db| Ok(refuse_locked(db)))??;
    let (pulled, known) = journal.read_blocking(|db| {
        Ok((scope::is_known(db)?, scope::lines(db)?.iter().any(|line| line.code == args.line)))
    })?;
    if pulled && !known {
        bail!("line {} is not among this agent's lines", args.line);
    }
    if !pulled {
        tracing::warn!(line = args.line, "no lines have been pulled yet: the line's code is taken as it is");
    }
    let scribe = journal.scribe();
    let occurred = match &args.at {
        Some(text) => When::Typed(typed_time(text, scribe.now())?),
        None => When::Machine(scribe.reading()),
    };
    let ReportArgs { line, channel, reporter, description, .. } = args;
    let body = Body::Report(Report { line, channel: channel.into(), reporter, description });
    let record = scribe.record(occurred, author(), body);
    journal.append_blocking(std::slice::from_ref(&record))?;
    out::line(&record.id.to_string())?;
    Ok(())
}

fn all(config: &Config) -> anyhow::Result<Vec<FaultView>> {
    let Some(db) = reader(config)? else { return Ok(Vec::new()) };
    refuse_locked(&db)?;
    let agent = Identity::load(&config.data_dir)?.map(|identity| identity.name).unwrap_or_default();
    Ok(faults::all(&db, &super::scribe()?, &agent)?)
}

const fn sync_state(sent: bool) -> &'static str {
    if sent { "sent" } else { "on this device only" }
}

fn owed(fault: &FaultView) -> String {
    let open = fault.deadlines.iter().filter(|deadline| deadline.open);
    let texts = open.map(|deadline| {
        let left = out::span(deadline.remaining_ms);
        if deadline.remaining_ms < 0 {
            format!("{} missed {left}", deadline.kind)
        } else {
            format!("{} {left}", deadline.kind)
        }
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn list(config: &Config, args: JsonArgs) -> anyhow::Result<()> {
    let faults = all(config)?;
    if args.json {
        out::json(&faults)?;
        return Ok(());
    }
    if faults.is_empty() {
        out::line("no faults known to this device")?;
        return Ok(());
    }
    let rows = faults.iter().map(|fault| {
        let sync = sync_state(fault.sent).to_owned();
        let started = out::local(fault.started);
        vec![
            fault.id.to_string(),
            fault.line.clone(),
            fault.tier.clone(),
            fault.state.clone(),
            started,
            owed(fault),
            sync,
        ]
    });
    out::table(&["fault", "line", "tier", "state", "since", "left", "sync"], rows.collect())?;
    Ok(())
}

fn show(config: &Config, id: &str, json: bool) -> anyhow::Result<()> {
    let matches = |fault: &FaultView| {
        fault.id.to_string().starts_with(id)
            || fault.facts.iter().any(|fact| fact.id.to_string().starts_with(id))
    };
    let matching: Vec<_> = all(config)?.into_iter().filter(matches).collect();
    let [fault] = matching.as_slice() else {
        bail!("{} faults known to this device begin with {id}", matching.len());
    };
    if json {
        out::json(fault)?;
        return Ok(());
    }
    out::line(&format!("fault     {}", fault.id))?;
    out::line(&format!("line      {} {} {}", fault.line, fault.customer, fault.tier))?;
    out::line(&format!("state     {}, since {}", fault.state, out::local(fault.started)))?;
    out::line(&format!("sync      {}", sync_state(fault.sent)))?;
    for deadline in &fault.deadlines {
        let left = if deadline.open {
            format!(", {} left", out::span(deadline.remaining_ms))
        } else {
            String::new()
        };
        out::line(&format!("owed      {} by {}: {}{left}", deadline.kind, deadline.due_at, deadline.state))?;
    }
    for fact in &fault.facts {
        let misfit = fact.misfit.as_ref().map(|why| format!(" [{why}]")).unwrap_or_default();
        out::line(&format!("{}  {} {}{misfit}", out::local(fact.at), fact.kind, fact.text))?;
    }
    Ok(())
}
