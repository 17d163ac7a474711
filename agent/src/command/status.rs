//! `status`: lines, what is unsent, last contact. Reads the journal; asks the running agent for the rest.

use std::collections::HashMap;
use std::time::Duration;

use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::{JsonArgs, reader, shown};
use crate::config::Config;
use crate::enroll::Identity;
use crate::health::read_health;
use crate::journal::{LineMark, line_marks, meta, unsent};
use crate::page::status as page;
use crate::run::lock;
use crate::{journal, out, scope};

/// How long the running agent may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize)]
struct Report {
    running: bool,
    enrolled: Option<Enrolled>,
    last_contact_at: Option<String>,
    locked_at: Option<String>,
    #[serde(skip)]
    locked: Option<UnixMs>,
    unsent: Vec<Lane>,
    lines: Vec<Line>,
    warnings: Vec<String>,
    live: Option<page::Status>,
}

#[derive(Debug, Serialize)]
struct Enrolled {
    name: String,
    server: String,
}

#[derive(Debug, Serialize)]
struct Lane {
    #[serde(rename = "lane")]
    name: &'static str,
    records: u64,
    oldest_age_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Line {
    #[serde(rename = "line")]
    code: String,
    state: String,
    since_at: Option<String>,
    #[serde(skip)]
    since: Option<UnixMs>,
}

/// Shows how things are.
///
/// # Errors
/// When the journal cannot be read.
pub fn status(config: &Config, args: JsonArgs) -> anyhow::Result<()> {
    let report = gather(config)?;
    if args.json {
        out::json(&report)?;
        return Ok(());
    }
    show(&report)
}

fn gather(config: &Config) -> anyhow::Result<Report> {
    let now = super::scribe()?.now();
    let running = lock::is_taken(&config.data_dir);
    let mut live = if running { ask(config) } else { None };
    let enrolled =
        Identity::load(&config.data_dir)?.map(|known| Enrolled { name: known.name, server: known.server });
    let (mut unsent_lanes, mut lines, mut contact, mut locked) = (Vec::new(), Vec::new(), None, None);
    if let Some(db) = reader(config)? {
        unsent_lanes = unsent(&db)?
            .into_iter()
            .map(|lane| Lane {
                name: lane.lane.name(),
                records: lane.count,
                oldest_age_ms: lane.oldest_at.map(|at| now.since(at)),
            })
            .collect();
        locked = journal::locked(&db)?;
        if locked.is_none() {
            let known = scope::lines(&db)?.into_iter().map(|line| line.code);
            lines = states(known, &line_marks(&db)?, live.as_ref(), running);
        } else if let Some(live) = &mut live {
            live.lines = serde_json::Value::Null;
        }
        contact = meta::get::<UnixMs>(&db, meta::LAST_CONTACT)?;
    }
    let live_contact = live.as_ref().and_then(|live| live.sync.as_ref()?.last_contact_at);
    let contact = live_contact.or(contact);
    let warnings =
        read_health(&config.data_dir).warnings().iter().map(|warning| format!("{warning:?}")).collect();
    let last_contact_at = contact.map(UnixMs::to_rfc3339);
    let locked_at = locked.map(UnixMs::to_rfc3339);
    let unsent = unsent_lanes;
    Ok(Report { running, enrolled, last_contact_at, locked_at, locked, unsent, lines, warnings, live })
}

/// The lines in scope: as the running agent sees them, else as last journalled, which is not known to
/// hold any more.
fn states(
    known: impl Iterator<Item = String>,
    marks: &[LineMark],
    live: Option<&page::Status>,
    running: bool,
) -> Vec<Line> {
    let live_lines = live.and_then(|live| live.lines.as_array()).map(Vec::as_slice).unwrap_or_default();
    let live_lines: HashMap<&str, _> =
        live_lines.iter().filter_map(|line| Some((line["line"].as_str()?, line))).collect();
    let marks: HashMap<&str, _> = marks.iter().map(|mark| (mark.line.as_str(), mark)).collect();
    known
        .map(|code| {
            let (state, since) = match (live_lines.get(code.as_str()), marks.get(code.as_str())) {
                (Some(live), _) => {
                    let degraded = if live["degraded"] == true { " (degraded)" } else { "" };
                    let state = format!("{}{degraded}", live["state"].as_str().unwrap_or("unknown"));
                    (state, live["since_at"].as_i64().map(UnixMs))
                }
                (None, Some(mark)) if running => (mark.state.clone(), Some(mark.since_at)),
                (None, Some(mark)) => (format!("unknown (last {})", mark.state), Some(mark.since_at)),
                (None, None) => ("unknown".to_owned(), None),
            };
            Line { code, state, since_at: since.map(UnixMs::to_rfc3339), since }
        })
        .collect()
}

/// Asks the running agent; none when it does not answer, or another one does.
fn ask(config: &Config) -> Option<page::Status> {
    let runtime = super::runtime(1).ok()?;
    let url = format!("http://{}/status", config.ui.listen);
    let answer: page::Status = runtime
        .block_on(async {
            let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
            client.get(url).send().await?.json().await
        })
        .ok()?;
    let own = config.data_dir.canonicalize().ok()?;
    (answer.data_dir == own).then_some(answer)
}

fn show(report: &Report) -> anyhow::Result<()> {
    out::line(if report.running {
        "agent       running"
    } else {
        "agent       not running: nothing is probed"
    })?;
    match &report.enrolled {
        Some(known) => out::line(&format!("enrolled    as {} with {}", known.name, known.server))?,
        None => out::line("enrolled    no: everything stays on this device until then")?,
    }
    let contact = report.last_contact_at.as_deref().unwrap_or("never");
    out::line(&format!("contact     {contact}"))?;
    if let Some(live) = &report.live {
        if let Some(trouble) = live.sync.as_ref().and_then(|sync| sync.trouble.as_ref()) {
            out::line(&format!("sync        {trouble}"))?;
        }
        out::line(&format!("icmp        IPv4 {}, IPv6 {}", live.socket_v4, live.socket_v6))?;
        out::line(&format!("data        {}", shown(&live.data_dir)))?;
    }
    for lane in &report.unsent {
        let age = lane.oldest_age_ms.map(|ms| format!(", the oldest {} old", out::span(ms)));
        let text = format!("unsent      {:<8} {}{}", lane.name, lane.records, age.unwrap_or_default());
        out::line(&text)?;
    }
    for warning in &report.warnings {
        out::line(&format!("warning     {warning}"))?;
    }
    if let Some(since) = report.locked {
        let since = out::local(since);
        out::line(&format!(
            "lines       not shown: locked since {since}, the server has revoked this device"
        ))?;
        return Ok(());
    }
    if report.lines.is_empty() {
        out::line("lines       none pulled yet")?;
        return Ok(());
    }
    let rows = report.lines.iter().map(|line| {
        vec![line.code.clone(), line.state.clone(), line.since.map(out::local).unwrap_or_default()]
    });
    out::table(&["line", "state", "since"], rows.collect())?;
    Ok(())
}
