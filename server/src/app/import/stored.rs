//! Customers and lines as they stand in the database.

use std::collections::HashMap;

use crate::db::{DbError, Tx};

/// A customer's row as it will stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CustomerRow {
    pub(super) name: String,
    pub(super) tier: String,
    pub(super) pack: String,
    /// region, manager, `manager_email`, deputy, `deputy_email`, `contact_name`, `contact_phone`.
    pub(super) rest: [Option<String>; 7],
}

/// A line's row as it will stand; the agent by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineRow {
    pub(super) customer: String,
    pub(super) site: Option<String>,
    pub(super) service: Option<String>,
    pub(super) tier: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) probe: Option<String>,
    pub(super) interval_ms: i64,
    pub(super) upstream: Option<String>,
}

pub(super) fn load_customers(tx: &mut Tx<'_>) -> Result<HashMap<String, CustomerRow>, DbError> {
    let sql = "SELECT code, name, tier, pack, region, manager, manager_email, deputy, deputy_email, \
               contact_name, contact_phone FROM customer";
    let mut all = HashMap::new();
    for row in tx.query(sql, &[])? {
        let mut rest = [const { None }; 7];
        for (index, value) in rest.iter_mut().enumerate() {
            *value = row.get(4 + index)?;
        }
        let customer = CustomerRow { name: row.get(1)?, tier: row.get(2)?, pack: row.get(3)?, rest };
        all.insert(row.get(0)?, customer);
    }
    Ok(all)
}

pub(super) fn load_lines(tx: &mut Tx<'_>) -> Result<HashMap<String, LineRow>, DbError> {
    let sql = "SELECT l.code, l.customer, l.site, l.service, l.tier, a.name, l.probe, l.interval_ms, \
               l.upstream FROM line l LEFT JOIN agent a ON a.id = l.agent";
    let mut all = HashMap::new();
    for row in tx.query(sql, &[])? {
        let line = LineRow {
            customer: row.get(1)?,
            site: row.get(2)?,
            service: row.get(3)?,
            tier: row.get(4)?,
            agent: row.get(5)?,
            probe: row.get(6)?,
            interval_ms: row.get(7)?,
            upstream: row.get(8)?,
        };
        all.insert(row.get(0)?, line);
    }
    Ok(all)
}
