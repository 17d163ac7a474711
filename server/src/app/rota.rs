//! The duty rota: a month of shifts, written, approved, then whom alerts reach beside the account manager.

use chrono::{Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;
use linewatch_shared::time::UnixMs;

use crate::app::desk::DeskError;
use crate::app::{Action, audit};
use crate::db::Tx;
use crate::store::rota::{self, Rota, Shift};

/// The most shifts of a month.
pub const SHIFTS_MAX: usize = 2_000;
/// The day of the month before by which a rota is written and approved.
const WRITTEN_BY_DAY: u32 = 28;

fn invalid(field: &'static str, reason: impl Into<String>) -> DeskError {
    DeskError::Invalid { field, reason: reason.into() }
}

/// The first moment of a month such as `2026-12`, and of the next.
///
/// # Errors
/// When the text is no month.
pub fn bounds(month: &str, zone: Tz) -> Result<(UnixMs, UnixMs), DeskError> {
    let wrong = || invalid("month", format!("\"{month}\" is not a month such as 2026-12"));
    let first: NaiveDate = format!("{month}-01").parse().map_err(|_| wrong())?;
    let next = first.checked_add_months(chrono::Months::new(1)).ok_or_else(wrong)?;
    let moment = |day: NaiveDate| {
        let local = zone.from_local_datetime(&day.and_time(chrono::NaiveTime::MIN)).earliest();
        local.map(|at| UnixMs(at.timestamp_millis())).ok_or_else(wrong)
    };
    Ok((moment(first)?, moment(next)?))
}

/// By when a month's rota has to be approved: the end of the 28th of the month before.
///
/// # Errors
/// When the text is no month.
pub fn due_at(month: &str, zone: Tz) -> Result<UnixMs, DeskError> {
    let (first, _) = bounds(month, zone)?;
    let before = (first - 1).to_utc().with_timezone(&zone).date_naive();
    let day = before.with_day(WRITTEN_BY_DAY).and_then(|day| day.succ_opt()).unwrap_or(before);
    let local = zone.from_local_datetime(&day.and_time(chrono::NaiveTime::MIN)).earliest();
    Ok(local.map_or(first, |at| UnixMs(at.timestamp_millis() - 1)))
}

/// Writes a month's rota, in the place of the one before.
///
/// # Errors
/// When a shift ends before it begins, or does not begin in the month.
pub fn write(
    tx: &mut Tx<'_>,
    month: &str,
    shifts: &[Shift],
    (by, zone): (&str, Tz),
    now: UnixMs,
) -> Result<Rota, DeskError> {
    let (first, next) = bounds(month, zone)?;
    if shifts.is_empty() || shifts.len() > SHIFTS_MAX {
        return Err(invalid("shifts", format!("are 1 to {SHIFTS_MAX}")));
    }
    for (number, shift) in (1..).zip(shifts) {
        let wrong = |reason: &str| invalid("shifts", format!("number {number}, {}: {reason}", shift.person));
        if shift.until <= shift.from {
            return Err(wrong("it ends before it begins"));
        }
        if shift.from < first || shift.from >= next {
            return Err(wrong(&format!("it does not begin in {month}")));
        }
        if !shift.email.is_empty() && shift.email.parse::<lettre::Address>().is_err() {
            return Err(wrong(&format!("\"{}\" is no mail address", shift.email)));
        }
        let twice = |other: &&Shift| other.from == shift.from && other.person == shift.person;
        if shifts.iter().filter(twice).count() > 1 {
            return Err(wrong("the shift is there twice"));
        }
    }
    let (month, written_by) = (month.to_owned(), by.to_owned());
    let rota = Rota { month, written_by, written_at: now, approved: None, shifts: shifts.to_vec() };
    rota::save(tx, &rota)?;
    audit(tx, now.0, by, Action::RotaWritten, &rota.month, None)?;
    Ok(rota)
}

/// Approves a month's rota.
///
/// # Errors
/// When there is none.
pub fn approve(tx: &mut Tx<'_>, month: &str, by: &str, now: UnixMs) -> Result<Rota, DeskError> {
    let missing = || DeskError::Impossible {
        detail: format!("no rota was written for {month}"),
        possible: vec!["write"],
    };
    rota::of_month(tx, month)?.ok_or_else(missing)?;
    rota::approve(tx, month, by, now)?;
    audit(tx, now.0, by, Action::RotaApproved, month, None)?;
    rota::of_month(tx, month)?.ok_or_else(missing)
}

/// The class of a manager's load, by customers.
#[must_use]
pub const fn load_class(customers: i64) -> &'static str {
    match customers {
        41.. => "over 40",
        31..=40 => "31-40",
        21..=30 => "21-30",
        11..=20 => "11-20",
        _ => "up to 10",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::desk::tests::{Fixture, TEN};
    use crate::db::Priority;
    use crate::db::testing::both;
    use linewatch_shared::time::HOUR_MS;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    fn shift(person: &str, from: UnixMs, until: UnixMs) -> Shift {
        Shift { from, until, person: person.to_owned(), email: format!("{person}@example.com") }
    }

    #[test]
    fn a_rota_is_due_by_the_28th_of_the_month_before() {
        assert_eq!(
            due_at("2026-03", ZONE).unwrap(),
            UnixMs::parse_rfc3339("2026-02-28T23:59:59.999+08:00").unwrap()
        );
        assert_eq!(
            due_at("2027-01", ZONE).unwrap(),
            UnixMs::parse_rfc3339("2026-12-28T23:59:59.999+08:00").unwrap()
        );
        assert!(due_at("2026-13", ZONE).is_err() && due_at("soon", ZONE).is_err());
    }

    #[test]
    fn loads_have_their_classes() {
        let classes = [0, 10, 11, 20, 21, 31, 40, 41].map(load_class);
        assert_eq!(classes, ["up to 10", "up to 10", "11-20", "11-20", "21-30", "31-40", "31-40", "over 40"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn once_approved_who_is_on_duty_is_told_too() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let write_shifts = |shifts: Vec<Shift>| {
                f.db.write(Priority::Api, move |tx| {
                    write(tx, "2026-03", &shifts, ("noc", ZONE), TEN).map(drop)
                })
            };
            let day = shift("day", TEN, TEN + 8 * HOUR_MS);
            assert!(write_shifts(vec![day.clone(), day.clone()]).await.is_err(), "twice");
            assert!(write_shifts(vec![shift("x", TEN, TEN)]).await.is_err());
            assert!(write_shifts(vec![shift("x", UnixMs(0), TEN)]).await.is_err(), "another month");
            write_shifts(vec![day, shift("night", TEN + 8 * HOUR_MS, TEN + 20 * HOUR_MS)]).await.unwrap();
            f.report("L1", TEN, TEN).await.unwrap();
            let to = || f.texts("SELECT DISTINCT destination FROM outbox ORDER BY destination");
            f.engine(TEN + HOUR_MS / 2).await;
            assert_eq!(to().await, ["a@example.com"], "not approved yet");
            f.db.write(Priority::Api, |tx| approve(tx, "2026-03", "head", TEN)).await.unwrap();
            f.engine(TEN + 2 * HOUR_MS).await;
            assert_eq!(to().await, ["a@example.com", "day@example.com"]);
            let loads: Result<_, crate::db::DbError> =
                f.db.read(|tx| rota::managers(tx, TEN, TEN + 3 * HOUR_MS, 10)).await;
            let loads = loads.unwrap();
            let bank = loads.iter().find(|load| load.name == "Manager A").unwrap();
            assert_eq!((bank.customers, bank.lines, bank.open_faults), (1, 2, 1));
            assert!(bank.missed >= 1, "{loads:?}");
        })
        .await;
    }
}
