//! What became of a period's figures since they were first made: what changed, and when the facts that changed it
//! were learnt. This is the ledger beside the figures, never a part of them.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ReportError;
use super::book::Book;
use super::figure::{Figure, Figures, Section};
use super::group::{Group, Keys};
use super::make::Report;
use crate::db::{DbError, Tx};
use crate::store::report::{self, Made, ReportedFault, ReportedMatter};

/// Versions of a period's figures that are read; older ones stay stored.
pub const VERSIONS_MAX: i64 = 50;
/// Changes that one version tells of; the whole and the tiers come first.
pub const CHANGES_MAX: usize = 500;
/// The most bytes of stored figures, decompressed.
const FIGURES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How hard stored figures are compressed.
const ZSTD_LEVEL: i32 = 3;
/// The groupings that are kept: those that follow from facts and from what was promised at the time.
const KEPT: [Group; 2] = [Group::Tier, Group::Customer];
/// The whole, in place of a grouping.
const TOTAL: &str = "total";

/// A figure that is another one than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// `total`, `tier` or `customer`.
    pub group: String,
    /// The group's key; empty for the whole.
    pub key: String,
    /// The figure's name.
    pub figure: String,
    /// As it was made before.
    pub before: i64,
    /// As it is now.
    pub after: i64,
    /// When the last fact was learnt that may have changed it, RFC 3339; none where no new fact is known (a rule
    /// was changed, or facts went to another period).
    pub learnt_at: Option<String>,
}

/// One version of a period's figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Version {
    /// When these figures were made first, RFC 3339.
    pub made_at: String,
    /// SHA-256 of the figures.
    pub sha256: String,
    /// What changed since the version before; at most 500.
    pub changes: Vec<Change>,
}

/// Figures by grouping (or `total`), key and name; zeros are left out.
type Kept = BTreeMap<String, BTreeMap<String, BTreeMap<String, i64>>>;

fn kept(report: &Report) -> Kept {
    let named = |figures: &Figures| {
        // Samples are always checked after the month: that is not a change of its figures.
        let kept = Figure::ALL.iter().filter(|figure| figure.section() != Section::Quality);
        let values = kept.map(|figure| (figure.name().to_owned(), figures.get(*figure)));
        values.filter(|(_, value)| *value != 0).collect::<BTreeMap<String, i64>>()
    };
    let mut all = Kept::new();
    all.entry(TOTAL.to_owned()).or_default().insert(String::new(), named(&report.total));
    for group in KEPT {
        let groups = all.entry(group.name().to_owned()).or_default();
        groups.extend(report.of(group).iter().map(|entry| (entry.key.clone(), named(&entry.figures))));
    }
    all
}

fn text_of(kept: &Kept) -> Result<String, DbError> {
    serde_json::to_string(kept).map_err(|e| DbError::Data(format!("report_made.figures: {e}")))
}

/// SHA-256 of a report's figures, of the whole, by tier and by customer: equal for equal facts.
///
/// # Errors
/// Never in fact: figures always have a JSON form.
pub fn sha256(report: &Report) -> Result<String, ReportError> {
    Ok(hex::encode(Sha256::digest(text_of(&kept(report))?)))
}

/// When facts were learnt that came after the figures were made last, by grouping and key.
#[derive(Debug, Default)]
pub struct Learnt {
    made_at: Option<UnixMs>,
    last: BTreeMap<(&'static str, String), UnixMs>,
}

impl Learnt {
    /// Since figures were made; notes nothing where they never were.
    #[must_use]
    pub fn since(made_at: Option<UnixMs>) -> Self {
        Self { made_at, last: BTreeMap::new() }
    }

    /// Looks at a fault that may have changed since.
    pub(super) fn note(
        &mut self,
        tx: &mut Tx<'_>,
        book: &Book,
        reported: &ReportedFault,
    ) -> Result<(), DbError> {
        let Some(made_at) = self.made_at.filter(|made_at| reported.updated_at > *made_at) else {
            return Ok(());
        };
        let fault = &reported.fault;
        let own: BTreeSet<Uuid> = fault.facts.iter().map(|placed| placed.id).collect();
        let facts = report::learnt_since(tx, &fault.line, fault.first_at, made_at)?;
        let Some(last) = facts.into_iter().filter(|(id, _)| own.contains(id)).map(|(_, at)| at).max() else {
            return Ok(());
        };
        self.remember(&book.keys(fault, reported.restored_by.as_deref()), last);
        Ok(())
    }

