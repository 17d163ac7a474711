//! When a customer counts as one that may be lost, and how soon somebody should be there.

use serde::{Deserialize, Serialize};

use super::section::Section;
use crate::time::DAY_MS;

/// The most that a threshold may be.
const COUNT_MAX: i64 = 10_000;
/// The longest time that is looked back (ms).
const LOOK_BACK_MAX_MS: i64 = 3 * 366 * DAY_MS;

/// The thresholds of customers at risk. Zero: never a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskRules {
    /// How far back it is looked (ms).
    pub look_back_ms: i64,
    /// So many faults and matters with a missed promise.
    pub missed_promises: i64,
    /// So many faults below its limit of the year a line is near it; none: never a reason.
    pub repeat_faults_short: Option<u32>,
    /// So many lines that were without service for longer than is promised.
    pub interrupted_lines: i64,
    /// So many callbacks in which the customer was not satisfied.
    pub unsatisfied_callbacks: i64,
    /// So many complaints.
    pub complaints: i64,
    /// So many surveys left unanswered.
    pub surveys_unanswered: i64,
    /// Within so long somebody should be there (ms).
    pub visit_within_ms: i64,
}

impl Default for RiskRules {
    fn default() -> Self {
        Self {
            look_back_ms: 90 * DAY_MS,
            missed_promises: 2,
            repeat_faults_short: Some(1),
            interrupted_lines: 1,
            unsatisfied_callbacks: 1,
            complaints: 1,
            surveys_unanswered: 1,
            visit_within_ms: 7 * DAY_MS,
        }
    }
}

/// The thresholds, where a pack has them.
pub fn read(root: &Section<'_>) -> Option<RiskRules> {
    let section = root.section("at_risk")?;
    let usual = RiskRules::default();
    let count = |key, usual| section.whole(key, 0..=COUNT_MAX).unwrap_or(usual);
    let span = |key, usual_ms| match section.duration(key) {
        Some(ms) if ms <= LOOK_BACK_MAX_MS => ms,
        Some(_) => {
            section.wrong(key, "is at most three years");
            usual_ms
        }
        None => usual_ms,
    };
    let short = match section.has("repeat_faults_short") {
        true if section.is_off("repeat_faults_short") => None,
        true => {
            section.whole("repeat_faults_short", 0..=COUNT_MAX).and_then(|short| u32::try_from(short).ok())
        }
        false => usual.repeat_faults_short,
    };
    let rules = RiskRules {
        look_back_ms: span("look_back", usual.look_back_ms),
        missed_promises: count("missed_promises", usual.missed_promises),
        repeat_faults_short: short,
        interrupted_lines: count("interrupted_lines", usual.interrupted_lines),
        unsatisfied_callbacks: count("unsatisfied_callbacks", usual.unsatisfied_callbacks),
        complaints: count("complaints", usual.complaints),
        surveys_unanswered: count("surveys_unanswered", usual.surveys_unanswered),
        visit_within_ms: span("visit_within", usual.visit_within_ms),
    };
    section.finish();
    Some(rules)
}
