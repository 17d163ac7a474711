//! The commands that do one thing and end.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use linewatch_shared::time::UnixMs;

use super::{AgentCommand, Desk, out};
use crate::app::agent_customers::{self, CustomersChange};
use crate::app::agent_people::{self, PeopleChange};
use crate::app::agents;
use crate::app::agents::quarantine::{self, Kept};
use crate::app::backup;
use crate::app::export::{self, FileForm};
use crate::app::import::{self, ImportError, Kind, Summary};
use crate::app::users::COMMAND;
use crate::db::DbError;
use crate::db::backup::{Checked, look_at};

/// Agents read from the database at a time.
const AGENTS_AT_ONCE: usize = 500;

pub(super) async fn import(desk: &Desk, file: &Path, dry_run: bool, json: bool) -> anyhow::Result<()> {
    let proposer = desk.settings.admission.then_some(COMMAND);
    match import::file(&desk.db, &desk.packs, file, proposer, dry_run, desk.now()).await {
        Ok(summary) if json => out::json(&summary),
        Ok(summary) => {
            say(&summary);
            Ok(())
        }
        Err(ImportError::Mistakes(mistakes)) => {
            if !dry_run {
                import::note_refused(&desk.db, mistakes.len(), desk.now()).await?;
            }
            if json {
                out::json(&serde_json::json!({ "mistakes": mistakes }))?;
            } else {
                for mistake in &mistakes {
                    out::line(format_args!("{}: {mistake}", file.display()));
                }
            }
            bail!("{} in {}; nothing was imported", plural(mistakes.len(), "mistake"), file.display())
        }
        Err(ImportError::App(e)) => Err(e.into()),
    }
}

fn say(summary: &Summary) {
    let verb = if summary.dry_run { "would be " } else { "" };
    for (what, codes) in [("created", &summary.created), ("changed", &summary.changed)] {
        if summary.dry_run && !codes.is_empty() {
            out::line(format_args!("would be {what}: {}", codes.join(", ")));
        }
    }
    if !summary.agents_created.is_empty() {
        out::line(format_args!(
            "agents {verb}created, not yet enrolled: {}",
            summary.agents_created.join(", ")
        ));
    }
    let (created, changed, unchanged) = (summary.created.len(), summary.changed.len(), summary.unchanged);
    out::line(format_args!("{created} {verb}created, {changed} {verb}changed, {unchanged} unchanged"));
}

pub(super) async fn agent(desk: &Desk, command: AgentCommand) -> anyhow::Result<()> {
    match command {
        AgentCommand::Token { name } => {
            let authorities = desk.authorities()?;
            out::line(agents::token(&desk.db, &name, &authorities.now().shown, COMMAND, desk.now()).await?);
        }
        AgentCommand::Revoke { name } => {
            agents::revoke(&desk.db, &name, COMMAND, desk.now()).await?;
            out::line(format_args!("revoked {name}"));
        }
        AgentCommand::Release { name, discard } => {
            let kept = if discard { Kept::Discard } else { Kept::Take };
            let records = quarantine::release(&desk.db, &name, kept, COMMAND, desk.now()).await?;
            let what = if discard { "discarded" } else { "to be taken in" };
            out::line(format_args!("released {name}; {} {what}", plural(records as usize, "record")));
        }
        AgentCommand::People { name, add, remove, json } => {
            let people = if add.is_empty() && remove.is_empty() {
                agent_people::list(&desk.db, &name, desk.now()).await?
            } else {
                let change = PeopleChange::By { add, remove };
                agent_people::change(&desk.db, &name, change, COMMAND, desk.now()).await?
            };
            if json {
                return out::json(&people);
            }
            let rows = people.iter().map(|person| {
                let state = if person.enabled { "" } else { "disabled" };
                vec![person.name.clone(), person.role.name().into(), state.into()]
            });
            table(&["name", "role", ""], rows);
        }
        AgentCommand::Customers { name, add, remove, json } => {
            let customers = if add.is_empty() && remove.is_empty() {
                agent_customers::list(&desk.db, &name).await?
            } else {
                let change = CustomersChange::By { add, remove };
                agent_customers::change(&desk.db, &name, change, COMMAND, desk.now()).await?
            };
            if json {
                return out::json(&customers);
            }
            for customer in customers {
                out::line(customer);
            }
        }
        AgentCommand::List { json } => {
            let all = all_agents(desk).await?;
            if json {
                return out::json(&all);
            }
            let rows = all.into_iter().map(|agent| {
                let seen = agent.last_seen_at.unwrap_or_else(|| "never".into());
                let version = agent.version.unwrap_or_default();
                let kept_aside = agent.kept_aside.to_string();
                vec![agent.name, agent.state, kept_aside, agent.lines.to_string(), seen, version]
            });
            table(&["name", "state", "kept aside", "lines", "last seen", "version"], rows);
        }
    }
    Ok(())
}

async fn all_agents(desk: &Desk) -> Result<Vec<agents::Agent>, DbError> {
    let mut all: Vec<agents::Agent> = Vec::new();
    loop {
        let after = all.last().map(|agent| agent.name.clone());
        let mut page = agents::list(&desk.db, after, AGENTS_AT_ONCE).await?;
        let more = page.len() == AGENTS_AT_ONCE;
        all.append(&mut page);
        if !more {
            return Ok(all);
        }
    }
}

pub(super) async fn backup(desk: &Desk, file: PathBuf) -> anyhow::Result<()> {
    let checked = backup::make(&desk.db, file.clone(), COMMAND, desk.now()).await?;
    out::line(format_args!(
        "copied to {}: {}; keep {} and {} too",
        file.display(),
        in_words(&checked),
        desk.settings.data_dir.join("tls").display(),
        desk.settings.auth.secrets_key_file.display()
    ));
    Ok(())
}

/// Looks at a copy without a server or its configuration.
pub(super) fn verify(file: &Path) -> anyhow::Result<()> {
    let checked = look_at(file)?;
    out::line(format_args!("{} is whole: {}", file.display(), in_words(&checked)));
    if checked.behind > 0 {
        out::line(format_args!(
            "it is of an older linewatch-server: {} migrations are still to be applied",
            checked.behind
        ));
    }
    Ok(())
}

fn in_words(checked: &Checked) -> String {
    let newest = checked.newest_at_ms.map_or_else(|| "none".to_owned(), |at| UnixMs(at).to_rfc3339());
    let mib = checked.bytes as f64 / f64::from(1 << 20);
    format!(
        "{mib:.1} MiB, {} faults, {} records of agents, the newest stored at {newest}",
        checked.faults, checked.records
    )
}

/// Writes a new file: one that is there already stays as it is.
pub(super) async fn export(desk: &Desk, what: Kind, file: &Path) -> anyhow::Result<()> {
    let is_workbook = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    let form = if is_workbook { FileForm::Xlsx } else { FileForm::Csv };
    let mut new = std::fs::File::create_new(file).with_context(|| file.display().to_string())?;
    let bytes = export::file(&desk.db, what, form, COMMAND, desk.now()).await?;
    new.write_all(&bytes).with_context(|| file.display().to_string())?;
    out::line(format_args!("wrote {}", file.display()));
    Ok(())
}

pub(super) fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.to_vec());
    table.add_rows(rows);
    out::line(table.trim_fmt());
}

pub(super) fn plural(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
