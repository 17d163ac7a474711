//! The conversation with the server, for as long as the agent runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::renewing::keep_valid;
use crate::enroll::Identity;
use crate::journal::Journal;
use crate::sync::session::{Session, SyncStatus};

/// How often it is looked whether the agent has been enrolled meanwhile.
const ENROLLED_LOOK: Duration = Duration::from_secs(2);

/// The conversation, as seen from outside.
pub struct Link {
    /// How it stands.
    pub status: watch::Receiver<SyncStatus>,
    /// Wakes it.
    pub wishes: Arc<Notify>,
}

/// Where the conversation is seen, once there is one.
pub type SyncSlot = Arc<Mutex<Option<Link>>>;

/// Talks with the server, from enrolment on; with another one after another enrolment.
pub(super) async fn sync(
    journal: Journal,
    data_dir: PathBuf,
    slot: SyncSlot,
    pulled: watch::Sender<u64>,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        let Some(identity) = wait_for_identity(&data_dir).await else { return };
        let client = match identity.client(&data_dir, journal.vault()) {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "no sync");
                return;
            }
        };
        let session = match Session::new(journal.clone(), client, chance()).await {
            Ok(session) => session,
            Err(error) => {
                tracing::error!(%error, "no sync");
                return;
            }
        };
        let (status, kept) = (session.status(), session.status());
        *slot.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Link { status: status.clone(), wishes: session.wishes() });
        tracing::info!(agent = identity.name, server = identity.server, "syncing");
        tokio::select! {
            () = crate::sync::run(session, journal.clone(), stop.clone()) => {}
            () = tell_pulls(status, &pulled) => {}
            () = another_certificate(&data_dir, &identity) => tracing::info!("another certificate: connecting anew"),
            () = keep_valid(&data_dir, &journal, &identity, kept) => {}
        }
    }
}

/// Tells whoever waits that reference data was pulled.
async fn tell_pulls(mut status: watch::Receiver<SyncStatus>, pulled: &watch::Sender<u64>) {
    let mut known = 0;
    while status.changed().await.is_ok() {
        let pulls = status.borrow_and_update().pulls;
        if std::mem::replace(&mut known, pulls) != pulls {
            pulled.send_modify(|count| *count += 1);
        }
    }
}

/// Returns when the stored certificate is another one: renewed, or of another enrolment.
async fn another_certificate(data_dir: &Path, identity: &Identity) {
    loop {
        tokio::time::sleep(ENROLLED_LOOK).await;
        let stored = Identity::load(data_dir).ok().flatten();
        if stored.is_some_and(|stored| is_another(&stored, identity)) {
            return;
        }
    }
}

fn is_another(stored: &Identity, identity: &Identity) -> bool {
    stored.certificate_pem != identity.certificate_pem || stored.authority_pem != identity.authority_pem
}

async fn wait_for_identity(data_dir: &Path) -> Option<Identity> {
    let mut told = false;
    loop {
        match Identity::load(data_dir) {
            Ok(Some(identity)) => return Some(identity),
            Ok(None) if !told => tracing::warn!("not enrolled yet: everything is kept here until then"),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "no sync");
                return None;
            }
        }
        told = true;
        tokio::time::sleep(ENROLLED_LOOK).await;
    }
}

/// Chance for delays, from the system.
#[must_use]
pub fn chance() -> crate::sync::plan::Chance {
    Box::new(|| getrandom::u32().map_or(0.5, |n| f64::from(n) / f64::from(u32::MAX)))
}
