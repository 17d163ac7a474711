//! PostgreSQL: transactions as closures on blocking threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::notify::Notifier;
use super::pg_connect::Hosts;
use super::pg_listen::listen_for_ever;
use super::pg_pool::Pool;
use super::pg_session::Session;
use super::tx::Kind;
use super::{DbError, Job, MAX_TRIES, Mode, Priority, Tx, Wish, dialect};

/// The pause before the second try; it doubles each time.
const FIRST_RETRY_PAUSE: Duration = Duration::from_millis(5);

impl Mode {
    const fn begin(self) -> &'static str {
        match self {
            Self::Write => dialect::PG_BEGIN_WRITE,
            Self::Read => dialect::PG_BEGIN_READ,
        }
    }
}

/// The pool and the listening task, which ends with it.
pub(super) struct Postgres {
    pool: Arc<Pool>,
    listening: AbortHandle,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<(Self, Arc<Notifier>), DbError> {
        let hosts = Hosts::of(url)?;
        let notifier = Arc::new(Notifier::default());
        let (tried, first_try) = oneshot::channel();
        let task = listen_for_ever(Arc::clone(&hosts), Arc::clone(&notifier), tried);
        let listening = tokio::spawn(task).abort_handle();
        // From here on notifications of other nodes are heard, unless the first try failed; then
        // the first statement says why.
        drop(first_try.await);
        Ok((Self { pool: Arc::new(Pool::new(hosts)), listening }, notifier))
    }

    /// Runs a closure in a transaction. It was undone where it wished so.
    pub(super) async fn run(&self, mode: Mode, priority: Priority, mut job: Job) -> Result<(), DbError> {
        let turn = self.pool.turn(priority).await?;
        let pool = Arc::clone(&self.pool);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            catch_unwind(AssertUnwindSafe(|| with_retries(&pool, mode, &mut job)))
        });
        match done.await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(DbError::Panicked),
            Err(_) => Err(DbError::Closed),
        }
    }

    pub(super) async fn notify(&self, channel: &'static str) {
        let speak: Job = Box::new(move |tx| match tx.query(dialect::PG_NOTIFY, &[channel.into()]) {
            Ok(_) => Wish::Keep,
            Err(_) => Wish::Undo,
        });
        // Local listeners are awake already, and every loop looks again by itself after a while.
        if self.run(Mode::Write, Priority::Engine, speak).await.is_err() {
            tracing::warn!(channel, "other nodes could not be notified");
        }
    }
}

fn with_retries(pool: &Pool, mode: Mode, job: &mut Job) -> Result<(), DbError> {
    let mut pause = FIRST_RETRY_PAUSE;
    let mut tries = 0;
    loop {
        tries += 1;
        // Where the closure panics, the connection ends with its transaction.
        let mut session = pool.take()?;
        let Outcome { result, again, spoilt } = transact(&mut session, mode, job);
        pool.give_back(session, spoilt);
        if !again || tries >= MAX_TRIES {
            return result;
        }
        std::thread::sleep(pause);
        pause *= 2;
    }
}

/// What became of one try.
struct Outcome {
    /// An error is the database's; the closure keeps its own.
    result: Result<(), DbError>,
    /// It failed in a way that another try may mend.
    again: bool,
    /// The connection is of no use any more, though it may look alive.
    spoilt: bool,
}

impl Outcome {
    fn failed(error: DbError, again: bool) -> Self {
        let spoilt = error.spoils_connection();
        Self { result: Err(error), again, spoilt }
    }
}

/// One try. A connection that was lost during the commit is not worth another, nor a server that was told to end meanwhile:
/// nobody knows whether the commit happened.
fn transact(session: &mut Session, mode: Mode, job: &mut Job) -> Outcome {
    if let Err(error) = session.say(mode.begin()) {
        let again = error.is_worth_another_try();
        return Outcome::failed(error, again);
    }
    let mut tx = Tx::new(Kind::Postgres(session));
    let wish = job(&mut tx);
    let finished = if wish == Wish::Keep && !tx.has_failed() { tx.finish() } else { Ok(()) };
    let (failed, again, mut spoilt) = (tx.has_failed(), tx.is_retryable(), tx.is_spoilt());
    drop(tx);
    let result = match finished {
        Ok(()) if failed && wish == Wish::Keep => Err(DbError::Aborted),
        other => other,
    };
    if wish == Wish::Keep && result.is_ok() {
        return match session.say("COMMIT") {
            Ok(()) => Outcome { result: Ok(()), again: false, spoilt },
            Err(error) => {
                let again = error.is_surely_undone();
                Outcome::failed(error, again)
            }
        };
    }
    if !spoilt {
        spoilt = session.say("ROLLBACK").is_err();
    }
    Outcome { result, again, spoilt }
}
