//! The rules of one line through time: which pack version, tier and owning agent held when.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::fault::{Fault, Terms};
use super::window::{Window, end_of_work, start_of_work};
use crate::rules::{Pack, Tier};
use crate::time::UnixMs;

/// What a line was promised under from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTerms {
    /// From when on.
    pub valid_from: UnixMs,
    /// The customer's code.
    pub customer: String,
    /// The pack's name.
    pub pack: String,
    /// The tier's name.
    pub tier: String,
    /// What runs over the line: the other side of a matrix of limits.
    pub service: String,
    /// The agent whose evidence decides; empty for none.
    pub owner: String,
    /// False while nothing is promised: before its customer is admitted, and once its service has ended.
    pub promised: bool,
}

/// A version of a pack, in force from a moment on.
#[derive(Clone, Debug)]
pub struct PackVersion {
    /// From when on.
    pub valid_from: UnixMs,
    /// The pack.
    pub pack: Arc<Pack>,
}

/// Why rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Nothing says under which pack and tier the line is.
    #[error("line {0} has no terms")]
    NoTerms(String),
    /// The pack is not stored, or no version of it has the tier.
    #[error("line {line}: no version of pack {pack} has a tier {tier}")]
    NoTier {
        /// The line's code.
        line: String,
        /// The pack's name.
        pack: String,
        /// The tier's name.
        tier: String,
    },
}

/// The rules of one line.
#[derive(Clone, Debug)]
pub struct LineRules {
    line: String,
    terms: Vec<LineTerms>,
    packs: BTreeMap<String, Vec<PackVersion>>,
    /// For each of the terms, the versions of its pack that have its tier, and the tier as its service has it.
    tiers: Vec<Vec<(UnixMs, Arc<Pack>, Tier)>>,
    /// Those that exempt.
    windows: Vec<Window>,
}

impl LineRules {
    /// Rules that can answer for every moment.
    ///
    /// # Errors
    /// When there are no terms, or terms name a tier that no version of their pack has.
    pub fn new(
        line: &str,
        mut terms: Vec<LineTerms>,
        packs: impl IntoIterator<Item = PackVersion>,
    ) -> Result<Self, RulesError> {
        terms.sort_by_key(|terms| terms.valid_from);
        let mut versions: BTreeMap<String, Vec<PackVersion>> = BTreeMap::new();
        for version in packs {
            versions.entry(version.pack.name.clone()).or_default().push(version);
        }
        for list in versions.values_mut() {
            list.sort_by_key(|version| version.valid_from);
        }
        if terms.is_empty() {
            return Err(RulesError::NoTerms(line.to_owned()));
        }
        let mut tiers = Vec::with_capacity(terms.len());
        for LineTerms { pack, tier, service, .. } in &terms {
            let of_pack = versions.get(pack).map(Vec::as_slice).unwrap_or_default();
            let of_tier: Vec<(UnixMs, Arc<Pack>, Tier)> = of_pack
                .iter()
                .filter_map(|v| Some((v.valid_from, Arc::clone(&v.pack), v.pack.tier_for(tier, service)?)))
                .collect();
            if of_tier.is_empty() {
                return Err(RulesError::NoTier {
                    line: line.to_owned(),
                    pack: pack.clone(),
                    tier: tier.clone(),
                });
            }
            tiers.push(of_tier);
        }
        Ok(Self { line: line.to_owned(), terms, packs: versions, tiers, windows: Vec::new() })
    }

    /// The same with planned work on the line. Windows that were not applied for, or not announced, in time
    /// exempt nothing.
    #[must_use]
    pub fn with_windows(mut self, windows: impl IntoIterator<Item = Window>) -> Self {
        let exempts = |window: &Window| {
            let notice_ms = self.pack_at(window.from).0.planned_work_notice_ms;
            window.refusal(notice_ms).is_none()
        };
        self.windows = windows.into_iter().filter(exempts).collect();
        self
    }

    /// When the planned work on the line ends that is under way at the moment.
    #[must_use]
    pub fn work_until(&self, at: UnixMs) -> Option<UnixMs> {
        end_of_work(&self.windows, at)
    }

    /// When the planned work on the line began that is under way at the moment, or ends then.
    #[must_use]
    pub fn work_since(&self, at: UnixMs) -> Option<UnixMs> {
        start_of_work(&self.windows, at)
    }

    /// Whether a window exempts what falls into it.
    #[must_use]
    pub fn exempts(&self, window: Uuid) -> bool {
        self.windows.iter().any(|known| known.id == window)
    }

    /// The line's code.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The terms in force; the first known ones also hold backwards.
    #[must_use]
    pub fn terms_at(&self, at: UnixMs) -> &LineTerms {
        &self.terms[in_force(&self.terms, at, |terms| terms.valid_from)]
    }

    /// The pack version and tier in force. Where the version in force has lost the tier, the latest
    /// version before it that has the tier, else the first one that does.
    #[must_use]
    pub fn pack_at(&self, at: UnixMs) -> (&Arc<Pack>, &Tier) {
        let versions = &self.tiers[in_force(&self.terms, at, |terms| terms.valid_from)];
        let (_, pack, tier) = &versions[in_force(versions, at, |version| version.0)];
        (pack, tier)
    }

    /// A version of a pack.
    #[must_use]
    pub fn version(&self, pack: &str, version: &str) -> Option<&Arc<Pack>> {
        self.packs.get(pack)?.iter().map(|known| &known.pack).find(|pack| pack.version == version)
    }

    /// The pack version that a fault is under: the one in force at its start, or the one that it was re-rated to.
    #[must_use]
    pub fn pack_of(&self, fault: &Fault) -> &Arc<Pack> {
        let Terms { pack, version, .. } = &fault.terms;
        self.version(pack, version).unwrap_or_else(|| self.pack_at(fault.started_at).0)
    }
}

/// The place of the last item that is valid at the moment, else of the first. `items` is never empty here.
fn in_force<T>(items: &[T], at: UnixMs, valid_from: impl Fn(&T) -> UnixMs) -> usize {
    items.partition_point(|item| valid_from(item) <= at).saturating_sub(1)
}
