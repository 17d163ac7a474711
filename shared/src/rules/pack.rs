//! A pack: tiers with their limits, and how they are counted.

use chrono_tz::Tz;
use toml_edit::Document;

use super::class::{Cadence, Checklist, Class, Postponing};
use super::section::{File, Section};
use super::{Mistake, line_and_column};
use crate::time::{DAY_MS, MINUTE_MS};

/// The most tiers in a pack.
const TIERS_MAX: usize = 64;
/// The longest name of a pack, version, tier or cause, in characters.
const NAME_CHARS_MAX: usize = 64;

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Label {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// What starts the restoration clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStarts {
    /// The customer's report or the first evidence, whichever is earlier.
    Earliest,
    /// The first report.
    Report,
    /// The first evidence.
    Detection,
}

/// The window in which repeat faults are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatWindow {
    /// The calendar year in the pack's time zone.
    Year,
    /// The 365 days before.
    Rolling365,
}

/// Whether the first fault of a window counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatCounts {
    /// Every fault.
    All,
    /// Every fault after the first.
    Recurrences,
}

/// A cause for a pause or an exemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its name in facts.
    pub name: String,
    /// Its name for people.
    pub label: Label,
}

/// The limits of one tier. A limit that is absent is not promised.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tier {
    /// The name in data, such as `AAA`.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// Service is back within (ms).
    pub restore_within_ms: i64,
    /// The cause is mended within, from the restoration on (ms).
    pub repair_within_ms: Option<i64>,
    /// The customer hears how it stands at least every (ms).
    pub feedback_every_ms: Option<i64>,
    /// The customer is asked within, from the repair on (ms).
    pub callback_within_ms: Option<i64>,
    /// Faults of one line in the window stay below.
    pub faults_per_year_below: Option<u32>,
    /// Interruption of one line in the year is at most (ms).
    pub interruption_per_year_at_most_ms: Option<i64>,
    /// A visit is owed every (ms).
    pub visit_every_ms: Option<i64>,
    /// Warning marks, in thousandths of an allowance, rising.
    pub warn_at_permille: Vec<u16>,
}

/// A pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The pack's name.
    pub name: String,
    /// Its version; the same name and version always has the same content.
    pub version: String,
    /// The time zone that decides years and months.
    pub time_zone: Tz,
    /// What starts the restoration clock.
    pub clock_starts: ClockStarts,
    /// A failure within this of a restoration is the same fault again (ms).
    pub same_fault_within_ms: i64,
    /// The window of the repeat count.
    pub repeat_window: RepeatWindow,
    /// Whether the first fault counts.
    pub repeat_counts: RepeatCounts,
    /// Device times corrected by more than this are marked (ms).
    pub clock_tolerance_ms: i64,
    /// Causes for which clocks may stand still.
    pub pause_causes: Vec<Cause>,
    /// Causes that take a fault out of the figures.
    pub exempt_causes: Vec<Cause>,
    /// The tiers, in the file's order.
    pub tiers: Vec<Tier>,
    /// Classes of complaints, requests, defects and promises.
    pub classes: Vec<Class>,
    /// Duties that come round.
    pub cadences: Vec<Cadence>,
    /// Points to look at on a round.
    pub checklists: Vec<Checklist>,
    /// How promised times may be put off; as often as one likes where it is absent.
    pub postponing: Option<Postponing>,
}

impl Pack {
    /// Reads a pack.
    ///
    /// # Errors
    /// With every mistake of the file, in its order.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, Vec<Mistake>> {
        let document = Document::parse(text).map_err(|error| {
            let (line, column) = error.span().map_or((0, 0), |span| line_and_column(text, span.start));
            let reason = error.message().to_owned();
            vec![Mistake { file: file_name.to_owned(), line, column, key: String::new(), reason }]
        })?;
        let file = File::new(file_name, text);
        let pack = read(&file, Section::new(&file, document.as_table(), None, ""));
        let mistakes = file.into_mistakes();
        pack.filter(|_| mistakes.is_empty()).ok_or(mistakes)
    }

    /// The tier of that name.
    #[must_use]
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name == name)
    }
}

fn read(file: &File<'_>, root: Section<'_>) -> Option<Pack> {
    let tiers = named(&root, "tier", read_tier);
    let pause_causes = named(&root, "pause_cause", read_cause);
    let exempt_causes = named(&root, "exempt_cause", read_cause);
    let head = root.section("pack");
    if head.is_none() {
        file.mistake(None, "pack", "is missing: a pack begins with [pack], name and version");
    }
    if tiers.is_empty() {
        file.mistake(None, "tier", "is missing: a pack has at least one [[tier]]");
    } else if tiers.len() > TIERS_MAX {
        file.mistake(None, "tier", format!("a pack has at most {TIERS_MAX} tiers"));
    }
    root.finish();
    let pack = head.and_then(|head| read_head(head, pause_causes, exempt_causes));
    pack.map(|pack| Pack { tiers, ..pack })
}

