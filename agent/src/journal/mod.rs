//! The journal: every fact is saved here first, and *saved* means committed with `synchronous=FULL`.
//!
//! One `SQLite` database (WAL), one writer thread with group commit, one reader. Records of a lane are
//! numbered without gaps inside the transaction that stores them, so other processes (`fault report`
//! while `run` is running) may append too. A record's bytes never change, except that a full disk turns
//! an unsent summary into a tombstone and that a record which the server cannot take in even alone is
//! wrapped ([`poison`]); both keep the number. Nothing is deleted that the server has not acknowledged
//! by hash.
//!
//! Bodies of records, and what was pulled, are sealed by the [`Vault`] on their way into the file; ids, numbers, kinds,
//! line codes, times and hashes are not. Hashes and chains are those of the plain bytes.

mod acks;
pub mod carry;
mod error;
mod export;
mod identity;
mod lanes;
mod lock;
pub mod meta;
mod poison;
mod records;
mod room;
mod schema;
mod scribe;
mod sealing;
mod view;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use linewatch_shared::facts::Record;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

pub use acks::{RANGES_MAX, Resend, Verdict, accept, forget, has_lost, new_epoch};
pub use error::JournalError;
pub use export::{ExportError, Exported, Imported, export, import};
pub use lanes::{Stream, is_ordered, require as stream};
pub use lock::{lock, locked, unlock};
pub use poison::poison;
pub use records::{
    Entry, LineMark, Slice, Stored, Wanted, contains, kind_of, line_marks, of_kinds, one, slice, state_name,
};
pub use room::{KEEP_MS, prune};
pub use scribe::Scribe;
pub use view::{LaneView, Span, Unsent, lane_views, unsent, unsent_bytes};
pub use writer::Counts;

use writer::{Job, Work, Writer};

use crate::vault::{Vault, VaultConfig, find};

/// The database's name in the data directory.
pub const FILE_NAME: &str = "journal.db";
/// The file that keeps room for a full disk.
const RESERVE_NAME: &str = "reserve";

/// The journal, opened for writing. Cheap to clone; the writer ends when the last clone is dropped.
#[derive(Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Box<dyn Job>>,
    reader: Arc<Mutex<Connection>>,
    appended: Arc<watch::Sender<u64>>,
    counts: Arc<Counts>,
    scribe: Scribe,
    vault: Vault,
    /// Dropped last: waits for the writer to end.
    _thread: Arc<WriterThread>,
}

/// Joins the writer when the last user has gone, so that leaving a command flushes it.
struct WriterThread(Mutex<Option<thread::JoinHandle<()>>>);

impl Drop for WriterThread {
    fn drop(&mut self) {
        let handle = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            let _ = handle.join();
        }
    }
}

impl Journal {
    /// [`Journal::open_with`] with the key beside the data directory, as an agent has it whose configuration says
    /// nothing of a key; makes one where nothing is sealed yet.
    ///
    /// # Errors
    /// Those of [`Journal::open_with`], and when there is sealed data without a key.
    pub fn open(data_dir: &Path, scribe: Scribe) -> Result<Self, JournalError> {
        let vault = open_vault(data_dir, &VaultConfig::default())?;
        Self::open_with(data_dir, &vault, scribe)
    }

    /// Opens the journal in a data directory, creating it as needed. A database that was copied or put
    /// back gets a new epoch before anything is written to it.
    ///
    /// # Errors
    /// When the database cannot be opened, was written by a newer program, or is sealed with another key: then
    /// nothing is changed.
    pub fn open_with(data_dir: &Path, vault: &Vault, scribe: Scribe) -> Result<Self, JournalError> {
        let path = data_dir.join(FILE_NAME);
        private(&path).map_err(|source| JournalError::File { path: path.clone(), source })?;
        let connection = with_room(data_dir, || {
            let mut connection = schema::open_writer(&path, vault)?;
            if let Some(why) = identity::settle(&mut connection, &path, scribe.now())? {
                tracing::warn!(%why, "the journal begins a new epoch; unsent records are numbered anew");
            }
            Ok(connection)
        })?;
        let reserve = data_dir.join(RESERVE_NAME);
        if let Err(error) = room::reserve(&reserve) {
            tracing::warn!(%error, "no room is kept in reserve");
        }
        let reader = Arc::new(Mutex::new(with_room(data_dir, || schema::open_reader(&path, vault))?));
        Self::start(connection, reader, reserve, scribe, vault.clone(), path)
    }

    fn start(
        connection: Connection,
        reader: Arc<Mutex<Connection>>,
        reserve: PathBuf,
        scribe: Scribe,
        vault: Vault,
        path: PathBuf,
    ) -> Result<Self, JournalError> {
        let (jobs, queue) = mpsc::channel(writer::QUEUE_MAX);
        let counts = Arc::new(Counts::default());
        let writer = Writer { connection, reserve, scribe: scribe.clone(), counts: Arc::clone(&counts) };
        let handle = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(|source| JournalError::File { path, source })?;
        let appended = Arc::new(watch::Sender::new(0));
        let thread = Arc::new(WriterThread(Mutex::new(Some(handle))));
        Ok(Self { jobs, reader, appended, counts, scribe, vault, _thread: thread })
    }

