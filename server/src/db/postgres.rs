//! PostgreSQL: a pool, and closures on blocking threads.

use std::error::Error as StdError;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Transaction};
use futures::{StreamExt, TryStreamExt};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;
use tokio_postgres::IsolationLevel;

use super::notify::Notifier;
use super::pg_connect::{ANSWER_WITHIN, Connector, Hosts};
use super::pg_listen::listen_for_ever;
use super::pg_value::to_row;
use super::tx::Kind;
use super::{DbError, LockKey, MAX_TRIES, PG_POOL_SIZE, Priority, Row, Tx, Value, dialect};

/// Connections that only the engine's writes may take.
const KEPT_FOR_ENGINE: usize = 2;
/// How long a transaction waits for a free connection.
const POOL_WAIT: Duration = Duration::from_secs(10);
/// The pause before the second try; it doubles each time.
const FIRST_RETRY_PAUSE: Duration = Duration::from_millis(5);
/// Whether a transaction may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Write,
    Read,
}

/// The pool and the listening task, which ends with it.
pub(super) struct Postgres {
    pool: Pool,
    /// Everyone but the engine's writes: so some connections are always left for those.
    shared: Arc<Semaphore>,
    listening: AbortHandle,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.listening.abort();
        self.pool.close();
    }
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<(Self, Arc<Notifier>), DbError> {
        let (hosts, config) = Hosts::of(url)?;
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(config, Connector(Arc::clone(&hosts)), manager_config);
        let pool = Pool::builder(manager)
            .max_size(PG_POOL_SIZE)
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(hosts.all_within()))
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .build()
            .map_err(|e| DbError::Pool(e.to_string()))?;
        let notifier = Arc::new(Notifier::default());
        let (tried, first_try) = oneshot::channel();
        let task = listen_for_ever(hosts, Arc::clone(&notifier), tried);
        let listening = tokio::spawn(task).abort_handle();
        // From here on notifications of other nodes are heard, unless the first try failed; then
        // the first statement says why.
        drop(first_try.await);
        let shared = Arc::new(Semaphore::new(PG_POOL_SIZE - KEPT_FOR_ENGINE));
        Ok((Self { pool, shared, listening }, notifier))
    }

    pub(super) async fn run<T, E, F>(&self, mode: Mode, priority: Priority, mut work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let turn = match priority {
            Priority::Engine => None,
            _ => Some(Arc::clone(&self.shared).acquire_owned().await.map_err(|_| DbError::Closed)?),
        };
        let pool = self.pool.clone();
        let handle = Handle::current();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            catch_unwind(AssertUnwindSafe(|| with_retries(&pool, &handle, mode, &mut work)))
        });
        match done.await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(DbError::Panicked.into()),
            Err(_) => Err(DbError::Closed.into()),
        }
    }

    pub(super) async fn notify(&self, channel: &'static str) {
        // Local listeners are awake already, and every loop looks again by itself after a while.
        let sent = async {
            let client = self.pool.get().await.ok()?;
            client.execute(dialect::PG_NOTIFY, &[&channel]).await.ok()
        };
        if sent.await.is_none() {
            tracing::warn!(channel, "other nodes could not be notified");
        }
    }
}

fn with_retries<T, E: From<DbError>>(
    pool: &Pool,
    handle: &Handle,
    mode: Mode,
    work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut pause = FIRST_RETRY_PAUSE;
    let mut tries = 0;
    loop {
        tries += 1;
        let mut again = false;
        let result = transact(pool, handle, mode, work, &mut again);
        if result.is_ok() || !again || tries >= MAX_TRIES {
            return result;
        }
        handle.block_on(tokio::time::sleep(pause));
        pause *= 2;
    }
}

/// One try. `again` is set when it failed in a way that another try may mend. A connection that was lost during the commit
/// is not one, nor a server that was told to end meanwhile: nobody knows whether the commit happened.
fn transact<T, E: From<DbError>>(
    pool: &Pool,
    handle: &Handle,
    mode: Mode,
    work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    again: &mut bool,
) -> Result<T, E> {
    let mut client = handle.block_on(pool.get()).map_err(|e| DbError::Pool(pool_reason(&e)))?;
    let mut spoilt = false;
    let result = transact_on(&mut client, handle, mode, work, again, &mut spoilt);
    if spoilt {
        // Not given back to the pool; nor are the others, which lead to the same server.
        drop(Object::take(client));
        pool.retain(|_, _| false);
    }
    result
}

