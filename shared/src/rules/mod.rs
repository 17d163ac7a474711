//! Packs: the rules as data. Parsed, validated whole, versioned; every mistake has its place and reason.

mod class;
mod duration;
mod limit;
mod mistake;
mod pack;
mod section;

pub use class::{Cadence, Checklist, Class, ClosedBy, Every, MatterKind, Postponing};
pub use duration::{DurationError, format_duration, parse_duration};
pub use limit::{Counts, Limit};
pub use mistake::{Mistake, line_and_column};
pub use pack::{Cause, ClockStarts, Label, Pack, RepeatCounts, RepeatWindow, Tier};

/// The packs that linewatch ships: file name and text.
pub const SHIPPED: &[(&str, &str)] = &[("group-line.toml", include_str!("../../packs/group-line.toml"))];
