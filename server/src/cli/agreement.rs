//! Agreements of confidentiality.

use clap::Subcommand;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::admin::table;
use super::customer::parse_time;
use super::{Desk, out};
use crate::app::{agreements, random};
use crate::db::{DbError, Priority};
use crate::store::agreements::{Agreement, list};

/// The most agreements that are printed.
const LISTED_MAX: i64 = 10_000;

#[derive(Debug, Subcommand)]
pub(super) enum AgreementCommand {
    /// Put a person's agreement on record.
    Add {
        /// Who signed: a user's name, or somebody without an account.
        person: String,
        /// Until when it holds, such as 2027-12-31T23:59:59+08:00.
        #[arg(long, value_parser = parse_time)]
        until: UnixMs,
        /// When it was signed; now where it is left out.
        #[arg(long, value_parser = parse_time)]
        signed: Option<UnixMs>,
        /// Where the paper is, such as a file number.
        #[arg(long)]
        document: String,
    },
    /// List the agreements, the one that ends last at the front.
    List {
        /// Only of this person.
        #[arg(long)]
        person: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(desk: &Desk, command: AgreementCommand) -> anyhow::Result<()> {
    let now = desk.now();
    match command {
        AgreementCommand::Add { person, until, signed, document } => {
            let signed_at = signed.unwrap_or(now);
            let (id, by) = (Uuid::from_bytes(random::<16>()?), "command line".to_owned());
            let agreement = Agreement { id, person: person.clone(), signed_at, until, document, by };
            desk.db.write(Priority::Api, move |tx| agreements::record(tx, &agreement, now)).await?;
            out::line(format_args!("{person} may see contact data until {}", until.to_rfc3339()));
        }
        AgreementCommand::List { person, json } => {
            let found: Result<Vec<Agreement>, DbError> =
                desk.db.read(move |tx| list(tx, person.as_deref(), None, LISTED_MAX)).await;
            print(&found?, json, now)?;
        }
    }
    Ok(())
}

fn print(found: &[Agreement], json: bool, now: UnixMs) -> anyhow::Result<()> {
    if json {
        let item = |agreement: &Agreement| {
            serde_json::json!({
                "id": agreement.id, "person": agreement.person, "signed_at": agreement.signed_at.to_rfc3339(),
                "until": agreement.until.to_rfc3339(), "document": agreement.document, "by": agreement.by,
            })
        };
        return out::json(&found.iter().map(item).collect::<Vec<_>>());
    }
    let rows = found.iter().map(|agreement| {
        let state = if agreement.until <= now { "ended" } else { "" };
        let (signed, until) = (agreement.signed_at.to_rfc3339(), agreement.until.to_rfc3339());
        vec![agreement.person.clone(), signed, until, agreement.document.clone(), state.into()]
    });
    table(&["person", "signed", "until", "document", ""], rows);
    Ok(())
}
