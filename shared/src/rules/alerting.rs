//! Who is told of what, over which ways, who is told next until somebody takes it, and who sleeps meanwhile.

use std::collections::BTreeSet;

use chrono::{NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::pack::{Pack, Tier};
use super::section::Section;
use crate::sla::{DeadlineKind, Mark};
use crate::time::{DAY_MS, MINUTE_MS, UnixMs};

/// The most entries.
const RULES_MAX: usize = 64;
/// The most rungs of a ladder.
const RUNGS_MAX: usize = 8;
/// The longest wait for a rung (ms).
const AFTER_MAX_MS: i64 = 7 * DAY_MS;
/// The most ways that an entry names.
const WAYS_MAX: usize = 50;

/// What is told of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// A part of the allowance is spent.
    Warning,
    /// The due time has passed.
    Missed,
    /// The work was done after all.
    MetLate,
    /// What was told as missed is not.
    Corrected,
}

impl Occasion {
    const CHOICES: [(&str, Self); 4] = [
        ("warning", Self::Warning),
        ("missed", Self::Missed),
        ("met_late", Self::MetLate),
        ("corrected", Self::Corrected),
    ];
}

impl From<Mark> for Occasion {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Warning(_) => Self::Warning,
            Mark::Missed => Self::Missed,
            Mark::MetLate => Self::MetLate,
            Mark::Corrected => Self::Corrected,
        }
    }
}

/// For whom an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// The customer's account manager; the deputy while he is away.
    Manager,
    /// To whom the matter belongs; of a fault the account manager.
    Owner,
    /// Who is on duty by the rota.
    Duty,
    /// The supervisors of the configuration.
    Supervisor,
    /// The desk's own address.
    Noc,
}

impl Receiver {
    const CHOICES: [(&str, Self); 5] = [
        ("manager", Self::Manager),
        ("owner", Self::Owner),
        ("duty", Self::Duty),
        ("supervisor", Self::Supervisor),
        ("noc", Self::Noc),
    ];
}

/// A step of the ladder that is climbed until somebody takes the alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// So long after the alert itself (ms).
    pub after_ms: i64,
    /// Who is told then.
    pub to: Vec<Receiver>,
    /// Over which ways, `email` or a channel's name; none: mail, and every channel that takes it.
    pub by: Option<Vec<String>>,
}

/// An entry of `[[alert]]`. The first one that fits an alert decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRule {
    /// Of what.
    pub on: Vec<Occasion>,
    /// Of which promises; empty: of all.
    pub kinds: Vec<DeadlineKind>,
    /// Of which tiers, classes or cadences; empty: of all.
    pub tiers: Vec<String>,
    /// Who is told; may be nobody.
    pub to: Vec<Receiver>,
    /// Over which ways; see [`Rung::by`].
    pub by: Option<Vec<String>>,
    /// Who is told next.
    pub then: Vec<Rung>,
}

impl AlertRule {
    fn fits(&self, on: Occasion, kind: DeadlineKind, tier: &str) -> bool {
        self.on.contains(&on)
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.tiers.is_empty() || self.tiers.iter().any(|known| known == tier))
    }

    /// Whether whatever fits `other` fits this one too.
    fn covers(&self, other: &Self) -> bool {
        let all = |mine: &[DeadlineKind], theirs: &[DeadlineKind]| {
            mine.is_empty() || (!theirs.is_empty() && theirs.iter().all(|one| mine.contains(one)))
        };
        let tiers = self.tiers.is_empty()
            || (!other.tiers.is_empty() && other.tiers.iter().all(|one| self.tiers.contains(one)));
        other.on.iter().all(|one| self.on.contains(one)) && all(&self.kinds, &other.kinds) && tiers
    }
}

/// `[quiet]`: hours in which some are not woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// From which minute of the day.
    pub from_minute: u32,
    /// Until which minute of that day, or of the next.
    pub until_minute: u32,
    /// Who is not woken.
    pub to: Vec<Receiver>,
    /// Tiers, classes or cadences that wake them all the same.
    pub except_tiers: Vec<String>,
    /// Promises that do.
    pub except_kinds: Vec<DeadlineKind>,
    /// What does.
    pub except_on: Vec<Occasion>,
}

