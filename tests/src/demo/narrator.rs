//! Tells the story, with the time since its start.

use std::io::Write;

use linewatch_shared::time::UnixMs;

use crate::harness::{mono_ms, now};

/// Prints steps; keeps what was told.
pub struct Narrator {
    began_ms: i64,
    steps: usize,
}

impl Default for Narrator {
    fn default() -> Self {
        Self { began_ms: mono_ms(), steps: 0 }
    }
}

impl Narrator {
    /// A word beside the steps.
    pub fn say(&self, text: &str) {
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

    fn print(&self, text: &str) {
        let since_ms = mono_ms() - self.began_ms;
        // With standard output gone there is nobody left to tell.
        let _ = writeln!(std::io::stdout(), "{:>7.1} s  {text}", since_ms as f64 / 1_000.0);
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
