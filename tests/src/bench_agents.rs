//! Many agents on one node: each a TLS connection of its own over the loopback, a heartbeat every so often, and after the
//! node's death all of them back at once, with the agent's own patience.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_agent::enroll::enroll;
use linewatch_agent::sync::client::Client;
use linewatch_agent::sync::transport::{CallError, Transport};
use linewatch_agent::vault::{Key, Source, Vault};
use linewatch_shared::backoff::{Backoff, BackoffPolicy};
use linewatch_shared::facts::{Lane, Reading};
use linewatch_shared::time::MonoMs;
use linewatch_shared::wire::{Head, Heartbeat, Hello, LEVEL, PROTOCOL, PROTOCOL_MIN};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{BOUND, Folder, Seed, Server, ServerOptions, eventually, mono_ms, now};
use crate::large;
use crate::procfs::{cpu_time, peak_rss_kib, rss_kib};

/// Open files that this process and the server may have: a socket for each agent, at either end.
const FILES_MAX: usize = 65_536;
/// Those that have nothing to do with agents.
const FILES_SPARE: usize = 200;
/// Agents that enrol at the same time.
const ENROLLING_AT_ONCE: usize = 16;
/// Connections that the server takes, beyond the agents.
const CONNECTIONS_SPARE: usize = 2_000;
/// Calls of one address and user while they are let in.
const CALLS_A_MINUTE: usize = 1_000_000;
/// How long all of them may take to come back.
const BACK_WITHIN: Duration = Duration::from_mins(3);

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many agents.
    pub agents: usize,
    /// How many lines there are, shared out among them.
    pub lines: usize,
    /// Between two heartbeats of one.
    pub heartbeat: Duration,
    /// How long the usual load is measured.
    pub span: Duration,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// The server's share of a core while all are there.
    pub cpu_share: f64,
    /// Its memory then, and at its peak (KiB).
    pub rss_kib: u64,
    /// At its peak.
    pub peak_kib: u64,
    /// Heartbeats that were answered meanwhile.
    pub heartbeats: usize,
    /// Calls that failed meanwhile.
    pub failed: usize,
    /// From the moment at which the new server was ready until the last agent was back, in milliseconds.
    pub back_after_ms: i64,
    /// CPU time that it used for that.
    pub back_cpu: Duration,
    /// The new server's memory at its peak (KiB).
    pub back_peak_kib: u64,
    /// Why calls failed while it was away, and how often.
    pub reasons: BTreeMap<String, usize>,
    /// Lines of the new server's log that say `ERROR` or `WARN`, beside what it always says at a start.
    pub complaints: Vec<String>,
}

#[derive(Debug, Default)]
struct Sums {
    up: AtomicUsize,
    heartbeats: AtomicUsize,
    failed: AtomicUsize,
    reasons: Mutex<BTreeMap<String, usize>>,
    stop: AtomicBool,
}

