//! Ours: an agent with a journal full of minutes, and a server on either database. Real processes, TLS.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};
use linewatch_agent::journal::FILE_NAME;
use linewatch_shared::facts::{Body, Reading, When};
use linewatch_shared::minute::MinuteBlock;
use linewatch_shared::time::{MINUTE_MS, MonoMs, UnixMs};
use uuid::Uuid;

use super::Lines;
use crate::bench_agent::Place;
use crate::harness::{
    Agent, Cluster, Folder, Process, Server, ServerOptions, Store, eventually, mono_ms, now, sample,
};

/// Blocks that are saved at once while the past is made.
const SAVED_AT_ONCE: usize = 100;
/// How long it may take to come back.
const BACK_WITHIN: Duration = Duration::from_mins(5);
/// What the server holds of it.
const HELD: &str = "SELECT id FROM record WHERE kind = 'minute'";

/// Where the server keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite,
    /// A PostgreSQL of its own, as durable as it comes.
    Postgres,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A laptop that is enrolled and away.
pub struct Away<'a> {
    /// The server, running.
    pub server: Server,
    agent: Agent,
    store: Store,
    lines: Lines,
    place: &'a Place,
    /// The minute that was filled in last.
    last: UnixMs,
    empty_bytes: u64,
    /// The ids of all blocks that were saved.
    pub saved: Vec<Uuid>,
    _cluster: Option<Cluster>,
}

/// What one return took.
#[derive(Clone, Copy, Debug)]
pub struct Returned {
    /// What the journal took for it.
    pub disk_bytes: u64,
    /// What went over the link, with the heads of packets; none without a link of its own.
    pub wire_bytes: Option<u64>,
    /// With the start of the agent's program.
    pub seconds: f64,
}

impl<'a> Away<'a> {
    /// Enrols an agent that watches so many lines.
    ///
    /// # Errors
    /// When a program refuses.
    pub fn new(folder: &Folder, place: &'a Place, database: Database, lines: usize) -> Result<Self> {
        let cluster = if database == Database::Sqlite { None } else { Some(Cluster::durable()?) };
        let db_url = cluster.as_ref().map(Cluster::url);
        let options = ServerOptions { sync_ip: place.server_ip(), db_url, ..ServerOptions::default() };
        let mut server = Server::new(&folder.sub("server")?, &options)?;
        server.import("customers.csv", "code,name,tier,manager\nBENCH,Sample customer,AA,manager-1\n")?;
        server.start()?;
        let agent = Agent::new(&folder.sub("agent")?, place.namespace(), &[])?;
        agent.enroll(&server, "bench-agent")?;
        let store = match &cluster {
            Some(cluster) => Store::Postgres(cluster.url()),
            None => Store::Sqlite(server.database()),
        };
        let mut away = Self {
            server,
            agent,
            store,
            lines: Lines::draw(lines),
            place,
            last: UnixMs(now().0 / MINUTE_MS * MINUTE_MS),
            empty_bytes: 0,
            saved: Vec::new(),
            _cluster: cluster,
        };
        away.empty_bytes = away.journal_bytes()?;
        Ok(away)
    }

    /// What the journal takes, once its log is folded into it.
    fn journal_bytes(&self) -> Result<u64> {
        drop(sample::journal(&self.agent)?);
        Ok(std::fs::metadata(self.agent.data_dir().join(FILE_NAME))?.len())
    }

    /// Saves the minutes before those that are there, one block each, the oldest first.
    ///
    /// # Errors
    /// When the journal refuses.
    pub fn fill(&mut self, minutes: usize) -> Result<()> {
        let journal = sample::journal(&self.agent)?;
        let first = self.last - minutes as i64 * MINUTE_MS;
        let all: Vec<_> = (0..minutes as i64).map(|n| first + n * MINUTE_MS).collect();
        for minutes in all.chunks(SAVED_AT_ONCE) {
            let mut records = Vec::new();
            for at in minutes {
                let block = MinuteBlock::new(*at, self.lines.minute())?;
                let now = journal.scribe().reading();
                let mono = MonoMs(now.mono.0 - now.wall.since(*at));
                let when = When::Machine(Reading { wall: *at, mono });
                let record = journal.scribe().record(when, None, Body::Minute(block.encode()));
                self.saved.push(record.id);
                records.push(record);
            }
            journal.append_blocking(&records)?;
        }
        self.last = first;
        Ok(())
    }

    /// Begins to send.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start_sync(&self) -> Result<Process> {
        self.agent.start_command(&["sync", "--quiet"])
    }

    /// Sends everything.
    ///
    /// # Errors
    /// When it fails.
    pub fn send_all(&self) -> Result<()> {
        let status = self.start_sync()?.wait(BACK_WITHIN)?;
        ensure!(status.success(), "the sync ended with {status}; see {}", self.agent.log().display());
        Ok(())
    }

    /// Sends everything, and counts what it took since the agent was enrolled.
    ///
    /// # Errors
    /// When it fails, or not everything is there.
    pub fn come_back(&mut self) -> Result<Returned> {
        let disk_bytes = self.journal_bytes()?.saturating_sub(self.empty_bytes);
        let before = self.place.received_bytes()?;
        let began_ms = mono_ms();
        self.send_all()?;
        let seconds = (mono_ms() - began_ms) as f64 / 1_000.0;
        let wire_bytes = self.place.received_bytes()?.zip(before).map(|(after, before)| after - before);
        let (there, saved) = (self.held()?.len(), self.saved.len());
        ensure!(there == saved, "{there} of {saved} minutes are there");
        Ok(Returned { disk_bytes, wire_bytes, seconds })
    }

    /// The ids of the blocks that the server holds.
    ///
    /// # Errors
    /// When its database cannot be read.
    pub fn held(&self) -> Result<Vec<Uuid>> {
        self.store.ids(HELD)
    }

    /// Waits until the server holds more than so many.
    ///
    /// # Errors
    /// When it does not get them.
    pub fn wait_for_more(&self, count: usize) -> Result<()> {
        let sql = format!("SELECT COUNT(*) FROM ({HELD}) AS held");
        eventually(BACK_WITHIN, "the server gets minutes", || {
            Ok((self.store.number(&sql)? > count as i64).then_some(()))
        })
    }
}
