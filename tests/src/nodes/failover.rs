//! The primary dies, its standby is promoted, and the nodes find it by themselves. The standby confirmed every commit, so
//! nothing that was acknowledged is lost.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::device::Device;
use super::reporter::Reporter;
use super::told;
use super::world::{World, WorldOptions};
use crate::harness::{BOUND, Cluster, Folder, Seed, Store, eventually, mono_ms};

/// Service is back so soon after the promotion.
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// Nodes, agents, people.
const NODES: usize = 2;
const AGENTS: usize = 4;
const REPORTERS: usize = 2;
/// How long everything goes well before and after, in milliseconds, and how long the operator's tool takes to act.
const WELL_MS: u64 = 3_000;
const TOOL_ACTS_AFTER: Duration = Duration::from_secs(1);
/// Between two writes.
const WRITE_EVERY: Duration = Duration::from_millis(50);

/// What happened; times from one event to another in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Records of agents, each there once.
    pub records: usize,
    /// Reports by the API, each there once.
    pub reports: u64,
    /// Calls of the API that had to be repeated.
    pub repeated_calls: u64,
    /// Faults and alerts.
    pub faults: i64,
    /// Alerts that were told.
    pub alerts: usize,
    /// From the kill, and from the end of the promotion, until the first batch of an agent was acknowledged.
    pub batch_after_ms: [i64; 2],
    /// The same for the first report by the API.
    pub report_after_ms: [i64; 2],
    /// Until every agent was served again, from the end of the promotion.
    pub all_after_ms: i64,
}

impl Outcome {
    /// For people.
    #[must_use]
    pub fn table(&self) -> String {
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let [batch_kill, batch] = self.batch_after_ms.map(seconds);
        let [report_kill, report] = self.report_after_ms.map(seconds);
        format!(
            "first batch of an agent acknowledged {batch:.2} s after the promotion, {batch_kill:.2} s after the kill\n\
             first report by the API acknowledged {report:.2} s after the promotion, {report_kill:.2} s after the kill\n\
             every agent served again {:.2} s after the promotion (promised: {} s)\n\
             {} records, {} reports ({} calls repeated): nothing acknowledged is lost, nothing is there twice\n\
             {} faults, each promise judged; {} alerts told",
            seconds(self.all_after_ms),
            BACK_WITHIN.as_secs(),
            self.records,
            self.reports,
            self.repeated_calls,
            self.faults,
            self.alerts
        )
    }
}

/// Plays it once.
///
/// # Errors
/// When anything acknowledged is lost or doubled, or service does not come back in time.
pub fn run(folder: &Folder, seed: u64, say: impl Fn(&str)) -> Result<Outcome> {
    let mut chance = Seed::of(seed);
    let mut primary = Cluster::start()?;
    let standby = primary.standby()?;
    let ports = (primary.port(), standby.port());
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/linewatch?target_session_attrs=read-write",
        ports.0, ports.1
    );
    let options = WorldOptions { nodes: NODES, agents: AGENTS, lines_each: 12, reported_lines: 20 };
    let mut world = World::new(folder, &url, &options)?;
    world.store = Store::Postgres(primary.url());
    let reporters: Vec<_> = (0..REPORTERS).map(|n| world.reporter(n, REPORTERS)).collect();
    say(&format!("{NODES} nodes, {AGENTS} agents; the standby confirms every commit"));
    let done = || reporters.iter().map(Reporter::done).sum::<u64>();

    go_on(&mut world, &mut chance, WELL_MS)?;
    eventually(BOUND, "something was acknowledged", || {
        let acknowledged = world.devices.iter().map(Device::acknowledged).collect::<Result<Vec<_>>>()?;
        Ok((acknowledged.iter().all(|(_, last)| *last > 0) && done() > 0).then_some(()))
    })?;
    primary.kill()?;
    let killed_ms = mono_ms();
    let mut told_before = Vec::new();
    for device in &world.devices {
        told_before.push(device.acknowledged()?);
    }
    let reports_before = done();
    std::thread::sleep(TOOL_ACTS_AFTER);
    standby.promote()?;
    let promoted_ms = mono_ms();
    say("the primary was killed, and the standby promoted");
    world.store = Store::Postgres(standby.url());
    world.check_acknowledged_of(&told_before)?;
    ensure!(world.reports()? >= i64::try_from(reports_before)?, "a report that was acknowledged is lost");

    let mut outcome = Outcome::default();
    let mut served = [false; AGENTS];
    for device in &mut world.devices {
        device.write(3, &mut chance)?;
    }
    // Times are looked at often, and judged once everything is back.
    eventually(BOUND, "service is back", || {
        let now_ms = mono_ms();
        for (n, device) in world.devices.iter().enumerate() {
            let (epoch, last) = device.acknowledged()?;
            if !served[n] && (epoch, last) > told_before[n] {
                served[n] = true;
                outcome.all_after_ms = now_ms - promoted_ms;
                if outcome.batch_after_ms == [0; 2] {
                    outcome.batch_after_ms = [now_ms - killed_ms, now_ms - promoted_ms];
                }
            }
        }
        if outcome.report_after_ms == [0; 2] && done() > reports_before {
            outcome.report_after_ms = [now_ms - killed_ms, now_ms - promoted_ms];
        }
        Ok((served == [true; AGENTS] && outcome.report_after_ms != [0; 2]).then_some(()))
    })?;
    let latest_ms = outcome.batch_after_ms[1].max(outcome.report_after_ms[1]);
    ensure!(latest_ms <= BACK_WITHIN.as_millis() as i64, "service was back only after {latest_ms} ms");
    let listening = "SELECT COUNT(*) FROM pg_stat_activity WHERE query = 'LISTEN linewatch'";
    eventually(BOUND, "every node listens again", || {
        Ok((world.store.number(listening)? == NODES as i64).then_some(()))
    })?;
    let noted = "SELECT COUNT(*) FROM audit WHERE action = 'backup restored'";
    eventually(BOUND, "the nodes have seen that it is another timeline", || {
        Ok((world.store.number(noted)? > 0).then_some(()))
    })?;
    go_on(&mut world, &mut chance, WELL_MS)?;
    ensure!(world.store.number(noted)? == 1, "two nodes began an epoch each");

    for reporter in reporters {
        let done = reporter.stop()?;
        outcome.reports += done.reports;
        outcome.repeated_calls += done.repeated;
    }
    outcome.records = world.check_arrived()?;
    world.check_reports(outcome.reports)?;
    (outcome.faults, outcome.alerts, _, _) = told::check(&world, NODES as u64)?;
    world.stop()?;
    Ok(outcome)
}

fn go_on(world: &mut World, chance: &mut Seed, for_ms: u64) -> Result<()> {
    let until_ms = mono_ms() + for_ms as i64 + chance.below(500) as i64;
    while mono_ms() < until_ms {
        for device in &mut world.devices {
            device.write(chance.below(3), chance)?;
        }
        std::thread::sleep(WRITE_EVERY);
    }
    Ok(())
}