    /// Makes records for this journal.
    #[must_use]
    pub const fn scribe(&self) -> &Scribe {
        &self.scribe
    }

    /// What seals this journal.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Saves records; returns after the commit how many were new (an id already there is skipped).
    ///
    /// # Errors
    /// When a record is too long, the disk is full, or the commit fails: then none of them is saved.
    pub async fn append(&self, records: &[Record]) -> Result<usize, JournalError> {
        let entries = records.iter().map(Entry::new).collect::<Result<Vec<_>, _>>()?;
        let added = self.write(move |tx| records::append(tx, &entries)).await?;
        self.appended.send_modify(|count| *count += 1);
        Ok(added)
    }

    /// Saves one record, and does more in the same transaction, if `also` agrees; answers whether it did. Nothing is saved
    /// where it does not, nor where the record is there already.
    ///
    /// # Errors
    /// As for [`Journal::append`], and those of `also`.
    pub async fn append_entry<F>(&self, entry: Entry, mut also: F) -> Result<bool, JournalError>
    where
        F: FnMut(&Connection) -> Result<bool, JournalError> + Send + 'static,
    {
        let entries = [entry];
        let done = self.write(move |tx| Ok(also(tx)? && records::append(tx, &entries)? > 0)).await?;
        self.appended.send_modify(|count| *count += 1);
        Ok(done)
    }

    /// [`Journal::append`] for commands, which have no async runtime.
    ///
    /// # Errors
    /// As for [`Journal::append`].
    pub fn append_blocking(&self, records: &[Record]) -> Result<usize, JournalError> {
        let entries = records.iter().map(Entry::new).collect::<Result<Vec<_>, _>>()?;
        self.write_blocking(move |tx| records::append(tx, &entries))
    }

    /// Runs `work` in a transaction and returns its value after the commit. It may run twice: when the
    /// disk was full, room is made and the whole transaction is tried once more.
    ///
    /// # Errors
    /// Those of `work` (then only its own changes are undone), and those of the commit.
    pub async fn write<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, JournalError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work { run: work, value: None, reply });
        self.jobs.send(job).await.map_err(|_| JournalError::Closed)?;
        answer.await.map_err(|_| JournalError::Closed)?
    }

    /// [`Journal::write`] for commands, which have no async runtime.
    ///
    /// # Errors
    /// As for [`Journal::write`].
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, JournalError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work { run: work, value: None, reply });
        self.jobs.blocking_send(job).map_err(|_| JournalError::Closed)?;
        answer.blocking_recv().map_err(|_| JournalError::Closed)?
    }

    /// Reads on a thread where blocking is allowed.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn read<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, JournalError> + Send + 'static,
    {
        let reader = Arc::clone(&self.reader);
        let read = move || work(&reader.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(read).await.map_err(|_| JournalError::Closed)?
    }

    /// Reads on the caller's thread.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn read_blocking<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        work(&self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes with each append of this process.
    #[must_use]
    pub fn appended(&self) -> watch::Receiver<u64> {
        self.appended.subscribe()
    }

    /// A number that changes when any process (this one's writer included) has committed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn data_version(&self) -> Result<i64, JournalError> {
        self.read_blocking(|db| Ok(db.pragma_query_value(None, "data_version", |row| row.get(0))?))
    }

    /// Commits and writes so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.counts.commits.load(Ordering::Relaxed), self.counts.writes.load(Ordering::Relaxed))
    }
}

/// Opens something on a disk that may be full: what is kept in reserve is for such a moment.
fn with_room<T>(
    data_dir: &Path,
    mut open: impl FnMut() -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    let full = match open() {
        Err(error) if error.is_full() => error,
        opened => return opened,
    };
    if std::fs::remove_file(data_dir.join(RESERVE_NAME)).is_err() {
        tracing::debug!(error = %full, "the disk is full, and nothing is kept in reserve");
        return Err(JournalError::DiskFull);
    }
    open().map_err(|error| if error.is_full() { JournalError::DiskFull } else { error })
}

/// Makes sure that the database is its owner's only: customers' data is in it. `SQLite` gives the files
/// beside it the same rights.
fn private(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

/// Opens an existing journal for reading only: no new epoch, no migration.
///
/// # Errors
/// When there is none, it was written by another version of the program, or is sealed with another key.
pub fn open_reader(data_dir: &Path, vault: &Vault) -> Result<Connection, JournalError> {
    schema::open_reader(&data_dir.join(FILE_NAME), vault)
}

/// Finds the key of a data directory that exists, as the configuration says.
///
/// # Errors
/// When there is none that could be used, and none may be made.
pub fn open_vault(data_dir: &Path, config: &VaultConfig) -> Result<Vault, JournalError> {
    with_room(data_dir, || {
        let is_sealed = schema::is_sealed(&data_dir.join(FILE_NAME))?;
        Ok(find(data_dir, config, is_sealed)?)
    })
}
