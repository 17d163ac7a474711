//! `visit new|list|show`.

use anyhow::bail;
use clap::{Args, Subcommand};
use linewatch_shared::facts::{Body, Record, Visit, When};
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use super::{JsonArgs, author, open_journal, reader, typed_time};
use crate::config::Config;
use crate::{journal, out, scope};

/// The most visits listed.
const LIST_MAX: usize = 1_000;

/// What to do with visits.
#[derive(Debug, Subcommand)]
pub enum VisitCommand {
    /// Write down a visit
    New(NewArgs),
    /// List the visits of this device, with their sync state
    List(JsonArgs),
    /// Show one visit
    Show {
        /// The visit's id, or its beginning
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Arguments of `visit new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The customer's code
    #[arg(long)]
    customer: String,
    /// The site
    #[arg(long, default_value = "")]
    site: String,
    /// Who was met
    #[arg(long, default_value = "")]
    met: String,
    /// What for
    #[arg(long, default_value = "")]
    purpose: String,
    /// What was found
    #[arg(long, default_value = "")]
    findings: String,
    /// What the customer asked for
    #[arg(long, default_value = "")]
    needs: String,
    /// What was promised
    #[arg(long, default_value = "")]
    promises: String,
    /// When it was: 14:05, "2026-03-01 14:05" or RFC 3339 [default: now]
    #[arg(long)]
    at: Option<String>,
}

/// A visit as listed.
#[derive(Debug, Serialize)]
struct Listed {
    id: Uuid,
    at: String,
    #[serde(skip)]
    at_ms: UnixMs,
    by: Option<String>,
    sent: bool,
    #[serde(flatten)]
    visit: Visit,
}

/// Runs a visit command.
///
/// # Errors
/// With one clear line.
pub fn execute(config: &Config, command: VisitCommand) -> anyhow::Result<()> {
    match command {
        VisitCommand::New(args) => new(config, args),
        VisitCommand::List(args) => list(config, args),
        VisitCommand::Show { id, json } => show(config, &id, json),
    }
}

fn new(config: &Config, args: NewArgs) -> anyhow::Result<()> {
    let journal = open_journal(config)?;
    let is_known = journal.read_blocking(|db| {
        let customers = scope::customers(db)?;
        Ok(!scope::is_known(db)? || customers.iter().any(|customer| customer.code == args.customer))
    })?;
    if !is_known {
        bail!("customer {} is not among those of this agent's lines", args.customer);
    }
    let scribe = journal.scribe();
    let occurred = match &args.at {
        Some(text) => When::Typed(typed_time(text, scribe.now())?),
        None => When::Machine(scribe.reading()),
    };
    let NewArgs { customer, site, met, purpose, findings, needs, promises, .. } = args;
    let visit = Visit { customer, site, met, purpose, findings, needs, promises };
    let record = scribe.record(occurred, author(), Body::Visit(visit));
    journal.append_blocking(std::slice::from_ref(&record))?;
    out::line(&record.id.to_string())?;
    Ok(())
}

fn visits(config: &Config) -> anyhow::Result<Vec<Listed>> {
    let Some(db) = reader(config)? else { return Ok(Vec::new()) };
    let stored = journal::of_kinds(&db, &["visit"], LIST_MAX)?;
    let listed = stored.into_iter().filter_map(|stored| {
        let record = Record::from_bytes(&stored.bytes).ok()?;
        let Body::Visit(visit) = record.body else { return None };
        let at_ms = record.occurred.raw();
        Some(Listed {
            id: record.id,
            at: at_ms.to_rfc3339(),
            at_ms,
            by: record.by,
            sent: stored.acked,
            visit,
        })
    });
    Ok(listed.collect())
}

const fn sync_state(sent: bool) -> &'static str {
    if sent { "sent" } else { "on this device only" }
}

fn list(config: &Config, args: JsonArgs) -> anyhow::Result<()> {
    let visits = visits(config)?;
    if args.json {
        out::json(&visits)?;
        return Ok(());
    }
    if visits.is_empty() {
        out::line("no visits on this device")?;
        return Ok(());
    }
    let rows = visits.into_iter().map(|visit| {
        let Visit { customer, site, purpose, .. } = visit.visit;
        let id = visit.id.to_string();
        vec![id, out::local(visit.at_ms), customer, site, purpose, sync_state(visit.sent).to_owned()]
    });
    out::table(&["visit", "at", "customer", "site", "purpose", "sync"], rows.collect())?;
    Ok(())
}

fn show(config: &Config, id: &str, json: bool) -> anyhow::Result<()> {
    let matching: Vec<_> =
        visits(config)?.into_iter().filter(|visit| visit.id.to_string().starts_with(id)).collect();
    let [visit] = matching.as_slice() else {
        bail!("{} visits on this device begin with {id}", matching.len());
    };
    if json {
        out::json(visit)?;
        return Ok(());
    }
    let Visit { customer, site, met, purpose, findings, needs, promises } = &visit.visit;
    let by = visit.by.clone().unwrap_or_default();
    let at = out::local(visit.at_ms);
    let id = visit.id.to_string();
    let state = sync_state(visit.sent);
    let fields = [
        ("visit", id.as_str()),
        ("at", &at),
        ("by", &by),
        ("customer", customer),
        ("site", site),
        ("met", met),
        ("purpose", purpose),
        ("findings", findings),
        ("needs", needs),
        ("promises", promises),
        ("sync", state),
    ];
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        out::line(&format!("{name:<10} {value}"))?;
    }
    Ok(())
}
