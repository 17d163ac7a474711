//! The board: everything on which something may still be owed, as of the moment of reading.

use std::collections::BTreeMap;

use linewatch_shared::health::{Health, HealthWarning};
use linewatch_shared::sla::{PackVersion, State};
use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::Desk;
use super::view::{FaultView, Lens, many};
use crate::db::{DbError, Tx};
use crate::store::lines::LineInfo;
use crate::store::scope::{self, Scope};
use crate::store::{agents, faults, figures, lines, outgoing};

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
    let mut states = faults::live(tx)?;
    if let Some(own) = scope::lines(tx, scope)? {
        states.retain(|state| own.contains(&state.fault.line));
    }
    let lines: BTreeMap<String, LineInfo> =
        lines::with_live_faults(tx)?.into_iter().map(|line| (line.code.clone(), line)).collect();
    let parts = figures::of_live_lines(tx, year(&versions, now))?;
    let (suspected, open): (Vec<_>, Vec<_>) =
        states.into_iter().partition(|s| s.fault.state == State::Suspected);
    let suspected = suspected.iter().map(|state| {
        let line = lines.get(&state.fault.line).cloned().unwrap_or_default();
        SuspectedView {
            id: state.fault.id.to_string(),
            line: state.fault.line.clone(),
            customer: state.fault.terms.customer.clone(),
            customer_name: line.customer_name,
            tier: state.fault.terms.tier.name.clone(),
            agent: line.agent.unwrap_or_default(),
            since: state.fault.first_at.to_rfc3339(),
        }
    });
    Ok(Board {
        as_of: now.to_rfc3339(),
        cursor: cursor.to_string(),
        engine,
        suspected: suspected.collect(),
        faults: many(&lens, &open, &lines, &parts),
        agents: if scope.is_everything() { agents(tx)? } else { AgentsView::default() },
    })
}

/// The latest local year over all packs: figures of the year before are read as well.
pub(super) fn year(versions: &[PackVersion], now: UnixMs) -> i32 {
    versions
        .iter()
        .map(|version| linewatch_shared::sla::local_year(version.pack.time_zone, now))
        .max()
        .unwrap_or_default()
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