/// `spoilt` is set when the connection is of no use any more, though it may look alive.
fn transact_on<T, E: From<DbError>>(
    client: &mut Object,
    handle: &Handle,
    mode: Mode,
    work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    again: &mut bool,
    spoilt: &mut bool,
) -> Result<T, E> {
    let begin = match mode {
        Mode::Write => client.build_transaction().isolation_level(IsolationLevel::ReadCommitted),
        Mode::Read => {
            client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true)
        }
    };
    let inner = answered(handle, "BEGIN", begin.start()).inspect_err(|e| {
        *again = e.is_worth_another_try();
        *spoilt = e.spoils_connection();
    })?;
    let mut tx = Tx::new(Kind::Postgres(PgTx { inner, handle: handle.clone() }));
    let mut result = work(&mut tx);
    if result.is_ok()
        && !tx.has_failed()
        && let Err(error) = tx.finish()
    {
        result = Err(error.into());
    }
    let (failed, retryable) = (tx.has_failed(), tx.is_retryable());
    *spoilt = tx.is_spoilt();
    let (Kind::Postgres(PgTx { inner, .. }), _) = tx.into_parts() else {
        return Err(DbError::Closed.into());
    };
    match result {
        Ok(_) if failed => {
            *again = retryable;
            Err(DbError::Aborted.into())
        }
        Ok(value) => match answered(handle, "COMMIT", inner.commit()) {
            Ok(()) => Ok(value),
            Err(e) => {
                *again = e.is_surely_undone();
                *spoilt = e.spoils_connection();
                Err(e.into())
            }
        },
        Err(e) => {
            *again = retryable;
            if !*spoilt {
                // Dropping would send the same, but only when the connection is next used.
                *spoilt = answered(handle, "ROLLBACK", inner.rollback()).is_err();
            }
            Err(e)
        }
    }
}

/// Waits for an answer, not for ever.
fn answered<T>(
    handle: &Handle,
    sql: &str,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DbError> {
    match handle.block_on(async { tokio::time::timeout(ANSWER_WITHIN, work).await }) {
        Ok(result) => result.map_err(|e| DbError::postgres(e, sql)),
        Err(_) => Err(DbError::silent(sql)),
    }
}

fn pool_reason(e: &deadpool_postgres::PoolError) -> String {
    match e {
        deadpool_postgres::PoolError::Backend(e) => match (e.as_db_error(), e.source()) {
            (Some(db), _) => db.message().to_owned(),
            (None, Some(source)) => format!("{e}: {source}"),
            (None, None) => e.to_string(),
        },
        other => other.to_string(),
    }
}

/// The statements of one transaction.
pub(super) struct PgTx<'a> {
    inner: Transaction<'a>,
    handle: Handle,
}

impl PgTx<'_> {
    fn run<T>(
        &self,
        sql: &str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DbError> {
        answered(&self.handle, sql, work)
    }

    pub(super) fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.run(sql, async {
            let statement = self.inner.prepare_cached(sql).await?;
            self.inner.execute_raw(&statement, params).await
        })
    }

    pub(super) fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let rows: Vec<tokio_postgres::Row> = self.run(sql, async {
            let statement = self.inner.prepare_cached(sql).await?;
            self.inner.query_raw(&statement, params).await?.try_collect().await
        })?;
        rows.iter().map(to_row).collect()
    }

    pub(super) fn batch(&self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, DbError> {
        self.run(sql, async {
            let statement = self.inner.prepare_cached(sql).await?;
            let each = rows.iter().map(|row| self.inner.execute_raw(&statement, row.as_slice()));
            futures::stream::iter(each)
                .buffered(dialect::PG_PIPELINE_DEPTH)
                .try_fold(0, |sum, n| std::future::ready(Ok(sum + n)))
                .await
        })
    }

    pub(super) fn script(&self, sql: &str) -> Result<(), DbError> {
        let unhurried = format!("{}; {sql}", dialect::PG_NO_TIME_LIMIT);
        // However long it takes: a large table is being changed.
        self.handle.block_on(self.inner.batch_execute(&unhurried)).map_err(|e| DbError::postgres(e, sql))
    }

    pub(super) fn lock(&self, sorted: &[LockKey]) -> Result<(), DbError> {
        // One after the other in this order, without waiting for each answer before the next is asked for.
        let rows: Vec<_> = sorted.iter().map(|key| vec![Value::Int(key.get())]).collect();
        self.batch(dialect::PG_LOCK, &rows).map(drop)
    }

    pub(super) fn notify(&self, channel: &str) -> Result<(), DbError> {
        self.query(dialect::PG_NOTIFY, &[channel.into()]).map(drop)
    }
}
