//! An agent that syncs in this process, by its own conversation over TLS, from a journal on disk.

use anyhow::{Context, Result, ensure};
use linewatch_agent::enroll::Identity;
use linewatch_agent::journal::{Journal, lane_views};
use linewatch_agent::run::link::chance;
use linewatch_agent::sync::session::Session;
use linewatch_shared::facts::Lane;
use std::net::SocketAddr;
use std::path::Path;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::harness::{Agent, BOUND, Seed, Server, block_on, eventually, sample};

use super::{line_of, moment};

/// One of them.
pub struct Device {
    /// Its number.
    pub number: usize,
    /// Its folder.
    pub agent: Agent,
    journal: Journal,
    lines: usize,
    /// Every id that its journal has saved.
    pub saved: Vec<Uuid>,
    stop: CancellationToken,
}

impl Device {
    /// Enrols by way of the proxy, and begins to sync.
    ///
    /// # Errors
    /// When it is not let in.
    pub fn new(dir: &Path, server: &Server, proxy: SocketAddr, number: usize, lines: usize) -> Result<Self> {
        let agent = Agent::new(dir, None, &[])?;
        let token = server.agent_token(&name(number))?;
        agent.run(&["enroll", &format!("https://{proxy}"), "--token", &token])?.ok()?;
        let journal = sample::journal(&agent)?;
        let mut device =
            Self { number, agent, journal, lines, saved: Vec::new(), stop: CancellationToken::new() };
        device.sync()?;
        Ok(device)
    }

    fn sync(&mut self) -> Result<()> {
        let identity = Identity::load(&self.agent.data_dir())?.context("not enrolled")?;
        let (journal, stop) = (self.journal.clone(), self.stop.clone());
        block_on(async {
            let client = identity.client(&self.agent.data_dir(), journal.vault())?;
            let session = Session::new(journal.clone(), client, chance()).await?;
            tokio::spawn(linewatch_agent::sync::run(session, journal, stop));
            Ok(())
        })
    }

    /// Saves so many records: mostly visits, now and then a report of one of its lines.
    ///
    /// # Errors
    /// When the journal refuses.
    pub fn write(&mut self, count: u64, chance: &mut Seed) -> Result<()> {
        let mut records = Vec::new();
        for _ in 0..count {
            let scribe = self.journal.scribe();
            let record = if chance.below(3) == 0 {
                let line = line_of(self.number, chance.below(self.lines as u64) as usize);
                sample::report(scribe, &line, moment())
            } else {
                sample::visit(scribe)
            };
            self.saved.push(record.id);
            records.push(record);
        }
        let added = self.journal.append_blocking(&records)?;
        ensure!(added == records.len(), "{added} of {} were saved", records.len());
        Ok(())
    }

    /// What the server has acknowledged: the journal's epoch, and the last number of the desk's lane.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn acknowledged(&self) -> Result<(u64, u64)> {
        let (stream, lanes) = self.journal.read_blocking(lane_views)?;
        let desk = lanes.iter().find(|view| view.lane == Lane::Desk).context("no lane of the desk")?;
        Ok((stream.epoch, desk.held.last().map_or(0, |span| span.last)))
    }

    /// How many records the server has not acknowledged.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn unsent(&self) -> Result<u64> {
        let (_, lanes) = self.journal.read_blocking(lane_views)?;
        Ok(lanes.iter().map(linewatch_agent::journal::LaneView::unsent).sum())
    }

    /// Waits until the server has acknowledged everything.
    ///
    /// # Errors
    /// When nothing at all is acknowledged for a long time.
    pub fn wait_sent(&self) -> Result<()> {
        let mut left = self.unsent()?;
        while left > 0 {
            let what = format!("{} goes on by itself, {left} records left", name(self.number));
            left = eventually(BOUND * 3, &what, || Ok(Some(self.unsent()?).filter(|now| *now != left)))?;
        }
        Ok(())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// As the desk knows it.
#[must_use]
pub fn name(number: usize) -> String {
    format!("laptop-{number}")
}
