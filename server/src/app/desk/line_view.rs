//! A line as people see it: its state, its figures against the tier, and its minutes for plotting.

use chrono_tz::Tz;
use linewatch_shared::facts::{Body, Record};
use linewatch_shared::minute::MinuteBlock;
use linewatch_shared::sla::{Interval, LineRules, Window};
use linewatch_shared::time::{HOUR_MS, MINUTE_MS, UnixMs};
use serde::Serialize;
use uuid::Uuid;

use super::view::{AvailabilityView, InterruptionView, Lens, Repeat};
use super::{Desk, DeskError};
use crate::app::matters::acceptance::AcceptanceView;
use crate::app::packs::in_force;
use crate::db::{DbError, Tx};
use crate::store::figures::Part;
use crate::store::{acceptance, faults, figures, lines, planned, records, service_time};

/// The most minutes of one answer.
pub const MINUTES_MAX: i64 = 1_440;

/// One minute of a line.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MinuteView {
    /// When the minute began.
    pub at: String,
    /// Probes sent.
    pub sent: u32,
    /// Probes lost.
    pub lost: u32,
    /// Answers that came after their probe's timeout.
    pub late: u32,
    /// Probes that could not be sent.
    pub not_sent: u32,
    /// The most probes lost in a row.
    pub longest_run: u32,
    /// The shortest round trip, in microseconds.
    pub rtt_min_us: Option<u32>,
    /// The mean round trip.
    pub rtt_avg_us: Option<u32>,
    /// The longest round trip.
    pub rtt_max_us: Option<u32>,
    /// The mean difference of round trips in a row.
    pub jitter_us: Option<u32>,
}

/// A line.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LineView {
    /// The code.
    pub code: String,
    /// The customer's code.
    pub customer: String,
    /// The customer's name.
    pub customer_name: String,
    /// The customer's region.
    pub region: Option<String>,
    /// The site's name.
    pub site: String,
    /// What runs over it.
    pub service: String,
    /// The pack it is promised under.
    pub pack: String,
    /// The tier it is promised under.
    pub tier: String,
    /// The agent that owns its evidence.
    pub agent: Option<String>,
    /// `up`, `degraded`, `down`, `unknown` or, while announced work is under way, `planned_work`.
    pub state: String,
    /// Since when.
    pub state_since: Option<String>,
    /// Live faults of the line, the oldest first.
    pub faults: Vec<String>,
    /// The day since when it serves, by what is written down or by its acceptance.
    pub in_service: Option<String>,
    /// How its acceptance stands, where it was handed over to be accepted.
    pub acceptance: Option<AcceptanceView>,
    /// Its faults in the year.
    pub repeat: Repeat,
    /// Its interruption in the year.
    pub interruption: InterruptionView,
    /// How it stands against its promised availability, once something of what that leaves is used.
    pub availability: Option<AvailabilityView>,
    /// Outages that count, of this local year and the one before, oldest first. Each is one fault's: they may overlap.
    pub outages: Vec<OutageView>,
    /// Planned work on it within the time that is shown, the latest start first.
    pub planned_work: Vec<PlannedView>,
    /// Its minutes, oldest first.
    pub summaries: Vec<MinuteView>,
}

/// A time without service.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OutageView {
    /// Since when.
    pub from: String,
    /// Until when; none while it goes on.
    pub to: Option<String>,
}

/// A window of planned work.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PlannedView {
    /// The work's id.
    pub id: Uuid,
    /// When it begins.
    pub from: String,
    /// When it ends.
    pub to: String,
    /// Whether what falls into it is no fault.
    pub exempt: bool,
}

/// The minutes to show: the last hour unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// From.
    pub from: Option<UnixMs>,
    /// To.
    pub to: Option<UnixMs>,
}

