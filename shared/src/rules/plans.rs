//! Which customers have a plan of their own each year (一户一策), and how its measures are promised.

use serde::{Deserialize, Serialize};

use super::class::{Class, MatterKind};
use super::section::Section;
use crate::time::DAY_MS;

/// By when a year's plan is there, where the pack does not say: month and day.
const DUE_DEFAULT: (u32, u32) = (1, 31);
/// How long before its day a measure is opened, where the pack does not say (ms).
const OPEN_BEFORE_DEFAULT_MS: i64 = 30 * DAY_MS;
/// The longest such time (ms).
const OPEN_BEFORE_MAX_MS: i64 = 366 * DAY_MS;

/// What a pack says of yearly plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRules {
    /// For customers of these tiers; of all where it is empty.
    pub tiers: Vec<String>,
    /// The year's plan is approved by the end of this month and day of it.
    pub due: (u32, u32),
    /// The class of promises that measures are.
    pub class: String,
    /// A measure is opened so long before its day (ms).
    pub open_before_ms: i64,
}

impl PlanRules {
    /// Whether customers of a tier have one.
    #[must_use]
    pub fn is_for_tier(&self, tier: &str) -> bool {
        self.tiers.is_empty() || self.tiers.iter().any(|known| known == tier)
    }
}

/// The rules of plans, where a pack has them.
pub fn read(root: &Section<'_>, classes: &[Class]) -> Option<PlanRules> {
    let section = root.section("plans")?;
    section.missing("class");
    let class = section.text("class");
    let is_class = |name: &str| classes.iter().any(|c| c.matter == MatterKind::Promise && c.name == name);
    if let Some(name) = class.filter(|name| !is_class(name)) {
        section.wrong("class", format!("there is no [[class]] of promises \"{name}\" in this pack"));
    }
    let tiers = section.texts("tiers").unwrap_or_default().into_iter().map(str::to_owned).collect();
    let due = match section.text("by") {
        None => DUE_DEFAULT,
        Some(text) => month_and_day(text).unwrap_or_else(|| {
            section.wrong("by", format!("\"{text}\" is no month and day of every year, such as 01-31"));
            DUE_DEFAULT
        }),
    };
    let open_before_ms = match section.duration("open_before") {
        Some(ms) if ms > OPEN_BEFORE_MAX_MS => {
            section.wrong("open_before", "is at most 366d");
            OPEN_BEFORE_DEFAULT_MS
        }
        given => given.unwrap_or(OPEN_BEFORE_DEFAULT_MS),
    };
    section.finish();
    Some(PlanRules { tiers, due, class: class?.to_owned(), open_before_ms })
}

/// A day that every year has.
fn month_and_day(text: &str) -> Option<(u32, u32)> {
    let day = chrono::NaiveDate::parse_from_str(&format!("2026-{text}"), "%Y-%m-%d").ok()?;
    let written = day.format("%m-%d").to_string();
    (written == text).then(|| (chrono::Datelike::month(&day), chrono::Datelike::day(&day)))
}
