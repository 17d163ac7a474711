//! The loop around the outbox: look, send, write down how it ended.

use std::sync::Arc;
use std::time::Duration;

use linewatch_shared::time::{Clock, MonoMs, UnixMs};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::channel::Outlets;
use super::deliver::Deliverer;
use super::fallback::Fallbacks;
use super::http::{self, HttpError};
use super::lexicon::Writers;
use super::outbox::{self, Claimed, Ending, Finished};
use super::plan::Batch;
use super::settings::NotifySettings;
use super::smtp::{Mailer, SmtpError};
use super::webhook::Webhooks;
use super::words::WordsError;
use crate::db::{Db, DbError};

/// Destinations that are sent to at the same time.
pub const SENDING_MAX: usize = 16;
/// Destinations that are claimed at the same time; those above [`SENDING_MAX`] are next. Each claim looks through all that
/// is due, so a thousand managers who are told at once should take a few of them.
const CLAIMED_MAX: usize = 256;
/// The outbox is looked at at least this often: other nodes' leases run out unannounced.
const POLL: Duration = Duration::from_secs(2);
/// Endings that wait to be written down.
const RESULTS_MAX: usize = 256;
/// How long a failing database is left alone.
const DB_PAUSE: Duration = Duration::from_millis(500);
/// How long a stopping notifier waits for the mails under way.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// The notifier cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The mail settings.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// The HTTP client.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// This program's own texts.
    #[error(transparent)]
    Words(#[from] WordsError),
}

/// What one [`Notifier::tick`] did, in messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Handed over.
    pub sent: usize,
    /// To be tried again.
    pub retried: usize,
    /// Given up.
    pub dead: usize,
    /// Claimed but not tried.
    pub released: usize,
    /// When there will be something to do, as far as is known.
    pub next_at: Option<UnixMs>,
}

/// Delivers what is in the outbox. Any number of them may work on one database.
#[derive(Clone)]
pub struct Notifier {
    pub(super) db: Db,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) deliverer: Arc<Deliverer>,
    sending: Arc<Semaphore>,
    storm_above: usize,
}

impl std::fmt::Debug for Notifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifier").field("deliverer", &self.deliverer).finish_non_exhaustive()
    }
}

/// The sends under way.
struct UnderWay {
    tasks: JoinSet<()>,
    results: mpsc::Sender<Finished>,
    stop: CancellationToken,
}

impl Notifier {
    /// Prepares the ways out; connects to nothing yet.
    ///
    /// # Errors
    /// What in the settings cannot work.
    pub fn new(db: Db, clock: Arc<dyn Clock>, settings: &NotifySettings) -> Result<Self, NotifyError> {
        let client = http::client(settings.allow_private)?;
        let deliverer = Deliverer {
            mailer: settings.mail.as_ref().map(Mailer::new).transpose()?,
            webhooks: Webhooks::new(client.clone(), &settings.webhooks),
            outlets: Outlets::new(client, settings),
            fallbacks: Fallbacks::new(settings),
            writers: Writers::new(settings.lang, &settings.lang_of)?,
            take: settings.take.clone(),
            clock: Arc::clone(&clock),
        };
        let sending = Arc::new(Semaphore::new(SENDING_MAX));
        let storm_above = settings.storm_above;
        Ok(Self { db, clock, deliverer: Arc::new(deliverer), sending, storm_above })
    }

    /// Claims what is due at `now`, tries each message once, writes down how it ended.
    ///
    /// # Errors
    /// The database's; what was claimed comes back when its lease runs out.
    pub async fn tick(&self, now: UnixMs) -> Result<Tick, DbError> {
        let leased_at = self.clock.mono();
        let claimed = outbox::claim(&self.db, now, CLAIMED_MAX, self.storm_above).await?;
        self.refresh_texts(claimed.texts_version).await;
        let mut tick = Tick { next_at: claimed.next_at_ms.map(UnixMs), ..Tick::default() };
        let (mut under_way, mut endings) = UnderWay::new();
        self.spawn(&mut under_way, claimed.batches, leased_at);
        let UnderWay { mut tasks, results, .. } = under_way;
        drop(results);
        let mut all = Vec::new();
        while endings.recv_many(&mut all, RESULTS_MAX).await > 0 {}
        while tasks.join_next().await.is_some() {}
        for one in &all {
            match one.ending {
                Ending::Sent => tick.sent += 1,
                Ending::Retry { .. } => tick.retried += 1,
                Ending::Dead { .. } => tick.dead += 1,
                Ending::Released { .. } => tick.released += 1,
            }
        }
        outbox::finish(&self.db, self.clock.now(), all).await?;
        Ok(tick)
    }

