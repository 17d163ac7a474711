//! The server: two nodes on one database, each with a memory of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use linewatch_server::app::App;
use linewatch_server::boot::assemble;
use linewatch_server::config::Settings;
use linewatch_server::db::{Db, DbUrl};
use linewatch_server::tls::{Peer, Shown};
use linewatch_server::{engine, http};
use linewatch_shared::time::{Clock, ManualClock};
use linewatch_shared::wire::{CONTENT_TYPE, GENERATION_HEADER};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How many nodes there are.
pub const NODES: usize = 2;
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Where everybody comes from.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);

/// An answer.
pub struct Answered {
    pub status: StatusCode,
    pub kind: String,
    pub retry_after_s: Option<i64>,
    pub body: Vec<u8>,
}

/// A node that runs.
#[derive(Clone)]
pub struct Node {
    pub app: Arc<App>,
    sync: Router,
    desk: Router,
}

impl Node {
    async fn ask(&self, router: &Router, request: Request<Body>) -> Result<Answered> {
        let (head, body) = router.clone().oneshot(request).await?.into_parts();
        let field = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let kind = field(header::CONTENT_TYPE).unwrap_or_default().to_owned();
        let retry_after_s = field(header::RETRY_AFTER).and_then(|text| text.parse().ok());
        let body = to_bytes(body, ANSWER_BYTES_MAX).await?.to_vec();
        Ok(Answered { status: head.status, kind, retry_after_s, body })
    }

    /// An agent's call.
    pub async fn call(&self, call: &str, shown: &Shows, body: Vec<u8>) -> Result<Answered> {
        let mut request = Request::post(format!("/sync/v1/{call}"))
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .extension(ConnectInfo(Peer { address: ADDRESS, certificate: shown.certificate }));
        if let Some(generation) = &shown.generation {
            request = request.header(GENERATION_HEADER, hex::encode(generation));
        }
        self.ask(&self.sync, request.body(Body::from(body))?).await
    }

    /// A person's call.
    pub async fn post(
        &self,
        path: &str,
        token: &str,
        key: &str,
        body: &serde_json::Value,
    ) -> Result<Answered> {
        let request = Request::post(format!("/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .extension(ConnectInfo(Peer { address: ADDRESS, certificate: None }))
            .body(Body::from(body.to_string()))?;
        self.ask(&self.desk, request).await
    }
}

/// What an agent's call shows of itself.
#[derive(Clone, Debug, Default)]
pub struct Shows {
    pub certificate: Option<Shown>,
    pub generation: Option<Vec<u8>>,
}

/// Both nodes and their database.
pub struct Nodes {
    dir: PathBuf,
    clock: Arc<ManualClock>,
    up: [Option<Node>; NODES],
}

impl Nodes {
    /// On a database in `dir`; nothing runs yet.
    pub fn new(dir: &Path, clock: &Arc<ManualClock>) -> Self {
        Self { dir: dir.to_owned(), clock: Arc::clone(clock), up: [const { None }; NODES] }
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.dir.join("server.db")
    }

    fn settings(&self) -> Result<Settings> {
        let text = format!(
            "data_dir = \"{}\"\n[db]\nurl = \"sqlite:{}\"\n[smtp]\nhost = \"127.0.0.1\"\nfrom = \"noc@desk.example\"\n",
            self.dir.display(),
            self.database().display()
        );
        Settings::parse(&text, "sim.toml", Vec::new()).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))
    }

    /// Starts a node.
    pub async fn start(&mut self, n: usize) -> Result<()> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let db = Db::open(&DbUrl::Sqlite(self.database()), clock.now().0).await?;
        let link_base = "http://desk.example".to_owned();
        let app = Arc::new(assemble(db, self.settings()?, clock, CancellationToken::new(), link_base).await?);
        let http::Routers { desk, sync, .. } = http::routers(&app);
        self.up[n] = Some(Node { app, sync, desk });
        Ok(())
    }

    /// Takes over a node that was started beside.
    pub fn take_from(&mut self, other: &mut Self, n: usize) {
        self.up[n] = other.up[n].take();
    }

    /// A node dies: what it had not committed is gone, and so is its memory.
    pub fn stop(&mut self, n: usize) {
        self.up[n] = None;
    }

    /// The nodes that run.
    pub fn running(&self) -> Vec<Node> {
        self.up.iter().flatten().cloned().collect()
    }

    /// Whether it runs.
    pub fn is_up(&self, n: usize) -> bool {
        self.up[n].is_some()
    }

    /// A copy of the database, while it is used.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        let node = self.running().into_iter().next().context("no node runs")?;
        node.app.db.backup(to.to_owned()).await?;
        Ok(())
    }

    /// Puts the database back to an old backup, as an operator does: everything stopped.
    pub fn restore(&mut self, from: &Path) -> Result<()> {
        self.up = [const { None }; NODES];
        // The file too: a request that was under way may hold a connection a moment longer than a process that has died
        // would, and on its end write what it knows into the file that it has open.
        for suffix in ["", "-wal", "-shm"] {
            let mut beside = self.database().into_os_string();
            beside.push(suffix);
            match std::fs::remove_file(&beside) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
        std::fs::copy(from, self.database())?;
        Ok(())
    }

    /// One round of every loop of a node.
    pub async fn round(node: &Node) -> Result<()> {
        Ok(engine::round(&node.app).await?)
    }
}
