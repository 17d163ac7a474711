//! An agent out of its server's reach takes reports in, as many as its page takes, and is killed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Toll;
use crate::harness::{
    Agent, BOUND, Folder, Seed, Server, ServerOptions, Store, block_on, eventually, sample,
};

const AGENT: &str = "bench-agent";
const LINES: usize = 100;
/// Who signs in, and with what.
const USER: &str = "technician-1";
const PASSWORD: &str = "a sample password";
/// Reports under way at the same time.
const AT_ONCE: usize = 32;
/// The kill comes after so many reports at least, and at most.
const REPORTS: [u64; 2] = [500, 2_500];
/// What waits for a server takes its time until all is there.
const SENT_WITHIN: std::time::Duration = std::time::Duration::from_mins(2);

/// Counts reports over so many kills.
///
/// # Errors
/// When a program refuses.
pub fn taking_in(kills: u64, chance: &mut Seed) -> Result<Toll> {
    let folder = Folder::new()?;
    let mut server = Server::new(&folder.sub("server")?, &ServerOptions::default())?;
    server.user(USER, "technician", PASSWORD)?;
    sample::import(&server, "group-line", "AAA", LINES, AGENT)?;
    server.start()?;
    let dir = folder.sub("agent")?;
    let mut agent = Agent::new(&dir, None, &[])?;
    agent.enroll(&server, AGENT)?;
    server.run(&["agent", "people", AGENT, "--add", USER], "")?.ok()?;
    agent.run(&["sync", "--quiet"])?.ok()?;
    server.stop()?;

    let mut acknowledged = Vec::new();
    for _ in 0..kills {
        agent.start()?;
        let page = Page::open(&dir.join("agent.toml"))?;
        let enough = REPORTS[0] + chance.below(REPORTS[1] - REPORTS[0]);
        let count = Arc::new(AtomicU64::new(0));
        let mut writers = JoinSet::new();
        block_on(async {
            for n in 0..AT_ONCE {
                writers.spawn(page.clone().write(n, Arc::clone(&count)));
            }
        });
        eventually(BOUND, "reports are taken in", || {
            Ok((count.load(Ordering::Relaxed) >= enough).then_some(()))
        })?;
        agent.kill()?;
        while let Some(written) = block_on(writers.join_next()) {
            acknowledged.extend(written??);
        }
    }

    server.start()?;
    let status = agent.start_command(&["sync", "--quiet"])?.wait(SENT_WITHIN)?;
    ensure!(status.success(), "the sync ended with {status}; see {}", agent.log().display());
    let there = Store::Sqlite(server.database()).ids("SELECT id FROM record WHERE kind = 'report'")?;
    server.stop()?;
    Ok(Toll::of_ids(kills, &acknowledged, &there))
}

/// The agent's page, signed in.
#[derive(Clone)]
struct Page {
    http: reqwest::Client,
    base: String,
    cookie: String,
    token: String,
}

impl Page {
    fn open(config: &Path) -> Result<Self> {
        let config: toml::Table = std::fs::read_to_string(config)?.parse()?;
        let base = format!("http://{}", config["ui"]["listen"].as_str().context("ui.listen")?);
        let http = reqwest::Client::builder().no_proxy().timeout(BOUND).build()?;
        let (cookie, token) = eventually(BOUND, "somebody signs in", || {
            let said = json!({ "user": USER, "password": PASSWORD });
            let request = http.post(format!("{base}/api/session")).header("origin", &base).json(&said);
            block_on(async {
                let answer = request.send().await?.error_for_status()?;
                let cookie = answer.headers().get("set-cookie").context("no cookie")?.to_str()?;
                let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
                let body: Value = answer.json().await?;
                Ok(Some((cookie, body["token"].as_str().context("token")?.to_owned())))
            })
        })?;
        Ok(Self { http, base, cookie, token })
    }

    /// Reports until nobody answers any more. The ids of what was acknowledged.
    async fn write(self, n: usize, count: Arc<AtomicU64>) -> Result<Vec<Uuid>> {
        let mut ids = Vec::new();
        loop {
            let id = Uuid::now_v7();
            let line = sample::line((n + ids.len()) % LINES);
            let Ok(answer) = self.report(id, &line).await else { return Ok(ids) };
            ensure!(answer.status().is_success(), "{}", answer.status());
            ids.push(id);
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn report(&self, id: Uuid, line: &str) -> reqwest::Result<reqwest::Response> {
        let said = json!({
            "id": id, "line": line, "channel": "technician", "reporter": "sample caller",
            "description": "nothing goes through",
        });
        let request = self.http.post(format!("{}/api/faults", self.base)).header("origin", &self.base);
        let request = request.header("cookie", &self.cookie).header("x-linewatch-token", &self.token);
        request.json(&said).send().await
    }
}
