//! Keeps the agent's certificate valid: renews it when two thirds of its life are over by the *server's* clock, and proves
//! the key when the server says that it has expired. Probing, the journal and the conversation never wait for this.

use std::path::Path;
use std::time::Duration;

use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::LEVEL_RENEWS;
use tokio::sync::watch;

use crate::enroll::{Identity, renewal};
use crate::journal::Journal;
use crate::sync::session::SyncStatus;

/// How often it is looked whether the certificate is due.
const LOOK: Duration = Duration::from_secs(5);
/// The pause after a try, whatever came of it.
const PAUSE: Duration = Duration::from_mins(10);

/// What is to be done about the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    Renew,
    Prove,
}

fn due(status: &SyncStatus, renew_at: Option<UnixMs>, device_now: UnixMs) -> Due {
    if status.expired {
        return Due::Prove;
    }
    let Some(offset_ms) = status.offset_ms.filter(|_| status.connected && status.level >= LEVEL_RENEWS)
    else {
        return Due::Nothing;
    };
    // A certificate of an older server says nothing of this: it is renewed at once.
    match renew_at {
        Some(at) if device_now + offset_ms < at && !status.renew => Due::Nothing,
        _ => Due::Renew,
    }
}

/// Looks now and then, for as long as the conversation lasts. A new certificate ends it: the next one begins with that.
pub(super) async fn keep_valid(
    data_dir: &Path,
    journal: &Journal,
    identity: &Identity,
    status: watch::Receiver<SyncStatus>,
) {
    loop {
        tokio::time::sleep(LOOK).await;
        let due = due(&status.borrow(), identity.renew_at, journal.scribe().now());
        let done = match due {
            Due::Nothing => continue,
            Due::Renew => renewal::renew(data_dir, identity, journal.vault()).await,
            Due::Prove => renewal::prove(data_dir, identity, journal.vault()).await,
        };
        match done {
            Ok(()) => tracing::info!(how = ?due, "a new certificate"),
            Err(error) => tracing::warn!(%error, "no new certificate for now"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_by_the_servers_clock_and_never_asked_of_an_older_server() {
        let at = UnixMs(1_000_000);
        let status = |connected, level, offset_ms, expired| SyncStatus {
            connected,
            offset_ms,
            level,
            expired,
            ..SyncStatus::default()
        };
        let cases = [
            (status(true, 2, Some(0), false), Some(at), at - 1, Due::Nothing),
            (status(true, 2, Some(0), false), Some(at), at, Due::Renew),
            // This device's clock is years ahead, or behind.
            (status(true, 2, Some(-900_000), false), Some(at), at + 800_000, Due::Nothing),
            (status(true, 2, Some(900_000), false), Some(at), at - 900_000, Due::Renew),
            (status(true, 2, Some(0), false), None, at, Due::Renew),
            (status(true, 1, Some(0), false), None, at, Due::Nothing),
            (status(false, 2, Some(0), false), Some(at), at, Due::Nothing),
            (status(true, 2, None, false), Some(at), at, Due::Nothing),
            (status(false, 0, None, true), Some(at), at - 1, Due::Prove),
        ];
        for (at, (status, renew_at, now, wanted)) in cases.into_iter().enumerate() {
            assert_eq!(due(&status, renew_at, now), wanted, "case {at}");
        }
    }
}
