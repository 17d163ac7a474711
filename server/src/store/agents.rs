//! Agents as they are stored: who they are, whether they are let in, and what was last heard of them.

use std::collections::HashMap;

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::agent_heads::{self, Heads};
use crate::db::{DbError, Row, Tx};

/// An agent, as lists show it.
#[derive(Clone, Debug)]
pub struct AgentRow {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `known`, `enrolled` or `revoked`.
    pub state: String,
    /// Since when its records are kept aside.
    pub quarantined_at: Option<UnixMs>,
    /// How many are.
    pub kept_aside: i64,
    /// Lines that it probes.
    pub lines: u32,
    /// When it was last heard.
    pub last_seen_at: Option<UnixMs>,
    /// Since when it is silent.
    pub silent_since: Option<UnixMs>,
    /// Its clock minus the server's (ms).
    pub clock_offset_ms: Option<i64>,
    /// Its program's version.
    pub version: Option<String>,
    /// Its newest health, as JSON.
    pub health: Option<String>,
}

/// The id of the agent called `name`; where there is none it is added as `known`, under `fresh_id`.
pub fn ensure(tx: &mut Tx<'_>, name: &str, fresh_id: Uuid, now: UnixMs) -> Result<Uuid, DbError> {
    let sql = "INSERT INTO agent (id, name, state, created_at_ms) VALUES ($1, $2, 'known', $3) \
         ON CONFLICT (name) DO NOTHING";
    tx.execute(sql, &[fresh_id.into(), name.into(), now.into()])?;
    tx.query_one("SELECT id FROM agent WHERE name = $1", &[name.into()])?.get(0)
}

/// Lets an agent in, also one that was kept out.
pub fn let_in(tx: &mut Tx<'_>, agent: Uuid, now: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE agent SET state = 'enrolled', enrolled_at_ms = $2, revoked_at_ms = NULL, \
         quarantined_at_ms = NULL, generation = 0, generation_at_ms = NULL WHERE id = $1";
    tx.execute(sql, &[agent.into(), now.into()])?;
    Ok(())
}

/// Which turn of its secret an agent has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The newest that was shown; 0 for none.
    pub generation: i64,
    /// When that was first shown.
    pub at: Option<UnixMs>,
    /// Whether its records are kept aside.
    pub quarantined: bool,
}

/// Which turn of its secret an agent has shown.
pub fn turn(tx: &mut Tx<'_>, agent: Uuid) -> Result<Turn, DbError> {
    let sql = "SELECT generation, generation_at_ms, quarantined_at_ms FROM agent WHERE id = $1";
    let row = tx.query_one(sql, &[agent.into()])?;
    let quarantined = row.get::<Option<UnixMs>>(2)?.is_some();
    Ok(Turn { generation: row.get(0)?, at: row.get(1)?, quarantined })
}

/// Notes a turn that is shown for the first time.
pub fn save_generation(tx: &mut Tx<'_>, agent: Uuid, generation: i64, now: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE agent SET generation = $2, generation_at_ms = $3 WHERE id = $1 AND generation < $2";
    tx.execute(sql, &[agent.into(), generation.into(), now.into()])?;
    Ok(())
}

/// Keeps an agent's records aside from now on.
pub fn quarantine(tx: &mut Tx<'_>, agent: Uuid, now: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE agent SET quarantined_at_ms = $2 WHERE id = $1 AND quarantined_at_ms IS NULL";
    tx.execute(sql, &[agent.into(), now.into()])?;
    Ok(())
}

/// Takes an agent's records in again, from whichever of its copies comes next; false when they were taken in.
pub fn release(tx: &mut Tx<'_>, agent: Uuid) -> Result<bool, DbError> {
    let sql = "UPDATE agent SET quarantined_at_ms = NULL, generation = 0, generation_at_ms = NULL \
         WHERE id = $1 AND quarantined_at_ms IS NOT NULL";
    Ok(tx.execute(sql, &[agent.into()])? > 0)
}

/// Fingerprints of authorities, as they are stored.
#[must_use]
pub fn trusts_text(fingerprints: &[[u8; 32]]) -> String {
    let mut digits: Vec<_> = fingerprints.iter().map(hex::encode).collect();
    digits.sort();
    digits.join(",")
}