impl Quiet {
    /// Whether such an alert waits for the morning.
    #[must_use]
    pub fn holds(&self, on: Occasion, kind: DeadlineKind, tier: &str) -> bool {
        !self.except_on.contains(&on)
            && !self.except_kinds.contains(&kind)
            && !self.except_tiers.iter().any(|known| known == tier)
    }

    /// The end of the quiet hours that a moment lies in.
    #[must_use]
    pub fn until(&self, at: UnixMs, zone: Tz) -> Option<UnixMs> {
        let local = at.to_utc().with_timezone(&zone);
        let minute = local.hour() * 60 + local.minute();
        let over_midnight = self.until_minute <= self.from_minute;
        let (evening, morning) = (minute >= self.from_minute, minute < self.until_minute);
        let is_quiet = if over_midnight { evening || morning } else { evening && morning };
        if !is_quiet {
            return None;
        }
        let today = local.date_naive();
        let day = if over_midnight && evening { today.succ_opt()? } else { today };
        let time = NaiveTime::from_hms_opt(self.until_minute / 60, self.until_minute % 60, 0)?;
        // An hour that the clocks leave out is over when they have.
        let end = zone.from_local_datetime(&day.and_time(time)).earliest();
        let end = end.map_or(at + 60 * MINUTE_MS, |end| UnixMs(end.timestamp_millis()));
        (end > at).then_some(end)
    }
}

impl Pack {
    /// The entry that decides about an alert; none: as where there are no entries.
    #[must_use]
    pub fn alert_rule(&self, on: Occasion, kind: DeadlineKind, tier: &str) -> Option<&AlertRule> {
        self.alerts.iter().find(|rule| rule.fits(on, kind, tier))
    }

    /// Every way that the pack names, each once.
    #[must_use]
    pub fn ways(&self) -> BTreeSet<&str> {
        let of_rungs = self.alerts.iter().flat_map(|rule| &rule.then).filter_map(|rung| rung.by.as_ref());
        let of_rules = self.alerts.iter().filter_map(|rule| rule.by.as_ref());
        of_rules.chain(of_rungs).flatten().map(String::as_str).collect()
    }
}

/// Reads `[[alert]]`; `tiers` are the names of tiers, classes and cadences.
pub fn read(root: &Section<'_>, tiers: &[String]) -> Vec<AlertRule> {
    let sections = root.sections("alert");
    if sections.len() > RULES_MAX {
        root.wrong("alert", format!("stands more than {RULES_MAX} times"));
    }
    let mut rules: Vec<AlertRule> = Vec::new();
    for section in sections {
        let rule = read_rule(&section, tiers);
        section.finish();
        if rules.iter().any(|earlier| earlier.covers(&rule)) {
            section.wrong("on", "never decides: an entry above takes all that fits this one");
        }
        rules.push(rule);
    }
    rules
}

fn read_rule(section: &Section<'_>, tiers: &[String]) -> AlertRule {
    section.missing("on");
    section.missing("to");
    let then: Vec<Rung> = section.tables("then").iter().map(read_rung).collect();
    if then.len() > RUNGS_MAX {
        section.wrong("then", format!("has more than {RUNGS_MAX} steps"));
    }
    if then.windows(2).any(|pair| pair[0].after_ms >= pair[1].after_ms) {
        section.wrong(
            "then",
            "must rise: each `after` is counted from the alert, and later than the one before",
        );
    }
    AlertRule {
        on: choices(section, "on", &Occasion::CHOICES).unwrap_or_default(),
        kinds: choices(section, "kinds", &kinds()).unwrap_or_default(),
        tiers: known_tiers(section, "tiers", tiers),
        to: choices(section, "to", &Receiver::CHOICES).unwrap_or_default(),
        by: read_ways(section),
        then,
    }
}

fn read_rung(section: &Section<'_>) -> Rung {
    section.missing("after");
    section.missing("to");
    let after_ms = section.duration("after").unwrap_or_default();
    if after_ms > AFTER_MAX_MS {
        section.wrong("after", "is more than 7d");
    }
    let to = choices(section, "to", &Receiver::CHOICES).unwrap_or_default();
    let rung = Rung { after_ms, to, by: read_ways(section) };
    section.finish();
    rung
}

fn read_ways(section: &Section<'_>) -> Option<Vec<String>> {
    let ways = section.texts("by")?;
    if ways.len() > WAYS_MAX {
        section.wrong("by", format!("names more than {WAYS_MAX} ways"));
    }
    Some(ways.into_iter().map(str::to_owned).collect())
}

