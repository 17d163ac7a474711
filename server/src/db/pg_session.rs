//! One connection to PostgreSQL, driven on the thread that asks: handing each question over to a task on another thread,
//! and its answer back, would cost several times what the question does.
//!
//! Between transactions nobody reads from it. What the server said meanwhile, such as that it ends, is found by the next
//! `BEGIN`.

use std::collections::HashMap;
use std::future::Future;

use futures::TryStreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Statement};

use super::error::describe;
use super::pg_connect::{ANSWER_WITHIN, Hosts};
use super::pg_value::to_row;
use super::{DbError, LockKey, Row, Value, dialect};

/// Statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 1_024;

/// A connection, with what it has prepared.
pub(super) struct Session {
    /// Drives the connection while an answer is waited for. There until the session ends.
    runtime: Option<Runtime>,
    client: Client,
    prepared: HashMap<String, Statement>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Waiting for its threads is not allowed everywhere that a session may end.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Session {
    /// Connects to the host that takes writes. Not to be called where blocking is not allowed.
    pub(super) fn connect(hosts: &Hosts) -> Result<Self, DbError> {
        let failed = |reason: &dyn std::fmt::Display| DbError::Pool(reason.to_string());
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
        let made =
            runtime.block_on(async { tokio::time::timeout(hosts.all_within(), hosts.connect()).await });
        let (client, connection) = match made {
            Ok(made) => made.map_err(|e| failed(&describe(&e)))?,
            Err(_) => return Err(failed(&"nothing answers there")),
        };
        runtime.spawn(async move {
            if let Err(e) = connection.await {
                tracing::warn!(error = %e, "a connection to the database has ended");
            }
        });
        Ok(Self { runtime: Some(runtime), client, prepared: HashMap::new() })
    }

    /// Whether it is known to be of no use any more.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Statements without parameters, one after the other: to begin and to end a transaction.
    pub(super) fn say(&self, sql: &str) -> Result<(), DbError> {
        self.answered(sql, self.client.batch_execute(sql))
    }

    /// The same, however long it takes.
    pub(super) fn say_unhurried(&self, sql: &str) -> Result<(), DbError> {
        let unhurried = format!("{}; {sql}", dialect::PG_NO_TIME_LIMIT);
        let done = self.runtime()?.block_on(self.client.batch_execute(&unhurried));
        done.map_err(|e| DbError::postgres(e, sql))
    }

    pub(super) fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let statement = self.prepared(sql)?;
        self.answered(sql, self.client.execute_raw(&statement, params))
    }

    pub(super) fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let statement = self.prepared(sql)?;
        let rows: Vec<tokio_postgres::Row> = self
            .answered(sql, async { self.client.query_raw(&statement, params).await?.try_collect().await })?;
        rows.iter().map(to_row).collect()
    }

    /// The same question for each row of parameters, none waiting for the answer before it.
    pub(super) fn query_each(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<Vec<Vec<Row>>, DbError> {
        let statement = self.prepared(sql)?;
        let (client, statement) = (&self.client, &statement);
        let each = rows.iter().map(|params| async move {
            client.query_raw(statement, params).await?.try_collect::<Vec<_>>().await
        });
        let answers: Vec<Vec<tokio_postgres::Row>> = self.answered(sql, in_a_row(each).try_collect())?;
        answers.iter().map(|rows| rows.iter().map(to_row).collect()).collect()
    }

    pub(super) fn batch(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, DbError> {
        let statement = self.prepared(sql)?;
        let each = rows.iter().map(|row| self.client.execute_raw(&statement, row.as_slice()));
        let sum = in_a_row(each).try_fold(0, |sum, n| std::future::ready(Ok(sum + n)));
        self.answered(sql, sum)
    }

    pub(super) fn lock(&mut self, sorted: &[LockKey]) -> Result<(), DbError> {
        // One after the other in this order, without waiting for each answer before the next is asked for.
        let rows: Vec<_> = sorted.iter().map(|key| vec![Value::Int(key.get())]).collect();
        self.batch(dialect::PG_LOCK, &rows).map(drop)
    }

    pub(super) fn notify(&mut self, channel: &str) -> Result<(), DbError> {
        self.query(dialect::PG_NOTIFY, &[channel.into()]).map(drop)
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, DbError> {
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.answered(sql, self.client.prepare(sql))?;
        if self.prepared.len() >= STATEMENTS_MAX {
            self.prepared.clear();
        }
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Waits for an answer, not for ever.
    fn answered<T>(
        &self,
        sql: &str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DbError> {
        match self.runtime()?.block_on(async { tokio::time::timeout(ANSWER_WITHIN, work).await }) {
            Ok(result) => result.map_err(|e| DbError::postgres(e, sql)),
            Err(_) => Err(DbError::silent(sql)),
        }
    }

    fn runtime(&self) -> Result<&Runtime, DbError> {
        self.runtime.as_ref().ok_or(DbError::Closed)
    }
}

/// All of them in their order, so many on their way at a time.
fn in_a_row<T>(
    each: impl Iterator<Item = impl Future<Output = Result<T, tokio_postgres::Error>>>,
) -> impl TryStreamExt<Ok = T, Error = tokio_postgres::Error, Item = Result<T, tokio_postgres::Error>> {
    use futures::StreamExt;
    futures::stream::iter(each).buffered(dialect::PG_PIPELINE_DEPTH)
}
