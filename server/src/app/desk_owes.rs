//! What the desk itself owes by a day of the month: next month's rota, the summary of the month before, which is there
//! once its papers are approved, and key customers' plans of the year. It stands on the day's list until it is there, and is told once when its time has passed.

use chrono::{Datelike, Months, NaiveDate};
use chrono_tz::Tz;
use linewatch_shared::time::{DAY_MS, UnixMs};

use crate::app::daily_list::Notice;
use crate::app::days::{day_of, moment};
use crate::app::desk::Desk;
use crate::app::{daily_mail, plans, rota};
use crate::db::{DbError, Tx};
use crate::store::{meta, papers, rota as stored, shift};

/// A month's rota that is not approved.
pub const ROTA: &str = "rota_missing";
/// A month's summary that is not approved.
pub const SUMMARY: &str = "summary_due";
/// So many days before its day the summary stands on the list [default].
const SUMMARY_LISTED_DAYS: i64 = 3;

fn month_of(day: NaiveDate) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

/// What the desk owes as of a moment: from the day on which it is due, the summary some days before.
///
/// # Errors
/// The database's.
pub fn notices(desk: &Desk, tx: &mut Tx<'_>, zone: Tz, now: UnixMs) -> Result<Vec<Notice>, DbError> {
    let Some(begun_at) = shift::begun_at(tx)? else { return Ok(Vec::new()) };
    let today = day_of(zone, now);
    let next = today.checked_add_months(Months::new(1)).unwrap_or(today);
    let mut notices = Vec::new();
    for month in [month_of(today), month_of(next)] {
        let Ok(due_at) = rota::due_at(&month, zone) else { continue };
        // A desk that began later owed nothing by then.
        let is_owed = begun_at <= due_at && now > due_at - DAY_MS;
        if is_owed && stored::of_month(tx, &month)?.is_none_or(|rota| rota.approved.is_none()) {
            notices.push(Notice { kind: ROTA.to_owned(), month, due_at: due_at.to_rfc3339() });
        }
    }
    for back in [2, 1] {
        let Some(covered) = today.checked_sub_months(Months::new(back)) else { continue };
        let Some(due_at) = summary_due_at(covered, desk.summary_day, zone) else { continue };
        let month = month_of(covered);
        // Of a month in which there was no desk yet there is nothing to sum up.
        let lived = rota::bounds(&month, zone).is_ok_and(|(_, over)| begun_at < over);
        let is_owed = lived && now > due_at - (SUMMARY_LISTED_DAYS + 1) * DAY_MS;
        if is_owed && !papers::is_approved(tx, &month)? {
            notices.push(Notice { kind: SUMMARY.to_owned(), month, due_at: due_at.to_rfc3339() });
        }
    }
    notices.extend(plans::notice(desk, tx, zone, now)?);
    Ok(notices)
}

/// By when the summary of the month that a day lies in is owed: the end of a day of the next month. Only a month that is
/// over has final figures, and only then its quality samples are drawn [default].
fn summary_due_at(covered: NaiveDate, day: u32, zone: Tz) -> Option<UnixMs> {
    let after = covered.checked_add_months(Months::new(1))?.with_day(day.clamp(1, 28))?.succ_opt()?;
    Some(moment(zone, after, 0) - 1)
}

/// Tells the desk and the supervisors, once, of each kind of thing that is not there in time.
///
/// # Errors
/// The database's.
pub fn alarm(desk: &Desk, tx: &mut Tx<'_>, zone: Tz, now: UnixMs) -> Result<(), DbError> {
    let passed = |notice: &Notice| UnixMs::parse_rfc3339(&notice.due_at).is_ok_and(|due_at| now > due_at);
    let all = notices(desk, tx, zone, now)?;
    for kind in [ROTA, SUMMARY] {
        let missing = all.iter().rfind(|notice| notice.kind == kind && passed(notice));
        let Some(missing) = missing else { continue };
        let told = format!("{kind}_told");
        if meta::get(tx, &told)?.is_some_and(|told| told >= missing.month) {
            continue;
        }
        daily_mail::alarm(desk, tx, missing, zone, now)?;
        meta::set(tx, &told, &missing.month)?;
    }
    Ok(())
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
                let desk = f.desk.clone();
                let found: Result<_, DbError> = f.db.read(move |tx| notices(&desk, tx, ZONE, at)).await;
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

    #[tokio::test(flavor = "multi_thread")]
    async fn a_month_s_summary_is_listed_before_its_day_and_told_once_after_it_until_it_is_approved() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let begun = move |tx: &mut Tx<'_>| {
                tx.execute(
                    "UPDATE customer SET created_at_ms = $1",
                    &[UnixMs::parse_rfc3339("2026-02-20T00:00:00Z").unwrap().into()],
                )
            };
            f.db.write(Priority::Api, begun).await.unwrap();
            let at = |text: &str| UnixMs::parse_rfc3339(&format!("2026-{text}:00+08:00")).unwrap();
            let listed = async |now: UnixMs| -> Vec<(String, String)> {
                let desk = f.desk.clone();
                let found: Result<_, DbError> = f.db.read(move |tx| notices(&desk, tx, ZONE, now)).await;
                let owed = found.unwrap().into_iter().filter(|notice| notice.kind == SUMMARY);
                owed.map(|notice| (notice.month, notice.due_at)).collect()
            };
            assert!(listed(at("03-24T23:59")).await.is_empty());
            let owed = [("2026-02".to_owned(), "2026-03-28T15:59:59.999Z".to_owned())];
            assert_eq!(listed(at("03-25T00:01")).await, owed);
            assert_eq!(listed(at("04-02T10:00")).await, owed, "until it is there");
            let look = async |now: UnixMs| {
                let desk = f.desk.clone();
                f.db.write(Priority::Ingest, move |tx| alarm(&desk, tx, ZONE, now)).await.unwrap();
                f.texts("SELECT key FROM outbox WHERE key LIKE 'summary_due/%' ORDER BY key").await
            };
            assert!(look(at("03-28T23:00")).await.is_empty());
            for now in ["03-29T00:01", "03-30T00:01"] {
                let told = ["summary_due/2026-02/head@example.com", "summary_due/2026-02/noc@example.com"];
                assert_eq!(look(at(now)).await, told);
            }
            let approved = move |tx: &mut Tx<'_>| {
                let copy = papers::Copy {
                    number: 1,
                    made_at: at("03-30T10:00"),
                    made_by: "noc".to_owned(),
                    sha256: String::new(),
                    approved: None,
                };
                papers::keep(tx, "2026-02", &copy, b"")?;
                papers::approve(tx, "2026-02", 1, "admin", at("03-30T10:00"))
            };
            f.db.write(Priority::Api, approved).await.unwrap();
            assert!(listed(at("04-02T10:00")).await.is_empty());
        })
        .await;
    }
}
