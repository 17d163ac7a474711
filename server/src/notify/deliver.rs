//! Sends what was claimed: one destination's messages in order, each tried once.
//!
//! Never touches the database: how each message ended goes back through a bounded channel.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use linewatch_shared::time::{Clock, MINUTE_MS, MonoMs};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::channel::{Outlets, crowded_until, is_kind};
use super::failure::{Failure, FailureKind};
use super::fallback::Fallbacks;
use super::letter::Letter;
use super::lexicon::Writers;
use super::mail::{self, Parts};
use super::outbox::{Ending, Finished, LEASE_MS, Pause};
use super::plan::{Batch, Message, OutboxRow, PER_MINUTE};
use super::retry::{Cause, RETRY_AFTER_MAX_MS, next_try_ms};
use super::smtp::Mailer;
use super::take_link::TakeLinks;
use super::text::Together;
use super::webhook::Webhooks;

/// How long one try may take.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Clocks of two nodes may differ by so much without both sending, in milliseconds.
const LEASE_MARGIN_MS: i64 = 5_000;

/// For so long a message is tried before it goes another way, where there is one.
const FALL_BACK_AFTER_MS: i64 = 2 * MINUTE_MS;

/// A row and what it says.
pub(super) type Sendable = (OutboxRow, Letter);

/// The ways out.
pub struct Deliverer {
    pub(super) mailer: Option<Mailer>,
    pub(super) webhooks: Webhooks,
    pub(super) outlets: Outlets,
    pub(super) fallbacks: Fallbacks,
    pub(super) writers: Writers,
    pub(super) take: Option<TakeLinks>,
    pub(super) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Deliverer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deliverer").field("mailer", &self.mailer).finish_non_exhaustive()
    }
}

impl Deliverer {
    /// Sends one batch whose lease began at `leased_at`; what there is no time left for is released.
    pub(super) async fn deliver(
        &self,
        batch: Batch,
        leased_at: MonoMs,
        stop: &CancellationToken,
        results: &mpsc::Sender<Finished>,
    ) {
        let mut released_until: Option<Option<i64>> = None;
        for message in batch.messages {
            if released_until.is_none() && (stop.is_cancelled() || !self.has_time(leased_at)) {
                released_until = Some(None);
            }
            if let Some(next_at_ms) = released_until {
                report(results, finished(&message.rows, Ending::Released { next_at_ms })).await;
                continue;
            }
            let (readable, unreadable) = read_alerts(message);
            for (row, error) in unreadable {
                count_dead(&row.channel, 1);
                report(results, finished(&[row], Ending::Dead { error, instead: Vec::new() })).await;
            }
            if readable.is_empty() {
                continue;
            }
            let id = readable.first().map_or("", |(row, _)| &row.message_id);
            if let Some(until) = crowded_until(&batch.channel, id, self.clock.now()) {
                released_until = Some(Some(until.0));
                let rows: Vec<OutboxRow> = readable.into_iter().map(|(row, _)| row).collect();
                report(results, finished(&rows, Ending::Released { next_at_ms: Some(until.0) })).await;
                continue;
            }
            let ended = self.one(&batch.channel, &batch.destination, &readable).await;
            released_until = ended.1.map(Some);
            report(results, ended.0).await;
        }
    }

    fn has_time(&self, leased_at: MonoMs) -> bool {
        let held_ms = self.clock.mono().0 - leased_at.0;
        held_ms + SEND_TIMEOUT.as_millis() as i64 + LEASE_MARGIN_MS <= LEASE_MS
    }

