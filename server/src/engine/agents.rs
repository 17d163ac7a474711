//! Contacts of agents, written once a second for all; and those that stay away.

use std::sync::Arc;
use std::time::Duration;

use super::{AFTER_FAILURE, failed, pause};
use crate::app::App;
use crate::app::desk::silence::{LINES_PER_TRANSACTION_MAX, Turn, tell_back, tell_silent, turns, write};
use crate::db::{DbError, Priority};
use crate::store::agents;

/// How often contacts are written.
const SEEN_EVERY: Duration = Duration::from_secs(1);
/// How often silence is looked for.
const SILENCE_EVERY: Duration = Duration::from_secs(2);

pub(super) async fn keep_seen(app: Arc<App>) -> anyhow::Result<()> {
    loop {
        let going_on = pause(&app, SEEN_EVERY).await;
        if let Err(error) = save_seen(&app).await {
            failed("seen", &error);
        }
        if !going_on {
            return Ok(());
        }
    }
}

/// Writes the contacts that wait.
pub(super) async fn save_seen(app: &Arc<App>) -> Result<(), DbError> {
    let seen = app.seen.take();
    if seen.is_empty() {
        return Ok(());
    }
    app.db.write(Priority::Ingest, move |tx| agents::save_seen(tx, &seen)).await
}

/// After the server's own absence every agent gets the whole grace before it counts as silent.
pub(super) async fn watch_silence(app: Arc<App>) -> anyhow::Result<()> {
    let begun = app.clock.mono();
    let grace_ms = app.settings.silence_grace_ms;
    loop {
        if !pause(&app, SILENCE_EVERY).await {
            return Ok(());
        }
        if app.clock.mono().0 - begun.0 < grace_ms {
            continue;
        }
        if let Err(error) = tick(&app).await {
            failed("silence", &error);
            if !pause(&app, AFTER_FAILURE).await {
                return Ok(());
            }
        }
    }
}

pub(super) async fn tick(app: &Arc<App>) -> Result<(), DbError> {
    let (grace_ms, now) = (app.settings.silence_grace_ms, app.now());
    let found = app.db.read(move |tx| turns(tx, grace_ms, now)).await?;
    for turn in found {
        write_turn(app, turn).await?;
    }
    let (desk, settings) = (app.desk.clone(), Arc::clone(&app.settings));
    let after = (settings.silence_tell_ms, settings.time_zone);
    app.db.write(Priority::Ingest, move |tx| tell_silent(&desk, tx, after, now)).await
}

async fn write_turn(app: &Arc<App>, turn: Turn) -> Result<(), DbError> {
    tracing::warn!(agent = %turn.silence.name, silent = turn.silent, lines = turn.lines.len(), "an agent's contact changed");
    let turn = Arc::new(turn);
    let parts = turn.lines.len().div_ceil(LINES_PER_TRANSACTION_MAX).max(1);
    for part in 0..parts {
        let (desk, now, turn) = (app.desk.clone(), app.now(), Arc::clone(&turn));
        let from = part * LINES_PER_TRANSACTION_MAX;
        let to = turn.lines.len().min(from + LINES_PER_TRANSACTION_MAX);
        let ids: Vec<_> = (from..to).map(|_| app.fresh_id()).collect();
        let last = part + 1 == parts;
        let zone = app.settings.time_zone;
        app.db
            .write(Priority::Ingest, move |tx| {
                write(&desk, tx, &turn, &turn.lines[from..to], &ids, last, now)?;
                if last && !turn.silent { tell_back(&desk, tx, &turn.silence, zone, now) } else { Ok(()) }
            })
            .await?;
    }
    Ok(())
}
