//! Sample customers and lines, and facts for them.

use anyhow::{Context, Result};
use linewatch_agent::command;
use linewatch_agent::journal::{Journal, Scribe};
use linewatch_shared::facts::{Body, Channel, Record, Report, Visit, When};
use linewatch_shared::time::UnixMs;

use super::{Agent, Server};

/// The customer that every sample line belongs to.
pub const CUSTOMER: &str = "CUST-1";
/// Where its account manager's mail goes.
pub const MANAGER: &str = "manager-1@desk.example";

/// The code of the `n`th sample line.
#[must_use]
pub fn line(n: usize) -> String {
    format!("LINE-{n:03}")
}

/// Imports a customer of a tier with `lines` lines that belong to `agent` and have no probe.
///
/// # Errors
/// When the import is refused.
pub fn import(server: &Server, pack: &str, tier: &str, lines: usize, agent: &str) -> Result<()> {
    server.import(
        "customers.csv",
        &format!(
            "code,name,tier,pack,manager,manager_email\n{CUSTOMER},示例客户 (sample),{tier},{pack},manager-1,{MANAGER}\n"
        ),
    )?;
    let mut csv = "code,customer,agent\n".to_owned();
    for n in 0..lines {
        csv += &format!("{},{CUSTOMER},{agent}\n", line(n));
    }
    server.import("lines.csv", &csv)?;
    Ok(())
}

/// A report of a line, dated by a person.
#[must_use]
pub fn report(scribe: &Scribe, line: &str, at: UnixMs) -> Record {
    let body = Body::Report(Report {
        line: line.to_owned(),
        channel: Channel::Technician,
        reporter: "sample caller".to_owned(),
        description: "nothing goes through".to_owned(),
    });
    scribe.record(When::Typed(at), Some("sample technician".to_owned()), body)
}

/// A visit of the sample customer now.
#[must_use]
pub fn visit(scribe: &Scribe) -> Record {
    let visit = Visit {
        customer: CUSTOMER.to_owned(),
        purpose: "sample visit".to_owned(),
        findings: "all well".to_owned(),
        ..Visit::default()
    };
    scribe.now_record(Body::Visit(visit))
}

/// Opens an agent's journal with the machine's clocks; the program may be running meanwhile.
///
/// # Errors
/// When it cannot be opened.
pub fn journal(agent: &Agent) -> Result<Journal> {
    let dir = agent.data_dir();
    std::fs::create_dir_all(&dir)?;
    Journal::open(&dir, command::scribe()?).with_context(|| dir.display().to_string())
}
