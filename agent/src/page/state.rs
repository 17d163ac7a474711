//! What the local page works with.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, Weak};

use linewatch_shared::health::Health;
use linewatch_shared::time::UnixMs;
use tokio::sync::watch;

use super::diagnoses::Diagnoses;
use super::sessions::Sessions;
use crate::config::Config;
use crate::enroll::Identity;
use crate::field::corrected::Corrected;
use crate::journal::{Journal, JournalError, Scribe};
use crate::monitor::MonitorHandle;
use crate::probe::ProberHandle;
use crate::run::link::SyncSlot;

/// What the running agent hands to its page.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The journal.
    pub journal: Journal,
    /// The data directory, as it is really called.
    pub data_dir: PathBuf,
    /// The prober; gone at the end.
    pub prober: Weak<ProberHandle>,
    /// The monitor.
    pub monitor: MonitorHandle,
    /// The conversation, once there is one.
    pub sync: SyncSlot,
    /// The last health reading.
    pub health: watch::Receiver<Health>,
    /// Told when somebody chooses a line to be probed from here.
    pub chosen: watch::Sender<u64>,
}

/// The page's state.
pub struct Local {
    pub(super) config: Config,
    pub(super) journal: Journal,
    pub(super) scribe: Scribe,
    pub(super) data_dir: PathBuf,
    pub(super) prober: Weak<ProberHandle>,
    pub(super) monitor: MonitorHandle,
    pub(super) sync: SyncSlot,
    pub(super) health: watch::Receiver<Health>,
    pub(super) chosen: watch::Sender<u64>,
    pub(super) sessions: Sessions,
    pub(super) signing_in: tokio::sync::Mutex<()>,
    pub(super) diagnoses: Diagnoses,
}

impl Local {
    /// The page's state.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { config, journal, data_dir, prober, monitor, sync, health, chosen } = parts;
        let scribe = journal.scribe().clone();
        Arc::new(Self {
            config,
            journal,
            scribe,
            data_dir,
            prober,
            monitor,
            sync,
            health,
            chosen,
            sessions: Sessions::default(),
            signing_in: tokio::sync::Mutex::new(()),
            diagnoses: Diagnoses::default(),
        })
    }

    /// Who this agent is, once it is enrolled.
    pub(super) fn identity(&self) -> Option<Identity> {
        Identity::load(&self.data_dir).ok().flatten()
    }

    /// Whether the desk locked this device.
    pub(super) async fn is_locked(&self) -> Result<bool, JournalError> {
        Ok(self.journal.read(crate::journal::locked).await?.is_some())
    }

    /// The server's time, as well as it is known here.
    pub(super) async fn now(&self) -> Result<UnixMs, JournalError> {
        let times = self.journal.read(Corrected::read).await?;
        Ok(times.now(&self.scribe))
    }

    /// How the conversation with the server stands; none before enrolment.
    pub(super) fn sync_status(&self) -> Option<crate::sync::session::SyncStatus> {
        let slot = self.sync.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().map(|link| link.status.borrow().clone())
    }

    /// Has the server contacted now.
    pub(super) fn wish_sync(&self) {
        let slot = self.sync.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = slot.as_ref() {
            link.wishes.notify_one();
        }
    }
}
