//! The words of alerts in one language: Fluent files, embedded, with times and spans in that language.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use fluent::concurrent::FluentBundle;
use fluent::{FluentArgs, FluentResource};
use fluent_syntax::ast::Pattern;
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, UnixMs};

use super::own_text::OwnText;

const ZH: &str = include_str!("../../locales/zh/alerts.ftl");
const EN: &str = include_str!("../../locales/en/alerts.ftl");
/// Below this a span is told in seconds, in milliseconds.
const SECONDS_BELOW_MS: i64 = 2 * MINUTE_MS;

/// A language that alerts are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Both, in the order in which they are written.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The language's code in HTML.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// Its name in the configuration, the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The language of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.name() == name)
    }

    /// The shipped texts.
    pub(super) const fn ftl(self) -> &'static str {
        match self {
            Self::Zh => ZH,
            Self::En => EN,
        }
    }
}

/// The texts cannot be read: a mistake in this program's own files.
#[derive(Debug, thiserror::Error)]
#[error("the {lang} texts of alerts: {reason}")]
pub struct WordsError {
    lang: &'static str,
    reason: String,
}

/// The words of one language.
pub struct Words {
    /// Which.
    pub lang: Lang,
    bundle: FluentBundle<FluentResource>,
    /// Texts of the desk's own, which come before the shipped ones.
    own: BTreeMap<String, OwnText>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Words").field("lang", &self.lang).finish_non_exhaustive()
    }
}

/// Arguments of a text.
pub type Args<'a> = &'a [(&'a str, Arg<'a>)];

/// One argument.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// A text.
    Text(&'a str),
    /// A number, which decides the plural.
    Count(i64),
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl Words {
    /// Reads the language's file; the texts of the desk's own come before it.
    ///
    /// # Errors
    /// When the file is broken.
    pub fn with(lang: Lang, own: BTreeMap<String, OwnText>) -> Result<Self, WordsError> {
        let wrong = |reason: String| WordsError { lang: lang.code(), reason };
        let resource = FluentResource::try_new(lang.ftl().to_owned())
            .map_err(|(_, errors)| wrong(format!("{errors:?}")))?;
        let id = lang.code().parse().map_err(|e| wrong(format!("{e}")))?;
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(|errors| wrong(format!("{errors:?}")))?;
        Ok(Self { lang, bundle, own })
    }

    /// The text `id` (`message` or `message.attribute`), if there is one. A variable that is missing
    /// shows as its name.
    #[must_use]
    pub fn find(&self, id: &str, args: Args<'_>) -> Option<String> {
        self.format(id, args).map(|(text, _)| text)
    }

    /// Like [`Words::find`]; a text that is not there shows as its id, rather than holding up an alert.
    #[must_use]
    pub fn say(&self, id: &str, args: Args<'_>) -> String {
        self.find(id, args).unwrap_or_else(|| id.to_owned())
    }

    /// Whether `id` is a text of the desk's own that sounds the same late as in time.
    #[must_use]
    pub fn hides_late(&self, id: &str) -> bool {
        self.own.get(id).is_some_and(OwnText::hides_late)
    }

    fn shipped(&self, id: &str) -> Option<&Pattern<&str>> {
        let (message, attribute) = match id.split_once('.') {
            Some((message, attribute)) => (message, Some(attribute)),
            None => (id, None),
        };
        let message = self.bundle.get_message(message)?;
        match attribute {
            Some(name) => Some(message.get_attribute(name)?.value()),
            None => message.value(),
        }
    }

    fn format(&self, id: &str, args: Args<'_>) -> Option<(String, BTreeSet<String>)> {
        let own = self.own.get(id).and_then(OwnText::pattern);
        let pattern = own.or_else(|| self.shipped(id))?;
        let mut fluent_args = FluentArgs::new();
        for (name, arg) in args {
            match arg {
                Arg::Text(text) => fluent_args.set(*name, *text),
                Arg::Count(count) => fluent_args.set(*name, *count),
            }
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&fluent_args), &mut errors).into_owned();
        Some((text, errors.iter().map(ToString::to_string).collect()))
    }

    /// A span in the two largest units that matter; its sign is not told.
    #[must_use]
    pub fn span(&self, span_ms: i64) -> String {
        let span_ms = span_ms.saturating_abs();
        if span_ms < SECONDS_BELOW_MS {
            return self.say("span-seconds", &[("s", Arg::Count(span_ms / SECOND_MS))]);
        }
        // Rounded to the unit that is shown: 59:59.8 left is an hour.
        let minutes = (span_ms + MINUTE_MS / 2) / MINUTE_MS;
        let (days, hours) = (minutes * MINUTE_MS / DAY_MS, minutes * MINUTE_MS % DAY_MS / HOUR_MS);
        let minutes = minutes % (HOUR_MS / MINUTE_MS);
        let args = [("d", Arg::Count(days)), ("h", Arg::Count(hours)), ("m", Arg::Count(minutes))];
        let id = match (days, hours, minutes) {
            (0, 0, _) => "span-minutes",
            (0, _, 0) => "span-hours-only",
            (0, _, _) => "span-hours",
            (_, 0, _) => "span-days-only",
            _ => "span-days",
        };
        self.say(id, &args)
    }
}