fn read_head(head: Section<'_>, pause_causes: Vec<Cause>, exempt_causes: Vec<Cause>) -> Option<Pack> {
    let name = name(&head, "name");
    let version = self::name(&head, "version");
    let time_zone = head.text("time_zone").and_then(|text| {
        let zone = text.parse::<Tz>().ok();
        if zone.is_none() {
            head.wrong("time_zone", format!("\"{text}\" is not a time zone such as Asia/Shanghai"));
        }
        zone
    });
    head.missing("time_zone");
    // Which calendar counts working days matters to limits in working days alone.
    head.choice("calendar", &[("cn", ()), ("24x7", ())]);
    let clock_starts = head.choice(
        "clock_starts",
        &[
            ("earliest", ClockStarts::Earliest),
            ("report", ClockStarts::Report),
            ("detection", ClockStarts::Detection),
        ],
    );
    let repeat_window =
        head.choice("repeat_window", &[("year", RepeatWindow::Year), ("365d", RepeatWindow::Rolling365)]);
    let repeat_counts = head
        .choice("repeat_counts", &[("all", RepeatCounts::All), ("recurrences", RepeatCounts::Recurrences)]);
    let same_fault_within_ms = head.duration("same_fault_within").unwrap_or(DAY_MS);
    let clock_tolerance_ms = head.duration("clock_tolerance").unwrap_or(2 * MINUTE_MS);
    head.finish();
    Some(Pack {
        name: name?,
        version: version?,
        time_zone: time_zone?,
        clock_starts: clock_starts.unwrap_or(ClockStarts::Earliest),
        same_fault_within_ms,
        repeat_window: repeat_window.unwrap_or(RepeatWindow::Year),
        repeat_counts: repeat_counts.unwrap_or(RepeatCounts::All),
        clock_tolerance_ms,
        pause_causes,
        exempt_causes,
        tiers: Vec::new(),
        classes: Vec::new(),
        cadences: Vec::new(),
        checklists: Vec::new(),
        postponing: None,
    })
}

/// A required name: short, without white space or control characters.
fn name(section: &Section<'_>, key: &'static str) -> Option<String> {
    section.missing(key);
    let text = section.text(key)?;
    if text.chars().count() > NAME_CHARS_MAX || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        section.wrong(key, format!("must be at most {NAME_CHARS_MAX} characters without white space"));
        return None;
    }
    Some(text.to_owned())
}

/// Reads a list of named tables; a name that stands twice is a mistake.
fn named<T>(root: &Section<'_>, key: &'static str, read: fn(Section<'_>, String) -> Option<T>) -> Vec<T> {
    let mut names: Vec<String> = Vec::new();
    let mut items = Vec::new();
    for mut section in root.sections(key) {
        let Some(name) = name(&section, "name") else { continue };
        section.rename(format!("{}.{name}", section.path()));
        if names.contains(&name) {
            section.wrong("name", format!("duplicate {key} \"{name}\""));
        }
        names.push(name.clone());
        items.extend(read(section, name));
    }
    items
}

fn read_cause(section: Section<'_>, name: String) -> Option<Cause> {
    let label = section.label("label");
    section.missing("label");
    section.finish();
    Some(Cause { name, label: label? })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "read by the same function as causes, which may lack their label"
)]
fn read_tier(section: Section<'_>, name: String) -> Option<Tier> {
    let label = section.label("label").unwrap_or_else(|| Label { zh: name.clone(), en: name.clone() });
    let restore_within_ms = section.duration("restore_within");
    section.missing("restore_within");
    let tier = Tier {
        name,
        label,
        restore_within_ms: restore_within_ms.unwrap_or_default(),
        repair_within_ms: section.duration("repair_within"),
        feedback_every_ms: section.duration("feedback_every"),
        callback_within_ms: section.duration("callback_within"),
        faults_per_year_below: section.count("faults_per_year_below"),
        interruption_per_year_at_most_ms: section.duration("interruption_per_year_at_most"),
        visit_every_ms: section.duration("visit_every"),
        warn_at_permille: section.permilles("warn_at").unwrap_or_else(|| vec![500, 800]),
    };
    section.finish();
    Some(tier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::SHIPPED;
    use crate::time::HOUR_MS;

    #[test]
    fn shipped_packs_are_right() {
        for (file, text) in SHIPPED {
            let pack = Pack::parse(text, file).unwrap();
            assert_eq!(format!("{}.toml", pack.name), *file);
        }
        let pack = Pack::parse(SHIPPED[0].1, "group-line.toml").unwrap();
        let hours: Vec<i64> = pack.tiers.iter().map(|tier| tier.restore_within_ms / HOUR_MS).collect();
        assert_eq!(hours, [2, 4, 6, 8]);
    }

    fn mistakes(text: &str) -> Vec<String> {
        Pack::parse(text, "p.toml").unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        let text = r#"[pack]
name = "p"
version = "1"
time_zone = "Mars/Olympus"
colour = "red"

[[tier]]
name = "AAA"
restore_within = "2 hours"
feedback_evry = "30m"

[[tier]]
name = "AAA"
restore_within = "2h"
warn_at = [0.8, 0.5]
"#;
        let found = mistakes(text);
        let expected = [
            "p.toml:4:13: pack.time_zone: \"Mars/Olympus\" is not a time zone such as Asia/Shanghai",
            "p.toml:5:1: pack.colour: unknown key",
            "p.toml:9:18: tier.AAA.restore_within: \"2 hours\" is not a duration",
            "p.toml:10:1: tier.AAA.feedback_evry: unknown key",
            "p.toml:13:8: tier.AAA.name: duplicate tier \"AAA\"",
            "p.toml:15:11: tier.AAA.warn_at: must be at most 8 rising numbers",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found} / {expected}");
        }
    }

    #[test]
    fn a_file_that_is_not_toml_says_where() {
        assert!(mistakes("[pack]\nname = \n")[0].starts_with("p.toml:2:"));
        assert_eq!(mistakes("").len(), 2);
    }
}
