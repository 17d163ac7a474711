//! Whose service ends when.

use linewatch_shared::time::UnixMs;

use crate::db::{DbError, Tx, Value};

/// How a customer's service stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// From when on nothing is promised.
    pub ends_at: Option<UnixMs>,
    /// When what is personal was erased.
    pub erased_at: Option<UnixMs>,
}

/// How a customer's service stands; none where the customer is not known.
pub fn of_customer(tx: &mut Tx<'_>, code: &str) -> Result<Option<Standing>, DbError> {
    let sql = "SELECT service_ends_ms, erased_at_ms FROM customer WHERE code = $1";
    let row = tx.query_opt(sql, &[code.into()])?;
    row.map(|row| Ok(Standing { ends_at: row.get(0)?, erased_at: row.get(1)? })).transpose()
}

/// Says when a customer's service ends, or that it goes on.
pub fn end_customer(tx: &mut Tx<'_>, code: &str, ends_at: Option<UnixMs>) -> Result<bool, DbError> {
    let sql = "UPDATE customer SET service_ends_ms = $1 WHERE code = $2";
    Ok(tx.execute(sql, &[Value::from(ends_at), code.into()])? > 0)
}

/// Says when a line's service ends, or that it goes on.
pub fn end_line(tx: &mut Tx<'_>, code: &str, ends_at: Option<UnixMs>) -> Result<bool, DbError> {
    let sql = "UPDATE line SET service_ends_ms = $1 WHERE code = $2";
    Ok(tx.execute(sql, &[Value::from(ends_at), code.into()])? > 0)
}

/// Customers whose service has ended, or goes on again, since somebody last looked: the code, and whether it is over.
pub fn turned_customers(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<(String, bool)>, DbError> {
    let sql = "SELECT code, service_over FROM customer WHERE service_over <> \
         CASE WHEN service_ends_ms <= $1 THEN 1 ELSE 0 END ORDER BY code LIMIT $2";
    turned(tx, sql, now, limit)
}

/// The same of lines: their own end or their customer's.
pub fn turned_lines(tx: &mut Tx<'_>, now: UnixMs, limit: i64) -> Result<Vec<(String, bool)>, DbError> {
    let sql = "SELECT l.code, l.service_over FROM line l JOIN customer c ON c.code = l.customer WHERE l.service_over <> \
         CASE WHEN l.service_ends_ms <= $1 OR c.service_ends_ms <= $1 THEN 1 ELSE 0 END ORDER BY l.code LIMIT $2";
    turned(tx, sql, now, limit)
}

fn turned(tx: &mut Tx<'_>, sql: &str, now: UnixMs, limit: i64) -> Result<Vec<(String, bool)>, DbError> {
    let rows = tx.query(sql, &[now.into(), limit.into()])?;
    rows.iter().map(|row| Ok((row.get(0)?, !row.get::<bool>(1)?))).collect()
}

/// Keeps that this was seen of a customer.
pub fn mark_customer(tx: &mut Tx<'_>, code: &str, over: bool) -> Result<(), DbError> {
    tx.execute("UPDATE customer SET service_over = $1 WHERE code = $2", &[over.into(), code.into()])?;
    Ok(())
}

/// Keeps that this was seen of a line.
pub fn mark_line(tx: &mut Tx<'_>, code: &str, over: bool) -> Result<(), DbError> {
    tx.execute("UPDATE line SET service_over = $1 WHERE code = $2", &[over.into(), code.into()])?;
    Ok(())
}

/// Customers whose service ended before a moment and from whom nothing was erased yet.
pub fn to_erase(tx: &mut Tx<'_>, ended_before: UnixMs, limit: i64) -> Result<Vec<String>, DbError> {
    let sql = "SELECT code FROM customer WHERE service_ends_ms <= $1 AND erased_at_ms IS NULL ORDER BY code LIMIT $2";
    tx.query(sql, &[ended_before.into(), limit.into()])?.iter().map(|row| row.get(0)).collect()
}
