//! What the desk itself owes by a day of the month: next month's rota. It stands on the day's list until it is there;
//! and is told once when its time has passed.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use linewatch_shared::time::{DAY_MS, UnixMs};

use crate::app::daily_list::Notice;
use crate::app::days::day_of;
use crate::app::desk::Desk;
use crate::app::{daily_mail, rota};
use crate::db::{DbError, Tx};
use crate::store::{meta, rota as stored, shift};

/// Where it is kept which month's rota was last told of as missing.
const TOLD: &str = "rota_missing_told";

fn month_of(day: NaiveDate) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

/// What the desk owes as of a moment: from the day on which it is due.
///
/// # Errors
/// The database's.
pub fn notices(tx: &mut Tx<'_>, zone: Tz, now: UnixMs) -> Result<Vec<Notice>, DbError> {
    let Some(begun_at) = shift::begun_at(tx)? else { return Ok(Vec::new()) };
    let today = day_of(zone, now);
    let next = today.checked_add_months(chrono::Months::new(1)).unwrap_or(today);
    let mut notices = Vec::new();
    for month in [month_of(today), month_of(next)] {
        let Ok(due_at) = rota::due_at(&month, zone) else { continue };
        // A desk that began later owed nothing by then.
        let is_owed = begun_at <= due_at && now > due_at - DAY_MS;
        if is_owed && stored::of_month(tx, &month)?.is_none_or(|rota| rota.approved.is_none()) {
            notices.push(Notice { kind: "rota_missing".to_owned(), month, due_at: due_at.to_rfc3339() });
        }
    }
    Ok(notices)
}

/// Tells the desk and the supervisors, once, that a month's rota is not there in time.
///
/// # Errors
/// The database's.
pub fn alarm(desk: &Desk, tx: &mut Tx<'_>, zone: Tz, now: UnixMs) -> Result<(), DbError> {
    let passed = |notice: &Notice| UnixMs::parse_rfc3339(&notice.due_at).is_ok_and(|due_at| now > due_at);
    let missing = notices(tx, zone, now)?.into_iter().rfind(passed);
    let Some(missing) = missing else { return Ok(()) };
    if meta::get(tx, TOLD)?.is_some_and(|told| told >= missing.month) {
        return Ok(());
    }
    daily_mail::alarm(desk, tx, &missing, zone, now)?;
    meta::set(tx, TOLD, &missing.month)
}

#[cfg(test)]
mod tests {
    use linewatch_shared::time::HOUR_MS;

    use super::*;
    use crate::app::desk::tests::Fixture;
    use crate::db::Priority;
    use crate::db::testing::both;
    use crate::store::rota::Shift;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_rota_that_is_not_approved_in_time_is_told_once_and_listed_until_it_is() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let first = UnixMs::parse_rfc3339("2026-04-01T00:00:00+08:00").unwrap();
            let listed = async |at: UnixMs| -> Vec<String> {
                let found: Result<_, DbError> = f.db.read(move |tx| notices(tx, ZONE, at)).await;
                let missing = found.unwrap().into_iter().filter(|notice| notice.kind == "rota_missing");
                missing.map(|notice| notice.month).collect()
            };
            let look = async |at: UnixMs| {
                let desk = f.desk.clone();
                f.db.write(Priority::Ingest, move |tx| alarm(&desk, tx, ZONE, at)).await.unwrap();
                f.texts("SELECT key FROM outbox WHERE key LIKE 'rota_missing/2026-04/%' ORDER BY key").await
            };
            // March's is missing all the while: nobody wrote one.
            let (early, due_day, passed) =
                (first - 5 * DAY_MS, first - 4 * DAY_MS + HOUR_MS, first - 2 * DAY_MS);
            assert_eq!(listed(early).await, ["2026-03"]);
            assert_eq!(listed(due_day).await, ["2026-03", "2026-04"]);
            assert!(look(due_day).await.is_empty(), "its day is not over");
            for at in [passed, passed + HOUR_MS] {
                let told = look(at).await;
                assert_eq!(
                    told,
                    ["rota_missing/2026-04/head@example.com", "rota_missing/2026-04/noc@example.com"]
                );
            }
            let at = first + 8 * HOUR_MS;
            let (person, email) = ("noc-1".to_owned(), String::new());
            let shifts = vec![Shift { from: at, until: at + HOUR_MS, person, email }];
            let write =
                move |tx: &mut Tx<'_>| rota::write(tx, "2026-04", &shifts, ("noc", ZONE), passed).map(drop);
            f.db.write(Priority::Api, write).await.unwrap();
            assert_eq!(listed(passed).await, ["2026-03", "2026-04"], "written, not approved");
            f.db.write(Priority::Api, move |tx| rota::approve(tx, "2026-04", "head", passed)).await.unwrap();
            assert_eq!(listed(passed).await, ["2026-03"]);
        })
        .await;
    }
}
