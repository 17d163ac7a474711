//! kill -9 in the middle of a sync: nothing that was saved is lost, nothing is doubled.
//!
//! One pair of data folders lives through all of it. `STORY_SEED` plays the same kills again.

#![expect(clippy::print_stdout, reason = "shown by the test harness when the test fails, or asked to")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_server::db::testing;
use linewatch_shared::time::UnixMs;
use linewatch_tests::harness::{
    Agent, Api, BOUND, Folder, Process, Seed, Server, ServerOptions, Store, block_on, eventually, mono_ms,
    now, sample, story,
};
use uuid::Uuid;

const AGENT: &str = "field-laptop";
const LINES: usize = 12;
/// Written in each round, beside one report and one visit by the command line.
const VISITS: usize = 600;
const REPORTS: usize = 6;
/// In the whole lane of things that the story writes.
const SAVED: &str = "SELECT id FROM record WHERE kind IN ('report', 'visit')";
/// Every so many kills of the server the very same agent process has to carry on by itself.
const SAME_PROCESS_EVERY: usize = 10;

struct World<'a> {
    server: Server,
    agent: Agent,
    api: Api,
    store: Store,
    seed: Seed,
    _folder: &'a Folder,
    /// Every id that was saved, with the line and time of a report.
    saved: BTreeMap<Uuid, Option<(String, UnixMs)>>,
    began_at: UnixMs,
    /// How long a sync of one round takes when nobody disturbs it, in microseconds.
    whole_us: u64,
    /// The part of it from the first record that the server holds to the last.
    pushing_us: u64,
}

/// Where a kill found the sync.
#[derive(Debug, Default)]
struct Hits {
    before: usize,
    middle: usize,
    after: usize,
}

impl<'a> World<'a> {
    fn new(folder: &'a Folder, db_url: Option<String>) -> Result<Self> {
        let seed = Seed::from_env();
        println!("STORY_SEED={}", seed.value());
        let dir = folder.sub("server")?;
        let options = ServerOptions { db_url: db_url.clone(), ..ServerOptions::default() };
        let mut server = Server::new(&dir, &options)?;
        let api = server.user("desk", "noc", "a sample password")?;
        sample::import(&server, "group-line", "AAA", LINES, AGENT)?;
        server.start()?;
        let agent = Agent::new(&folder.path().join("agent"), None, &[])?;
        agent.enroll(&server, AGENT)?;
        agent.run(&["sync", "--quiet"])?.ok()?;
        let store = db_url.map_or_else(|| Store::Sqlite(server.database()), Store::Postgres);
        let mut world = Self {
            server,
            agent,
            api,
            store,
            seed,
            _folder: folder,
            saved: BTreeMap::new(),
            began_at: UnixMs(now().0 - 3_600_000),
            whole_us: 0,
            pushing_us: 0,
        };
        world.measure()?;
        Ok(world)
    }

    /// How long an undisturbed sync takes: the kills are spread over that time.
    fn measure(&mut self) -> Result<()> {
        let mut took = Vec::new();
        for round in 0..3 {
            let before = self.held()?.len();
            self.write()?;
            let began_ms = mono_ms();
            let mut sync = self.start_sync(round * 2)?;
            self.wait_for_first(before)?;
            let first_ms = mono_ms();
            self.wait_for_all()?;
            ensure!(sync.wait(BOUND)?.success(), "the sync failed");
            took.push((mono_ms() - began_ms, mono_ms() - first_ms));
        }
        took.sort_unstable();
        let (whole_ms, pushing_ms) = took[1];
        println!(
            "an undisturbed sync of one round takes {whole_ms} ms, {pushing_ms} ms after its first record"
        );
        self.whole_us = u64::try_from(whole_ms)? * 1_000;
        self.pushing_us = u64::try_from(pushing_ms)?.max(1) * 1_000;
        Ok(())
    }

    fn held_count(&self) -> Result<i64> {
        self.store.number(&format!("SELECT COUNT(*) FROM ({SAVED}) AS saved"))
    }

