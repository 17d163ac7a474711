//! A laptop: the agent's real journal and conversation, and what it has called saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use linewatch_agent::journal::{Journal, Scribe, lane_views};
use linewatch_agent::sync::home::Home;
use linewatch_agent::sync::session::{Session, Step};
use linewatch_server::tls::Shown;
use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Body, Channel, Lane, Record, Report, StepKind, Visit, When};
use linewatch_shared::time::{ManualClock, UnixMs};
use linewatch_shared::wire::Hash;
use uuid::Uuid;

use super::clock::DeviceClock;
use super::link::{Link, Shared};
use super::template::{LINES, line};
use crate::harness::{Seed, sample};

/// Conversations come to rest within so many steps.
const STEPS_MAX: usize = 400;

/// A laptop.
pub struct Laptop {
    n: usize,
    dir: PathBuf,
    pub clock: Arc<DeviceClock>,
    boots: u128,
    pub link: Link,
    running: Option<(Journal, Session<Link>)>,
    /// What it has saved, and in which lane.
    pub saved: BTreeMap<Uuid, Lane>,
    /// Records that faults may be named by.
    openers: Vec<Uuid>,
    is_full: bool,
}

impl Laptop {
    /// The laptop number `n`, switched on.
    pub async fn new(
        n: usize,
        dir: &Path,
        world: &Arc<ManualClock>,
        net: &Shared,
        (certificate, trusts): (Shown, Hash),
    ) -> Result<Self> {
        let dir = dir.join(format!("laptop-{n}"));
        std::fs::create_dir_all(&dir)?;
        let mut laptop = Self {
            n,
            link: Link::new(net, certificate, Home::new(&dir, vec![trusts]), world),
            dir,
            clock: Arc::new(DeviceClock::new(world)),
            boots: 0,
            running: None,
            saved: BTreeMap::new(),
            openers: Vec::new(),
            is_full: false,
        };
        laptop.start().await?;
        Ok(laptop)
    }

    async fn start(&mut self) -> Result<()> {
        self.boots += 1;
        let boot = Uuid::from_u128((self.n as u128 + 1) << 64 | self.boots);
        let journal = Journal::open(&self.dir, Scribe::new(self.clock.clone(), boot))?;
        let session = Session::new(journal.clone(), self.link.clone(), Box::new(|| 0.5)).await?;
        self.running = Some((journal, session));
        self.is_full = false;
        Ok(())
    }

    /// Its program dies and starts again, with the device or alone.
    pub async fn restart(&mut self, reboots: bool) -> Result<()> {
        self.running = None;
        if reboots {
            self.clock.boot();
        }
        self.start().await
    }

    /// Whether nothing goes through to the server.
    pub fn cut(&self, cut: bool) {
        self.link.cut.store(cut, Ordering::SeqCst);
    }

    /// Whether the network is cut.
    pub fn is_cut(&self) -> bool {
        self.link.cut.load(Ordering::SeqCst)
    }

    /// How many answers it has heard that say which state the server is of.
    pub fn heard(&self) -> u64 {
        self.link.heard.load(Ordering::SeqCst)
    }

    fn parts(&mut self) -> Result<&mut (Journal, Session<Link>)> {
        self.running.as_mut().ok_or_else(|| anyhow::anyhow!("the laptop is off"))
    }

    /// The disk fills up, or there is room again.
    pub async fn fill(&mut self, full: bool) -> Result<()> {
        let most = if full { 1 } else { 1 << 30 };
        let set = move |tx: &rusqlite::Connection| {
            Ok(tx.query_row(&format!("PRAGMA max_page_count = {most}"), [], |row| row.get::<_, i64>(0))?)
        };
        self.parts()?.0.write(set).await?;
        self.is_full = full;
        Ok(())
    }

    /// Whether its disk is full.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Saves something; false where there was no room.
    pub async fn save(&mut self, seed: &mut Seed) -> Result<bool> {
        let record = self.invent(seed)?;
        let lane = record.body.lane();
        let journal = &self.parts()?.0;
        if let Err(error) = journal.append(std::slice::from_ref(&record)).await {
            anyhow::ensure!(self.is_full, "nothing is saved although there is room: {error}");
            return Ok(false);
        }
        if matches!(record.body, Body::Line(_) | Body::Report(_)) {
            self.openers.push(record.id);
        }
        self.saved.insert(record.id, lane);
        Ok(true)
    }

