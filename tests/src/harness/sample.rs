//! Sample customers and lines, and facts for them.

use std::sync::Arc;

use anyhow::{Context, Result};
use linewatch_agent::command;
use linewatch_agent::enroll::Identity;
use linewatch_agent::journal::{Journal, Scribe, lane_views};
use linewatch_agent::run::link::chance;
use linewatch_agent::sync::session::{Session, Step};
use linewatch_shared::detector::{Evidence, LineState};
use linewatch_shared::facts::{Body, Channel, LineChange, Record, Report, Visit, When};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{Agent, BOUND, Server, ShiftedClock, block_on};

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
    let head = "code,customer,agent".to_owned();
    let rows = (0..lines).map(|n| format!("{},{CUSTOMER},{agent}", line(n)));
    let csv: Vec<_> = std::iter::once(head).chain(rows).collect();
    server.import("lines.csv", &csv.join("\n"))?;
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

/// A line's change of state, as the machine sees it at this moment of the journal's clock.
#[must_use]
pub fn change(scribe: &Scribe, line: &str, state: LineState) -> Record {
    let change = LineChange { line: line.to_owned(), state, evidence: Evidence::default() };
    scribe.now_record(Body::Line(change))
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

/// Opens an agent's journal with another clock, as a device that has it would.
///
/// # Errors
/// When it cannot be opened.
pub fn journal_with(agent: &Agent, clock: ShiftedClock, boot: Uuid) -> Result<Journal> {
    let dir = agent.data_dir();
    std::fs::create_dir_all(&dir)?;
    let scribe = Scribe::new(Arc::new(clock), boot);
    Journal::open(&dir, scribe).with_context(|| dir.display().to_string())
}

/// Sends everything in a journal by the agent's own conversation, with the clock of that journal.
///
/// # Errors
/// When the server is not reached, or it takes too long.
pub fn sync(agent: &Agent, journal: &Journal) -> Result<()> {
    let identity = Identity::load(&agent.data_dir())?.context("not enrolled")?;
    let client = identity.client(&agent.data_dir(), journal.vault())?;
    let conversation = async {
        let mut session = Session::new(journal.clone(), client, chance()).await?;
        let status = session.status();
        loop {
            let step = session.step().await?;
            if let Some(trouble) = status.borrow().trouble.clone() {
                anyhow::bail!(trouble);
            }
            let (_, lanes) = journal.read(lane_views).await?;
            if matches!(step, Step::Wait(_)) && lanes.iter().all(|lane| lane.unsent() == 0) {
                return Ok(());
            }
        }
    };
    block_on(async { tokio::time::timeout(BOUND, conversation).await.context("the sync takes too long")? })
}
