//! What a pack says of equipment: its kinds, and the grades that its condition may have.

use serde::{Deserialize, Serialize};

use super::Label;
use super::read::named;
use super::section::Section;

/// The condition of what is out of service for good: every pack has it, and no test falls due any more.
pub const RETIRED: &str = "retired";

/// A kind of equipment, such as a transformer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EquipmentKind {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
}

/// A grade of condition; a pack lists the best first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
}

pub fn read_kinds(root: &Section<'_>) -> Vec<EquipmentKind> {
    named(root, "equipment", |section, name| {
        section.missing("label");
        Some(EquipmentKind { name, label: section.label("label")? })
    })
}

pub fn read_conditions(root: &Section<'_>, kinds: &[EquipmentKind]) -> Vec<Condition> {
    let conditions = named(root, "condition", |section, name| {
        section.missing("label");
        if name == RETIRED {
            section.wrong("name", format!("\"{RETIRED}\" is a condition of every pack: leave it out"));
        }
        Some(Condition { name, label: section.label("label")? })
    });
    if !kinds.is_empty() && conditions.is_empty() {
        root.wrong("equipment", "has no grades of condition: write [[condition]], the best first");
    }
    conditions
}
