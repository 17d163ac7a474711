//! What the detector says: states, causes, and the evidence that goes with each change.

use serde::{Deserialize, Serialize};

use crate::time::{MonoMs, UnixMs};

/// Bursts of loss that an [`Evidence`] carries at most, the newest ones.
pub const MAX_BURSTS: usize = 4;

/// Confirmations that an [`Evidence`] carries at most.
pub const MAX_CONFIRMATIONS: usize = 5;

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Wall time.
    pub at: UnixMs,
    /// Monotonic time.
    pub mono: MonoMs,
}

/// What is known about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// It answers.
    Up,
    /// It does not answer, and it is the line, not the agent's own side.
    Down,
    /// It answers, and worse than promised. Agents say so beside [`LineState::Up`] ([`Evidence::degraded`]).
    Degraded,
    /// Nothing can be said; never counted as up, never by itself an outage.
    Unknown,
}

impl LineState {
    /// The state's name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a line's state is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownCause {
    /// The first window after the agent's start is not full yet.
    Starting,
    /// The agent itself is cut off: no carrier, no route, or gateway and anchors are silent too.
    OwnUplink,
    /// No samples for longer than the bound: the prober stood still or the machine slept.
    NoSamples,
    /// Probes could not be sent for another reason (buffers full, refused, behind its time).
    NotSent,
}

/// A run of lost probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// When its first lost probe was sent.
    pub started_at: UnixMs,
    /// Lost probes in a row.
    pub lost: u32,
    /// From the first lost probe to the first answered one, or to the last lost one while it goes on.
    pub span_ms: u32,
}

/// Who was asked whether the trouble is the line's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// The carrier of the agent's own interface.
    Carrier,
    /// The next hop on the agent's own side.
    Gateway,
    /// Addresses outside that do not depend on the line.
    Outside,
    /// Another way of asking the same line: the far end's router, or another protocol.
    OtherMethod,
    /// The agent's other lines.
    Siblings,
}

/// What a witness said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// It answered a probe that was sent during the loss.
    Answer,
    /// It lost its probes too.
    Silent,
    /// Not known yet.
    Pending,
    /// There is none, or it never answers.
    Nobody,
}

/// One witness and what it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Who.
    pub by: Witness,
    /// What.
    pub heard: Heard,
}

/// What a change of state rests on. Small: about 100 bytes in `MessagePack`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Why the state is unknown; absent for the other states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<UnknownCause>,
    /// Up, but losing so many probes that it is of little use.
    pub degraded: bool,
    /// Judged probes in the recent window (at most 64).
    pub sent: u32,
    /// Lost ones among them.
    pub lost: u32,
    /// The recent window, oldest first: `.` answered, `x` lost.
    pub recent: String,
    /// Lost in a row at most.
    pub longest_run: u32,
    /// The longest run of losses in time.
    pub longest_run_ms: u32,
    /// The latest runs of losses, oldest first; at most [`MAX_BURSTS`].
    pub bursts: Vec<Burst>,
    /// Round trip of the last answer in microseconds; absent when none ever came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_rtt_us: Option<u32>,
    /// Who was asked and what they said; at most [`MAX_CONFIRMATIONS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub confirmations: Vec<Confirmation>,
}

impl Evidence {
    /// Whether it is no larger than this program makes it.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        self.recent.len() <= super::recent::WINDOW
            && self.bursts.len() <= MAX_BURSTS
            && self.confirmations.len() <= MAX_CONFIRMATIONS
    }
}

/// A line's change of state, or of being degraded while it stays up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The line's target number.
    pub target: u32,
    /// What it was.
    pub from: LineState,
    /// What it is. Equal to `from` only when `evidence.degraded` changed.
    pub to: LineState,
    /// When it happened: for down the first lost probe's sending, for up that of the first answered probe
    /// of the clearing run, for unknown the last moment at which something was known.
    pub occurred: Moment,
    /// When it was decided.
    pub decided_at: UnixMs,
    /// Why.
    pub evidence: Evidence,
}

/// What the detector wants done. Doing it twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A line's state changed: write it down.
    Changed(Box<Transition>),
    /// Probe this target at this interval from now on.
    SetInterval {
        /// The target's number; a line's or an anchor's.
        target: u32,
        /// The interval in milliseconds.
        interval_ms: u32,
    },
}

/// A line's state now, for people to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineStatus {
    /// Its state.
    pub state: LineState,
    /// Why it is unknown, if it is.
    pub cause: Option<UnknownCause>,
    /// Up, but losing much.
    pub degraded: bool,
    /// Since when.
    pub since_at: UnixMs,
    /// Round trip of the last answer.
    pub last_rtt_us: Option<u32>,
    /// Judged probes in the recent window.
    pub sent: u32,
    /// Lost ones among them.
    pub lost: u32,
}
