//! What a device found out about a line and the way to it, at the press of a button.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most findings of one diagnosis, and figures of one finding.
pub const FINDINGS_MAX: usize = 64;

/// A diagnosis, kept as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The line's code.
    pub line: String,
    /// The fault that was open then, by any of its ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Uuid>,
    /// What was looked at, in order.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at. What it means in words is made of `check`, `code` and `figures` where it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which: `link`, `gateway`, `far_end`, `outside`, `dns`, `path`, `mtu`, `throughput`.
    pub check: String,
    /// How it is.
    pub grade: Grade,
    /// Which finding of this check, such as `no_carrier`.
    pub code: String,
    /// What was measured: name with its unit, such as `rtt_us`, and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<(String, String)>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Well.
    Ok,
    /// To be looked at.
    Warn,
    /// Broken.
    Fail,
    /// It could not be looked at.
    Unknown,
}
