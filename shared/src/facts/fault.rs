//! The facts that faults are found from.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::detector::{Evidence, LineState};
use crate::time::UnixMs;

/// A line changed state, by an agent's probes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineChange {
    /// The line's code.
    pub line: String,
    /// The state from the fact's time on.
    pub state: LineState,
    /// What the verdict rests on.
    pub evidence: Evidence,
}

impl LineChange {
    /// The state that faults are found from: up with degraded evidence is degraded.
    #[must_use]
    pub const fn seen(&self) -> LineState {
        match self.state {
            LineState::Up if self.evidence.degraded => LineState::Degraded,
            state => state,
        }
    }
}

/// Where a report came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The customer called.
    Hotline,
    /// The account manager reported for the customer.
    Manager,
    /// A technician on site.
    Technician,
    /// The monitoring centre itself.
    Noc,
}

impl Channel {
    /// The channel's name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hotline => "hotline",
            Self::Manager => "manager",
            Self::Technician => "technician",
            Self::Noc => "noc",
        }
    }
}

/// A person reported a fault of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The line's code.
    pub line: String,
    /// Where it came in.
    pub channel: Channel,
    /// Who reported, as told; may be empty.
    pub reporter: String,
    /// What was reported.
    pub description: String,
}

/// A step of a fault, named by any of its aliases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The fault's id or an alias of it.
    pub fault: Uuid,
    /// What was done.
    pub kind: StepKind,
    /// A word beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What was done about a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The desk has seen it.
    Acknowledged,
    /// Somebody was sent.
    Dispatched,
    /// Somebody is there. From a fault that nobody was sent to, it is dispatched by that.
    Arrived,
    /// Service works again, if by a temporary route.
    Restored,
    /// The cause is mended.
    Repaired,
    /// The customer was told how the fault stands.
    Feedback {
        /// False for a call that was not answered: recorded, does not count.
        reached: bool,
    },
    /// The customer was asked whether it is really well.
    Callback(Callback),
    /// The restoration was wrong, or did not last.
    Reopened {
        /// In the speaker's own words.
        reason: String,
        /// Which of the two it is.
        case: Reopening,
    },
    /// The restoration and repair clocks stand still.
    Paused {
        /// One of the pack's pause causes.
        cause: String,
        /// In words.
        reason: String,
        /// When it ends by itself.
        until: UnixMs,
        /// What shows it.
        evidence: String,
        /// Who allowed it.
        grantor: String,
    },
    /// The pause ends early.
    Resumed,
    /// Taken out of the compliance figures, the repeat count and the yearly interruption.
    Exempted {
        /// One of the pack's exempt causes.
        cause: String,
        /// Who granted it.
        grantor: String,
    },
    /// A supervisor closes without the customer's word, because nobody can be reached.
    ClosedUnconfirmed {
        /// In words.
        reason: String,
        /// The supervisor.
        by: String,
    },
    /// The fault and another one of its line turned out to be one.
    Merged {
        /// The other one's id or an alias.
        into: Uuid,
    },
    /// Some of what opened the fault turned out to be another one.
    Split {
        /// The ids of those reports or evidence.
        reports: Vec<Uuid>,
    },
    /// Promised by another tier, or by another version of the pack, from now on.
    Rerated {
        /// The tier; the one that it has where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tier: Option<String>,
        /// The version of its pack; the one that it is under where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// In words.
        reason: String,
        /// Who decided.
        grantor: String,
    },
    /// A word for the record.
    Note {
        /// The word.
        text: String,
    },
}

impl StepKind {
    /// Whether it is a supervisor's decision at the desk, which no device takes in anybody's name.
    #[must_use]
    pub const fn is_supervisors(&self) -> bool {
        matches!(self, Self::ClosedUnconfirmed { .. } | Self::Rerated { .. })
    }

    /// Whether it changes what a fault counts for, by somebody's leave.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        matches!(
            self,
            Self::Exempted { .. }
                | Self::Paused { .. }
                | Self::ClosedUnconfirmed { .. }
                | Self::Merged { .. }
                | Self::Split { .. }
                | Self::Rerated { .. }
        )
    }

    /// The kind's name in the API.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Dispatched => "dispatched",
            Self::Arrived => "arrived",
            Self::Restored => "restored",
            Self::Repaired => "repaired",
            Self::Feedback { .. } => "feedback",
            Self::Callback(_) => "callback",
            Self::Reopened { .. } => "reopened",
            Self::Paused { .. } => "paused",
            Self::Resumed => "resumed",
            Self::Exempted { .. } => "exempted",
            Self::ClosedUnconfirmed { .. } => "closed_unconfirmed",
            Self::Merged { .. } => "merged",
            Self::Split { .. } => "split",
            Self::Rerated { .. } => "rerated",
            Self::Note { .. } => "note",
        }
    }
}

impl Step {
    /// The faults that the step speaks of, by any of their ids.
    pub fn faults(&self) -> impl Iterator<Item = Uuid> {
        let other = match &self.kind {
            StepKind::Merged { into } => Some(*into),
            _ => None,
        };
        std::iter::once(self.fault).chain(other)
    }

    /// The openings that a split takes out of the fault.
    #[must_use]
    pub fn reports(&self) -> &[Uuid] {
        match &self.kind {
            StepKind::Split { reports } => reports,
            _ => &[],
        }
    }

    /// Whether it says which openings are of which fault.
    #[must_use]
    pub const fn reshapes(&self) -> bool {
        matches!(self.kind, StepKind::Merged { .. } | StepKind::Split { .. })
    }
}

/// The two ways in which a restoration is taken back before the customer's confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reopening {
    /// It never came back: the clock is continuous from its start.
    NeverCameBack,
    /// It failed again: the clock goes on from the time already spent.
    FailedAgain,
}

/// How a callback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Callback {
    /// Nobody answered: it is tried again.
    NotReached,
    /// The customer said yes: confirmed, and closed.
    Satisfied,
    /// Not satisfied although service is up: the repair goes on.
    Unsatisfied,
    /// Not satisfied, and service is down: the fault is reopened.
    StillDown,
}
