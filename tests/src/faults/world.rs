//! The desk and its laptops, and what every point is made of: writing, dying, coming back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::disk::{Cut, Damage, Disk, Manners};
use super::ledger::{Ledger, ServerRecords};
use super::machine::Machine;
use super::net::{NetCounts, Weather};
use super::page;
use crate::harness::{Api, Folder, Seed, Server, ServerOptions, Store};
use linewatch_shared::time::DAY_MS;

/// Laptops that live through everything.
const LAPTOPS: usize = 3;
/// Lines of each.
const LINES: usize = 20;
/// Changes of the disk that a save is thought to take before the first was seen.
const CHANGES_OF_A_SAVE: u64 = 30;
/// Sync of one laptop at the end.
const DRAIN: Duration = Duration::from_mins(1);

/// What has really happened, by what it is called in the table.
#[derive(Debug, Default)]
pub struct Proofs(BTreeMap<&'static str, u64>);

impl Proofs {
    /// It happened so often.
    pub fn add(&mut self, what: &'static str, count: u64) {
        *self.0.entry(what).or_default() += count;
    }

    /// All of it.
    #[must_use]
    pub const fn all(&self) -> &BTreeMap<&'static str, u64> {
        &self.0
    }
}

/// The desk, its laptops, and the book.
pub struct World {
    /// The server.
    pub server: Server,
    /// The laptops.
    pub machines: Vec<Machine>,
    /// Laptops whose nets others use.
    pub kept: Vec<Machine>,
    /// What was written.
    pub ledger: Ledger,
    /// What happened.
    pub proofs: Proofs,
    /// Chance.
    pub seed: Seed,
    /// What the nets did.
    pub net_counts: Arc<NetCounts>,
    /// Where everything is.
    pub dir: PathBuf,
    /// The point that is played, for marks.
    pub point: u64,
    /// Agents of which there are, or were, two: no other may be taken for a copy.
    pub twofold: BTreeSet<String>,
    api: Api,
    /// How many things were to be written so far.
    pub(super) writes: u64,
    /// Changes of the disk that a save by the command line takes.
    pub(super) changes_of_a_save: u64,
    /// Of a visit with all its pictures on the page, while the agent does its other work; 0 before it is measured.
    pub(super) changes_of_a_page: u64,
}

impl World {
    /// A server that runs, and enrolled laptops.
    ///
    /// # Errors
    /// When something does not start.
    pub fn new(folder: &Folder, seed: Seed) -> Result<Self> {
        let mut server = Server::new(&folder.sub("server")?, &ServerOptions::default())?;
        import(&server)?;
        server.run(&["user", "add", page::USER, "--role", "technician"], page::PASSWORD)?.ok()?;
        server.start()?;
        let api = Api::new(&format!("http://{}", server.http), "")?;
        let mut world = Self {
            server,
            machines: Vec::new(),
            kept: Vec::new(),
            ledger: Ledger::default(),
            proofs: Proofs::default(),
            seed,
            net_counts: Arc::new(NetCounts::default()),
            dir: folder.path().to_owned(),
            point: 0,
            twofold: BTreeSet::new(),
            api,
            writes: 0,
            changes_of_a_save: CHANGES_OF_A_SAVE,
            changes_of_a_page: 0,
        };
        for n in 0..LAPTOPS {
            let machine = world.enrolled(&format!("laptop-{n}"))?;
            world.machines.push(machine);
        }
        Ok(world)
    }

    /// A laptop of its own, enrolled, with reference data, and all of that durable.
    ///
    /// # Errors
    /// When it cannot be enrolled.
    pub fn enrolled(&mut self, name: &str) -> Result<Machine> {
        let mut machine = self.bare(name, Disk::new(self.manners_of(false)))?;
        (machine.customer, machine.lines) = (format!("C-{name}"), lines_of(name));
        machine.enroll(&self.server, name)?;
        self.server.run(&["agent", "people", name, "--add", page::USER], "")?.ok()?;
        let told = machine.command(&["sync", "--quiet"])?;
        ensure!(told.code == Some(0), "the first sync of {name}: {}", told.err);
        machine.volume.disk().sync_all();
        Ok(machine)
    }

