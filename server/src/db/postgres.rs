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
use super::{DbError, MAX_TRIES, Priority, Tx, dialect};

/// The pause before the second try; it doubles each time.
const FIRST_RETRY_PAUSE: Duration = Duration::from_millis(5);

/// Whether a transaction may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Write,
    Read,
}

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

    pub(super) async fn run<T, E, F>(&self, mode: Mode, priority: Priority, mut work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let turn = self.pool.turn(priority).await?;
        let pool = Arc::clone(&self.pool);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            catch_unwind(AssertUnwindSafe(|| with_retries(&pool, mode, &mut work)))
        });
        match done.await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(DbError::Panicked.into()),
            Err(_) => Err(DbError::Closed.into()),
        }
    }

    pub(super) async fn notify(&self, channel: &'static str) {
        let speak = move |tx: &mut Tx<'_>| tx.query(dialect::PG_NOTIFY, &[channel.into()]).map(drop);
        // Local listeners are awake already, and every loop looks again by itself after a while.
        if self.run(Mode::Write, Priority::Engine, speak).await.is_err() {
            tracing::warn!(channel, "other nodes could not be notified");
        }
    }
}

fn with_retries<T, E: From<DbError>>(
    pool: &Pool,
    mode: Mode,
    work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut pause = FIRST_RETRY_PAUSE;
    let mut tries = 0;
    loop {
        tries += 1;
        // Where the closure panics, the connection ends with its transaction.
        let mut session = pool.take()?;
        let Outcome { result, again, spoilt } = transact(&mut session, mode, work);
        pool.give_back(session, spoilt);
        if result.is_ok() || !again || tries >= MAX_TRIES {
            return result;
        }
        std::thread::sleep(pause);
        pause *= 2;
    }
}

/// What became of one try.
struct Outcome<T, E> {
    result: Result<T, E>,
    /// It failed in a way that another try may mend.
    again: bool,
    /// The connection is of no use any more, though it may look alive.
    spoilt: bool,
}

impl<T, E: From<DbError>> Outcome<T, E> {
    fn failed(error: DbError, again: bool) -> Self {
        let spoilt = error.spoils_connection();
        Self { result: Err(error.into()), again, spoilt }
    }
}

/// One try. A connection that was lost during the commit is not worth another, nor a server that was told to end meanwhile:
/// nobody knows whether the commit happened.
fn transact<T, E: From<DbError>>(
    session: &mut Session,
    mode: Mode,
    work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> Outcome<T, E> {
    if let Err(error) = session.say(mode.begin()) {
        let again = error.is_worth_another_try();
        return Outcome::failed(error, again);
    }
    let mut tx = Tx::new(Kind::Postgres(session));
    let mut result = work(&mut tx);
    if result.is_ok()
        && !tx.has_failed()
        && let Err(error) = tx.finish()
    {
        result = Err(error.into());
    }
    let (failed, again, mut spoilt) = (tx.has_failed(), tx.is_retryable(), tx.is_spoilt());
    drop(tx);
    if failed && result.is_ok() {
        result = Err(DbError::Aborted.into());
    }
    match result {
        Ok(value) => match session.say("COMMIT") {
            Ok(()) => Outcome { result: Ok(value), again: false, spoilt },
            Err(error) => {
                let again = error.is_surely_undone();
                Outcome::failed(error, again)
            }
        },
        Err(error) => {
            if !spoilt {
                spoilt = session.say("ROLLBACK").is_err();
            }
            Outcome { result: Err(error), again, spoilt }
        }
    }
}
