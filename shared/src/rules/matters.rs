//! Reads what a pack says of matters: classes, cadences, checklists, levels of authority, postponing.

use std::collections::BTreeMap;

use super::acceptance;
use super::class::{Cadence, Checklist, Class, ClosedBy, Every, Level, MatterKind, Postponing};
use super::equipment::{self, Condition, EquipmentKind};
use super::pack::{Label, Tier};
use super::permit::{self, Permit};
use super::read::{callback_retries_ms, name, named, named_apart, supervisor_within_ms, warn_at};
use super::reading::{self, Range};
use super::section::Section;

/// The highest level of authority.
const LEVEL_MAX: i64 = 32;
/// The most points of a checklist.
const POINTS_MAX: usize = 200;
/// The most receivers of each change of a matter.
const REPORTED_TO_MAX: usize = 16;
/// The most often that a promise may be put off without a supervisor.
const TIMES_MAX: i64 = 100;

/// What a pack says of matters.
#[derive(Debug, Default)]
pub struct Matters {
    pub classes: Vec<Class>,
    pub cadences: Vec<Cadence>,
    pub checklists: Vec<Checklist>,
    pub equipment: Vec<EquipmentKind>,
    pub conditions: Vec<Condition>,
    pub permits: Vec<Permit>,
    pub levels: Vec<Level>,
    pub postponing: Option<Postponing>,
}

pub fn read(root: &Section<'_>, tiers: &[Tier]) -> Matters {
    let levels = named(root, "level", |section, name| {
        section.missing("label");
        Some(Level { name, label: section.label("label")? })
    });
    let named_things = NamedThings {
        checklists: named(root, "checklist", read_checklist),
        equipment: equipment::read_kinds(root),
        permits: permit::read(root),
    };
    let kind = |section: &Section<'_>| section.choice("matter", &KINDS).map(MatterKind::name);
    let classes = named_apart(root, "class", kind, |section, name| {
        read_class(section, name, root, (levels.len(), &named_things.permits))
    });
    let mut cadences =
        named_apart(root, "cadence", kind, |section, name| read_cadence(section, name, tiers, &named_things));
    cadences.extend(tiers.iter().filter_map(visits_of));
    let acceptances = acceptance::read(root, &named_things, &cadences);
    cadences.extend(acceptances);
    let NamedThings { checklists, equipment, permits } = named_things;
    let conditions = equipment::read_conditions(root, &equipment);
    Matters {
        classes,
        cadences,
        checklists,
        equipment,
        conditions,
        permits,
        levels,
        postponing: read_postponing(root),
    }
}

/// What cadences name.
pub struct NamedThings {
    pub checklists: Vec<Checklist>,
    pub equipment: Vec<EquipmentKind>,
    pub permits: Vec<Permit>,
}

const KINDS: [(&str, MatterKind); 6] = {
    let mut kinds = [("", MatterKind::Complaint); 6];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = (MatterKind::ALL[at].name(), MatterKind::ALL[at]);
        at += 1;
    }
    kinds
};

/// A tier's `visit_every` is a cadence like any other.
fn visits_of(tier: &Tier) -> Option<Cadence> {
    Some(Cadence {
        matter: MatterKind::Visit,
        name: format!("visit-{}", tier.name),
        label: Label {
            zh: format!("{}客户走访", tier.label.zh),
            en: format!("Visit of a customer: {}", tier.label.en),
        },
        tiers: vec![tier.name.clone()],
        every: Every::Span(tier.visit_every_ms?),
        modes: Vec::new(),
        checklist: None,
        equipment: Vec::new(),
        permit: None,
        report: false,
        review_within: None,
        acceptance: None,
        warn_at_permille: tier.warn_at_permille.clone(),
    })
}

