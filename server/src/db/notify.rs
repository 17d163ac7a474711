//! Wake-ups by name. A listener that registers before it looks can never miss one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// The listeners of this process, by channel.
#[derive(Debug, Default)]
pub(super) struct Notifier {
    channels: Mutex<HashMap<String, watch::Sender<u64>>>,
}

impl Notifier {
    pub(super) fn listen(&self, channel: &str) -> Listener {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = channels.entry(channel.to_owned()).or_insert_with(|| watch::channel(0).0);
        Listener { seen: sender.subscribe() }
    }

    pub(super) fn wake(&self, channel: &str) {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = channels.get(channel) {
            sender.send_modify(|n| *n += 1);
        }
    }

    /// After a lost connection: whatever was said meanwhile was not heard, so everyone looks.
    pub(super) fn wake_all(&self) {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in channels.values() {
            sender.send_modify(|n| *n += 1);
        }
    }
}

/// Waits for notifications on one channel.
#[derive(Debug)]
pub struct Listener {
    seen: watch::Receiver<u64>,
}

impl Listener {
    /// Returns at once if there was a notification since the last call, else at the next one.
    /// Never returns once the database is closed. Safe to cancel.
    pub async fn wait(&mut self) {
        if self.seen.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
