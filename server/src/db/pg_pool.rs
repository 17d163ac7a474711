//! The connections to PostgreSQL that one process holds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pg_connect::Hosts;
use super::pg_session::Session;
use super::{DbError, PG_POOL_SIZE, Priority};

/// Connections that only the engine's writes may take.
const KEPT_FOR_ENGINE: usize = 2;
/// How long a transaction waits for a free connection.
const POOL_WAIT: Duration = Duration::from_secs(10);

/// Connections that nobody uses just now, and leave to use one.
pub(super) struct Pool {
    hosts: Arc<Hosts>,
    idle: Mutex<Vec<Session>>,
    all: Arc<Semaphore>,
    /// Everyone but the engine's writes: so some connections are always left for those.
    shared: Arc<Semaphore>,
}

/// Leave to use one connection.
pub(super) struct Turn {
    _all: OwnedSemaphorePermit,
    _shared: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub(super) fn new(hosts: Arc<Hosts>) -> Self {
        let permits = |count| Arc::new(Semaphore::new(count));
        Self {
            hosts,
            idle: Mutex::new(Vec::new()),
            all: permits(PG_POOL_SIZE),
            shared: permits(PG_POOL_SIZE - KEPT_FOR_ENGINE),
        }
    }

    /// Waits for a turn. Who waits behind others of its kind is told so only by the time that it takes.
    pub(super) async fn turn(&self, priority: Priority) -> Result<Turn, DbError> {
        let shared = match priority {
            Priority::Engine => None,
            _ => Some(Arc::clone(&self.shared).acquire_owned().await.map_err(|_| DbError::Closed)?),
        };
        match tokio::time::timeout(POOL_WAIT, Arc::clone(&self.all).acquire_owned()).await {
            Ok(Ok(all)) => Ok(Turn { _all: all, _shared: shared }),
            Ok(Err(_)) => Err(DbError::Closed),
            Err(_) => Err(DbError::Pool("all connections are in use".to_owned())),
        }
    }

    /// One that is idle, or a new one.
    pub(super) fn take(&self) -> Result<Session, DbError> {
        let idle = self.idle().pop();
        match idle {
            Some(session) if !session.is_closed() => Ok(session),
            _ => Session::connect(&self.hosts),
        }
    }

    /// Keeps one for the next, unless it turned out to be of no use: then the idle ones are of none either, which lead
    /// to the same server.
    pub(super) fn give_back(&self, session: Session, is_spoilt: bool) {
        if is_spoilt || session.is_closed() {
            let gone = std::mem::take(&mut *self.idle());
            drop((session, gone));
        } else {
            self.idle().push(session);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
