//! An alert, or several, in words: a subject, a plain text, and the same as simple HTML.
//!
//! Everything that comes from outside (names, notes) loses its control characters and is cut to a
//! bound here; HTML escapes it.

use std::fmt::Write;
use std::sync::Arc;

use chrono_tz::Tz;
use linewatch_shared::rules::Receiver;
use linewatch_shared::time::UnixMs;

use super::alert::{Alert, DONE_MAX, Done};
use super::day_text::day_page;
use super::letter::Letter;
use super::lexicon::Lexicon;
use super::page::Text;
use super::page::{Page, Piece};
use super::plan::{OutboxRow, STORM_PREFIX};
use super::words::{Arg, Lang, Words, WordsError, full_time, short_time, zone};
use crate::config::AlertLang;

/// Characters of a name that are shown.
const NAME_CHARS_MAX: usize = 120;
/// Characters of a note that are shown.
const NOTE_CHARS_MAX: usize = 500;

/// Writes alerts in one language, or in both.
#[derive(Debug)]
pub struct Writer {
    pub(super) words: Vec<Arc<Words>>,
}

impl Writer {
    /// With the shipped texts of `lang`.
    ///
    /// # Errors
    /// When a text file of this program is broken.
    pub fn new(lang: AlertLang) -> Result<Self, WordsError> {
        Ok(Lexicon::shipped()?.writer(lang))
    }

    /// With these words, one language after the other.
    pub(super) const fn of(words: Vec<Arc<Words>>) -> Self {
        Self { words }
    }

    /// One alert, as of `now`.
    #[must_use]
    pub fn one(&self, alert: &Alert, now: UnixMs) -> Text {
        let pieces: Vec<(&Words, Piece)> =
            self.words.iter().map(|words| (&**words, piece(words, alert, now))).collect();
        let subject = pieces.iter().map(|(_, p)| p.subject.as_str()).collect::<Vec<_>>().join(" / ");
        let mut page = Page::new(self.words.first().map(Arc::as_ref));
        for (words, piece) in &pieces {
            page.begin(words.lang);
            page.piece(piece, &piece.lead);
            page.paragraph(&for_whom(words, alert));
        }
        page.done(subject)
    }

    /// What one letter says, as of `now`.
    #[must_use]
    pub fn letter(&self, letter: &Letter, now: UnixMs) -> Text {
        match letter {
            Letter::Alert(alert) => self.one(alert, now),
            Letter::Day(day) => self.day(day),
        }
    }

    /// Several letters to one address, as of `now`.
    #[must_use]
    pub fn digest(&self, letters: &[Letter], together: Together, now: UnixMs) -> Text {
        let alerts = || {
            letters.iter().filter_map(|letter| match letter {
                Letter::Alert(alert) => Some(alert.as_ref()),
                Letter::Day(_) => None,
            })
        };
        let mut faults: Vec<_> = alerts().map(|alert| alert.fault).collect();
        faults.sort_unstable();
        faults.dedup();
        let (named, limit) = match together {
            Together::Storm => ("storm", 0),
            Together::OverLimit(limit) => ("digest", limit),
        };
        let cause = alerts().next().map(cause).unwrap_or_default();
        let args: [(&str, Arg<'_>); 4] = [
            ("count", Arg::Count(alerts().count() as i64)),
            ("faults", Arg::Count(faults.len() as i64)),
            ("limit", Arg::Count(limit as i64)),
            ("cause", (&cause).into()),
        ];
        let subject = |words: &Arc<Words>| words.say(&format!("{named}-subject"), &args);
        let subjects: Vec<String> = self.words.iter().map(subject).collect();
        let mut page = Page::new(self.words.first().map(Arc::as_ref));
        for words in &self.words {
            page.begin(words.lang);
            page.paragraph(&words.say(&format!("{named}-lead"), &args));
            for alert in alerts() {
                let piece = piece(words, alert, now);
                let lead = format!("{} {}{}{}", name(&alert.line), piece.what, piece.colon, piece.lead);
                page.piece(&piece, &lead);
            }
            if let Some(alert) = alerts().next() {
                page.paragraph(&for_whom(words, alert));
            }
            for letter in letters {
                if let Letter::Day(day) = letter {
                    day_page(&mut page, words, day);
                }
            }
        }
        page.done(subjects.join(" / "))
    }
}

/// Why several alerts come as one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// More messages than this within a minute were due to the address.
    OverLimit(usize),
    /// They have their cause in common.
    Storm,
}

