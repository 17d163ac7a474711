//! The day's list in words.

use chrono_tz::Tz;
use linewatch_shared::time::UnixMs;

use super::letter::{DayItem, DayLetter, DayOwner};
use super::page::{Page, Text};
use super::text::{Writer, clean, name, term};
use super::words::{Arg, Words, full_time, short_time, zone};

impl Writer {
    /// Somebody's part of the day's list, or all of it.
    #[must_use]
    pub fn day(&self, letter: &DayLetter) -> Text {
        let mut page = Page::new(self.words.first().map(AsRef::as_ref));
        for words in &self.words {
            page.begin(words.lang);
            day_page(&mut page, words, letter);
        }
        let subjects: Vec<String> = self.words.iter().map(|words| day_subject(words, letter)).collect();
        page.done(subjects.join(" / "))
    }
}

fn day_subject(words: &Words, letter: &DayLetter) -> String {
    let total = letter.owners.iter().fold(DayOwner::default(), |sum, owner| DayOwner {
        open: sum.open + owner.open,
        overdue: sum.overdue + owner.overdue,
        untouched: sum.untouched + owner.untouched,
        word_owed: sum.word_owed + owner.word_owed,
        ..sum
    });
    if letter.owners.is_empty()
        && let Some(notice) = letter.notices.first()
    {
        return worded(words, notice, zone(&letter.time_zone));
    }
    let counts = counts(words, &total);
    let day = clean(&letter.day, 10);
    words.say("day-subject", &[("day", (&day).into()), ("counts", (&counts).into())])
}

/// One language's part of a mail.
pub(super) fn day_page(page: &mut Page, words: &Words, letter: &DayLetter) {
    let zone = zone(&letter.time_zone);
    let as_of = full_time(letter.as_of, zone);
    let lead = if letter.whole { "day-lead-whole" } else { "day-lead" };
    if !letter.owners.is_empty() || letter.notices.is_empty() {
        page.paragraph(&words.say(lead, &[("as_of", (&as_of).into())]));
    }
    let notices: Vec<String> = letter.notices.iter().map(|notice| worded(words, notice, zone)).collect();
    if !notices.is_empty() {
        page.list(&notices);
    }
    for owner in &letter.owners {
        let mut who = name(&owner.name);
        if who.is_empty() {
            who = words.say("day-nobody", &[]);
        } else if letter.whole && !owner.mailed {
            who = words.say("day-not-mailed", &[("name", (&who).into())]);
        }
        if let Some(until) = owner.away_until {
            let until = short_time(until, letter.as_of, zone);
            let id = if letter.whole { "day-away" } else { "day-stand-in" };
            who = words.say(id, &[("name", (&who).into()), ("until", (&until).into())]);
        }
        let counts = counts(words, owner);
        page.paragraph(&words.say("day-owner", &[("name", (&who).into()), ("counts", (&counts).into())]));
        let items: Vec<String> = owner.items.iter().map(|one| item(words, letter, one, zone)).collect();
        page.list(&items);
    }
    if letter.left_out > 0 {
        page.paragraph(&words.say("day-left-out", &[("count", Arg::Count(letter.left_out as i64))]));
    }
    page.link(&words.say("day-link", &[]), &clean(&letter.link, 500));
}

/// Something that the desk owes.
fn worded(words: &Words, (kind, month, due_at): &(String, String, UnixMs), zone: Tz) -> String {
    let (month, due) = (name(month), full_time(*due_at, zone));
    let args: [(&str, Arg<'_>); 2] = [("month", (&month).into()), ("due", (&due).into())];
    words.find(&format!("notice-{kind}"), &args).unwrap_or_else(|| clean(kind, 40))
}

fn counts(words: &Words, owner: &DayOwner) -> String {
    let count = |count: usize| Arg::Count(count as i64);
    let args = [
        ("open", count(owner.open)),
        ("overdue", count(owner.overdue)),
        ("untouched", count(owner.untouched)),
        ("word_owed", count(owner.word_owed)),
    ];
    words.say("day-counts", &args)
}

fn item(words: &Words, letter: &DayLetter, item: &DayItem, zone: Tz) -> String {
    let is_fault = item.kind == "fault";
    let kind = if is_fault { words.say("day-fault", &[]) } else { term(words, "matter", &item.kind) };
    let state = term(words, if is_fault { "state" } else { "matter-state" }, &item.state);
    let about = format!("{} {}", name(&item.customer), name(&item.line));
    let since = short_time(item.started_at, letter.as_of, zone);
    let args: [(&str, Arg<'_>); 4] = [
        ("kind", (&kind).into()),
        ("about", about.trim().into()),
        ("state", (&state).into()),
        ("since", (&since).into()),
    ];
    let mut parts = vec![words.say("day-item", &args)];
    if item.overdue > 0 {
        parts.push(words.say("day-overdue", &[("count", Arg::Count(item.overdue))]));
    }
    if let Some(due_at) = item.due_at {
        let due = short_time(due_at, letter.as_of, zone);
        parts.push(words.say("day-due", &[("due", (&due).into())]));
    }
    parts.extend(item.untouched.then(|| words.say("day-untouched", &[])));
    parts.extend(item.word_owed.then(|| words.say("day-word-owed", &[])));
    parts.join(&words.say("day-between", &[]))
}
