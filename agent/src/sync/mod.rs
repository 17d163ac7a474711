//! Sends the journal to the server and pulls reference data, for as long as the agent runs.
//!
//! [`plan`] decides, [`session`] does and notes, [`transport`] names the calls, [`client`] makes them over
//! TLS. Nothing here can hold up probing or journalling: it only reads the journal and notes answers.

pub mod beside;
pub mod client;
pub mod clock;
pub mod generation;
pub mod home;
mod note;
pub mod pace;
mod parts;
pub mod plan;
pub mod session;
pub mod tls;
pub mod transport;

#[cfg(test)]
mod tests;

use std::time::Duration;

use linewatch_shared::time::MonoMs;
use tokio_util::sync::CancellationToken;

use crate::journal::{Journal, JournalError};
use session::{Session, Step};
use transport::Transport;

/// How often the database is asked whether another process has written to it.
const POLL: Duration = Duration::from_millis(250);
/// The pause after the journal could not be read or written.
const JOURNAL_PAUSE: Duration = Duration::from_secs(5);

/// Syncs until `stop`.
pub async fn run<T: Transport>(mut session: Session<T>, journal: Journal, stop: CancellationToken) {
    let stopped = stop.clone();
    let wishes = session.wishes();
    let work = async {
        loop {
            // Seen before the step reads the journal, so that nothing written meanwhile is missed.
            let mut appended = journal.appended();
            let version = journal.data_version();
            match session.step().await {
                Ok(Step::Did) => {}
                Ok(Step::Wait(until)) => {
                    let wait = wait(&journal, &mut appended, version, until);
                    tokio::select! {
                        () = wait => {}
                        () = wishes.notified() => session.on_wish(),
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "sync cannot use the journal");
                    tokio::time::sleep(JOURNAL_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = stopped.cancelled() => {}
        () = work => {}
    }
}

/// Returns at `until`, or when something was written.
async fn wait(
    journal: &Journal,
    appended: &mut tokio::sync::watch::Receiver<u64>,
    version: Result<i64, JournalError>,
    until: MonoMs,
) {
    let version = version.ok();
    loop {
        let left_ms = until.0 - journal.scribe().reading().mono.0;
        if left_ms <= 0 {
            return;
        }
        let left = Duration::from_millis(left_ms.cast_unsigned()).min(POLL);
        tokio::select! {
            _ = appended.changed() => return,
            () = tokio::time::sleep(left) => {}
        }
        // Another process, such as `fault report`.
        if version.is_some() && journal.data_version().ok() != version {
            return;
        }
    }
}
