//! What an outbox row holds: an alert, or somebody's part of the day's list. Kept as JSON.

use linewatch_shared::time::UnixMs;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::alert::Alert;

/// What a message says, before it is put into words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Letter {
    /// One alert.
    Alert(Box<Alert>),
    /// The day's list.
    Day(Box<DayLetter>),
}

impl Letter {
    /// Reads a row's JSON. Only the day's list names a day.
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Shape {
            day: Option<IgnoredAny>,
        }
        if serde_json::from_str::<Shape>(text)?.day.is_some() {
            serde_json::from_str(text).map(|day| Self::Day(Box::new(day)))
        } else {
            serde_json::from_str(text).map(|alert| Self::Alert(Box::new(alert)))
        }
    }

    /// The key under which it exists once.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Alert(alert) => &alert.key,
            Self::Day(day) => &day.key,
        }
    }
}

/// The day's list as one person, or the desk as a whole, is sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayLetter {
    /// The same on every try.
    pub key: String,
    /// The day, such as `2026-11-22`.
    pub day: String,
    /// As of when.
    pub as_of: UnixMs,
    /// In which times are written.
    pub time_zone: String,
    /// What the desk itself owes: kind, month and by when. The desk's own letter alone has them.
    pub notices: Vec<(String, String, UnixMs)>,
    /// Whose lists these are: one owner's, or all.
    pub owners: Vec<DayOwner>,
    /// Whether it is the desk's own letter, with everybody's list.
    pub whole: bool,
    /// Items that are not in it for want of room.
    pub left_out: usize,
    /// Where the list is read in full.
    pub link: String,
}

/// One owner's part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOwner {
    /// Who; empty for what nobody answers for.
    pub name: String,
    /// Whether the owner was sent this part too.
    pub mailed: bool,
    /// Until when the owner is away: in a deputy's letter, for whom the deputy stands in.
    #[serde(default)]
    pub away_until: Option<UnixMs>,
    /// How many items are open.
    pub open: usize,
    /// How many of them are overdue.
    pub overdue: usize,
    /// How many nobody has touched for a day.
    pub untouched: usize,
    /// How many customers are owed a word today.
    pub word_owed: usize,
    /// The most urgent items.
    pub items: Vec<DayItem>,
}

/// One item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayItem {
    /// `fault`, `complaint`, …
    pub kind: String,
    /// The customer's code.
    pub customer: String,
    /// The line's code; may be empty.
    pub line: String,
    /// Its state.
    pub state: String,
    /// Since when.
    pub started_at: UnixMs,
    /// What is due next.
    pub due_at: Option<UnixMs>,
    /// Promises that were missed and are not kept yet.
    pub overdue: i64,
    /// Nobody has done anything about it for a day.
    pub untouched: bool,
    /// The customer is owed a word today.
    pub word_owed: bool,
}
