//! The board: everything on which something may still be owed, as of the moment of reading.

use std::collections::BTreeMap;
use std::num::NonZero;

use linewatch_shared::health::{Health, HealthWarning};
use linewatch_shared::rules::RepeatWindow;
use linewatch_shared::sla::{PackVersion, State, local_year};
use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::Desk;
use super::view::{FaultView, Lens, many};
use crate::db::{DbError, Tx};
use crate::store::board::PackedFault;
use crate::store::lines::LineInfo;
use crate::store::scope::{self, Scope};
use crate::store::{agents, board, lines, outgoing};

/// Parts of a board that are made at the same time, and the least that is worth a part of its own.
const PARTS_MAX: usize = 4;
const PART_MIN: usize = 200;

/// The board's engine light.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct EngineView {
    /// Whether the deadline engine comes round.
    pub alive: bool,
    /// By how much its work was late at its last round, in milliseconds.
    pub lag_ms: i64,
}

/// A line whose agent is silent.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SuspectedView {
    /// The suspicion's id.
    pub id: String,
    /// The line's code.
    pub line: String,
    /// The customer's code.
    pub customer: String,
    /// The customer's name.
    pub customer_name: String,
    /// The tier.
    pub tier: String,
    /// The silent agent.
    pub agent: String,
    /// Since when.
    pub since: String,
}

/// An agent that has fallen silent.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SilentView {
    /// The agent's name.
    pub name: String,
    /// Its last contact.
    pub last_seen_at: String,
    /// Since when it counts as silent.
    pub silent_since: String,
    /// How many lines it watches.
    pub lines: i64,
}

/// An agent whose own machine needs care.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct WarnedView {
    /// The agent's name.
    pub name: String,
    /// What is wrong, such as `disk_low`.
    #[schema(value_type = Vec<String>)]
    pub warnings: Vec<HealthWarning>,
}

/// The agents, as a board shows them.
#[derive(Default, Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AgentsView {
    /// How many are enrolled.
    pub total: i64,
    /// Those that are silent.
    pub silent: Vec<SilentView>,
    /// Those whose machine needs care.
    pub warned: Vec<WarnedView>,
}

/// The board.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Board {
    /// The server's clock at the reading.
    pub as_of: String,
    /// Where events go on from this snapshot.
    pub cursor: String,
    /// The deadline engine.
    pub engine: EngineView,
    /// Every live fault.
    pub faults: Vec<FaultView>,
    /// Lines whose agent is silent.
    pub suspected: Vec<SuspectedView>,
    /// Agents.
    pub agents: AgentsView,
}

/// Reads the board in one transaction: the cursor stands for exactly what the snapshot shows. Whoever does not see everything
/// has the faults of the lines that are seen, and no agents.
///
/// # Errors
/// The database's.
pub fn snapshot(
    desk: &Desk,
    tx: &mut Tx<'_>,
    engine: EngineView,
    scope: &Scope,
    now: UnixMs,
) -> Result<Board, DbError> {
    let versions = desk.packs.versions(tx)?;
    let lens = Lens { now, versions: &versions };
    let cursor = outgoing::event_head(tx)?;
    let packed = board::live(tx)?;
    let mut faults = at_once(&packed, |part| part.iter().map(PackedFault::read).collect())?;
    if let Some(own) = scope::lines(tx, scope)? {
        faults.retain(|fault| own.contains(&fault.line));
    }
    let lines: BTreeMap<String, LineInfo> =
        lines::with_live_faults(tx)?.into_iter().map(|line| (line.code.clone(), line)).collect();
    let parts = board::figures(tx, years(&versions, now))?;
    let (suspected, open): (Vec<_>, Vec<_>) =
        faults.into_iter().partition(|fault| fault.state == State::Suspected);
    let suspected = suspected.into_iter().map(|fault| {
        let line = lines.get(&fault.line).cloned().unwrap_or_default();
        SuspectedView {
            id: fault.id.to_string(),
            line: fault.line,
            customer: fault.terms.customer,
            customer_name: line.customer_name,
            tier: fault.terms.tier.name,
            agent: line.agent.unwrap_or_default(),
            since: fault.first_at.to_rfc3339(),
        }
    });
    Ok(Board {
        as_of: now.to_rfc3339(),
        cursor: cursor.to_string(),
        engine,
        suspected: suspected.collect(),
        faults: at_once(&open, |part| Ok(many(&lens, part, &lines, &parts)))?,
        agents: if scope.is_everything() { agents(tx)? } else { AgentsView::default() },
    })
}

/// Works on a list in as many parts at the same time as there are processors for it; the answers are in the list's order.
fn at_once<T: Sync, R: Send>(
    all: &[T],
    work: impl Fn(&[T]) -> Result<Vec<R>, DbError> + Sync,
) -> Result<Vec<R>, DbError> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let parts = processors.min(PARTS_MAX).min(all.len() / PART_MIN).max(1);
    if parts == 1 {
        return work(all);
    }
    let work = &work;
    std::thread::scope(|scope| {
        let (first, others) = all.split_at(all.len().div_ceil(parts));
        let others: Vec<_> = others.chunks(first.len()).map(|part| scope.spawn(move || work(part))).collect();
        let mut done = work(first)?;
        for other in others {
            done.extend(other.join().map_err(|_| DbError::Panicked)??);
        }
        Ok(done)
    })
}

/// The first and the last local year over all packs whose figures are shown; where a pack counts the faults of 365 days, the
/// one before it, too.
fn years(versions: &[PackVersion], now: UnixMs) -> (i32, i32) {
    let of_pack = |version: &PackVersion| {
        let year = local_year(version.pack.time_zone, now);
        (year - i32::from(version.pack.repeat_window == RepeatWindow::Rolling365), year)
    };
    let all: Vec<_> = versions.iter().map(of_pack).collect();
    let (first, last) = (all.iter().map(|years| years.0).min(), all.iter().map(|years| years.1).max());
    (first.unwrap_or_default(), last.unwrap_or_default())
}

fn agents(tx: &mut Tx<'_>) -> Result<AgentsView, DbError> {
    let mut warned = Vec::new();
    for (name, health) in agents::health_of_all(tx)? {
        let Ok(health) = serde_json::from_str::<Health>(&health) else { continue };
        let warnings = health.warnings();
        if !warnings.is_empty() {
            warned.push(WarnedView { name, warnings });
        }
    }
    let silent = agents::silent(tx)?.into_iter().map(|(name, last_seen_at, since, lines)| SilentView {
        name,
        last_seen_at: last_seen_at.to_rfc3339(),
        silent_since: since.to_rfc3339(),
        lines,
    });
    Ok(AgentsView { total: agents::enrolled(tx)?, silent: silent.collect(), warned })
}
