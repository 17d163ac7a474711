//! `GET /api/work`: what is to be done, counted down by the same code as at the server, offline too.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{ReferenceCustomer, ReferenceLine, Work};
use rusqlite::Connection;
use serde::Serialize;
use uuid::Uuid;

use super::error::Problem;
use super::sessions::User;
use super::state::Local;
use crate::field::corrected::Corrected;
use crate::field::faults::{self, FaultView};
use crate::field::matters::{self, MatterView};
use crate::field::{parts, vantage, work};
use crate::journal::{self, JournalError, LaneView};
use crate::monitor::LineView;
use crate::run::targets::Choice;
use crate::scope;
use crate::scope::contracts::pack_versions;

/// Steps that a technician takes.
pub const FAULT_STEPS: [&str; 6] = ["acknowledged", "dispatched", "arrived", "restored", "repaired", "note"];

/// The answer.
#[derive(Serialize)]
pub struct Answer {
    as_of: String,
    faults: Vec<Fault>,
    matters: Vec<MatterView>,
    lines: Vec<Line>,
    customers: Vec<Customer>,
    sync: Sync,
}

#[derive(Serialize)]
struct Fault {
    #[serde(flatten)]
    view: FaultView,
    customer_name: String,
    site: String,
    mine: bool,
}

#[derive(Serialize)]
struct Line {
    code: String,
    customer: String,
    customer_name: String,
    site: String,
    service: String,
    tier: String,
    probe: String,
    interval_ms: u32,
    state: String,
    since: Option<String>,
    rtt_us: Option<u32>,
    loss: Option<f64>,
    fault: Option<Uuid>,
    /// Whether this agent watches the line.
    own: bool,
    /// Until when it is probed from here although another agent watches it.
    vantage_until: Option<String>,
}

#[derive(Serialize)]
struct Customer {
    code: String,
    name: String,
    contact_name: String,
    contact_phone: String,
    sites: Vec<String>,
    lines: Vec<String>,
}

/// How the conversation with the server stands.
#[derive(Serialize)]
struct Sync {
    enrolled: bool,
    connected: bool,
    last_contact_at: Option<String>,
    offset_ms: Option<i64>,
    trouble: Option<String>,
    unsent: Unsent,
    rate_bytes_per_s: Option<u64>,
    rest_ms: Option<u64>,
    progress: Option<f64>,
}

#[derive(Clone, Copy, Serialize)]
struct Unsent {
    records: u64,
    parts: u64,
    bytes: u64,
}

/// What is read of the journal in one go.
struct Found {
    now: UnixMs,
    faults: Vec<FaultView>,
    matters: Vec<MatterView>,
    lines: Vec<ReferenceLine>,
    vantage: BTreeMap<String, UnixMs>,
    customers: Vec<ReferenceCustomer>,
    unsent: Unsent,
    /// Bytes of the parts that are being sent, and of those what the server has.
    under_way: (u64, u64),
}

/// `GET /api/work`
pub async fn show(
    State(local): State<Arc<Local>>,
    Extension(user): Extension<User>,
) -> Result<Json<Answer>, Problem> {
    let agent = local.identity().map(|identity| identity.name).unwrap_or_default();
    let agent_name = agent.clone();
    let scribe = local.scribe.clone();
    let found = local.journal.read(move |db| find(db, &scribe, &agent)).await?;
    let live = local.monitor.snapshot().await.unwrap_or_default();
    let status = local.sync_status();
    let status_rate = status.as_ref().and_then(|status| status.rate_bytes_per_s);
    let Found { now, faults, matters, lines, vantage, customers, unsent, under_way } = found;
    let choice = Choice { own: agent_name, vantage: vantage.keys().cloned().collect() };
    let name_of = |code: &str| {
        customers.iter().find(|known| known.code == code).map(|known| known.name.clone()).unwrap_or_default()
    };
    let site_of = |code: &str| {
        lines.iter().find(|line| line.code == code).map(|line| line.site.clone()).unwrap_or_default()
    };
    let faults: Vec<Fault> = faults
        .into_iter()
        .filter(|fault| fault.live)
        .map(|mut view| {
            view.possible.retain(|step| FAULT_STEPS.contains(step));
            let mine =
                view.facts.iter().any(|fact| fact.by.as_deref().is_some_and(|by| is_by(by, &user.name)));
            Fault { customer_name: name_of(&view.customer), site: site_of(&view.line), mine, view }
        })
        .collect();
    let lines_shown = lines
        .iter()
        .map(|line| {
            let fault = faults.iter().find(|fault| fault.view.line == line.code).map(|fault| fault.view.id);
            let view = live.iter().find(|view| view.line == line.code);
            let until = vantage.get(&line.code).copied();
            line_of(line, name_of(&line.customer), view, (fault, choice.is_own(line), until))
        })
        .collect();
    let customers = customers.iter().map(|customer| customer_of(customer, &lines)).collect();
    let sync = Sync {
        enrolled: local.identity().is_some(),
        connected: status.as_ref().is_some_and(|status| status.connected),
        last_contact_at: status.as_ref().and_then(|status| status.last_contact_at).map(UnixMs::to_rfc3339),
        offset_ms: status.as_ref().and_then(|status| status.offset_ms),
        trouble: status.and_then(|status| status.trouble),
        unsent,
        rate_bytes_per_s: status_rate,
        rest_ms: status_rate.map(|rate| unsent.bytes.saturating_mul(1_000) / rate.max(1)),
        progress: (under_way.0 > 0).then(|| under_way.1 as f64 / under_way.0 as f64),
    };
    Ok(Json(Answer { as_of: now.to_rfc3339(), faults, matters, lines: lines_shown, customers, sync }))
}

