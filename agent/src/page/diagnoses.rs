//! `POST /api/lines/{code}/diagnosis`: one button; the findings are kept as evidence.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use linewatch_shared::facts::{Body, Diagnosis, Finding, When};
use linewatch_shared::probe_url::ProbeSpec;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::Problem;
use super::extract::Id;
use super::sessions::User;
use super::state::Local;
use crate::diagnosis::{Subject, diagnose, words};
use crate::field::faults;
use crate::scope;

/// Diagnoses that are remembered.
const KEPT_MAX: usize = 16;

struct Running {
    id: Uuid,
    line: String,
    findings: Vec<Finding>,
    done: bool,
    record: Option<Uuid>,
}

/// Those of late; one runs at a time.
#[derive(Default)]
pub struct Diagnoses(Mutex<VecDeque<Running>>);

impl Diagnoses {
    fn begin(&self, id: Uuid, line: &str) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|one| !one.done) {
            return false;
        }
        if all.len() >= KEPT_MAX {
            all.pop_front();
        }
        all.push_back(Running { id, line: line.to_owned(), findings: Vec::new(), done: false, record: None });
        true
    }

    fn with<T>(&self, id: Uuid, work: impl FnOnce(&mut Running) -> T) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter_mut().find(|one| one.id == id).map(work)
    }
}

/// Marks a diagnosis done however its task ends.
struct Ending {
    local: Arc<Local>,
    id: Uuid,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.local.diagnoses.with(self.id, |one| one.done = true);
    }
}

/// `POST /api/lines/{code}/diagnosis`
pub async fn begin(
    State(local): State<Arc<Local>>,
    Extension(user): Extension<User>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let wanted = code.clone();
    let line =
        local.journal.read(move |db| Ok(scope::lines(db)?.into_iter().find(|line| line.code == wanted)));
    let line = line.await?.ok_or_else(|| Problem::not_found("this line is not among this device's lines"))?;
    let spec: ProbeSpec = line.probe.parse().map_err(|_| {
        Problem::unfit(
            "no_probe",
            "nothing is said of how this line is probed: ask the desk to give it a probe",
        )
    })?;
    let id = local.scribe.new_id();
    if !local.diagnoses.begin(id, &code) {
        let detail = "a diagnosis is running already; wait for it";
        return Err(Problem::new(StatusCode::CONFLICT, "busy", detail));
    }
    let server = local.identity().and_then(|identity| {
        let url = reqwest::Url::parse(&identity.server).ok()?;
        url.host_str().map(str::to_owned)
    });
    let outside = local.config.probe.anchors.iter().filter_map(|anchor| anchor.parse().ok()).collect();
    let subject = Subject { name: name_of(&spec).or(server), spec, outside };
    tokio::spawn(run(local, id, code, subject, user));
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))).into_response())
}

fn name_of(spec: &ProbeSpec) -> Option<String> {
    use linewatch_shared::probe_url::Host;
    match spec {
        ProbeSpec::Icmp { host: Host::Name(name), .. } | ProbeSpec::Tcp { host: Host::Name(name), .. } => {
            Some(name.clone())
        }
        ProbeSpec::Http { url, .. } => reqwest::Url::parse(url).ok()?.host_str().map(str::to_owned),
        _ => None,
    }
}

async fn run(local: Arc<Local>, id: Uuid, line: String, subject: Subject, user: User) {
    let ending = Ending { local: Arc::clone(&local), id };
    let occurred = When::Machine(local.scribe.reading());
    diagnose(subject, |finding| {
        local.diagnoses.with(id, |one| one.findings.push(finding));
    })
    .await;
    let findings = local.diagnoses.with(id, |one| one.findings.clone()).unwrap_or_default();
    let fault = open_fault(&local, &line).await;
    let record =
        local.scribe.record(occurred, Some(user.name), Body::Diagnosis(Diagnosis { line, fault, findings }));
    match local.journal.append(std::slice::from_ref(&record)).await {
        Ok(_) => {
            local.diagnoses.with(id, |one| one.record = Some(record.id));
        }
        Err(error) => tracing::error!(%error, "a diagnosis could not be saved"),
    }
    drop(ending);
}

async fn open_fault(local: &Local, line: &str) -> Option<Uuid> {
    let agent = local.identity().map(|identity| identity.name).unwrap_or_default();
    let (scribe, line) = (local.scribe.clone(), line.to_owned());
    let faults = local.journal.read(move |db| faults::all(db, &scribe, &agent)).await.ok()?;
    faults.into_iter().find(|fault| fault.live && fault.line == line).map(|fault| fault.id)
}

/// `GET /api/diagnoses/{id}`
pub async fn show(State(local): State<Arc<Local>>, Id(id): Id) -> Result<Json<Value>, Problem> {
    let view = local.diagnoses.with(id, |one| {
        let findings: Vec<Value> = one.findings.iter().map(finding_view).collect();
        let state = if one.done { "done" } else { "running" };
        json!({ "state": state, "line": one.line, "findings": findings, "record": one.record })
    });
    view.map(Json).ok_or_else(|| {
        Problem::not_found("this diagnosis is no longer remembered; look under what was saved")
    })
}

fn finding_view(finding: &Finding) -> Value {
    let mut view = serde_json::to_value(finding).unwrap_or_default();
    if let Some(fields) = view.as_object_mut() {
        fields.insert("text".to_owned(), json!(words::text(finding)));
    }
    view
}
