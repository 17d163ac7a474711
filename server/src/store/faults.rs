//! Faults as last folded: the body is the truth, the columns are for finding it.

use std::collections::{BTreeSet, HashMap};

use linewatch_shared::sla::{Deadline, Fault, FaultState, State, next_mark};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::deadlines::{self, Subject};
use super::scope::Scope;
use super::{by_ids, pack, unpack, wished};
use crate::db::{DbError, LockKey, Row, Tx, Value};

/// The key that a transaction takes before it works on a line's faults.
#[must_use]
pub fn lock_key(line: &str) -> LockKey {
    LockKey::new("line", line.as_bytes())
}

fn state(row: &Row) -> Result<FaultState, DbError> {
    unpack("fault.body", &row.get::<Vec<u8>>(0)?)
}

fn states(tx: &mut Tx<'_>, sql: &str, params: &[Value]) -> Result<Vec<FaultState>, DbError> {
    tx.query(sql, params)?.iter().map(state).collect()
}

/// The fault that an id or alias belongs to.
pub fn resolve(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<(Uuid, String)>, DbError> {
    let row = tx.query_opt("SELECT fault, line FROM fault_alias WHERE alias = $1", &[id.into()])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// The faults that ids or aliases belong to, by those; without what is no fault's.
pub fn resolve_all(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, (Uuid, String)>, DbError> {
    let rows = by_ids(tx, "SELECT alias, fault, line FROM fault_alias WHERE alias IN ", ids)?;
    rows.iter().map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).collect()
}

/// Faults by their own ids, in no order that matters.
pub fn of_ids(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<FaultState>, DbError> {
    by_ids(tx, "SELECT body FROM fault WHERE id IN ", ids)?.iter().map(state).collect()
}

/// One fault by its own id.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<FaultState>, DbError> {
    tx.query_opt("SELECT body FROM fault WHERE id = $1", &[id.into()])?.as_ref().map(state).transpose()
}

/// Of each line the faults that a fact at its moment may touch: those that an opening could still join then, and
/// all later ones.
pub fn reaching(tx: &mut Tx<'_>, lines: &[(&str, UnixMs)]) -> Result<Vec<Vec<FaultState>>, DbError> {
    let asked: Vec<_> = lines.iter().map(|(line, at)| vec![(*line).into(), (*at).into()]).collect();
    let found = tx.query_each("SELECT body FROM fault WHERE line = $1 AND joins_until_ms >= $2", &asked)?;
    found.iter().map(|rows| rows.iter().map(state).collect()).collect()
}

/// Every fault on which something may still be owed, page by page in the order of their ids.
pub fn live_after(tx: &mut Tx<'_>, after: Uuid, limit: i64) -> Result<Vec<FaultState>, DbError> {
    let sql = "SELECT body FROM fault WHERE live = 1 AND id > $1 ORDER BY id LIMIT $2";
    states(tx, sql, &[after.into(), limit.into()])
}

/// Those of them that owe something in working time which could not be counted, page by page.
pub fn uncounted_after(tx: &mut Tx<'_>, after: Uuid, limit: i64) -> Result<Vec<FaultState>, DbError> {
    let sql = "SELECT body FROM fault WHERE uncounted = 1 AND id > $1 ORDER BY id LIMIT $2";
    states(tx, sql, &[after.into(), limit.into()])
}

/// Takes faults off that list.
pub fn save_counted(tx: &mut Tx<'_>, counted: &[Uuid]) -> Result<(), DbError> {
    let rows: Vec<_> = counted.iter().map(|id| vec![(*id).into()]).collect();
    tx.batch("UPDATE fault SET uncounted = 0 WHERE id = $1", &rows)?;
    Ok(())
}

/// The live faults of one line.
pub fn live_of_line(tx: &mut Tx<'_>, line: &str) -> Result<Vec<FaultState>, DbError> {
    states(tx, "SELECT body FROM fault WHERE line = $1 AND live = 1 ORDER BY started_at_ms", &[line.into()])
}

/// The faults of a node's lines that started within a span, the first ones.
pub fn of_upstream(
    tx: &mut Tx<'_>,
    node: &str,
    from: UnixMs,
    to: UnixMs,
    limit: i64,
) -> Result<Vec<FaultState>, DbError> {
    let sql = "SELECT body FROM fault WHERE line IN (SELECT code FROM line WHERE upstream = $1) \
         AND started_at_ms >= $2 AND started_at_ms < $3 AND state NOT IN ('withdrawn', 'suspected') \
         ORDER BY started_at_ms, id LIMIT $4";
    states(tx, sql, &[node.into(), from.into(), to.into(), limit.into()])
}

/// The live faults of a node's lines, the first ones.
pub fn live_of_upstream(tx: &mut Tx<'_>, node: &str, limit: i64) -> Result<Vec<FaultState>, DbError> {
    let sql = "SELECT body FROM fault WHERE line IN (SELECT code FROM line WHERE upstream = $1) AND live = 1 \
         AND state <> 'suspected' ORDER BY started_at_ms, id LIMIT $2";
    states(tx, sql, &[node.into(), limit.into()])
}

/// Of each line its last fault.
pub fn last_of_lines(tx: &mut Tx<'_>, lines: &[&str]) -> Result<Vec<Option<Uuid>>, DbError> {
    let sql = "SELECT id FROM fault WHERE line = $1 ORDER BY started_at_ms DESC, id DESC LIMIT 1";
    let asked: Vec<_> = lines.iter().map(|line| vec![(*line).into()]).collect();
    tx.query_each(sql, &asked)?.iter().map(|rows| rows.first().map(|row| row.get(0)).transpose()).collect()
}

/// What a list of faults is narrowed by; an empty text is no wish.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this line.
    pub line: String,
    /// Only of this customer.
    pub customer: String,
    /// Only of customers of this region.
    pub region: String,
    /// Only in this state.
    pub state: String,
    /// Only those that started before this one: `(started_at, id)`.
    pub before: Option<(UnixMs, Uuid)>,
    /// Only what is seen.
    pub scope: Scope,
}

impl Wanted {
    /// A page of a list: the faults themselves, and what is read for all of them at once, come from the same words.
    pub(super) fn page(&self) -> String {
        let mut state = wished(&self.state, 5, "state = $5");
        if is_live(&self.state) {
            // There is an index of these alone.
            state.push_str(" AND live = 1");
        }
        format!(
            "FROM fault WHERE (started_at_ms, id) < ($1, $2) AND {} AND {} AND {state} AND {} AND {} \
             ORDER BY started_at_ms DESC, id DESC LIMIT $6",
            wished(&self.line, 3, "line = $3"),
            wished(&self.customer, 4, "customer = $4"),
            wished(&self.region, 8, "customer IN (SELECT code FROM customer WHERE region = $8)"),
            self.scope.lines_and_customers("line", "customer", 7),
        )
    }

    /// The parameters of [`Wanted::page`].
    pub(super) fn params(&self, limit: i64) -> Vec<Value> {
        let (started_at, id) = self.before.unwrap_or((UnixMs::MAX, Uuid::max()));
        vec![
            started_at.into(),
            id.into(),
            self.line.as_str().into(),
            self.customer.as_str().into(),
            self.state.as_str().into(),
            limit.into(),
            self.scope.value(),
            self.region.as_str().into(),
        ]
    }
}

/// Whether something is still owed on faults in the state of that name.
fn is_live(state: &str) -> bool {
    let over = [State::Closed, State::ClosedUnconfirmed, State::Withdrawn];
    !state.is_empty() && over.into_iter().all(|known| known.name() != state)
}

/// Faults, the newest first.
pub fn list(tx: &mut Tx<'_>, wanted: &Wanted, limit: i64) -> Result<Vec<FaultState>, DbError> {
    states(tx, &format!("SELECT body {}", wanted.page()), &wanted.params(limit))
}

/// The faults that have to be looked at by now, the longest overdue first: id, line, and when they should
/// have been.
pub fn due(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<(Uuid, String, UnixMs)>, DbError> {
    let sql = "SELECT id, line, next_wake_ms FROM fault WHERE next_wake_ms IS NOT NULL AND next_wake_ms <= $1 \
         ORDER BY next_wake_ms LIMIT $2";
    let rows = tx.query(sql, &[now.into(), limit.into()])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// The next moment at which a fault has to be looked at.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<UnixMs>, DbError> {
    let sql = "SELECT next_wake_ms FROM fault WHERE next_wake_ms IS NOT NULL ORDER BY next_wake_ms LIMIT 1";
    tx.query_opt(sql, &[])?.map(|row| row.get(0)).transpose()
}

/// Those of the faults that are still due, and until when openings join each.
pub fn still_due(tx: &mut Tx<'_>, ids: &[Uuid], now: UnixMs) -> Result<Vec<(FaultState, UnixMs)>, DbError> {
    let sql = "SELECT body, joins_until_ms FROM fault WHERE id = $1 AND next_wake_ms <= $2";
    let asked: Vec<_> = ids.iter().map(|id| vec![(*id).into(), now.into()]).collect();
    let rows = tx.query_each(sql, &asked)?;
    rows.iter().flatten().map(|row| Ok((state(row)?, row.get(1)?))).collect()
}

/// A fault to save: all its promises as of now, and until when openings join it.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The fault, with what was told of it.
    pub state: FaultState,
    /// All its promises.
    pub owed: Vec<Deadline>,
    /// Until when openings join it.
    pub joins_until: UnixMs,
    /// Until when its promises are not judged: those that are stored stay as they are.
    pub wait_until: Option<UnixMs>,
}

/// Saves faults and their promises.
pub fn save(tx: &mut Tx<'_>, all: &[Saved], now: UnixMs) -> Result<(), DbError> {
    let restored_by = restored_by(tx, all)?;
    let rows = all.iter().zip(restored_by).map(|(one, by)| row(one, by, now));
    let rows = rows.collect::<Result<Vec<_>, DbError>>()?;
    let sql = "INSERT INTO fault (id, line, customer, tier, state, live, started_at_ms, first_at_ms, joins_until_ms, \
         next_wake_ms, updated_at_ms, body, ended_at_ms, restored_by, uncounted) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, tier = excluded.tier, state = excluded.state, \
         live = excluded.live, started_at_ms = excluded.started_at_ms, first_at_ms = excluded.first_at_ms, \
         joins_until_ms = excluded.joins_until_ms, next_wake_ms = excluded.next_wake_ms, \
         updated_at_ms = excluded.updated_at_ms, body = excluded.body, ended_at_ms = excluded.ended_at_ms, \
         restored_by = excluded.restored_by, uncounted = excluded.uncounted";
    tx.batch(sql, &rows)?;
    let judged = all.iter().filter(|one| one.wait_until.is_none());
    let promises: Vec<_> = judged.map(|one| (subject(&one.state.fault), one.owed.as_slice())).collect();
    deadlines::save_all(tx, &promises, now)
}

fn row(
    Saved { state, owed, joins_until, wait_until }: &Saved,
    restored_by: Option<String>,
    now: UnixMs,
) -> Result<Vec<Value>, DbError> {
    let fault = &state.fault;
    let judged = || next_mark(owed, &state.ledger, now);
    let wake = if fault.state.is_live() { wait_until.or_else(judged) } else { None };
    Ok(vec![
        fault.id.into(),
        fault.line.as_str().into(),
        fault.terms.customer.as_str().into(),
        fault.terms.tier.name.as_str().into(),
        fault.state.name().into(),
        fault.state.is_live().into(),
        fault.started_at.into(),
        fault.first_at.into(),
        (*joins_until).into(),
        wake.into(),
        now.into(),
        pack("fault.body", state)?.into(),
        Value::from(ended_at(fault)),
        restored_by.into(),
        (fault.state.is_live() && fault.countable.missing.is_some()).into(),
    ])
}

fn subject(fault: &Fault) -> Subject<'_> {
    Subject {
        id: fault.id,
        kind: "fault",
        line: &fault.line,
        customer: &fault.terms.customer,
        tier: &fault.terms.tier.name,
    }
}

