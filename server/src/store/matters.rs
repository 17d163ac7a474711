//! Matters as last folded, and the facts that they are found from.

use linewatch_shared::matter::{Matter, MatterFact, Standing, deadlines, next_wake};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::deadlines::{self, Subject};
use super::scope::Scope;
use super::{pack, unpack, wished};
use crate::db::{DbError, LockKey, Row, Tx, Value};

/// The key that a transaction takes before it works on a matter.
#[must_use]
pub fn lock_key(matter: Uuid) -> LockKey {
    LockKey::new("matter", matter.as_bytes())
}

/// A fact of a matter with what is known of its making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMatterFact {
    /// The fact.
    pub fact: MatterFact,
    /// The matter.
    pub matter: Uuid,
    /// When the server wrote it down.
    pub recorded_at: UnixMs,
    /// Who wrote it.
    pub by: String,
}

/// Adds a fact; one that is there already stays as it is.
pub fn insert_fact(tx: &mut Tx<'_>, stored: &StoredMatterFact) -> Result<(), DbError> {
    let sql = "INSERT INTO matter_fact (id, matter, occurred_at_ms, recorded_at_ms, kind, by_whom, event) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
    let params = [
        stored.fact.id.into(),
        stored.matter.into(),
        stored.fact.occurred_at.into(),
        stored.recorded_at.into(),
        stored.fact.event.name().into(),
        stored.by.as_str().into(),
        pack("matter_fact.event", &stored.fact.event)?.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// The facts of a matter, by time; bounded by what a matter keeps, and one more.
pub fn facts(tx: &mut Tx<'_>, matter: Uuid) -> Result<Vec<StoredMatterFact>, DbError> {
    let sql = "SELECT id, occurred_at_ms, recorded_at_ms, by_whom, event FROM matter_fact WHERE matter = $1 \
         ORDER BY occurred_at_ms, id LIMIT $2";
    let limit = linewatch_shared::matter::FACTS_PER_MATTER_MAX as i64 + 1;
    let read = |row: &Row| {
        Ok(StoredMatterFact {
            fact: MatterFact {
                id: row.get(0)?,
                occurred_at: row.get(1)?,
                event: unpack("matter_fact.event", &row.get::<Vec<u8>>(4)?)?,
            },
            matter,
            recorded_at: row.get(2)?,
            by: row.get(3)?,
        })
    };
    tx.query(sql, &[matter.into(), limit.into()])?.iter().map(read).collect()
}

fn standing(row: &Row) -> Result<Standing, DbError> {
    unpack("matter.body", &row.get::<Vec<u8>>(0)?)
}

/// One matter.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Standing>, DbError> {
    tx.query_opt("SELECT body FROM matter WHERE id = $1", &[id.into()])?.as_ref().map(standing).transpose()
}

/// The matters under a pack on which something may still be owed, page by page in the order of their ids.
pub fn live_after(tx: &mut Tx<'_>, pack: &str, after: Uuid, limit: i64) -> Result<Vec<Standing>, DbError> {
    let sql = "SELECT body FROM matter WHERE live = 1 AND pack = $1 AND id > $2 ORDER BY id LIMIT $3";
    tx.query(sql, &[pack.into(), after.into(), limit.into()])?.iter().map(standing).collect()
}

/// Saves a matter and its promises.
pub fn save(tx: &mut Tx<'_>, standing: &Standing, now: UnixMs) -> Result<(), DbError> {
    let matter = &standing.matter;
    let sql = "INSERT INTO matter (id, kind, class, customer, line, site, owner, pack, version, state, live, \
         opened_at_ms, next_wake_ms, updated_at_ms, body, equipment, done_by, \
         accepts, accepted_ms, promises_wait) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
         ON CONFLICT (id) DO UPDATE SET class = excluded.class, owner = excluded.owner, state = excluded.state, \
         live = excluded.live, opened_at_ms = excluded.opened_at_ms, next_wake_ms = excluded.next_wake_ms, \
         updated_at_ms = excluded.updated_at_ms, body = excluded.body, done_by = excluded.done_by, \
         accepted_ms = excluded.accepted_ms";
    let accepting = matter.acceptance.as_ref();
    let params = [
        matter.id.into(),
        matter.kind.name().into(),
        matter.class.as_str().into(),
        matter.customer.as_str().into(),
        matter.line.as_ref().into(),
        matter.site.as_ref().into(),
        matter.owner.as_str().into(),
        matter.pack.0.as_str().into(),
        matter.pack.1.as_str().into(),
        matter.state.name().into(),
        matter.state.is_live().into(),
        matter.opened_at.into(),
        next_wake(standing, now).into(),
        now.into(),
        pack("matter.body", standing)?.into(),
        matter.equipment.into(),
        done_by(tx, matter)?.into(),
        accepting.map(|accepting| accepting.of.name()).into(),
        accepting.and_then(|accepting| accepting.accepted_at).into(),
        accepting.is_some_and(|accepting| accepting.promises_wait).into(),
    ];
    tx.execute(sql, &params)?;
    let of = Subject {
        id: matter.id,
        kind: "matter",
        line: matter.line.as_deref().unwrap_or_default(),
        customer: &matter.customer,
        tier: &matter.class,
    };
    deadlines::save(tx, &of, &deadlines(matter, now), now)
}

/// Who did what it asks for, while that holds.
fn done_by(tx: &mut Tx<'_>, matter: &Matter) -> Result<Option<String>, DbError> {
    let Some(at) = matter.resolved_at else { return Ok(None) };
    let sql = "SELECT id, by_whom FROM matter_fact WHERE matter = $1 AND occurred_at_ms = $2 \
         AND kind IN ('resolved', 'made') ORDER BY id";
    for row in tx.query(sql, &[matter.id.into(), at.into()])? {
        let id: Uuid = row.get(0)?;
        if matter.facts.iter().any(|placed| placed.id == id && placed.misfit.is_none()) {
            return row.get(1).map(Some);
        }
    }
    Ok(None)
}

/// The matters that have to be looked at by now, the longest overdue first: id, and when they should have been.
pub fn due(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<(Uuid, UnixMs)>, DbError> {
    let sql = "SELECT id, next_wake_ms FROM matter WHERE next_wake_ms IS NOT NULL AND next_wake_ms <= $1 \
         ORDER BY next_wake_ms LIMIT $2";
    tx.query(sql, &[now.into(), limit.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The next moment at which a matter has to be looked at.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<UnixMs>, DbError> {
    let sql = "SELECT next_wake_ms FROM matter WHERE next_wake_ms IS NOT NULL ORDER BY next_wake_ms LIMIT 1";
    tx.query_opt(sql, &[])?.map(|row| row.get(0)).transpose()
}

/// What a wish for a state says that wants everything on which something may still be owed.
const LIVE: &str = "live";

/// What a list of matters is narrowed by; an empty text is no wish.
#[derive(Clone, Debug, Default)]
pub struct WantedMatters {
    /// Only of this kind.
    pub kind: String,
    /// Only of this class, or rounds of this cadence.
    pub class: String,
    /// Only in this state; `live` for everything on which something may still be owed.
    pub state: String,
    /// Only of this customer.
    pub customer: String,
    /// Only of this owner.
    pub owner: String,
    /// Only those opened before this one: `(opened_at, id)`.
    pub before: Option<(UnixMs, Uuid)>,
    /// Only what is seen.
    pub scope: Scope,
}

impl WantedMatters {
    /// A page of a list.
    pub(super) fn page(&self) -> String {
        // "Live" has an index of its own.
        let state = if self.state == LIVE { "live = 1 AND CAST($4 AS TEXT) <> ''" } else { "state = $4" };
        format!(
            "SELECT body FROM matter WHERE (opened_at_ms, id) < ($1, $2) AND {} AND {} AND {} AND {} AND {} AND {} \
             ORDER BY opened_at_ms DESC, id DESC LIMIT $9",
            wished(&self.kind, 3, "kind = $3"),
            wished(&self.state, 4, state),
            wished(&self.customer, 5, "customer = $5"),
            wished(&self.owner, 6, "owner = $6"),
            wished(&self.class, 7, "class = $7"),
            self.scope.matters(8),
        )
    }

    /// The parameters of [`WantedMatters::page`].
    pub(super) fn params(&self, limit: i64) -> [Value; 9] {
        let (opened_at, id) = self.before.unwrap_or((UnixMs::MAX, Uuid::max()));
        [
            opened_at.into(),
            id.into(),
            self.kind.as_str().into(),
            self.state.as_str().into(),
            self.customer.as_str().into(),
            self.owner.as_str().into(),
            self.class.as_str().into(),
            self.scope.value(),
            limit.into(),
        ]
    }
}

/// Matters, the newest first.
pub fn list(tx: &mut Tx<'_>, wanted: &WantedMatters, limit: i64) -> Result<Vec<Standing>, DbError> {
    tx.query(&wanted.page(), &wanted.params(limit))?.iter().map(standing).collect()
}
