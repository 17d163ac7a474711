//! A conversation with the server, a step at a time: asks the planner, does what it says, notes the answer.
//!
//! The journal's state is read anew before each step, so several processes may sync the same journal.

use std::collections::HashSet;
use std::sync::Arc;

use linewatch_shared::facts::{Body, Lane, Reading};
use linewatch_shared::time::{MonoMs, UnixMs};
use linewatch_shared::wire::{
    Batch, Envelope, Hash, Heartbeat, Hello, LEVEL, PROTOCOL, PROTOCOL_MIN, Pull, PushAnswer, Tasks,
};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::beside::Beside;
use super::clock::{self, LastClock};
use super::note::{self, Noted};
use super::pace::Pace;
use super::plan::{Action, Chance, Planner, Rejected};
use super::transport::{CallError, Meaning, Transport};
use crate::field::{parts, work};
use crate::journal::{self, Journal, JournalError, LaneView, Resend, Slice, Wanted, meta};
use crate::scope::{self, Position};

/// How the conversation stands; for `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SyncStatus {
    /// When the server last answered, by the device's wall clock.
    pub last_contact_at: Option<UnixMs>,
    /// Whether the last exchange succeeded.
    pub connected: bool,
    /// What went wrong last, until it goes right again.
    pub trouble: Option<String>,
    /// The server's clock less the device's, in milliseconds.
    pub offset_ms: Option<i64>,
    /// Rises with each page of reference data that was applied.
    pub pulls: u64,
    /// How fast records and parts went lately, in bytes a second.
    #[serde(default)]
    pub rate_bytes_per_s: Option<u64>,
    /// The server's level, as it last said.
    #[serde(default)]
    pub level: u16,
    /// Whether the server wants the agent's certificate renewed now.
    #[serde(default)]
    pub renew: bool,
    /// Whether the server says that the agent's certificate counts no more.
    #[serde(default)]
    pub expired: bool,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something; there may be more to do at once.
    Did,
    /// Nothing until then, unless something is written.
    Wait(MonoMs),
}

/// One agent's conversation.
pub struct Session<T> {
    pub(super) journal: Journal,
    pub(super) transport: T,
    pub(super) planner: Planner,
    version: String,
    status: watch::Sender<SyncStatus>,
    pub(super) pace: Pace,
    /// Parts that the server did not know when it was last asked.
    pub(super) unknown_parts: HashSet<Hash>,
    wishes: Arc<Notify>,
}