/// Reads `[quiet]`.
pub fn read_quiet(root: &Section<'_>, tiers: &[String]) -> Option<Quiet> {
    let section = root.section("quiet")?;
    section.missing("hours");
    let hours = section.text("hours").and_then(|text| {
        let hours = text.split_once('-').and_then(|(from, until)| Some((minute(from)?, minute(until)?)));
        let hours = hours.filter(|(from, until)| from != until);
        if hours.is_none() {
            section.wrong("hours", format!("\"{text}\" is not a span of the day such as \"22:00-07:00\""));
        }
        hours
    });
    let quiet = |(from_minute, until_minute)| Quiet {
        from_minute,
        until_minute,
        to: choices(&section, "to", &Receiver::CHOICES).unwrap_or_else(|| vec![Receiver::Manager]),
        except_tiers: known_tiers(&section, "except_tiers", tiers),
        except_kinds: choices(&section, "except_kinds", &kinds()).unwrap_or_default(),
        except_on: choices(&section, "except_on", &Occasion::CHOICES).unwrap_or_default(),
    };
    let quiet = quiet(hours.unwrap_or((0, 1)));
    section.finish();
    hours.map(|_| quiet)
}

fn minute(text: &str) -> Option<u32> {
    let time = NaiveTime::parse_from_str(text.trim(), "%H:%M").ok()?;
    Some(time.hour() * 60 + time.minute())
}

fn kinds() -> Vec<(&'static str, DeadlineKind)> {
    DeadlineKind::ALL.iter().map(|kind| (kind.name(), *kind)).collect()
}

fn known_tiers(section: &Section<'_>, key: &'static str, known: &[String]) -> Vec<String> {
    let named = section.texts(key).unwrap_or_default();
    for name in &named {
        if !known.iter().any(|known| known == name) {
            let reason =
                format!("\"{name}\" is no tier, class or cadence of this pack; it has: {}", known.join(", "));
            section.wrong(key, reason);
        }
    }
    named.into_iter().map(str::to_owned).collect()
}

/// An optional list of names out of a few.
fn choices<T: Copy>(section: &Section<'_>, key: &'static str, choices: &[(&str, T)]) -> Option<Vec<T>> {
    let mut found = Vec::new();
    for text in section.texts(key)? {
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            found.push(*value);
            continue;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        section.wrong(key, format!("\"{text}\" is not one of: {}", names.join(", ")));
    }
    Some(found)
}

