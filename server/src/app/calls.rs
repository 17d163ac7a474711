//! The telephone system's figures: its export is read by a mapping of columns, by day or call by call, and kept by day.
//! The same file again changes nothing; a day that comes again stands in the place of what was kept.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;

use crate::app::import::{ImportError, RowMistake, plain};
use crate::app::report::figure::{Figure, Figures};
use crate::app::report::hotline::measure_day;
use crate::app::report::period::Period;
use crate::app::report::ratio::Ratio;
use crate::app::{Action, audit};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::calls::{self, Calls};

/// Answered so soon, a call was answered in time (s).
const IN_TIME_S: f64 = 20.0;
/// The most days of one file.
const DAYS_MAX: usize = 5_000;
/// The days of a month.
const MONTH_DAYS_MAX: i64 = 31;
/// Who imports by the command.
const BY: &str = "command line";

/// Which columns of the export say what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// A row for each day.
    Days {
        /// The day.
        day: String,
        /// Calls that came in.
        offered: String,
        /// Those that were answered.
        answered: String,
        /// Those that were answered within 20 seconds.
        within_20s: String,
    },
    /// A row for each call.
    Calls {
        /// When it came in, in the desk's time.
        started: String,
        /// The seconds until it was answered; empty where it was not.
        waited: String,
    },
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Days that are new.
    pub created: Vec<String>,
    /// Days of which something else was kept.
    pub changed: Vec<String>,
    /// Days of which the same was kept.
    pub unchanged: usize,
    /// True when nothing was written.
    pub dry_run: bool,
}

fn mistake(line: u64, column: &str, reason: impl Into<String>) -> RowMistake {
    RowMistake { line, column: column.to_owned(), reason: reason.into() }
}

/// Reads an export.
///
/// # Errors
/// Every row that is wrong, and why.
pub fn read(bytes: &[u8], columns: &Columns) -> Result<BTreeMap<String, Calls>, Vec<RowMistake>> {
    let (header, rows) = plain(bytes)?;
    let place = |name: &String| {
        let missing =
            || vec![mistake(1, name, format!("there is no such column; there are: {}", header.join(", ")))];
        header.iter().position(|column| column == name).ok_or_else(missing)
    };
    let mut days = BTreeMap::new();
    let mut mistakes = Vec::new();
    match columns {
        Columns::Days { day, offered, answered, within_20s } => {
            let places = [place(day)?, place(offered)?, place(answered)?, place(within_20s)?];
            for (line, cells) in &rows {
                let cell = |at: usize| cells.get(places[at]).map_or("", String::as_str);
                match of_day([cell(0), cell(1), cell(2), cell(3)]) {
                    Ok((date, calls)) if days.insert(date.clone(), calls).is_some() => {
                        mistakes.push(mistake(*line, day, format!("{date} is there twice")));
                    }
                    Ok(_) => {}
                    Err(reason) => mistakes.push(mistake(*line, "", reason)),
                }
            }
        }
        Columns::Calls { started, waited } => {
            let (started_at, waited_at) = (place(started)?, place(waited)?);
            for (line, cells) in &rows {
                let cell = |at: usize| cells.get(at).map_or("", String::as_str);
                match of_call(cell(started_at), cell(waited_at)) {
                    Ok((day, waited_s)) => {
                        let calls: &mut Calls = days.entry(day).or_default();
                        calls.offered += 1;
                        calls.answered += i64::from(waited_s.is_some());
                        calls.within_20s += i64::from(waited_s.is_some_and(|waited_s| waited_s <= IN_TIME_S));
                    }
                    Err(reason) => mistakes.push(mistake(*line, "", reason)),
                }
            }
        }
    }
    if days.len() > DAYS_MAX {
        mistakes.push(mistake(0, "", format!("more than {DAYS_MAX} days; split the file")));
    }
    if mistakes.is_empty() { Ok(days) } else { Err(mistakes) }
}

fn date(text: &str) -> Result<NaiveDate, String> {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let read = |format| NaiveDate::parse_from_str(day, format).ok();
    ["%Y-%m-%d", "%Y/%m/%d"]
        .into_iter()
        .find_map(read)
        .ok_or_else(|| format!("\"{text}\" is not a day such as 2026-10-01"))
}

fn of_day([day, offered, answered, within_20s]: [&str; 4]) -> Result<(String, Calls), String> {
    let day = date(day)?.to_string();
    let count = |text: &str| match text.parse::<u32>() {
        Ok(count) => Ok(i64::from(count)),
        Err(_) => Err(format!("\"{text}\" is not a whole number of calls")),
    };
    let calls =
        Calls { offered: count(offered)?, answered: count(answered)?, within_20s: count(within_20s)? };
    if calls.answered > calls.offered {
        return Err(format!("{} calls were answered of {} that came in", calls.answered, calls.offered));
    }
    if calls.within_20s > calls.answered {
        return Err(format!(
            "{} calls were answered within 20 s of {} that were answered",
            calls.within_20s, calls.answered
        ));
    }
    Ok((day, calls))
}

fn of_call(started: &str, waited: &str) -> Result<(String, Option<f64>), String> {
    let formats =
        ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M"];
    let at = formats.into_iter().find_map(|format| NaiveDateTime::parse_from_str(started, format).ok());
    let at = at.ok_or_else(|| format!("\"{started}\" is not a time such as 2026-10-01 08:30:00"))?;
    let waited_s = match waited {
        "" => None,
        text => {
            let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
            Some(seconds.ok_or_else(|| format!("\"{text}\" is not a number of seconds"))?)
        }
    };
    Ok((at.date().to_string(), waited_s))
}

