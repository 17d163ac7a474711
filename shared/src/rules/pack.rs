//! A pack: tiers with their limits, and how they are counted.

use std::sync::Arc;

use chrono_tz::Tz;

use super::alerting::{AlertRule, Quiet};
use super::assessment::{Assessment, Availability};
use super::at_risk::RiskRules;
use super::class::{Cadence, Checklist, Class, Level, Postponing};
use super::equipment::{Condition, EquipmentKind};
use super::form::Form;
use super::grading::Grading;
use super::matrix::{self, Cell};
use super::permit::Permit;
use super::plans::PlanRules;
use super::read;
use super::section::{File, Section, document};
use super::{Counts, Limit, Mistake};
use crate::calendar::{Calendar, Calendars};
use crate::detector::Quality;
use crate::sla::Interval;
use crate::time::UnixMs;

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Label {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// What starts the restoration clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStarts {
    /// The customer's report or the first evidence, whichever is earlier.
    Earliest,
    /// The first report.
    Report,
    /// The first evidence.
    Detection,
}

/// The window in which repeat faults are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatWindow {
    /// The calendar year in the pack's time zone.
    Year,
    /// The 365 days before.
    Rolling365,
}

/// Whether the first fault of a window counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatCounts {
    /// Every fault.
    All,
    /// Every fault after the first.
    Recurrences,
}

/// A cause for a pause or an exemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its name in facts.
    pub name: String,
    /// Its name for people.
    pub label: Label,
    /// Whether it is proposed, as a pause, while the customer's site is closed to us.
    pub when_site_closed: bool,
}

/// The limits of one tier. A limit that is absent is not promised.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tier {
    /// The name in data, such as `AAA`.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// Service is back within (ms).
    pub restore_within_ms: i64,
    /// Which time counts towards it.
    #[serde(default)]
    pub restore_counts: Counts,
    /// Somebody takes it up within, from the start on.
    #[serde(default)]
    pub answer_within: Option<Limit>,
    /// The cause is mended within, from the restoration on (ms).
    pub repair_within_ms: Option<i64>,
    /// Which time counts towards it.
    #[serde(default)]
    pub repair_counts: Counts,
    /// The customer hears how it stands at least every (ms).
    pub feedback_every_ms: Option<i64>,
    /// The customer is asked within, from the repair on (ms).
    pub callback_within_ms: Option<i64>,
    /// Which time counts towards it.
    #[serde(default)]
    pub callback_counts: Counts,
    /// After a callback in vain the next one is due within, one after the other (ms); none: at once to a supervisor.
    #[serde(default = "read::callback_retries_ms")]
    pub callback_retries_ms: Vec<i64>,
    /// After the last callback in vain a supervisor decides within (ms).
    #[serde(default = "read::supervisor_within_ms")]
    pub supervisor_within_ms: i64,
    /// A line that is degraded is well again within (ms).
    #[serde(default)]
    pub degraded_restore_within_ms: Option<i64>,
    /// More of a million probes lost than this degrade a line.
    #[serde(default)]
    pub loss_at_most_ppm: Option<u32>,
    /// Longer round trips degrade it (ms).
    #[serde(default)]
    pub latency_at_most_ms: Option<i64>,
    /// Larger differences of round trips in a row degrade it (ms).
    #[serde(default)]
    pub jitter_at_most_ms: Option<i64>,
    /// Faults of one line in the window stay below.
    pub faults_per_year_below: Option<u32>,
    /// Interruption of one line in the year is at most (ms).
    pub interruption_per_year_at_most_ms: Option<i64>,
    /// A visit is owed every (ms).
    pub visit_every_ms: Option<i64>,
    /// Warning marks, in thousandths of an allowance, rising.
    pub warn_at_permille: Vec<u16>,
}

impl Tier {
    /// What its lines may lose, and how slow and unsteady they may be, before they are degraded.
    #[must_use]
    pub fn quality(&self) -> Quality {
        let us = |ms: Option<i64>| ms.map(|ms| u32::try_from(ms.saturating_mul(1_000)).unwrap_or(u32::MAX));
        Quality::new(self.loss_at_most_ppm, us(self.latency_at_most_ms), us(self.jitter_at_most_ms))
    }

    /// The limit of the restoration.
    #[must_use]
    pub const fn restore_within(&self) -> Limit {
        Limit { ms: self.restore_within_ms, counts: self.restore_counts }
    }

    /// The limit of the repair.
    #[must_use]
    pub fn repair_within(&self) -> Option<Limit> {
        self.repair_within_ms.map(|ms| Limit { ms, counts: self.repair_counts })
    }

    /// The limit of the callback.
    #[must_use]
    pub fn callback_within(&self) -> Option<Limit> {
        self.callback_within_ms.map(|ms| Limit { ms, counts: self.callback_counts })
    }
}

/// The customers that a pack is for, beside those who are under it by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// None: a pack of line tiers is for the customers who are under it.
    Own,
    /// Every customer.
    All,
    /// These, by their codes.
    Named(Vec<String>),
}