    /// Waits until the server holds everything. On a busy machine that takes its time: what has a bound is how long
    /// nothing at all comes in.
    fn wait_for_all(&self) -> Result<()> {
        let all = i64::try_from(self.saved.len())?;
        let mut held = self.held_count()?;
        while held < all {
            let what = format!("the agent goes on by itself: {held} of {all} are there");
            held = eventually(BOUND, &what, || Ok(Some(self.held_count()?).filter(|now| *now != held)))?;
        }
        ensure!(held == all, "{held} records of {all}");
        Ok(())
    }

    /// Waits until the server holds the first new record.
    fn wait_for_first(&self, before: usize) -> Result<()> {
        let before = i64::try_from(before)?;
        eventually(BOUND, "the first record is at the server", || {
            Ok((self.held_count()? > before).then_some(()))
        })
    }

    fn time(&mut self) -> UnixMs {
        self.began_at + i64::try_from(self.seed.below(3_500)).unwrap_or(0) * 1_000
    }

    /// Saves the facts of one round.
    fn write(&mut self) -> Result<()> {
        let (line, at) = (sample::line(usize::try_from(self.seed.below(LINES as u64))?), self.time());
        let report = ["fault", "report", "--line", &line, "--at", &at.to_rfc3339(), "nothing goes through"];
        let printed = self.agent.run(&report)?.ok()?;
        self.saved.insert(printed.trim().parse().context(printed)?, Some((line, at)));
        let printed = self.agent.run(&["visit", "new", "--customer", sample::CUSTOMER])?.ok()?;
        self.saved.insert(printed.trim().parse().context(printed)?, None);
        let journal = sample::journal(&self.agent)?;
        let mut records = Vec::new();
        for _ in 0..REPORTS {
            let (line, at) = (sample::line(usize::try_from(self.seed.below(LINES as u64))?), self.time());
            let record = sample::report(journal.scribe(), &line, at);
            self.saved.insert(record.id, Some((line, at)));
            records.push(record);
        }
        for _ in 0..VISITS {
            let record = sample::visit(journal.scribe());
            self.saved.insert(record.id, None);
            records.push(record);
        }
        let added = journal.append_blocking(&records)?;
        ensure!(added == records.len(), "{added} of {} were saved", records.len());
        Ok(())
    }

    fn held(&self) -> Result<BTreeSet<Uuid>> {
        Ok(self.store.ids(SAVED)?.into_iter().collect())
    }

    /// Waits for a moment of chance: mostly while records are coming in, else at any time of the sync.
    fn wait_a_moment(&mut self, before: usize) -> Result<()> {
        let span_us = if self.seed.below(4) == 0 {
            self.whole_us
        } else {
            self.wait_for_first(before)?;
            self.pushing_us * 3 / 4 + 1
        };
        std::thread::sleep(Duration::from_micros(self.seed.below(span_us)));
        Ok(())
    }

    fn start_sync(&mut self, round: usize) -> Result<Process> {
        let args: &[&str] = if round.is_multiple_of(2) { &["sync", "--quiet"] } else { &["run"] };
        self.agent.start_command(args)
    }

    /// Judges where a kill found the sync, by what the server holds afterwards.
    fn judge(&self, before: usize, hits: &mut Hits) -> Result<()> {
        let held = self.held()?.len();
        match held {
            held if held <= before => hits.before += 1,
            held if held < self.saved.len() => hits.middle += 1,
            _ => hits.after += 1,
        }
        Ok(())
    }

    fn kill_agents(&mut self, rounds: usize) -> Result<Hits> {
        let mut hits = Hits::default();
        for round in 0..rounds {
            let before = self.held()?.len();
            self.write()?;
            let mut sync = self.start_sync(round)?;
            self.wait_a_moment(before)?;
            sync.kill()?;
            self.judge(before, &mut hits)?;
            self.catch_up()?;
        }
        Ok(hits)
    }

    fn kill_servers(&mut self, rounds: usize) -> Result<Hits> {
        let mut hits = Hits::default();
        for round in 0..rounds {
            let before = self.held()?.len();
            self.write()?;
            let mut sync = self.start_sync(round)?;
            self.wait_a_moment(before)?;
            self.server.kill()?;
            if round % SAME_PROCESS_EVERY == 1 {
                // An agent that runs lives through it: it comes back by itself.
                self.server.start()?;
                self.wait_for_all()?;
                sync.terminate(BOUND)?;
                continue;
            }
            sync.kill()?;
            self.server.start()?;
            self.judge(before, &mut hits)?;
            self.catch_up()?;
        }
        Ok(hits)
    }

