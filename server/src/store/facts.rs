//! Facts that faults are found from.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::detector::LineState;
use linewatch_shared::sla::{Event, Fact};
use linewatch_shared::time::{MonoMs, UnixMs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{by_ids, pack, unpack};
use crate::db::{DbError, Row, Tx, Value};

/// The most facts of one line that one fold reads.
pub const FACTS_READ_MAX: i64 = 50_000;

/// How a device stamped a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStamp {
    /// The agent.
    pub agent: Uuid,
    /// Its boot.
    pub boot: Uuid,
    /// Its wall clock.
    pub wall: UnixMs,
    /// Its monotonic clock; none for a time that a person typed.
    pub mono: Option<MonoMs>,
}

/// A fact with what is known of its making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFact {
    /// The fact, its time corrected.
    pub fact: Fact,
    /// The line; none while the fault that a step names is not known.
    pub line: Option<String>,
    /// When the server wrote it down.
    pub recorded_at: UnixMs,
    /// Who wrote it: `agent NAME` or a user's name.
    pub by: String,
    /// How the device stamped it; none for what was written at the server.
    pub stamp: Option<DeviceStamp>,
    /// By how much the device's time was corrected (ms).
    pub corrected_ms: i64,
    /// Whether the correction is a guess, or larger than the pack tolerates.
    pub uncertain: bool,
    /// Further data for people, as JSON.
    pub detail: Option<String>,
}

const COLUMNS: &str = "id, line, occurred_at_ms, recorded_at_ms, corrected_ms, uncertain, agent, by_whom, event, detail, \
     boot, wall_ms, mono_ms";

fn read(row: &Row) -> Result<StoredFact, DbError> {
    let agent: Option<Uuid> = row.get(6)?;
    let stamp = match (agent, row.get::<Option<Uuid>>(10)?) {
        (Some(agent), Some(boot)) => Some(DeviceStamp {
            agent,
            boot,
            wall: row.get::<Option<UnixMs>>(11)?.unwrap_or_default(),
            mono: row.get::<Option<i64>>(12)?.map(MonoMs),
        }),
        _ => None,
    };
    Ok(StoredFact {
        fact: Fact {
            id: row.get(0)?,
            occurred_at: row.get(2)?,
            event: unpack("fact.event", &row.get::<Vec<u8>>(8)?)?,
        },
        line: row.get(1)?,
        recorded_at: row.get(3)?,
        by: row.get(7)?,
        stamp,
        corrected_ms: row.get(4)?,
        uncertain: row.get(5)?,
        detail: row.get(9)?,
    })
}

/// Adds facts; one that is there already stays as it is.
pub fn insert(tx: &mut Tx<'_>, facts: &[StoredFact]) -> Result<(), DbError> {
    let mut rows = Vec::with_capacity(facts.len());
    for stored in facts {
        let named = match &stored.fact.event {
            Event::Step(step) => Some(step.fault),
            _ => None,
        };
        rows.push(vec![
            stored.fact.id.into(),
            stored.line.as_ref().into(),
            stored.fact.occurred_at.into(),
            stored.recorded_at.into(),
            stored.corrected_ms.into(),
            stored.uncertain.into(),
            stored.fact.event.name().into(),
            stored.stamp.map(|stamp| stamp.agent).into(),
            stored.by.as_str().into(),
            Value::from(named),
            pack("fact.event", &stored.fact.event)?.into(),
            stored.detail.as_ref().into(),
            stored.stamp.map(|stamp| stamp.boot).into(),
            stored.stamp.map(|stamp| stamp.wall).into(),
            Value::from(stored.stamp.and_then(|stamp| stamp.mono).map(|mono| mono.0)),
        ]);
    }
    let sql = "INSERT INTO fact (id, line, occurred_at_ms, recorded_at_ms, corrected_ms, uncertain, kind, agent, \
         by_whom, names, event, detail, boot, wall_ms, mono_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (id) DO NOTHING";
    tx.batch(sql, &rows)?;
    Ok(())
}