    fn invent(&mut self, seed: &mut Seed) -> Result<Record> {
        let line = line(self.n, seed.below(LINES as u64) as usize);
        let named =
            (!self.openers.is_empty()).then(|| self.openers[seed.below(self.openers.len() as u64) as usize]);
        let customer = format!("C{}", self.n);
        let scribe = self.parts()?.0.scribe();
        let now = scribe.now();
        let before = UnixMs(now.0 - 1_000 * seed.below(7_200) as i64);
        let by = || Some("sample technician".to_owned());
        Ok(match seed.below(12) {
            0..=2 => sample::change(scribe, &line, LineState::Down),
            3 | 4 => sample::change(scribe, &line, LineState::Up),
            5 => sample::change(
                scribe,
                &line,
                [LineState::Unknown, LineState::Degraded][seed.below(2) as usize],
            ),
            6 => {
                let report = Report {
                    line,
                    channel: Channel::Technician,
                    reporter: "sample caller".to_owned(),
                    description: "nothing goes through".to_owned(),
                };
                scribe.record(When::Typed(before), by(), Body::Report(report))
            }
            7 => scribe.now_record(Body::Visit(Visit {
                customer,
                purpose: "sample visit".to_owned(),
                ..Visit::default()
            })),
            8 => scribe.now_record(Body::Minute(minute(&line, now))),
            kind => {
                let kind = match (kind, seed.below(3)) {
                    (9, _) => StepKind::Acknowledged,
                    (10, 0) => StepKind::Restored,
                    (10, 1) => StepKind::Repaired,
                    (10, _) => StepKind::Feedback { reached: true },
                    (_, _) => StepKind::Note { text: "sample note".to_owned() },
                };
                let fault = named.unwrap_or_else(|| Uuid::from_u128(u128::from(seed.draw())));
                let step = linewatch_shared::facts::Step { fault, kind, note: None };
                scribe.record(When::Typed(before), by(), Body::Step(step))
            }
        })
    }

    /// Speaks with the server for some steps; true where it rests with nothing unsent.
    pub async fn speak(&mut self, steps: u64) -> Result<bool> {
        let full = self.is_full;
        let (journal, session) = self.parts()?;
        for _ in 0..steps {
            match session.step().await {
                Ok(Step::Did) => {}
                Ok(Step::Wait(_)) => break,
                // What cannot be noted now is said again.
                Err(error) => anyhow::ensure!(full, "a step failed although there is room: {error}"),
            }
        }
        let (_, lanes) = journal.read(lane_views).await?;
        let connected = session.status().borrow().connected;
        Ok(connected && lanes.iter().all(|lane| lane.unsent() == 0))
    }

    /// Contacts the server now, and speaks until nothing is left to say.
    pub async fn speak_out(&mut self) -> Result<bool> {
        self.parts()?.1.on_wish();
        self.speak(STEPS_MAX as u64).await
    }

    /// Numbers of saved records that the agent believes to be at the server, in ordered lanes.
    pub fn acknowledged(&mut self) -> Result<Vec<Uuid>> {
        let read = |db: &rusqlite::Connection| {
            let mut statement = db.prepare(
                "SELECT r.id FROM record r JOIN held h ON h.gen = r.gen AND h.lane = r.lane \
                 AND r.number BETWEEN h.first AND h.last",
            )?;
            let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        };
        let ids = self.parts()?.0.read_blocking(read)?;
        Ok(ids.iter().filter_map(|id| Uuid::from_slice(id).ok()).collect())
    }

    /// What went wrong last.
    pub fn trouble(&self) -> String {
        let status = self.running.as_ref().map(|(_, session)| session.status().borrow().clone());
        status.and_then(|status| status.trouble).unwrap_or_default()
    }
}

fn minute(line: &str, now: UnixMs) -> Vec<u8> {
    use linewatch_shared::minute::{LineMinute, MinuteBlock};
    use linewatch_shared::time::MINUTE_MS;
    let at = UnixMs(now.0.div_euclid(MINUTE_MS) * MINUTE_MS);
    let line = LineMinute {
        line: line.to_owned(),
        sent: 60,
        lost: 60,
        late: 0,
        not_sent: 0,
        longest_run: 60,
        rtt: None,
    };
    MinuteBlock::new(at, vec![line]).map(|block| block.encode()).unwrap_or_default()
}
