//! What sync and `status` look at: how far each lane is, and what is still to be sent.

use linewatch_shared::facts::Lane;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::Head;
use rusqlite::{Connection, OptionalExtension, params};

use super::{JournalError, acks, lanes};

/// The numbers `first..=last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

/// A lane as sync sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneView {
    /// The lane.
    pub lane: Lane,
    /// The last number written.
    pub last: u64,
    /// Numbers up to here are gone (and were acknowledged).
    pub pruned: u64,
    /// What the server holds: disjoint, rising; neighbours are joined.
    pub held: Vec<Span>,
}

impl LaneView {
    /// What a hello or a heartbeat says of it.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { lane: self.lane, last: self.last }
    }

    /// The spans of records here that the server does not hold, rising.
    #[must_use]
    pub fn gaps(&self) -> Vec<Span> {
        let mut gaps = Vec::new();
        let mut at = self.pruned + 1;
        for span in &self.held {
            if span.first > at {
                gaps.push(Span { first: at, last: span.first - 1 });
            }
            at = at.max(span.last + 1);
        }
        if at <= self.last {
            gaps.push(Span { first: at, last: self.last });
        }
        gaps
    }

    /// How many records the server does not hold.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.gaps().iter().map(|gap| gap.last - gap.first + 1).sum()
    }
}

/// The stream in use with its lanes, in the order of sending.
pub fn lane_views(db: &Connection) -> Result<(lanes::Stream, Vec<LaneView>), JournalError> {
    let stream = lanes::require(db)?;
    let mut views = Vec::with_capacity(Lane::ALL.len());
    for lane in Lane::ALL {
        let row = lanes::read(db, stream.gen_, lane)?;
        let held = acks::held(db, stream.gen_, lane)?
            .iter()
            .map(|range| Span { first: range.first, last: range.last })
            .collect();
        views.push(LaneView { lane, last: row.last, pruned: row.pruned, held });
    }
    Ok((stream, views))
}

/// What is still to be sent of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The lane.
    pub lane: Lane,
    /// How many records.
    pub count: u64,
    /// When the oldest of them was written down, by the device's wall clock.
    pub oldest_at: Option<UnixMs>,
}

/// What is still to be sent, by lane.
pub fn unsent(db: &Connection) -> Result<Vec<Unsent>, JournalError> {
    let (stream, views) = lane_views(db)?;
    let mut found = Vec::with_capacity(views.len());
    for view in views {
        let oldest = match view.gaps().first() {
            Some(gap) => db
                .prepare_cached("SELECT written_at FROM record WHERE gen = ?1 AND lane = ?2 AND number = ?3")?
                .query_row(params![stream.gen_, lanes::code(view.lane), gap.first.cast_signed()], |row| {
                    row.get(0)
                })
                .optional()?,
            None => None,
        };
        found.push(Unsent { lane: view.lane, count: view.unsent(), oldest_at: oldest.map(UnixMs) });
    }
    Ok(found)
}

/// About how many bytes of records are still to be sent, before compression. Bounded work: the newest pages of each gap.
pub fn unsent_bytes(db: &Connection) -> Result<u64, JournalError> {
    let (stream, views) = lane_views(db)?;
    let mut bytes = 0;
    for view in views {
        for gap in view.gaps() {
            let sql = "SELECT COALESCE(SUM(LENGTH(sealed)), 0) FROM (SELECT sealed FROM record
                 WHERE gen = ?1 AND lane = ?2 AND number BETWEEN ?3 AND ?4 ORDER BY number DESC LIMIT 1000)";
            let lane = lanes::code(view.lane);
            let span = params![stream.gen_, lane, gap.first.cast_signed(), gap.last.cast_signed()];
            bytes += db.prepare_cached(sql)?.query_row(span, |row| row.get::<_, i64>(0))?.cast_unsigned();
        }
    }
    Ok(bytes)
}