fn read_class(
    section: &Section<'_>,
    name: String,
    root: &Section<'_>,
    (levels, permits): (usize, &[Permit]),
) -> Option<Class> {
    section.missing("matter");
    section.missing("label");
    let matter = section.choice("matter", &KINDS);
    if matches!(matter, Some(MatterKind::Visit | MatterKind::Patrol)) {
        section.wrong("matter", "visits and patrols come round: write them as [[cadence]]");
    }
    let closed_by = section.choice(
        "closed_by",
        &[
            ("customer", ClosedBy::Customer),
            ("signature", ClosedBy::Signature),
            ("supervisor", ClosedBy::Supervisor),
            ("inspection", ClosedBy::Inspection),
            ("work", ClosedBy::Work),
        ],
    );
    let matter = matter?;
    let closed_by = closed_by.unwrap_or(match matter {
        MatterKind::Complaint | MatterKind::Request => ClosedBy::Customer,
        MatterKind::Defect => ClosedBy::Inspection,
        _ => ClosedBy::Work,
    });
    let callback_within = section.limit("callback_within");
    if callback_within.is_some() && !matches!(closed_by, ClosedBy::Customer | ClosedBy::Signature) {
        section.wrong(
            "callback_within",
            "is owed only where the customer closes: closed_by customer or signature",
        );
    }
    let level = section.whole("level", 1..=if levels == 0 { LEVEL_MAX } else { levels as i64 });
    let repeat_becomes = section.text("repeat_becomes");
    if let Some(other) = repeat_becomes.filter(|other| !has_class(root, matter, other)) {
        section.wrong("repeat_becomes", format!("there is no class \"{other}\" of a {}", matter.name()));
    }
    Some(Class {
        matter,
        name,
        label: section.label("label")?,
        answer_within: section.limit("answer_within"),
        route_within: section.limit("route_within"),
        resolve_within: section.limit("resolve_within"),
        progress_every: section.limit("progress_every"),
        callback_within,
        callback_retries_ms: section.durations("callback_retries").unwrap_or_else(callback_retries_ms),
        supervisor_within_ms: section.duration("supervisor_within").unwrap_or_else(supervisor_within_ms),
        permit: permit_of_class(section, matter, permits),
        closed_by,
        supervisor_only: section.flag("supervisor_only").unwrap_or(false),
        repeat_becomes: repeat_becomes.map(str::to_owned),
        reported_to: read_reported_to(section),
        level: level.and_then(|level| u32::try_from(level).ok()).unwrap_or(1),
        warn_at_permille: warn_at(section),
    })
}

fn read_reported_to(section: &Section<'_>) -> Vec<String> {
    let to = section.texts("reported_to").unwrap_or_default();
    if to.len() > REPORTED_TO_MAX || to.iter().any(|one| one.trim().is_empty()) {
        let reason =
            format!("must hold at most {REPORTED_TO_MAX} of: supervisors, desk, a person, a mail address");
        section.wrong("reported_to", reason);
    }
    to.into_iter().map(str::to_owned).collect()
}

/// Defects are mended under a permit; what else has classes is no work at a site.
fn permit_of_class(section: &Section<'_>, matter: MatterKind, permits: &[Permit]) -> Option<String> {
    let permit = permit::needed(section, permits)?;
    if matter != MatterKind::Defect {
        section.wrong("permit", "is for defects, visits and patrols");
    }
    Some(permit)
}

/// Whether a class of that name stands anywhere in the file.
fn has_class(root: &Section<'_>, matter: MatterKind, name: &str) -> bool {
    root.sections("class")
        .iter()
        .any(|other| other.text("name") == Some(name) && other.text("matter") == Some(matter.name()))
}

