//! Facts, on their way from a journal to the faults of the board: how fast they are saved (each durable) beside what
//! `SQLite` alone takes for the same rows, and how fast a long backlog of them is folded by the server.
//!
//! `bench_facts [--faults N] [--saved N] [--rounds N]`

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use linewatch_agent::clock::{BootClock, NanoClock};
use linewatch_agent::command;
use linewatch_agent::journal::{FILE_NAME, Journal};
use linewatch_shared::facts::{Body, Callback, Channel, Record, Report, Step, StepKind, When};
use linewatch_shared::time::{HOUR_MS, MINUTE_MS, UnixMs};
use linewatch_tests::bench::{Row, figures, say, spread};
use linewatch_tests::bench_rows::write_same;
use linewatch_tests::harness::{
    Agent, Cluster, Folder, Server, ServerOptions, Store, interrupt_on_signals, mono_ms, now, sample,
};
use linewatch_tests::procfs::{cpu_time, peak_rss_kib};

const USAGE: &str = "usage: bench_facts [--faults N] [--saved N] [--rounds N]
  --faults N  faults in the backlog, ten facts each; 10000 unless given
  --saved N   facts that are saved, by one writer after the other and by many at once; 20000 unless given
  --rounds N  how often; 3 unless given";
/// Writers that save at the same time.
const WRITERS: usize = 64;
/// One writer alone waits for the disk each time: so many of its facts are enough.
const ALONE: usize = 2_000;
/// Faults that are open at the same time in the backlog, their facts mixed.
const AT_ONCE: usize = 10;
/// Records of one transaction of the server.
const IN_A_TRANSACTION: usize = 1_000;
const SYNC_WITHIN: Duration = Duration::from_mins(10);
/// Goals: parts of what the database itself does, facts a second, milliseconds.
const SAVED_GOAL: f64 = 0.8;
const SAVED_P99_GOAL_MS: f64 = 5.0;
const FOLDED_GOAL: f64 = 0.5;
const FOLDED_SQLITE_GOAL: f64 = 15_000.0;
const FOLDED_POSTGRES_GOAL: f64 = 10_000.0;

#[derive(Clone, Copy)]
struct Options {
    faults: usize,
    saved: usize,
    rounds: usize,
}

fn main() -> Result<()> {
    let options = parse(std::env::args().skip(1))?;
    interrupt_on_signals()?;
    save(options)?;
    fold(options)
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { faults: 10_000, saved: 20_000, rounds: 3 };
    while let Some(arg) = args.next() {
        let number = args.next().and_then(|n| n.parse().ok()).context(USAGE)?;
        match arg.as_str() {
            "--faults" => options.faults = number,
            "--saved" => options.saved = number,
            "--rounds" => options.rounds = number,
            _ => bail!(USAGE),
        }
    }
    Ok(options)
}

/// Saving, by one and by many, each round beside the bare rows.
fn save(Options { saved, rounds, .. }: Options) -> Result<()> {
    for (writers, facts) in [(1, saved.min(ALONE)), (WRITERS, saved)] {
        let (mut ours, mut bare, mut p99s_ms) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let folder = Folder::new()?;
            let (took, p99_ms, commits) = save_once(&folder.sub("journal")?, writers, facts)?;
            let empty = folder.sub("empty")?;
            drop(Journal::open(&empty, command::scribe()?)?);
            let [before, after] = [&empty, &folder.sub("journal")?].map(|dir| dir.join(FILE_NAME));
            let written = write_same(&before, &after, commits)?;
            ours.push(facts as f64 / took);
            bare.push(facts as f64 / written.seconds.max(0.001));
            p99s_ms.push(p99_ms);
        }
        let ratios: Vec<f64> = ours.iter().zip(&bare).map(|(ours, bare)| ours / bare).collect();
        let [per_second, bare_per_second, ratio, p99_ms] =
            [&ours, &bare, &ratios, &p99s_ms].map(|all| spread(all)[0]);
        let who = if writers == 1 { "by one writer".to_owned() } else { format!("by {writers} writers") };
        let [per_second, bare_per_second] = [per_second, bare_per_second].map(figures);
        Row::at_least(format!("facts saved {who}, each durable"), ratio, SAVED_GOAL, "of the bare rows")
            .beside(format!("{per_second} a second; SQLite alone {bare_per_second}"))
            .tell()?;
        Row::at_most(format!("p99 of saving one {who}"), p99_ms, SAVED_P99_GOAL_MS, "ms").tell()?;
    }
    Ok(())
}

