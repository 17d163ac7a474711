//! A fault as people and programs see it, judged as of the moment of reading.

use std::collections::BTreeMap;

use linewatch_shared::rules::{Label, RepeatWindow};
use linewatch_shared::sla::{
    Allowance, Deadline, DeadlineKind, Fault, FaultState, Interval, PackVersion, Status, YearFigures,
    deadlines, local_year,
};
use linewatch_shared::time::{DAY_MS, UnixMs};
use serde::Serialize;
use uuid::Uuid;

use crate::db::{DbError, Tx};
use crate::store::faults::{self, Wanted};
use crate::store::figures::{self, Part};
use crate::store::lines::{self, LineInfo};

/// One promise.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Promise {
    /// By when.
    pub due_at: String,
    /// `running`, `paused`, `met`, `missed` or `cancelled`.
    pub state: String,
    /// What is left, in milliseconds; negative when overdue.
    pub remaining_ms: i64,
    /// When it was kept.
    pub met_at: Option<String>,
    /// The whole allowance, in milliseconds, pauses left out.
    pub allowance_ms: i64,
}

/// Faults of the line in the window, against the tier's limit.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct Repeat {
    /// How many.
    pub count: u32,
    /// The count stays below this; none where nothing is promised.
    pub limit: Option<u32>,
    /// The local year.
    pub year: i32,
}

/// The line's time without service in the year, against the tier's limit.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct InterruptionView {
    /// So far, in milliseconds.
    pub ms: i64,
    /// At most; none where nothing is promised.
    pub limit_ms: Option<i64>,
    /// The local year.
    pub year: i32,
    /// Whether an outage is running.
    pub running: bool,
    /// When the limit was used up; while an outage runs that would use it up within the year, when it will be.
    pub exhausted_at: Option<String>,
}

/// How the line stands against its promised availability.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AvailabilityView {
    /// Since when it counts.
    pub from: String,
    /// The end of the month, quarter or year, or of the line's service.
    pub to: String,
    /// Time without service in it so far, in milliseconds.
    pub interruption_ms: i64,
    /// How much it may hold, in milliseconds.
    pub allowance_ms: i64,
    /// What is left of that, in milliseconds; negative once it is missed.
    pub left_ms: i64,
    /// When that was used up; while an outage runs that would use it up, when it will be.
    pub exhausted_at: Option<String>,
    /// `running`, `met` or `missed`.
    pub state: &'static str,
}

/// Whom to call.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Contact {
    /// The name.
    pub name: String,
    /// The number.
    pub phone: String,
}

/// A fault.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FaultView {
    /// The fault's id.
    pub id: String,
    /// Further ids that answer to it.
    pub aliases: Vec<String>,
    /// The line's code.
    pub line: String,
    /// `up`, `degraded`, `down` or `unknown`, by evidence; `down` while a reported outage runs without evidence.
    pub line_state: String,
    /// The site's name.
    pub site: String,
    /// What runs over the line.
    pub service: String,
    /// The node that the line hangs on.
    pub upstream: Option<String>,
    /// The customer's code.
    pub customer: String,
    /// The customer's name.
    pub customer_name: String,
    /// The customer's region; left out where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The tier that the fault started under.
    pub tier: String,
    /// The tier's name for people.
    #[schema(value_type = Object)]
    pub tier_label: Label,
    /// The pack and version that the fault started under.
    pub pack: String,
    /// `suspected`, `open`, `acknowledged`, `dispatched`, `restored`, `repaired`, `closed`,
    /// `closed_unconfirmed` or `withdrawn`.
    pub state: String,
    /// The earliest evidence or report.
    pub started_at: String,
    /// The first evidence.
    pub detected_at: Option<String>,
    /// The first report by a person.
    pub reported_at: Option<String>,
    /// Whether service is, or was, bad and never out: no interruption, and limits of its own.
    pub degraded: bool,
    /// Whether a person has reported it.
    pub reported: bool,
    /// When evidence says that it came back, while a person's word is awaited.
    pub proposed_restored_at: Option<String>,
    /// The restoration in force.
    pub restored_at: Option<String>,
    /// The customer's confirmation, or a supervisor's closing.
    pub closed_at: Option<String>,
    /// The exemption's cause, where there is one.
    pub exempt: Option<String>,
    /// The confirmed fault that this one follows.
    pub follows: Option<String>,
    /// Why nothing is promised, where nothing is: its customer is not admitted, or its service had ended.
    pub not_promised: Option<String>,
    /// Service is back by; none where no restoration clock was started.
    pub restoration: Option<Promise>,
    /// The customer hears how it stands by.
    pub feedback: Option<Promise>,
    /// The cause is mended by.
    pub repair: Option<Promise>,
    /// The customer is asked by.
    pub callback: Option<Promise>,
    /// A supervisor decides by, because the customer cannot be reached.
    pub supervisor: Option<Promise>,
    /// The line's faults in the year.
    pub repeat: Repeat,
    /// The line's interruption in the year.
    pub interruption: InterruptionView,
    /// The line against its promised availability, once something of what it leaves is used.
    pub availability: Option<AvailabilityView>,
    /// Who answers for it.
    pub owner: String,
    /// Whom to call at the customer.
    pub contact: Option<Contact>,
    /// The steps that fit now.
    pub possible: Vec<String>,
}

