//! `visit new|list|show`.

use anyhow::bail;
use clap::{Args, Subcommand};
use linewatch_shared::facts::{Body, Promised, Record, VISIT_CLASSES, VISIT_ITEMS_MAX, Visit, When};
use linewatch_shared::matter::Point;
use linewatch_shared::rules::Reading;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use super::{JsonArgs, author, open_journal, reader, refuse_locked, typed_time};
use crate::config::Config;
use crate::{journal, out, scope};

/// The most visits listed.
const LIST_MAX: usize = 1_000;

/// What to do with visits.
#[derive(Debug, Subcommand)]
pub enum VisitCommand {
    /// Write down a visit
    New(Box<NewArgs>),
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
    /// The round that it fulfils; the one that is owed then, if there is one only [default]
    #[arg(long)]
    round: Option<Uuid>,
    /// Its class
    #[arg(long, value_parser = VISIT_CLASSES)]
    class: Option<String>,
    /// How: `face_to_face`, `on_site`, `call`, `message` or `online_meeting` [default: face to face]
    #[arg(long)]
    mode: Option<String>,
    /// A point of the checklist, such as labels=ok, "joints=bad: hot at T1", `optical_power=ok@-18.5`; once for each
    #[arg(long = "point", value_name = "NAME=FOUND", value_parser = point)]
    points: Vec<Point>,
    /// The reference under which the report is filed
    #[arg(long)]
    report: Option<String>,
    /// Something promised for a day, such as "2026-03-20T17:00:00+08:00=a drawing"; once for each
    #[arg(long = "promised", value_name = "WHEN=WHAT", value_parser = promised)]
    promised: Vec<Promised>,
    /// Who of the customer's signed
    #[arg(long)]
    signed_by: Option<String>,
    /// Whether the site was left clean
    #[arg(long, value_name = "true|false")]
    left_clean: Option<bool>,
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
        VisitCommand::New(args) => new(config, *args),
        VisitCommand::List(args) => list(config, args),
        VisitCommand::Show { id, json } => show(config, &id, json),
    }
}

fn new(config: &Config, args: NewArgs) -> anyhow::Result<()> {
    let journal = open_journal(config)?;
    journal.read_blocking(|db| Ok(refuse_locked(db)))??;
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
    if args.points.len() > VISIT_ITEMS_MAX || args.promised.len() > VISIT_ITEMS_MAX {
        bail!("a visit has at most {VISIT_ITEMS_MAX} points, and as many promises");
    }
    let visit = Visit {
        customer: args.customer,
        site: args.site,
        met: args.met,
        purpose: args.purpose,
        findings: args.findings,
        needs: args.needs,
        promises: args.promises,
        round: args.round,
        class: args.class,
        mode: args.mode,
        points: args.points,
        report: args.report,
        promised: args.promised,
        signed_by: args.signed_by,
        left_clean: args.left_clean,
        ..Visit::default()
    };
    let record = scribe.record(occurred, author(), Body::Visit(visit));
    journal.append_blocking(std::slice::from_ref(&record))?;
    out::line(&record.id.to_string())?;
    Ok(())
}

/// Reads `NAME=ok`, `NAME=bad: note`, `NAME=ok@-18.5`.
fn point(text: &str) -> Result<Point, String> {
    let form = || "is no point such as labels=ok, \"joints=bad: hot\" or optical_power=ok@-18.5".to_owned();
    let (name, found) = text.split_once('=').ok_or_else(form)?;
    let (found, note) = found.split_once(':').unwrap_or((found, ""));
    let (found, reading) =
        found.split_once('@').map_or((found, None), |(found, number)| (found, Some(number)));
    let ok = match found.trim() {
        "ok" => true,
        "bad" => false,
        _ => return Err(form()),
    };
    let number = |text: &str| text.trim().parse().ok().and_then(Reading::new).ok_or_else(form);
    let reading = reading.map(number).transpose()?;
    let (name, note) = (name.trim().to_owned(), note.trim().to_owned());
    Ok(Point { name, ok, reading, note, class: None, equipment: None })
}

/// Reads `WHEN=WHAT`.
fn promised(text: &str) -> Result<Promised, String> {
    let form = || "is no promise such as \"2026-03-20T17:00:00+08:00=a drawing\"".to_owned();
    let (until, title) = text.split_once('=').ok_or_else(form)?;
    let until = UnixMs::parse_rfc3339(until.trim()).map_err(|_| form())?;
    let title = title.trim().to_owned();
    if title.is_empty() { Err(form()) } else { Ok(Promised { title, until }) }
}

fn visits(config: &Config) -> anyhow::Result<Vec<Listed>> {
    let Some(db) = reader(config)? else { return Ok(Vec::new()) };
    refuse_locked(&db)?;
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
    let Visit { customer, site, met, purpose, findings, needs, promises, .. } = &visit.visit;
    let more = more(&visit.visit);
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
    let more = more.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in fields.into_iter().chain(more).filter(|(_, value)| !value.is_empty()) {
        out::line(&format!("{name:<10} {value}"))?;
    }
    Ok(())
}

/// What makes it a round that was made, where anything was said of that.
fn more(visit: &Visit) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut fields = vec![
        ("round", visit.round.map(|round| round.to_string()).unwrap_or_default()),
        ("class", text(&visit.class)),
        ("mode", text(&visit.mode)),
        ("report", text(&visit.report)),
        ("signed by", text(&visit.signed_by)),
        ("left clean", visit.left_clean.map(|clean| clean.to_string()).unwrap_or_default()),
    ];
    for point in &visit.points {
        let reading = point.reading.map(|reading| format!(" {reading}")).unwrap_or_default();
        let found = if point.ok { "ok" } else { "bad" };
        fields.push(("point", format!("{}: {found}{reading} {}", point.name, point.note).trim().to_owned()));
    }
    for Promised { title, until } in &visit.promised {
        fields.push(("promised", format!("{title}, by {}", out::local(*until))));
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_promises_are_read_or_say_how_they_are_written() {
        let found = point("optical_power = ok@-18.5: port 3").unwrap();
        assert_eq!(
            (found.name.as_str(), found.ok, found.reading),
            ("optical_power", true, Reading::new(-18.5))
        );
        assert_eq!(found.note, "port 3");
        assert!(!point("joints=bad: hot").unwrap().ok);
        for wrong in ["labels", "labels=fine", "power=ok@low", "power=ok@inf"] {
            assert!(point(wrong).unwrap_err().contains("labels=ok"), "{wrong}");
        }
        assert_eq!(promised("2026-03-20T17:00:00+08:00=a drawing").unwrap().title, "a drawing");
        for wrong in ["a drawing", "tomorrow=a drawing", "2026-03-20T17:00:00+08:00="] {
            assert!(promised(wrong).is_err(), "{wrong}");
        }
    }
}
