//! Lines' last hours, and what packs say of forms and classes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use linewatch_shared::facts::{Body as Fact, Record};
use linewatch_shared::minute::MinuteBlock;
use linewatch_shared::rules::{Form, Label, MatterKind};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Problem;
use super::extract::Body;
use super::state::Local;
use crate::field::vantage;
use crate::journal;
use crate::scope;
use crate::scope::contracts::pack_versions;

/// The most hours that are shown.
const HOURS_MAX: u32 = 24;

/// Which minutes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    hours: Option<u32>,
}

#[derive(Serialize)]
struct Minute {
    at: String,
    sent: u32,
    lost: u32,
    late: u32,
    not_sent: u32,
    min_us: Option<u32>,
    avg_us: Option<u32>,
    max_us: Option<u32>,
    jitter_us: Option<u32>,
}

/// `GET /api/lines/{code}/minutes`
pub async fn minutes(
    State(local): State<Arc<Local>>,
    Path(code): Path<String>,
    Query(span): Query<Span>,
) -> Result<Json<Value>, Problem> {
    let hours = span.hours.unwrap_or(3).clamp(1, HOURS_MAX);
    let minutes = local
        .journal
        .read(move |db| {
            let mut found: Vec<Minute> = Vec::new();
            for stored in journal::of_kinds(db, &["minute"], hours as usize * 60)? {
                let Ok(Record { body: Fact::Minute(bytes), .. }) = Record::from_bytes(&stored.bytes) else {
                    continue;
                };
                let Ok(block) = MinuteBlock::decode(&bytes) else { continue };
                let Some(line) = block.lines().iter().find(|line| line.line == code) else { continue };
                let rtt = line.rtt;
                found.push(Minute {
                    at: block.minute_at().to_rfc3339(),
                    sent: line.sent,
                    lost: line.lost,
                    late: line.late,
                    not_sent: line.not_sent,
                    min_us: rtt.map(|rtt| rtt.min_us),
                    avg_us: rtt.map(|rtt| rtt.avg_us),
                    max_us: rtt.map(|rtt| rtt.max_us),
                    jitter_us: rtt.map(|rtt| rtt.jitter_us),
                });
            }
            Ok(found)
        })
        .await?;
    Ok(Json(json!({ "minutes": minutes })))
}

/// The newest version of each pack.
fn newest(versions: Vec<PackVersion>) -> Vec<PackVersion> {
    let mut newest: Vec<PackVersion> = Vec::new();
    for version in versions {
        match newest.iter_mut().find(|known| known.pack.name == version.pack.name) {
            Some(known) if known.valid_from <= version.valid_from => *known = version,
            Some(_) => {}
            None => newest.push(version),
        }
    }
    newest
}

#[derive(Serialize)]
struct FormView<'a> {
    pack: &'a str,
    version: &'a str,
    #[serde(rename = "for")]
    for_: linewatch_shared::rules::FormFor,
    #[serde(flatten)]
    form: &'a Form,
}

/// `GET /api/forms`
pub async fn forms(State(local): State<Arc<Local>>) -> Result<Json<Value>, Problem> {
    let versions = newest(local.journal.read(pack_versions).await?);
    let forms: Vec<FormView<'_>> = versions
        .iter()
        .flat_map(|version| {
            let pack = &version.pack;
            let view =
                |form| FormView { pack: &pack.name, version: &pack.version, for_: form_for(form), form };
            pack.forms.iter().map(view)
        })
        .collect();
    Ok(Json(json!(forms)))
}

const fn form_for(form: &Form) -> linewatch_shared::rules::FormFor {
    form.for_
}

#[derive(Serialize)]
struct ClassView<'a> {
    kind: &'static str,
    name: &'a str,
    label: &'a Label,
}

/// `GET /api/classes`
pub async fn classes(State(local): State<Arc<Local>>) -> Result<Json<Value>, Problem> {
    const KINDS: [MatterKind; 3] = [MatterKind::Complaint, MatterKind::Request, MatterKind::Defect];
    let versions = newest(local.journal.read(pack_versions).await?);
    let mut found: Vec<ClassView<'_>> = Vec::new();
    for class in versions.iter().flat_map(|version| &version.pack.classes) {
        let is_known =
            found.iter().any(|known| known.kind == class.matter.name() && known.name == class.name);
        if KINDS.contains(&class.matter) && !class.supervisor_only && !is_known {
            found.push(ClassView { kind: class.matter.name(), name: &class.name, label: &class.label });
        }
    }
    Ok(Json(json!(found)))
}

/// Whether a line is to be probed from here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vantage {
    on: bool,
}

/// `POST /api/lines/{code}/vantage`: has a line that another agent watches probed from here for a while, or no more.
pub async fn probe_from_here(
    State(local): State<Arc<Local>>,
    Path(code): Path<String>,
    Body(Vantage { on }): Body<Vantage>,
) -> Result<Json<Value>, Problem> {
    let wanted = code.clone();
    let is_known = local.journal.read(move |db| Ok(scope::lines(db)?.iter().any(|line| line.code == wanted)));
    if !is_known.await? {
        return Err(Problem::not_found("this line is not among this device's lines"));
    }
    let now = local.scribe.now();
    let set = local.journal.write(move |tx| vantage::set(tx, &code, on, now)).await?;
    let too_many = format!("at most {} lines are probed from here", vantage::LINES_MAX);
    let until = set.ok_or_else(|| Problem::unfit("too_many", too_many))?;
    local.chosen.send_modify(|count| *count += 1);
    Ok(Json(json!({ "vantage_until": until.map(UnixMs::to_rfc3339) })))
}