/// The line of a stored fact; none where it is not stored, or waits for one itself.
pub fn line_of(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<String>, DbError> {
    match tx.query_opt("SELECT line FROM fact WHERE id = $1", &[id.into()])? {
        Some(row) => row.get(0),
        None => Ok(None),
    }
}

/// Facts by their ids, in no order that matters; those that are not stored are left out.
pub fn of_ids(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<StoredFact>, DbError> {
    by_ids(tx, &format!("SELECT {COLUMNS} FROM fact WHERE id IN "), ids)?.iter().map(read).collect()
}

/// Of each line its facts from a moment on as the fold sees them, in no order that matters.
pub fn to_fold(tx: &mut Tx<'_>, lines: &[(&str, UnixMs)]) -> Result<Vec<Vec<Fact>>, DbError> {
    let sql = "SELECT id, occurred_at_ms, event FROM fact WHERE line = $1 AND occurred_at_ms >= $2 \
         ORDER BY occurred_at_ms LIMIT $3";
    let read = |row: &Row| {
        let event = unpack("fact.event", &row.get::<Vec<u8>>(2)?)?;
        Ok(Fact { id: row.get(0)?, occurred_at: row.get(1)?, event })
    };
    let asked: Vec<_> = lines
        .iter()
        .map(|(line, from)| vec![(*line).into(), (*from).into(), FACTS_READ_MAX.into()])
        .collect();
    tx.query_each(sql, &asked)?.iter().map(|rows| rows.iter().map(read).collect()).collect()
}

/// The states that agents gave of a line, each the last one.
pub type LastStates = Vec<(String, LineState)>;

/// Of each line the last state that each agent gave before a moment, the one that changed last at the end.
pub fn evidence_before(tx: &mut Tx<'_>, lines: &[(&str, UnixMs)]) -> Result<Vec<LastStates>, DbError> {
    // From agent to agent, and of each only its last: however long the line's story is, few rows are visited.
    let evidence = "kind IN ('down', 'up', 'degraded', 'unknown')";
    let sql = format!(
        "WITH RECURSIVE seen (agent) AS (\
         SELECT (SELECT f.agent FROM fact f WHERE f.line = $1 AND f.{evidence} ORDER BY f.agent LIMIT 1) \
         UNION ALL SELECT (SELECT f.agent FROM fact f WHERE f.line = $1 AND f.{evidence} AND f.agent > seen.agent \
         ORDER BY f.agent LIMIT 1) FROM seen WHERE seen.agent IS NOT NULL) \
         SELECT last.event FROM seen JOIN fact last ON last.id = (SELECT f.id FROM fact f WHERE f.line = $1 \
         AND f.{evidence} AND f.agent = seen.agent AND f.occurred_at_ms < $2 \
         ORDER BY f.occurred_at_ms DESC, f.id DESC LIMIT 1) ORDER BY last.occurred_at_ms"
    );
    let asked: Vec<_> = lines.iter().map(|(line, before)| vec![(*line).into(), (*before).into()]).collect();
    let mut all = Vec::new();
    for rows in tx.query_each(&sql, &asked)? {
        let mut states = Vec::new();
        for row in rows {
            if let Event::Evidence { agent, state } = unpack("fact.event", &row.get::<Vec<u8>>(0)?)? {
                states.push((agent, state));
            }
        }
        all.push(states);
    }
    Ok(all)
}

/// Steps that waited for the fault that they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The earliest of their times.
    pub from: UnixMs,
    /// All the faults that they name, by any of their ids.
    pub named: BTreeSet<Uuid>,
}

/// Gives the steps that name one of these faults, and waited for it, to its line; by lines, without those for which nothing
/// waited.
pub fn attach_waiting(
    tx: &mut Tx<'_>,
    faults: &[(&str, Uuid)],
) -> Result<BTreeMap<String, Attached>, DbError> {
    let sql = "UPDATE fact SET line = $1 WHERE names = $2 AND line IS NULL RETURNING occurred_at_ms, event";
    let asked: Vec<_> = faults.iter().map(|(line, id)| vec![(*line).into(), (*id).into()]).collect();
    let mut attached: BTreeMap<String, Attached> = BTreeMap::new();
    for ((line, _), rows) in faults.iter().zip(tx.query_each(sql, &asked)?) {
        for row in rows {
            let at: UnixMs = row.get(0)?;
            let new = || Attached { from: at, named: BTreeSet::new() };
            let all = attached.entry((*line).to_owned()).or_insert_with(new);
            all.from = all.from.min(at);
            if let Event::Step(step) = unpack("fact.event", &row.get::<Vec<u8>>(1)?)? {
                all.named.extend(step.faults());
            }
        }
    }
    Ok(attached)
}

/// The facts that a device stamped by its machine clock in one boot, from a moment of that boot on.
pub fn of_boot(tx: &mut Tx<'_>, agent: Uuid, boot: Uuid, from: MonoMs) -> Result<Vec<StoredFact>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM fact WHERE agent = $1 AND boot = $2 AND mono_ms >= $3 ORDER BY id LIMIT $4"
    );
    tx.query(&sql, &[agent.into(), boot.into(), from.0.into(), FACTS_READ_MAX.into()])?
        .iter()
        .map(read)
        .collect()
}

