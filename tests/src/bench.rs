//! What benchmarks have in common: medians, verdicts, and the rows of the page that `make bench` writes.

use std::env;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// Where rows are collected while `make bench` runs.
const ROWS: &str = "LINEWATCH_BENCH_ROWS";

/// Set where other programs are measured, too, that nobody has on a desk of their own.
const PEERS: &str = "BENCH_PEERS";
/// Below the folder of builds: `scripts/setup.sh peers` unpacks their packages there.
const PEERS_FOLDER: &str = "tools/peers";

/// Whether peers are to be measured, too.
#[must_use]
pub fn with_peers() -> bool {
    env::var_os(PEERS).is_some_and(|value| value == "1")
}

/// The root of what their packages hold.
///
/// # Errors
/// When it is not there.
pub fn peers_folder() -> Result<PathBuf> {
    let me = env::current_exe()?;
    let builds = me.parent().and_then(Path::parent).context("where this program is")?;
    let folder = builds.join(PEERS_FOLDER);
    ensure!(folder.is_dir(), "there is no {}: scripts/setup.sh peers makes it", folder.display());
    Ok(folder)
}

/// What is compared with a goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was done.
    pub path: String,
    /// What it took, with its unit.
    pub ours: String,
    /// Who else did it in the same run, and what that took; empty where nobody did.
    pub peer: String,
    /// The goal, in words.
    pub goal: String,
    /// Ours as a part of the goal: at most 1 where it is met.
    pub of_goal: f64,
    /// A curve to be plotted: how much there is, as multiples of the least, and what it took (ms).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<[f64; 2]>,
}

impl Row {
    /// Something that has to be at most `goal`.
    #[must_use]
    pub fn at_most(path: impl Display, ours: f64, goal: f64, unit: &str) -> Self {
        Self {
            path: path.to_string(),
            ours: format!("{} {unit}", figures(ours)),
            peer: String::new(),
            goal: format!("at most {} {unit}", figures(goal)),
            of_goal: ours / goal,
            points: Vec::new(),
        }
    }

    /// Something that has to be at least `goal`.
    #[must_use]
    pub fn at_least(path: impl Display, ours: f64, goal: f64, unit: &str) -> Self {
        Self {
            goal: format!("at least {} {unit}", figures(goal)),
            of_goal: goal / ours.max(f64::MIN_POSITIVE),
            ..Self::at_most(path, ours, goal, unit)
        }
    }

    /// Something that must not happen at all, and how often it did.
    #[must_use]
    pub fn none(path: impl Display, count: u64, of: impl Display) -> Self {
        Self {
            path: path.to_string(),
            ours: format!("{} of {of}", self::count(count)),
            peer: String::new(),
            goal: "none".to_owned(),
            of_goal: if count == 0 { 0.0 } else { 1.0 + count as f64 },
            points: Vec::new(),
        }
    }

    /// With who else did it in the same run.
    #[must_use]
    pub fn beside(self, peer: impl Display) -> Self {
        Self { peer: peer.to_string(), ..self }
    }

    /// Whether the goal is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.of_goal <= 1.0
    }

    /// Says it, and keeps it for the page.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tell(&self) -> Result<()> {
        let Self { path, ours, peer, goal, of_goal, .. } = self;
        let verdict = if self.is_met() { "met" } else { "NOT MET" };
        let peer = if peer.is_empty() { String::new() } else { format!("; {peer}") };
        say(format!("  {path}: {ours}{peer} (goal {goal}: {verdict}, {:.0} % of it)", of_goal * 100.0))?;
        if let Some(file) = env::var_os(ROWS) {
            let mut file = OpenOptions::new().create(true).append(true).open(file)?;
            writeln!(file, "{}", serde_json::to_string(self)?)?;
        }
        Ok(())
    }
}

/// Three figures that count.
#[must_use]
pub fn figures(value: f64) -> String {
    match value.abs() {
        big if big >= 10_000.0 => grouped(&format!("{value:.0}")),
        big if big >= 100.0 => format!("{value:.0}"),
        big if big >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// How many.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    if number >= 10_000 { grouped(&digits) } else { digits }
}

fn grouped(digits: &str) -> String {
    let from_the_right = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = from_the_right.map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// The median, the least and the most.
#[must_use]
pub fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    [at(sorted.len() / 2), at(0), at(sorted.len().saturating_sub(1))]
}

/// One line of a benchmark's text.
///
/// # Errors
/// When nobody reads it.
pub fn say(text: impl Display) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_met_from_either_side() {
        assert!(Row::at_most("disk", 9.0, 10.0, "bytes").is_met());
        assert!(!Row::at_most("disk", 10.1, 10.0, "bytes").is_met());
        assert!(Row::at_least("facts", 15_000.0, 15_000.0, "a second").is_met());
        assert!(!Row::at_least("facts", 0.0, 15_000.0, "a second").is_met());
        assert!(Row::none("lost", 0, "9 saved").is_met() && !Row::none("lost", 1, "9 saved").is_met());
    }

    #[test]
    fn numbers_have_three_figures() {
        let shown = [0.051, 7.249, 61.94, 512.4, 9_999.0, 1_234_567.0].map(figures);
        assert_eq!(shown, ["0.05", "7.25", "61.9", "512", "9999", "1,234,567"]);
        assert_eq!([0, 9_999, 10_000].map(count), ["0", "9999", "10,000"]);
        assert_eq!(spread(&[3.0, 1.0, 2.0]).map(figures), ["2.00", "1.00", "3.00"]);
    }
}
