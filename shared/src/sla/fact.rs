//! A fact of one line, as the fold sees it: its time corrected, its author named.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::detector::LineState;
use crate::facts::{Channel, Step, StepKind};
use crate::time::UnixMs;

/// A fact of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The record's id.
    pub id: Uuid,
    /// When it happened.
    pub occurred_at: UnixMs,
    /// What happened.
    pub event: Event,
}

/// What happened to a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An agent's probes say that the line is in this state from now on.
    Evidence {
        /// The agent's name.
        agent: String,
        /// The state.
        state: LineState,
    },
    /// A person reported a fault.
    Report {
        /// Where it came in.
        channel: Channel,
        /// Who reported.
        reporter: String,
        /// What was reported.
        description: String,
    },
    /// The agent that watches the line has fallen silent.
    Suspected,
    /// The silent agent is back and all its records are in.
    Cleared,
    /// A step of a fault.
    Step(Step),
}

impl Event {
    /// The kind's name in the API.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Evidence { state: LineState::Down, .. } => "down",
            Self::Evidence { state: LineState::Up, .. } => "up",
            Self::Evidence { state: LineState::Degraded, .. } => "degraded",
            Self::Evidence { state: LineState::Unknown, .. } => "unknown",
            Self::Report { .. } => "reported",
            Self::Suspected => "suspected",
            Self::Cleared => "cleared",
            Self::Step(step) => step.kind.name(),
        }
    }

    /// Whether it may begin a fault, or join one.
    pub(super) const fn opens(&self) -> bool {
        matches!(
            self,
            Self::Evidence { state: LineState::Down | LineState::Degraded, .. } | Self::Report { .. }
        )
    }

    /// The place within one instant: what opens comes before what acknowledges, before what ends.
    const fn life_rank(&self) -> u8 {
        match self {
            Self::Evidence { state: LineState::Down | LineState::Degraded, .. } => 0,
            Self::Report { .. } => 1,
            Self::Suspected => 2,
            Self::Evidence { .. } => 7,
            Self::Cleared => 8,
            Self::Step(step) => match step.kind {
                StepKind::Acknowledged => 3,
                StepKind::Dispatched => 4,
                StepKind::Arrived | StepKind::Paused { .. } | StepKind::Feedback { .. } => 5,
                StepKind::Resumed
                | StepKind::Exempted { .. }
                | StepKind::Merged { .. }
                | StepKind::Split { .. }
                | StepKind::Rerated { .. }
                | StepKind::Note { .. } => 6,
                StepKind::Restored => 9,
                StepKind::Reopened { .. } => 10,
                StepKind::Repaired => 11,
                StepKind::Callback(_) => 12,
                StepKind::ClosedUnconfirmed { .. } => 13,
            },
        }
    }
}

impl Fact {
    /// The key of the one order inside the fold.
    #[must_use]
    pub const fn fold_order(&self) -> (UnixMs, u8, Uuid) {
        (self.occurred_at, self.event.life_rank(), self.id)
    }
}
