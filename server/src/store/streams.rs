//! What is held of each agent's streams.

use linewatch_shared::facts::Lane;
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
