//! The hotline's days in a period, as the telephone system's export was imported, and which days are wanting.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use linewatch_shared::time::UnixMs;

use super::figure::{Figure, Figures};
use super::history::Learnt;
use super::period::Period;
use super::tally::Tally;
use crate::app::days::{day_of, moment};
use crate::db::{DbError, Tx};
use crate::store::calls::{self, Calls};

/// The most days of a period: a leap year's.
const DAYS_MAX: i64 = 366;

/// The days of a period that were imported, and those that are over and were not.
///
/// # Errors
/// The database's.
pub fn days(
    tx: &mut Tx<'_>,
    (period, zone): (Period, Tz),
    now: UnixMs,
) -> Result<BTreeMap<String, Option<Calls>>, DbError> {
    let (first, last) = ends(period, zone);
    let imported = calls::between(tx, &first.to_string(), &last.to_string(), DAYS_MAX)?;
    let over = |day: &NaiveDate| day.succ_opt().is_some_and(|next| moment(zone, next, 0) <= now);
    let over = first.iter_days().take_while(|day| *day <= last && over(day));
    let mut days: BTreeMap<String, Option<Calls>> = over.map(|day| (day.to_string(), None)).collect();
    days.extend(imported.into_iter().map(|(day, calls)| (day, Some(calls))));
    Ok(days)
}

fn ends(period: Period, zone: Tz) -> (NaiveDate, NaiveDate) {
    let (from, to) = period.bounds(zone);
    (day_of(zone, from), day_of(zone, to - 1))
}

/// What a day adds: the only place that says what these figures mean.
#[must_use]
pub fn measure_day(calls: Option<&Calls>) -> Figures {
    let mut figures = Figures::default();
    let Some(calls) = calls else {
        figures.add(Figure::CallDaysWanting, 1);
        return figures;
    };
    figures.add(Figure::CallDays, 1);
    figures.add(Figure::CallsOffered, calls.offered);
    figures.add(Figure::CallsAnswered, calls.answered);
    figures.add(Figure::CallsWithin20s, calls.within_20s);
    figures
}

/// Counts the period's days, which belong to the whole alone.
///
/// # Errors
/// The database's.
pub(super) fn count(
    tx: &mut Tx<'_>,
    (period, zone): (Period, Tz),
    now: UnixMs,
    tally: &mut Tally,
    learnt: &mut Learnt,
) -> Result<(), DbError> {
    for calls in days(tx, (period, zone), now)?.values() {
        tally.total.add_all(&measure_day(calls.as_ref()));
    }
    let (first, last) = ends(period, zone);
    if let Some(imported_at) = calls::imported_at(tx, &first.to_string(), &last.to_string())? {
        learnt.note_calls(imported_at);
    }
    Ok(())
}
