//! Silent agents: their lines are suspected, nothing more, until their own records come.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use linewatch_shared::sla::{Event, State};
use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use super::report::written_here;
use super::{Desk, Touched};
use crate::app::daily_mail::tell_desk;
use crate::db::{DbError, Tx};
use crate::store::agents::{self, Silence};
use crate::store::outgoing::{EventKind, NewEvent};
use crate::store::{facts, faults, lines};

/// The most lines of one transaction.
pub const LINES_PER_TRANSACTION_MAX: usize = 500;
/// Who wrote such facts.
const BY: &str = "linewatch";

/// An agent's fall or return, part by part.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The agent.
    pub silence: Silence,
    /// Whether it fell silent, or is back.
    pub silent: bool,
    /// Its lines.
    pub lines: Vec<String>,
}

/// What has turned since the last look. An agent that never spoke is not silent, it has not begun.
///
/// # Errors
/// The database's.
pub fn turns(tx: &mut Tx<'_>, grace_ms: i64, now: UnixMs) -> Result<Vec<Turn>, DbError> {
    let mut turns = Vec::new();
    for (found, silent) in
        [(agents::newly_silent(tx, now - grace_ms)?, true), (agents::newly_back(tx, now - grace_ms)?, false)]
    {
        for silence in found {
            let lines = lines::of_agent(tx, silence.agent)?;
            turns.push(Turn { silence, silent, lines });
        }
    }
    Ok(turns)
}

/// Writes a part of a turn; the last part marks the agent. `ids` are the facts' ids, one for each line.
///
/// # Errors
/// The database's.
pub fn write(
    desk: &Desk,
    tx: &mut Tx<'_>,
    turn: &Turn,
    lines: &[String],
    ids: &[Uuid],
    last: bool,
    now: UnixMs,
) -> Result<(), DbError> {
    let event = if turn.silent { Event::Suspected } else { Event::Cleared };
    let keys: Vec<_> = lines.iter().map(|line| faults::lock_key(line)).collect();
    tx.lock(&keys)?;
    let mut stored = Vec::new();
    for (line, id) in lines.iter().zip(ids) {
        let suspected =
            faults::live_of_line(tx, line)?.iter().any(|state| state.fault.state == State::Suspected);
        if suspected != turn.silent {
            stored.push(written_here(*id, now, line, event.clone(), BY, now));
        }
    }
    facts::insert(tx, &stored)?;
    let touched: BTreeMap<String, Touched> =
        stored.iter().filter_map(|stored| Some((stored.line.clone()?, Touched::at(now)))).collect();
    let mut agents = Vec::new();
    if last {
        agents::mark_silent(tx, turn.silence.agent, turn.silent.then_some(turn.silence.last_seen_at))?;
        let state = if turn.silent { "silent" } else { "back" };
        let body = json!({
            "name": turn.silence.name,
            "state": state,
            "last_seen_at": turn.silence.last_seen_at.to_rfc3339(),
            "silent_since": turn.silent.then(|| turn.silence.last_seen_at.to_rfc3339()),
            "lines": turn.lines.len(),
        });
        agents.push(NewEvent { kind: EventKind::Agent, subject: None, body: body.to_string() });
    }
    desk.settle_with(tx, &touched, agents, now)?;
    Ok(())
}

/// The most agents of which the desk is told at once.
const TOLD_MAX: i64 = 100;

/// Tells the desk, once for each silence, of agents that have been silent for so long: nobody watches their lines. The
/// account managers hear nothing, for nothing is known of any line.
///
/// # Errors
/// The database's.
pub fn tell_silent(
    desk: &Desk,
    tx: &mut Tx<'_>,
    (after_ms, zone): (i64, Tz),
    now: UnixMs,
) -> Result<(), DbError> {
    if !desk.channels.email || desk.noc_email.is_empty() {
        return Ok(());
    }
    for (name, since) in agents::silent_untold(tx, now - after_ms, TOLD_MAX)? {
        let key = agents::silent_key(&name, since);
        tell_desk(desk, tx, key, ("agent_silent".to_owned(), name, since), zone, now)?;
    }
    Ok(())
}

/// Tells the desk, where it was told of the silence, that an agent is heard again. A short silence is on the board alone, and
/// so is its end.
///
/// # Errors
/// The database's.
pub fn tell_back(
    desk: &Desk,
    tx: &mut Tx<'_>,
    silence: &Silence,
    zone: Tz,
    now: UnixMs,
) -> Result<(), DbError> {
    let Some(since) = silence.silent_since.filter(|_| desk.channels.email && !desk.noc_email.is_empty())
    else {
        return Ok(());
    };
    if !agents::was_told_silent(tx, &silence.name, since)? {
        return Ok(());
    }
    let key = format!("agent_back/{}/{}", silence.name, since.0);
    let notice = ("agent_back".to_owned(), silence.name.clone(), silence.last_seen_at);
    tell_desk(desk, tx, key, notice, zone, now)
}
