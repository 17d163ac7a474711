//! `linewatch-server admission`: customers that wait to be admitted, and a superior's decision.

use anyhow::bail;
use clap::Subcommand;

use super::admin::table;
use super::report::WHO;
use super::{Desk, out};
use crate::app::admission::{Decision, decide};
use crate::app::desk::DeskError;
use crate::auth::Role;
use crate::db::{DbError, Priority};
use crate::store::admission::{Admission, open};
use crate::store::users;

/// Customers read from the database at a time.
const AT_ONCE: i64 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum AdmissionCommand {
    /// List the customers that are proposed or refused.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Admit a customer: from now on it is promised what its tier says.
    Approve {
        /// The customer's code.
        code: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
        /// The manager who decides, by the name of the user; needed where the customer was imported on the command line.
        #[arg(long, value_name = "USER")]
        by: Option<String>,
    },
    /// Refuse a customer; it may be admitted later.
    Refuse {
        /// The customer's code.
        code: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The manager who decides, by the name of the user; needed where the customer was imported on the command line.
        #[arg(long, value_name = "USER")]
        by: Option<String>,
    },
}

pub(super) async fn run(desk: &Desk, command: AdmissionCommand) -> anyhow::Result<()> {
    match command {
        AdmissionCommand::List { json } => list(desk, json).await,
        AdmissionCommand::Approve { code, reason, by } => settle(desk, code, true, reason, by).await,
        AdmissionCommand::Refuse { code, reason, by } => settle(desk, code, false, reason, by).await,
    }
}

async fn settle(
    desk: &Desk,
    customer: String,
    admitted: bool,
    reason: String,
    by: Option<String>,
) -> anyhow::Result<()> {
    let now = desk.now();
    let by = match by {
        None => WHO.to_owned(),
        Some(name) => {
            let known: Result<_, DbError> = desk.db.read(move |tx| users::all(tx, now)).await;
            let managers = known?.into_iter().filter(|user| user.role == Role::Manager && !user.disabled);
            let names: Vec<String> = managers.map(|user| user.name).collect();
            if !names.contains(&name) {
                let known = if names.is_empty() { "nobody yet".to_owned() } else { names.join(", ") };
                bail!("--by: \"{name}\" is no user with the role manager who may sign in: {known}");
            }
            name
        }
    };
    let decision = Decision { customer, admitted, reason, by };
    let made: Result<Admission, DeskError> =
        desk.db.write(Priority::Api, move |tx| decide(tx, &decision, now)).await;
    let made = made?;
    out::line(format_args!("{} {}", made.state, made.code));
    Ok(())
}

async fn list(desk: &Desk, json: bool) -> anyhow::Result<()> {
    let mut all: Vec<Admission> = Vec::new();
    loop {
        let after = all.last().map(|one| one.code.clone()).unwrap_or_default();
        let page: Result<Vec<_>, DbError> =
            desk.db.read(move |tx| open(tx, &crate::store::scope::Scope::Everything, &after, AT_ONCE)).await;
        let page = page?;
        let more = page.len() as i64 == AT_ONCE;
        all.extend(page);
        if !more {
            break;
        }
    }
    if json {
        let shown = all.iter().map(|one| {
            serde_json::json!({
                "customer": one.code, "name": one.name, "state": one.state, "proposed_by": one.proposed_by,
                "proposed_at": one.proposed_at.to_rfc3339(), "reason": one.reason,
                "decided_by": one.decided.as_ref().map(|(by, _)| by),
                "decided_at": one.decided.as_ref().map(|(_, at)| at.to_rfc3339()),
            })
        });
        return out::json(&shown.collect::<Vec<_>>());
    }
    let rows = all.into_iter().map(|one| {
        let (proposed_by, reason) = (one.proposed_by.unwrap_or_default(), one.reason.unwrap_or_default());
        vec![one.code, one.name, one.state, proposed_by, one.proposed_at.to_rfc3339(), reason]
    });
    table(&["code", "name", "state", "proposed by", "proposed at", "reason"], rows);
    Ok(())
}