    /// Looks at a matter that may have changed since.
    pub(super) fn note_matter(
        &mut self,
        tx: &mut Tx<'_>,
        book: &Book,
        reported: &ReportedMatter,
    ) -> Result<(), DbError> {
        let Some(made_at) = self.made_at.filter(|made_at| reported.updated_at > *made_at) else {
            return Ok(());
        };
        if let Some(last) = report::matter_learnt_since(tx, reported.matter.id, made_at)? {
            self.remember(&book.keys_of_matter(&reported.matter, reported.done_by.as_deref()), last);
        }
        Ok(())
    }

    /// The telephone system's figures of the period were imported at a moment.
    pub(super) fn note_calls(&mut self, imported_at: UnixMs) {
        if self.made_at.is_some_and(|made_at| imported_at > made_at) {
            let known = self.last.entry((TOTAL, String::new())).or_insert(imported_at);
            *known = imported_at.max(*known);
        }
    }

    fn remember(&mut self, keys: &Keys, last: UnixMs) {
        let kept =
            KEPT.iter().flat_map(|group| keys.of(*group).iter().map(|key| (group.name(), key.clone())));
        for key in kept.chain([(TOTAL, String::new())]) {
            let known = self.last.entry(key).or_insert(last);
            *known = last.max(*known);
        }
    }

    fn at(&self, group: &str, key: &str) -> Option<UnixMs> {
        let found = self.last.iter().find(|((of, name), _)| *of == group && name == key);
        found.map(|(_, at)| *at)
    }
}

/// Keeps a finished period's figures where they are not those that were made last, and answers every version.
///
/// # Errors
/// The database's.
pub fn keep(
    tx: &mut Tx<'_>,
    report: &Report,
    learnt: &Learnt,
    now: UnixMs,
) -> Result<Vec<Version>, ReportError> {
    let (kind, period) = (report.period.kind().name(), report.period.to_string());
    tx.lock(&[report::lock_key(kind, &period)])?;
    let mut versions = report::made(tx, kind, &period, VERSIONS_MAX)?;
    if report.complete {
        let figures = kept(report);
        let text = text_of(&figures)?;
        let sha256 = hex::encode(Sha256::digest(&text));
        if versions.last().is_none_or(|last| last.sha256 != sha256) {
            let changes = match versions.last() {
                Some(last) => differences(&unpacked(last)?, &figures, learnt),
                None => Vec::new(),
            };
            let made = Made {
                made_at: now,
                sha256,
                figures: zstd::encode_all(text.as_bytes(), ZSTD_LEVEL).map_err(bad_figures)?,
                changes: serde_json::to_string(&changes).map_err(bad_figures)?,
            };
            report::keep(tx, kind, &period, &made)?;
            versions.push(made);
        }
    }
    versions.iter().map(version).collect()
}

fn version(made: &Made) -> Result<Version, ReportError> {
    Ok(Version {
        made_at: made.made_at.to_rfc3339(),
        sha256: made.sha256.clone(),
        changes: serde_json::from_str(&made.changes).map_err(bad_figures)?,
    })
}

fn bad_figures(error: impl std::fmt::Display) -> DbError {
    DbError::Data(format!("report_made: {error}"))
}

fn unpacked(made: &Made) -> Result<Kept, DbError> {
    let text = zstd::bulk::decompress(&made.figures, FIGURES_BYTES_MAX).map_err(bad_figures)?;
    serde_json::from_slice(&text).map_err(bad_figures)
}

fn differences(before: &Kept, after: &Kept, learnt: &Learnt) -> Vec<Change> {
    let nothing = BTreeMap::new();
    let none = BTreeMap::new();
    let mut changes = Vec::new();
    for group in [TOTAL, Group::Tier.name(), Group::Customer.name()] {
        let (old, new) = (before.get(group).unwrap_or(&nothing), after.get(group).unwrap_or(&nothing));
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let (old, new) = (old.get(key).unwrap_or(&none), new.get(key).unwrap_or(&none));
            for figure in Figure::ALL {
                let value = |of: &BTreeMap<String, i64>| of.get(figure.name()).copied().unwrap_or_default();
                if value(old) == value(new) || changes.len() == CHANGES_MAX {
                    continue;
                }
                changes.push(Change {
                    group: group.to_owned(),
                    key: key.clone(),
                    figure: figure.name().to_owned(),
                    before: value(old),
                    after: value(new),
                    learnt_at: learnt.at(group, key).map(UnixMs::to_rfc3339),
                });
            }
        }
    }
    changes
}