    /// A laptop with a disk.
    ///
    /// # Errors
    /// When the disk cannot be mounted.
    pub fn bare(&mut self, name: &str, disk: Disk) -> Result<Machine> {
        let chance = Seed::of(self.seed.draw());
        Machine::new(&self.dir.join(name), disk, &self.server, &self.net_counts, chance)
    }

    fn manners_of(&self, is_lying: bool) -> Manners {
        Manners { are_names_lenient: self.point.is_multiple_of(2), is_lying }
    }

    /// Writes a line into the story of the run, for whoever looks for a loss.
    pub fn tell(&self, machine: &str, line: &str) {
        let story = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.join("points.log"));
        if let Ok(mut story) = story {
            // The run goes on without its story.
            let _ = writeln!(story, "{} {machine}: {line}", self.point);
        }
    }

    /// Sends everything where the net allows; says whether all of it is at the server.
    ///
    /// # Errors
    /// When the program speaks of damage.
    pub fn sync(&mut self, machine: &mut Machine) -> Result<bool> {
        let told = machine.command(&["sync", "--quiet"])?;
        self.tell(&machine.name, &format!("sync {:?} {}", told.code, told.err.trim()));
        told.no_damage()?;
        self.proofs.add("forks found with the server", u64::from(told.err.contains("holds other records")));
        if told.code == Some(0) {
            self.ledger.sent(&machine.name);
        }
        self.release()?;
        Ok(told.code == Some(0))
    }

    /// A person at the desk lets on the agents that the server has taken for copies.
    ///
    /// # Errors
    /// When the server refuses, or one is none.
    pub fn release(&mut self) -> Result<()> {
        let store = Store::Sqlite(self.server.database());
        if store.number("SELECT COUNT(*) FROM agent WHERE quarantined_at_ms IS NOT NULL")? == 0 {
            return Ok(());
        }
        let told = self.server.run(&["agent", "list", "--json"], "")?.ok()?;
        let agents: Vec<serde_json::Value> = serde_json::from_str(&told)?;
        for agent in agents.iter().filter(|agent| agent["state"] == "quarantined") {
            let name = agent["name"].as_str().unwrap_or_default();
            ensure!(self.twofold.contains(name), "{name} was taken for a copy, and is none");
            let told = self.server.run(&["agent", "release", name], "")?.ok()?;
            self.tell(name, told.trim());
            self.proofs.add("copies noticed by the server", 1);
        }
        Ok(())
    }

    /// The machine goes down and comes up; what the cut did is counted.
    ///
    /// # Errors
    /// When the disk cannot be mounted again.
    pub fn restart(&mut self, machine: &mut Machine, is_power_cut: bool) -> Result<Damage> {
        let hit = machine.volume.gate().is_frozen();
        self.proofs.add("crashes in the middle of a change of the disk", u64::from(hit));
        let manners = self.manners_of(false);
        let cut = match (is_power_cut, self.seed.below(3)) {
            (false, _) => Cut::Nothing,
            (true, 0) => Cut::All,
            (true, _) => Cut::Some(&mut self.seed),
        };
        let damage = machine.restart(cut)?;
        machine.volume.behave(manners);
        self.tell(
            &machine.name,
            &format!("restarted, power cut {is_power_cut}, in a change {hit}, {damage:?}"),
        );
        self.proofs.add("unsynced pages lost", damage.pages);
        self.proofs.add("pages torn between sectors", damage.torn);
        self.proofs.add("unsynced names lost", damage.names);
        Ok(damage)
    }

    /// After a crash: it starts by itself, saves, and still has all that it answered.
    ///
    /// # Errors
    /// When it does not.
    pub fn recover(&mut self, machine: &mut Machine) -> Result<()> {
        machine.volume.gate().disarm();
        machine.clock.step(0)?;
        machine.net.set(Weather::Fine);
        self.save_surely(machine)?;
        self.check(machine)
    }

    /// Compares the laptop's journal with the book.
    ///
    /// # Errors
    /// When something is missing or changed.
    pub fn check(&mut self, machine: &Machine) -> Result<()> {
        let held = machine.held().with_context(|| format!("the journal of {}", machine.name))?;
        self.ledger.check_held(&machine.name, &held)
    }

    /// Sends everything at the end; it must succeed, and nothing may be left.
    ///
    /// # Errors
    /// When something is left.
    pub fn drain(&mut self, machine: &mut Machine) -> Result<()> {
        machine.net.set(Weather::Fine);
        machine.clock.step(0)?;
        machine.volume.gate().disarm();
        let told = crate::harness::eventually(DRAIN, "everything is at the server", || {
            let told = machine.command(&["sync", "--quiet"])?;
            self.release()?;
            if told.code == Some(0) { Ok(Some(told)) } else { bail!("{}", told.err) }
        })
        .with_context(|| format!("the last sync of {}", machine.name))?;
        told.no_damage()?;
        self.tell(&machine.name, &format!("drained {}", told.err.trim()));
        self.ledger.sent(&machine.name);
        let status = machine.command(&["status", "--json"])?;
        let status: serde_json::Value = serde_json::from_str(&status.out).context(status.err)?;
        let lanes = status["unsent"].as_array().context("unsent")?;
        let left: u64 = lanes.iter().filter_map(|lane| lane["records"].as_u64()).sum();
        ensure!(left == 0, "{left} records are left on {}", machine.name);
        self.check(machine)
    }

    /// Notes what the server's process counted, before it ends.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn note_metrics(&mut self) -> Result<()> {
        let text = self.api.text("/metrics")?;
        let sum = |name: &str, also: &[&str]| {
            let lines = text
                .lines()
                .filter(|line| line.starts_with(name) && also.iter().all(|part| line.contains(part)));
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
        };
        self.proofs.add("forks answered to a batch", sum("linewatch_http_requests_total", &["push", "409"]));
        self.proofs.add(RECEIVED, sum("linewatch_records_received_total", &[]));
        Ok(())
    }

    /// What the server holds.
    ///
    /// # Errors
    /// When its database cannot be read.
    pub fn at_server(&self) -> Result<ServerRecords> {
        ServerRecords::read(&self.server.database())
    }

    /// Adds what the server's database tells of what happened.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn note_server(&mut self) -> Result<()> {
        let store = Store::Sqlite(self.server.database());
        let number = |sql: &str| -> Result<u64> { Ok(store.number(sql)?.unsigned_abs()) };
        let wrong = format!("SELECT COUNT(*) FROM clock WHERE ABS(offset_ms) > {DAY_MS}");
        self.proofs.add("clocks seen wrong by more than a day", number(&wrong)?);
        let stored = number("SELECT (SELECT COUNT(*) FROM record) + (SELECT COUNT(*) FROM aside)")?;
        let received = self.proofs.all().get(RECEIVED).copied().unwrap_or(0);
        self.proofs.add("duplicates skipped", received.saturating_sub(stored));
        Ok(())
    }

    /// Adds what the nets and disks counted.
    pub fn note_counts(&mut self) {
        let counts = Arc::clone(&self.net_counts);
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        self.proofs.add("connections without a way", read(&counts.away));
        self.proofs.add("batches cut in the middle", read(&counts.cut_batches));
        self.proofs.add("connections cut before", read(&counts.cut_early));
        self.proofs.add("answers lost", read(&counts.lost_answers));
    }
}

