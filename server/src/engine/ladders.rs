//! Climbs the ladders of alerts that nobody takes, and lets go what waited for the end of quiet hours.

use std::sync::Arc;

use super::{AFTER_FAILURE, at_most_a_look, failed, pause, woken_or};
use crate::app::App;
use crate::app::alerting::climb::{Climbed, round};
use crate::db::{DbError, Priority};

pub(super) async fn run(app: Arc<App>) -> anyhow::Result<()> {
    let mut listener = app.db.listen("ladder");
    loop {
        match tick(&app).await {
            Ok(done) if done.due > 0 => {}
            Ok(done) => {
                let wait_ms = done.next.map_or(i64::MAX, |next| next.since(app.now()));
                if !woken_or(&app, listener.wait(), at_most_a_look(wait_ms)).await {
                    return Ok(());
                }
            }
            Err(error) => {
                failed("ladders", &error);
                if !pause(&app, AFTER_FAILURE).await {
                    return Ok(());
                }
            }
        }
    }
}

pub(super) async fn tick(app: &Arc<App>) -> Result<Climbed, DbError> {
    let (desk, now) = (app.desk.clone(), app.now());
    app.db.write(Priority::Engine, move |tx| round(&desk, tx, now)).await
}
