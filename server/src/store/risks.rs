//! What says that a customer may be lost: counts over a page of customers, and what was entered by hand.

use std::collections::BTreeMap;

use linewatch_shared::facts::{Callback, Step, StepKind};
use linewatch_shared::matter::{MatterEvent, MatterStep};
use linewatch_shared::sla::Event;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use super::unpack;
use crate::db::{DbError, Row, Tx, Value};

/// The most callbacks that are read for one page.
const CALLBACKS_MAX: i64 = 20_000;

/// A page of customers, and the time that is looked at.
#[derive(Clone, Debug)]
pub struct Look {
    /// After this code.
    pub after: String,
    /// Up to this code, which is in it.
    pub upto: String,
    /// From when on.
    pub since: UnixMs,
    /// As of when.
    pub now: UnixMs,
}

impl Look {
    fn params(&self) -> [Value; 4] {
        [self.after.as_str().into(), self.upto.as_str().into(), self.since.into(), self.now.into()]
    }
}

/// A customer on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The account manager; empty for none.
    pub manager: String,
    /// The pack that it is under.
    pub pack: String,
}

/// Customers after a code whose service goes on, by code; of one account manager, where one is named.
pub fn customers(
    tx: &mut Tx<'_>,
    (scope, manager): (&Scope, Option<&str>),
    after: &str,
    limit: i64,
) -> Result<Vec<Looked>, DbError> {
    let sql = format!(
        "SELECT code, name, COALESCE(manager, ''), pack FROM customer WHERE code > $1 AND service_over = 0 \
         AND (CAST($2 AS TEXT) IS NULL OR manager = $2) AND {} ORDER BY code LIMIT $3",
        scope.customers("code", 4)
    );
    let read = |row: &Row| {
        Ok(Looked { code: row.get(0)?, name: row.get(1)?, manager: row.get(2)?, pack: row.get(3)? })
    };
    tx.query(&sql, &[after.into(), Value::from(manager), limit.into(), scope.value()])?
        .iter()
        .map(read)
        .collect()
}

fn counts(tx: &mut Tx<'_>, sql: &str, look: &Look) -> Result<BTreeMap<String, i64>, DbError> {
    tx.query(sql, &look.params())?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Faults and matters of which a promise was missed.
pub fn missed(tx: &mut Tx<'_>, look: &Look) -> Result<BTreeMap<String, i64>, DbError> {
    let sql = "SELECT customer, COUNT(DISTINCT subject) FROM deadline WHERE customer > $1 AND customer <= $2 \
         AND due_at_ms >= $3 AND due_at_ms < $4 AND state IN ('missed', 'running') AND subject_kind <> 'line' GROUP BY customer";
    counts(tx, sql, look)
}

/// Lines that were without service for longer than is promised.
pub fn interrupted(tx: &mut Tx<'_>, look: &Look) -> Result<BTreeMap<String, i64>, DbError> {
    let sql = "SELECT customer, COUNT(DISTINCT line) FROM deadline WHERE customer > $1 AND customer <= $2 \
         AND due_at_ms >= $3 AND due_at_ms < $4 AND state = 'missed' AND subject_kind = 'line' GROUP BY customer";
    counts(tx, sql, look)
}

/// Complaints.
pub fn complaints(tx: &mut Tx<'_>, look: &Look) -> Result<BTreeMap<String, i64>, DbError> {
    let sql = "SELECT customer, COUNT(*) FROM matter WHERE customer > $1 AND customer <= $2 AND opened_at_ms >= $3 \
         AND opened_at_ms <= $4 AND kind = 'complaint' AND state <> 'cancelled' GROUP BY customer";
    counts(tx, sql, look)
}

/// Surveys that closed without the customer's answer.
pub fn unanswered(tx: &mut Tx<'_>, look: &Look) -> Result<BTreeMap<String, i64>, DbError> {
    let sql = "SELECT i.customer, COUNT(*) FROM survey_invite i JOIN survey s ON s.id = i.survey \
         WHERE i.customer > $1 AND i.customer <= $2 AND s.closes_at_ms >= $3 AND s.closes_at_ms < $4 \
         AND i.answered_at_ms IS NULL GROUP BY i.customer";
    counts(tx, sql, look)
}

/// Callbacks in which the customer was not satisfied.
pub fn unsatisfied(tx: &mut Tx<'_>, look: &Look) -> Result<BTreeMap<String, i64>, DbError> {
    let mut found: BTreeMap<String, i64> = BTreeMap::new();
    let is_bad = |callback: Callback| matches!(callback, Callback::Unsatisfied | Callback::StillDown);
    let mut params = look.params().to_vec();
    params.push(CALLBACKS_MAX.into());
    let sql = "SELECT l.customer, f.event FROM line l JOIN fact f ON f.line = l.code WHERE l.customer > $1 \
         AND l.customer <= $2 AND f.occurred_at_ms >= $3 AND f.occurred_at_ms <= $4 AND f.kind = 'callback' LIMIT $5";
    for row in tx.query(sql, &params)? {
        let event: Event = unpack("fact.event", &row.get::<Vec<u8>>(1)?)?;
        if matches!(event, Event::Step(Step { kind: StepKind::Callback(callback), .. }) if is_bad(callback)) {
            *found.entry(row.get(0)?).or_default() += 1;
        }
    }
    let sql = "SELECT m.customer, f.event FROM matter m JOIN matter_fact f ON f.matter = m.id WHERE m.customer > $1 \
         AND m.customer <= $2 AND f.occurred_at_ms >= $3 AND f.occurred_at_ms <= $4 AND f.kind = 'callback' LIMIT $5";
    for row in tx.query(sql, &params)? {
        let event: MatterEvent = unpack("matter_fact.event", &row.get::<Vec<u8>>(1)?)?;
        if matches!(event, MatterEvent::Step(MatterStep::Callback(callback)) if is_bad(callback)) {
            *found.entry(row.get(0)?).or_default() += 1;
        }
    }
    Ok(found)
}

/// A line that counts faults this year, and what it is promised under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    /// Its customer.
    pub customer: String,
    /// The line.
    pub line: String,
    /// Its pack.
    pub pack: String,
    /// Its tier.
    pub tier: String,
}

