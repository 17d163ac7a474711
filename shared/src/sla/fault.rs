//! One fault: what the walk over its facts found. Times and runs only; what is owed is read from it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::countable::Countable;
use super::interval::{Interval, union_ms, without};
use crate::rules::Tier;
use crate::time::UnixMs;

/// Where a fault stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// An agent is silent; no clock runs.
    Suspected,
    /// Known, and nobody has taken it up.
    Open,
    /// The desk has seen it.
    Acknowledged,
    /// Somebody was sent.
    Dispatched,
    /// Service works again.
    Restored,
    /// The cause is mended.
    Repaired,
    /// The customer said yes; nothing is owed any more.
    Closed,
    /// A supervisor closed it without the customer's word; nothing is owed any more.
    ClosedUnconfirmed,
    /// Later facts took it away.
    Withdrawn,
}

impl State {
    /// The state's name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Dispatched => "dispatched",
            Self::Restored => "restored",
            Self::Repaired => "repaired",
            Self::Closed => "closed",
            Self::ClosedUnconfirmed => "closed_unconfirmed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Service is (or may be) down: the restoration clock runs.
    #[must_use]
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged | Self::Dispatched)
    }

    /// At its end, with the customer's word or a supervisor's.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Closed | Self::ClosedUnconfirmed)
    }

    /// Something is still owed.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !self.is_closed() && !matches!(self, Self::Withdrawn)
    }
}

/// What the fault was promised under: kept from its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The customer's code.
    pub customer: String,
    /// The pack's name.
    pub pack: String,
    /// The pack's version.
    pub version: String,
    /// What runs over the line.
    #[serde(default)]
    pub service: String,
    /// The tier with its limits.
    pub tier: Tier,
    /// False where nothing was promised: the fault is worked on, and owes no deadline.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub promised: bool,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_yes(promised: &bool) -> bool {
    *promised
}

/// Terms that held until a fault was re-rated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// Until when.
    pub until: UnixMs,
    /// The terms.
    pub terms: Terms,
    /// The working time that counted towards them.
    #[serde(default)]
    pub countable: Countable,
}

/// A clock that stood still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// From when, to when at the latest or since it was resumed.
    pub span: Interval,
    /// One of the pack's causes.
    pub cause: String,
    /// What shows it.
    #[serde(default)]
    pub evidence: String,
    /// Who allowed it.
    pub grantor: String,
}

/// Taken out of the figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// One of the pack's causes.
    pub cause: String,
    /// Who granted it.
    pub grantor: String,
    /// When.
    pub at: UnixMs,
}

/// One stretch in which something was owed, begun by a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The fact that began it; none for the fault's first of its kind.
    pub begun_by: Option<Uuid>,
    /// When it began.
    pub from: UnixMs,
    /// When, and how, it ended.
    pub ended: Option<(UnixMs, Ending)>,
}

/// How a stretch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// What was owed was done.
    Done,
    /// It is owed no longer.
    Cancelled,
}

/// A callback owed after one in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// The stretch, begun by the callback in vain.
    pub run: Run,
    /// Which one in a row, from 0 on.
    pub number: u32,
}

/// A stretch of feedback: period after period until the customer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackRun {
    /// The stretch.
    pub run: Run,
    /// True for the one message "it is back": a single period, which does not repeat.
    pub is_back: bool,
}

/// A fact in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The fact.
    pub id: Uuid,
    /// Why it does not fit, where it does not: kept, marked, without effect.
    pub misfit: Option<String>,
}

/// One fault of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The id of its first opening fact.
    pub id: Uuid,
    /// The ids of its other opening facts; every call resolves them.
    pub aliases: Vec<Uuid>,
    /// The line's code.
    pub line: String,
    /// Where it stands.
    pub state: State,
    /// The earliest of its facts: where a refold begins.
    pub first_at: UnixMs,
    /// The earliest evidence or report.
    pub started_at: UnixMs,
    /// The first evidence.
    pub detected_at: Option<UnixMs>,
    /// The first report by a person.
    pub reported_at: Option<UnixMs>,
    /// Whether the desk has ever taken it up.
    pub acknowledged: bool,
    /// When the desk first took it up.
    #[serde(default)]
    pub acknowledged_at: Option<UnixMs>,
    /// What it was promised under.
    pub terms: Terms,
    /// The working time that counts towards its limits.
    #[serde(default)]
    pub countable: Countable,
    /// What it was promised under before it was re-rated, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Former>,
    /// Stretches in which the restoration clock ran, pauses not taken out.
    pub clock: Vec<Interval>,
    /// Pauses, disjoint and rising.
    pub pauses: Vec<Pause>,
    /// Stretches without service.
    pub outage: Vec<Interval>,
    /// Stretches in which service was there, and worse than promised; an outage cancels what is owed for one.
    #[serde(default)]
    pub degraded: Vec<Run>,
    /// Feedback owed.
    pub feedback: Vec<FeedbackRun>,
    /// Repairs owed.
    pub repairs: Vec<Run>,
    /// Callbacks owed.
    pub callbacks: Vec<Run>,
    /// Callbacks owed after others in vain, by the pack's schedule.
    #[serde(default)]
    pub retries: Vec<Retry>,
    /// Decisions owed by a supervisor, because the customer cannot be reached.
    #[serde(default)]
    pub supervision: Vec<Run>,
    /// When evidence says that service came back, while a person's word is awaited.
    pub proposed_restored_at: Option<UnixMs>,
    /// The restoration in force.
    pub restored_at: Option<UnixMs>,
    /// The last restoration that was ever said, in force or taken back: what a new failure joins.
    pub last_restored_at: Option<UnixMs>,
    /// The customer's confirmation, or a supervisor's closing.
    pub closed_at: Option<UnixMs>,
    /// The exemption, where there is one.
    pub exemption: Option<Exemption>,
    /// The confirmed fault that this one follows within the pack's time.
    pub follows: Option<Uuid>,
    /// Every fact of the fault, in fold order.
    pub facts: Vec<Placed>,
}

