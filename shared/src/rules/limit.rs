//! How long something may take, and which time counts towards it.

use serde::{Deserialize, Serialize};

/// The time that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Every millisecond, midnight included (7×24).
    Always,
    /// The 24 hours of each working day of the pack's calendar.
    WorkingDays,
    /// The business hours of each working day.
    BusinessHours,
}

/// An allowance of countable time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Limit {
    /// How much of it (ms): three working days are 72 hours of working days.
    pub ms: i64,
    /// Which time counts.
    pub counts: Counts,
}

impl Limit {
    /// Round the clock.
    #[must_use]
    pub const fn always(ms: i64) -> Self {
        Self { ms, counts: Counts::Always }
    }
}
