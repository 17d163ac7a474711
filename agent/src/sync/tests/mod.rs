//! Conversations with a model of the server, through the real journal.

mod https;
mod idle;
mod locked;
mod model;
mod photos;
mod stories;
mod table;
mod walk;

use std::path::Path;
use std::sync::Arc;

use linewatch_shared::facts::{Lane, Record};
use linewatch_shared::time::{Clock, ManualClock};
use uuid::Uuid;

use crate::journal::tests::{NOW, check_whole};
use crate::journal::{Journal, LaneView, Scribe, lane_views};
use crate::sync::session::{Session, Step};
use model::Model;

/// Steps in which a conversation must come to rest.
const STEPS_MAX: usize = 3_000;

pub struct Rig {
    pub journal: Journal,
    pub clock: Arc<ManualClock>,
    pub model: Model,
    pub session: Session<Model>,
    runtime: tokio::runtime::Runtime,
}

impl Rig {
    pub fn new(dir: &Path, model: Model) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let scribe = Scribe::new(clock.clone(), Uuid::from_u128(1));
        let journal = Journal::open_with(dir, &crate::vault::Vault::sample(), scribe).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let session =
            runtime.block_on(Session::new(journal.clone(), model.clone(), Box::new(|| 0.5))).unwrap();
        Self { journal, clock, model, session, runtime }
    }

    /// The agent's process ends and starts again.
    pub fn restarted(self, dir: &Path) -> Self {
        let (model, mono) = (self.model.clone(), self.clock.mono().0);
        drop(self);
        let rig = Self::new(dir, model);
        rig.clock.advance(mono);
        rig
    }

    /// How many epochs the journal has had.
    pub fn epochs(&self) -> i64 {
        let count = |db: &rusqlite::Connection| {
            Ok(db.query_row("SELECT count(*) FROM stream", [], |row| row.get(0))?)
        };
        self.journal.read_blocking(count).unwrap()
    }

    /// One step; time passes where it waits. Returns whether it rested with nothing unsent.
    pub fn step(&mut self) -> bool {
        match self.runtime.block_on(self.session.step()).unwrap() {
            Step::Did => false,
            Step::Wait(until) => {
                let rest = self.unsent() == 0 && self.session.status().borrow().connected;
                if !rest {
                    self.pass((until.0 - self.clock.mono().0).max(1));
                }
                rest
            }
        }
    }

    /// Time passes, on both sides.
    pub fn pass(&self, span_ms: i64) {
        self.clock.advance(span_ms);
        self.model.pass(span_ms);
    }

    pub fn settle(&mut self) {
        for _ in 0..STEPS_MAX {
            if self.step() {
                return;
            }
        }
        panic!(
            "no rest after {STEPS_MAX} steps: {:?}",
            self.model.state().calls.iter().rev().take(12).collect::<Vec<_>>()
        );
    }

    pub fn views(&self) -> Vec<LaneView> {
        self.journal.read_blocking(lane_views).unwrap().1
    }

    pub fn epoch(&self) -> u64 {
        self.journal.read_blocking(lane_views).unwrap().0.epoch
    }

    pub fn unsent(&self) -> u64 {
        self.views().iter().map(LaneView::unsent).sum()
    }

    pub fn append(&self, records: &[Record]) {
        self.journal.append_blocking(records).unwrap();
    }

    /// What the agent counts as acknowledged, the server really has.
    pub fn check(&self) {
        let (stream, views) = self.journal.read_blocking(lane_views).unwrap();
        let state = self.model.state();
        for view in views {
            for span in &view.held {
                for number in span.first..=span.last {
                    let held = state
                        .streams
                        .get(&(stream.epoch, view.lane))
                        .is_some_and(|s| s.bodies.contains_key(&number));
                    assert!(held, "{} {number} counts as acknowledged and is not there", view.lane.name());
                }
            }
        }
        drop(state);
        self.journal
            .read_blocking(|db| {
                check_whole(db);
                Ok(())
            })
            .unwrap();
    }

    pub fn pushes(&self, lane: Lane) -> Vec<String> {
        let prefix = format!("push {} ", lane.name());
        let state = self.model.state();
        state.calls.iter().filter_map(|call| call.strip_prefix(&prefix)).map(str::to_owned).collect()
    }
}