impl Together {
    pub(super) fn by_id(message_id: &str, limit: usize) -> Self {
        if message_id.starts_with(STORM_PREFIX) { Self::Storm } else { Self::OverLimit(limit) }
    }

    pub(super) fn of(row: Option<&OutboxRow>, limit: usize) -> Self {
        Self::by_id(row.map_or("", |row| &row.message_id), limit)
    }
}

fn for_whom(words: &Words, alert: &Alert) -> String {
    let manager = name(&alert.manager);
    match alert.mark.as_str() {
        "outcome" => return words.say("for-first-receiver", &[("name", (&manager).into())]),
        "changed" => return words.say("for-superior", &[]),
        _ => {}
    }
    match alert.telling.receiver {
        Some(Receiver::Duty) => return words.say("for-duty", &[]),
        Some(Receiver::Supervisor) => return words.say("for-supervisor", &[]),
        Some(Receiver::Noc) => return words.say("for-desk", &[]),
        Some(Receiver::Owner) => return words.say("for-owner", &[]),
        Some(Receiver::Manager) | None => {}
    }
    if manager.is_empty() {
        return words.say("for-nobody", &[]);
    }
    words.say("for-manager", &[("name", (&manager).into())])
}

fn piece(words: &Words, alert: &Alert, now: UnixMs) -> Piece {
    let zone = zone(&alert.time_zone);
    let (what, lead) = headline(words, alert, now, zone);
    let customer = customer(alert);
    let (tier, line) = (tier(words.lang, alert), name(about(alert)));
    let args: [(&str, Arg<'_>); 4] = [
        ("tier", (&tier).into()),
        ("customer", (&customer).into()),
        ("line", (&line).into()),
        ("what", (&what).into()),
    ];
    let subject = words.say("subject", &args);
    let steps = alert.done.iter().take(DONE_MAX);
    let mut done: Vec<String> = steps.map(|one| step(words, one, now, zone)).collect();
    if done.is_empty() {
        done.push(words.say("nothing-done", &[]));
    }
    let target = clean(&alert.link, NOTE_CHARS_MAX);
    let is_web = target.starts_with("http://") || target.starts_with("https://");
    Piece {
        what,
        subject,
        lead,
        rows: table(words, alert, now, zone),
        done_label: words.say("label-done", &[]),
        done,
        link: is_web.then(|| (words.say("label-link", &[]), target)),
        take: alert.telling.take.as_ref().map(|link| (words.say("label-take", &[]), link.clone())),
        colon: match words.lang {
            Lang::Zh => "：",
            Lang::En => ": ",
        },
    }
}

/// Labels and values; what is not known is left out.
fn table(words: &Words, alert: &Alert, now: UnixMs, zone: Tz) -> Vec<(String, String)> {
    // What somebody did is due no more.
    let due = match alert.mark.as_str() {
        "changed" | "outcome" => String::new(),
        // In the night it was settled: nothing is left, and nothing is over.
        _ if is_settled(alert) => full_time(alert.due_at, zone),
        _ => format!("{}; {}", full_time(alert.due_at, zone), balance(words, alert.due_at.since(now))),
    };
    let known = |rows: Vec<(&str, String)>| {
        let known = rows.into_iter().filter(|(_, value)| !value.is_empty());
        known.map(|(label, value)| (words.say(label, &[]), value)).collect()
    };
    if let Some(matter) = &alert.matter {
        return known(vec![
            ("label-matter", format!("{}: {}", term(words, "matter", &matter.kind), name(&matter.title))),
            ("label-customer", format!("{} ({})", customer(alert), name(&alert.customer))),
            ("label-line", name(&alert.line)),
            ("label-site", name(&alert.site)),
            ("label-class", tier(words.lang, alert)),
            ("label-state", term(words, "matter-state", &alert.state)),
            ("label-opened", full_time(alert.started_at, zone)),
            ("label-due", due),
            ("label-number", alert.fault.to_string()),
        ]);
    }
    known(vec![
        ("label-customer", format!("{} ({})", customer(alert), name(&alert.customer))),
        ("label-line", name(&alert.line)),
        ("label-site", name(&alert.site)),
        ("label-upstream", node(words, alert)),
        ("label-tier", tier(words.lang, alert)),
        ("label-state", term(words, "state", &alert.state)),
        ("label-started", full_time(alert.started_at, zone)),
        ("label-due", due),
        ("label-reported", words.say(if alert.reported { "reported-yes" } else { "reported-no" }, &[])),
        ("label-fault", alert.fault.to_string()),
    ])
}

/// What it is about: the line's code, or the matter's title.
fn about(alert: &Alert) -> &str {
    alert.matter.as_ref().map_or(&alert.line, |matter| &matter.title)
}

/// What alerts of a storm have in common.
fn cause(alert: &Alert) -> String {
    alert.upstream.as_ref().map_or_else(|| customer(alert), |(node, _)| name(node))
}

/// The node on which several lines went down together.
fn node(words: &Words, alert: &Alert) -> String {
    let Some((node, lines)) = &alert.upstream else { return String::new() };
    let node = name(node);
    words.say("upstream-lines", &[("node", (&node).into()), ("lines", Arg::Count(i64::from(*lines)))])
}

/// The customer's name, or the code where there is none.
fn customer(alert: &Alert) -> String {
    let known = name(&alert.customer_name);
    if known.is_empty() { name(&alert.customer) } else { known }
}

/// What it is about: short for the subject, a sentence for the body.
fn headline(words: &Words, alert: &Alert, now: UnixMs, zone: Tz) -> (String, String) {
    let (mark, percent) = match alert.mark.strip_prefix("warn_") {
        Some(percent) => ("warning", percent),
        None => (alert.mark.as_str(), ""),
    };
    let kind = clean(&alert.kind, NAME_CHARS_MAX);
    let told_mark = clean(&alert.mark, NAME_CHARS_MAX);
    let (due, due_short) = (full_time(alert.due_at, zone), short_time(alert.due_at, now, zone));
    let (at, after) = (full_time(alert.at, zone), words.span(alert.at.since(alert.due_at)));
    let balance = balance(words, alert.due_at.since(now));
    let percent = clean(percent, NAME_CHARS_MAX);
    let of_change = matches!(mark, "changed" | "outcome");
    let promise = term(words, if of_change { "done" } else { "promise" }, &alert.kind);
    let state = term(words, "matter-state", &alert.state);
    let (line, customer) = (name(about(alert)), customer(alert));
    let (site, tier) = (name(&alert.site), tier(words.lang, alert));
    let args: [(&str, Arg<'_>); 15] = [
        ("line", (&line).into()),
        ("customer", (&customer).into()),
        ("site", (&site).into()),
        ("tier", (&tier).into()),
        ("state", (&state).into()),
        ("kind", (&kind).into()),
        ("promise", (&promise).into()),
        ("mark", (&told_mark).into()),
        ("percent", (&percent).into()),
        ("due", (&due).into()),
        ("due_short", (&due_short).into()),
        ("at", (&at).into()),
        ("balance", (&balance).into()),
        ("after", (&after).into()),
        ("late", if alert.late { "yes" } else { "no" }.into()),
    ];
    let say = |part: &str| {
        let of = if alert.matter.is_some() { "matter" } else { alert.kind.as_str() };
        let id = format!("{of}-{mark}.{part}");
        let text = words.find(&id, &args);
        let text = text.unwrap_or_else(|| words.say(&format!("other-notice.{part}"), &args));
        if alert.late && words.hides_late(&id) {
            // Whatever a desk writes: what was learnt late never sounds like news.
            return words.say(&format!("learnt-late.{part}"), &[("text", (&text).into())]);
        }
        text
    };
    let (what, lead) = (say("what"), say("lead"));
    if !alert.telling.night.is_empty() {
        return night(words, alert, now, zone);
    }
    if alert.telling.rung > 0 {
        let span = words.span(now.since(alert.at));
        let args: [(&str, Arg<'_>); 3] =
            [("what", (&what).into()), ("lead", (&lead).into()), ("span", (&span).into())];
        return (words.say("again.what", &args), words.say("again.lead", &args));
    }
    (what, lead)
}

/// Whether the promise was kept, or owed no longer, before the receiver's quiet hours were over.
fn is_settled(alert: &Alert) -> bool {
    alert.telling.night.last().is_some_and(|(mark, _)| mark == "met" || mark == "cancelled")
}

/// What happened in the receiver's quiet hours, told once.
fn night(words: &Words, alert: &Alert, now: UnixMs, zone: Tz) -> (String, String) {
    let list = if alert.matter.is_some() { "promise" } else { "owed" };
    let promise = term(words, list, &alert.kind);
    let marks = alert.telling.night.iter().map(|(mark, at)| {
        let (name, percent) = match mark.strip_prefix("warn_") {
            Some(percent) => ("warning", percent),
            None => (mark.as_str(), ""),
        };
        let at = short_time(*at, now, zone);
        let args: [(&str, Arg<'_>); 2] = [("at", (&at).into()), ("percent", percent.into())];
        words.find(&format!("night-{name}"), &args).unwrap_or_else(|| clean(mark, NAME_CHARS_MAX))
    });
    let marks = marks.collect::<Vec<_>>().join(&words.say("day-between", &[]));
    let args: [(&str, Arg<'_>); 2] = [("promise", (&promise).into()), ("marks", (&marks).into())];
    (words.say("night.what", &args), words.say("night.lead", &args))
}

fn balance(words: &Words, left_ms: i64) -> String {
    let span = words.span(left_ms);
    let over = if left_ms < 0 { "yes" } else { "no" };
    words.say("balance", &[("over", over.into()), ("span", (&span).into())])
}

fn tier(lang: Lang, alert: &Alert) -> String {
    let label = match lang {
        Lang::Zh => name(&alert.tier_label.zh),
        Lang::En => name(&alert.tier_label.en),
    };
    let tier = name(&alert.tier);
    if label.is_empty() || label == tier { tier } else { format!("{tier} {label}") }
}

fn step(words: &Words, done: &Done, now: UnixMs, zone: Tz) -> String {
    let mut text = format!("{} {}", short_time(done.at, now, zone), term(words, "done", &done.kind));
    for (before, part) in [(", ", clean(&done.by, NAME_CHARS_MAX)), (": ", clean(&done.text, NOTE_CHARS_MAX))]
    {
        if !part.is_empty() {
            let _ = write!(text, "{before}{part}");
        }
    }
    text
}

/// A word of a list of words, or the thing's own name.
pub(super) fn term(words: &Words, list: &str, item: &str) -> String {
    words.find(&format!("{list}-{item}"), &[]).unwrap_or_else(|| clean(item, NAME_CHARS_MAX))
}

pub(super) fn name(text: &str) -> String {
    clean(text, NAME_CHARS_MAX)
}

/// On one line, without control characters, of bounded length.
pub(crate) fn clean(text: &str, chars_max: usize) -> String {
    // Direction marks and line separators could make a line read as another.
    let hidden = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let visible = text.chars().map(|c| if c.is_control() || hidden(c) { ' ' } else { c });
    let words: String = visible.take(chars_max).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
