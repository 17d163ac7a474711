//! SQLite: one writer thread with a queue by priority, and a few reader threads.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, StatementStatus, TransactionBehavior};
use tokio::sync::oneshot;

use super::backup::{self, Checked};
use super::notify::Notifier;
use super::queue::Queue;
use super::tx::Kind;
use super::{BUSY_TIMEOUT, DbError, Job, Mode, Priority, Row, Tx, Value, Wish, Work, dialect};

/// Threads that read, each with its own connection.
const READERS: usize = 4;
/// Prepared statements that each connection keeps.
const STATEMENT_CACHE: usize = 256;
/// Of the pages that the writer uses, so much stays in memory (KiB): a backlog touches pages all over the file.
const WRITER_CACHE_KIB: i64 = 64_000;
/// The same for each reader.
const READER_CACHE_KIB: i64 = 16_000;
/// What a WAL file that once grew is cut back to, in bytes.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// The open database. Dropping it lets the threads finish what is queued.
pub(super) struct Sqlite {
    path: PathBuf,
    writer: Arc<Queue<Connection>>,
    readers: Arc<Queue<Connection>>,
    notifier: Arc<Notifier>,
    reading: Vec<JoinHandle<()>>,
    writing: Option<JoinHandle<()>>,
}

impl Sqlite {
    pub(super) fn open(path: &Path, notifier: Arc<Notifier>) -> Result<Self, DbError> {
        let writer = Arc::new(Queue::new());
        let readers = Arc::new(Queue::new());
        let writing = Some(spawn("db-write", connect(path, false)?, &writer)?);
        let mut reading = Vec::new();
        for _ in 0..READERS {
            reading.push(spawn("db-read", connect(path, true)?, &readers)?);
        }
        Ok(Self { path: path.to_owned(), writer, readers, notifier, reading, writing })
    }

    /// Runs a closure in a transaction. It was undone where it wished so.
    pub(super) async fn run(&self, mode: Mode, priority: Priority, mut job: Job) -> Result<(), DbError> {
        let (queue, behavior) = match mode {
            Mode::Write => (&self.writer, TransactionBehavior::Immediate),
            Mode::Read => (&self.readers, TransactionBehavior::Deferred),
        };
        let notifier = Arc::clone(&self.notifier);
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            let done = catch_unwind(AssertUnwindSafe(|| transact(connection, behavior, &mut job)));
            let result = match done {
                Ok(Ok(channels)) => {
                    for channel in channels {
                        notifier.wake(channel);
                    }
                    Ok(())
                }
                Ok(Err(e)) => Err(e),
                Err(_) => Err(DbError::Panicked),
            };
            // The caller may have gone away; what it asked for is done all the same. What it left behind goes here.
            drop(job);
            drop(answer.send(result));
        });
        queue.push(priority, job).await?;
        answered.await.unwrap_or(Err(DbError::Closed))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn backup(&self, to: PathBuf) -> Result<Checked, DbError> {
        let from = self.path.clone();
        let copied = tokio::task::spawn_blocking(move || backup::copy(&from, &to)).await;
        copied.unwrap_or(Err(DbError::Panicked))
    }

    pub(super) fn queue_lengths(&self) -> [usize; 3] {
        self.writer.lengths()
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // One after the other: connections that close at the same moment may each leave the journal beside the database to the
        // others, and a backup that is put in the database's place would be read with it.
        self.readers.close();
        self.reading.drain(..).for_each(join);
        self.writer.close();
        self.writing.take().into_iter().for_each(join);
    }
}

/// The last handle may be dropped by a closure, on one of these threads.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() {
        drop(thread.join());
    }
}

/// Answers which channels are to be woken.
fn transact(
    connection: &mut Connection,
    behavior: TransactionBehavior,
    job: &mut Job,
) -> Result<Vec<&'static str>, DbError> {
    let inner = connection.transaction_with_behavior(behavior).map_err(|e| DbError::sqlite(e, "BEGIN"))?;
    let mut tx = Tx::new(Kind::Sqlite(SqliteTx { connection: &inner, work: Cell::default() }));
    if job(&mut tx) == Wish::Undo {
        return Ok(Vec::new());
    }
    if !tx.has_failed() {
        tx.finish()?;
    }
    if tx.has_failed() {
        return Err(DbError::Aborted);
    }
    let channels = tx.into_notify();
    inner.commit().map_err(|e| DbError::sqlite(e, "COMMIT"))?;
    Ok(channels)
}

