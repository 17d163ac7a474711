//! Limits by tier and service: the cells of a matrix, with a wildcard on either side.

use super::pack::{Cause, Tier};
use super::read::named;
use super::section::Section;
use super::{Counts, Limit};

/// The most cells of a matrix.
const CELLS_MAX: usize = 4_096;
/// Stands for every tier, or every service.
const ANY: &str = "*";

/// One cell: what it says goes beside, or in the place of, what the tier says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The tier, or the wildcard.
    tier: String,
    /// The service, or the wildcard.
    service: String,
    answer_within: Option<Limit>,
    finish_within: Option<Limit>,
    repair_within: Option<Limit>,
    feedback_every_ms: Option<i64>,
    callback_within: Option<Limit>,
    faults_per_year_below: Option<u32>,
    interruption_per_year_at_most_ms: Option<i64>,
}

impl Cell {
    /// Puts what the cell says in the place of what stands there.
    fn over(&self, tier: &mut Tier) {
        if let Some(limit) = self.finish_within {
            (tier.restore_within_ms, tier.restore_counts) = (limit.ms, limit.counts);
        }
        if let Some(limit) = self.repair_within {
            (tier.repair_within_ms, tier.repair_counts) = (Some(limit.ms), limit.counts);
        }
        if let Some(limit) = self.callback_within {
            (tier.callback_within_ms, tier.callback_counts) = (Some(limit.ms), limit.counts);
        }
        tier.answer_within = self.answer_within.or(tier.answer_within);
        tier.feedback_every_ms = self.feedback_every_ms.or(tier.feedback_every_ms);
        tier.faults_per_year_below = self.faults_per_year_below.or(tier.faults_per_year_below);
        tier.interruption_per_year_at_most_ms =
            self.interruption_per_year_at_most_ms.or(tier.interruption_per_year_at_most_ms);
    }

    /// Adds what the cell says where nothing stands yet.
    fn under(&self, tier: &mut Tier) {
        let own = tier.clone();
        self.over(tier);
        if own.restore_within_ms > 0 {
            (tier.restore_within_ms, tier.restore_counts) = (own.restore_within_ms, own.restore_counts);
        }
        if own.repair_within_ms.is_some() {
            (tier.repair_within_ms, tier.repair_counts) = (own.repair_within_ms, own.repair_counts);
        }
        if own.callback_within_ms.is_some() {
            (tier.callback_within_ms, tier.callback_counts) = (own.callback_within_ms, own.callback_counts);
        }
        tier.answer_within = own.answer_within.or(tier.answer_within);
        tier.feedback_every_ms = own.feedback_every_ms.or(tier.feedback_every_ms);
        tier.faults_per_year_below = own.faults_per_year_below.or(tier.faults_per_year_below);
        tier.interruption_per_year_at_most_ms =
            own.interruption_per_year_at_most_ms.or(tier.interruption_per_year_at_most_ms);
    }

    fn is_of(&self, tier: &str, service: &str) -> bool {
        self.tier == tier && self.service == service
    }
}

/// What a tier promises for every service: its own limits, under them the cell for everything, over them the cell of
/// the tier.
pub fn for_every_service(mut tier: Tier, cells: &[Cell]) -> Tier {
    if let Some(cell) = cells.iter().find(|cell| cell.is_of(ANY, ANY)) {
        cell.under(&mut tier);
    }
    let name = tier.name.clone();
    if let Some(cell) = cells.iter().find(|cell| cell.is_of(&name, ANY)) {
        cell.over(&mut tier);
    }
    tier
}

/// What a tier promises for one service: over that, the cell of the service, and the cell of both.
pub fn for_service(tier: &Tier, service: &str, cells: &[Cell]) -> Tier {
    let mut tier = tier.clone();
    let name = tier.name.clone();
    for of_tier in [ANY, &name] {
        if let Some(cell) = cells.iter().find(|cell| cell.is_of(of_tier, service)) {
            cell.over(&mut tier);
        }
    }
    tier
}

/// The services that a pack names.
pub fn read_services(root: &Section<'_>) -> Vec<Cause> {
    named(root, "service", |section, name| {
        section.missing("label");
        Some(Cause { name, label: section.label("label")?, when_site_closed: false })
    })
}

/// The cells, of tiers and services that the pack names.
pub fn read_cells(root: &Section<'_>, tiers: &[Tier], services: &[Cause]) -> Vec<Cell> {
    let sections = root.sections("cell");
    if sections.len() > CELLS_MAX {
        root.wrong("cell", format!("stands more than {CELLS_MAX} times"));
    }
    let tiers: Vec<&str> = tiers.iter().map(|tier| tier.name.as_str()).collect();
    let services: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let mut cells: Vec<Cell> = Vec::new();
    for mut section in sections {
        let tier = side(&section, "tier", &tiers);
        let service = side(&section, "service", &services);
        let (Some(tier), Some(service)) = (tier, service) else {
            read_cell(&section, String::new(), String::new());
            section.finish();
            continue;
        };
        section.rename(format!("cell({tier},{service})"));
        if cells.iter().any(|cell| cell.is_of(&tier, &service)) {
            section.wrong("tier", "this cell stands twice");
        }
        cells.push(read_cell(&section, tier, service));
        section.finish();
    }
    cells
}

/// Whether a cell for every service gives the tier its restoration, so that it need not say so itself.
pub fn finishes(root: &Section<'_>, tier: &str) -> bool {
    let any = |section: &Section<'_>, key| section.text(key) == Some(ANY);
    root.sections("cell").iter().any(|section| {
        any(section, "service")
            && (any(section, "tier") || section.text("tier") == Some(tier))
            && section.has("finish_within")
    })
}

/// One side of a cell: a name that the pack knows, or the wildcard.
fn side(section: &Section<'_>, key: &'static str, known: &[&str]) -> Option<String> {
    section.missing(key);
    let name = section.text(key)?;
    if name != ANY && !known.contains(&name) {
        let reason = format!("there is no [[{key}]] \"{name}\" in this pack; \"{ANY}\" is every one");
        section.wrong(key, reason);
        return None;
    }
    Some(name.to_owned())
}

fn read_cell(section: &Section<'_>, tier: String, service: String) -> Cell {
    Cell {
        tier,
        service,
        answer_within: section.limit("answer_within"),
        finish_within: section.limit("finish_within"),
        repair_within: section.limit("repair_within"),
        feedback_every_ms: section.duration("feedback_every"),
        callback_within: section.limit("callback_within"),
        faults_per_year_below: section.count("faults_per_year_below"),
        interruption_per_year_at_most_ms: section.duration("interruption_per_year_at_most"),
    }
}

/// The counts of a limit that may be absent.
pub fn counts(limit: Option<Limit>) -> Counts {
    limit.map_or(Counts::Always, |limit| limit.counts)
}
