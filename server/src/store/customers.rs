//! Customers as they are stored.

use std::collections::{BTreeMap, HashMap};

use linewatch_shared::time::UnixMs;

use super::scope::Scope;
use crate::db::{DbError, Row, Tx, Value};

/// A customer's columns besides its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    /// The name.
    pub name: String,
    /// The tier.
    pub tier: String,
    /// The pack with its limits.
    pub pack: String,
    /// What may be absent, in the order of [`REST_COLUMNS`].
    pub rest: [Option<String>; 8],
}

/// The columns of [`CustomerRow::rest`].
pub const REST_COLUMNS: [&str; 8] = [
    "region",
    "manager",
    "manager_email",
    "deputy",
    "deputy_email",
    "contact_name",
    "contact_phone",
    "contractor",
];

const COLUMNS: &str = "c.code, c.name, c.tier, c.pack, c.region, c.manager, c.manager_email, c.deputy, c.deputy_email, \
     c.contact_name, c.contact_phone, c.contractor";

fn read(row: &Row) -> Result<(String, CustomerRow), DbError> {
    let mut rest = [const { None }; 8];
    for (index, value) in rest.iter_mut().enumerate() {
        *value = row.get(4 + index)?;
    }
    Ok((row.get(0)?, CustomerRow { name: row.get(1)?, tier: row.get(2)?, pack: row.get(3)?, rest }))
}

/// Every customer, by code.
pub fn all(tx: &mut Tx<'_>) -> Result<HashMap<String, CustomerRow>, DbError> {
    tx.query(&format!("SELECT {COLUMNS} FROM customer c"), &[])?.iter().map(read).collect()
}

/// Adds customers, or replaces those that have the same code.
pub fn save(tx: &mut Tx<'_>, customers: &BTreeMap<String, CustomerRow>, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO customer (code, name, tier, pack, region, manager, manager_email, deputy, \
         deputy_email, contact_name, contact_phone, contractor, created_at_ms, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) ON CONFLICT (code) DO UPDATE SET \
         name = excluded.name, tier = excluded.tier, pack = excluded.pack, region = excluded.region, \
         manager = excluded.manager, manager_email = excluded.manager_email, deputy = excluded.deputy, \
         deputy_email = excluded.deputy_email, contact_name = excluded.contact_name, \
         contact_phone = excluded.contact_phone, contractor = excluded.contractor, \
         updated_at_ms = excluded.updated_at_ms";
    let row = |(code, c): (&String, &CustomerRow)| {
        let mut row: Vec<Value> = vec![code.into(), (&c.name).into(), (&c.tier).into(), (&c.pack).into()];
        row.extend(c.rest.iter().map(|value| Value::from(value.as_ref())));
        row.push(now.into());
        row
    };
    tx.batch(sql, &customers.iter().map(row).collect::<Vec<_>>())?;
    Ok(())
}

/// What a list of customers or lines is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// A part of the code or a name, in any case.
    pub q: Option<String>,
    /// Only of this region.
    pub region: Option<String>,
    /// A customer's code; for lines.
    pub customer: Option<String>,
    /// Only codes after this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
    /// Only what is seen.
    pub scope: Scope,
}

impl Search {
    /// `$1` the code to begin after, `$2` the pattern or NULL, `$3` the limit, `$4` the region or NULL, `$5` the customer or NULL,
    /// `$6` who asks.
    pub(super) fn params(&self) -> [Value; 6] {
        let pattern = self.q.as_ref().map(|q| {
            let escaped = q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            format!("%{}%", escaped.to_lowercase())
        });
        [
            self.after.clone().unwrap_or_default().into(),
            pattern.into(),
            (self.limit as i64).into(),
            self.region.clone().into(),
            self.customer.clone().into(),
            self.scope.value(),
        ]
    }
}

/// A customer, as lists show it.
#[derive(Clone, Debug)]
pub struct ListedCustomer {
    /// The code.
    pub code: String,
    /// The rest of it.
    pub row: CustomerRow,
    /// How many lines it has.
    pub lines: u32,
    /// From when on nothing is promised.
    pub service_ends_at: Option<UnixMs>,
    /// When what is personal was erased.
    pub erased_at: Option<UnixMs>,
    /// `proposed`, `admitted` or `refused`.
    pub admission: String,
}

const LISTED: &str =
    "(SELECT COUNT(*) FROM line l WHERE l.customer = c.code), c.service_ends_ms, c.erased_at_ms, c.admission";

fn listed(row: &Row) -> Result<ListedCustomer, DbError> {
    let (code, customer) = read(row)?;
    let (service_ends_at, erased_at, admission) = (row.get(13)?, row.get(14)?, row.get(15)?);
    Ok(ListedCustomer { code, row: customer, lines: row.get(12)?, service_ends_at, erased_at, admission })
}

/// One customer.
pub fn one(tx: &mut Tx<'_>, code: &str) -> Result<Option<ListedCustomer>, DbError> {
    let sql = format!("SELECT {COLUMNS}, {LISTED} FROM customer c WHERE c.code = $1");
    tx.query_opt(&sql, &[code.into()])?.as_ref().map(listed).transpose()
}

/// Customers in the order of their codes.
pub fn list(tx: &mut Tx<'_>, search: &Search) -> Result<Vec<ListedCustomer>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS}, {LISTED} FROM customer c WHERE c.code > $1 \
         AND (CAST($2 AS TEXT) IS NULL OR LOWER(c.code) LIKE $2 ESCAPE '\\' OR LOWER(c.name) LIKE $2 ESCAPE '\\') \
         AND (CAST($4 AS TEXT) IS NULL OR c.region = $4) AND CAST($5 AS TEXT) IS NULL AND {} ORDER BY c.code LIMIT $3",
        search.scope.customers("c.code", 6),
    );
    tx.query(&sql, &search.params())?.iter().map(listed).collect()
}

/// Who answers for a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// The customer's name.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// The pack of its lines.
    pub pack: String,
    /// The account manager.
    pub manager: Option<String>,
}

/// Who answers for a customer; none where the customer is not known.
pub fn owners(tx: &mut Tx<'_>, code: &str) -> Result<Option<Owners>, DbError> {
    let sql = "SELECT name, tier, pack, manager FROM customer WHERE code = $1";
    tx.query_opt(sql, &[code.into()])?
        .map(|row| {
            Ok(Owners { name: row.get(0)?, tier: row.get(1)?, pack: row.get(2)?, manager: row.get(3)? })
        })
        .transpose()
}

/// What is missing of a customer for being reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contacts {
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
    /// `manager`, `manager_email`, `deputy`, `deputy_email`, `contact_name`, `contact_phone`.
    pub fields: [Option<String>; 6],
    /// When the row was last written.
    pub updated_at: UnixMs,
}

/// Every customer's contact data after a code, in the order of codes.
pub fn contacts(tx: &mut Tx<'_>, scope: &Scope, after: &str, limit: i64) -> Result<Vec<Contacts>, DbError> {
    let sql = format!(
        "SELECT code, name, manager, manager_email, deputy, deputy_email, contact_name, contact_phone, \
         updated_at_ms FROM customer WHERE code > $1 AND service_over = 0 AND {} ORDER BY code LIMIT $2",
        scope.customers("code", 3)
    );
    tx.query(&sql, &[after.into(), limit.into(), scope.value()])?
        .iter()
        .map(|row| {
            let mut fields = [const { None }; 6];
            for (index, value) in fields.iter_mut().enumerate() {
                *value = row.get(2 + index)?;
            }
            Ok(Contacts { code: row.get(0)?, name: row.get(1)?, fields, updated_at: row.get(8)? })
        })
        .collect()
}
