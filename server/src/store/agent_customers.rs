//! Customers whose lines an agent sees although other agents watch them.

use uuid::Uuid;

use crate::db::{DbError, Tx, Value};

/// Lines `l` that are the agent's `$1`, or of a customer that it sees, and in service.
macro_rules! lines_in_scope {
    () => {
        "(l.agent = $1 OR l.customer IN (SELECT customer FROM agent_customer WHERE agent = $1 AND over = 0)) AND l.service_over = 0"
    };
}
pub(super) use lines_in_scope;

/// The codes of an agent's customers, in order.
pub fn of(tx: &mut Tx<'_>, agent: Uuid) -> Result<Vec<String>, DbError> {
    let sql = "SELECT customer FROM agent_customer WHERE agent = $1 AND over = 0 ORDER BY customer";
    tx.query(sql, &[agent.into()])?.iter().map(|row| row.get(0)).collect()
}

/// Shows customers to an agent.
pub fn add(tx: &mut Tx<'_>, agent: Uuid, customers: &[String]) -> Result<(), DbError> {
    let sql = "INSERT INTO agent_customer (agent, customer) VALUES ($1, $2) ON CONFLICT (agent, customer) DO UPDATE SET over = 0";
    tx.batch(sql, &rows(agent, customers)).map(drop)
}

/// Shows customers to an agent no more.
pub fn remove(tx: &mut Tx<'_>, agent: Uuid, customers: &[String]) -> Result<(), DbError> {
    let sql = "UPDATE agent_customer SET over = 1 WHERE agent = $1 AND customer = $2";
    tx.batch(sql, &rows(agent, customers)).map(drop)
}

fn rows(agent: Uuid, customers: &[String]) -> Vec<Vec<Value>> {
    customers.iter().map(|customer| vec![agent.into(), customer.as_str().into()]).collect()
}