/// Seconds, the 99th percentile in milliseconds, and how many commits it took.
fn save_once(dir: &Path, writers: usize, facts: usize) -> Result<(f64, f64, usize)> {
    let journal = Journal::open(dir, command::scribe()?)?;
    let records: Vec<_> = (0..facts)
        .map(|n| {
            let step = Step {
                fault: journal.scribe().new_id(),
                kind: StepKind::Arrived,
                note: Some(format!("sample {n}")),
            };
            journal.scribe().now_record(Body::Step(step))
        })
        .collect();
    let (records, next) = (Arc::new(records), Arc::new(AtomicUsize::new(0)));
    let latencies = Arc::new(Mutex::new(Vec::new()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (before, began_ns) = (journal.counts().0, BootClock.mono_ns());
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..writers {
            let (journal, records, next) = (journal.clone(), Arc::clone(&records), Arc::clone(&next));
            let latencies = Arc::clone(&latencies);
            tasks.spawn(async move {
                let mut own = Vec::new();
                while let Some(record) = records.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began_ns = BootClock.mono_ns();
                    journal.append(std::slice::from_ref(record)).await?;
                    own.push(BootClock.mono_ns() - began_ns);
                }
                latencies.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        anyhow::Ok(())
    })?;
    let seconds = (BootClock.mono_ns() - began_ns) as f64 / 1e9;
    let commits = journal.counts().0 - before;
    let mut latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
    latencies.sort_unstable();
    let p99_ns = latencies.get(latencies.len() * 99 / 100).copied().unwrap_or_default();
    Ok((seconds, p99_ns as f64 / 1e6, usize::try_from(commits)?))
}

/// A backlog on its way to either database.
fn fold(options: Options) -> Result<()> {
    let facts = options.faults * STORY.len();
    say(format!(
        "a backlog of {facts} facts of {} faults, {AT_ONCE} of them open at a time",
        options.faults
    ))?;
    for (database, goal) in [("SQLite", FOLDED_SQLITE_GOAL), ("PostgreSQL", FOLDED_POSTGRES_GOAL)] {
        let rounds = (0..options.rounds).map(|_| fold_once(options, database)).collect::<Result<Vec<_>>>()?;
        let rates: Vec<f64> = rounds.iter().map(|(rate, _)| *rate).collect();
        Row::at_least(format!("facts folded to {database}"), spread(&rates)[0], goal, "a second").tell()?;
        let bare: Vec<f64> = rounds.iter().filter_map(|(rate, bare)| Some(rate / (*bare)?)).collect();
        if !bare.is_empty() {
            Row::at_least(
                "the same beside SQLite alone with the same rows",
                spread(&bare)[0],
                FOLDED_GOAL,
                "of it",
            )
            .tell()?;
        }
    }
    Ok(())
}

/// Facts a second, and how many a second `SQLite` alone writes.
fn fold_once(options: Options, database: &str) -> Result<(f64, Option<f64>)> {
    let folder = Folder::new()?;
    let cluster = if database == "SQLite" { None } else { Some(Cluster::start()?) };
    let db_url = cluster.as_ref().map(Cluster::url);
    let server_options = ServerOptions { db_url, ..ServerOptions::default() };
    let mut server = Server::new(&folder.sub("server")?, &server_options)?;
    server.import(
        "customers.csv",
        "code,name,tier,manager,manager_email\nBENCH,Sample customer,AA,manager-1,manager-1@desk.example\n",
    )?;
    let lines = (0..options.faults).map(|n| format!("{},BENCH,bench-agent\n", line(n)));
    server.import("lines.csv", &format!("code,customer,agent\n{}", lines.collect::<String>()))?;
    server.start()?;
    let agent = Agent::new(&folder.sub("agent")?, None, &[])?;
    agent.enroll(&server, "bench-agent")?;
    let journal = sample::journal(&agent)?;
    // What an agent says of itself first is no part of it.
    sample::sync(&agent, &journal)?;
    server.stop()?;
    let before = folder.path().join("before.db");
    if cluster.is_none() {
        let db = rusqlite::Connection::open(server.database())?;
        db.execute("VACUUM INTO ?1", [before.display().to_string()])?;
    }
    server.start()?;
    let facts = backlog(&journal, options.faults)?;
    drop(journal);

    let pid = server.pid().context("the server has ended")?;
    let (cpu, began_ms) = (cpu_time(pid)?, mono_ms());
    let mut sync = agent.start_command(&["sync", "--quiet"])?;
    let status = sync.wait(SYNC_WITHIN)?;
    let seconds = (mono_ms() - began_ms) as f64 / 1_000.0;
    ensure!(status.success(), "the sync ended with {status}; see {}", agent.log().display());
    let cpu_us = cpu_time(pid)?.saturating_sub(cpu).as_micros() as f64 / facts as f64;
    let peak_mib = peak_rss_kib(pid)? / 1_024;
    server.stop()?;
    let store = match &cluster {
        Some(cluster) => Store::Postgres(cluster.url()),
        None => Store::Sqlite(server.database()),
    };
    for (sql, wanted) in [
        ("SELECT COUNT(*) FROM record WHERE kind IN ('report', 'step')", facts),
        ("SELECT COUNT(*) FROM fault", options.faults),
        ("SELECT COUNT(*) FROM fault WHERE state = 'closed'", options.faults),
    ] {
        let found = store.number(sql)?;
        ensure!(found == wanted as i64, "{sql}: {found}, and not {wanted}");
    }
    let bare = if cluster.is_none() {
        Some(write_same(&before, &server.database(), facts.div_ceil(IN_A_TRANSACTION))?)
    } else {
        None
    };
    let rate = facts as f64 / seconds;
    say(format!(
        "    {database}: {} a second; server {} µs of CPU a fact, {peak_mib} MiB at its peak",
        figures(rate),
        figures(cpu_us)
    ))?;
    if let Some(bare) = bare {
        say(format!("    SQLite alone: {} rows in {:.2} s", bare.rows, bare.seconds))?;
    }
    Ok((rate, bare.map(|bare| facts as f64 / bare.seconds)))
}

fn line(n: usize) -> String {
    format!("LINE-{n:06}")
}

/// What happens to a fault: minutes after it began, and what.
const STORY: [(i64, Option<StepKind>); 10] = [
    (0, None),
    (2, Some(StepKind::Acknowledged)),
    (5, Some(StepKind::Dispatched)),
    (20, Some(StepKind::Feedback { reached: false })),
    (25, Some(StepKind::Feedback { reached: true })),
    (45, Some(StepKind::Arrived)),
    (70, Some(StepKind::Restored)),
    (72, Some(StepKind::Feedback { reached: true })),
    (90, Some(StepKind::Repaired)),
    (100, Some(StepKind::Callback(Callback::Satisfied))),
];

/// Saves the facts in the order in which they happened; answers how many.
fn backlog(journal: &Journal, faults: usize) -> Result<usize> {
    let scribe = journal.scribe();
    let by = || Some("sample technician".to_owned());
    let mut saved = 0;
    let all: Vec<_> = (0..faults).collect();
    for (group, faults) in all.chunks(AT_ONCE).enumerate() {
        let began = UnixMs(now().0 - 30 * 24 * HOUR_MS) + group as i64 * 10 * MINUTE_MS;
        let mut facts: Vec<(UnixMs, Record)> = Vec::new();
        for fault in faults {
            let began = began + *fault as i64 % AT_ONCE as i64 * MINUTE_MS;
            let report = Report {
                line: line(*fault),
                channel: Channel::Technician,
                reporter: "sample caller".to_owned(),
                description: "nothing goes through".to_owned(),
            };
            let opened = scribe.record(When::Typed(began), by(), Body::Report(report));
            let id = opened.id;
            facts.push((began, opened));
            for (minutes, kind) in STORY {
                let Some(kind) = kind else { continue };
                let at = began + minutes * MINUTE_MS;
                let step = Step { fault: id, kind, note: None };
                facts.push((at, scribe.record(When::Typed(at), by(), Body::Step(step))));
            }
        }
        facts.sort_by_key(|(at, _)| *at);
        let records: Vec<_> = facts.into_iter().map(|(_, record)| record).collect();
        saved += journal.append_blocking(&records)?;
    }
    Ok(saved)
}