/// Reads a line.
///
/// # Errors
/// When there is no such line.
pub fn read(
    desk: &Desk,
    tx: &mut Tx<'_>,
    code: &str,
    span: Span,
    now: UnixMs,
) -> Result<LineView, DeskError> {
    let info = lines::one(tx, code)?.ok_or_else(|| DeskError::NoLine(code.to_owned()))?;
    let versions = desk.packs.versions(tx)?;
    let rules = lines::rules(tx, code, &versions)?.ok_or_else(|| DeskError::NoLine(code.to_owned()))?;
    let terms = rules.terms_at(now).clone();
    let lens = Lens { now, versions: &versions };
    let parts = figures::of_line(tx, code, lens.year(&terms.pack))?;
    let figures = lens.figures(&terms.pack, &terms.tier, &parts);
    let availability = lens.availability(&info, &parts);
    let live = faults::live_of_line(tx, code)?;
    let state =
        if info.state == "unknown" && figures.interruption.running { "down".to_owned() } else { info.state };
    let state = if rules.work_until(now).is_some() { "planned_work".to_owned() } else { state };
    let to = span.to.unwrap_or(now);
    let from = span.from.unwrap_or(to - HOUR_MS).max(to - MINUTES_MAX * MINUTE_MS);
    let zone = in_force(&versions, &terms.pack, now).map_or(Tz::UTC, |pack| pack.time_zone);
    let accepted = acceptance::of_line(tx, code)?;
    Ok(LineView {
        in_service: in_service(tx, code, zone)?,
        acceptance: accepted.and_then(|standing| AcceptanceView::of(&standing.matter, now)),
        code: info.code,
        customer: info.customer,
        customer_name: info.customer_name,
        region: info.region,
        site: info.site,
        service: info.service,
        pack: terms.pack,
        tier: terms.tier,
        outages: outages(&parts),
        planned_work: works(tx, &rules, from, to)?,
        summaries: match lines::agent_id(tx, code)? {
            Some(agent) => minutes(tx, agent, code, from, to)?,
            None => Vec::new(),
        },
        agent: info.agent,
        state,
        state_since: info.state_since.map(UnixMs::to_rfc3339),
        faults: live.iter().map(|state| state.fault.id.to_string()).collect(),
        repeat: figures.repeat,
        interruption: figures.interruption,
        availability,
    })
}

/// The day that is written down, or else of the acceptance.
fn in_service(tx: &mut Tx<'_>, code: &str, zone: Tz) -> Result<Option<String>, DbError> {
    if let Some(day) = service_time::in_service(tx, code)? {
        return Ok(Some(day));
    }
    let accepted_at = acceptance::serves_since(tx, code)?.accepted_at;
    Ok(accepted_at.map(|at| at.to_utc().with_timezone(&zone).date_naive().to_string()))
}

fn outages(parts: &[Part]) -> Vec<OutageView> {
    let mut pieces: Vec<Interval> =
        parts.iter().flat_map(|part| part.contribution.pieces.iter().copied()).collect();
    pieces.sort_by_key(|piece| piece.from);
    let view =
        |piece: Interval| OutageView { from: piece.from.to_rfc3339(), to: piece.to.map(UnixMs::to_rfc3339) };
    pieces.into_iter().map(view).collect()
}

fn works(tx: &mut Tx<'_>, rules: &LineRules, from: UnixMs, to: UnixMs) -> Result<Vec<PlannedView>, DbError> {
    let windows = planned::windows_of_lines(tx, &[rules.line()])?.into_iter().flatten();
    let shown = windows.filter(|window| window.from < to && window.to > from);
    let view = |window: Window| PlannedView {
        id: window.id,
        from: window.from.to_rfc3339(),
        to: window.to.to_rfc3339(),
        exempt: rules.exempts(window.id),
    };
    Ok(shown.map(view).collect())
}

fn minutes(
    tx: &mut Tx<'_>,
    agent: Uuid,
    code: &str,
    from: UnixMs,
    to: UnixMs,
) -> Result<Vec<MinuteView>, DbError> {
    let mut minutes = Vec::new();
    for bytes in records::between(tx, agent, "minute", from, to, MINUTES_MAX)? {
        let Ok(Record { body: Body::Minute(block), .. }) = Record::from_bytes(&bytes) else { continue };
        let Ok(block) = MinuteBlock::decode(&block) else { continue };
        let Some(line) = block.lines().iter().find(|line| line.line == code) else { continue };
        minutes.push(MinuteView {
            at: block.minute_at().to_rfc3339(),
            sent: line.sent,
            lost: line.lost,
            late: line.late,
            not_sent: line.not_sent,
            longest_run: line.longest_run,
            rtt_min_us: line.rtt.map(|rtt| rtt.min_us),
            rtt_avg_us: line.rtt.map(|rtt| rtt.avg_us),
            rtt_max_us: line.rtt.map(|rtt| rtt.max_us),
            jitter_us: line.rtt.map(|rtt| rtt.jitter_us),
        });
    }
    Ok(minutes)
}
