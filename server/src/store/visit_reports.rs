//! Visit reports of agents, and the rounds that they are joined to.

use std::collections::HashMap;

use linewatch_shared::matter::{Matter, Standing};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::unpack;
use crate::db::{DbError, LockKey, Row, Tx};

/// What became of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// The round that it is joined to.
    pub matter: Option<Uuid>,
    /// Why it counts for no round.
    pub why: Option<String>,
}

/// The key that a transaction takes before it joins reports of a customer's visits.
#[must_use]
pub fn lock_key(customer: &str) -> LockKey {
    LockKey::new("visit reports", customer.as_bytes())
}

/// Keeps what became of a report.
pub fn insert(
    tx: &mut Tx<'_>,
    record: Uuid,
    (customer, at, named): (&str, UnixMs, bool),
    joined: &Joined,
) -> Result<(), DbError> {
    let sql = "INSERT INTO visit_report (record, customer, at_ms, named, matter, why) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (record) DO NOTHING";
    let why = joined.why.as_ref().into();
    tx.execute(sql, &[record.into(), customer.into(), at.into(), named.into(), joined.matter.into(), why])?;
    Ok(())
}

/// Changes it.
pub fn set(tx: &mut Tx<'_>, record: Uuid, joined: &Joined) -> Result<(), DbError> {
    let sql = "UPDATE visit_report SET matter = $1, why = $2 WHERE record = $3";
    tx.execute(sql, &[joined.matter.into(), joined.why.as_ref().into(), record.into()])?;
    Ok(())
}

/// What became of these reports.
pub fn of(tx: &mut Tx<'_>, records: &[Uuid]) -> Result<HashMap<Uuid, Joined>, DbError> {
    let mut found = HashMap::new();
    for record in records {
        let sql = "SELECT matter, why FROM visit_report WHERE record = $1";
        if let Some(row) = tx.query_opt(sql, &[(*record).into()])? {
            found.insert(*record, Joined { matter: row.get(0)?, why: row.get(1)? });
        }
    }
    Ok(found)
}

/// When the visit of a report was, corrected by the device's clock.
pub fn at(tx: &mut Tx<'_>, record: Uuid) -> Result<Option<UnixMs>, DbError> {
    let row = tx.query_opt("SELECT at_ms FROM visit_report WHERE record = $1", &[record.into()])?;
    row.map(|row| row.get(0)).transpose()
}

/// Reports that were joined to a round without naming it, of visits after a moment, in their order.
pub fn unnamed_after(
    tx: &mut Tx<'_>,
    matter: Uuid,
    at: UnixMs,
    limit: i64,
) -> Result<Vec<(Uuid, UnixMs)>, DbError> {
    let sql = "SELECT record, at_ms FROM visit_report WHERE matter = $1 AND at_ms > $2 AND named = 0 \
         ORDER BY at_ms, record LIMIT $3";
    let rows = tx.query(sql, &[matter.into(), at.into(), limit.into()])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Of each duty of a customer, the round of visits that was the latest at a moment.
pub fn owed_at(tx: &mut Tx<'_>, customer: &str, at: UnixMs, limit: i64) -> Result<Vec<Matter>, DbError> {
    let sql = "SELECT m.body FROM duty y JOIN matter m ON m.id = (SELECT n.id FROM duty_round e JOIN matter n ON n.id = e.matter \
         WHERE e.duty = y.id AND n.opened_at_ms < $2 ORDER BY n.opened_at_ms DESC, n.id DESC LIMIT 1) \
         WHERE y.customer = $1 AND m.customer = $1 AND m.kind = 'visit' AND m.state <> 'cancelled' ORDER BY m.id LIMIT $3";
    let read = |row: &Row| {
        let standing: Standing = unpack("matter.body", &row.get::<Vec<u8>>(0)?)?;
        Ok(standing.matter)
    };
    tx.query(sql, &[customer.into(), at.into(), limit.into()])?.iter().map(read).collect()
}

/// Whether a round of the duty began at a moment or later.
pub fn has_round_since(tx: &mut Tx<'_>, duty: Uuid, at: UnixMs) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM duty_round d JOIN matter m ON m.id = d.matter WHERE d.duty = $1 AND m.opened_at_ms >= $2 LIMIT 1";
    Ok(tx.query_opt(sql, &[duty.into(), at.into()])?.is_some())
}

/// Gives a fact to another round of the same duty.
pub fn move_fact(tx: &mut Tx<'_>, record: Uuid, to: Uuid) -> Result<(), DbError> {
    tx.execute("UPDATE matter_fact SET matter = $1 WHERE id = $2", &[to.into(), record.into()])?;
    Ok(())
}

/// Whether any of a customer's lines is, or ever was, an agent's.
pub fn is_in_scope(tx: &mut Tx<'_>, customer: &str, agent: Uuid) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM line_terms WHERE customer = $1 AND agent = $2 \
         UNION SELECT 1 FROM agent_customer WHERE customer = $1 AND agent = $2 LIMIT 1";
    Ok(tx.query_opt(sql, &[customer.into(), agent.into()])?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Priority, Work};

    const OF_OTHERS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) ";
    /// Duties of so many customers with a round each, which is called off.
    const TABLES: [&str; 3] = [
        "INSERT INTO duty (id, kind, pack, cadence, customer, site, since_ms) SELECT CAST('d' || i AS {blob}), 'visit', 'p', 'c', \
         'C-' || i, '', 0 FROM n",
        "INSERT INTO matter (id, kind, class, customer, owner, pack, version, state, live, opened_at_ms, updated_at_ms, body) \
         SELECT CAST('m' || i AS {blob}), 'visit', 'c', 'C-' || i, '', 'p', '1', 'cancelled', 0, 5, 5, CAST('' AS {blob}) FROM n",
        "INSERT INTO duty_round (matter, duty) SELECT CAST('m' || i AS {blob}), CAST('d' || i AS {blob}) FROM n",
    ];

    /// What looking for a customer's rounds takes beside those of so many customers.
    async fn look_beside(customers: i64) -> Work {
        let database = crate::db::testing::sqlite();
        let db = crate::db::Db::open(&database.url, 0).await.unwrap();
        let look = move |tx: &mut Tx<'_>| {
            for insert in TABLES {
                tx.execute(&format!("{OF_OTHERS}{}", insert.replace("{blob}", "BLOB")), &[customers.into()])?;
            }
            let before = tx.work();
            assert!(owed_at(tx, "C-7", UnixMs(10), 10)?.is_empty());
            assert!(!has_round_since(tx, Uuid::from_u128(7), UnixMs(0))?);
            Ok::<_, DbError>(tx.work() - before)
        };
        db.write(Priority::Api, look).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_visit_s_report_looks_at_its_own_customer_s_rounds() {
        let (few, many) = (look_beside(10).await, look_beside(5_000).await);
        assert!(many.steps <= few.steps + few.steps / 10, "{} steps where it were {}", many.steps, few.steps);
    }
}
