//! From samples to line states: up, down or unknown, with the evidence for each change.
//!
//! Pure: samples, ticks and carrier changes go in with the time at which they are processed; changes and
//! wishes for other probing intervals come out. It never looks at a clock, a socket or a file.
//!
//! - A line goes **down** after a run of losses that is long enough in number and in time
//!   ([`DetectorConfig::raise_losses`], [`DetectorConfig::raise_span_ms`]) and after the loss was confirmed to
//!   be the line's: someone else answered a probe *sent during that run*. The outage began with the run's
//!   first lost probe. One answer breaks the run.
//! - It comes **up** after a run of answers ([`DetectorConfig::clear_answers`],
//!   [`DetectorConfig::clear_span_ms`]), and has been up since that run's first answer. One loss breaks it.
//! - It is **unknown** until the first window is full, while nothing was judged for longer than
//!   [`DetectorConfig::gap_ms`] (the prober stood still, the machine slept, nothing could be sent), and while
//!   the agent's own uplink is down. A probe that was not sent is neither a loss nor an answer.
//! - Results count in the order in which their probes were sent, not in which they became known.
//! - Loss in between, too scattered for an outage, makes a line that is up **degraded** ([`LossRule`]), and so do loss,
//!   round trips and jitter beyond the line's contract ([`Quality`]).
//!
//! Bounds: 10,000 lines take 2.7 MB; a sample allocates nothing; at most [`DetectorConfig::fast_lines`]
//! lines are probed fast at a time.

mod config;
mod confirm;
mod engine;
mod evidence;
mod line;
mod pace;
mod quality;
mod recent;
mod slices;
mod uplink;

pub use config::{DetectorConfig, DetectorConfigError, LossRule};
pub use engine::{Detector, MAX_ANCHORS, MAX_TARGET, MAX_UPLINKS, TargetError};
pub use evidence::{
    Burst, Confirmation, Effect, Evidence, Heard, LineState, LineStatus, MAX_BURSTS, MAX_CONFIRMATIONS,
    Moment, Transition, UnknownCause, Witness,
};
pub use line::LineSpec;
pub use quality::Quality;
pub use uplink::{AnchorRole, AnchorSpec};