    /// One try; with it the time until which the destination's other messages should wait.
    async fn one(&self, channel: &str, destination: &str, alerts: &[Sendable]) -> (Finished, Option<i64>) {
        let trying = self.send(channel, destination, alerts);
        let result = tokio::time::timeout(SEND_TIMEOUT, trying)
            .await
            .unwrap_or_else(|_| Err(Failure::broken("no answer in time")));
        let rows: Vec<OutboxRow> = alerts.iter().map(|(row, _)| row.clone()).collect();
        match result {
            Ok(()) => {
                self.count_sent(channel, alerts);
                tracing::debug!(channel, alerts = rows.len(), "alert handed over");
                (finished(&rows, Ending::Sent), None)
            }
            Err(failure) => self.failed(channel, destination, &rows, &failure),
        }
    }

    fn failed(
        &self,
        channel: &str,
        destination: &str,
        rows: &[OutboxRow],
        failure: &Failure,
    ) -> (Finished, Option<i64>) {
        let now_ms = self.clock.now().0;
        metrics::counter!("linewatch_alerts_failed_total", "channel" => channel.to_owned())
            .increment(rows.len() as u64);
        let cause = match failure.kind {
            FailureKind::Unreachable | FailureKind::Broken => Some(Cause::Unreachable),
            FailureKind::Busy | FailureKind::Temporary => Some(Cause::Refused),
            FailureKind::Permanent => None,
        };
        let tries = rows.iter().map(|row| row.attempts).max().unwrap_or(1);
        let created_at_ms = rows.iter().map(|row| row.created_at_ms).min().unwrap_or(now_ms);
        let id = rows.first().map_or("", |row| &row.message_id);
        // Addresses, and answers that may quote them, stay out of the log: the outbox has both.
        let letter = rows.first().map_or(0, |row| row.n);
        let reason = match failure.kind {
            FailureKind::Unreachable | FailureKind::Broken => failure.reason.as_str(),
            FailureKind::Busy | FailureKind::Temporary => "refused for now",
            FailureKind::Permanent => "refused",
        };
        let next_at_ms = cause
            .and_then(|cause| next_try_ms(now_ms, created_at_ms, tries, cause, failure.retry_after_ms, id));
        // Another way is not made to wait for a service to come back.
        let instead = self.fallbacks.of(channel, destination);
        let waited = now_ms - created_at_ms >= FALL_BACK_AFTER_MS;
        let next_at_ms = next_at_ms.filter(|_| instead.is_empty() || !waited);
        let Some(next_at_ms) = next_at_ms else {
            count_dead(channel, rows.len());
            let other_ways = instead.len();
            tracing::error!(
                channel,
                letter,
                tries,
                reason,
                other_ways,
                "alert given up; it is among the dead letters"
            );
            let error = failure.reason.clone();
            return (finished(rows, Ending::Dead { error, instead: instead.to_vec() }), None);
        };
        tracing::warn!(channel, letter, tries, reason, "alert not handed over");
        let mut ended = finished(rows, Ending::Retry { next_at_ms, error: failure.reason.clone() });
        match (failure.kind, failure.retry_after_ms) {
            (FailureKind::Busy, Some(wait_ms)) => {
                let until_ms = now_ms + wait_ms.min(RETRY_AFTER_MAX_MS);
                let (channel, destination) = (channel.to_owned(), destination.to_owned());
                ended.pause = Some(Pause { channel, destination, until_ms });
                (ended, Some(until_ms))
            }
            (FailureKind::Busy | FailureKind::Unreachable, _) => (ended, Some(next_at_ms)),
            _ => (ended, None),
        }
    }

    /// One try, with nothing written down.
    pub(super) async fn send(
        &self,
        channel: &str,
        destination: &str,
        alerts: &[Sendable],
    ) -> Result<(), Failure> {
        match channel {
            super::EMAIL => self.send_mail(destination, alerts).await,
            super::WEBHOOK => {
                for (_, letter) in alerts {
                    // The day's list goes by mail alone.
                    if let Letter::Alert(alert) = letter {
                        self.webhooks.send(destination, alert, self.clock.now()).await?;
                    }
                }
                Ok(())
            }
            other if !is_kind(other) => {
                Err(Failure::permanent(&format!("there is no channel called \"{other}\"")))
            }
            _ => {
                let id = alerts.first().map_or("", |(row, _)| &row.message_id);
                let letters: Vec<Letter> = alerts.iter().map(|(_, letter)| letter.clone()).collect();
                let now = (self.clock.now(), self.clock.mono());
                self.outlets.send(&self.writers.lexicon(), destination, id, &letters, now).await
            }
        }
    }

