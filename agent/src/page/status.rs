//! The running agent's state for `status`: `GET /status`, for the commands of this machine. Names no customer.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linewatch_shared::health::{Health, HealthWarning};
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::state::Local;
use crate::probe::SocketKind;
use crate::sync::session::SyncStatus;

/// The answer of `GET /status`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// When it was true.
    pub as_of: UnixMs,
    /// The agent's process.
    pub pid: u32,
    /// Which data directory it runs on.
    pub data_dir: PathBuf,
    /// What IPv4 probes go through.
    pub socket_v4: String,
    /// What IPv6 probes go through.
    pub socket_v6: String,
    /// Probes that left, were answered, were lost, since the start.
    pub probes: [u64; 3],
    /// How the conversation with the server stands; none before enrolment.
    pub sync: Option<SyncStatus>,
    /// The last health reading.
    pub health: Health,
    /// What deserves a warning.
    pub warnings: Vec<HealthWarning>,
    /// The lines, by code.
    pub lines: serde_json::Value,
}

/// A socket kind in words.
#[must_use]
pub fn socket_text(kind: &SocketKind) -> String {
    match kind {
        SocketKind::Datagram => "datagram".to_owned(),
        SocketKind::Raw => "raw".to_owned(),
        SocketKind::None { reason } => format!("none ({reason})"),
        SocketKind::Unknown => "not tried yet".to_owned(),
    }
}

/// The state now.
async fn of(local: &Local) -> Status {
    let stats = local.prober.upgrade().map(|prober| prober.stats()).unwrap_or_default();
    let lines = local.monitor.snapshot().await.unwrap_or_default();
    let health = local.health.borrow().clone();
    Status {
        as_of: local.scribe.now(),
        pid: std::process::id(),
        data_dir: local.data_dir.clone(),
        socket_v4: socket_text(&stats.socket_v4),
        socket_v6: socket_text(&stats.socket_v6),
        probes: [stats.sent, stats.received, stats.lost],
        sync: local.sync_status(),
        warnings: health.warnings(),
        health,
        lines: serde_json::to_value(lines).unwrap_or_default(),
    }
}

/// `GET /status`
pub async fn show(State(local): State<Arc<Local>>) -> Json<Status> {
    Json(of(&local).await)
}