/// A moment in the zone, such as `2026-11-22 14:05 (Asia/Shanghai, UTC+08:00)`.
#[must_use]
pub fn full_time(at: UnixMs, zone: Tz) -> String {
    let local = at.to_utc().with_timezone(&zone);
    let offset = local.format("%:z").to_string();
    if zone == Tz::UTC {
        return local.format("%Y-%m-%d %H:%M (UTC)").to_string();
    }
    format!("{} ({}, UTC{offset})", local.format("%Y-%m-%d %H:%M"), zone.name())
}

/// A moment in the zone without its name: `14:05` on the day of `now`, else `11-22 14:05`.
#[must_use]
pub fn short_time(at: UnixMs, now: UnixMs, zone: Tz) -> String {
    let day = |t: DateTime<Utc>| t.with_timezone(&zone).date_naive();
    let same_day = day(at.to_utc()) == day(now.to_utc());
    let format = if same_day { "%H:%M" } else { "%m-%d %H:%M" };
    at.to_utc().with_timezone(&zone).format(format).to_string()
}

/// The zone by its name; UTC for a name that is not known.
#[must_use]
pub fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(lang: Lang) -> Words {
        Words::with(lang, BTreeMap::new()).unwrap()
    }

    fn ids(ftl: &str) -> BTreeSet<String> {
        let mut message = "";
        let mut ids = BTreeSet::new();
        for line in ftl.lines() {
            if let Some(attribute) = line.strip_prefix("    .") {
                ids.insert(format!("{message}.{}", attribute.split(' ').next().unwrap()));
            } else if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                message = line.split(' ').next().unwrap();
                ids.insert(message.to_owned());
            }
        }
        ids
    }

    fn variables(ftl: &str) -> BTreeSet<String> {
        let texts = ftl.lines().filter(|line| !line.starts_with('#'));
        let names = texts.flat_map(|line| line.split("{ $").skip(1));
        names.map(|rest| rest.split([' ', '}']).next().unwrap().to_owned()).collect()
    }

    #[test]
    fn both_languages_have_the_same_texts_and_variables() {
        assert_eq!(ids(ZH), ids(EN));
        assert!(ids(EN).len() > 80);
        assert_eq!(variables(ZH), variables(EN));
    }

    #[test]
    fn no_text_lacks_a_variable() {
        let names = variables(EN);
        for (lang, ftl) in [(Lang::Zh, ZH), (Lang::En, EN)] {
            let words = words(lang);
            for id in ids(ftl) {
                for late in ["yes", "no"] {
                    let mut args: Vec<(&str, Arg<'_>)> =
                        names.iter().map(|name| (name.as_str(), Arg::Text("x"))).collect();
                    for name in ["d", "h", "m", "s", "count", "faults", "limit"] {
                        args.push((name, Arg::Count(2)));
                    }
                    args.extend([("late", Arg::Text(late)), ("over", Arg::Text(late))]);
                    if let Some((text, errors)) = words.format(&id, &args) {
                        assert!(errors.is_empty(), "{id}: {errors:?}");
                        assert!(!text.contains('{') && !text.trim().is_empty(), "{id}: {text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_missing_variable_is_noticed_by_these_tests() {
        let words = words(Lang::En);
        assert!(!words.format("balance", &[("over", Arg::Text("no"))]).unwrap().1.is_empty());
    }

    #[test]
    fn spans_are_told_in_two_units() {
        let en = words(Lang::En);
        let zh = words(Lang::Zh);
        let cases = [
            (0, "0 s", "0 秒"),
            (89_999, "89 s", "89 秒"),
            (-24 * MINUTE_MS, "24 min", "24 分钟"),
            (HOUR_MS - 200, "1 h", "1 小时"),
            (HOUR_MS + 5 * MINUTE_MS, "1 h 5 min", "1 小时 5 分钟"),
            (3 * DAY_MS, "3 d", "3 天"),
            (26 * HOUR_MS, "1 d 2 h", "1 天 2 小时"),
            (1_200 * DAY_MS, "1200 d", "1200 天"),
        ];
        for (span_ms, in_en, in_zh) in cases {
            assert_eq!((en.span(span_ms).as_str(), zh.span(span_ms).as_str()), (in_en, in_zh));
        }
    }

    #[test]
    fn times_name_their_zone() {
        let at = UnixMs::parse_rfc3339("2026-11-22T06:05:00Z").unwrap();
        assert_eq!(full_time(at, zone("Asia/Shanghai")), "2026-11-22 14:05 (Asia/Shanghai, UTC+08:00)");
        assert_eq!(full_time(at, zone("nowhere")), "2026-11-22 06:05 (UTC)");
        assert_eq!(short_time(at, at + 9 * HOUR_MS, zone("Asia/Shanghai")), "14:05");
        assert_eq!(short_time(at, at + 10 * HOUR_MS, zone("Asia/Shanghai")), "11-22 14:05");
    }
}