    async fn send_mail(&self, destination: &str, alerts: &[Sendable]) -> Result<(), Failure> {
        let Some(mailer) = &self.mailer else {
            return Err(Failure::temporary("no mail server is configured"));
        };
        let to: Mailbox = destination
            .parse()
            .map_err(|e| Failure::permanent(&format!("\"{destination}\" is not a mail address: {e}")))?;
        let now = self.clock.now();
        let writer = self.writers.of(destination);
        let letters: Vec<Letter> = alerts.iter().map(|sendable| self.with_link(sendable)).collect();
        let text = match letters.as_slice() {
            [letter] => writer.letter(letter, now),
            many => writer.digest(many, Together::of(alerts.first().map(|(row, _)| row), PER_MINUTE), now),
        };
        let keys: Vec<String> = alerts.iter().map(|(_, letter)| letter.key().to_owned()).collect();
        let mut faults: Vec<_> = alerts.iter().map(|(row, _)| row.subject).collect();
        faults.sort_unstable();
        faults.dedup();
        let parts = Parts {
            from: mailer.from(),
            to: &to.email,
            message_id: alerts.first().map_or("", |(row, _)| &row.message_id),
            keys: &keys,
            faults: &faults,
            at: now,
        };
        let mail = mail::build(&parts, text).map_err(|e| Failure::permanent(&e.to_string()))?;
        mailer.send(&to.email, &mail, self.clock.mono()).await
    }

    /// A letter with the link by which this receiver takes the alert.
    fn with_link(&self, (row, letter): &Sendable) -> Letter {
        let mut letter = letter.clone();
        if let Letter::Alert(alert) = &mut letter {
            alert.telling.take = self.take.as_ref().and_then(|links| links.of(row));
        }
        letter
    }

    fn count_sent(&self, channel: &str, alerts: &[Sendable]) {
        let now_ms = self.clock.now().0;
        metrics::counter!("linewatch_alerts_sent_total", "channel" => channel.to_owned())
            .increment(alerts.len() as u64);
        for (row, letter) in alerts {
            // A deadline's passing is news from its own moment on; anything else from its telling.
            let since_ms = match letter {
                Letter::Alert(alert)
                    if !alert.late && (alert.mark == "missed" || alert.mark.starts_with("warn_")) =>
                {
                    alert.at.0
                }
                _ => row.created_at_ms,
            };
            let delay_ms = (now_ms - since_ms).max(0);
            metrics::histogram!("linewatch_alert_delay_seconds").record(delay_ms as f64 / 1_000.0);
        }
    }
}

/// The alerts of a message, and the rows whose alert cannot be read, each with the reason.
fn read_alerts(message: Message) -> (Vec<Sendable>, Vec<(OutboxRow, String)>) {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for row in message.rows {
        match Letter::read(&row.alert) {
            Ok(letter) => readable.push((row, letter)),
            Err(e) => unreadable.push((row, format!("the stored alert cannot be read: {e}"))),
        }
    }
    (readable, unreadable)
}

fn finished(rows: &[OutboxRow], ending: Ending) -> Finished {
    Finished { rows: rows.iter().map(|row| (row.n, row.attempts)).collect(), ending, pause: None }
}

fn count_dead(channel: &str, alerts: usize) {
    metrics::counter!("linewatch_alerts_dead_total", "channel" => channel.to_owned())
        .increment(alerts as u64);
}

/// A receiver that is gone means that the notifier is gone; the lease will run out.
async fn report(results: &mpsc::Sender<Finished>, finished: Finished) {
    let _ = results.send(finished).await;
}
