//! What a technician takes in on site that is no line fault, and what he does about what was there already.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::matter::MatterStep;
use crate::rules::MatterKind;

/// A complaint or request that a customer made on site, or a defect that was found there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// A complaint, a request or a defect.
    pub kind: MatterKind,
    /// Its class; the pack's first of its kind where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The customer's code.
    pub customer: String,
    /// The line, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The site's name, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// In one line.
    pub title: String,
    /// In full.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reporter: String,
}

/// A step of a matter that was there already: a promise kept, a defect mended, a customer told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// The matter.
    pub matter: Uuid,
    /// What was done: `Answered`, `Told`, `Resolved` or `Note`. Anything else is the desk's.
    pub step: MatterStep,
}

impl Deed {
    /// Whether the step is one that a technician takes.
    #[must_use]
    pub const fn is_technicians(&self) -> bool {
        matches!(
            self.step,
            MatterStep::Answered
                | MatterStep::Told { .. }
                | MatterStep::Resolved { .. }
                | MatterStep::Note { .. }
        )
    }
}
