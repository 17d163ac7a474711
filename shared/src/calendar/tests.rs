use chrono_tz::{Asia::Shanghai, Europe::Berlin};
use proptest::prelude::*;

use super::*;
use crate::sla::{moment_spent, without};
use crate::time::HOUR_MS;

fn cn() -> Calendar {
    Calendar::parse(include_str!("../../calendars/cn.toml"), "cn.toml").unwrap()
}

fn at(text: &str) -> UnixMs {
    UnixMs::parse_rfc3339(text).unwrap()
}

fn days(count: i64) -> Limit {
    Limit { ms: count * DAY_MS, counts: Counts::WorkingDays }
}

fn hours(count: i64) -> Limit {
    Limit { ms: count * HOUR_MS, counts: Counts::BusinessHours }
}

fn due(limit: Limit, from: &str) -> String {
    let pieces = cn().countable(limit, at(from), Shanghai).unwrap();
    let due = moment_spent(&pieces, limit.ms).unwrap();
    due.to_utc().with_timezone(&Shanghai).format("%Y-%m-%d %H:%M").to_string()
}

/// domain.md: working days with the official Chinese holidays and make-up workdays.
#[test]
fn days_of_the_notices() {
    let cn = cn();
    for (day, worked) in [
        ("2024-02-04", true), // a Sunday worked for the Spring Festival
        ("2024-02-09", true), // New Year's Eve: leave is encouraged, the day is worked
        ("2024-02-12", false),
        ("2024-09-14", true),
        ("2024-10-12", true),
        ("2025-01-01", false),
        ("2025-01-02", true),
        ("2025-01-26", true),
        ("2025-01-28", false),
        ("2025-10-08", false),
        ("2025-10-11", true),
        ("2026-01-02", false),
        ("2026-01-04", true), // a Sunday
        ("2026-02-14", true), // a Saturday
        ("2026-02-23", false),
        ("2026-02-24", true),
        ("2026-05-09", true),
        ("2026-09-20", true),
        ("2026-10-10", true),
        ("2026-10-11", false), // a plain Sunday
        ("2026-10-12", true),
    ] {
        assert_eq!(cn.is_worked(day.parse().unwrap()), Ok(worked), "{day}");
    }
    let worked = |year: i32| {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        first
            .iter_days()
            .take_while(|day| day.year() == year)
            .filter(|day| cn.is_worked(*day).unwrap())
            .count()
    };
    // 366 or 365 days, less the weekends and the public holidays of the year.
    assert_eq!([worked(2024), worked(2025), worked(2026)], [251, 248, 248]);
}

#[test]
fn limits_in_working_days() {
    for (limit, from, expected) in [
        (days(1), "2026-11-23T10:00:00+08:00", "2026-11-24 10:00"),
        (days(3), "2026-11-20T10:00:00+08:00", "2026-11-25 10:00"), // over a weekend
        (days(1), "2026-11-21T10:00:00+08:00", "2026-11-24 00:00"), // from a Saturday on: all of Monday
        (days(1), "2026-11-23T00:00:00+08:00", "2026-11-24 00:00"), // midnight belongs to the day that it begins
        (days(1), "2026-11-22T23:59:59.999+08:00", "2026-11-24 00:00"),
        (days(3), "2025-12-31T12:00:00+08:00", "2026-01-06 12:00"), // New Year, and Sunday the 4th worked
        (days(2), "2026-02-13T09:00:00+08:00", "2026-02-24 09:00"), // Saturday the 14th worked, then nine days off
        (days(1), "2026-09-30T18:00:00+08:00", "2026-10-08 18:00"),
        (hours(4), "2026-11-23T10:00:00+08:00", "2026-11-23 15:30"), // noon break
        (hours(4), "2026-11-23T12:30:00+08:00", "2026-11-23 17:30"),
        (hours(4), "2026-11-23T17:00:00+08:00", "2026-11-24 12:00"),
        (hours(8), "2026-11-20T17:30:00+08:00", "2026-11-24 09:00"), // Friday's closing time
        (hours(1), "2026-10-11T08:00:00+08:00", "2026-10-12 09:30"),
    ] {
        assert_eq!(due(limit, from), expected, "{limit:?} from {from}");
    }
}

/// 24×7 means every millisecond, midnight included.
#[test]
fn round_the_clock_is_one_open_piece() {
    let from = at("2030-12-31T23:59:59.999+08:00");
    let open = Ok(vec![Interval::open(from)]);
    assert_eq!(cn().countable(Limit::always(1), from, Shanghai), open);
    assert_eq!(Calendar::round_the_clock().countable(days(3), from, Shanghai), open);
    assert_eq!(Calendar::round_the_clock().warning(from, Shanghai), None);
}

#[test]
fn a_year_without_data_is_an_error_where_the_limit_needs_it() {
    let cn = cn();
    let not = |year| Err(NotCovered { calendar: "cn".to_owned(), year });
    let countable = |limit, from| cn.countable(limit, at(from), Shanghai).map(|pieces| pieces.len());
    assert_eq!(countable(days(1), "2026-12-31T00:00:00+08:00"), Ok(1));
    assert_eq!(countable(days(1), "2026-12-31T00:00:00.001+08:00"), not(2027));
    assert_eq!(countable(days(3), "2026-12-30T09:00:00+08:00"), not(2027));
    assert_eq!(countable(hours(1), "2026-12-31T17:00:00+08:00"), not(2027));
    assert_eq!(countable(hours(1), "2026-12-31T16:30:00+08:00"), Ok(1));
    assert_eq!(countable(days(1), "2023-12-31T09:00:00+08:00"), not(2023));
    assert!(not(2027).map(|_: usize| ()).unwrap_err().to_string().contains("calendars/cn.toml"));
}

