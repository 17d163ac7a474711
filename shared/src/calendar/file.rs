//! Reads a calendar file.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};

use super::{Calendar, ROUND_THE_CLOCK, Year};
use crate::rules::section::{File, Section, document};
use crate::rules::{Mistake, name};

/// The years that a calendar can speak of.
const YEARS: std::ops::RangeInclusive<i64> = 1970..=2199;
/// The most years in a calendar.
const YEARS_MAX: usize = 64;
const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

impl Calendar {
    /// Reads a calendar.
    ///
    /// # Errors
    /// With every mistake of the file, in its order.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, Vec<Mistake>> {
        let document = document(text, file_name)?;
        let file = File::new(file_name, text);
        let calendar = read(&file, &Section::new(&file, document.as_table(), None, ""));
        let mistakes = file.into_mistakes();
        calendar.filter(|_| mistakes.is_empty()).ok_or(mistakes)
    }
}

fn read(file: &File<'_>, root: &Section<'_>) -> Option<Calendar> {
    let head = root.section("calendar");
    if head.is_none() {
        file.mistake(None, "calendar", "is missing: a calendar begins with [calendar] and name");
    }
    let (name, weekend, hours) = head.as_ref().map_or_else(Default::default, read_head);
    let mut years = BTreeMap::new();
    let listed = root.sections("year");
    if listed.is_empty() || listed.len() > YEARS_MAX {
        file.mistake(None, "year", format!("a calendar covers 1 to {YEARS_MAX} years, each a [[year]]"));
    }
    for section in listed {
        read_year(section, &weekend, &mut years);
    }
    root.finish();
    Some(Calendar { name: name?, weekend, hours, years })
}

type Hours = Vec<(NaiveTime, Option<NaiveTime>)>;

fn read_head(head: &Section<'_>) -> (Option<String>, Vec<Weekday>, Hours) {
    let name = name(head, "name");
    if name.as_deref() == Some(ROUND_THE_CLOCK) {
        head.wrong("name", format!("\"{ROUND_THE_CLOCK}\" needs no calendar"));
    }
    head.label("label");
    let mut weekend = Vec::new();
    for text in head.texts("weekend").unwrap_or_else(|| vec!["sat", "sun"]) {
        match WEEK.iter().find(|(name, _)| *name == text) {
            Some((_, day)) => weekend.push(*day),
            None => {
                head.wrong("weekend", format!("\"{text}\" is not one of mon, tue, wed, thu, fri, sat, sun"));
            }
        }
    }
    head.missing("business_hours");
    let hours: Option<Hours> =
        head.texts("business_hours").unwrap_or_default().into_iter().map(span).collect();
    let rising = |hours: &Hours| hours.windows(2).all(|pair| pair[0].1.is_some_and(|end| end <= pair[1].0));
    let hours = hours.filter(|hours| !hours.is_empty() && rising(hours));
    if hours.is_none() {
        head.wrong("business_hours", "must be rising spans such as [\"08:30-12:00\", \"13:30-17:30\"]");
    }
    head.finish();
    (name, weekend, hours.unwrap_or_default())
}

fn span(text: &str) -> Option<(NaiveTime, Option<NaiveTime>)> {
    let (from, to) = text.split_once('-')?;
    let time = |text| NaiveTime::parse_from_str(text, "%H:%M").ok();
    let from = time(from)?;
    match to {
        "24:00" => Some((from, None)),
        _ => Some((from, Some(time(to).filter(|to| from < *to)?))),
    }
}

fn read_year(mut section: Section<'_>, weekend: &[Weekday], years: &mut BTreeMap<i32, Year>) {
    section.missing("year");
    section.missing("source");
    let source = section.text("source").unwrap_or_default().to_owned();
    let Some(number) = section.whole("year", YEARS).and_then(|year| i32::try_from(year).ok()) else { return };
    section.rename(format!("year.{number}"));
    let holidays = read_days(&section, "holidays", number);
    let workdays = read_days(&section, "workdays", number);
    for day in &workdays {
        if holidays.contains(day) {
            section.wrong("workdays", format!("{day} is both a holiday and a workday"));
        } else if !weekend.contains(&day.weekday()) {
            section.wrong("workdays", format!("{day} is no day of the weekend: it is worked anyway"));
        }
    }
    if years.contains_key(&number) {
        section.wrong("year", format!("{number} stands twice"));
    }
    years.insert(number, Year { source, holidays, workdays });
    section.finish();
}

/// Days and spans of days, such as `"2026-10-01..2026-10-07"`, all of one year.
fn read_days(section: &Section<'_>, key: &'static str, year: i32) -> BTreeSet<NaiveDate> {
    let mut days = BTreeSet::new();
    for text in section.texts(key).unwrap_or_default() {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let day = |text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.year() == year);
        let Some((from, to)) = day(from).zip(day(to)).filter(|(from, to)| from <= to) else {
            section.wrong(
                key,
                format!("\"{text}\" is no day of {year}, nor a span such as \"{year}-10-01..{year}-10-07\""),
            );
            continue;
        };
        for day in from.iter_days().take_while(|day| *day <= to) {
            if !days.insert(day) {
                section.wrong(key, format!("{day} stands twice"));
            }
        }
    }
    days
}