/// A line's figures of the year.
#[derive(Clone, Debug)]
pub struct LineFigures {
    /// The repeat count.
    pub repeat: Repeat,
    /// The interruption.
    pub interruption: InterruptionView,
}

/// What views are made with.
pub struct Lens<'a> {
    /// The moment of reading.
    pub now: UnixMs,
    /// Every stored pack version.
    pub versions: &'a [PackVersion],
}

impl Lens<'_> {
    /// The year of reading in a pack's time zone.
    #[must_use]
    pub fn year(&self, pack: &str) -> i32 {
        let zone = self.version(pack).map_or(chrono_tz::UTC, |version| version.pack.time_zone);
        local_year(zone, self.now)
    }

    /// The version of a pack in force now.
    fn version(&self, pack: &str) -> Option<&PackVersion> {
        let of_pack = self
            .versions
            .iter()
            .filter(|version| version.pack.name == pack && version.valid_from <= self.now);
        of_pack.max_by_key(|version| version.valid_from)
    }

    /// A line's figures under a pack and tier.
    #[must_use]
    pub fn figures(&self, pack: &str, tier: &str, parts: &[Part]) -> LineFigures {
        let version = self.version(pack);
        let year = self.year(pack);
        let tier = version.and_then(|version| version.pack.tier(tier));
        let (figures, rolling) = match version {
            None => (YearFigures::default(), None),
            Some(version) => {
                let all = parts.iter().map(|part| &part.contribution);
                let pack = &version.pack;
                let rolling = (pack.repeat_window == RepeatWindow::Rolling365).then(|| self.rolling(parts));
                (YearFigures::of(all, year, pack.time_zone, pack.repeat_counts, self.now), rolling)
            }
        };
        let limit_ms = tier.and_then(|tier| tier.interruption_per_year_at_most_ms);
        let allowance = version
            .zip(tier)
            .and_then(|(version, tier)| Allowance::interruption(tier, version.pack.time_zone, year));
        let exhausted_at =
            allowance.and_then(|allowance| allowance.figures(&pieces(parts), self.now).exhausted_at);
        LineFigures {
            repeat: Repeat {
                count: rolling.unwrap_or(figures.repeat_count),
                limit: tier.and_then(|tier| tier.faults_per_year_below),
                year,
            },
            interruption: InterruptionView {
                ms: figures.interruption.ms,
                limit_ms,
                year,
                running: figures.interruption.running,
                exhausted_at: exhausted_at.map(UnixMs::to_rfc3339),
            },
        }
    }

    /// A line's promised availability, while its span goes on.
    #[must_use]
    pub fn availability(&self, line: &LineInfo, parts: &[Part]) -> Option<AvailabilityView> {
        let (from, to, allowance_ms) =
            line.availability.filter(|(from, to, _)| (*from..*to).contains(&self.now))?;
        let kind = DeadlineKind::Availability;
        let allowance = Allowance { kind, from, to, allowance_ms, warn_at_permille: Vec::new() };
        let figures = allowance.figures(&pieces(parts), self.now);
        Some(AvailabilityView {
            from: from.to_rfc3339(),
            to: to.to_rfc3339(),
            interruption_ms: figures.interruption_ms,
            allowance_ms,
            left_ms: figures.left_ms(),
            exhausted_at: figures.exhausted_at.map(UnixMs::to_rfc3339),
            state: figures.state.name(),
        })
    }

    fn rolling(&self, parts: &[Part]) -> u32 {
        let since = self.now - 365 * DAY_MS;
        parts.iter().filter(|part| part.contribution.counted && part.started_at > since).count() as u32
    }

    /// A fault's view.
    #[must_use]
    pub fn fault(&self, fault: &Fault, line: &LineInfo, parts: &[Part]) -> FaultView {
        let list = deadlines(fault, self.now);
        let current = |kind| self.current(&list, kind);
        let LineFigures { repeat, interruption } =
            self.figures(&fault.terms.pack, &fault.terms.tier.name, parts);
        let text = |at: Option<UnixMs>| at.map(UnixMs::to_rfc3339);
        FaultView {
            id: fault.id.to_string(),
            aliases: fault.aliases.iter().map(ToString::to_string).collect(),
            line: fault.line.clone(),
            line_state: line_state(fault, line),
            site: line.site.clone(),
            service: line.service.clone(),
            upstream: (!line.upstream.is_empty()).then(|| line.upstream.clone()),
            customer: fault.terms.customer.clone(),
            customer_name: line.customer_name.clone(),
            region: line.region.clone(),
            tier: fault.terms.tier.name.clone(),
            tier_label: fault.terms.tier.label.clone(),
            pack: format!("{} {}", fault.terms.pack, fault.terms.version),
            state: fault.state.name().to_owned(),
            started_at: fault.started_at.to_rfc3339(),
            detected_at: text(fault.detected_at),
            reported_at: text(fault.reported_at),
            degraded: fault.is_degraded_only(),
            reported: fault.reported_at.is_some(),
            proposed_restored_at: text(fault.proposed_restored_at),
            restored_at: text(fault.restored_at),
            closed_at: text(fault.closed_at),
            exempt: fault.exemption.as_ref().map(|exemption| exemption.cause.clone()),
            follows: fault.follows.map(|id| id.to_string()),
            not_promised: not_promised(fault, line),
            restoration: current(DeadlineKind::Restoration),
            feedback: current(DeadlineKind::Feedback),
            repair: current(DeadlineKind::Repair),
            callback: current(DeadlineKind::Callback),
            supervisor: current(DeadlineKind::Supervisor),
            repeat,
            interruption,
            availability: self.availability(line, parts),
            owner: owner(line),
            contact: (!line.contact_phone.is_empty())
                .then(|| Contact { name: line.contact_name.clone(), phone: line.contact_phone.clone() }),
            possible: fault.possible(self.now).into_iter().map(str::to_owned).collect(),
        }
    }

    /// The promise of a kind that matters now: the last one begun.
    fn current(&self, list: &[Deadline], kind: DeadlineKind) -> Option<Promise> {
        let last =
            list.iter().filter(|deadline| deadline.kind == kind).max_by_key(|d| (d.started_at, d.due_at))?;
        Some(self.promise(last))
    }

    /// A promise's view. What was kept late is missed, and says when it was kept.
    #[must_use]
    pub fn promise(&self, deadline: &Deadline) -> Promise {
        let status = deadline.status(self.now);
        let remaining_ms = match status {
            Status::Met { met_at } | Status::Missed { met_at: Some(met_at) } => deadline.due_at.since(met_at),
            _ => deadline.remaining_ms(self.now),
        };
        Promise {
            due_at: deadline.due_at.to_rfc3339(),
            state: status.name().to_owned(),
            remaining_ms,
            met_at: status.met_at().map(UnixMs::to_rfc3339),
            allowance_ms: deadline.allowance_ms,
        }
    }
}