/// Bodies that the server was sent, doubles among them.
pub const RECEIVED: &str = "records received by the server";

/// The lines of a laptop's customer.
fn lines_of(name: &str) -> Vec<String> {
    (0..LINES).map(|n| format!("L-{name}-{n}")).collect()
}

/// Laptops with customers of their own.
fn names() -> Vec<String> {
    let laptops = (0..LAPTOPS).map(|n| format!("laptop-{n}"));
    laptops.chain(["liar".to_owned(), "upgraded".to_owned()]).collect()
}

fn import(server: &Server) -> Result<()> {
    let mut customers = vec!["code,name,tier,pack,manager,manager_email".to_owned()];
    let mut lines = vec!["code,customer,agent".to_owned()];
    let row = |code: &str| format!("{code},sample customer,A,group-line,manager-1,manager-1@desk.example");
    for name in names() {
        customers.push(row(&format!("C-{name}")));
        lines.extend(lines_of(&name).iter().map(|line| format!("{line},C-{name},{name}")));
    }
    // The golden journal's.
    customers.push(row("C-SAMPLE"));
    lines.push("L-SAMPLE,C-SAMPLE,upgraded".to_owned());
    server.import("customers.csv", &customers.join("\n"))?;
    server.import("lines.csv", &lines.join("\n"))?;
    Ok(())
}
