//! The one thread that writes: it takes what is waiting, runs it in one transaction, commits, and only
//! then answers. Appenders that wait at the same time share a commit.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{JournalError, Scribe, room};

/// Writes that wait; an appender beyond them waits itself.
pub(super) const QUEUE_MAX: usize = 1_024;
/// Writes that share one commit.
const GROUP_MAX: usize = 512;

/// One write: it may be run again when the disk was full the first time.
pub(super) trait Job: Send {
    /// Does the work inside the transaction.
    fn run(&mut self, tx: &Connection) -> Result<(), JournalError>;
    /// Is told what became of it; success means committed.
    fn finish(self: Box<Self>, outcome: Result<(), JournalError>);
}

/// A closure with its reply.
pub(super) struct Work<T, F> {
    pub run: F,
    pub value: Option<T>,
    pub reply: oneshot::Sender<Result<T, JournalError>>,
}

impl<T: Send, F> Job for Work<T, F>
where
    F: FnMut(&Connection) -> Result<T, JournalError> + Send,
{
    fn run(&mut self, tx: &Connection) -> Result<(), JournalError> {
        self.value = Some((self.run)(tx)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), JournalError>) {
        let Self { value, reply, .. } = *self;
        // Whoever asked may have gone; the commit stands all the same.
        let _ = reply.send(outcome.and_then(|()| value.ok_or(JournalError::Closed)));
    }
}

/// How much work the writer has done.
#[derive(Debug, Default)]
pub struct Counts {
    /// Commits.
    pub commits: AtomicU64,
    /// Writes that were part of them.
    pub writes: AtomicU64,
}

pub(super) struct Writer {
    pub connection: Connection,
    pub reserve: PathBuf,
    pub scribe: Scribe,
    pub counts: Arc<Counts>,
}

impl Writer {
    /// Works until every sender is gone.
    pub fn run(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = jobs.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP_MAX {
                let Ok(next) = jobs.try_recv() else { break };
                group.push(next);
            }
            self.commit(group);
        }
        // A last checkpoint keeps the file whole on its own; without it the log is read at the next start.
        let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    fn commit(&mut self, mut group: Vec<Box<dyn Job>>) {
        let mut outcomes = self.attempt(&mut group);
        if outcomes.as_ref().is_err_and(JournalError::is_full) {
            outcomes = match room::make(&mut self.connection, &self.reserve, &self.scribe) {
                Ok(()) => self.attempt(&mut group),
                Err(error) => Err(error),
            };
        }
        match outcomes {
            Ok(outcomes) => {
                self.counts.commits.fetch_add(1, Ordering::Relaxed);
                self.counts.writes.fetch_add(group.len() as u64, Ordering::Relaxed);
                for (job, outcome) in group.into_iter().zip(outcomes) {
                    job.finish(outcome);
                }
            }
            Err(error) => {
                let full = error.is_full();
                tracing::error!(%error, writes = group.len(), "the journal could not commit");
                for job in group {
                    job.finish(Err(if full {
                        JournalError::DiskFull
                    } else {
                        JournalError::Commit(error.to_string())
                    }));
                }
            }
        }
    }

    /// Runs every job in a savepoint of its own and commits them together. A job that fails is undone
    /// alone; a full disk or a failed commit undoes all.
    fn attempt(&mut self, group: &mut [Box<dyn Job>]) -> Result<Vec<Result<(), JournalError>>, JournalError> {
        let mut tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut outcomes = Vec::with_capacity(group.len());
        for job in group {
            let savepoint = tx.savepoint()?;
            match job.run(&savepoint) {
                Ok(()) => {
                    savepoint.commit()?;
                    outcomes.push(Ok(()));
                }
                Err(error) if error.is_full() => return Err(error),
                Err(error) => {
                    savepoint.finish()?;
                    outcomes.push(Err(error));
                }
            }
        }
        tx.commit()?;
        Ok(outcomes)
    }
}
