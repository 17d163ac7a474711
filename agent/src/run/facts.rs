//! From the monitor to the journal. A change of a line's state is never dropped; a minute may be, when
//! the disk is full and nothing more can be given up.

use std::collections::VecDeque;
use std::time::Duration;

use linewatch_shared::detector::Moment;
use linewatch_shared::facts::{Body, LineChange, Reading, Record, When};
use linewatch_shared::minute::MinuteBlock;
use linewatch_shared::time::MonoMs;
use tokio::sync::mpsc;

use crate::journal::{Journal, Scribe};
use crate::monitor::FactSink;

/// Records between the monitor and the journal.
const QUEUE_MAX: usize = 4_096;
/// Records held back while the queue is full: twice the changes of every line at once.
const HELD_MAX: usize = 65_536;
/// Records in one append.
const APPEND_MAX: usize = 1_024;
/// The pause before what could not be saved is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Takes what the monitor finds out.
pub struct JournalSink {
    scribe: Scribe,
    queue: mpsc::Sender<Record>,
    held: VecDeque<Record>,
}

/// The sink, and where its records come out.
#[must_use]
pub fn channel(scribe: Scribe) -> (JournalSink, mpsc::Receiver<Record>) {
    let (queue, records) = mpsc::channel(QUEUE_MAX);
    (JournalSink { scribe, queue, held: VecDeque::new() }, records)
}

impl JournalSink {
    fn hand_on(&mut self, record: Record) {
        self.held.push_back(record);
        while let Some(record) = self.held.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(record)) = self.queue.try_send(record) {
                self.held.push_front(record);
                break;
            }
        }
        if self.held.len() > HELD_MAX {
            let minute = self.held.iter().position(|record| matches!(record.body, Body::Minute(_)));
            tracing::error!("the journal has not kept up: a record is given up");
            self.held.remove(minute.unwrap_or(0));
        }
    }

    /// What is still held back when the monitor has ended.
    #[must_use]
    pub fn into_held(self) -> Vec<Record> {
        self.held.into()
    }
}

impl FactSink for JournalSink {
    fn line_changed(&mut self, occurred: Moment, change: LineChange) {
        tracing::info!(line = change.line, state = ?change.state, occurred_at = occurred.at.to_rfc3339(), "line changed");
        let when = When::Machine(Reading { wall: occurred.at, mono: occurred.mono });
        let record = self.scribe.record(when, None, Body::Line(change));
        self.hand_on(record);
    }

    fn minute(&mut self, block: MinuteBlock) {
        let now = self.scribe.reading();
        let mono = MonoMs(now.mono.0 - now.wall.since(block.minute_at()));
        let when = When::Machine(Reading { wall: block.minute_at(), mono });
        let record = self.scribe.record(when, None, Body::Minute(block.encode()));
        self.hand_on(record);
    }
}

/// Saves what comes, until the sink is gone.
pub async fn save(journal: Journal, mut records: mpsc::Receiver<Record>) {
    let mut batch = Vec::new();
    while records.recv_many(&mut batch, APPEND_MAX).await > 0 {
        append(&journal, &mut batch, &records).await;
    }
}

/// Appends a batch, however long it takes; minutes are given up on a full disk.
async fn append(journal: &Journal, batch: &mut Vec<Record>, more: &mpsc::Receiver<Record>) {
    loop {
        let Err(error) = journal.append(batch).await else { break };
        tracing::error!(%error, records = batch.len(), "could not save; trying again");
        batch.retain(|record| !matches!(record.body, Body::Minute(_)));
        // At the end of the program there is no later.
        if batch.is_empty() || more.is_closed() {
            break;
        }
        tokio::time::sleep(RETRY).await;
    }
    batch.clear();
}