#[test]
fn the_end_of_cover_is_warned_of_two_months_before() {
    let cn = cn();
    assert_eq!(cn.warn_from(Shanghai), Some(at("2026-11-01T00:00:00+08:00")));
    assert_eq!(cn.warning(at("2026-10-31T23:59:59.999+08:00"), Shanghai), None);
    let warning = cn.warning(at("2026-11-01T00:00:00+08:00"), Shanghai).unwrap();
    assert!(warning.contains("2027-01-01"), "{warning}");
}

/// A zone with summer time: a day has 23 or 25 hours, and a time that is skipped is the moment of the change.
#[test]
fn changes_of_clocks() {
    let text = "[calendar]\nname = \"own\"\nweekend = []\nbusiness_hours = [\"01:30-02:30\", \"04:00-24:00\"]\n\
                [[year]]\nyear = 2026\nsource = \"sample\"\n";
    let own = Calendar::parse(text, "own.toml").unwrap();
    let pieces = |counts, from: &str| {
        let pieces = own.countable(Limit { ms: 1, counts }, at(from), Berlin).unwrap();
        pieces.into_iter().map(|p| (p.from.to_rfc3339(), p.to.unwrap().since(p.from))).collect::<Vec<_>>()
    };
    let spring = pieces(Counts::BusinessHours, "2026-03-29T00:00:00+01:00");
    // 02:30 does not exist: the piece ends as clocks go from 02:00 to 03:00.
    assert_eq!(spring[0], ("2026-03-29T00:30:00.000Z".to_owned(), HOUR_MS / 2));
    assert_eq!(spring[1].0, "2026-03-29T02:00:00.000Z");
    let autumn = pieces(Counts::BusinessHours, "2026-10-25T00:00:00+02:00");
    // 02:30 comes twice: the first ends the piece.
    assert_eq!(autumn[0], ("2026-10-24T23:30:00.000Z".to_owned(), HOUR_MS));
    let whole = own.countable(days(1), at("2026-03-29T00:00:00+01:00"), Berlin).unwrap();
    assert_eq!(whole.len(), 1, "days that touch are one piece");
    let due = moment_spent(&whole, DAY_MS).unwrap();
    assert_eq!(due, at("2026-03-30T01:00:00+02:00"), "24 hours count, whatever the clocks show");
}

#[test]
fn mistakes_have_their_place() {
    let text = "[calendar]\nname = \"own\"\nbusiness_hours = [\"12:00-08:30\"]\nhollidays = 1\n\
                [[year]]\nyear = 2026\nsource = \"sample\"\nholidays = [\"2025-10-01\", \"2026-10-08..2026-10-01\"]\n\
                workdays = [\"2026-10-12\"]\n[[year]]\nyear = 2026\n";
    let found: Vec<String> =
        Calendar::parse(text, "own.toml").unwrap_err().iter().map(ToString::to_string).collect();
    let expected = [
        "own.toml:3:18: calendar.business_hours: must be rising spans",
        "own.toml:4:1: calendar.hollidays: unknown key",
        "own.toml:8:12: year.2026.holidays: \"2025-10-01\" is no day of 2026",
        "own.toml:8:12: year.2026.holidays: \"2026-10-08..2026-10-01\" is no day of 2026",
        "own.toml:9:12: year.2026.workdays: 2026-10-12 is no day of the weekend",
        "own.toml:10:1: year.source: is missing",
        "own.toml:11:8: year.2026.year: 2026 stands twice",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} / {expected}");
    }
    let nameless =
        Calendar::parse("[calendar]\nname = \"24x7\"\nbusiness_hours = [\"08:00-24:00\"]\n", "x.toml");
    assert_eq!(nameless.unwrap_err().len(), 2);
}

proptest! {
    #[test]
    fn countable_pieces_are_rising_disjoint_and_enough(
        from_ms in 1_704_067_200_000_i64..1_790_000_000_000,
        amount_ms in 1_i64..10 * DAY_MS,
        working in any::<bool>(),
        pause in (0_i64..20 * DAY_MS, 1_i64..20 * DAY_MS),
    ) {
        let cn = cn();
        let counts = if working { Counts::WorkingDays } else { Counts::BusinessHours };
        let from = UnixMs(from_ms);
        let pieces = cn.countable(Limit { ms: amount_ms, counts }, from, Shanghai).unwrap();
        prop_assert!(pieces[0].from >= from);
        prop_assert!(pieces.iter().all(|piece| piece.to.is_some_and(|to| piece.from < to)));
        prop_assert!(pieces.windows(2).all(|pair| pair[0].to < Some(pair[1].from)));
        let due = moment_spent(&pieces, amount_ms).unwrap();
        let day = (due - 1).to_utc().with_timezone(&Shanghai).date_naive();
        prop_assert_eq!(cn.is_worked(day), Ok(true));
        let pause = Interval { from: from + pause.0, to: Some(from + pause.0 + pause.1) };
        let later = moment_spent(&without(&pieces, &[pause]), amount_ms).unwrap();
        prop_assert!(due <= later && !pause.contains(later - 1));
    }
}