/// Of each fault who said that service was back, while that holds; none where evidence did.
fn restored_by(tx: &mut Tx<'_>, all: &[Saved]) -> Result<Vec<Option<String>>, DbError> {
    let sql = "SELECT id, by_whom FROM fact WHERE line = $1 AND occurred_at_ms = $2 AND kind = 'restored' ORDER BY id";
    let (mut restored, mut asked) = (Vec::new(), Vec::new());
    for (n, Saved { state: FaultState { fault, .. }, .. }) in all.iter().enumerate() {
        if let Some(at) = fault.restored_at {
            restored.push((n, fault));
            asked.push(vec![fault.line.as_str().into(), at.into()]);
        }
    }
    let mut by = vec![None; all.len()];
    for ((n, fault), rows) in restored.into_iter().zip(tx.query_each(sql, &asked)?) {
        for row in rows {
            let id: Uuid = row.get(0)?;
            if fault.facts.iter().any(|placed| placed.id == id && placed.misfit.is_none()) {
                by[n] = Some(row.get(1)?);
                break;
            }
        }
    }
    Ok(by)
}

/// When nothing of a fault can count any more; none while it is live.
fn ended_at(fault: &Fault) -> Option<UnixMs> {
    (!fault.state.is_live()).then(|| fault.closed_at.unwrap_or(fault.started_at))
}

/// Makes the ids of faults answer to them.
pub fn save_aliases(tx: &mut Tx<'_>, faults: &[&Fault]) -> Result<(), DbError> {
    let mut rows = Vec::new();
    for fault in faults {
        let ids = std::iter::once(fault.id).chain(fault.aliases.iter().copied());
        rows.extend(ids.map(|id| vec![id.into(), fault.id.into(), fault.line.as_str().into()]));
    }
    let sql = "INSERT INTO fault_alias (alias, fault, line) VALUES ($1, $2, $3) \
         ON CONFLICT (alias) DO UPDATE SET fault = excluded.fault, line = excluded.line";
    tx.batch(sql, &rows)?;
    Ok(())
}

/// Removes what was stored under ids that are no faults of their own any more.
pub fn remove(tx: &mut Tx<'_>, gone: &BTreeSet<Uuid>) -> Result<(), DbError> {
    let rows: Vec<_> = gone.iter().map(|id| vec![(*id).into()]).collect();
    for sql in [
        "DELETE FROM fault WHERE id = $1",
        "DELETE FROM deadline WHERE subject = $1",
        "DELETE FROM contribution WHERE fault = $1",
    ] {
        tx.batch(sql, &rows)?;
    }
    Ok(())
}
