//! A message that only shows whether a channel works, handed over at once and not through the outbox.

use linewatch_shared::rules::Label;
use linewatch_shared::time::{HOUR_MS, UnixMs};
use uuid::Uuid;

use super::alert::{Alert, Telling};
use super::deliver::SEND_TIMEOUT;
use super::failure::Failure;
use super::letter::Letter;
use super::plan::OutboxRow;
use super::worker::Notifier;
use crate::store::alert_texts;

impl Notifier {
    /// Hands a trial message over to `destination` of a channel; services that keep incidents hear at once that it is
    /// over.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn trial(&self, channel: &str, destination: &str, link: &str) -> Result<(), Failure> {
        // A trial is in the desk's own words too; where they cannot be read, in the shipped ones.
        if let Ok(version) = self.db.read(alert_texts::version).await {
            self.deliverer.writers.refresh(&self.db, version).await;
        }
        let now = self.clock.now();
        let id = Uuid::now_v7();
        let incidents = matches!(channel, "pagerduty" | "alertmanager");
        for mark in ["warn_50", "corrected"].into_iter().take(if incidents { 2 } else { 1 }) {
            let letter = Letter::Alert(Box::new(alert(id, mark, link, now)));
            let row = OutboxRow {
                n: 0,
                key: letter.key().to_owned(),
                subject: id,
                channel: channel.to_owned(),
                destination: destination.to_owned(),
                message_id: format!("<{id}.{mark}@linewatch>"),
                alert: String::new(),
                attempts: 1,
                created_at_ms: now.0,
                alert_key: None,
                cause: String::new(),
            };
            let sendable = [(row, letter)];
            let sending = self.deliverer.send(channel, destination, &sendable);
            tokio::time::timeout(SEND_TIMEOUT, sending)
                .await
                .unwrap_or_else(|_| Err(Failure::broken("no answer in time")))?;
        }
        Ok(())
    }
}

/// Says of itself that it is a trial, in both languages.
fn alert(id: Uuid, mark: &str, link: &str, now: UnixMs) -> Alert {
    let trial = "测试消息，请忽略 · test message, please ignore";
    Alert {
        key: format!("trial/{id}/{mark}"),
        fault: id,
        line: "TEST".to_owned(),
        site: String::new(),
        customer: "TEST".to_owned(),
        customer_name: trial.to_owned(),
        tier: "TEST".to_owned(),
        tier_label: Label { zh: String::new(), en: String::new() },
        kind: "restoration".to_owned(),
        mark: mark.to_owned(),
        at: now,
        late: false,
        due_at: UnixMs(now.0 + HOUR_MS),
        started_at: now,
        state: "open".to_owned(),
        reported: false,
        done: Vec::new(),
        manager: String::new(),
        time_zone: "UTC".to_owned(),
        link: link.to_owned(),
        matter: None,
        upstream: None,
        telling: Telling::default(),
    }
}
