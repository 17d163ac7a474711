//! Records byte for byte, what was put aside, and the clocks of devices.

use std::collections::HashMap;

use linewatch_shared::time::{MonoMs, UnixMs};
use linewatch_shared::wire::Hash;
use uuid::Uuid;

use super::by_ids;
use super::scope::Scope;
use crate::db::{DbError, Tx};

/// A record to keep.
#[derive(Clone, Debug)]
pub struct RawRecord {
    /// The record's id.
    pub id: Uuid,
    /// Who sent it.
    pub agent: Uuid,
    /// The hash of its bytes.
    pub hash: Hash,
    /// What it is, such as `minute`.
    pub kind: &'static str,
    /// As the device stamped it.
    pub occurred_at: UnixMs,
    /// When the server took it in.
    pub recorded_at: UnixMs,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The hashes of those records that are stored already.
pub fn known_hashes(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Hash>, DbError> {
    let rows = by_ids(tx, "SELECT id, hash FROM record WHERE id IN ", ids)?;
    rows.iter().map(|row| Ok((row.get(0)?, Hash(row.get(1)?)))).collect()
}

/// Keeps records.
pub fn insert(tx: &mut Tx<'_>, records: &[RawRecord]) -> Result<(), DbError> {
    let rows: Vec<_> = records
        .iter()
        .map(|record| {
            vec![
                record.id.into(),
                record.agent.into(),
                record.hash.0.into(),
                record.kind.into(),
                record.occurred_at.into(),
                record.recorded_at.into(),
                record.bytes.as_slice().into(),
            ]
        })
        .collect();
    let sql = "INSERT INTO record (id, agent, hash, kind, occurred_at_ms, recorded_at_ms, bytes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.batch(sql, &rows)?;
    Ok(())
}

/// The records of one kind between two device times, oldest first.
pub fn between(
    tx: &mut Tx<'_>,
    agent: Uuid,
    kind: &str,
    from: UnixMs,
    to: UnixMs,
    limit: i64,
) -> Result<Vec<Vec<u8>>, DbError> {
    let sql = "SELECT bytes FROM record WHERE agent = $1 AND kind = $2 AND occurred_at_ms >= $3 AND occurred_at_ms < $4 \
         ORDER BY occurred_at_ms LIMIT $5";
    let params = [agent.into(), kind.into(), from.into(), to.into(), limit.into()];
    tx.query(sql, &params)?.iter().map(|row| row.get(0)).collect()
}

/// A record with its sender's name.
#[derive(Clone, Debug)]
pub struct SentRecord {
    /// The agent's name.
    pub agent: String,
    /// When the server took it in.
    pub recorded_at: UnixMs,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Visits, the newest ids first, before one of them.
pub fn newest_visits(
    tx: &mut Tx<'_>,
    scope: &Scope,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<SentRecord>, DbError> {
    let sql = format!(
        "SELECT a.name, r.recorded_at_ms, r.bytes FROM record r JOIN agent a ON a.id = r.agent \
         WHERE r.kind = 'visit' AND r.id < $1 AND {} ORDER BY r.id DESC LIMIT $2",
        scope.visits("r.id", 3)
    );
    let params = [before.unwrap_or(Uuid::max()).into(), limit.into(), scope.value()];
    let read = |row: &crate::db::Row| {
        Ok(SentRecord { agent: row.get(0)?, recorded_at: row.get(1)?, bytes: row.get(2)? })
    };
    tx.query(&sql, &params)?.iter().map(read).collect()
}

/// One record of a kind.
pub fn one_of_kind(tx: &mut Tx<'_>, kind: &str, id: Uuid) -> Result<Option<SentRecord>, DbError> {
    let sql = "SELECT a.name, r.recorded_at_ms, r.bytes FROM record r JOIN agent a ON a.id = r.agent \
         WHERE r.id = $1 AND r.kind = $2";
    let read = |row: crate::db::Row| {
        Ok(SentRecord { agent: row.get(0)?, recorded_at: row.get(1)?, bytes: row.get(2)? })
    };
    tx.query_opt(sql, &[id.into(), kind.into()])?.map(read).transpose()
}

/// Why a body was put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsideReason {
    /// This version cannot read it.
    Unreadable,
    /// Its id is known with other bytes: an alarm.
    OtherBytes,
    /// It speaks of what is not the agent's.
    OutOfScope,
    /// It is dated ahead: it waits until then.
    Future,
    /// There are two of its agent: a person has to say what becomes of it.
    Quarantined,
}

impl AsideReason {
    /// The reason's name in tables and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::OtherBytes => "other_bytes",
            Self::OutOfScope => "out_of_scope",
            Self::Future => "future",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A body that is kept for a person, or until its time.
#[derive(Clone, Debug)]
pub struct Aside {
    /// Who sent it.
    pub agent: Uuid,
    /// The journal's epoch.
    pub epoch: u64,
    /// The lane.
    pub lane: &'static str,
    /// Its number there.
    pub number: u64,
    /// The hash of its bytes.
    pub hash: Hash,
    /// Why.
    pub reason: AsideReason,
    /// In words.
    pub detail: String,
    /// When it may be tried again, where it only came too early.
    pub due_at: Option<UnixMs>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Puts bodies aside; the same bytes of the same agent are kept once.
pub fn put_aside(tx: &mut Tx<'_>, bodies: &[Aside], now: UnixMs) -> Result<(), DbError> {
    let rows: Vec<_> = bodies
        .iter()
        .map(|body| {
            vec![
                body.agent.into(),
                body.epoch.cast_signed().into(),
                body.lane.into(),
                body.number.cast_signed().into(),
                body.hash.0.into(),
                body.reason.name().into(),
                body.detail.as_str().into(),
                now.into(),
                body.due_at.into(),
                body.bytes.as_slice().into(),
            ]
        })
        .collect();
    let sql = "INSERT INTO aside (agent, epoch, lane, number, hash, reason, detail, recorded_at_ms, due_at_ms, bytes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (agent, hash) DO NOTHING";
    tx.batch(sql, &rows)?;
    Ok(())
}

/// A body that was put aside because an agent dated it ahead.
#[derive(Clone, Debug)]
pub struct Ahead {
    /// Its number in the table.
    pub n: i64,
    /// Who sent it.
    pub agent: Uuid,
    /// The hash of the bytes that came.
    pub hash: Hash,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

fn ahead(row: &crate::db::Row) -> Result<Ahead, DbError> {
    Ok(Ahead { n: row.get(0)?, agent: row.get(1)?, hash: Hash(row.get(2)?), bytes: row.get(3)? })
}

/// What only came too early and is due now, the earliest first.
pub fn ahead_until(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<Ahead>, DbError> {
    let sql = "SELECT n, agent, hash, bytes FROM aside WHERE due_at_ms IS NOT NULL AND due_at_ms <= $1 \
         ORDER BY due_at_ms, n LIMIT $2";
    tx.query(sql, &[now.into(), limit.into()])?.iter().map(ahead).collect()
}

/// What waits because an agent dated it ahead.
pub fn ahead_of(tx: &mut Tx<'_>, agent: Uuid, limit: i64) -> Result<Vec<Ahead>, DbError> {
    let sql = "SELECT n, agent, hash, bytes FROM aside WHERE agent = $1 AND due_at_ms IS NOT NULL ORDER BY n LIMIT $2";
    tx.query(sql, &[agent.into(), limit.into()])?.iter().map(ahead).collect()
}

/// Makes what was kept aside of a quarantined agent due; answers how much that is.
pub fn release_quarantined(tx: &mut Tx<'_>, agent: Uuid, now: UnixMs) -> Result<u64, DbError> {
    let sql =
        "UPDATE aside SET due_at_ms = $2 WHERE agent = $1 AND reason = 'quarantined' AND due_at_ms IS NULL";
    tx.execute(sql, &[agent.into(), now.into()])
}

/// Leaves what was kept aside of a quarantined agent aside for good; answers how much that is.
pub fn discard_quarantined(tx: &mut Tx<'_>, agent: Uuid, by: &str) -> Result<u64, DbError> {
    let sql = "UPDATE aside SET reason = 'discarded', detail = $2 \
         WHERE agent = $1 AND reason = 'quarantined' AND due_at_ms IS NULL";
    tx.execute(sql, &[agent.into(), format!("discarded by {by}").into()])
}

/// Forgets a body that was taken in after all.
pub fn settle_aside(tx: &mut Tx<'_>, n: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM aside WHERE n = $1", &[n.into()])?;
    Ok(())
}

/// Keeps a body aside that was tried again: why, and until when, as it is now.
pub fn keep_aside(
    tx: &mut Tx<'_>,
    n: i64,
    reason: AsideReason,
    detail: &str,
    due_at: Option<UnixMs>,
) -> Result<(), DbError> {
    let sql = "UPDATE aside SET reason = $2, detail = $3, due_at_ms = $4 WHERE n = $1";
    tx.execute(sql, &[n.into(), reason.name().into(), detail.into(), due_at.into()])?;
    Ok(())
}

/// A device's clocks beside the server's, as one record said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockRow {
    /// The record.
    pub record: Uuid,
    /// The device's monotonic clock.
    pub mono: MonoMs,
    /// The device's wall clock.
    pub wall: UnixMs,
    /// What to add to the wall clock to get the server's (ms).
    pub offset_ms: i64,
}

/// Keeps a clock fact.
pub fn insert_clock(tx: &mut Tx<'_>, agent: Uuid, boot: Uuid, clock: &ClockRow) -> Result<(), DbError> {
    let sql = "INSERT INTO clock (record, agent, boot, mono_ms, wall_ms, offset_ms) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (record) DO NOTHING";
    let params = [
        clock.record.into(),
        agent.into(),
        boot.into(),
        clock.mono.0.into(),
        clock.wall.into(),
        clock.offset_ms.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

fn clock(row: &crate::db::Row) -> Result<ClockRow, DbError> {
    Ok(ClockRow { record: row.get(0)?, mono: MonoMs(row.get(1)?), wall: row.get(2)?, offset_ms: row.get(3)? })
}

/// The clock facts of one boot, in order.
pub fn clocks_of_boot(tx: &mut Tx<'_>, agent: Uuid, boot: Uuid) -> Result<Vec<ClockRow>, DbError> {
    let sql = "SELECT record, mono_ms, wall_ms, offset_ms FROM clock WHERE agent = $1 AND boot = $2 ORDER BY mono_ms, record";
    tx.query(sql, &[agent.into(), boot.into()])?.iter().map(clock).collect()
}

/// The agent's first clock fact that was written after a record.
pub fn next_clock(tx: &mut Tx<'_>, agent: Uuid, after: Uuid) -> Result<Option<ClockRow>, DbError> {
    let sql = "SELECT record, mono_ms, wall_ms, offset_ms FROM clock WHERE agent = $1 AND record > $2 ORDER BY record LIMIT 1";
    tx.query_opt(sql, &[agent.into(), after.into()])?.as_ref().map(clock).transpose()
}