/// The names by which alerts tell tiers apart.
pub fn names(tiers: &[Tier], matters: &super::matters::Matters) -> Vec<String> {
    let tiers = tiers.iter().map(|tier| tier.name.clone());
    let classes = matters.classes.iter().map(|class| class.name.clone());
    let cadences = matters.cadences.iter().map(|cadence| cadence.name.clone());
    let mut names = Vec::new();
    for name in tiers.chain(classes).chain(cadences) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(text: &str) -> Result<Pack, Vec<String>> {
        let head = "[pack]\nname = \"p\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\n[[tier]]\nname = \"AAA\"\n\
             restore_within = \"2h\"\n[[tier]]\nname = \"A\"\nrestore_within = \"6h\"\n";
        let wrong = |mistakes: Vec<super::super::Mistake>| mistakes.iter().map(ToString::to_string).collect();
        Pack::parse(&format!("{head}{text}"), "p.toml").map_err(wrong)
    }

    #[test]
    fn the_first_entry_that_fits_decides() {
        let text = "[[alert]]\non = [\"missed\"]\nkinds = [\"restoration\"]\ntiers = [\"AAA\"]\nto = [\"manager\", \"duty\"]\n\
             then = [{ after = \"15m\", to = [\"duty\"] }, { after = \"30m\", to = [\"supervisor\"], by = [\"sms\"] }]\n\
             [[alert]]\non = [\"missed\", \"met_late\"]\nto = []\nby = [\"robot\"]\n";
        let pack = pack(text).unwrap();
        let rule = |on, kind, tier| pack.alert_rule(on, kind, tier);
        let first = rule(Occasion::Missed, DeadlineKind::Restoration, "AAA").unwrap();
        assert_eq!(
            (first.to.as_slice(), first.then.len()),
            ([Receiver::Manager, Receiver::Duty].as_slice(), 2)
        );
        assert_eq!(first.then[1].after_ms, 30 * MINUTE_MS);
        let second = rule(Occasion::Missed, DeadlineKind::Restoration, "A").unwrap();
        assert!(second.to.is_empty() && second.then.is_empty());
        assert_eq!(rule(Occasion::MetLate, DeadlineKind::Feedback, "A"), Some(second));
        assert_eq!(rule(Occasion::Warning, DeadlineKind::Restoration, "AAA"), None);
        assert_eq!(pack.ways(), BTreeSet::from(["robot", "sms"]));
    }

    #[test]
    fn mistakes_say_what_is_possible() {
        for (text, reason) in [
            ("[[alert]]\nto = []\n", "alert.on: is missing"),
            (
                "[[alert]]\non = [\"late\"]\nto = []\n",
                "\"late\" is not one of: warning, missed, met_late, corrected",
            ),
            (
                "[[alert]]\non = [\"missed\"]\nto = [\"boss\"]\n",
                "is not one of: manager, owner, duty, supervisor, noc",
            ),
            (
                "[[alert]]\non = [\"missed\"]\nto = []\ntiers = [\"B\"]\n",
                "is no tier, class or cadence of this pack; it has: AAA, A",
            ),
            ("[[alert]]\non = [\"missed\"]\nto = []\nkinds = [\"x\"]\n", "is not one of: restoration,"),
            (
                "[[alert]]\non = [\"missed\"]\nto = []\nthen = [{ after = \"30m\", to = [] }, { after = \"30m\", to = [] }]\n",
                "must rise",
            ),
            ("[[alert]]\non = [\"missed\"]\nto = []\nthen = [{ to = [] }]\n", "after: is missing"),
            (
                "[[alert]]\non = [\"missed\"]\nto = []\nthen = [{ after = \"8d\", to = [] }]\n",
                "is more than 7d",
            ),
            (
                "[[alert]]\non = [\"missed\"]\nto = []\n[[alert]]\non = [\"missed\"]\ntiers = [\"A\"]\nto = []\n",
                "never decides",
            ),
            ("[quiet]\nhours = \"22-7\"\n", "is not a span of the day such as \"22:00-07:00\""),
            (
                "[quiet]\nhours = \"22:00-07:00\"\nsince = 3\n",
                "unknown key; known here: except_kinds, except_on, except_tiers",
            ),
        ] {
            let mistakes = pack(text).unwrap_err().join("\n");
            assert!(mistakes.contains(reason), "{text}\n{mistakes}");
        }
    }

    #[test]
    fn quiet_hours_end_in_the_morning() {
        let quiet = pack(
            "[quiet]\nhours = \"22:00-07:00\"\nexcept_tiers = [\"AAA\"]\nexcept_kinds = [\"feedback\"]\n",
        );
        let quiet = quiet.unwrap().quiet.unwrap();
        let zone = chrono_tz::Asia::Shanghai;
        let until = |text: &str| {
            let at = UnixMs::parse_rfc3339(&format!("2026-03-02T{text}+08:00")).unwrap();
            quiet.until(at, zone).map(|end| end.to_utc().with_timezone(&zone).format("%d %H:%M").to_string())
        };
        assert_eq!(until("21:59:59"), None);
        assert_eq!(until("22:00:00").as_deref(), Some("03 07:00"));
        assert_eq!(until("23:59:59").as_deref(), Some("03 07:00"));
        assert_eq!(until("06:59:59").as_deref(), Some("02 07:00"));
        assert_eq!(until("07:00:00"), None);
        let noon = Quiet { from_minute: 720, until_minute: 810, ..quiet.clone() };
        let at = |text: &str| UnixMs::parse_rfc3339(&format!("2026-03-02T{text}+08:00")).unwrap();
        assert_eq!(noon.until(at("12:30:00"), zone), Some(at("13:30:00")));
        assert_eq!(noon.until(at("13:30:00"), zone), None);
        assert_eq!(quiet.to, [Receiver::Manager]);
        assert!(quiet.holds(Occasion::Missed, DeadlineKind::Restoration, "A"));
        assert!(!quiet.holds(Occasion::Missed, DeadlineKind::Restoration, "AAA"));
        assert!(!quiet.holds(Occasion::Missed, DeadlineKind::Feedback, "A"));
    }
}