impl Fault {
    /// Whether the id is the fault's own or an alias.
    #[must_use]
    pub fn answers_to(&self, id: Uuid) -> bool {
        self.id == id || self.aliases.contains(&id)
    }

    /// Why the fact had no effect, where it had none.
    #[must_use]
    pub fn misfit(&self, fact: Uuid) -> Option<&str> {
        self.facts.iter().find(|placed| placed.id == fact)?.misfit.as_deref()
    }

    /// Whether the fault counts in the figures.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.exemption.is_none()
            && self.terms.promised
            && !matches!(self.state, State::Suspected | State::Withdrawn)
    }

    /// Whether a pause is in force.
    #[must_use]
    pub fn is_paused(&self, at: UnixMs) -> bool {
        self.pauses.iter().any(|pause| pause.span.contains(at))
    }

    /// The moment after which an opening fact begins another fault, while none is known to follow.
    #[must_use]
    pub fn joins_until(&self, same_fault_within_ms: i64) -> UnixMs {
        match (self.state, self.restored_at) {
            (State::Suspected, _) => UnixMs::MAX,
            // Until it was cleared, an opening that comes to be known later would have confirmed a suspicion.
            (State::Withdrawn, _) => self.closed_at.unwrap_or(self.started_at),
            (_, Some(restored_at)) => restored_at + same_fault_within_ms,
            (_, None) => UnixMs::MAX,
        }
    }

    /// Whether service was bad, and never out.
    #[must_use]
    pub fn is_degraded_only(&self) -> bool {
        !self.degraded.is_empty() && self.outage.is_empty() && self.clock.is_empty()
    }

    /// How long service was out so far (ms): overlaps count once, pauses too.
    #[must_use]
    pub fn gross_ms(&self, now: UnixMs) -> i64 {
        union_ms(self.outage.iter().copied(), now)
    }

    /// How long restoration took so far, as it is held against its limits (ms): without the pauses.
    #[must_use]
    pub fn net_ms(&self, now: UnixMs) -> i64 {
        let pauses: Vec<Interval> = self.pauses.iter().map(|pause| pause.span).collect();
        let bad = |run: &Run| Interval { from: run.from, to: run.ended.map(|(at, _)| at) };
        let degraded: Vec<Interval> = self.degraded.iter().map(bad).collect();
        union_ms([without(&self.clock, &pauses), without(&degraded, &pauses)].concat(), now)
    }

    /// The kinds of step that fit now, in the order of the life.
    #[must_use]
    pub fn possible(&self, at: UnixMs) -> Vec<&'static str> {
        let mut kinds = match self.state {
            State::Suspected | State::Withdrawn => vec![],
            State::Open => vec!["acknowledged", "dispatched", "arrived", "restored", "feedback"],
            State::Acknowledged => vec!["dispatched", "arrived", "restored", "feedback"],
            State::Dispatched => vec!["arrived", "restored", "feedback"],
            State::Restored => vec!["arrived", "repaired", "feedback", "reopened", "closed_unconfirmed"],
            State::Repaired => vec!["callback", "feedback", "reopened", "closed_unconfirmed"],
            State::Closed | State::ClosedUnconfirmed => vec!["exempted"],
        };
        if self.state.is_live() && self.state != State::Suspected {
            kinds.push(if self.is_paused(at) { "resumed" } else { "paused" });
            kinds.push("exempted");
        }
        if !matches!(self.state, State::Suspected | State::Withdrawn) {
            kinds.push("merged");
            if !self.aliases.is_empty() {
                kinds.push("split");
            }
        }
        kinds.push("note");
        kinds
    }
}
