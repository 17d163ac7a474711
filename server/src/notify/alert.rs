//! What an alert says, before it is put into words. Kept as JSON in the outbox.

use linewatch_shared::rules::{Label, Receiver};
use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One alert about one promise of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The effect's key: the same alert always has the same.
    pub key: String,
    /// The fault.
    pub fault: Uuid,
    /// The line's code.
    pub line: String,
    /// The site's name.
    pub site: String,
    /// The customer's code.
    pub customer: String,
    /// The customer's name.
    pub customer_name: String,
    /// The tier's name.
    pub tier: String,
    /// The tier's name for people.
    pub tier_label: Label,
    /// `restoration`, `feedback`, `repair` or `callback`.
    pub kind: String,
    /// `warn_50`, `warn_80`, `missed`, `corrected`, … Of a matter also `changed` (reported upwards) and `outcome` (told
    /// to who took it in); `kind` is then the step's.
    pub mark: String,
    /// The moment that the alert speaks of.
    pub at: UnixMs,
    /// Told so long after that moment that it must not sound like news.
    pub late: bool,
    /// When the promise is, or was, due.
    pub due_at: UnixMs,
    /// When the fault started.
    pub started_at: UnixMs,
    /// The fault's state.
    pub state: String,
    /// Whether the customer has reported it.
    pub reported: bool,
    /// What was done so far, in order; the newest [`DONE_MAX`].
    pub done: Vec<Done>,
    /// Whom it is for.
    pub manager: String,
    /// The pack's time zone, in which times are written.
    pub time_zone: String,
    /// The fault's page.
    pub link: String,
    /// What it is about where that is no fault of a line: `fault` is then the matter's id, `tier` its class, and
    /// `line` empty where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<AlertMatter>,
    /// The node on which several lines went down together, and how many: the alert speaks for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<(String, u32)>,
    /// How it is told to this receiver.
    #[serde(default)]
    pub telling: Telling,
}

/// How an alert is told to one receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// As what the receiver is told; none for a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<Receiver>,
    /// The step of the ladder: nobody took it before; 0 for the alert itself.
    #[serde(default)]
    pub rung: usize,
    /// What happened in the receiver's quiet hours, in order, where it waited for their end: marks of this promise, and
    /// at last `met` or `cancelled` where it came to that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub night: Vec<(String, UnixMs)>,
    /// Where the receiver takes it; made for each sending, never kept.
    #[serde(skip)]
    pub take: Option<String>,
}

/// A complaint, a visit … that an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertMatter {
    /// `complaint`, `request`, `defect`, `promise`, `visit` or `patrol`.
    pub kind: String,
    /// What it is about.
    pub title: String,
}

/// The most steps that an alert lists.
pub const DONE_MAX: usize = 20;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// When.
    pub at: UnixMs,
    /// The fact's kind, such as `acknowledged`.
    pub kind: String,
    /// Who.
    pub by: String,
    /// In words, where there are any.
    pub text: String,
}
