//! What comes round: customers get the duties of their tier, rounds begin at their time, and the day's list is kept
//! at its hour.

use std::sync::Arc;

use super::{AFTER_FAILURE, LOOK_EVERY, failed, pause, woken_or};
use crate::app::App;
use crate::app::matters::duties::{PER_TRANSACTION_MAX, assign, begin_rounds};
use crate::app::shift;
use crate::db::{DbError, Priority};
use crate::store::reference;

pub(super) async fn run(app: Arc<App>) -> anyhow::Result<()> {
    let mut listener = app.db.listen("reference");
    // What was looked at already; lost with the process, which then looks once more.
    let mut seen = None;
    loop {
        match tick(&app, &mut seen).await {
            Ok(begun) if begun as i64 >= PER_TRANSACTION_MAX => {}
            Ok(_) => {
                if !woken_or(&app, listener.wait(), LOOK_EVERY).await {
                    return Ok(());
                }
            }
            Err(error) => {
                failed("duties", &error);
                if !pause(&app, AFTER_FAILURE).await {
                    return Ok(());
                }
            }
        }
    }
}

/// Looks at every customer after the reference data changed, then begins what is due; answers how many rounds began.
async fn tick(app: &Arc<App>, seen: &mut Option<i64>) -> Result<usize, DbError> {
    let head = app.db.read(reference::head).await?;
    if *seen != Some(head) {
        assign_all(app).await?;
        *seen = Some(head);
    }
    let (desk, now) = (app.desk.clone(), app.now());
    let (zone, minute) = (app.settings.time_zone, app.settings.daily_list_minute);
    app.db
        .write(Priority::Ingest, move |tx| {
            shift::keep(tx, zone, minute, now)?;
            begin_rounds(&desk, tx, now)
        })
        .await
}

async fn assign_all(app: &Arc<App>) -> Result<(), DbError> {
    let mut after = Some(String::new());
    while let Some(from) = after.take() {
        let (desk, now) = (app.desk.clone(), app.now());
        after = app.db.write(Priority::Ingest, move |tx| assign(&desk, tx, &from, now)).await?;
    }
    Ok(())
}