/// Measures it.
///
/// # Errors
/// When not all agents get in, or back.
pub fn run(folder: &Folder, options: Options, say: impl Fn(&str)) -> Result<Figures> {
    allow_files(options.agents)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let connections = options.agents + CONNECTIONS_SPARE;
    let mut server = Server::new(&folder.sub("server")?, &ServerOptions::default())?;
    let config = std::fs::read_to_string(server.config())?;
    let config = config.replace("[sync]\n", &format!("[sync]\nmax_connections = {connections}\n"));
    // All of them have one address here, and one administrator lets all of them in.
    let limits = ["requests_per_address", "requests_per_user", "strangers_per_address"];
    let limits = limits.map(|key| format!("{key} = {CALLS_A_MINUTE}\n")).concat();
    std::fs::write(server.config(), format!("{config}\n[limits]\n{limits}"))?;
    server.run(&["user", "add", "bench", "--role", "admin"], "a sample password")?.ok()?;
    let token = server.run(&["user", "token", "bench"], "")?.ok()?.trim().to_owned();
    let began_ms = mono_ms();
    for (name, table) in ["customers.csv", "lines.csv"].into_iter().zip(large::tables(options.lines)) {
        server.import(name, &table)?;
    }
    let took_s = |began_ms| (mono_ms() - began_ms) as f64 / 1_000.0;
    say(&format!("{} lines imported in {:.1} s", options.lines, took_s(began_ms)));
    server.start()?;
    let began_ms = mono_ms();
    let clients = let_in(&runtime, &server, &token, &folder.sub("agents")?, options.agents)?;
    say(&format!("{} agents enrolled in {:.1} s", clients.len(), took_s(began_ms)));

    let sums = Arc::new(Sums::default());
    let mut seed = Seed::of(1);
    for client in clients {
        runtime.spawn(live(client, Arc::clone(&sums), options.heartbeat, Seed::of(seed.draw())));
    }
    let all_up = || Ok((sums.up.load(Ordering::SeqCst) == options.agents).then_some(()));
    eventually(BACK_WITHIN, "all agents are there", all_up)?;
    // Each has said something in its rhythm.
    std::thread::sleep(options.heartbeat);
    let mut figures = Figures::default();
    usual(&server, &sums, options.span, &mut figures)?;
    say("now the server dies, and all come back at once");

    sums.reasons.lock().unwrap_or_else(PoisonError::into_inner).clear();
    server.kill()?;
    let gone = || Ok((sums.up.load(Ordering::SeqCst) == 0).then_some(()));
    eventually(BACK_WITHIN, "everybody has noticed", gone)?;
    let log_bytes = std::fs::metadata(server.log())?.len();
    server.start()?;
    let (pid, ready_ms) = (server.pid().context("the server has ended")?, mono_ms());
    eventually(BACK_WITHIN, "all agents are back", all_up)?;
    figures.back_after_ms = mono_ms() - ready_ms;
    figures.back_cpu = cpu_time(pid)?;
    figures.back_peak_kib = peak_rss_kib(pid)?;
    figures.reasons = sums.reasons.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = std::fs::read(server.log())?;
    let log = String::from_utf8_lossy(&log[usize::try_from(log_bytes)?.min(log.len())..]).into_owned();
    let complains =
        |line: &&str| (line.contains(" ERROR ") || line.contains(" WARN ")) && !line.contains("calendar");
    figures.complaints = log.lines().filter(complains).map(str::to_owned).collect();
    sums.stop.store(true, Ordering::SeqCst);
    runtime.shutdown_background();
    server.stop()?;
    Ok(figures)
}

fn usual(server: &Server, sums: &Sums, span: Duration, figures: &mut Figures) -> Result<()> {
    let pid = server.pid().context("the server has ended")?;
    let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    let (beats, failed) = (count(&sums.heartbeats), count(&sums.failed));
    let (cpu, began_ms) = (cpu_time(pid)?, mono_ms());
    std::thread::sleep(span);
    let took_s = (mono_ms() - began_ms) as f64 / 1_000.0;
    figures.cpu_share = cpu_time(pid)?.saturating_sub(cpu).as_secs_f64() / took_s;
    figures.rss_kib = rss_kib(pid)?;
    figures.peak_kib = peak_rss_kib(pid)?;
    figures.heartbeats = count(&sums.heartbeats) - beats;
    figures.failed = count(&sums.failed) - failed;
    Ok(())
}

/// Lets this process and its children have as many files as the machine allows it.
fn allow_files(agents: usize) -> Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).context("no limit of files")?;
    // In words: Max open files, the present limit, the highest one.
    let highest = line.split_whitespace().nth(4).and_then(|text| text.parse().ok()).unwrap_or(FILES_MAX);
    let limit = highest.min(FILES_MAX);
    ensure!(
        limit > agents + FILES_SPARE,
        "{agents} agents need more than the {limit} files that are allowed here"
    );
    let (pid, limit) = (std::process::id().to_string(), format!("--nofile={limit}:"));
    let ran = Command::new("prlimit").args(["--pid", &pid, &limit]).output().context("prlimit")?;
    ensure!(ran.status.success(), "prlimit: {}", String::from_utf8_lossy(&ran.stderr));
    Ok(())
}

