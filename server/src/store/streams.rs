//! What is held of each agent's streams, and what is known of the agents themselves.

use linewatch_shared::facts::Lane;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Chain, Held, RANGES_MAX, RangeSet};
use uuid::Uuid;

use super::{pack, unpack};
use crate::db::{DbError, LockKey, Tx};

/// What is held of one lane.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Lanes in order: everything up to here.
    pub last: u64,
    /// The chain there.
    pub chain: Chain,
    /// The lane without order.
    pub ranges: RangeSet,
}

impl Stream {
    /// As the protocol says it.
    #[must_use]
    pub fn held(&self, lane: Lane) -> Held {
        if lane == Lane::Summary {
            let first: Vec<_> = self.ranges.ranges().iter().take(RANGES_MAX).copied().collect();
            Held::Ranges(RangeSet::from_ranges(first))
        } else {
            Held::Upto { last: self.last, chain: self.chain }
        }
    }
}

/// The key that a transaction takes before it works on a stream.
#[must_use]
pub fn lock_key(agent: Uuid) -> LockKey {
    LockKey::new("stream", agent.as_bytes())
}

/// What is held of a lane.
pub fn load(tx: &mut Tx<'_>, agent: Uuid, epoch: u64, lane: Lane) -> Result<Stream, DbError> {
    let sql = "SELECT last_number, chain, ranges FROM stream WHERE agent = $1 AND epoch = $2 AND lane = $3";
    let row = tx.query_opt(sql, &[agent.into(), epoch.cast_signed().into(), lane.name().into()])?;
    let Some(row) = row else {
        return Ok(Stream { last: 0, chain: Chain::START, ranges: RangeSet::default() });
    };
    Ok(Stream {
        last: row.get::<i64>(0)?.cast_unsigned(),
        chain: row.get::<Option<[u8; 32]>>(1)?.map_or(Chain::START, Chain),
        ranges: match row.get::<Option<Vec<u8>>>(2)? {
            Some(bytes) => unpack("stream.ranges", &bytes)?,
            None => RangeSet::default(),
        },
    })
}

/// Keeps what is held of a lane.
pub fn save(tx: &mut Tx<'_>, agent: Uuid, epoch: u64, lane: Lane, stream: &Stream) -> Result<(), DbError> {
    let ranges = (lane == Lane::Summary).then(|| pack("stream.ranges", &stream.ranges)).transpose()?;
    let sql = "INSERT INTO stream (agent, epoch, lane, last_number, chain, ranges) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (agent, epoch, lane) DO UPDATE SET last_number = excluded.last_number, \
         chain = excluded.chain, ranges = excluded.ranges";
    let params = [
        agent.into(),
        epoch.cast_signed().into(),
        lane.name().into(),
        stream.last.cast_signed().into(),
        stream.chain.0.into(),
        ranges.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// The agent's name.
pub fn agent_name(tx: &mut Tx<'_>, agent: Uuid) -> Result<String, DbError> {
    tx.query_one("SELECT name FROM agent WHERE id = $1", &[agent.into()])?.get(0)
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
}

/// Enrolled agents that fell silent and are not marked so.
pub fn newly_silent(tx: &mut Tx<'_>, before: UnixMs) -> Result<Vec<Silence>, DbError> {
    let sql = "SELECT id, name, last_seen_at_ms FROM agent WHERE state = 'enrolled' AND silent_since_ms IS NULL \
         AND last_seen_at_ms < $1";
    silences(tx, sql, before)
}

/// Agents that are marked silent and were heard of again.
pub fn newly_back(tx: &mut Tx<'_>, since: UnixMs) -> Result<Vec<Silence>, DbError> {
    let sql = "SELECT id, name, last_seen_at_ms FROM agent WHERE silent_since_ms IS NOT NULL AND last_seen_at_ms >= $1";
    silences(tx, sql, since)
}

fn silences(tx: &mut Tx<'_>, sql: &str, moment: UnixMs) -> Result<Vec<Silence>, DbError> {
    let rows = tx.query(sql, &[moment.into()])?;
    rows.iter()
        .map(|row| Ok(Silence { agent: row.get(0)?, name: row.get(1)?, last_seen_at: row.get(2)? }))
        .collect()
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
