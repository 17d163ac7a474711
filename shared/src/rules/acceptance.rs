//! What a pack says of acceptances: how a new line or site is taken into service by a visit that both sides sign.

use serde::{Deserialize, Serialize};

use super::class::{Cadence, Every, MatterKind};
use super::limit::Limit;
use super::matters::{NamedThings, checklist_of, own_texts};
use super::permit;
use super::read::{named, warn_at};
use super::section::Section;

/// What an acceptance takes into service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accepted {
    /// A line.
    Line,
    /// A site.
    Site,
}

impl Accepted {
    /// The name in packs, the API and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Site => "site",
        }
    }
}

/// How something new is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// What.
    pub of: Accepted,
    /// Accepted, or refused, from the handover on.
    pub within: Limit,
    /// Inspected once more, from a refusal on.
    pub again_within: Limit,
    /// Whether a line that is new to an import is to be accepted without anybody's asking.
    pub at_import: bool,
    /// Whether a line's faults promise nothing from its handover until it is accepted.
    pub promises_wait: bool,
}

/// Reads `[[acceptance]]`. Each is a round of visits that comes once.
pub fn read(root: &Section<'_>, known: &NamedThings, others: &[Cadence]) -> Vec<Cadence> {
    named(root, "acceptance", |section, name| {
        for key in ["label", "for", "within"] {
            section.missing(key);
        }
        if others.iter().any(|other| other.matter == MatterKind::Visit && other.name == name) {
            section.wrong("name", format!("there is a [[cadence]] of visits called \"{name}\" already"));
        }
        let of = section.choice("for", &[("line", Accepted::Line), ("site", Accepted::Site)]);
        let within = section.limit("within");
        let again_within = section.limit("again_within").or(within);
        let at_import = section.flag("at_import").unwrap_or(false);
        let promises_wait = section.choice("promised_from", &[("start", false), ("acceptance", true)]);
        if of == Some(Accepted::Site) {
            for key in ["at_import", "promised_from"].into_iter().filter(|key| section.has(key)) {
                section.wrong(key, "is for lines: what is promised is promised of them");
            }
        }
        let checklist = checklist_of(section, known);
        let modes = own_texts(section.texts("modes"));
        let permit = permit::needed(section, &known.permits);
        let report = section.flag("report").unwrap_or(false);
        let warn_at_permille = warn_at(section);
        Some(Cadence {
            matter: MatterKind::Visit,
            name,
            label: section.label("label")?,
            tiers: Vec::new(),
            every: Every::Once,
            modes,
            checklist,
            equipment: Vec::new(),
            permit,
            report,
            review_within: None,
            acceptance: Some(Acceptance {
                of: of?,
                within: within?,
                again_within: again_within?,
                at_import,
                promises_wait: promises_wait.unwrap_or(false),
            }),
            warn_at_permille,
        })
    })
}
