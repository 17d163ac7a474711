//! Customers and their lines, as lists show them.

use serde::Serialize;

use crate::db::{Db, DbError, Row, Value};

/// A customer. Absent fields are null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Customer {
    /// The name in the API.
    pub code: String,
    /// The customer's name.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// The pack with its limits.
    pub pack: String,
    /// Its region.
    pub region: Option<String>,
    /// The account manager.
    pub manager: Option<String>,
    /// Where the account manager's alerts go.
    pub manager_email: Option<String>,
    /// The deputy.
    pub deputy: Option<String>,
    /// The deputy's address.
    pub deputy_email: Option<String>,
    /// Whom to call there.
    pub contact_name: Option<String>,
    /// Their number.
    pub contact_phone: Option<String>,
    /// How many lines it has.
    pub lines: u32,
}

/// A line, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineItem {
    /// The name in the API.
    pub code: String,
    /// Its customer's code.
    pub customer: String,
    /// Its customer's name.
    pub customer_name: String,
    /// Where it ends.
    pub site: Option<String>,
    /// What kind of service it is.
    pub service: Option<String>,
    /// The tier in effect: its own or the customer's.
    pub tier: String,
    /// The agent that probes it.
    pub agent: Option<String>,
    /// How it is probed.
    pub probe: Option<String>,
    /// How often, in milliseconds.
    pub interval_ms: i64,
    /// What it hangs on.
    pub upstream: Option<String>,
}

/// What to list, in the order of codes.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// A part of the code or a name, in any case.
    pub q: Option<String>,
    /// A customer's code; for lines.
    pub customer: Option<String>,
    /// Only codes after this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Search {
    fn params(&self) -> [Value; 4] {
        let pattern = self.q.as_ref().map(|q| {
            let escaped = q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            format!("%{}%", escaped.to_lowercase())
        });
        [
            self.after.clone().unwrap_or_default().into(),
            pattern.into(),
            (self.limit as i64).into(),
            self.customer.clone().into(),
        ]
    }
}

/// Customers, by code.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, search: Search) -> Result<Vec<Customer>, DbError> {
    const SQL: &str = "SELECT c.code, c.name, c.tier, c.pack, c.region, c.manager, c.manager_email, \
        c.deputy, c.deputy_email, c.contact_name, c.contact_phone, \
        (SELECT COUNT(*) FROM line l WHERE l.customer = c.code) FROM customer c WHERE c.code > $1 \
        AND (CAST($2 AS TEXT) IS NULL OR LOWER(c.code) LIKE $2 ESCAPE '\\' OR LOWER(c.name) LIKE $2 ESCAPE '\\') \
        ORDER BY c.code LIMIT $3";
    db.read(move |tx| tx.query(SQL, &search.params()[..3])?.iter().map(customer_of).collect()).await
}

/// Lines, by code.
///
/// # Errors
/// The database's.
pub async fn list_lines(db: &Db, search: Search) -> Result<Vec<LineItem>, DbError> {
    const SQL: &str = "SELECT l.code, l.customer, c.name, l.site, l.service, COALESCE(l.tier, c.tier), a.name, \
        l.probe, l.interval_ms, l.upstream FROM line l JOIN customer c ON c.code = l.customer \
        LEFT JOIN agent a ON a.id = l.agent WHERE l.code > $1 \
        AND (CAST($2 AS TEXT) IS NULL OR LOWER(l.code) LIKE $2 ESCAPE '\\' OR LOWER(l.site) LIKE $2 ESCAPE '\\' \
             OR LOWER(c.code) LIKE $2 ESCAPE '\\' OR LOWER(c.name) LIKE $2 ESCAPE '\\') \
        AND (CAST($4 AS TEXT) IS NULL OR l.customer = $4) ORDER BY l.code LIMIT $3";
    db.read(move |tx| tx.query(SQL, &search.params())?.iter().map(line_of).collect()).await
}

fn customer_of(row: &Row) -> Result<Customer, DbError> {
    Ok(Customer {
        code: row.get(0)?,
        name: row.get(1)?,
        tier: row.get(2)?,
        pack: row.get(3)?,
        region: row.get(4)?,
        manager: row.get(5)?,
        manager_email: row.get(6)?,
        deputy: row.get(7)?,
        deputy_email: row.get(8)?,
        contact_name: row.get(9)?,
        contact_phone: row.get(10)?,
        lines: row.get(11)?,
    })
}

fn line_of(row: &Row) -> Result<LineItem, DbError> {
    Ok(LineItem {
        code: row.get(0)?,
        customer: row.get(1)?,
        customer_name: row.get(2)?,
        site: row.get(3)?,
        service: row.get(4)?,
        tier: row.get(5)?,
        agent: row.get(6)?,
        probe: row.get(7)?,
        interval_ms: row.get(8)?,
        upstream: row.get(9)?,
    })
}
