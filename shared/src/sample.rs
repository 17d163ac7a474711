//! What one probe found out. The prober makes samples, the detector judges them.

use serde::{Deserialize, Serialize};

use crate::time::{MonoMs, UnixMs};

/// What became of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer came within the timeout.
    Answered {
        /// Round trip in microseconds; never a stand-in for a loss.
        rtt_us: u32,
    },
    /// No answer within the timeout, or an error from the network (unreachable, refused).
    Lost(LossCause),
    /// The probe never left this machine. It says nothing about the line.
    NotSent(NotSentCause),
}

/// Why a probe counts as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossCause {
    /// Nothing came back in time.
    Timeout,
    /// A router or the far end said that it cannot be reached.
    Unreachable,
    /// The far end refused the connection.
    Refused,
    /// An answer came, but not the one that was asked for (HTTP status, DNS code, TLS failure).
    BadAnswer,
}

/// Why a probe was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSentCause {
    /// The interface has no carrier or no address.
    NoCarrier,
    /// This machine has no route to the target.
    NoRoute,
    /// The socket's buffer was full.
    BufferFull,
    /// The kernel refused (permission, size with don't-fragment, …).
    Refused,
    /// The prober was behind by more than one interval and skipped this turn.
    Overrun,
}

/// One probe and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The target's number, as the prober was given it.
    pub target: u32,
    /// When the probe was sent, or should have been.
    pub sent_at: UnixMs,
    /// The same moment on the monotonic clock.
    pub sent_mono: MonoMs,
    /// What became of it.
    pub outcome: Outcome,
}

/// An answer that came after its probe had been counted as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The target's number.
    pub target: u32,
    /// When the probe was sent.
    pub sent_at: UnixMs,
    /// Round trip in microseconds.
    pub rtt_us: u32,
}
