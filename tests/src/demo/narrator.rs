//! Tells the story, with the time since its start.

use std::io::Write;

use linewatch_shared::time::UnixMs;

use crate::harness::{mono_ms, now};

/// Tells steps as they come, or keeps them.
pub struct Narrator {
    began_ms: i64,
    steps: usize,
    kept: Option<Vec<String>>,
}

impl Default for Narrator {
    fn default() -> Self {
        Self { began_ms: mono_ms(), steps: 0, kept: None }
    }
}

impl Narrator {
    /// Keeps what it would tell.
    #[must_use]
    pub fn quiet() -> Self {
        Self { kept: Some(Vec::new()), ..Self::default() }
    }

    /// What was kept.
    #[must_use]
    pub fn told(&self) -> String {
        self.kept.as_deref().unwrap_or_default().join("\n")
    }

    /// A word beside the steps.
    pub fn say(&mut self, text: &str) {
        self.print(text);
    }

    /// A step that was observed, and how.
    pub fn step(&mut self, what: &str, seen: &str) {
        self.steps += 1;
        self.print(&format!("{:>2}. {what}  [{seen}]", self.steps));
    }

    /// How many steps were observed.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    fn print(&mut self, text: &str) {
        let since_ms = mono_ms() - self.began_ms;
        let line = format!("{:>7.1} s  {text}", since_ms as f64 / 1_000.0);
        match &mut self.kept {
            Some(kept) => kept.push(line),
            None => {
                // With standard output gone there is nobody left to tell.
                let _ = writeln!(std::io::stdout(), "{line}");
            }
        }
    }
}

/// Seconds from one moment to another, as text.
#[must_use]
pub fn seconds(from: UnixMs, to: UnixMs) -> String {
    format!("{:.1} s", to.since(from) as f64 / 1_000.0)
}

/// Seconds from a moment until now, as text.
#[must_use]
pub fn seconds_since(from: UnixMs) -> String {
    seconds(from, now())
}