/// The boots of an agent in which facts were stamped and no clock fact was written.
pub fn boots_without_clock(tx: &mut Tx<'_>, agent: Uuid) -> Result<Vec<Uuid>, DbError> {
    let sql = "SELECT DISTINCT f.boot FROM fact f WHERE f.agent = $1 AND f.mono_ms IS NOT NULL AND f.uncertain = 1 \
         AND NOT EXISTS (SELECT 1 FROM clock c WHERE c.agent = f.agent AND c.boot = f.boot)";
    tx.query(sql, &[agent.into()])?.iter().map(|row| row.get(0)).collect()
}

/// Corrects a fact's time.
pub fn correct(
    tx: &mut Tx<'_>,
    id: Uuid,
    occurred_at: UnixMs,
    corrected_ms: i64,
    uncertain: bool,
) -> Result<(), DbError> {
    let sql = "UPDATE fact SET occurred_at_ms = $1, corrected_ms = $2, uncertain = $3 WHERE id = $4";
    tx.execute(sql, &[occurred_at.into(), corrected_ms.into(), uncertain.into(), id.into()])?;
    Ok(())
}

/// Lines that are known by now and have facts from before that: the line, and the earliest of those facts.
/// A line is through once a state or a fault was found for it.
pub fn of_lines_now_known(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(String, UnixMs)>, DbError> {
    let sql = "SELECT w.line, w.from_ms FROM waiting_line w JOIN line l ON l.code = w.line ORDER BY w.line LIMIT $1";
    let found: Vec<(String, UnixMs)> = tx
        .query(sql, &[limit.into()])?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect::<Result<_, DbError>>()?;
    let rows: Vec<_> = found.iter().map(|(line, _)| vec![line.into()]).collect();
    tx.batch("DELETE FROM waiting_line WHERE line = $1", &rows)?;
    Ok(found)
}

/// Notes that lines which are not known yet have facts, each from a moment on.
pub fn wait_for_lines(tx: &mut Tx<'_>, lines: &[(&str, UnixMs)]) -> Result<(), DbError> {
    let sql = "INSERT INTO waiting_line (line, from_ms) VALUES ($1, $2) \
         ON CONFLICT (line) DO UPDATE SET from_ms = CASE WHEN excluded.from_ms < waiting_line.from_ms \
         THEN excluded.from_ms ELSE waiting_line.from_ms END";
    let rows: Vec<_> = lines.iter().map(|(line, from)| vec![(*line).into(), (*from).into()]).collect();
    tx.batch(sql, &rows)?;
    Ok(())
}
