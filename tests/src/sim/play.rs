//! One run: steps by chance, each followed by a look at what must hold.

use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use linewatch_shared::time::{Clock, ManualClock};

use super::check;
use super::counts::Counts;
use super::desk::{self, Told};
use super::device::Laptop;
use super::end;
use super::link::{Net, Shared};
use super::nodes::{NODES, Node, Nodes};
use super::template::{BEGIN, LAPTOPS, Template};
use super::weather::Weather;
use crate::harness::{Folder, Seed};

/// What has been under way for longer than this is given up by the device's network stack, too.
const UNDER_WAY_MS: i64 = 20_000;

/// How a run is played.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed.
    pub seed: u64,
    /// Steps before everything heals.
    pub steps: u32,
    /// Whether each step is printed.
    pub trace: bool,
}

/// An old copy of the database, and what had been promised by then.
pub struct Backup {
    pub file: PathBuf,
    pub accepted: i64,
}

/// All that there is.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub net: Shared,
    pub laptops: Vec<Laptop>,
    pub told: Told,
    pub token: String,
    pub backup: Option<Backup>,
    /// How often the database was put back.
    pub restored: u64,
    /// How many answers those laptops had heard that have not come to rest with the server since it was put back.
    pub unaware: [Option<u64>; LAPTOPS],
    dir: PathBuf,
    trace: bool,
    step: u32,
}

/// Plays a run.
///
/// # Errors
/// What did not hold, with the step.
pub async fn play(template: &Template, options: &Options) -> Result<Counts> {
    let folder = Folder::in_memory()?;
    let mut world = World::begin(template, folder.path(), options).await?;
    for step in 0..options.steps {
        world.step = step;
        world.act().await.with_context(|| format!("seed {}, step {step}", options.seed))?;
        check::after_step(&mut world).with_context(|| format!("seed {}, after step {step}", options.seed))?;
    }
    end::settle(&mut world).await.with_context(|| format!("seed {}, at the end", options.seed))?;
    let counts = world.net().counts.clone();
    Ok(counts)
}

impl World {
    async fn begin(template: &Template, dir: &Path, options: &Options) -> Result<Self> {
        let clock = Arc::new(ManualClock::at(BEGIN));
        let mut nodes = Nodes::new(&template.copy_to(dir)?, &clock);
        for n in 0..NODES {
            nodes.start(n).await?;
        }
        let net = Net {
            nodes,
            weather: Weather::default(),
            late: Vec::new(),
            counts: Counts::default(),
            seed: Seed::of(options.seed),
            calls: Vec::new(),
        };
        let net = Arc::new(std::sync::Mutex::new(net));
        let mut laptops = Vec::new();
        for (n, certificate) in template.certificates.iter().enumerate() {
            laptops.push(Laptop::new(n, dir, &clock, &net, (*certificate, template.authority)).await?);
        }
        Ok(Self {
            clock,
            net,
            laptops,
            told: Told::default(),
            token: template.token.clone(),
            backup: None,
            restored: 0,
            unaware: [None; LAPTOPS],
            dir: dir.to_owned(),
            trace: options.trace,
            step: 0,
        })
    }

    /// What all links share.
    pub fn net(&self) -> MutexGuard<'_, Net> {
        self.net.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn below(&self, n: usize) -> usize {
        self.net().seed.below(n as u64) as usize
    }

    fn say(&self, what: &str) {
        if self.trace {
            use std::io::Write;
            let at = self.clock.now().to_rfc3339();
            let _ = writeln!(std::io::stderr(), "{:>5} {at} {what}", self.step);
        }
    }

    /// A node that runs, by chance.
    pub fn node(&self) -> Option<Node> {
        let running = self.net().nodes.running();
        (!running.is_empty()).then(|| running[self.below(running.len())].clone())
    }