/// Which authorities an agent said that it trusts.
pub fn trusts(tx: &mut Tx<'_>, agent: Uuid) -> Result<Option<String>, DbError> {
    tx.query_one("SELECT trusts FROM agent WHERE id = $1", &[agent.into()])?.get(0)
}

/// Notes which authorities an agent says that it trusts.
pub fn save_trusts(tx: &mut Tx<'_>, agent: Uuid, trusts: &str) -> Result<(), DbError> {
    tx.execute("UPDATE agent SET trusts = $2 WHERE id = $1", &[agent.into(), trusts.into()])?;
    Ok(())
}

/// How many agents that are let in trust an authority, and how many show a certificate of it.
pub fn trust_in(tx: &mut Tx<'_>, authority: [u8; 32]) -> Result<(i64, i64), DbError> {
    let sql = "SELECT (SELECT COUNT(*) FROM agent WHERE state = 'enrolled' AND trusts LIKE $1), \
         (SELECT COUNT(*) FROM agent_certificate c JOIN agent a ON a.id = c.agent \
          WHERE a.state = 'enrolled' AND c.confirmed_at_ms IS NOT NULL AND c.authority = $2)";
    let row = tx.query_one(sql, &[format!("%{}%", hex::encode(authority)).into(), authority.into()])?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Agents that are let in and would be cut off if there were this authority alone: they have not said that they trust it,
/// or show a certificate of another one.
pub fn left_behind(tx: &mut Tx<'_>, authority: [u8; 32], limit: i64) -> Result<Vec<String>, DbError> {
    let sql = "SELECT a.name FROM agent a WHERE a.state = 'enrolled' AND (a.trusts IS NULL OR a.trusts NOT LIKE $1 \
         OR NOT EXISTS (SELECT 1 FROM agent_certificate c \
          WHERE c.agent = a.id AND c.confirmed_at_ms IS NOT NULL AND c.authority = $2)) ORDER BY a.name LIMIT $3";
    let like = format!("%{}%", hex::encode(authority));
    tx.query(sql, &[like.into(), authority.into(), limit.into()])?.iter().map(|row| row.get(0)).collect()
}

/// Notes which certificate an agent shows.
pub fn show(tx: &mut Tx<'_>, agent: Uuid, cert_fingerprint: [u8; 32]) -> Result<(), DbError> {
    tx.execute(
        "UPDATE agent SET cert_fingerprint = $2 WHERE id = $1",
        &[agent.into(), cert_fingerprint.into()],
    )?;
    Ok(())
}

/// Keeps an agent out; gives its id, or none when there is no such agent.
pub fn revoke(tx: &mut Tx<'_>, name: &str, now: UnixMs) -> Result<Option<Uuid>, DbError> {
    let sql = "UPDATE agent SET state = 'revoked', revoked_at_ms = $2 WHERE name = $1 RETURNING id";
    tx.query_opt(sql, &[name.into(), now.into()])?.map(|row| row.get(0)).transpose()
}

/// The agent's name.
pub fn name_of(tx: &mut Tx<'_>, agent: Uuid) -> Result<String, DbError> {
    tx.query_one("SELECT name FROM agent WHERE id = $1", &[agent.into()])?.get(0)
}

/// The agent's name; none where there is no such agent.
pub fn named(tx: &mut Tx<'_>, agent: Uuid) -> Result<Option<String>, DbError> {
    let row = tx.query_opt("SELECT name FROM agent WHERE id = $1", &[agent.into()])?;
    row.map(|row| row.get(0)).transpose()
}

/// Whether an agent is let in.
pub fn is_enrolled(tx: &mut Tx<'_>, agent: Uuid) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM agent WHERE id = $1 AND state = 'enrolled'";
    Ok(tx.query_opt(sql, &[agent.into()])?.is_some())
}

/// Notes that a challenge is answered; false when it was, or one that was made after it.
pub fn take_challenge(tx: &mut Tx<'_>, agent: Uuid, made_at: UnixMs) -> Result<bool, DbError> {
    let sql = "UPDATE agent SET challenged_at_ms = $2 WHERE id = $1 AND (challenged_at_ms IS NULL OR challenged_at_ms < $2)";
    Ok(tx.execute(sql, &[agent.into(), made_at.into()])? > 0)
}

/// The agent's id; none where there is no such agent.
pub fn id_of(tx: &mut Tx<'_>, name: &str) -> Result<Option<Uuid>, DbError> {
    let row = tx.query_opt("SELECT id FROM agent WHERE name = $1", &[name.into()])?;
    row.map(|row| row.get(0)).transpose()
}

/// Every agent's id, by name.
pub fn ids_by_name(tx: &mut Tx<'_>) -> Result<HashMap<String, Uuid>, DbError> {
    let rows = tx.query("SELECT name, id FROM agent", &[])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// At most `limit` agents by name, after the one called `after`.
pub fn list(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<AgentRow>, DbError> {
    let sql = "SELECT a.id, a.name, a.state, (SELECT COUNT(*) FROM line l WHERE l.agent = a.id), \
         a.last_seen_at_ms, a.silent_since_ms, a.clock_offset_ms, a.version, a.health, \
         a.quarantined_at_ms, (SELECT COUNT(*) FROM aside s WHERE s.agent = a.id AND s.reason = 'quarantined') FROM agent a \
         WHERE a.name > $1 ORDER BY a.name LIMIT $2";
    let read = |row: &Row| {
        Ok(AgentRow {
            id: row.get(0)?,
            name: row.get(1)?,
            state: row.get(2)?,
            lines: row.get(3)?,
            last_seen_at: row.get(4)?,
            silent_since: row.get(5)?,
            clock_offset_ms: row.get(6)?,
            version: row.get(7)?,
            health: row.get(8)?,
            quarantined_at: row.get(9)?,
            kept_aside: row.get(10)?,
        })
    };
    tx.query(sql, &[after.into(), limit.into()])?.iter().map(read).collect()
}

/// How many agents there are in each state.
pub fn count_by_state(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, DbError> {
    let rows = tx.query("SELECT state, COUNT(*) FROM agent GROUP BY state ORDER BY state", &[])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What a contact tells of an agent.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The agent.
    pub agent: Uuid,
    /// When.
    pub at: UnixMs,
    /// Its clock minus ours (ms).
    pub clock_offset_ms: i64,
    /// Its version, where it said so.
    pub version: Option<String>,
    /// How far it has written.
    pub heads: Heads,
}

/// Notes contacts, many in one statement batch.
pub fn save_seen(tx: &mut Tx<'_>, seen: &[Seen]) -> Result<(), DbError> {
    let rows: Vec<_> = seen
        .iter()
        .map(|seen| {
            vec![seen.at.into(), seen.clock_offset_ms.into(), seen.version.as_ref().into(), seen.agent.into()]
        })
        .collect();
    let sql = "UPDATE agent SET last_seen_at_ms = $1, clock_offset_ms = $2, version = COALESCE($3, version) WHERE id = $4";
    tx.batch(sql, &rows)?;
    for seen in seen {
        agent_heads::save(tx, seen.agent, &seen.heads, seen.at)?;
    }
    Ok(())
}

/// The agent's newest health, as JSON, and when the device wrote it.
pub fn health(tx: &mut Tx<'_>, agent: Uuid) -> Result<Option<(String, UnixMs)>, DbError> {
    let row = tx.query_one("SELECT health, health_at_ms FROM agent WHERE id = $1", &[agent.into()])?;
    Ok(row.get::<Option<String>>(0)?.zip(row.get::<Option<UnixMs>>(1)?))
}

/// Keeps the agent's newest health, as JSON.
pub fn save_health(tx: &mut Tx<'_>, agent: Uuid, health: &str, at: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE agent SET health = $1, health_at_ms = $2 WHERE id = $3";
    tx.execute(sql, &[health.into(), at.into(), agent.into()])?;
    Ok(())
}

/// An agent that was heard of for the last time before a moment, or has come back since it was silent.
#[derive(Clone, Debug)]
pub struct Silence {
    /// The agent.
    pub agent: Uuid,
    /// Its name.
    pub name: String,
    /// Its last contact.
    pub last_seen_at: UnixMs,
    /// Since when it is marked silent, where it is.
    pub silent_since: Option<UnixMs>,
}

/// Enrolled agents that fell silent and are not marked so.
pub fn newly_silent(tx: &mut Tx<'_>, before: UnixMs) -> Result<Vec<Silence>, DbError> {
    let sql = "SELECT id, name, last_seen_at_ms, silent_since_ms FROM agent WHERE state = 'enrolled' AND silent_since_ms IS NULL \
         AND last_seen_at_ms < $1";
    silences(tx, sql, before)
}

/// Agents that are marked silent and were heard of again.
pub fn newly_back(tx: &mut Tx<'_>, since: UnixMs) -> Result<Vec<Silence>, DbError> {
    let sql = "SELECT id, name, last_seen_at_ms, silent_since_ms FROM agent WHERE silent_since_ms IS NOT NULL AND last_seen_at_ms >= $1";
    silences(tx, sql, since)
}

fn silences(tx: &mut Tx<'_>, sql: &str, moment: UnixMs) -> Result<Vec<Silence>, DbError> {
    let rows = tx.query(sql, &[moment.into()])?;
    rows.iter()
        .map(|row| {
            let (agent, name) = (row.get(0)?, row.get(1)?);
            Ok(Silence { agent, name, last_seen_at: row.get(2)?, silent_since: row.get(3)? })
        })
        .collect()
}

/// Agents with lines that have been silent since before a moment, and of which the desk was not told: name, and since
/// when. That it was told is what the outbox knows.
pub fn silent_untold(tx: &mut Tx<'_>, before: UnixMs, limit: i64) -> Result<Vec<(String, UnixMs)>, DbError> {
    let sql = "SELECT a.name, a.silent_since_ms FROM agent a WHERE a.silent_since_ms IS NOT NULL AND a.silent_since_ms <= $1 \
         AND a.state = 'enrolled' AND EXISTS (SELECT 1 FROM line l WHERE l.agent = a.id AND l.service_over = 0) \
         AND NOT EXISTS (SELECT 1 FROM outbox o \
          WHERE o.key = 'agent_silent/' || a.name || '/' || CAST(a.silent_since_ms AS TEXT)) \
         ORDER BY a.silent_since_ms, a.name LIMIT $2";
    tx.query(sql, &[before.into(), limit.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The key of what the desk is told of a silence.
#[must_use]
pub fn silent_key(name: &str, since: UnixMs) -> String {
    format!("agent_silent/{name}/{}", since.0)
}

/// Whether the desk was told of that silence.
pub fn was_told_silent(tx: &mut Tx<'_>, name: &str, since: UnixMs) -> Result<bool, DbError> {
    let key = silent_key(name, since);
    Ok(tx.query_opt("SELECT 1 FROM outbox WHERE key = $1", &[key.into()])?.is_some())
}

/// Marks an agent silent since a moment, or not silent.
pub fn mark_silent(tx: &mut Tx<'_>, agent: Uuid, since: Option<UnixMs>) -> Result<(), DbError> {
    tx.execute("UPDATE agent SET silent_since_ms = $1 WHERE id = $2", &[since.into(), agent.into()])?;
    Ok(())
}

/// Enrolled agents' names with their newest health, as JSON.
pub fn health_of_all(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, DbError> {
    let sql = "SELECT name, health FROM agent WHERE state = 'enrolled' AND health IS NOT NULL ORDER BY name";
    tx.query(sql, &[])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Silent agents: name, last contact, since when, and how many lines they watch.
pub fn silent(tx: &mut Tx<'_>) -> Result<Vec<(String, UnixMs, UnixMs, i64)>, DbError> {
    let sql = "SELECT name, last_seen_at_ms, silent_since_ms, (SELECT COUNT(*) FROM line WHERE line.agent = agent.id) \
         FROM agent WHERE silent_since_ms IS NOT NULL AND state = 'enrolled' ORDER BY silent_since_ms";
    tx.query(sql, &[])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).collect()
}

/// How many agents are enrolled.
pub fn enrolled(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    tx.query_one("SELECT COUNT(*) FROM agent WHERE state = 'enrolled'", &[])?.get(0)
}
