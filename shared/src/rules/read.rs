//! Reads a pack from its file.

use chrono_tz::Tz;

use super::Counts;
use super::pack::{Cause, ClockStarts, Label, Pack, RepeatCounts, RepeatWindow, Scope, Tier};
use super::section::{File, Section};
use super::{alerting, assessment, at_risk, form, grading, matrix, matters, plans};
use crate::calendar::Calendars;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// The most items of one kind in a pack: tiers, classes, causes and the like.
const ITEMS_MAX: usize = 256;
/// The longest name of a pack, version, tier or cause, in characters.
const NAME_CHARS_MAX: usize = 64;
/// The calendar of a pack that names none.
const CALENDAR_DEFAULT: &str = "cn";
/// Warning marks where none are given, in thousandths of the allowance.
const WARN_AT_DEFAULT: [u16; 2] = [500, 800];

pub fn pack(file: &File<'_>, root: &Section<'_>, calendars: &Calendars, strict: bool) -> Option<Pack> {
    let own = named(root, "tier", |section, name| read_tier(section, name, root));
    let services = matrix::read_services(root);
    let cells = matrix::read_cells(root, &own, &services);
    let tiers: Vec<Tier> = own.into_iter().map(|tier| matrix::for_every_service(tier, &cells)).collect();
    let pause_causes = named(root, "pause_cause", read_pause_cause);
    let exempt_causes = named(root, "exempt_cause", read_cause);
    let matters = matters::read(root, &tiers);
    let grading = grading::read(root, &tiers);
    let names = alerting::names(&tiers, &matters);
    let (alerts, quiet) = (alerting::read(root, &names), alerting::read_quiet(root, &names));
    let (availability, assessment) = (assessment::read_availability(root), assessment::read(root));
    let at_risk = at_risk::read(root);
    let plans = plans::read(root, &matters.classes);
    let forms = form::read(root);
    let head = root.section("pack");
    if head.is_none() {
        file.mistake(None, "pack", "is missing: a pack begins with [pack], name and version");
    }
    let is_empty = tiers.is_empty() && matters.classes.is_empty() && matters.cadences.is_empty();
    if is_empty && forms.is_empty() {
        let reason = "is missing: a pack has at least one [[tier]], [[class]], [[cadence]] or [[form]]";
        file.mistake(None, "tier", reason);
    }
    root.finish();
    let pack = read_head(&head?, calendars, strict, tiers.is_empty())?;
    Some(Pack {
        pause_causes,
        exempt_causes,
        tiers,
        services,
        cells,
        classes: matters.classes,
        cadences: matters.cadences,
        checklists: matters.checklists,
        equipment: matters.equipment,
        conditions: matters.conditions,
        permits: matters.permits,
        levels: matters.levels,
        postponing: matters.postponing,
        grading,
        availability,
        assessment,
        alerts,
        quiet,
        at_risk,
        plans,
        forms,
        ..pack
    })
}

fn read_head(head: &Section<'_>, calendars: &Calendars, strict: bool, is_lineless: bool) -> Option<Pack> {
    let name = name(head, "name");
    let version = self::name(head, "version");
    let time_zone = head.text("time_zone").and_then(|text| {
        let zone = text.parse::<Tz>().ok();
        if zone.is_none() {
            head.wrong("time_zone", format!("\"{text}\" is not a time zone such as Asia/Shanghai"));
        }
        zone
    });
    head.missing("time_zone");
    let calendar = head.text("calendar").unwrap_or(CALENDAR_DEFAULT);
    let days = calendars.get(calendar).cloned();
    if days.is_none() && strict {
        head.wrong("calendar", format!("\"{calendar}\" is not one of: {}", calendars.names()));
    }
    let customers = read_customers(head, if is_lineless { Scope::All } else { Scope::Own });
    let clock_starts = head.choice(
        "clock_starts",
        &[
            ("earliest", ClockStarts::Earliest),
            ("report", ClockStarts::Report),
            ("detection", ClockStarts::Detection),
        ],
    );
    let repeat_window =
        head.choice("repeat_window", &[("year", RepeatWindow::Year), ("365d", RepeatWindow::Rolling365)]);
    let repeat_counts = head
        .choice("repeat_counts", &[("all", RepeatCounts::All), ("recurrences", RepeatCounts::Recurrences)]);
    let same_fault_within_ms = head.duration("same_fault_within").unwrap_or(DAY_MS);
    let clock_tolerance_ms = head.duration("clock_tolerance").unwrap_or(2 * MINUTE_MS);
    let planned_work_notice_ms = head.duration("planned_work_notice").unwrap_or(DAY_MS);
    let upstream_within_ms = head.duration("upstream_within").unwrap_or(5 * MINUTE_MS);
    let upstream_at_least = head.count("upstream_at_least").unwrap_or(2);
    head.finish();
    Some(Pack {
        name: name?,
        version: version?,
        time_zone: time_zone?,
        calendar: calendar.to_owned(),
        days,
        customers,
        clock_starts: clock_starts.unwrap_or(ClockStarts::Earliest),
        same_fault_within_ms,
        repeat_window: repeat_window.unwrap_or(RepeatWindow::Year),
        repeat_counts: repeat_counts.unwrap_or(RepeatCounts::All),
        clock_tolerance_ms,
        planned_work_notice_ms,
        upstream_within_ms,
        upstream_at_least,
        pause_causes: Vec::new(),
        exempt_causes: Vec::new(),
        tiers: Vec::new(),
        services: Vec::new(),
        cells: Vec::new(),
        classes: Vec::new(),
        cadences: Vec::new(),
        checklists: Vec::new(),
        equipment: Vec::new(),
        conditions: Vec::new(),
        permits: Vec::new(),
        levels: Vec::new(),
        postponing: None,
        grading: None,
        availability: None,
        assessment: None,
        alerts: Vec::new(),
        quiet: None,
        at_risk: None,
        plans: None,
        forms: Vec::new(),
    })
}