/// The outages of a line that count.
fn pieces(parts: &[Part]) -> Vec<Interval> {
    parts.iter().flat_map(|part| part.contribution.pieces.iter().copied()).collect()
}

/// Nothing open is without an owner: where the customer has no account manager, the desk is.
fn owner(line: &LineInfo) -> String {
    if line.manager.is_empty() { "noc".to_owned() } else { line.manager.clone() }
}

/// Why a fault owes nothing.
fn not_promised(fault: &Fault, line: &LineInfo) -> Option<String> {
    if fault.terms.promised {
        return None;
    }
    let ended = line.service_ends_at.filter(|at| *at <= fault.started_at);
    Some(match ended {
        Some(at) => format!("the service ended at {}: nothing is promised", at.to_rfc3339()),
        None if line.admission == "admitted" && line.waited_from.is_some_and(|at| at <= fault.started_at) => {
            "it began before the line was accepted: re-rate it, where it is to be promised something"
                .to_owned()
        }
        None if line.admission == "admitted" => {
            "it began before the customer was admitted: re-rate it, where it is to be promised something"
                .to_owned()
        }
        None => format!("the customer is {}: nothing is promised before it is admitted", line.admission),
    })
}

fn line_state(fault: &Fault, line: &LineInfo) -> String {
    let out = fault.outage.last().is_some_and(|outage| outage.to.is_none()) && fault.state.is_working();
    if out && line.state == "unknown" { "down".to_owned() } else { line.state.clone() }
}