    /// Delivers until `shutdown`, then lets the messages under way end and gives back the rest.
    pub async fn run(self, shutdown: CancellationToken) {
        // Listening before looking: nothing that is put in between is missed.
        let mut wake = self.db.listen(super::OUTBOX_CHANNEL);
        let (mut under_way, mut endings) = UnderWay::new();
        let mut unwritten = Vec::new();
        let mut counted_at = None;
        let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        loop {
            let look = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                _ = endings.recv_many(&mut unwritten, RESULTS_MAX) => false,
                Some(ended) = under_way.tasks.join_next() => log_end(&ended),
                () = wake.wait() => true,
                () = timer.as_mut() => true,
            };
            let room = CLAIMED_MAX.saturating_sub(under_way.tasks.len());
            let sleep = if !self.write_down(&mut unwritten).await {
                DB_PAUSE
            } else if look && room >= CLAIMED_MAX / 2 {
                self.look(&mut under_way, room, &mut counted_at).await
            } else {
                continue;
            };
            timer.set(tokio::time::sleep(sleep));
        }
        self.wind_up(under_way, endings, unwritten).await;
    }

    /// Claims and begins to send; says how long nothing further is known to be due.
    async fn look(&self, under_way: &mut UnderWay, room: usize, counted_at: &mut Option<MonoMs>) -> Duration {
        let (now, leased_at) = (self.clock.now(), self.clock.mono());
        let claimed = match outbox::claim(&self.db, now, room, self.storm_above).await {
            Ok(claimed) => claimed,
            Err(e) => {
                tracing::warn!(error = %e, "the outbox cannot be read");
                return DB_PAUSE;
            }
        };
        let Claimed { batches, more, next_at_ms, texts_version } = claimed;
        self.refresh_texts(texts_version).await;
        self.spawn(under_way, batches, leased_at);
        if counted_at.is_none_or(|at| leased_at.0 - at.0 >= POLL.as_millis() as i64) {
            *counted_at = Some(leased_at);
            self.count_pending().await;
        }
        if more && under_way.tasks.len() <= CLAIMED_MAX / 2 {
            return Duration::ZERO;
        }
        let wait_ms = next_at_ms.map_or(i64::MAX, |at| at.saturating_sub(now.0));
        POLL.min(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)))
    }

    /// What is written next is written in the desk's words as they are now.
    async fn refresh_texts(&self, version: Option<i64>) {
        if let Some(version) = version {
            self.deliverer.writers.refresh(&self.db, version).await;
        }
    }

    fn spawn(&self, under_way: &mut UnderWay, batches: Vec<Batch>, leased_at: MonoMs) {
        for batch in batches {
            let (deliverer, sending) = (Arc::clone(&self.deliverer), Arc::clone(&self.sending));
            let (results, stop) = (under_way.results.clone(), under_way.stop.clone());
            under_way.tasks.spawn(async move {
                // Never closed, so this is only waiting.
                let _permit = sending.acquire().await;
                deliverer.deliver(batch, leased_at, &stop, &results).await;
            });
        }
    }

    /// True when nothing is left to be written down.
    async fn write_down(&self, unwritten: &mut Vec<Finished>) -> bool {
        if unwritten.is_empty() {
            return true;
        }
        match outbox::finish(&self.db, self.clock.now(), unwritten.clone()).await {
            Ok(()) => unwritten.clear(),
            Err(e) => {
                tracing::warn!(error = %e, messages = unwritten.len(), "what was sent cannot be written down yet");
            }
        }
        unwritten.is_empty()
    }

    async fn count_pending(&self) {
        match outbox::count_pending(&self.db).await {
            Ok(pending) => metrics::gauge!("linewatch_outbox_pending").set(pending as f64),
            Err(e) => tracing::debug!(error = %e, "the outbox cannot be counted"),
        }
    }

    async fn wind_up(
        &self,
        under_way: UnderWay,
        mut endings: mpsc::Receiver<Finished>,
        mut unwritten: Vec<Finished>,
    ) {
        let UnderWay { mut tasks, results, stop } = under_way;
        stop.cancel();
        drop(results);
        let draining = async { while endings.recv_many(&mut unwritten, RESULTS_MAX).await > 0 {} };
        if tokio::time::timeout(STOP_GRACE, draining).await.is_err() {
            tracing::warn!("stopping with mails under way; they are tried again after their lease");
        }
        tasks.abort_all();
        self.write_down(&mut unwritten).await;
    }
}

impl UnderWay {
    fn new() -> (Self, mpsc::Receiver<Finished>) {
        let (results, endings) = mpsc::channel(RESULTS_MAX);
        (Self { tasks: JoinSet::new(), results, stop: CancellationToken::new() }, endings)
    }
}

/// A task's end makes room either way; one that panicked leaves its rows to their lease.
fn log_end(ended: &Result<(), tokio::task::JoinError>) -> bool {
    if let Err(e) = ended {
        tracing::error!(error = %e, "a delivery task failed");
    }
    true
}
