//! The facts that matters are found from.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::acceptance::Side;
use super::permit::PermitGrant;
use crate::facts::Callback;
use crate::rules::{MatterKind, Reading};
use crate::time::UnixMs;

/// A fact of one matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatterFact {
    /// The fact's id; an opening fact's is the matter's.
    pub id: Uuid,
    /// When it happened.
    pub occurred_at: UnixMs,
    /// What happened.
    pub event: MatterEvent,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatterEvent {
    /// It was taken in.
    Opened(Box<Opening>),
    /// Something was done about it.
    Step(MatterStep),
}

/// How a matter begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// What it is.
    pub kind: MatterKind,
    /// Its class in the pack, or the cadence that it is a round of.
    pub class: String,
    /// The customer's code.
    pub customer: String,
    /// The line's code, where it is about one.
    pub line: Option<String>,
    /// The site, where it is about one.
    pub site: Option<String>,
    /// What it is about, in one line.
    pub title: String,
    /// In full.
    pub description: String,
    /// Who asked, as told.
    pub reporter: String,
    /// Who answers for it (责任人): never nobody.
    pub owner: String,
    /// Who took it in (第一接待人), and is told the outcome.
    pub first_receiver: String,
    /// Another unit that it concerns, to which it has to be routed.
    pub unit: Option<String>,
    /// The day that the customer asked for, or was promised.
    pub wanted_by: Option<UnixMs>,
    /// Where it comes from: the complaint that it repeats, the visit in which it was promised, the round on which it
    /// was found.
    pub about: Option<Uuid>,
    /// The piece of equipment, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equipment: Option<Uuid>,
}

/// A point of a checklist as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The point's name in the checklist.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// What was measured, in the unit of the checklist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// A word beside it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The class of the defect that it becomes, where it is not well and somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The piece of equipment that it was found on, where the round is of more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equipment: Option<Uuid>,
}

/// What a round leaves on file, as references.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Papers {
    /// The report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

/// What was done about a matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatterStep {
    /// Somebody has arrived, or it is being handled on the phone; of a defect: told, and somebody sent.
    Answered,
    /// The answer cannot come in time; the customer was told before and agrees.
    Agreed {
        /// To this time.
        until: UnixMs,
    },
    /// Handed to another unit.
    Routed {
        /// Which.
        unit: String,
    },
    /// The customer was told how it stands.
    Told {
        /// False for a call that was not answered: recorded, does not count.
        reached: bool,
    },
    /// The promised time is put off.
    Postponed {
        /// To when.
        until: UnixMs,
        /// Why.
        reason: String,
        /// The supervisor who recorded it as a special case.
        supervisor: Option<String>,
    },
    /// It is of another class.
    Reclassed {
        /// Which.
        class: String,
        /// Why.
        reason: String,
        /// The supervisor who judged so.
        supervisor: Option<String>,
        /// The date that the customer was told, where there is one.
        until: Option<UnixMs>,
    },
    /// It exceeds the handler's authority.
    Raised {
        /// To this level.
        level: u32,
        /// Why.
        reason: String,
    },
    /// Somebody else answers for it from now on.
    Assigned {
        /// Who.
        owner: String,
    },
    /// The customer had to complain again of the same thing.
    Repeated {
        /// The repeat complaint.
        complaint: Uuid,
    },
    /// A rectification notice was given (整改通知).
    Noticed {
        /// To whom.
        to: String,
    },
    /// The work is done.
    Resolved {
        /// How.
        how: String,
    },
    /// A second inspection (复检).
    Inspected {
        /// Whether it is well.
        ok: bool,
    },
    /// The customer was asked whether it is well.
    Callback(Callback),
    /// The customer signed, or of an acceptance: one of both sides.
    Signed {
        /// Who.
        name: String,
        /// For whom; the customer where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        side: Option<Side>,
    },
    /// The customer does not take over what is to be accepted.
    Refused {
        /// Why.
        reason: String,
    },
    /// A round is planned.
    Planned {
        /// For when.
        at: UnixMs,
        /// Who of the customer's agreed to a time at which the site is closed to us.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agreed_by: Option<String>,
    },
    /// A permit to work was granted.
    PermitGranted(Box<PermitGrant>),
    /// Work at the site begins.
    Begun,
    /// The permit to work was returned.
    PermitReturned,
    /// A round was made.
    Made {
        /// How, such as `face_to_face`.
        mode: String,
        /// Who was met.
        met: String,
        /// The checklist's points as found.
        points: Vec<Point>,
        /// What is on file.
        #[serde(default)]
        papers: Papers,
    },
    /// A superior has reviewed the report.
    Reviewed {
        /// Whether it is accepted.
        ok: bool,
    },
    /// The clock of the work stands still.
    Paused {
        /// One of the pack's pause causes.
        cause: String,
        /// In words.
        reason: String,
        /// When it ends by itself.
        until: UnixMs,
        /// Who allowed it.
        grantor: String,
    },
    /// The pause ends early.
    Resumed,
    /// Taken out of the compliance figures.
    Exempted {
        /// One of the pack's exempt causes.
        cause: String,
        /// Who granted it.
        grantor: String,
    },
    /// A supervisor closes it.
    ClosedUnconfirmed {
        /// Why.
        reason: String,
        /// Who.
        supervisor: String,
    },
    /// It is wanted no longer.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// A word for the record.
    Note {
        /// The word.
        text: String,
    },
}

