//! One transaction, as a use case sees it.

use super::{DbError, Row, Value, Work, dialect, pg_session::Session, sqlite::SqliteTx};

/// What [`Tx::lock`] locks: a class of things and one of them. Equal inputs give equal keys on every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockKey(i64);

impl LockKey {
    /// A key for `id` among the things called `class` (such as `"line"`).
    #[must_use]
    pub fn new(class: &str, id: &[u8]) -> Self {
        use sha2::Digest;
        let mut hash = sha2::Sha256::new();
        hash.update((class.len() as u64).to_be_bytes());
        hash.update(class.as_bytes());
        hash.update(id);
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(i64::from_be_bytes(first))
    }

    pub(super) const fn get(self) -> i64 {
        self.0
    }
}

pub(super) enum Kind<'a> {
    Sqlite(SqliteTx<'a>),
    Postgres(&'a mut Session),
}

/// What a transaction does last.
type Last = Box<dyn FnOnce(&mut Tx<'_>) -> Result<(), DbError> + Send>;

/// A running transaction. After a statement failed, every further one fails too, on both databases;
/// the closure's `Err` then undoes all of it.
pub struct Tx<'a> {
    kind: Kind<'a>,
    /// Set by the first failure.
    failed: bool,
    /// Set when that failure says that another try may succeed.
    retryable: bool,
    /// Set when it says that the connection is of no use any more.
    spoilt: bool,
    notify: Vec<&'static str>,
    last: Vec<Last>,
    work: Work,
}

impl<'a> Tx<'a> {
    pub(super) fn new(kind: Kind<'a>) -> Self {
        Self {
            kind,
            failed: false,
            retryable: false,
            spoilt: false,
            notify: Vec::new(),
            last: Vec::new(),
            work: Work::default(),
        }
    }

    /// Runs a statement and says how many rows it touched.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let rows = self.guarded(|kind| match kind {
            Kind::Sqlite(tx) => tx.execute(sql, params),
            Kind::Postgres(session) => session.execute(sql, params),
        })?;
        self.work.statements += 1;
        self.work.rows_written += rows;
        Ok(rows)
    }

    /// Runs a statement and gives its rows (also of `RETURNING`).
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let rows = self.guarded(|kind| match kind {
            Kind::Sqlite(tx) => tx.query(sql, params),
            Kind::Postgres(session) => session.query(sql, params),
        })?;
        self.work.statements += 1;
        self.work.rows_read += rows.len() as u64;
        Ok(rows)
    }

    /// Exactly one row. Another number is an error, but the transaction stays usable.
    pub fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row, DbError> {
        self.query_opt(sql, params)?.ok_or_else(|| DbError::row_count("one row", 0, sql))
    }

    /// One row or none.
    pub fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        let mut rows = self.query(sql, params)?;
        if rows.len() > 1 {
            return Err(DbError::row_count("at most one row", rows.len(), sql));
        }
        Ok(rows.pop())
    }

    /// Asks the same of each row of parameters; the answers are in the order of the rows. On PostgreSQL none waits for the one
    /// before it.
    pub fn query_each(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<Vec<Vec<Row>>, DbError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.guarded(|kind| match kind {
            Kind::Sqlite(tx) => rows.iter().map(|params| tx.query(sql, params)).collect(),
            Kind::Postgres(session) => session.query_each(sql, rows),
        })?;
        self.work.statements += rows.len() as u64;
        self.work.rows_read += answers.iter().map(|rows| rows.len() as u64).sum::<u64>();
        Ok(answers)
    }

    /// Runs one statement once for each row of parameters; says how many rows it touched in all.
    pub fn batch(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, DbError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let written = self.guarded(|kind| match kind {
            Kind::Sqlite(tx) => tx.batch(sql, rows),
            Kind::Postgres(session) => session.batch(sql, rows),
        })?;
        self.work.statements += rows.len() as u64;
        self.work.rows_written += written;
        Ok(written)
    }

    /// What was asked of the database so far.
    #[must_use]
    pub fn work(&self) -> Work {
        let own = match &self.kind {
            Kind::Sqlite(tx) => tx.work(),
            Kind::Postgres(_) => Work::default(),
        };
        Work { steps: own.steps, made_anew: own.made_anew, ..self.work }
    }

    /// Runs several statements without parameters. For migrations.
    pub fn script(&mut self, sql: &str) -> Result<(), DbError> {
        self.guarded(|kind| match kind {
            Kind::Sqlite(tx) => tx.script(&dialect::for_sqlite(sql)),
            Kind::Postgres(session) => session.say_unhurried(&dialect::for_postgres(sql)),
        })
    }

    /// Waits for and holds the locks until the end of the transaction. Call it with all keys of one
    /// kind at once: they are taken in a fixed order, so that two callers cannot block each other.
    /// SQLite has one writer, so there it does nothing.
    pub fn lock(&mut self, keys: &[LockKey]) -> Result<(), DbError> {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        self.guarded(|kind| match kind {
            Kind::Sqlite(_) => Ok(()),
            Kind::Postgres(session) => session.lock(&keys),
        })
    }

    /// Runs `last` once everything else of this transaction is done, before its commit: for what others wait for, so that they
    /// wait as shortly as can be. What is said first is done first.
    pub fn at_end(&mut self, last: impl FnOnce(&mut Tx<'_>) -> Result<(), DbError> + Send + 'static) {
        self.last.push(Box::new(last));
    }

    /// Does what is to be done last.
    pub(super) fn finish(&mut self) -> Result<(), DbError> {
        for last in std::mem::take(&mut self.last) {
            last(self)?;
        }
        Ok(())
    }

    /// Wakes the listeners of `channel`, on every node, once this transaction is committed.
    pub fn notify(&mut self, channel: &'static str) -> Result<(), DbError> {
        if self.notify.contains(&channel) {
            return Ok(());
        }
        self.notify.push(channel);
        self.guarded(|kind| match kind {
            Kind::Sqlite(_) => Ok(()),
            Kind::Postgres(session) => session.notify(channel),
        })
    }

    /// ` FOR UPDATE SKIP LOCKED` on PostgreSQL, nothing on SQLite: the end of a `SELECT` that claims
    /// rows which other nodes may claim at the same time.
    #[must_use]
    pub const fn claim_suffix(&self) -> &'static str {
        match self.kind {
            Kind::Sqlite(_) => "",
            Kind::Postgres(_) => dialect::PG_CLAIM_SUFFIX,
        }
    }

    pub(super) const fn is_retryable(&self) -> bool {
        self.retryable
    }

    pub(super) const fn is_spoilt(&self) -> bool {
        self.spoilt
    }

    pub(super) const fn has_failed(&self) -> bool {
        self.failed
    }

    /// The channels that are to be woken.
    pub(super) fn into_notify(self) -> Vec<&'static str> {
        self.notify
    }

    fn guarded<T>(&mut self, run: impl FnOnce(&mut Kind<'a>) -> Result<T, DbError>) -> Result<T, DbError> {
        if self.failed {
            return Err(DbError::Aborted);
        }
        run(&mut self.kind).inspect_err(|e| {
            self.failed = true;
            self.retryable = e.is_worth_another_try();
            self.spoilt = e.spoils_connection();
        })
    }
}
