//! Classes of matters that are no line faults, and duties that come round: what each owes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Label;
use super::acceptance::Acceptance;
use super::limit::Limit;
use super::reading::Range;

/// What kind of matter a class is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatterKind {
    /// What a customer complains of.
    Complaint,
    /// What a customer asks for.
    Request,
    /// Something wrong that does not (yet) break service.
    Defect,
    /// What somebody promised a customer, for a day.
    Promise,
    /// A presence at a customer's, owed by a cadence.
    Visit,
    /// An inspection round, owed by a cadence.
    Patrol,
}

impl MatterKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Complaint, Self::Request, Self::Defect, Self::Promise, Self::Visit, Self::Patrol];

    /// The kind's name in the API and in packs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::Request => "request",
            Self::Defect => "defect",
            Self::Promise => "promise",
            Self::Visit => "visit",
            Self::Patrol => "patrol",
        }
    }

    /// Reads [`MatterKind::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What closes a matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// A callback in which the customer is satisfied, or a signature.
    Customer,
    /// The customer's signature only.
    Signature,
    /// A supervisor's word.
    Supervisor,
    /// A second inspection that finds it well.
    Inspection,
    /// The work itself.
    Work,
}

/// A class of complaints, requests, defects or promises. A limit that is absent is not promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Of which kind of matter.
    pub matter: MatterKind,
    /// The name in data, such as `minor`.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// Taken up: somebody has arrived, or has answered, from the opening on.
    pub answer_within: Option<Limit>,
    /// Handed to the unit that it concerns, where one is named, from the opening on.
    pub route_within: Option<Limit>,
    /// Done, from the opening on, or by the time that the customer asked for.
    pub resolve_within: Option<Limit>,
    /// The customer hears how it stands at least every.
    pub progress_every: Option<Limit>,
    /// The customer is asked within, from the work's end on.
    pub callback_within: Option<Limit>,
    /// The customer is asked again so long after each call in vain, in order (ms).
    #[serde(default = "super::read::callback_retries_ms")]
    pub callback_retries_ms: Vec<i64>,
    /// Once those are used up, a supervisor decides within (ms).
    #[serde(default = "super::read::supervisor_within_ms")]
    pub supervisor_within_ms: i64,
    /// The permit to work that it takes.
    #[serde(default)]
    pub permit: Option<String>,
    /// What closes it.
    pub closed_by: ClosedBy,
    /// Whether only a supervisor may put a matter into this class.
    pub supervisor_only: bool,
    /// The class that a matter takes when the customer has to complain of it again.
    pub repeat_becomes: Option<String>,
    /// Who is told of each change of such a matter until it is closed: `supervisors`, `desk`, a person or an address.
    #[serde(default)]
    pub reported_to: Vec<String>,
    /// The level of authority from which on somebody may handle it; 1 is the lowest.
    pub level: u32,
    /// Warning marks, in thousandths of an allowance, rising.
    pub warn_at_permille: Vec<u16>,
}

/// How often a duty comes round. Periods begin and end in the pack's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// So long after the last time (ms).
    Span(i64),
    /// Twice a day: by noon and by midnight.
    HalfDay,
    /// By the end of each week (Sunday).
    Week,
    /// Twice a month: by the end of the 15th and of the last day.
    HalfMonth,
    /// By the end of each month.
    Month,
    /// By the end of each quarter.
    Quarter,
    /// In spring by the end of May, in autumn by the end of November.
    Seasons,
    /// By the end of each year.
    Year,
    /// Not at all: an acceptance is opened when something new is handed over.
    Once,
}

/// A duty that comes round: visits of customers, patrols of sites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cadence {
    /// [`MatterKind::Visit`] or [`MatterKind::Patrol`].
    pub matter: MatterKind,
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// For customers of these tiers; for all when empty.
    pub tiers: Vec<String>,
    /// How often.
    pub every: Every,
    /// The ways that count, such as `face_to_face`; any when empty.
    pub modes: Vec<String>,
    /// The checklist to go through.
    pub checklist: Option<String>,
    /// A round for each piece of equipment of these kinds; of a site, or of the customer as a whole, when empty.
    #[serde(default)]
    pub equipment: Vec<String>,
    /// The permit to work that it takes.
    #[serde(default)]
    pub permit: Option<String>,
    /// Whether who made the round names the report that was filed.
    #[serde(default)]
    pub report: bool,
    /// A superior reviews the report within.
    pub review_within: Option<Limit>,
    /// What it takes into service, where it is an acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<Acceptance>,
    /// Warning marks, in thousandths of an allowance, rising.
    pub warn_at_permille: Vec<u16>,
}

impl Cadence {
    /// Whether customers of that tier are owed it.
    #[must_use]
    pub fn is_for_tier(&self, tier: &str) -> bool {
        self.tiers.is_empty() || self.tiers.iter().any(|name| name == tier)
    }
}

/// Points to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// The points, in order: name in data and for people.
    pub items: Vec<(String, Label)>,
    /// What is measured at points, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub readings: BTreeMap<String, Range>,
}

/// How often, and how far, a promised time may be put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponing {
    /// How often without a supervisor.
    pub times: u32,
    /// How far away a promised time generally lies at most (ms).
    pub at_most_ms: i64,
}

/// A level of authority: who exceeds theirs raises the matter to the next. The first in a pack is level 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
}
