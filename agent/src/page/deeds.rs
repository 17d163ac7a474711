//! Facts that people write down in one go: a fault reported, a step taken, a matter taken in. Each has an id that the page
//! made, so that a call which is repeated is stored once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use linewatch_shared::facts::{
    Body as FactBody, Channel, Deed, Opened, Record, Report, Step, StepKind, When,
};
use linewatch_shared::matter::MatterStep;
use linewatch_shared::rules::MatterKind;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::error::Problem;
use super::extract::{Body, Id};
use super::sessions::User;
use super::state::Local;
use super::work::FAULT_STEPS;
use crate::field::faults;
use crate::field::when::{self, Unfit};
use crate::journal::Entry;
use crate::scope;

/// The longest text, in characters.
const TEXT_CHARS_MAX: usize = 4_000;

/// What every fact says of itself.
struct Said {
    id: Uuid,
    occurred: When,
    reason: Option<String>,
}

async fn said(local: &Local, id: Uuid, occurred_at: Option<&str>, reason: &str) -> Result<Said, Problem> {
    if id.get_version_num() != 7 {
        return Err(Problem::unfit("bad_id", "the id has to be a UUID of version 7"));
    }
    let now = local.now().await?;
    let at = when::judge(occurred_at, reason, now).map_err(|unfit| {
        let code = match unfit {
            Unfit::NoTime => "no_time",
            Unfit::Ahead => "in_the_future",
            Unfit::ReasonMissing => "reason_missing",
        };
        Problem::unfit(code, unfit.to_string())
    })?;
    let occurred = at.map_or_else(|| When::Machine(local.scribe.reading()), When::Typed);
    let reason = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty() && at.is_some());
    Ok(Said { id, occurred, reason })
}

/// Saves the fact; a second time it is there already.
async fn save(local: &Local, user: User, said: Said, body: FactBody) -> Result<Response, Problem> {
    let record = local.scribe.record(said.occurred, Some(user.name), body);
    let record = Record { id: said.id, ..record };
    let is_new = local.journal.append_entry(Entry::new(&record)?, |_| Ok(true)).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({ "id": said.id }))).into_response())
}

fn text(field: &'static str, text: &str, required: bool) -> Result<String, Problem> {
    let text = text.trim();
    if required && text.is_empty() {
        return Err(Problem::unfit("field_missing", format!("{field} is empty")).with("field", field));
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        let detail = format!("{field} is longer than {TEXT_CHARS_MAX} characters");
        return Err(Problem::unfit("too_much", detail).with("field", field));
    }
    Ok(text.to_owned())
}

async fn known_line(local: &Local, code: &str) -> Result<(), Problem> {
    let wanted = code.to_owned();
    let is_known = local.journal.read(move |db| {
        Ok(!scope::is_known(db)? || scope::lines(db)?.iter().any(|line| line.code == wanted))
    });
    if is_known.await? {
        return Ok(());
    }
    Err(Problem::unfit("unknown_line", format!("line {code} is not among this device's lines"))
        .with("field", "line"))
}

async fn known_customer(local: &Local, code: &str) -> Result<(), Problem> {
    let wanted = code.to_owned();
    let is_known = local.journal.read(move |db| {
        Ok(!scope::is_known(db)? || scope::customers(db)?.iter().any(|customer| customer.code == wanted))
    });
    if is_known.await? {
        return Ok(());
    }
    let detail = format!("customer {code} is not among this device's customers");
    Err(Problem::unfit("unknown_customer", detail).with("field", "customer"))
}

/// A fault to be reported.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    id: Uuid,
    line: String,
    #[serde(default)]
    channel: Option<Channel>,
    #[serde(default)]
    reporter: String,
    description: String,
    #[serde(default)]
    occurred_at: Option<String>,
    #[serde(default)]
    reason: String,
}

/// `POST /api/faults`
pub async fn report(
    State(local): State<Arc<Local>>,
    Extension(user): Extension<User>,
    Body(new): Body<NewReport>,
) -> Result<Response, Problem> {
    let said = said(&local, new.id, new.occurred_at.as_deref(), &new.reason).await?;
    known_line(&local, &new.line).await?;
    let mut description = text("description", &new.description, true)?;
    if let Some(reason) = &said.reason {
        description = format!("{description}\n({reason})");
    }
    let report = Report {
        line: new.line,
        channel: new.channel.unwrap_or(Channel::Technician),
        reporter: text("reporter", &new.reporter, false)?,
        description,
    };
    save(&local, user, said, FactBody::Report(report)).await
}

/// A step of a fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStep {
    id: Uuid,
    kind: String,
    #[serde(default)]
    occurred_at: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    note: String,
}

