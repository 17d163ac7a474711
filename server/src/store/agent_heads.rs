//! What agents have written and not sent, as far as they said so.

use std::collections::HashMap;

use linewatch_shared::facts::Lane;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Head, RangeSet};
use uuid::Uuid;

use super::unpack;
use crate::db::{DbError, Row, Tx};

/// How far an agent has written its lanes, in which epoch of its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    /// The epoch.
    pub epoch: u64,
    /// One for each lane.
    pub heads: Vec<Head>,
}

/// A lane's head as it was said last, beside what is held of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    lane: Lane,
    epoch: u64,
    last: u64,
    last_at: UnixMs,
    mark: u64,
    since: UnixMs,
    /// How many of the records up to `last` are held, and whether those up to `mark` are.
    held: u64,
    holds_mark: bool,
}

impl Known {
    const fn unsent(&self) -> u64 {
        self.last.saturating_sub(self.held)
    }

    /// Since when the server knows of what is unsent.
    const fn unsent_since(&self) -> UnixMs {
        if self.holds_mark { self.last_at } else { self.since }
    }
}

const COLUMNS: &str = "h.agent, h.lane, h.epoch, h.last_number, h.last_at_ms, h.mark, h.since_ms, s.last_number, s.ranges \
     FROM agent_head h LEFT JOIN stream s ON s.agent = h.agent AND s.epoch = h.epoch AND s.lane = h.lane";

fn known(row: &Row) -> Result<Option<(Uuid, Known)>, DbError> {
    let Some(lane) = Lane::from_name(&row.get::<String>(1)?) else { return Ok(None) };
    let number = |at| row.get::<i64>(at).map(i64::cast_unsigned);
    let (last, mark) = (number(3)?, number(5)?);
    let ranges: RangeSet = match row.get::<Option<Vec<u8>>>(8)?.filter(|_| lane == Lane::Summary) {
        Some(bytes) => unpack("stream.ranges", &bytes)?,
        None => RangeSet::default(),
    };
    let upto = |end: u64| -> u64 {
        ranges.ranges().iter().map(|range| (range.last.min(end) + 1).saturating_sub(range.first)).sum()
    };
    let held = row.get::<Option<i64>>(7)?.unwrap_or_default().cast_unsigned();
    let (held, holds_mark) = match lane {
        Lane::Summary => (upto(last), upto(mark) >= mark),
        _ => (held, held >= mark),
    };
    let (last_at, since) = (row.get(4)?, row.get(6)?);
    Ok(Some((row.get(0)?, Known { lane, epoch: number(2)?, last, last_at, mark, since, held, holds_mark })))
}

fn of_agent(tx: &mut Tx<'_>, agent: Uuid) -> Result<Vec<Known>, DbError> {
    let rows = tx.query(&format!("SELECT {COLUMNS} WHERE h.agent = $1"), &[agent.into()])?;
    let mut found = Vec::new();
    for row in &rows {
        found.extend(known(row)?.map(|(_, known)| known));
    }
    Ok(found)
}

/// How far an agent has written a lane in an epoch of its journal, as far as it said so.
pub fn of_lane(tx: &mut Tx<'_>, agent: Uuid, epoch: u64, lane: Lane) -> Result<u64, DbError> {
    let sql = "SELECT last_number FROM agent_head WHERE agent = $1 AND lane = $2 AND epoch = $3";
    let row = tx.query_opt(sql, &[agent.into(), lane.name().into(), epoch.cast_signed().into()])?;
    Ok(row.map_or(Ok(0), |row| row.get::<i64>(0))?.cast_unsigned())
}

/// Keeps how far an agent has written; what was said before already changes nothing.
pub fn save(tx: &mut Tx<'_>, agent: Uuid, said: &Heads, now: UnixMs) -> Result<(), DbError> {
    let before = of_agent(tx, agent)?;
    let mut rows = Vec::new();
    for lane in Lane::ALL {
        let Some(head) = said.heads.iter().find(|head| head.lane == lane) else { continue };
        let before = before.iter().find(|known| known.lane == lane && known.epoch == said.epoch);
        let (mark, since) = match before {
            Some(known) if known.last == head.last => continue,
            // Something is unsent still of what was known before: since then.
            Some(known) if known.unsent() > 0 && !known.holds_mark => (known.mark, known.since),
            Some(known) if known.unsent() > 0 => (known.last, known.last_at),
            _ => (head.last, now),
        };
        rows.push(vec![
            agent.into(),
            lane.name().into(),
            said.epoch.cast_signed().into(),
            head.last.cast_signed().into(),
            now.into(),
            mark.cast_signed().into(),
            since.into(),
        ]);
    }
    let sql = "INSERT INTO agent_head (agent, lane, epoch, last_number, last_at_ms, mark, since_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (agent, lane) DO UPDATE SET epoch = excluded.epoch, \
         last_number = excluded.last_number, last_at_ms = excluded.last_at_ms, mark = excluded.mark, \
         since_ms = excluded.since_ms";
    tx.batch(sql, &rows).map(drop)
}

/// What an agent is known not to have sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsent {
    /// Of each lane of which something is: how many records, and since when that is known.
    pub lanes: Vec<(Lane, u64, UnixMs)>,
    /// How many photos and signatures its reports name that are not there.
    pub parts: i64,
}

/// What the agents of a page are known not to have sent; see [`super::agents::list`].
pub fn unsent(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<HashMap<Uuid, Unsent>, DbError> {
    let page = "IN (SELECT id FROM agent WHERE name > $1 ORDER BY name LIMIT $2)";
    let mut found: HashMap<Uuid, Unsent> = HashMap::new();
    for row in &tx.query(&format!("SELECT {COLUMNS} WHERE h.agent {page}"), &[after.into(), limit.into()])? {
        let Some((agent, known)) = known(row)? else { continue };
        if known.unsent() > 0 {
            let lanes = &mut found.entry(agent).or_default().lanes;
            lanes.push((known.lane, known.unsent(), known.unsent_since()));
            lanes.sort_unstable();
        }
    }
    let sql = format!(
        "SELECT v.agent, COUNT(DISTINCT v.sha256) FROM visit_part v JOIN part p ON p.sha256 = v.sha256 \
         WHERE p.state = 'wanted' AND v.why IS NULL AND v.agent {page} GROUP BY v.agent"
    );
    for row in &tx.query(&sql, &[after.into(), limit.into()])? {
        found.entry(row.get(0)?).or_default().parts = row.get(1)?;
    }
    Ok(found)
}