impl<T: Transport> Session<T> {
    /// Begins; nothing is sent before the first [`Session::step`].
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn new(journal: Journal, transport: T, chance: Chance) -> Result<Self, JournalError> {
        let position = journal.read(scope::position).await?;
        let planner = Planner::new(chance, position.settled_head());
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Self {
            journal,
            transport,
            planner,
            version,
            status: watch::Sender::default(),
            pace: Pace::default(),
            unknown_parts: HashSet::new(),
            wishes: Arc::default(),
        })
    }

    /// How the conversation stands.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<SyncStatus> {
        self.status.subscribe()
    }

    /// Wakes the conversation: the server is contacted now, and open work is looked at.
    #[must_use]
    pub fn wishes(&self) -> Arc<Notify> {
        Arc::clone(&self.wishes)
    }

    /// Whether the server of this conversation takes parts of reports.
    #[must_use]
    pub const fn sends_parts(&self) -> bool {
        self.planner.beside.knows_parts()
    }

    /// Somebody wished that the server be contacted now.
    pub fn on_wish(&mut self) {
        let now = self.reading().mono;
        self.planner.on_wish(now);
    }

    /// Does the next thing.
    ///
    /// # Errors
    /// Those of the journal; those of the server are dealt with inside.
    pub async fn step(&mut self) -> Result<Step, JournalError> {
        let look =
            |db: &rusqlite::Connection| Ok((journal::lane_views(db)?, !parts::unsent(db, 1)?.is_empty()));
        let ((stream, lanes), parts_left) = self.journal.read(look).await?;
        let now = self.reading().mono;
        let result = match self.planner.next(now, &lanes, parts_left) {
            Action::Wait(until) => return Ok(Step::Wait(until)),
            Action::Hello => self.hello(stream.epoch, &lanes).await?,
            Action::Heartbeat => self.heartbeat(stream.epoch, &lanes).await?,
            Action::Push(wanted) => self.push(wanted).await?,
            Action::Pull => self.pull().await?,
            Action::Beside(Beside::Work) => self.work().await?,
            Action::Beside(Beside::Ask) => self.ask_parts().await?,
            Action::Beside(Beside::Chunk(most)) => self.send_chunk(most).await?,
        };
        match result {
            Ok(()) => self.status.send_modify(|status| {
                status.connected = self.planner.is_up();
                status.last_contact_at = Some(self.journal.scribe().now());
                status.trouble = None;
                status.expired = false;
                status.rate_bytes_per_s = self.pace.bytes_per_s();
            }),
            Err(error) => self.failed(&error).await?,
        }
        Ok(Step::Did)
    }

    pub(super) fn reading(&self) -> Reading {
        self.journal.scribe().reading()
    }

    async fn failed(&mut self, error: &CallError) -> Result<(), JournalError> {
        let Reading { wall, mono: now } = self.reading();
        if error.is_revoked() && self.journal.write(move |tx| journal::lock(tx, wall)).await? {
            tracing::error!("the server has revoked this device: it is locked until it is enrolled again");
        }
        match error.meaning() {
            Meaning::Refused => self.planner.on_refused(now),
            Meaning::Later { retry_after_ms } => self.planner.on_failure(now, retry_after_ms),
            Meaning::Fork | Meaning::Rejected | Meaning::Gone => self.planner.on_failure(now, None),
        }
        let text = error.to_string();
        if self.status.borrow().trouble.as_ref() != Some(&text) {
            tracing::warn!(error = %text, "no sync for now; everything is kept");
        }
        self.status.send_modify(|status| {
            status.connected = false;
            status.expired = error.is_over();
            status.trouble = Some(text);
        });
        Ok(())
    }

    async fn hello(&mut self, epoch: u64, lanes: &[LaneView]) -> Result<Result<(), CallError>, JournalError> {
        let before = self.reading();
        let hello = Hello {
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL,
            version: self.version.clone(),
            device: before,
            boot: self.journal.scribe().boot(),
            epoch,
            heads: lanes.iter().map(LaneView::head).collect(),
            level: LEVEL,
            trusts: Vec::new(),
        };
        let answer = match self.transport.hello(&hello).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        let after = self.reading();
        let (limits, reference_head, server_now) = (answer.limits, answer.reference_head, answer.server_now);
        let level = answer.level;
        let renew = answer.renew;
        self.status.send_modify(|status| (status.level, status.renew) = (level, renew));
        let now = after.wall;
        match self.journal.write(move |tx| note::hello(tx, epoch, &answer, now)).await? {
            Noted::Forked(why) => self.forked(&why),
            Noted::Fine => self.planner.on_hello(after.mono, limits, reference_head, level),
        }
        // Another process, or another server, may have moved the cursor.
        let position = self.journal.read(scope::position).await?;
        self.planner.on_pulled(position.settled_head());
        self.note_clock(before, after, server_now).await?;
        Ok(Ok(()))
    }

    async fn heartbeat(
        &mut self,
        epoch: u64,
        lanes: &[LaneView],
    ) -> Result<Result<(), CallError>, JournalError> {
        let before = self.reading();
        let heartbeat = Heartbeat {
            device: before,
            boot: self.journal.scribe().boot(),
            epoch,
            heads: lanes.iter().map(LaneView::head).collect(),
        };
        let answer = match self.transport.heartbeat(&heartbeat).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        let after = self.reading();
        self.planner.on_heartbeat(after.mono, answer.reference_head);
        let known = self.journal.read(|db| meta::get::<Uuid>(db, meta::SERVER_EPOCH)).await?;
        if known != Some(answer.server_epoch) {
            self.planner.on_new_server(after.mono);
        }
        self.note_clock(before, after, answer.server_now).await?;
        Ok(Ok(()))
    }

    /// Journals a clock fact where there is something to say.
    async fn note_clock(&self, before: Reading, after: Reading, server: UnixMs) -> Result<(), JournalError> {
        let fact = clock::measure(before, after, server);
        self.status.send_modify(|status| status.offset_ms = Some(fact.offset_ms()));
        let last = self.journal.read(|db| meta::get::<LastClock>(db, meta::LAST_CLOCK)).await?;
        let boot = self.journal.scribe().boot();
        if !clock::is_news(last.as_ref(), boot, &fact) {
            return Ok(());
        }
        self.journal.append(&[self.journal.scribe().now_record(Body::Clock(fact))]).await?;
        self.journal.write(move |tx| meta::put(tx, meta::LAST_CLOCK, &LastClock { boot, fact })).await
    }

    async fn push(&mut self, wanted: Wanted) -> Result<Result<(), CallError>, JournalError> {
        let Some(slice) = self.journal.read(move |db| journal::slice(db, &wanted)).await? else {
            return Ok(Ok(()));
        };
        let Slice { epoch, lane, first, chain, bodies } = slice;
        let count = bodies.len();
        let envelope = Envelope { protocol: PROTOCOL, epoch, lane, first, chain, count: count as u32 };
        let batch = Batch { envelope, bodies };
        let packed = tokio::task::spawn_blocking(move || batch.pack()).await;
        let Ok(Ok(packed)) = packed else {
            return Err(JournalError::Damaged("a batch could not be packed".to_owned()));
        };
        let before = self.reading();
        let sent_bytes = packed.len() as u64;
        match self.transport.push(packed).await {
            Ok(answer) => {
                let after = self.reading();
                self.pace.note(sent_bytes, after.mono.0 - before.mono.0);
                self.planner.on_pushed(lane, after.mono.0 - before.mono.0);
                self.note_pushed(epoch, lane, answer).await?;
                Ok(Ok(()))
            }
            Err(error) if error.meaning() == Meaning::Fork => {
                let why = error.to_string();
                let now = before.wall;
                let text = why.clone();
                self.journal.write(move |tx| note::fork(tx, epoch, Resend::Unheld, &text, now)).await?;
                self.forked(&why);
                Ok(Ok(()))
            }
            Err(error) if error.meaning() == Meaning::Rejected => {
                self.rejected(lane, first, count, error).await
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn note_pushed(&mut self, epoch: u64, lane: Lane, answer: PushAnswer) -> Result<(), JournalError> {
        if answer.set_aside > 0 {
            tracing::warn!(
                records = answer.set_aside,
                lane = lane.name(),
                "put aside by the server for a person"
            );
        }
        let now = self.reading().wall;
        let noted = self.journal.write(move |tx| {
            meta::put(tx, meta::LAST_CONTACT, &now)?;
            note::lane(tx, epoch, lane, &answer.held, now)
        });
        if let Noted::Forked(why) = noted.await? {
            self.forked(&why);
        }
        Ok(())
    }

    /// A batch that cannot be taken in: smaller ones, down to one record, which is then wrapped.
    async fn rejected(
        &mut self,
        lane: Lane,
        first: u64,
        count: usize,
        error: CallError,
    ) -> Result<Result<(), CallError>, JournalError> {
        let Rejected::Alone { lane, number } = self.planner.on_rejected(lane, first, count) else {
            return Ok(Ok(()));
        };
        let (why, now) = (error.to_string(), self.reading().wall);
        tracing::error!(lane = lane.name(), number, error = %why, "a record is refused; it is sent wrapped");
        let wrapped = self.journal.write(move |tx| journal::poison(tx, lane, number, &why, now)).await?;
        // Refused bare, wrapped and without its bytes: it is not the record that is wrong.
        Ok(if wrapped { Ok(()) } else { Err(error) })
    }

    fn forked(&mut self, why: &str) {
        tracing::warn!(%why, "the server holds other records under these numbers: a new epoch begins");
        let now = self.reading().mono;
        self.planner.on_fork(now);
    }

    /// Asks for the open work, unless it is what is here already.
    async fn work(&mut self) -> Result<Result<(), CallError>, JournalError> {
        let known = self.journal.read(work::digest).await?;
        let now = self.reading().mono;
        self.planner.beside.on_work(now);
        match self.transport.tasks(&Tasks { known }).await {
            Ok(answer) if answer.work.is_some() => {
                self.journal.write(move |tx| work::keep(tx, &answer)).await?;
                Ok(Ok(()))
            }
            Ok(_) => Ok(Ok(())),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn pull(&mut self) -> Result<Result<(), CallError>, JournalError> {
        let Position { cursor, .. } = self.journal.read(scope::position).await?;
        match self.transport.pull(&Pull { cursor, level: LEVEL }).await {
            Ok(page) => {
                let position = self.journal.write(move |tx| scope::apply(tx, &page)).await?;
                self.planner.on_pulled(position.settled_head());
                if position.settled_head().is_some() {
                    self.status.send_modify(|status| status.pulls += 1);
                }
                Ok(Ok(()))
            }
            Err(error) if error.meaning() == Meaning::Gone => {
                self.journal.write(scope::restart).await?;
                self.planner.on_pulled(None);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }
}