/// `POST /api/faults/{fault}/steps`
pub async fn step(
    State(local): State<Arc<Local>>,
    Extension(user): Extension<User>,
    Id(fault): Id,
    Body(new): Body<NewStep>,
) -> Result<Response, Problem> {
    let said = said(&local, new.id, new.occurred_at.as_deref(), &new.reason).await?;
    let note = text("note", &new.note, new.kind == "note")?;
    let kind = match new.kind.as_str() {
        "acknowledged" => StepKind::Acknowledged,
        "dispatched" => StepKind::Dispatched,
        "arrived" => StepKind::Arrived,
        "restored" => StepKind::Restored,
        "repaired" => StepKind::Repaired,
        "note" => StepKind::Note { text: note.clone() },
        other => {
            let detail = format!("\"{other}\" is not one of: {}", FAULT_STEPS.join(", "));
            return Err(Problem::unfit("unknown_step", detail));
        }
    };
    possible(&local, fault, said.id, kind.name()).await?;
    let note = Some(note).filter(|note| !note.is_empty() && !matches!(kind, StepKind::Note { .. }));
    let note = match (note, &said.reason) {
        (Some(note), Some(reason)) => Some(format!("{note}\n({reason})")),
        (note, reason) => note.or_else(|| reason.clone()),
    };
    save(&local, user, said, FactBody::Step(Step { fault, kind, note })).await
}

/// Refuses a step that does not fit what is known here; one that was saved before fits.
async fn possible(local: &Local, fault: Uuid, id: Uuid, kind: &'static str) -> Result<(), Problem> {
    let agent = local.identity().map(|identity| identity.name).unwrap_or_default();
    let scribe = local.scribe.clone();
    let found = local.journal.read(move |db| {
        let is_saved = crate::journal::contains(db, id)?;
        Ok((is_saved, if is_saved { Vec::new() } else { faults::all(db, &scribe, &agent)? }))
    });
    let (is_saved, faults) = found.await?;
    if is_saved {
        return Ok(());
    }
    let named =
        |view: &&faults::FaultView| view.id == fault || view.facts.iter().any(|fact| fact.id == fault);
    let Some(view) = faults.iter().find(named) else {
        return Err(Problem::not_found("there is no such fault on this device"));
    };
    if view.possible.contains(&kind) {
        return Ok(());
    }
    let possible: Vec<&str> =
        view.possible.iter().copied().filter(|step| FAULT_STEPS.contains(step)).collect();
    let detail =
        format!("this is not possible while the fault is {}; possible: {}", view.state, possible.join(", "));
    Err(Problem::new(StatusCode::CONFLICT, "impossible", detail).with("possible", possible))
}

/// A complaint, request or defect to be taken in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMatter {
    id: Uuid,
    kind: MatterKind,
    #[serde(default)]
    class: Option<String>,
    customer: String,
    #[serde(default)]
    line: Option<String>,
    #[serde(default)]
    site: Option<String>,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    reporter: String,
    #[serde(default)]
    occurred_at: Option<String>,
    #[serde(default)]
    reason: String,
}

/// `POST /api/matters`
pub async fn open(
    State(local): State<Arc<Local>>,
    Extension(user): Extension<User>,
    Body(new): Body<NewMatter>,
) -> Result<Response, Problem> {
    if !matches!(new.kind, MatterKind::Complaint | MatterKind::Request | MatterKind::Defect) {
        return Err(Problem::unfit(
            "unknown_kind",
            "only complaints, requests and defects are taken in here",
        ));
    }
    let said = said(&local, new.id, new.occurred_at.as_deref(), &new.reason).await?;
    known_customer(&local, &new.customer).await?;
    if let Some(line) = &new.line {
        known_line(&local, line).await?;
    }
    let mut description = text("description", &new.description, false)?;
    if let Some(reason) = &said.reason {
        let joint = if description.is_empty() { "" } else { "\n" };
        description = format!("{description}{joint}({reason})");
    }
    let opened = Opened {
        kind: new.kind,
        class: new.class.filter(|class| !class.is_empty()),
        customer: new.customer,
        line: new.line,
        site: new.site.filter(|site| !site.is_empty()),
        title: text("title", &new.title, true)?,
        description,
        reporter: text("reporter", &new.reporter, false)?,
    };
    save(&local, user, said, FactBody::Opened(opened)).await
}

/// A step of a matter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDeed {
    id: Uuid,
    kind: String,
    #[serde(default)]
    reached: Option<bool>,
    #[serde(default)]
    how: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    occurred_at: Option<String>,
    #[serde(default)]
    reason: String,
}

/// `POST /api/matters/{matter}/steps`
pub async fn deed(
    State(local): State<Arc<Local>>,
    Extension(user): Extension<User>,
    Id(matter): Id,
    Body(new): Body<NewDeed>,
) -> Result<Response, Problem> {
    let said = said(&local, new.id, new.occurred_at.as_deref(), &new.reason).await?;
    let step = match new.kind.as_str() {
        "answered" => MatterStep::Answered,
        "told" => MatterStep::Told { reached: new.reached.unwrap_or(true) },
        "resolved" => MatterStep::Resolved { how: text("how", &new.how, true)? },
        "note" => MatterStep::Note { text: text("text", &new.text, true)? },
        other => {
            let detail = format!("\"{other}\" is not one of: answered, told, resolved, note");
            return Err(Problem::unfit("unknown_step", detail));
        }
    };
    save(&local, user, said, FactBody::Deed(Deed { matter, step })).await
}