fn spawn(
    name: &str,
    mut connection: Connection,
    queue: &Arc<Queue<Connection>>,
) -> Result<JoinHandle<()>, DbError> {
    let queue = Arc::clone(queue);
    let body = move || {
        while let Some(job) = queue.pop() {
            job(&mut connection);
        }
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|e| DbError::Data(format!("cannot start a database thread: {e}")))
}

pub(super) fn connect(path: &Path, reader: bool) -> Result<Connection, DbError> {
    let fail = |source| DbError::Open { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let cache_kib = if reader { READER_CACHE_KIB } else { WRITER_CACHE_KIB };
    let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(fail)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT).map_err(fail)?;
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(fail)?;
    connection.pragma_update(None, "cache_size", -cache_kib).map_err(fail)?;
    connection.pragma_update(None, "query_only", reader).map_err(fail)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // A plan is made once, from the statement's text alone. Without this, statements on tables with partial indexes are
    // planned anew for each of their parameters, which costs more than running them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fail)?;
    if !reader {
        keep_names(&connection, path).map_err(fail)?;
    }
    Ok(connection)
}

/// Makes the names of the database's files durable once the write-ahead log is there. `SQLite` syncs the folder too, and says
/// nothing when it cannot: an old log might come back after a power cut, and its pages over newer ones.
fn keep_names(connection: &Connection, path: &Path) -> Result<(), rusqlite::Error> {
    // The log is made by the first read.
    connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| {
        let reason = format!("the folder {} cannot be synced: {error}", folder.display());
        rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC),
            Some(reason),
        )
    })
}

/// The statements of one transaction.
pub(super) struct SqliteTx<'a> {
    connection: &'a Connection,
    /// What only this database counts, so far.
    work: Cell<Work>,
}

impl SqliteTx<'_> {
    pub(super) const fn work(&self) -> Work {
        self.work.get()
    }

    fn count(&self, statement: &Statement<'_>) {
        let count = |what| u64::from(statement.reset_status(what).unsigned_abs());
        let mut work = self.work.get();
        work.steps += count(StatementStatus::VmStep);
        work.made_anew += count(StatementStatus::RePrepare);
        self.work.set(work);
    }

    pub(super) fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let fail = |e| DbError::sqlite(e, sql);
        let mut statement = self.connection.prepare_cached(&dialect::numbered(sql)).map_err(fail)?;
        let touched = statement.execute(rusqlite::params_from_iter(params)).map_err(fail)? as u64;
        self.count(&statement);
        Ok(touched)
    }

    pub(super) fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let fail = |e| DbError::sqlite(e, sql);
        let mut statement = self.connection.prepare_cached(&dialect::numbered(sql)).map_err(fail)?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(fail)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            let values: Result<Vec<_>, _> = (0..columns).map(|i| row.get_ref(i).map(to_value)).collect();
            out.push(Row::new(values.map_err(fail)?));
        }
        drop(rows);
        self.count(&statement);
        Ok(out)
    }

    pub(super) fn batch(&self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, DbError> {
        let fail = |e| DbError::sqlite(e, sql);
        let mut statement = self.connection.prepare_cached(&dialect::numbered(sql)).map_err(fail)?;
        let mut touched = 0;
        for row in rows {
            touched += statement.execute(rusqlite::params_from_iter(row)).map_err(fail)? as u64;
        }
        self.count(&statement);
        Ok(touched)
    }

    pub(super) fn script(&self, sql: &str) -> Result<(), DbError> {
        self.connection.execute_batch(sql).map_err(|e| DbError::sqlite(e, sql))
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(v) => ValueRef::Integer(*v),
            Self::Real(v) => ValueRef::Real(*v),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
            Self::Blob(v) => ValueRef::Blob(v),
        }))
    }
}

fn to_value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        ValueRef::Real(v) => Value::Real(v),
        ValueRef::Text(v) => Value::Text(String::from_utf8_lossy(v).into_owned()),
        ValueRef::Blob(v) => Value::Blob(v.to_vec()),
    }
}
