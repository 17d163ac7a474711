//! Judges promises at their moments.

use std::sync::Arc;

use super::{AFTER_FAILURE, at_most_a_look, failed, pause, woken_or};
use crate::app::App;
use crate::app::desk::allowances;
use crate::app::desk::engine::{FAULTS_PER_ROUND_MAX, Round, round};
use crate::app::matters::round as matters;
use crate::db::{DbError, Priority};

pub(super) async fn run(app: Arc<App>) -> anyhow::Result<()> {
    let mut listener = app.db.listen("engine");
    loop {
        match tick(&app).await {
            Ok(done) if done.due as i64 >= FAULTS_PER_ROUND_MAX => {}
            Ok(done) => {
                let wait_ms = done.next.map_or(i64::MAX, |next| next.since(app.now()));
                if !woken_or(&app, listener.wait(), at_most_a_look(wait_ms)).await {
                    return Ok(());
                }
            }
            Err(error) => {
                failed("deadlines", &error);
                if !pause(&app, AFTER_FAILURE).await {
                    return Ok(());
                }
            }
        }
    }
}

/// One round.
///
/// # Errors
/// The database's.
pub async fn tick(app: &Arc<App>) -> Result<Round, DbError> {
    let (desk, now) = (app.desk.clone(), app.now());
    let faults = app.db.write(Priority::Engine, move |tx| round(&desk, tx, now)).await?;
    let desk = app.desk.clone();
    let matters = app.db.write(Priority::Engine, move |tx| matters::round(&desk, tx, now)).await?;
    let desk = app.desk.clone();
    let lines = app.db.write(Priority::Engine, move |tx| allowances::round(&desk, tx, now)).await?;
    let done = faults.and(matters).and(lines);
    app.engine.beat(app.clock.as_ref(), done.lag_ms);
    metrics::counter!("linewatch_deadlines_judged_total").increment(done.due as u64);
    metrics::gauge!("linewatch_engine_lag_seconds").set(done.lag_ms as f64 / 1_000.0);
    Ok(done)
}
