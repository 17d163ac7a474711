//! Many open faults and a steady stream of changes to them, over the API of a real server. For benchmarks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use linewatch_shared::time::UnixMs;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::harness::Server;

/// One address and one user stand for many here: what is measured is the server, not its patience with one of them.
pub const WITHOUT_LIMITS: &str = "limits.requests_per_address = 1000000000\nlimits.requests_per_user = 1000000000\n\
    limits.streams_per_user = 100000\nlimits.connections_per_address = 100000\n";

/// Calls at the same time.
const AT_ONCE: usize = 16;
/// Changes that may be unanswered; further ones are left out and counted.
const UNANSWERED_MAX: usize = 200;
/// Changes begin in small groups, so often.
const GROUP_EVERY: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of the API that may be called many times at once.
#[derive(Clone, Debug)]
pub struct Calls {
    http: reqwest::Client,
    /// Without a bound: streams have no end.
    streams: reqwest::Client,
    base: String,
    token: String,
}

impl Calls {
    /// As a new user of this role.
    ///
    /// # Errors
    /// When the server refuses the user.
    pub fn new(server: &Server, name: &str, role: &str) -> Result<Self> {
        server.run(&["user", "add", name, "--role", role], "a sample password")?.ok()?;
        let token = server.run(&["user", "token", name], "")?.ok()?.trim().to_owned();
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        let streams = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, streams, base: format!("http://{}/api/v1", server.http), token })
    }

    /// Writes, and reads the answer.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.token).json(body);
        let answer = request.send().await?;
        let status = answer.status();
        let body: Value = answer.json().await.context("an answer")?;
        if !status.is_success() {
            bail!("{path}: {status}: {body}");
        }
        Ok(body)
    }

    /// A request that may last; those that last at the same time have connections of their own.
    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.streams.get(format!("{}{path}", self.base)).bearer_auth(&self.token)
    }
}

/// Reports a fault of each line at the moment that is given for it; answers their ids.
///
/// # Errors
/// When one is refused.
pub async fn report(calls: &Calls, faults: Vec<(String, UnixMs)>) -> Result<Vec<String>> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (n, (line, at)) in faults.into_iter().enumerate() {
        let (calls, turns) = (calls.clone(), Arc::clone(&turns));
        tasks.spawn(async move {
            let _turn = turns.acquire().await?;
            let body = json!({ "line": line, "reported_at": at.to_rfc3339(), "channel": "hotline",
                "reporter": "sample caller", "description": "sample report" });
            let fault = calls.post("/faults", &body).await?;
            anyhow::Ok((n, fault["id"].as_str().context("id")?.to_owned()))
        });
    }
    let mut ids = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        let (n, id) = done??;
        ids.insert(n, id);
    }
    Ok(ids.into_values().collect())
}

/// What became of a stream of changes.
#[derive(Debug, Default)]
pub struct Sums {
    /// Written.
    pub done: AtomicU64,
    /// Refused, or not answered in time.
    pub failed: AtomicU64,
    /// Left out because too many were unanswered.
    pub left: AtomicU64,
}

/// Tells the customer of one fault after the other, so many a second, for so long.
pub async fn change(calls: &Calls, faults: &[String], per_second: u64, span: Duration) -> Arc<Sums> {
    let sums = Arc::new(Sums::default());
    let turns = Arc::new(Semaphore::new(UNANSWERED_MAX));
    let mut timer = tokio::time::interval(GROUP_EVERY);
    let groups = span.as_millis() / GROUP_EVERY.as_millis();
    let mut begun: u64 = 0;
    for group in 1..=u64::try_from(groups).unwrap_or(u64::MAX) {
        timer.tick().await;
        let due = group * per_second * GROUP_EVERY.as_millis() as u64 / 1_000;
        while begun < due {
            let fault = faults[begun as usize % faults.len()].clone();
            begun += 1;
            let Ok(turn) = Arc::clone(&turns).try_acquire_owned() else {
                sums.left.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let (calls, sums) = (calls.clone(), Arc::clone(&sums));
            tokio::spawn(async move {
                let fact = json!({ "kind": "feedback", "reached": true });
                let answer = calls.post(&format!("/faults/{fault}/facts"), &fact).await;
                let counted = if answer.is_ok() { &sums.done } else { &sums.failed };
                counted.fetch_add(1, Ordering::Relaxed);
                drop(turn);
            });
        }
    }
    // Until all are answered.
    let _ = turns.acquire_many(UNANSWERED_MAX as u32).await;
    sums
}

/// The value below which so much of the list is, and the most. The list is sorted by this.
pub fn quantile(values: &mut [i64], share: f64) -> i64 {
    values.sort_unstable();
    let at = (share * values.len() as f64).ceil() as usize;
    values.get(at.saturating_sub(1)).or(values.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let mut values: Vec<i64> = (1..=100).rev().collect();
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| quantile(&mut values, share)), [1, 50, 99, 100]);
        assert_eq!(quantile(&mut [], 0.5), 0);
    }
}
