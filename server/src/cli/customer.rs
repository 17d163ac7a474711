//! Customers: the end of their service, and erasure.

use clap::Subcommand;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{Desk, out};
use crate::app::erasure::{self, Counts};
use crate::app::service::{self, Ending};
use crate::app::{AppError, desk, random};
use crate::db::Priority;
use crate::store::erasure::Erasure;

/// Who does what is done here.
const BY: &str = "command line";

#[derive(Debug, Subcommand)]
pub(super) enum CustomerCommand {
    /// End a customer's service: from then on nothing is promised.
    End {
        /// The customer's code.
        code: String,
        /// When, such as 2026-03-01T00:00:00+08:00; now where it is left out.
        #[arg(long, value_parser = parse_time)]
        at: Option<UnixMs>,
    },
    /// Let a customer's service go on.
    Resume {
        /// The customer's code.
        code: String,
    },
    /// Erase what is personal of a customer whose service has ended; facts and figures stay. It cannot be undone.
    Erase {
        /// The customer's code.
        code: String,
        /// Only say how much would be erased.
        #[arg(long)]
        dry_run: bool,
        /// Why, such as who asked for it.
        #[arg(long, default_value = "asked for")]
        reason: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn parse_time(text: &str) -> Result<UnixMs, String> {
    UnixMs::parse_rfc3339(text).map_err(|_| "not RFC 3339, such as 2026-03-01T00:00:00+08:00".to_owned())
}

pub(super) async fn run(desk: &Desk, command: CustomerCommand) -> anyhow::Result<()> {
    match command {
        CustomerCommand::End { code, at } => {
            let at = at.unwrap_or_else(|| desk.now());
            end(desk, code.clone(), Some(at)).await?;
            out::line(format_args!("the service of {code} ends at {}", at.to_rfc3339()));
        }
        CustomerCommand::Resume { code } => {
            end(desk, code.clone(), None).await?;
            out::line(format_args!("the service of {code} goes on"));
        }
        CustomerCommand::Erase { code, dry_run, reason, json } => {
            let counts = if dry_run {
                erasure::preview(&desk.db, &code, desk.now()).await?
            } else {
                erase(desk, code, reason).await?
            };
            say(&counts, dry_run, json)?;
        }
    }
    Ok(())
}

async fn end(desk: &Desk, code: String, at: Option<UnixMs>) -> anyhow::Result<()> {
    let now = desk.now();
    let inner = desk::Desk::default();
    let what = Ending::Customer(code);
    desk.db.write(Priority::Api, move |tx| service::end(&inner, tx, &what, at, BY, now)).await?;
    Ok(())
}

async fn erase(desk: &Desk, customer: String, reason: String) -> anyhow::Result<Counts> {
    let now = desk.now();
    let id = Uuid::from_bytes(random::<16>()?);
    let by = BY.to_owned();
    let new = Erasure { id, customer, reason, by, begun_at: now, finished_at: None, counts: None };
    desk.db.write(Priority::Api, move |tx| erasure::begin(tx, &new, now)).await?;
    let done = erasure::run(&desk.db, id, now).await?;
    let counts = done.and_then(|done| done.counts).unwrap_or_default();
    Ok(serde_json::from_str(&counts).map_err(|error| AppError::Refused(error.to_string()))?)
}

fn say(counts: &Counts, dry_run: bool, json: bool) -> anyhow::Result<()> {
    if json {
        return out::json(&serde_json::json!({ "dry_run": dry_run, "counts": counts }));
    }
    let verb = if dry_run { "would be erased" } else { "erased" };
    for (what, n) in counts {
        out::line(format_args!("{n} {what} {verb}"));
    }
    if counts.is_empty() {
        out::line(format_args!("nothing {verb}"));
    }
    Ok(())
}
