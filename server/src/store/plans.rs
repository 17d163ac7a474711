//! Yearly plans of customers, and their measures.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use crate::db::{DbError, LockKey, Row, Tx, Value};

/// The key that a transaction takes before it works on a customer's plans.
#[must_use]
pub fn lock_key(customer: &str) -> LockKey {
    LockKey::new("plan", customer.as_bytes())
}

/// A plan without its measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: Uuid,
    /// The customer's code.
    pub customer: String,
    /// The year.
    pub year: i32,
    /// `proposed` or `approved`.
    pub state: String,
    /// What is to be reached.
    pub goals: String,
    /// When it is looked at again.
    pub review_at: Option<UnixMs>,
    /// Who wrote it last, and when.
    pub written: (String, UnixMs),
    /// Who approved it, and when.
    pub approved: Option<(String, UnixMs)>,
}

/// A measure of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its number in the plan, from 1.
    pub n: i64,
    /// What is done.
    pub what: String,
    /// By when.
    pub by: UnixMs,
    /// Who answers for it.
    pub owner: String,
    /// When its promise is opened.
    pub opens_at: Option<UnixMs>,
    /// Its promise, once that is open.
    pub matter: Option<Uuid>,
}

const COLUMNS: &str =
    "id, customer, year, state, goals, review_at_ms, written_by, written_at_ms, approved_by, approved_at_ms";

fn plan(row: &Row) -> Result<Plan, DbError> {
    Ok(Plan {
        id: row.get(0)?,
        customer: row.get(1)?,
        year: i32::try_from(row.get::<i64>(2)?).unwrap_or_default(),
        state: row.get(3)?,
        goals: row.get(4)?,
        review_at: row.get(5)?,
        written: (row.get(6)?, row.get(7)?),
        approved: row.get::<Option<String>>(8)?.zip(row.get::<Option<UnixMs>>(9)?),
    })
}

/// A customer's plan of a year.
pub fn one(tx: &mut Tx<'_>, customer: &str, year: i32) -> Result<Option<Plan>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM customer_plan WHERE customer = $1 AND year = $2");
    tx.query_opt(&sql, &[customer.into(), i64::from(year).into()])?.as_ref().map(plan).transpose()
}

/// A plan by its id.
pub fn by_id(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Plan>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM customer_plan WHERE id = $1");
    tx.query_opt(&sql, &[id.into()])?.as_ref().map(plan).transpose()
}

