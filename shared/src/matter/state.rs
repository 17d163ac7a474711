//! One matter: what the walk over its facts found, and what was told of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::acceptance::Accepting;
use super::fact::Papers;
use super::owed::{Owed, deadlines};
use super::permit::Held;
use crate::rules::{ClosedBy, MatterKind};
use crate::sla::{Effect, Exemption, Interval, Ledger, Placed, judge_all, next_mark};
use crate::time::UnixMs;

/// Where a matter stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatterState {
    /// Known, and nobody has taken it up.
    Open,
    /// Taken up.
    Answered,
    /// The work is done; the customer's, the inspector's or the superior's word is awaited.
    Resolved,
    /// Nothing is owed any more.
    Closed,
    /// Closed by a supervisor without the customer's word.
    ClosedUnconfirmed,
    /// Wanted no longer.
    Cancelled,
}

impl MatterState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Answered, Self::Resolved, Self::Closed, Self::ClosedUnconfirmed, Self::Cancelled];

    /// The state's name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::ClosedUnconfirmed => "closed_unconfirmed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Something is still owed.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Answered | Self::Resolved)
    }
}

/// One matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// The id of its opening fact.
    pub id: Uuid,
    /// What it is.
    pub kind: MatterKind,
    /// Its class now, or the cadence that it is a round of.
    pub class: String,
    /// The customer's code.
    pub customer: String,
    /// The line's code.
    pub line: Option<String>,
    /// The site.
    pub site: Option<String>,
    /// What it is about.
    pub title: String,
    /// Who answers for it.
    pub owner: String,
    /// Who took it in.
    pub first_receiver: String,
    /// The pack, and its version, that it was opened under.
    pub pack: (String, String),
    /// Where it stands.
    pub state: MatterState,
    /// When it was opened.
    pub opened_at: UnixMs,
    /// When the work was done, while that holds.
    pub resolved_at: Option<UnixMs>,
    /// When it was closed or cancelled.
    pub closed_at: Option<UnixMs>,
    /// What closes it.
    pub closed_by: ClosedBy,
    /// Warning marks of its promises, in thousandths.
    pub warn_at_permille: Vec<u16>,
    /// What was, and is, owed.
    pub owed: Vec<Owed>,
    /// When its clock stood still.
    pub pauses: Vec<Interval>,
    /// How often its promised time was put off.
    pub postponed: u32,
    /// The level of authority that it needs.
    pub level: u32,
    /// Complaints that repeat it.
    pub repeats: Vec<Uuid>,
    /// Where it comes from.
    pub about: Option<Uuid>,
    /// The piece of equipment.
    #[serde(default)]
    pub equipment: Option<Uuid>,
    /// The permit to work that the work takes, in the pack.
    #[serde(default)]
    pub permit: Option<String>,
    /// Permits that were granted, in order.
    #[serde(default)]
    pub permits: Vec<Held>,
    /// When work at the site began.
    #[serde(default)]
    pub begun_at: Option<UnixMs>,
    /// How far it has come, where it is an acceptance.
    #[serde(default)]
    pub acceptance: Option<Accepting>,
    /// What the round left on file.
    #[serde(default)]
    pub papers: Papers,
    /// When a round is planned for.
    pub planned_at: Option<UnixMs>,
    /// Points of the checklist that were found wrong.
    pub failed_points: Vec<String>,
    /// Which callback of the schedule is owed, from 0 on, after others in vain.
    #[serde(default)]
    pub callback_retry: Option<u32>,
    /// Taken out of the figures.
    pub exemption: Option<Exemption>,
    /// Every fact of the matter, in fold order.
    pub facts: Vec<Placed>,
}

impl Matter {
    /// Why the fact had no effect, where it had none.
    #[must_use]
    pub fn misfit(&self, fact: Uuid) -> Option<&str> {
        self.facts.iter().find(|placed| placed.id == fact)?.misfit.as_deref()
    }

    /// Whether a pause is in force.
    #[must_use]
    pub fn is_paused(&self, at: UnixMs) -> bool {
        self.pauses.iter().any(|pause| pause.contains(at))
    }

    /// The kinds of step that fit at the moment.
    #[must_use]
    pub fn possible(&self, at: UnixMs) -> Vec<&'static str> {
        if !self.state.is_live() {
            return vec!["exempted", "note"];
        }
        let mut kinds = match self.kind {
            MatterKind::Visit | MatterKind::Patrol => return self.possible_of_round(),
            MatterKind::Complaint | MatterKind::Request => vec!["told", "callback", "signed", "repeated"],
            MatterKind::Defect => vec!["told", "noticed"],
            MatterKind::Promise => vec!["told"],
        };
        if self.state == MatterState::Open {
            kinds.extend(["answered", "agreed"]);
        }
        if self.state == MatterState::Resolved {
            if self.closed_by == ClosedBy::Inspection {
                kinds.push("inspected");
            }
        } else {
            kinds.retain(|kind| *kind != "callback");
            kinds.extend(["routed", "postponed", "reclassed", "raised", "resolved"]);
            kinds.push(if self.is_paused(at) { "resumed" } else { "paused" });
            if self.kind == MatterKind::Defect {
                kinds.extend(self.possible_of_work());
            }
        }
        kinds.extend(["assigned", "closed_unconfirmed", "cancelled", "exempted", "note"]);
        kinds
    }

    fn possible_of_work(&self) -> impl Iterator<Item = &'static str> {
        let permit = self.permit.is_some();
        let permit = permit.then(|| if self.permit_is_out() { "permit_returned" } else { "permit_granted" });
        permit.into_iter().chain(self.begun_at.is_none().then_some("begun"))
    }

    fn possible_of_round(&self) -> Vec<&'static str> {
        let mut kinds = if self.acceptance.is_some() { vec!["signed", "refused"] } else { vec!["reviewed"] };
        if self.state != MatterState::Resolved {
            kinds = vec!["planned", "made"];
            kinds.extend(self.possible_of_work());
        }
        kinds.extend(["assigned", "cancelled", "exempted", "note"]);
        kinds
    }
}

/// A matter and what was told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The matter.
    pub matter: Matter,
    /// What was told.
    pub ledger: Ledger,
}

/// Says what has to be told as of `now`, and remembers it. A second call at the same time says nothing.
pub fn advance(standing: &mut Standing, now: UnixMs) -> Vec<Effect> {
    let now = standing.ledger.as_of(now);
    let list = deadlines(&standing.matter, now);
    judge_all(standing.matter.id, &list, &mut standing.ledger, now)
}

/// The next moment at which [`advance`] may have something to tell.
#[must_use]
pub fn next_wake(standing: &Standing, now: UnixMs) -> Option<UnixMs> {
    if !standing.matter.state.is_live() {
        return None;
    }
    next_mark(&deadlines(&standing.matter, now), &standing.ledger, now)
}