    async fn act(&mut self) -> Result<()> {
        // Of two steps of the same millisecond, either may come first: what is possible then is drawn anew with each ask.
        self.clock.advance(1);
        let n = self.below(LAPTOPS);
        match self.below(100) {
            0..=27 => self.save(n).await,
            28..=52 => self.speak(n).await,
            53..=62 => {
                let span_ms = [1_000, 5_000, 20_000, 60_000, 600_000, 1_800_000][self.below(6)];
                self.say(&format!("{span_ms} ms pass"));
                self.clock.advance(span_ms);
                Ok(())
            }
            63..=68 => self.round().await,
            69..=73 => self.notify().await,
            74..=81 => self.type_in().await,
            82..=84 => {
                self.weather(n);
                Ok(())
            }
            85..=87 => self.deliver_late().await,
            88..=91 => self.toggle_node().await,
            92 | 93 => self.restart(n).await,
            94 | 95 => {
                self.step_clock(n);
                Ok(())
            }
            96 => self.fill(n).await,
            97 | 98 => self.take_backup().await,
            _ => self.restore().await,
        }
    }

    async fn save(&mut self, n: usize) -> Result<()> {
        let mut seed = self.net().seed.clone();
        let saved = self.laptops[n].save(&mut seed).await?;
        self.say(&format!("laptop {n} saves: {saved}"));
        let mut net = self.net();
        net.seed = seed;
        net.counts.add(if saved { "records saved" } else { "records refused by a full disk" });
        Ok(())
    }

    async fn speak(&mut self, n: usize) -> Result<()> {
        let steps = 1 + self.below(8) as u64;
        let rests = self.laptops[n].speak(steps).await?;
        let calls = std::mem::take(&mut self.net().calls).join(", ");
        let trouble = self.laptops[n].trouble();
        self.say(&format!("laptop {n} speaks {steps} steps, rests: {rests} {trouble} [{calls}]"));
        let heard = self.laptops[n].heard();
        if rests && self.unaware[n].is_some_and(|before| heard > before) {
            self.unaware[n] = None;
        }
        Ok(())
    }

    async fn round(&self) -> Result<()> {
        let Some(node) = self.node() else { return Ok(()) };
        self.say("a round of the engine");
        Nodes::round(&node).await
    }

    async fn notify(&mut self) -> Result<()> {
        let Some(node) = self.node() else { return Ok(()) };
        let (mut seed, mut counts) = (self.net().seed.clone(), Counts::default());
        let tried = self.told.notify(&node, &mut seed, &mut counts, true).await?;
        self.say(&format!("{tried} alerts are tried"));
        let mut net = self.net();
        net.seed = seed;
        net.counts.merge(&counts);
        Ok(())
    }

    async fn type_in(&mut self) -> Result<()> {
        let running = self.net().nodes.running();
        if running.is_empty() {
            return Ok(());
        }
        let (mut seed, mut counts) = (self.net().seed.clone(), Counts::default());
        let faults = check::open_faults(&self.net().nodes.database())?;
        let is_step = !faults.is_empty() && seed.below(3) > 0;
        let (path, body) = if is_step {
            let fault = faults[seed.below(faults.len() as u64) as usize];
            (format!("/faults/{fault}/facts"), desk::step(&mut seed))
        } else {
            let (path, body) = desk::report(&mut seed, &*self.clock);
            (path.to_owned(), body)
        };
        let answer =
            self.told.type_in(&running, (&path, body.clone()), &self.token, (&mut seed, &mut counts)).await?;
        self.say(&format!("typed in: {path} {body}: {}", answer.is_some()));
        if answer.is_some() {
            counts.add(if is_step { "steps by the desk" } else { "reports by the desk" });
        }
        let mut net = self.net();
        net.seed = seed;
        net.counts.merge(&counts);
        Ok(())
    }

    fn weather(&mut self, n: usize) {
        if self.below(2) == 0 {
            let bad_percent = [0, 10, 40, 80][self.below(4)];
            self.net().weather = Weather { bad_percent };
            self.say(&format!("{bad_percent} % of the exchanges suffer"));
        } else {
            let cut = !self.laptops[n].is_cut();
            self.laptops[n].cut(cut);
            self.say(&format!("laptop {n} is cut off: {cut}"));
        }
    }

