//! A technician's or account manager's presence at a customer.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::part::Part;
use crate::matter::Point;
use crate::rules::Answer;
use crate::time::UnixMs;

/// The most points, or dated promises, of one visit report that are looked at.
pub const VISIT_ITEMS_MAX: usize = 200;

/// The classes that a visit may be of.
pub const VISIT_CLASSES: [&str; 3] = ["a", "b", "c"];

/// A visit report: text fields for what was seen, heard and promised, and what makes it a round that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The customer's code.
    pub customer: String,
    /// The site's name, where it was at one.
    #[serde(default)]
    pub site: String,
    /// Who was met.
    #[serde(default)]
    pub met: String,
    /// What for.
    #[serde(default)]
    pub purpose: String,
    /// What was found.
    #[serde(default)]
    pub findings: String,
    /// What the customer asked for.
    #[serde(default)]
    pub needs: String,
    /// What was promised, in words.
    #[serde(default)]
    pub promises: String,
    /// The round that it fulfils; where it is left out, the customer's round that is owed then, if there is one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Uuid>,
    /// Its class: one of [`VISIT_CLASSES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// How; face to face where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The checklist's points as found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Point>,
    /// The reference under which the report is filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// What was promised for a day: each is owed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promised: Vec<Promised>,
    /// Who of the customer's signed the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Whether the site was left clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_clean: Option<bool>,
    /// The line that it was about, where it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The fault that it was made for, by any of its ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Uuid>,
    /// The form that it was written by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<FormName>,
    /// What was answered to the form's fields, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// Whether the customer said that it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfied: Option<bool>,
    /// Photos and the signature: named here, sent after it. The report is complete once all have arrived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// Something that was promised for a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    /// What.
    pub title: String,
    /// By when.
    pub until: UnixMs,
}

/// Which form of which pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormName {
    /// The pack's name.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// The form's name in it.
    pub name: String,
}