/// `customers`: "all", "own", or codes.
fn read_customers(head: &Section<'_>, default: Scope) -> Scope {
    if !head.has("customers") {
        return default;
    }
    if head.is_text("customers") {
        return head
            .choice("customers", &[("all", true), ("own", false)])
            .map_or(default, |all| if all { Scope::All } else { Scope::Own });
    }
    let codes = head.texts("customers").unwrap_or_default();
    Scope::Named(codes.into_iter().map(str::to_owned).collect())
}

/// A required name: short, without white space or control characters.
pub fn name(section: &Section<'_>, key: &'static str) -> Option<String> {
    section.missing(key);
    let text = section.text(key)?;
    if text.chars().count() > NAME_CHARS_MAX || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        section.wrong(key, format!("must be at most {NAME_CHARS_MAX} characters without white space"));
        return None;
    }
    Some(text.to_owned())
}

/// Reads a list of named tables; a name that stands twice is a mistake.
pub fn named<T>(
    root: &Section<'_>,
    key: &'static str,
    read: impl Fn(&Section<'_>, String) -> Option<T>,
) -> Vec<T> {
    named_apart(root, key, |_| None, read)
}

/// The same, where `apart` says what a name belongs to: the same name may stand once in each.
pub fn named_apart<T>(
    root: &Section<'_>,
    key: &'static str,
    apart: impl Fn(&Section<'_>) -> Option<&'static str>,
    read: impl Fn(&Section<'_>, String) -> Option<T>,
) -> Vec<T> {
    let mut paths: Vec<String> = Vec::new();
    let mut items = Vec::new();
    let sections = root.sections(key);
    if sections.len() > ITEMS_MAX {
        root.wrong(key, format!("stands more than {ITEMS_MAX} times"));
    }
    for mut section in sections {
        let Some(name) = name(&section, "name") else { continue };
        let part = apart(&section).map_or_else(String::new, |part| format!(".{part}"));
        section.rename(format!("{}{part}.{name}", section.path()));
        if paths.iter().any(|path| path == section.path()) {
            section.wrong("name", format!("duplicate {key} \"{name}\""));
        }
        paths.push(section.path().to_owned());
        items.extend(read(&section, name));
        section.finish();
    }
    items
}

fn read_cause(section: &Section<'_>, name: String) -> Option<Cause> {
    let label = section.label("label");
    section.missing("label");
    Some(Cause { name, label: label?, when_site_closed: false })
}

fn read_pause_cause(section: &Section<'_>, name: String) -> Option<Cause> {
    let when_site_closed = section.flag("when_site_closed").unwrap_or(false);
    Some(Cause { when_site_closed, ..read_cause(section, name)? })
}

/// Callbacks after others in vain, where none are given: two hours, a day, two days.
pub fn callback_retries_ms() -> Vec<i64> {
    vec![2 * HOUR_MS, DAY_MS, 2 * DAY_MS]
}

/// How long a supervisor has to decide, where it is not given.
pub const fn supervisor_within_ms() -> i64 {
    DAY_MS
}

/// Warning marks, or the usual ones.
pub fn warn_at(section: &Section<'_>) -> Vec<u16> {
    section.permilles("warn_at").unwrap_or_else(|| WARN_AT_DEFAULT.to_vec())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "read by the same function as causes, which may lack their label"
)]
fn read_tier(section: &Section<'_>, name: String, root: &Section<'_>) -> Option<Tier> {
    let label = section.label("label").unwrap_or_else(|| Label { zh: name.clone(), en: name.clone() });
    let restore_within_ms = section.duration("restore_within");
    if !matrix::finishes(root, &name) {
        section.missing("restore_within");
    }
    let repair_within = section.limit("repair_within");
    let callback_within = section.limit("callback_within");
    Some(Tier {
        name,
        label,
        restore_within_ms: restore_within_ms.unwrap_or_default(),
        restore_counts: Counts::Always,
        answer_within: section.limit("answer_within"),
        repair_within_ms: repair_within.map(|limit| limit.ms),
        repair_counts: matrix::counts(repair_within),
        feedback_every_ms: section.duration("feedback_every"),
        callback_within_ms: callback_within.map(|limit| limit.ms),
        callback_counts: matrix::counts(callback_within),
        callback_retries_ms: section.durations("callback_retries").unwrap_or_else(callback_retries_ms),
        supervisor_within_ms: section.duration("supervisor_within").unwrap_or_else(supervisor_within_ms),
        degraded_restore_within_ms: section.duration("degraded_restore_within"),
        loss_at_most_ppm: section.percent("loss_at_most"),
        latency_at_most_ms: section.duration("latency_at_most"),
        jitter_at_most_ms: section.duration("jitter_at_most"),
        faults_per_year_below: section.count("faults_per_year_below"),
        interruption_per_year_at_most_ms: section.duration("interruption_per_year_at_most"),
        visit_every_ms: section.duration("visit_every"),
        warn_at_permille: warn_at(section),
    })
}