    /// What was on its way arrives, in no order; its sender has given it up, and hears no answer.
    pub async fn deliver_late(&mut self) -> Result<()> {
        let under_way = std::mem::take(&mut self.net().late);
        let mut under_way: Vec<_> = under_way.into_iter().collect();
        while !under_way.is_empty() {
            let Some(node) = self.node() else { break };
            let request = under_way.swap_remove(self.below(under_way.len()));
            if self.clock.mono().0 - request.left_at.0 > UNDER_WAY_MS {
                continue;
            }
            let answered = node.call(request.call, &request.shows, request.body).await?;
            self.say(&format!("a late {} arrives: {}", request.call, answered.status));
            ensure!(
                !answered.status.is_server_error() || answered.retry_after_s.is_some(),
                "a late {}: {} {}",
                request.call,
                answered.status,
                String::from_utf8_lossy(&answered.body)
            );
        }
        Ok(())
    }

    async fn toggle_node(&mut self) -> Result<()> {
        let n = self.below(NODES);
        if self.net().nodes.is_up(n) {
            self.say(&format!("node {n} dies"));
            let mut net = self.net();
            net.nodes.stop(n);
            net.counts.add("nodes stopped");
            return Ok(());
        }
        self.start_node(n).await
    }

    /// Starts a node that is not up.
    pub async fn start_node(&mut self, n: usize) -> Result<()> {
        self.say(&format!("node {n} starts"));
        // Built beside the shared state, which is never locked across a wait.
        let (dir, clock) = (self.dir.join("server"), Arc::clone(&self.clock));
        let mut fresh = Nodes::new(&dir, &clock);
        fresh.start(n).await?;
        self.net().nodes.take_from(&mut fresh, n);
        Ok(())
    }

    async fn restart(&mut self, n: usize) -> Result<()> {
        let reboots = self.below(2) == 0;
        self.say(&format!("laptop {n} restarts, with the device: {reboots}"));
        self.net().counts.add("laptops restarted");
        self.laptops[n].restart(reboots).await
    }

    fn step_clock(&mut self, n: usize) {
        let span_ms = [-86_400_000, -600_000, -90_000, 90_000, 600_000, 86_400_000][self.below(6)];
        if self.below(3) == 0 {
            self.laptops[n].clock.set_right();
        } else {
            self.laptops[n].clock.step(span_ms);
        }
        self.say(&format!("laptop {n}'s clock is set"));
        self.net().counts.add("clocks stepped");
    }

    async fn fill(&mut self, n: usize) -> Result<()> {
        let full = !self.laptops[n].is_full();
        self.say(&format!("laptop {n}'s disk is full: {full}"));
        self.laptops[n].fill(full).await
    }

    async fn take_backup(&mut self) -> Result<()> {
        let running = self.net().nodes.running();
        let Some(node) = running.first() else { return Ok(()) };
        let file = self.dir.join("backup.db");
        if file.exists() {
            std::fs::remove_file(&file)?;
        }
        node.app.db.backup(file.clone()).await?;
        self.say("a backup is taken");
        self.backup = Some(Backup { file, accepted: self.told.accepted });
        self.net().counts.add("backups taken");
        Ok(())
    }

    async fn restore(&mut self) -> Result<()> {
        let Some(Backup { file, accepted }) = &self.backup else { return Ok(()) };
        let (file, accepted) = (file.clone(), *accepted);
        self.say("the server is put back to its backup");
        self.net().nodes.restore(&file)?;
        self.told.accepted = accepted;
        self.restored += 1;
        self.unaware = std::array::from_fn(|n| Some(self.laptops[n].heard()));
        self.net().counts.add("servers put back to an old backup");
        for n in 0..NODES {
            self.start_node(n).await?;
        }
        Ok(())
    }
}