/// The server names the device beside the person.
fn is_by(by: &str, name: &str) -> bool {
    by == name || by.strip_prefix(name).is_some_and(|rest| rest.starts_with(" ("))
}

fn find(db: &Connection, scribe: &journal::Scribe, agent: &str) -> Result<Found, JournalError> {
    let now = Corrected::read(db)?.now(scribe);
    let work: Work = work::load(db)?;
    let packs = pack_versions(db)?;
    let customers = scope::customers(db)?;
    let (_, views) = journal::lane_views(db)?;
    let left = parts::left(db)?;
    let records = views.iter().map(LaneView::unsent).sum();
    let bytes = left.bytes + journal::unsent_bytes(db)?;
    let (mut whole_bytes, mut held_bytes) = (0, 0);
    for part in parts::unsent(db, usize::MAX >> 1)? {
        whole_bytes += part.bytes;
        held_bytes += part.held;
    }
    Ok(Found {
        now,
        faults: faults::all(db, scribe, agent)?,
        matters: matters::all(db, &work, &packs, &customers, now)?,
        lines: scope::lines(db)?,
        vantage: vantage::lines(db, scribe.now())?,
        customers,
        unsent: Unsent { records, parts: left.parts, bytes },
        under_way: (whole_bytes, held_bytes),
    })
}

fn line_of(
    line: &ReferenceLine,
    customer_name: String,
    live: Option<&LineView>,
    (fault, own, until): (Option<Uuid>, bool, Option<UnixMs>),
) -> Line {
    let state = live
        .map_or("unknown", |view| if view.degraded { "degraded" } else { journal::state_name(view.state) });
    let loss = live
        .filter(|view| view.recent_sent > 0)
        .map(|view| f64::from(view.recent_lost) / f64::from(view.recent_sent));
    Line {
        code: line.code.clone(),
        customer: line.customer.clone(),
        customer_name,
        site: line.site.clone(),
        service: line.service.clone(),
        tier: line.terms.last().map(|terms| terms.tier.clone()).unwrap_or_default(),
        probe: line.probe.clone(),
        interval_ms: line.interval_ms,
        state: state.to_owned(),
        since: live.map(|view| view.since_at.to_rfc3339()),
        rtt_us: live.and_then(|view| view.last_rtt_us),
        loss,
        fault,
        own,
        vantage_until: until.map(UnixMs::to_rfc3339),
    }
}

fn customer_of(customer: &ReferenceCustomer, lines: &[ReferenceLine]) -> Customer {
    let own = lines.iter().filter(|line| line.customer == customer.code);
    let mut sites: Vec<String> =
        own.clone().map(|line| line.site.clone()).filter(|site| !site.is_empty()).collect();
    sites.sort_unstable();
    sites.dedup();
    Customer {
        code: customer.code.clone(),
        name: customer.name.clone(),
        contact_name: customer.contact_name.clone(),
        contact_phone: customer.contact_phone.clone(),
        sites,
        lines: own.map(|line| line.code.clone()).collect(),
    }
}

/// `POST /api/sync`
pub async fn sync(State(local): State<Arc<Local>>) -> StatusCode {
    local.wish_sync();
    StatusCode::ACCEPTED
}
