//! What a pack asks for before work that is dangerous may begin.

use serde::{Deserialize, Serialize};

use super::Label;
use super::read::named;
use super::section::Section;

/// A permit to work (作业许可).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// Whether a safety briefing has to be given.
    pub briefing: bool,
    /// Whether there has to be a work ticket.
    pub work_ticket: bool,
    /// Certificates that who works has to hold, valid to the permit's end.
    pub certificates: Vec<String>,
}

pub fn read(root: &Section<'_>) -> Vec<Permit> {
    named(root, "permit", |section, name| {
        section.missing("label");
        Some(Permit {
            name,
            label: section.label("label")?,
            briefing: section.flag("briefing").unwrap_or(true),
            work_ticket: section.flag("work_ticket").unwrap_or(true),
            certificates: section
                .texts("certificates")
                .unwrap_or_default()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        })
    })
}

/// The permit that a class or a round names under `permit`.
pub fn needed(section: &Section<'_>, known: &[Permit]) -> Option<String> {
    let name = section.text("permit")?;
    if !known.iter().any(|permit| permit.name == name) {
        section.wrong("permit", format!("there is no [[permit]] \"{name}\" in this pack"));
    }
    Some(name.to_owned())
}