    /// Now and then everything is sent, so that a sync stays as long as it was measured.
    fn catch_up(&mut self) -> Result<()> {
        if self.seed.below(3) == 0 {
            self.agent.run(&["sync", "--quiet"])?.ok()?;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.agent.run(&["sync", "--quiet"])?.ok()?;
        let held = self.store.ids(SAVED)?;
        let once: BTreeSet<_> = held.iter().copied().collect();
        ensure!(held.len() == once.len(), "{} records are doubled", held.len() - once.len());
        let saved: BTreeSet<_> = self.saved.keys().copied().collect();
        let (lost, strange) = (saved.difference(&once).count(), once.difference(&saved).count());
        ensure!(lost == 0 && strange == 0, "{lost} of {} lost, {strange} that nobody saved", saved.len());
        ensure!(self.store.number("SELECT COUNT(*) FROM aside")? == 0, "records were put aside");
        ensure!(self.store.number("SELECT COUNT(*) FROM agent WHERE cert_fingerprint IS NOT NULL")? == 1);
        self.check_faults()
    }

    /// Each line has one fault: of all its reports, from the earliest on.
    fn check_faults(&self) -> Result<()> {
        let mut lines: BTreeMap<&str, Vec<(UnixMs, Uuid)>> = BTreeMap::new();
        for (id, report) in &self.saved {
            if let Some((line, at)) = report {
                lines.entry(line).or_default().push((*at, *id));
            }
        }
        let board = self.api.board()?;
        let on_board = board["faults"].as_array().map_or(0, Vec::len);
        ensure!(
            on_board == lines.len(),
            "{on_board} faults on the board, {} lines with reports",
            lines.len()
        );
        for (line, mut reports) in lines {
            reports.sort_unstable();
            let faults = self.api.board_faults(line)?;
            ensure!(faults.len() == 1, "{} faults of {line}", faults.len());
            let (at, first) = reports[0];
            ensure!(faults[0]["id"] == first.to_string(), "{line}: {} instead of {first}", faults[0]["id"]);
            ensure!(faults[0]["started_at"] == at.to_rfc3339(), "{line}: {}", faults[0]["started_at"]);
            let detail = self.api.fault(&first.to_string())?;
            let facts = detail["facts"].as_array().context("facts")?;
            let mut ids: Vec<Uuid> =
                facts.iter().filter_map(|fact| fact["id"].as_str()?.parse().ok()).collect();
            ids.sort_unstable();
            let mut expected: Vec<Uuid> = reports.iter().map(|(_, id)| *id).collect();
            expected.sort_unstable();
            ensure!(ids == expected, "{line}: {} facts, {} reports", ids.len(), expected.len());
        }
        Ok(())
    }
}

fn play(folder: &Folder, db_url: Option<String>, rounds: usize) -> Result<()> {
    let mut world = World::new(folder, db_url)?;
    let agents = world.kill_agents(rounds)?;
    println!("{rounds} kills of the agent: {agents:?}");
    world.check()?;
    let servers = world.kill_servers(rounds)?;
    println!("{rounds} kills of the server: {servers:?}");
    world.check()?;
    println!("{} records were saved, and each is at the server once", world.saved.len());
    for hits in [agents, servers] {
        ensure!(hits.middle * 6 >= rounds, "too few kills in the middle of a sync: {hits:?}");
    }
    world.server.stop()
}

#[test]
fn nothing_is_lost_or_doubled_on_sqlite() {
    story(|folder| play(folder, None, 50));
}

#[test]
fn nothing_is_lost_or_doubled_on_postgres() {
    if std::env::var("LINEWATCH_TEST_PG").as_deref() == Ok("off") {
        return;
    }
    let database = block_on(testing::postgres());
    story(|folder| play(folder, Some(database.url_text()), 12));
}