/// Lines with faults that counted since a year.
pub fn counting(tx: &mut Tx<'_>, look: &Look, year: i32) -> Result<Vec<Counting>, DbError> {
    let sql = "SELECT c.code, l.code, c.pack, COALESCE(l.tier, c.tier) FROM customer c JOIN line l ON l.customer = c.code \
         WHERE c.code > $1 AND c.code <= $2 AND l.service_over = 0 \
         AND EXISTS (SELECT 1 FROM contribution b WHERE b.line = l.code AND b.year >= $3 AND b.counted > 0) ORDER BY l.code";
    let params = [look.after.as_str().into(), look.upto.as_str().into(), i64::from(year).into()];
    let read = |row: &Row| {
        Ok(Counting { customer: row.get(0)?, line: row.get(1)?, pack: row.get(2)?, tier: row.get(3)? })
    };
    tx.query(sql, &params)?.iter().map(read).collect()
}

/// What somebody entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Its id.
    pub id: Uuid,
    /// The customer.
    pub customer: String,
    /// Why it is at risk.
    pub reason: String,
    /// Who entered it.
    pub by: String,
    /// When.
    pub at: UnixMs,
}

/// Enters it.
pub fn enter(tx: &mut Tx<'_>, new: &Entered) -> Result<(), DbError> {
    let sql = "INSERT INTO risk (id, customer, reason, by_whom, entered_at_ms) VALUES ($1, $2, $3, $4, $5)";
    let (customer, reason, by) = (new.customer.as_str(), new.reason.as_str(), new.by.as_str());
    tx.execute(sql, &[new.id.into(), customer.into(), reason.into(), by.into(), new.at.into()])?;
    Ok(())
}

/// Takes it back; false where there is none.
pub fn end(tx: &mut Tx<'_>, id: Uuid, at: UnixMs) -> Result<bool, DbError> {
    let sql = "UPDATE risk SET ended_at_ms = $1 WHERE id = $2 AND ended_at_ms IS NULL";
    Ok(tx.execute(sql, &[at.into(), id.into()])? > 0)
}

/// What was entered and not taken back.
pub fn entered(tx: &mut Tx<'_>, look: &Look) -> Result<Vec<Entered>, DbError> {
    let sql = "SELECT id, customer, reason, by_whom, entered_at_ms FROM risk WHERE customer > $1 AND customer <= $2 \
         AND ended_at_ms IS NULL ORDER BY entered_at_ms, id";
    let read = |row: &Row| {
        Ok(Entered {
            id: row.get(0)?,
            customer: row.get(1)?,
            reason: row.get(2)?,
            by: row.get(3)?,
            at: row.get(4)?,
        })
    };
    tx.query(sql, &[look.after.as_str().into(), look.upto.as_str().into()])?.iter().map(read).collect()
}
