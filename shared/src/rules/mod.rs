//! Packs: the rules as data. Parsed, validated whole, versioned; every mistake has its place and reason.

mod acceptance;
mod alerting;
mod assessment;
mod at_risk;
mod class;
mod duration;
mod equipment;
mod form;
mod grading;
mod limit;
mod matrix;
mod matters;
mod mistake;
mod pack;
#[cfg(test)]
mod pack_tests;
mod permit;
mod plans;
mod read;
mod reading;
pub(crate) mod section;
#[cfg(test)]
mod shipped_tests;

pub use acceptance::{Acceptance, Accepted};
pub use alerting::{AlertRule, Occasion, Quiet, Receiver, Rung};
pub use assessment::{Assessed, AssessedFigure, Assessment, Availability, Figure, Over, WHOLE_PPM};
pub use at_risk::RiskRules;
pub use class::{Cadence, Checklist, Class, ClosedBy, Every, Level, MatterKind, Postponing};
pub use duration::{DurationError, format_duration, parse_duration};
pub use equipment::{Condition, EquipmentKind, RETIRED};
pub use form::{
    ANSWER_CHARS_MAX, Answer, AnswerValue, Condition as FieldCondition, FIELDS_MAX, Field, FieldKind, Form,
    FormFor, Lack, Lacking,
};
pub use grading::{CENTI, Cap, Grade, Graded, Grading, Indicator};
pub use limit::{Counts, Limit, parse_limit};
pub use mistake::{Mistake, line_and_column};
pub use pack::{Cause, ClockStarts, Label, Pack, RepeatCounts, RepeatWindow, Scope, Tier};
pub use permit::Permit;
pub use plans::PlanRules;
pub(crate) use read::name;
pub use reading::{READING_MAX, Range, Reading};

/// The packs that linewatch ships: file name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("group-line.toml", include_str!("../../packs/group-line.toml")),
    ("field-work.toml", include_str!("../../packs/field-work.toml")),
    ("gov-enterprise.toml", include_str!("../../packs/gov-enterprise.toml")),
    ("key-account.toml", include_str!("../../packs/key-account.toml")),
    ("power-distribution.toml", include_str!("../../packs/power-distribution.toml")),
    ("service-desk.toml", include_str!("../../packs/service-desk.toml")),
];