/// A fault's view, with everything it needs read from the database.
///
/// # Errors
/// The database's.
pub fn one(tx: &mut Tx<'_>, lens: &Lens<'_>, state: &FaultState) -> Result<FaultView, DbError> {
    let line = lines::one(tx, &state.fault.line)?.unwrap_or_default();
    let parts = figures::of_line(tx, &state.fault.line, lens.year(&state.fault.terms.pack))?;
    Ok(lens.fault(&state.fault, &line, &parts))
}

/// Where a fault stands in a list: the cursor after it.
pub type Position = (i64, Uuid);

/// A page of faults, the newest first. However many there are, lines and figures are read once for all.
///
/// # Errors
/// The database's.
pub fn page(
    tx: &mut Tx<'_>,
    lens: &Lens<'_>,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<(Position, FaultView)>, DbError> {
    let states = faults::list(tx, wanted, limit)?;
    let years: Vec<i32> = states.iter().map(|state| lens.year(&state.fault.terms.pack)).collect();
    let (Some(from), Some(to)) = (years.iter().min(), years.iter().max()) else { return Ok(Vec::new()) };
    let parts = figures::of_page(tx, wanted, limit, (*from, *to))?;
    let lines =
        lines::of_page(tx, wanted, limit)?.into_iter().map(|line| (line.code.clone(), line)).collect();
    let faults: Vec<Fault> = states.into_iter().map(|state| state.fault).collect();
    let positions = faults.iter().map(|fault| (fault.started_at.0, fault.id));
    Ok(positions.zip(many(lens, &faults, &lines, &parts)).collect())
}

/// Views of many faults, lines and figures read once for all.
#[must_use]
pub fn many(
    lens: &Lens<'_>,
    faults: &[Fault],
    lines: &BTreeMap<String, LineInfo>,
    parts: &BTreeMap<String, Vec<Part>>,
) -> Vec<FaultView> {
    let nobody = LineInfo::default();
    let view = |fault: &Fault| {
        let line = lines.get(&fault.line).unwrap_or(&nobody);
        lens.fault(fault, line, parts.get(&fault.line).map_or(&[], Vec::as_slice))
    };
    faults.iter().map(view).collect()
}