impl MatterStep {
    /// The step's name in the API.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Agreed { .. } => "agreed",
            Self::Routed { .. } => "routed",
            Self::Told { .. } => "told",
            Self::Postponed { .. } => "postponed",
            Self::Reclassed { .. } => "reclassed",
            Self::Raised { .. } => "raised",
            Self::Assigned { .. } => "assigned",
            Self::Repeated { .. } => "repeated",
            Self::Noticed { .. } => "noticed",
            Self::Resolved { .. } => "resolved",
            Self::Inspected { .. } => "inspected",
            Self::Callback(_) => "callback",
            Self::Signed { .. } => "signed",
            Self::Refused { .. } => "refused",
            Self::Planned { .. } => "planned",
            Self::PermitGranted(_) => "permit_granted",
            Self::Begun => "begun",
            Self::PermitReturned => "permit_returned",
            Self::Made { .. } => "made",
            Self::Reviewed { .. } => "reviewed",
            Self::Paused { .. } => "paused",
            Self::Resumed => "resumed",
            Self::Exempted { .. } => "exempted",
            Self::ClosedUnconfirmed { .. } => "closed_unconfirmed",
            Self::Cancelled { .. } => "cancelled",
            Self::Note { .. } => "note",
        }
    }

    /// The place within one instant: what takes up comes before what ends.
    const fn life_rank(&self) -> u8 {
        match self {
            Self::Answered | Self::Agreed { .. } | Self::Planned { .. } | Self::PermitGranted(_) => 1,
            Self::Routed { .. } | Self::Raised { .. } | Self::Assigned { .. } | Self::Noticed { .. } => 2,
            Self::Reclassed { .. } | Self::Repeated { .. } | Self::Postponed { .. } => 3,
            Self::Paused { .. } | Self::Told { .. } | Self::Begun => 4,
            Self::Resumed | Self::Exempted { .. } | Self::Note { .. } | Self::PermitReturned => 5,
            Self::Resolved { .. } | Self::Made { .. } => 6,
            Self::Inspected { .. } | Self::Reviewed { .. } | Self::Refused { .. } | Self::Callback(_) => 7,
            Self::Signed { .. } | Self::ClosedUnconfirmed { .. } | Self::Cancelled { .. } => 8,
        }
    }
}

impl MatterEvent {
    /// The event's name in the API.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::Step(step) => step.name(),
        }
    }
}

impl MatterFact {
    /// The key of the one order inside the fold. What opens the matter comes first, whenever it is dated.
    #[must_use]
    pub const fn fold_order(&self) -> (bool, UnixMs, u8, Uuid) {
        match &self.event {
            MatterEvent::Opened(_) => (false, self.occurred_at, 0, self.id),
            MatterEvent::Step(step) => (true, self.occurred_at, step.life_rank(), self.id),
        }
    }
}
