//! What a technician writes down, and the ways in which it is saved.

use linewatch_shared::facts::Body;
use uuid::Uuid;

use super::machine::Machine;
use crate::harness::Seed;

/// Pictures of a visit at most: a signature and five photos.
pub const PHOTOS_MAX: u64 = 6;
/// Longest findings that are written, in parts of a sentence.
const SENTENCES_MAX: u64 = 60;

/// One thing to be written down. Its mark occurs in nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Names it: `point-operation`.
    pub mark: String,
    /// What it is.
    pub what: What,
}

/// What is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A visit's report.
    Visit {
        /// The customer's code.
        customer: String,
        /// What was found.
        findings: String,
        /// How many pictures belong to it; the first one is a signature.
        photos: u64,
    },
    /// A report of a fault.
    Report {
        /// The line's code.
        line: String,
    },
}

/// How a save went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The program answered with the record's id.
    Answered(Uuid),
    /// It said that it could not.
    Refused(String),
    /// The machine died before it answered.
    Died,
}

/// A way of saving.
pub trait Laptop {
    /// The machine on which it is saved.
    fn machine(&mut self) -> &mut Machine;

    /// Whether pictures can be saved, too.
    fn takes_photos(&self) -> bool {
        false
    }

    /// Saves one thing; `Err` is a fault of the harness, never of the program.
    ///
    /// # Errors
    /// When the program cannot be asked at all.
    fn save(&mut self, op: &Op) -> anyhow::Result<Saved>;
}

impl Op {
    /// A thing by chance: mostly visits, of any length.
    pub fn draw(mark: String, machine: &Machine, with_photos: bool, chance: &mut Seed) -> Self {
        let what = if chance.below(8) == 0 {
            What::Report { line: machine.lines[chance.below(machine.lines.len() as u64) as usize].clone() }
        } else {
            let sentences = chance.below(4) * chance.below(SENTENCES_MAX / 3) + 1;
            let findings = "接头松动 the joint was loose; ".repeat(sentences as usize).trim_end().to_owned();
            let photos = if with_photos { chance.below(PHOTOS_MAX + 1) } else { 0 };
            What::Visit { customer: machine.customer.clone(), findings, photos }
        };
        Self { mark, what }
    }

    /// How many pictures belong to it.
    #[must_use]
    pub const fn photos(&self) -> u64 {
        match &self.what {
            What::Visit { photos, .. } => *photos,
            What::Report { .. } => 0,
        }
    }

    /// Whether a record's body says exactly this.
    #[must_use]
    pub fn is_said_by(&self, body: &Body) -> bool {
        match (&self.what, body) {
            (What::Visit { customer, findings, photos }, Body::Visit(visit)) => {
                visit.purpose == self.mark
                    && visit.customer == *customer
                    && visit.findings == *findings
                    && visit.parts.len() as u64 == *photos
            }
            (What::Report { line }, Body::Report(report)) => {
                report.description == self.mark && report.line == *line
            }
            _ => false,
        }
    }
}

/// The mark in a record's body, where it has one.
#[must_use]
pub fn mark_of(body: &Body) -> Option<&str> {
    match body {
        Body::Visit(visit) => Some(&visit.purpose),
        Body::Report(report) => Some(&report.description),
        _ => None,
    }
}
