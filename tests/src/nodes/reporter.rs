//! Somebody who reports faults by the API, and repeats a call that was not answered under the same key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::json;

use crate::harness::{block_on, mono_ms};

use super::moment;

/// Between two reports, and before a call is repeated.
const PAUSE: Duration = Duration::from_millis(80);
/// One call.
const TIMEOUT: Duration = Duration::from_secs(15);
/// A call that is not answered for so long, with all its repeats, is a failure.
const GIVEN_UP_AFTER_MS: i64 = 90_000;

/// What one did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reported {
    /// Reports that were acknowledged: all.
    pub reports: u64,
    /// Calls that had to be repeated.
    pub repeated: u64,
}

/// A thread that reports until it is stopped.
pub struct Reporter {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    thread: JoinHandle<Result<Reported>>,
}

impl Reporter {
    /// Begins to report faults of these lines, one after the other.
    #[must_use]
    pub fn start(base: String, token: String, lines: Vec<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicU64::new(0));
        let (ending, counted) = (Arc::clone(&stop), Arc::clone(&count));
        let thread = std::thread::spawn(move || {
            let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
            let mut done = Reported::default();
            while !ending.load(Ordering::Relaxed) {
                let line = &lines[done.reports as usize % lines.len()];
                done.repeated += report(&http, &base, &token, line)?;
                done.reports += 1;
                counted.store(done.reports, Ordering::Relaxed);
                std::thread::sleep(PAUSE);
            }
            Ok(done)
        });
        Self { stop, done: count, thread }
    }

    /// How many reports were acknowledged so far.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Ends with the report that is under way.
    ///
    /// # Errors
    /// When one was refused, or not answered for too long.
    pub fn stop(self) -> Result<Reported> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("a reporter panicked"))?
    }
}

/// Reports until it is acknowledged; says how often it had to be repeated.
fn report(http: &reqwest::Client, base: &str, token: &str, line: &str) -> Result<u64> {
    let key = uuid::Uuid::new_v4().to_string();
    let body = json!({ "line": line, "reported_at": moment().to_rfc3339(), "channel": "hotline",
        "reporter": "sample caller", "description": "nothing goes through" });
    let (began_ms, mut repeated) = (mono_ms(), 0);
    loop {
        let request = http.post(format!("{base}/api/v1/faults")).bearer_auth(token);
        let sent = block_on(async {
            let answer = request.header("Idempotency-Key", &key).json(&body).send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((status, answer.text().await?))
        });
        match sent {
            Ok((200 | 201, _)) => return Ok(repeated),
            // 409: the same call is still under way.
            Ok((409 | 429 | 500..=599, _)) | Err(_) => repeated += 1,
            Ok((status, ref text)) => Err(anyhow!("{status}: {text}")).context("a report was refused")?,
        }
        ensure!(mono_ms() - began_ms < GIVEN_UP_AFTER_MS, "a report was never acknowledged: {sent:?}");
        std::thread::sleep(PAUSE);
    }
}
