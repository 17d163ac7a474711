//! The running agent's state for `status`, over HTTP on loopback: `GET /status`, JSON, nothing else.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linewatch_shared::health::{Health, HealthWarning};
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::journal::Scribe;
use crate::monitor::MonitorHandle;
use crate::probe::{ProberHandle, SocketKind};
use crate::sync::session::SyncStatus;

/// The longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 4_096;
/// Requests at a time.
const CONNECTIONS_MAX: usize = 8;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(5);

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

/// Where the page gets its figures.
#[derive(Clone)]
pub struct Sources {
    /// Times.
    pub scribe: Scribe,
    /// The data directory.
    pub data_dir: PathBuf,
    /// The prober; gone at the end.
    pub prober: std::sync::Weak<ProberHandle>,
    /// The monitor.
    pub monitor: MonitorHandle,
    /// The conversation, once there is one.
    pub sync: Arc<Mutex<Option<watch::Receiver<SyncStatus>>>>,
    /// The last health reading.
    pub health: watch::Receiver<Health>,
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

impl Sources {
    /// The state now.
    pub async fn status(&self) -> Status {
        let stats = self.prober.upgrade().map(|prober| prober.stats()).unwrap_or_default();
        let lines = self.monitor.snapshot().await.unwrap_or_default();
        let health = self.health.borrow().clone();
        let sync = self.sync.lock().unwrap_or_else(PoisonError::into_inner);
        let sync = sync.as_ref().map(|status| status.borrow().clone());
        Status {
            as_of: self.scribe.now(),
            pid: std::process::id(),
            data_dir: self.data_dir.clone(),
            socket_v4: socket_text(&stats.socket_v4),
            socket_v6: socket_text(&stats.socket_v6),
            probes: [stats.sent, stats.received, stats.lost],
            sync,
            warnings: health.warnings(),
            health,
            lines: serde_json::to_value(lines).unwrap_or_default(),
        }
    }
}

/// Serves until it is dropped. A port that is taken is told, and is no reason not to probe.
pub async fn serve(listen: SocketAddr, sources: Sources) {
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%listen, %error, "the local status is not served");
            return;
        }
    };
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let sources = sources.clone();
        tokio::spawn(async move {
            let _ = tokio::time::timeout(TIMEOUT, answer(stream, &sources)).await;
            drop(slot);
        });
    }
}

async fn answer(mut stream: TcpStream, sources: &Sources) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 1_024];
    while !request.windows(4).any(|part| part == b"\r\n\r\n") {
        let read = stream.read(&mut chunk).await?;
        if read == 0 || request.len() + read > REQUEST_BYTES_MAX {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..read]);
    }
    let request = String::from_utf8_lossy(&request);
    let (status, body) = match judge(&request) {
        Ok(()) => ("200 OK", serde_json::to_vec(&sources.status().await)?),
        Err(status) => (status, b"{}".to_vec()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

/// Only the one path, and only under a name of this machine: a web page elsewhere must not be able to
/// have a browser read this by a name of its own that points here.
fn judge(request: &str) -> Result<(), &'static str> {
    let mut lines = request.lines();
    if !lines.next().is_some_and(|line| line.starts_with("GET /status ")) {
        return Err("404 Not Found");
    }
    let host = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim());
    let Some(host) = host else { return Err("400 Bad Request") };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let name = name.trim_matches(['[', ']']);
    let is_loopback = name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_loopback || name == "localhost" { Ok(()) } else { Err("403 Forbidden") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_status_and_only_by_a_loopback_name() {
        let cases = [
            ("GET /status HTTP/1.1\r\nHost: 127.0.0.1:8090\r\n\r\n", Ok(())),
            ("GET /status HTTP/1.1\r\nhost: [::1]:8090\r\n\r\n", Ok(())),
            ("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n", Ok(())),
            ("GET /status HTTP/1.1\r\nHost: evil.example:8090\r\n\r\n", Err("403 Forbidden")),
            ("GET /status HTTP/1.1\r\n\r\n", Err("400 Bad Request")),
            ("POST /status HTTP/1.1\r\nHost: localhost\r\n\r\n", Err("404 Not Found")),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", Err("404 Not Found")),
        ];
        for (request, expected) in cases {
            assert_eq!(judge(request), expected, "{request:?}");
        }
    }
}
