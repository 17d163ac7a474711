//! Reference data as agents pull it, along the list of what changed, in commit order.

use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{PackText, ReferenceCustomer, ReferenceLine, ReferenceTerms};
use uuid::Uuid;

use super::acceptance::{Terms, waits, without_waits};
use super::agent_customers::lines_in_scope;
use crate::db::{DbError, Row, Tx, Value};

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A customer.
    Customer,
    /// A line.
    Line,
    /// An agent's scope.
    Agent,
    /// A pack.
    Pack,
}

impl Kind {
    /// The name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Line => "line",
            Self::Agent => "agent",
            Self::Pack => "pack",
        }
    }
}

/// Notes that these changed. It takes the head row and holds it to the commit, so that numbers are in
/// commit order: call it last in the transaction. Wakes the `reference` listeners.
pub fn changed(tx: &mut Tx<'_>, what: &[(Kind, String)]) -> Result<(), DbError> {
    if what.is_empty() {
        return Ok(());
    }
    let count = what.len() as i64;
    let sql = "UPDATE head SET n = n + $1 WHERE name = 'reference' RETURNING n";
    let last: i64 = tx.query_one(sql, &[count.into()])?.get(0)?;
    let rows: Vec<Vec<Value>> = what
        .iter()
        .zip(last - count + 1..)
        .map(|((kind, code), n)| vec![n.into(), kind.name().into(), code.into()])
        .collect();
    tx.batch("INSERT INTO reference_change (n, kind, code) VALUES ($1, $2, $3)", &rows)?;
    tx.notify("reference")
}

/// The newest number of reference data.
pub fn head(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    tx.query_one("SELECT n FROM head WHERE name = 'reference'", &[])?.get(0)
}

/// Whether anything in the agent's scope, or anything that was in it, changed after a number.
pub fn changed_for(tx: &mut Tx<'_>, agent: Uuid, after: i64) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM reference_change r WHERE r.n > $1 AND (r.kind = 'pack' \
         OR (r.kind = 'agent' AND r.code = (SELECT name FROM agent WHERE id = $2)) \
         OR (r.kind = 'line' AND r.code IN (SELECT line FROM line_terms WHERE agent = $2)) \
         OR (r.kind = 'line' AND r.code IN (SELECT t.line FROM line_terms t JOIN agent_customer c ON c.customer = t.customer \
             WHERE c.agent = $2 AND c.over = 0)) \
         OR (r.kind = 'customer' AND r.code IN (SELECT customer FROM line WHERE agent = $2 \
             UNION SELECT customer FROM agent_customer WHERE agent = $2 AND over = 0))) LIMIT 1";
    Ok(tx.query_opt(sql, &[after.into(), agent.into()])?.is_some())
}

/// The agent's lines after a code, with their terms through time; `all` also those of the customers that it sees.
pub fn lines_of_agent(
    tx: &mut Tx<'_>,
    agent: Uuid,
    all: bool,
    after: &str,
    limit: i64,
) -> Result<Vec<ReferenceLine>, DbError> {
    const OWN: &str = "SELECT code, customer, site, service, probe, interval_ms FROM line WHERE agent = $1 AND code > $2 \
         AND service_over = 0 ORDER BY code LIMIT $3";
    const ALL: &str = concat!(
        "SELECT l.code, l.customer, l.site, l.service, l.probe, l.interval_ms FROM line l WHERE ",
        lines_in_scope!(),
        " AND l.code > $2 ORDER BY l.code LIMIT $3"
    );
    let sql = if all { ALL } else { OWN };
    let mut lines = Vec::new();
    for row in tx.query(sql, &[agent.into(), after.into(), limit.into()])? {
        let code: String = row.get(0)?;
        let terms = terms(tx, &code)?;
        lines.push(line(code, &row, terms)?);
    }
    Ok(lines)
}

fn line(code: String, row: &Row, terms: Vec<ReferenceTerms>) -> Result<ReferenceLine, DbError> {
    let text = |at| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
    Ok(ReferenceLine {
        code,
        customer: row.get(1)?,
        site: text(2)?,
        service: text(3)?,
        probe: text(4)?,
        interval_ms: u32::try_from(row.get::<i64>(5)?).unwrap_or(u32::MAX),
        terms,
    })
}

fn terms(tx: &mut Tx<'_>, line: &str) -> Result<Vec<ReferenceTerms>, DbError> {
    let sql = "SELECT t.valid_from_ms, t.pack, t.tier, a.name, t.service, t.promised FROM line_terms t LEFT JOIN agent a ON a.id = t.agent \
         WHERE t.line = $1 ORDER BY t.valid_from_ms";
    let read = |row: &Row| {
        Ok(ReferenceTerms {
            valid_from: row.get(0)?,
            pack: row.get(1)?,
            tier: row.get(2)?,
            agent: row.get::<Option<String>>(3)?.unwrap_or_default(),
            service: row.get::<Option<String>>(4)?.unwrap_or_default(),
            promised: row.get(5)?,
        })
    };
    let terms: Result<Vec<ReferenceTerms>, DbError> =
        tx.query(sql, &[line.into()])?.iter().map(read).collect();
    Ok(without_waits(terms?, &waits(tx, &[line])?.concat()))
}

impl Terms for ReferenceTerms {
    fn valid_from(&mut self) -> &mut UnixMs {
        &mut self.valid_from
    }

    fn promised(&mut self) -> &mut bool {
        &mut self.promised
    }
}

/// A customer.
pub fn customer(tx: &mut Tx<'_>, code: &str) -> Result<Option<ReferenceCustomer>, DbError> {
    let sql = "SELECT code, name, contact_name, contact_phone FROM customer WHERE code = $1";
    let row = tx.query_opt(sql, &[code.into()])?;
    let read = |row: Row| {
        let text = |at| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
        Ok(ReferenceCustomer {
            code: row.get(0)?,
            name: row.get(1)?,
            contact_name: text(2)?,
            contact_phone: text(3)?,
        })
    };
    row.map(read).transpose()
}

/// Every stored version of a pack.
pub fn pack_versions(tx: &mut Tx<'_>, name: &str) -> Result<Vec<PackText>, DbError> {
    let sql = "SELECT name, version, valid_from_ms, content FROM pack_version WHERE name = $1 ORDER BY valid_from_ms";
    let read = |row: &Row| {
        Ok(PackText { name: row.get(0)?, version: row.get(1)?, valid_from: row.get(2)?, text: row.get(3)? })
    };
    tx.query(sql, &[name.into()])?.iter().map(read).collect()
}
