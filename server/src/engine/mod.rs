//! The loops that keep promises judged: each is a tick that takes no input, can be repeated, and is woken
//! by a signal and by a period.

mod agents;
mod deadlines;
mod duties;
mod ladders;
mod late;
mod place;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use linewatch_shared::time::SECOND_MS;
use tokio::task::JoinSet;

use crate::app::App;
use crate::db::DbError;

/// Every loop looks at least so often, whatever signals it misses.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How long a loop waits after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Starts the loops. Each ends on `app.shutdown`.
pub fn spawn(app: &Arc<App>, tasks: &mut JoinSet<anyhow::Result<()>>) {
    tasks.spawn(deadlines::run(Arc::clone(app)));
    tasks.spawn(ladders::run(Arc::clone(app)));
    tasks.spawn(late::run(Arc::clone(app)));
    tasks.spawn(duties::run(Arc::clone(app)));
    tasks.spawn(agents::keep_seen(Arc::clone(app)));
    tasks.spawn(place::run(Arc::clone(app)));
    tasks.spawn(agents::watch_silence(Arc::clone(app)));
}

/// One round of every loop, one after the other: for those who let a server's time pass by hand.
///
/// # Errors
/// The database's; what was not done is done by the next round.
pub async fn round(app: &Arc<App>) -> Result<(), DbError> {
    agents::save_seen(app).await?;
    deadlines::tick(app).await?;
    ladders::tick(app).await?;
    late::tick(app).await?;
    duties::tick(app, &mut None).await?;
    agents::tick(app).await
}

/// Waits; false when the server ends.
async fn pause(app: &App, span: Duration) -> bool {
    woken_or(app, std::future::pending(), span).await
}

/// Waits for a signal, at most for `span`; false when the server ends.
async fn woken_or(app: &App, signal: impl Future<Output = ()>, span: Duration) -> bool {
    tokio::select! {
        () = signal => true,
        () = tokio::time::sleep(span) => true,
        () = app.shutdown.cancelled() => false,
    }
}

/// Logs a failed tick; the next one tries again.
fn failed(what: &'static str, error: &DbError) {
    metrics::counter!("linewatch_engine_failures_total", "loop" => what).increment(1);
    tracing::error!(what, %error, "a round of the engine failed; trying again");
}

/// A span in the clock's milliseconds, at most [`LOOK_EVERY`].
fn at_most_a_look(span_ms: i64) -> Duration {
    Duration::from_millis(span_ms.clamp(0, 3_600 * SECOND_MS).cast_unsigned()).min(LOOK_EVERY)
}