fn read_cadence(section: &Section<'_>, name: String, tiers: &[Tier], known: &NamedThings) -> Option<Cadence> {
    for key in ["matter", "label", "every"] {
        section.missing(key);
    }
    let matter = section.choice("matter", &KINDS);
    if matter.is_some_and(|matter| !matches!(matter, MatterKind::Visit | MatterKind::Patrol)) {
        section.wrong("matter", "only visits and patrols come round: write the others as [[class]]");
    }
    let of_tiers = own_texts(section.texts("tiers"));
    for name in of_tiers.iter().filter(|name| !tiers.is_empty() && !tiers.iter().any(|t| t.name == **name)) {
        section.wrong("tiers", format!("there is no tier \"{name}\" in this pack"));
    }
    let checklist = checklist_of(section, known);
    let equipment = own_texts(section.texts("equipment"));
    for name in equipment.iter().filter(|name| !known.equipment.iter().any(|kind| kind.name == **name)) {
        section.wrong("equipment", format!("there is no [[equipment]] \"{name}\" in this pack"));
    }
    if !equipment.is_empty() && matter == Some(MatterKind::Visit) {
        section.wrong("equipment", "is inspected on patrols, not on visits");
    }
    let every = read_every(section);
    let (modes, review_within) = (own_texts(section.texts("modes")), section.limit("review_within"));
    let warn_at_permille = warn_at(section);
    Some(Cadence {
        matter: matter?,
        name,
        label: section.label("label")?,
        tiers: of_tiers,
        every: every?,
        modes,
        checklist,
        equipment,
        permit: permit::needed(section, &known.permits),
        report: section.flag("report").unwrap_or(false),
        review_within,
        acceptance: None,
        warn_at_permille,
    })
}

pub fn own_texts(list: Option<Vec<&str>>) -> Vec<String> {
    list.unwrap_or_default().into_iter().map(str::to_owned).collect()
}

/// The checklist that a round names.
pub fn checklist_of(section: &Section<'_>, known: &NamedThings) -> Option<String> {
    let name = section.text("checklist")?;
    if !known.checklists.iter().any(|list| list.name == name) {
        section.wrong("checklist", format!("there is no [[checklist]] \"{name}\" in this pack"));
    }
    Some(name.to_owned())
}

fn read_every(section: &Section<'_>) -> Option<Every> {
    const NAMED: [(&str, Every); 7] = [
        ("half_day", Every::HalfDay),
        ("week", Every::Week),
        ("half_month", Every::HalfMonth),
        ("month", Every::Month),
        ("quarter", Every::Quarter),
        ("seasons", Every::Seasons),
        ("year", Every::Year),
    ];
    let text = section.text("every")?;
    if let Some((_, every)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Some(*every);
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return section.duration("every").map(Every::Span);
    }
    let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
    section.wrong("every", format!("\"{text}\" is neither a duration nor one of: {}", names.join(", ")));
    None
}

fn read_checklist(section: &Section<'_>, name: String) -> Option<Checklist> {
    section.missing("label");
    section.missing("items");
    let items = section.tables("items");
    if items.is_empty() || items.len() > POINTS_MAX {
        section.wrong("items", format!("must hold 1 to {POINTS_MAX} points {{ name = …, zh = …, en = … }}"));
    }
    let mut points: Vec<(String, Label)> = Vec::new();
    let mut readings: BTreeMap<String, Range> = BTreeMap::new();
    for item in items {
        item.missing("zh");
        item.missing("en");
        let text = |key| item.text(key).map(str::to_owned);
        let point = self::name(&item, "name").zip(text("zh").zip(text("en")));
        let range = reading::read(&item);
        item.finish();
        let Some((name, (zh, en))) = point else { continue };
        if points.iter().any(|(known, _)| *known == name) {
            item.wrong("name", format!("the point \"{name}\" stands twice"));
        }
        readings.extend(range.map(|range| (name.clone(), range)));
        points.push((name, Label { zh, en }));
    }
    Some(Checklist { name, label: section.label("label")?, items: points, readings })
}

fn read_postponing(root: &Section<'_>) -> Option<Postponing> {
    let section = root.section("postponing")?;
    section.missing("times");
    section.missing("at_most");
    let times = section.whole("times", 0..=TIMES_MAX).and_then(|times| u32::try_from(times).ok());
    let at_most_ms = section.duration("at_most");
    section.finish();
    Some(Postponing { times: times?, at_most_ms: at_most_ms? })
}