/// Imports an export: all of it, or nothing.
///
/// # Errors
/// When the file has mistakes: nothing is changed then.
pub async fn import(
    db: &Db,
    bytes: &[u8],
    columns: &Columns,
    dry_run: bool,
    now: UnixMs,
) -> Result<Imported, ImportError> {
    let days = read(bytes, columns).map_err(ImportError::Mistakes)?;
    let (Some(first), Some(last)) = (days.keys().next().cloned(), days.keys().next_back().cloned()) else {
        return Ok(Imported { dry_run, ..Imported::default() });
    };
    let work = move |tx: &mut Tx<'_>| {
        // Days between may be kept that the file does not have.
        let known = calls::between(tx, &first, &last, i64::from(i32::MAX))?;
        let mut done = Imported { dry_run, ..Imported::default() };
        let mut fresh = BTreeMap::new();
        for (day, calls) in &days {
            match known.get(day) {
                Some(kept) if kept == calls => {
                    done.unchanged += 1;
                    continue;
                }
                Some(_) => done.changed.push(day.clone()),
                None => done.created.push(day.clone()),
            }
            fresh.insert(day.clone(), *calls);
        }
        if !dry_run && !fresh.is_empty() {
            calls::save(tx, &fresh, now)?;
            let detail = json!({ "created": done.created.len(), "changed": done.changed.len() });
            audit(tx, now.0, BY, Action::CallsImported, &format!("{first}/{last}"), Some(&detail))?;
        }
        Ok::<_, ImportError>(done)
    };
    if dry_run { db.read(work).await } else { db.write(Priority::Api, work).await }
}

/// The hotline in a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CallsMonth {
    /// The month.
    pub month: String,
    /// Days of it that were imported.
    pub days: usize,
    /// Calls that came in.
    pub offered: i64,
    /// Of those, the ones that were answered.
    pub answered: i64,
    /// Of those, the ones that were answered within 20 seconds.
    pub within_20s: i64,
    /// The share of calls that were answered, in thousandths; none without calls.
    pub answered_permille: Option<i64>,
    /// The share of the answered ones that were answered within 20 seconds, in thousandths; none without any.
    pub within_20s_permille: Option<i64>,
}

/// What was imported of a month.
///
/// # Errors
/// The database's.
pub fn month(tx: &mut Tx<'_>, month: Period) -> Result<CallsMonth, DbError> {
    let days = calls::between(tx, &format!("{month}-01"), &format!("{month}-31"), MONTH_DAYS_MAX)?;
    let mut figures = Figures::default();
    for calls in days.values() {
        figures.add_all(&measure_day(Some(calls)));
    }
    let share = |name| Ratio::from_name(name).and_then(|ratio| ratio.rounded(&figures));
    Ok(CallsMonth {
        month: month.to_string(),
        days: days.len(),
        offered: figures.get(Figure::CallsOffered),
        answered: figures.get(Figure::CallsAnswered),
        within_20s: figures.get(Figure::CallsWithin20s),
        answered_permille: share("calls_answered_rate"),
        within_20s_permille: share("calls_within_20s_rate"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{both, int};

    fn by_day() -> Columns {
        let name = str::to_owned;
        Columns::Days {
            day: name("日期"),
            offered: name("呼入"),
            answered: name("接通"),
            within_20s: name("20秒内"),
        }
    }

    #[test]
    fn calls_are_summed_by_day_and_mistakes_are_told_by_line() {
        let columns = Columns::Calls { started: "start".to_owned(), waited: "wait".to_owned() };
        let file = "start,wait,agent\n2026-10-01 08:00:00,20,x\n2026-10-01 09:00:00,20.5,x\n2026-10-01 23:59:59,,x\n";
        let days = read(file.as_bytes(), &columns).unwrap();
        assert_eq!(days["2026-10-01"], Calls { offered: 3, answered: 2, within_20s: 1 });
        let wrong = read("start,wait\nsoon,1\n2026-10-01 08:00:00,-1\n".as_bytes(), &columns).unwrap_err();
        assert_eq!(wrong.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 3], "{wrong:?}");
        let file = "日期,呼入,接通,20秒内\n2026-10-01,10,11,1\n2026-10-02,10,9,10\n2026-10-03,1,1,1\n2026/10/03,1,1,1\n";
        let wrong: Vec<String> =
            read(file.as_bytes(), &by_day()).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert!(wrong[2].contains("2026-10-03 is there twice"), "{wrong:?}");
        let none = read("day\n".as_bytes(), &by_day()).unwrap_err();
        assert!(none[0].to_string().contains("日期: there is no such column; there are: day"), "{none:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_goes_in_once_and_a_day_that_comes_again_replaces() {
        both(|db| async move {
            let file = "日期,呼入,接通,20秒内\n2026-10-01,100,95,90\n2026-10-02,50,45,36\n";
            let put = async |file: &str, dry_run| {
                import(&db, file.as_bytes(), &by_day(), dry_run, UnixMs(5)).await.unwrap()
            };
            assert_eq!(put(file, true).await.created.len(), 2);
            assert_eq!(
                int(&db, "SELECT COUNT(*) FROM call_day").await.unwrap(),
                0,
                "a dry run writes nothing"
            );
            put(file, false).await;
            let again = put(file, false).await;
            assert_eq!((again.unchanged, again.created.len(), again.changed.len()), (2, 0, 0));
            assert_eq!(put(&file.replace("50,45,36", "60,45,36"), false).await.changed, ["2026-10-02"]);
            let found: Result<CallsMonth, DbError> = db.read(|tx| month(tx, Period::Month(2026, 10))).await;
            let found = found.unwrap();
            assert_eq!((found.days, found.offered, found.answered), (2, 160, 140));
            assert_eq!((found.answered_permille, found.within_20s_permille), (Some(875), Some(900)));
        })
        .await;
    }
}