/// Saves a plan.
pub fn save(tx: &mut Tx<'_>, new: &Plan) -> Result<(), DbError> {
    let sql = "INSERT INTO customer_plan (id, customer, year, state, goals, review_at_ms, written_by, written_at_ms, \
         approved_by, approved_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET \
         state = excluded.state, goals = excluded.goals, review_at_ms = excluded.review_at_ms, \
         written_by = excluded.written_by, written_at_ms = excluded.written_at_ms, approved_by = excluded.approved_by, \
         approved_at_ms = excluded.approved_at_ms";
    let (by, at) = new.approved.clone().unzip();
    let params = [
        new.id.into(),
        new.customer.as_str().into(),
        i64::from(new.year).into(),
        new.state.as_str().into(),
        new.goals.as_str().into(),
        Value::from(new.review_at),
        new.written.0.as_str().into(),
        new.written.1.into(),
        Value::from(by.as_deref()),
        Value::from(at),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// A plan's measures, in their order.
pub fn measures(tx: &mut Tx<'_>, plan: Uuid) -> Result<Vec<Measure>, DbError> {
    let sql =
        "SELECT n, what, by_ms, owner, opens_at_ms, matter FROM plan_measure WHERE plan = $1 ORDER BY n";
    let read = |row: &Row| {
        Ok(Measure {
            n: row.get(0)?,
            what: row.get(1)?,
            by: row.get(2)?,
            owner: row.get(3)?,
            opens_at: row.get(4)?,
            matter: row.get(5)?,
        })
    };
    tx.query(sql, &[plan.into()])?.iter().map(read).collect()
}

/// Makes a plan's measures these.
pub fn save_measures(tx: &mut Tx<'_>, plan: Uuid, measures: &[Measure]) -> Result<(), DbError> {
    tx.execute("DELETE FROM plan_measure WHERE plan = $1", &[plan.into()])?;
    let row = |one: &Measure| {
        vec![
            plan.into(),
            one.n.into(),
            one.what.as_str().into(),
            one.by.into(),
            one.owner.as_str().into(),
            Value::from(one.opens_at),
            Value::from(one.matter),
        ]
    };
    let sql = "INSERT INTO plan_measure (plan, n, what, by_ms, owner, opens_at_ms, matter) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.batch(sql, &measures.iter().map(row).collect::<Vec<_>>())?;
    Ok(())
}

/// Plans with measures whose promise has to be opened by now, the earliest first.
pub fn to_open(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<(Uuid, String)>, DbError> {
    let sql = "SELECT p.id, p.customer FROM customer_plan p JOIN (SELECT plan, MIN(opens_at_ms) AS first_ms FROM plan_measure \
         WHERE opens_at_ms IS NOT NULL AND opens_at_ms <= $1 GROUP BY plan) m ON m.plan = p.id \
         ORDER BY m.first_ms, p.id LIMIT $2";
    tx.query(sql, &[now.into(), limit.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// A customer whose plan of a year is not approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplanned {
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The account manager; empty for none.
    pub manager: String,
    /// Its tier.
    pub tier: String,
    /// The pack that it is under.
    pub pack: String,
    /// `proposed` where a plan waits for approval.
    pub state: Option<String>,
}

/// Admitted customers after a code whose service goes on, without an approved plan of a year; of one account manager, where
/// one is named.
pub fn unplanned(
    tx: &mut Tx<'_>,
    (scope, year): (&Scope, i32),
    manager: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Unplanned>, DbError> {
    let sql = format!(
        "SELECT c.code, c.name, COALESCE(c.manager, ''), c.tier, c.pack, p.state FROM customer c \
         LEFT JOIN customer_plan p ON p.customer = c.code AND p.year = $1 WHERE c.code > $2 AND c.service_over = 0 \
         AND c.admission = 'admitted' AND (p.state IS NULL OR p.state <> 'approved') \
         AND (CAST($3 AS TEXT) IS NULL OR c.manager = $3) AND {} ORDER BY c.code LIMIT $4",
        scope.customers("c.code", 5)
    );
    let read = |row: &Row| {
        Ok(Unplanned {
            code: row.get(0)?,
            name: row.get(1)?,
            manager: row.get(2)?,
            tier: row.get(3)?,
            pack: row.get(4)?,
            state: row.get(5)?,
        })
    };
    let params = [i64::from(year).into(), after.into(), Value::from(manager), limit.into(), scope.value()];
    tx.query(&sql, &params)?.iter().map(read).collect()
}

/// Words of a customer's plans that are not this mark.
pub fn words(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<i64, DbError> {
    let sql = "SELECT (SELECT COUNT(*) FROM customer_plan WHERE customer = $1 AND goals <> $2) + \
         (SELECT COUNT(*) FROM plan_measure WHERE what <> $2 AND plan IN (SELECT id FROM customer_plan WHERE customer = $1))";
    tx.query_one(sql, &[customer.into(), mark.into()])?.get(0)
}

/// Replaces them by the mark.
pub fn replace_words(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<(), DbError> {
    tx.execute("UPDATE customer_plan SET goals = $1 WHERE customer = $2", &[mark.into(), customer.into()])?;
    let sql =
        "UPDATE plan_measure SET what = $1 WHERE plan IN (SELECT id FROM customer_plan WHERE customer = $2)";
    tx.execute(sql, &[mark.into(), customer.into()])?;
    Ok(())
}