/// Enrols the agents over the net, each with a key of its own.
fn let_in(runtime: &Runtime, server: &Server, token: &str, dir: &Path, count: usize) -> Result<Vec<Client>> {
    let http = reqwest::Client::builder().no_proxy().timeout(BOUND).build()?;
    let vault = Vault::new(Key::random()?, Source::Passphrase)?;
    let (api, sync) = (format!("http://{}/api/v1", server.http), format!("https://{}", server.sync));
    runtime.block_on(async {
        let turns = Arc::new(Semaphore::new(ENROLLING_AT_ONCE));
        let mut tasks = JoinSet::new();
        for n in 0..count {
            let dir = dir.join(n.to_string());
            std::fs::create_dir(&dir)?;
            let (http, vault, turns) = (http.clone(), vault.clone(), Arc::clone(&turns));
            let (url, sync, token) =
                (format!("{api}/agents/{}/enrolment", large::agent(n)), sync.clone(), token.to_owned());
            tasks.spawn(async move {
                let _turn = turns.acquire().await?;
                let enrolment = http.post(url).bearer_auth(token).send().await?.error_for_status()?;
                let enrolment: serde_json::Value = enrolment.json().await?;
                let secret = enrolment["token"].as_str().context("token")?;
                let identity = enroll(&dir, &sync, secret, false, &vault).await?;
                anyhow::Ok(identity.client(&dir, &vault)?)
            });
        }
        let mut clients = Vec::new();
        while let Some(done) = tasks.join_next().await {
            clients.push(done??);
        }
        Ok(clients)
    })
}

/// One agent's conversation: hello, then heartbeats; after a failure its usual patience.
async fn live(client: Client, sums: Arc<Sums>, every: Duration, mut seed: Seed) {
    let mut chance = || seed.below(1_000_000) as f64 / 1_000_000.0;
    let mut backoff = Backoff::new(BackoffPolicy::default());
    let (boot, epoch) = (Uuid::new_v4(), Uuid::new_v4().as_u64_pair().0 >> 1);
    tokio::time::sleep(every.mul_f64(chance())).await;
    while !sums.stop.load(Ordering::Relaxed) {
        let delay_ms = match client.hello(&hello(boot, epoch)).await {
            Ok(_) => {
                backoff.succeeded();
                sums.up.fetch_add(1, Ordering::SeqCst);
                let failure = beat(&client, &sums, every, (boot, epoch)).await;
                sums.up.fetch_sub(1, Ordering::SeqCst);
                note(&sums, &failure);
                // Everybody lost the server at this moment.
                backoff.reconnect_delay_ms(chance()) + backoff.failed(None, chance())
            }
            Err(failure) => {
                note(&sums, &failure);
                backoff.failed(None, chance())
            }
        };
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
}

/// Says every so often that it is there, until that fails.
async fn beat(client: &Client, sums: &Sums, every: Duration, (boot, epoch): (Uuid, u64)) -> CallError {
    loop {
        tokio::time::sleep(every).await;
        let Hello { device, heads, .. } = hello(boot, epoch);
        match client.heartbeat(&Heartbeat { device, boot, epoch, heads }).await {
            Ok(_) => {
                sums.heartbeats.fetch_add(1, Ordering::SeqCst);
            }
            Err(failure) => return failure,
        }
    }
}

fn hello(boot: Uuid, epoch: u64) -> Hello {
    Hello {
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL,
        version: "bench".to_owned(),
        device: Reading { wall: now(), mono: MonoMs(mono_ms()) },
        boot,
        epoch,
        heads: Lane::ALL.iter().map(|lane| Head { lane: *lane, last: 0 }).collect(),
        level: LEVEL,
        trusts: Vec::new(),
    }
}

fn note(sums: &Sums, failure: &CallError) {
    sums.failed.fetch_add(1, Ordering::SeqCst);
    let reason = match failure {
        CallError::Problem { status, code, .. } => format!("{status} {code}"),
        CallError::Unreachable(reason) => reason.split(" (os error").next().unwrap_or(reason).to_owned(),
    };
    *sums.reasons.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
}
