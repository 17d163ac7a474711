//! The one way to the database: a thin layer that runs the same SQL text on SQLite and PostgreSQL. The
//! statements are in `store`.
//!
//! A use case is a synchronous closure over a [`Tx`]. On SQLite it runs on the single writer thread
//! (or one of a few reader threads); on PostgreSQL it runs on a blocking thread, which
//! drives a connection of the pool itself. Statements use `$n` placeholders on both. What differs between the two
//! lives in [`dialect`], and nowhere else.
//!
//! Never here: business rules, HTTP, the current time.

pub mod backup;
pub mod dialect;
mod error;
mod migrate;
mod notify;
mod pg_connect;
mod pg_listen;
mod pg_pool;
mod pg_session;
mod pg_tls;
mod pg_value;
mod place;
mod postgres;
mod queue;
mod sqlite;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod tx;
mod value;
mod work;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use error::DbError;
pub use notify::Listener;
pub use tx::{LockKey, Tx};
pub use value::{FromValue, Row, Value};
pub use work::Work;

use notify::Notifier;

/// How long a SQLite connection waits for another process that holds the file.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections to PostgreSQL that one process holds at most.
pub const PG_POOL_SIZE: usize = 16;
/// How often a transaction is tried when the database asks to try again (deadlock, serialization).
pub const MAX_TRIES: u32 = 8;

/// Whose write goes first on SQLite's single writer. On PostgreSQL some connections are kept for the
/// engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Deadlines and the outbox: a late alarm is worse than a slow answer.
    Engine,
    /// A person is waiting.
    Api,
    /// Agents, which can wait and send again.
    Ingest,
}

/// Where the data lives, as `db.url` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DbUrl {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…`, kept as written.
    Postgres(String),
}

impl DbUrl {
    /// Reads `sqlite:PATH`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path == ":memory:" {
                return Err(
                    "`sqlite:` needs the path of a file, such as `sqlite:/var/lib/linewatch/db`".into()
                );
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return pg_tls::read(text).map(|_| Self::Postgres(text.to_owned()));
        }
        Err("must be `sqlite:PATH` or `postgres://…`".into())
    }

    /// Whether what is read and written goes over a network without encryption.
    #[must_use]
    pub fn is_plain_abroad(&self) -> bool {
        matches!(self, Self::Postgres(url) if pg_tls::is_plain_abroad(url))
    }
}

/// Whether a transaction may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Write,
    Read,
}

/// What a closure wants of its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Keep,
    Undo,
}

/// A closure that keeps its answer to itself.
type Job = Box<dyn FnMut(&mut Tx<'_>) -> Wish + Send>;

/// A handle to the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    notifier: Arc<Notifier>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(Arc<postgres::Postgres>),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.backend()).finish()
    }
}

impl Db {
    /// Opens the database and brings it to the newest migration. `at_ms` (UTC milliseconds) is
    /// written beside each migration that this call applies.
    ///
    /// # Errors
    /// When it cannot be reached, or a migration that was applied before has been edited since.
    pub async fn open(url: &DbUrl, at_ms: i64) -> Result<Self, DbError> {
        let db = Self::open_unmigrated(url).await?;
        migrate::run(&db, migrate::MIGRATIONS, at_ms).await?;
        Ok(db)
    }

    async fn open_unmigrated(url: &DbUrl) -> Result<Self, DbError> {
        match url {
            DbUrl::Sqlite(path) => {
                let notifier = Arc::new(Notifier::default());
                let sqlite = sqlite::Sqlite::open(path, Arc::clone(&notifier))?;
                Ok(Self { engine: Engine::Sqlite(Arc::new(sqlite)), notifier })
            }
            DbUrl::Postgres(url) => {
                let (pg, notifier) = postgres::Postgres::open(url).await?;
                Ok(Self { engine: Engine::Postgres(Arc::new(pg)), notifier })
            }
        }
    }

    /// `"sqlite"` or `"postgres"`.
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Runs `work` in one transaction that is durable when this returns `Ok`. An `Err` of the closure
    /// undoes everything. The closure may run again when the database asks for it, so it must not
    /// have effects outside the transaction. It runs to its end even if the caller goes away.
    ///
    /// # Errors
    /// The closure's own error, or the database's.
    pub async fn write<T, E, F>(&self, priority: Priority, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.run(Mode::Write, priority, work).await
    }

    /// Runs `work` on one consistent snapshot; writing inside it is an error.
    ///
    /// # Errors
    /// The closure's own error, or the database's.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.run(Mode::Read, Priority::Api, work).await
    }

    /// All that is compiled for each use case anew; the rest knows nothing of what it answers.
    async fn run<T, E, F>(&self, mode: Mode, priority: Priority, mut work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        let job: Job = Box::new(move |tx| {
            let result = work(tx);
            let wish = if result.is_ok() { Wish::Keep } else { Wish::Undo };
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            wish
        });
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.run(mode, priority, job).await?,
            Engine::Postgres(pg) => pg.run(mode, priority, job).await?,
        }
        let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.unwrap_or_else(|| Err(DbError::Closed.into()))
    }

    /// Wakes every listener of `channel` in this process, and on PostgreSQL in all of them. Inside a
    /// transaction use [`Tx::notify`], which speaks only after the commit.
    pub async fn notify(&self, channel: &'static str) {
        self.notifier.wake(channel);
        if let Engine::Postgres(pg) = &self.engine {
            pg.notify(channel).await;
        }
    }

    /// Starts to listen. A notification after this call is never missed; several may become one.
    #[must_use]
    pub fn listen(&self, channel: &'static str) -> Listener {
        self.notifier.listen(channel)
    }

    /// Copies a SQLite database, while it is in use, to the new file `to`, and reads the copy from end to end.
    ///
    /// # Errors
    /// On PostgreSQL ([`DbError::Unsupported`]), or when the copy cannot be written or is damaged.
    pub async fn backup(&self, to: PathBuf) -> Result<backup::Checked, DbError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.backup(to).await,
            Engine::Postgres(_) => Err(DbError::Unsupported("backup: use pg_dump for a PostgreSQL database")),
        }
    }

    /// True when the database answers.
    pub async fn is_reachable(&self) -> bool {
        let answer: Result<i64, DbError> =
            self.read(|tx| tx.query_one("SELECT CAST(1 AS BIGINT)", &[])?.get(0)).await;
        answer.is_ok()
    }

    /// Statements waiting for SQLite's writer, by priority; zeros on PostgreSQL.
    #[must_use]
    pub fn queue_lengths(&self) -> [usize; 3] {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.queue_lengths(),
            Engine::Postgres(_) => [0; 3],
        }
    }
}
