//! Several nodes on one PostgreSQL behind a proxy, killed at moments of chance while agents sync and people report. At the
//! end each record that was acknowledged is there once, each report once, each promise judged, each alert told.

pub mod device;
pub mod failover;
pub mod reporter;
mod told;
pub mod world;

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::harness::{Cluster, Folder, Seed, is_interrupted, mono_ms, now, sample};
use world::{World, WorldOptions};

/// Nodes behind the proxy.
const NODES: usize = 2;
/// Agents, and the lines of each.
const AGENTS: usize = 5;
const LINES_EACH: usize = 12;
/// People who report by the API at the same time, and their lines.
const REPORTERS: usize = 2;
const REPORTED_LINES: usize = 20;
/// Longest time between a kill and the next, and until a killed node is started again, in milliseconds.
const KILL_EVERY_MS: u64 = 1_800;
const AWAY_MS: u64 = 1_500;
/// Records that each agent writes between two looks, at most.
const RECORDS_AT_ONCE: u64 = 4;
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(60);

/// How to play.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Of all chance.
    pub seed: u64,
    /// How long nodes are killed.
    pub seconds: u64,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Nodes killed.
    pub kills: u64,
    /// Records of agents.
    pub records: usize,
    /// Reports by the API.
    pub reports: u64,
    /// Calls of the API that had to be repeated.
    pub repeated_calls: u64,
    /// Connections that the proxies relayed.
    pub connections: u64,
    /// Faults that were found.
    pub faults: i64,
    /// Alerts told, and mails that told them.
    pub alerts: usize,
    /// Messages by their `Message-ID`.
    pub messages: usize,
    /// Mails that came a second time under the same `Message-ID`, because a node was killed between sending and noting it.
    pub second_copies: usize,
    /// From the end of the kills until everything had arrived, been judged and told.
    pub settled_ms: i64,
}

impl Outcome {
    /// For people.
    #[must_use]
    pub fn table(&self) -> String {
        format!(
            "{} kills of a node; {} connections\n\
             {} records of agents, each there once\n\
             {} reports by the API ({} calls repeated), each there once\n\
             {} faults, each promise judged; {} alerts in {} messages, {} of them came a second time under the same Message-ID\n\
             all of it had arrived, been judged and told {:.1} s after the last kill",
            self.kills,
            self.connections,
            self.records,
            self.reports,
            self.repeated_calls,
            self.faults,
            self.alerts,
            self.messages,
            self.second_copies,
            self.settled_ms as f64 / 1_000.0
        )
    }
}

/// Plays it.
///
/// # Errors
/// When anything acknowledged is missing or double, or it does not settle.
pub fn run(folder: &Folder, options: Options, say: impl Fn(&str)) -> Result<Outcome> {
    let mut chance = Seed::of(options.seed);
    let cluster = Cluster::start()?;
    let mut world = World::new(
        folder,
        &cluster.url(),
        &WorldOptions {
            nodes: NODES,
            agents: AGENTS,
            lines_each: LINES_EACH,
            reported_lines: REPORTED_LINES,
        },
    )?;
    say(&format!("{NODES} nodes, {AGENTS} agents, {REPORTERS} people who report"));
    let reporters: Vec<_> = (0..REPORTERS).map(|n| world.reporter(n, REPORTERS)).collect();
    let mut outcome = Outcome::default();
    let until_ms = mono_ms() + i64::try_from(options.seconds)? * 1_000;
    let mut kill_at_ms = mono_ms() + 500;
    let mut back_at_ms = [None; NODES];
    while mono_ms() < until_ms && !is_interrupted() {
        for device in &mut world.devices {
            device.write(chance.below(RECORDS_AT_ONCE), &mut chance)?;
        }
        for (n, back) in back_at_ms.iter_mut().enumerate() {
            if back.is_some_and(|at| mono_ms() >= at) {
                world.nodes[n].launch()?;
                *back = None;
            }
        }
        if mono_ms() >= kill_at_ms {
            let n = chance.below(NODES as u64) as usize;
            if back_at_ms[n].is_none() {
                world.nodes[n].kill()?;
                back_at_ms[n] = Some(mono_ms() + chance.below(AWAY_MS) as i64);
                outcome.kills += 1;
                world.check_acknowledged()?;
            }
            kill_at_ms = mono_ms() + 200 + chance.below(KILL_EVERY_MS) as i64;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let ended_ms = mono_ms();
    for (n, back) in back_at_ms.iter().enumerate() {
        if back.is_some() {
            world.nodes[n].launch()?;
        }
    }
    for node in &mut world.nodes {
        node.wait_ready(crate::harness::BOUND)?;
    }
    say(&format!("{} kills; now everything has to arrive", outcome.kills));
    for reporter in reporters {
        let done = reporter.stop()?;
        outcome.reports += done.reports;
        outcome.repeated_calls += done.repeated;
    }
    outcome.records = world.check_arrived()?;
    world.check_reports(outcome.reports)?;
    (outcome.faults, outcome.alerts, outcome.messages, outcome.second_copies) =
        told::check(&world, outcome.kills)?;
    outcome.settled_ms = mono_ms() - ended_ms;
    let [sync, _, _] = world.sync.counts();
    let [http, _, _] = world.http.counts();
    outcome.connections = sync + http;
    ensure!(outcome.kills > 0 && outcome.records > 0 && outcome.reports > 0, "{outcome:?}");
    world.stop()?;
    Ok(outcome)
}

/// A moment a little before now: a report is of the past.
fn moment() -> linewatch_shared::time::UnixMs {
    now() + -1
}

/// Codes of lines.
fn line_of(agent: usize, n: usize) -> String {
    sample::line(agent * 100 + n)
}
