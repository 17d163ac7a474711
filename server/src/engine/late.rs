//! Facts that had to wait: those dated ahead, those of lines that were not known, those within planned work.

use std::sync::Arc;

use linewatch_shared::time::DAY_MS;

use super::{LOOK_EVERY, failed, woken_or};
use crate::app::App;
use crate::app::desk::{engine::settle_waiting, ingest::take_due, planned};
use crate::db::{DbError, Priority};
use crate::store::outgoing::forget_events;

/// How long events are kept for boards that went away.
const EVENTS_KEPT_MS: i64 = DAY_MS;

pub(super) async fn run(app: Arc<App>) -> anyhow::Result<()> {
    let mut listener = app.db.listen("reference");
    loop {
        match tick(&app).await {
            Ok(0) => {
                if !woken_or(&app, listener.wait(), LOOK_EVERY).await {
                    return Ok(());
                }
            }
            Ok(_) => {}
            Err(error) => {
                failed("late", &error);
                if !super::pause(&app, super::AFTER_FAILURE).await {
                    return Ok(());
                }
            }
        }
    }
}

/// Takes in what can be taken in now; answers how much it was.
pub(super) async fn tick(app: &Arc<App>) -> Result<usize, DbError> {
    let (desk, now) = (app.desk.clone(), app.now());
    app.db
        .write(Priority::Ingest, move |tx| {
            forget_events(tx, now - EVENTS_KEPT_MS)?;
            Ok(take_due(&desk, tx, now)? + settle_waiting(&desk, tx, now)? + planned::round(&desk, tx, now)?)
        })
        .await
}