/// A pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The pack's name.
    pub name: String,
    /// Its version; the same name and version always has the same content.
    pub version: String,
    /// The time zone that decides years and months.
    pub time_zone: Tz,
    /// The name of the calendar of working time.
    pub calendar: String,
    /// That calendar, where it is at hand.
    pub days: Option<Arc<Calendar>>,
    /// For whom its classes and cadences are.
    pub customers: Scope,
    /// What starts the restoration clock.
    pub clock_starts: ClockStarts,
    /// A failure within this of a restoration is the same fault again (ms).
    pub same_fault_within_ms: i64,
    /// The window of the repeat count.
    pub repeat_window: RepeatWindow,
    /// Whether the first fault counts.
    pub repeat_counts: RepeatCounts,
    /// Device times corrected by more than this are marked (ms).
    pub clock_tolerance_ms: i64,
    /// Planned work is applied for at least so long before its start (ms).
    pub planned_work_notice_ms: i64,
    /// Faults of lines on one upstream node that start within this of each other are one cause's (ms).
    pub upstream_within_ms: i64,
    /// So many lines of a node have to be down for that.
    pub upstream_at_least: u32,
    /// Causes for which clocks may stand still.
    pub pause_causes: Vec<Cause>,
    /// Causes that take a fault out of the figures.
    pub exempt_causes: Vec<Cause>,
    /// The tiers, in the file's order, with their limits for every service.
    pub tiers: Vec<Tier>,
    /// The services that the matrix of limits knows.
    pub services: Vec<Cause>,
    /// The cells of that matrix.
    pub(super) cells: Vec<Cell>,
    /// Classes of complaints, requests, defects and promises.
    pub classes: Vec<Class>,
    /// Duties that come round.
    pub cadences: Vec<Cadence>,
    /// Points to look at on a round.
    pub checklists: Vec<Checklist>,
    /// Kinds of equipment.
    pub equipment: Vec<EquipmentKind>,
    /// Grades of condition, the best first.
    pub conditions: Vec<Condition>,
    /// Permits to work.
    pub permits: Vec<Permit>,
    /// Levels of authority, the lowest first.
    pub levels: Vec<Level>,
    /// How promised times may be put off; as often as one likes where it is absent.
    pub postponing: Option<Postponing>,
    /// How customers are graded.
    pub grading: Option<Grading>,
    /// The availability that is promised.
    pub availability: Option<Availability>,
    /// The service-quality assessment.
    pub assessment: Option<Assessment>,
    /// Who is told of what, in order; what no entry fits goes to the account manager and those on duty.
    pub alerts: Vec<AlertRule>,
    /// When some are not woken.
    pub quiet: Option<Quiet>,
    /// When a customer counts as one that may be lost.
    pub at_risk: Option<RiskRules>,
    /// Which customers have a plan of their own each year.
    pub plans: Option<PlanRules>,
    /// Forms for reports.
    pub forms: Vec<Form>,
}

impl Pack {
    /// Reads a pack, with the shipped calendars. Another calendar's name is taken as it is; working time cannot be
    /// counted by it then.
    ///
    /// # Errors
    /// With every mistake of the file, in its order.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, Vec<Mistake>> {
        Self::read(text, file_name, Calendars::shipped(), false)
    }

    /// Reads a pack whose calendar has to be among these.
    ///
    /// # Errors
    /// With every mistake of the file, in its order.
    pub fn parse_with(text: &str, file_name: &str, calendars: &Calendars) -> Result<Self, Vec<Mistake>> {
        Self::read(text, file_name, calendars, true)
    }

    /// Reads a pack that was right when it was kept: a calendar that is gone since counts nothing.
    ///
    /// # Errors
    /// With every mistake of the file, in its order.
    pub fn parse_stored(text: &str, file_name: &str, calendars: &Calendars) -> Result<Self, Vec<Mistake>> {
        Self::read(text, file_name, calendars, false)
    }

    fn read(text: &str, file_name: &str, calendars: &Calendars, strict: bool) -> Result<Self, Vec<Mistake>> {
        let document = document(text, file_name)?;
        let file = File::new(file_name, text);
        let root = Section::new(&file, document.as_table(), None, "");
        let pack = read::pack(&file, &root, calendars, strict);
        let mistakes = file.into_mistakes();
        pack.filter(|_| mistakes.is_empty()).ok_or(mistakes)
    }

    /// The tier of that name.
    #[must_use]
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name == name)
    }

    /// The tier of that name as it is promised for a service, named by its name or a label in any case. One that the
    /// pack does not know is promised as every one is.
    #[must_use]
    pub fn tier_for(&self, name: &str, service: &str) -> Option<Tier> {
        let tier = self.tier(name)?;
        let says = |known: &str| known.eq_ignore_ascii_case(service.trim());
        let known = |s: &&Cause| says(&s.name) || says(&s.label.zh) || says(&s.label.en);
        Some(match self.services.iter().find(known) {
            Some(service) => matrix::for_service(tier, &service.name, &self.cells),
            None => tier.clone(),
        })
    }

    /// Whether the pack's classes and cadences are for a customer, who is under the pack `under` by name.
    #[must_use]
    pub fn is_for(&self, customer: &str, under: &str) -> bool {
        match &self.customers {
            _ if self.name == under => true,
            Scope::Own => false,
            Scope::All => true,
            Scope::Named(codes) => codes.iter().any(|code| code == customer),
        }
    }

    /// The time that counts towards a limit from a moment on.
    ///
    /// # Errors
    /// When the calendar is not at hand, or does not reach as far as the limit needs it.
    pub fn countable(&self, limit: Limit, from: UnixMs) -> Result<Vec<Interval>, String> {
        match &self.days {
            _ if limit.counts == Counts::Always => Ok(vec![Interval::open(from)]),
            Some(days) => days.countable(limit, from, self.time_zone).map_err(|error| error.to_string()),
            None => Err(format!("the calendar \"{}\" of the pack {} is not here", self.calendar, self.name)),
        }
    }
}
