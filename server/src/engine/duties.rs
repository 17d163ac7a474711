//! What comes round: customers get the duties of their tier, rounds begin at their time, and the day's list is kept
//! at its hour.

use std::sync::Arc;

use super::{AFTER_FAILURE, LOOK_EVERY, failed, pause, woken_or};
use crate::app::App;
use crate::app::matters::duties::{assign, begin_rounds};
use crate::app::{daily_list, desk_owes, plans, service};
use crate::db::{DbError, Priority};
use crate::store::reference;

/// The most transactions of rounds in one tick; what is left waits for the next.
const TURNS_MAX: usize = 500;

pub(super) async fn run(app: Arc<App>) -> anyhow::Result<()> {
    let mut listener = app.db.listen("reference");
    // What was looked at already; lost with the process, which then looks once more.
    let mut seen = None;
    loop {
        match tick(&app, &mut seen).await {
            Ok(()) => {
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

/// Acts upon services that have ended, looks at every customer after the reference data changed, keeps the day's list, then begins what is due. A round
/// that begins may show that the next one is due as well: after the server's absence all of them follow at once.
pub(super) async fn tick(app: &Arc<App>, seen: &mut Option<i64>) -> Result<(), DbError> {
    let (desk, now) = (app.desk.clone(), app.now());
    app.db
        .write(Priority::Ingest, move |tx| service::come_round(&desk, tx, now).map_err(DbError::from))
        .await?;
    let head = app.db.read(reference::head).await?;
    if *seen != Some(head) {
        assign_all(app).await?;
        *seen = Some(head);
    }
    let (desk, hour, now) =
        (app.desk.clone(), (app.settings.time_zone, app.settings.daily_list_minute), app.now());
    app.db
        .write(Priority::Ingest, move |tx| {
            daily_list::keep(&desk, tx, hour, now)?;
            desk_owes::alarm(&desk, tx, hour.0, now)
        })
        .await?;
    let desk = app.desk.clone();
    app.db
        .write(Priority::Ingest, move |tx| plans::come_round(&desk, tx, now).map_err(DbError::from))
        .await?;
    for _ in 0..TURNS_MAX {
        let desk = app.desk.clone();
        let begun = app.db.write(Priority::Ingest, move |tx| begin_rounds(&desk, tx, now)).await?;
        if begun == 0 || app.shutdown.is_cancelled() {
            break;
        }
    }
    Ok(())
}

async fn assign_all(app: &Arc<App>) -> Result<(), DbError> {
    let mut after = Some(String::new());
    while let Some(from) = after.take() {
        let (desk, now) = (app.desk.clone(), app.now());
        after = app.db.write(Priority::Ingest, move |tx| assign(&desk, tx, &from, now)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use linewatch_shared::time::DAY_MS;

    use super::*;
    use crate::app::import;
    use crate::app::matters::duties::{NewDuty, give};
    use crate::db::testing::{both, int};
    use crate::http::testing::{START, TestDesk};

    #[tokio::test(flavor = "multi_thread")]
    async fn after_an_absence_every_round_follows_at_once() {
        both(|db| async move {
            let desk = TestDesk::new(db).await;
            let customers = "code,name,tier,manager\nbank,Sample Bank,AAA,Manager A\n";
            let packs = Arc::clone(&desk.app.packs);
            import::bytes(&desk.app.db, &packs, customers.as_bytes(), false, START).await.unwrap();
            let new = NewDuty {
                pack: "power-distribution".to_owned(),
                cadence: "weekly".to_owned(),
                customer: "bank".to_owned(),
                site: "HQ".to_owned(),
                since: START - 200 * DAY_MS,
            };
            let inner = desk.app.desk.clone();
            desk.app.db.write(Priority::Api, move |tx| give(&inner, tx, &new, START)).await.unwrap();
            tick(&desk.app, &mut None).await.unwrap();
            let rounds = "SELECT COUNT(*) FROM matter WHERE kind = 'patrol'";
            assert_eq!(int(&desk.app.db, rounds).await.unwrap(), 30, "one for each week of 200 days");
        })
        .await;
    }
}
