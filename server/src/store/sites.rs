//! Sites of customers, and when they let us in.

use std::collections::{BTreeMap, HashMap};

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use crate::db::{DbError, Row, Tx, Value};

/// A site's place: the customer's code, and the name that lines and matters call it by.
pub type SiteKey = (String, String);

/// What is known of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteRow {
    /// In the order of [`SITE_COLUMNS`].
    pub fields: [Option<String>; 5],
}

/// The columns of [`SiteRow::fields`].
pub const SITE_COLUMNS: [&str; 5] =
    ["time_zone", "access_hours", "closed_dates", "access_contact", "access_phone"];

impl SiteRow {
    /// The time zone that is the site's own.
    #[must_use]
    pub fn time_zone(&self) -> Option<&str> {
        self.fields[0].as_deref()
    }

    /// The weekly pattern and the closed days; none where nothing is said of either.
    #[must_use]
    pub fn access(&self) -> Option<(&str, &str)> {
        let [_, hours, closed, ..] = &self.fields;
        (hours.is_some() || closed.is_some())
            .then(|| (hours.as_deref().unwrap_or_default(), closed.as_deref().unwrap_or_default()))
    }

    /// Whom to ring, and where.
    #[must_use]
    pub fn ring(&self) -> (Option<&str>, Option<&str>) {
        (self.fields[3].as_deref(), self.fields[4].as_deref())
    }
}

/// A site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub id: Uuid,
    /// The customer's code and the site's name.
    pub key: SiteKey,
    /// The rest of it.
    pub row: SiteRow,
}

const COLUMNS: &str =
    "id, customer, name, time_zone, access_hours, closed_dates, access_contact, access_phone";

fn site(row: &Row) -> Result<Site, DbError> {
    let mut fields = [const { None }; 5];
    for (index, value) in fields.iter_mut().enumerate() {
        *value = row.get(3 + index)?;
    }
    Ok(Site { id: row.get(0)?, key: (row.get(1)?, row.get(2)?), row: SiteRow { fields } })
}

/// Every site.
pub fn all(tx: &mut Tx<'_>) -> Result<HashMap<SiteKey, SiteRow>, DbError> {
    let read = |row: &Row| site(row).map(|site| (site.key, site.row));
    tx.query(&format!("SELECT {COLUMNS} FROM site"), &[])?.iter().map(read).collect()
}

/// Sites that are seen, of a customer or of all, in the order of their ids.
pub fn list(
    tx: &mut Tx<'_>,
    (scope, customer): (&Scope, &str),
    after: Uuid,
    limit: i64,
) -> Result<Vec<Site>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM site WHERE (CAST($1 AS TEXT) = '' OR customer = $1) AND id > $2 AND {} \
         ORDER BY id LIMIT $3",
        scope.customers("customer", 4)
    );
    tx.query(&sql, &[customer.into(), after.into(), limit.into(), scope.value()])?.iter().map(site).collect()
}

/// One site.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Site>, DbError> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM site WHERE id = $1"), &[id.into()])?
        .as_ref()
        .map(site)
        .transpose()
}

/// Adds sites, or replaces those that are there. `id` makes the id of a new one.
pub fn save(
    tx: &mut Tx<'_>,
    sites: &BTreeMap<SiteKey, SiteRow>,
    id: impl Fn(&SiteKey) -> Uuid,
    now: UnixMs,
) -> Result<(), DbError> {
    let sql = "INSERT INTO site (id, customer, name, time_zone, access_hours, closed_dates, access_contact, \
         access_phone, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (customer, name) DO UPDATE SET time_zone = excluded.time_zone, \
         access_hours = excluded.access_hours, closed_dates = excluded.closed_dates, \
         access_contact = excluded.access_contact, access_phone = excluded.access_phone, \
         updated_at_ms = excluded.updated_at_ms";
    let row = |(key, site): (&SiteKey, &SiteRow)| {
        let mut row: Vec<Value> = vec![id(key).into(), (&key.0).into(), (&key.1).into()];
        row.extend(site.fields.iter().map(|value| Value::from(value.as_ref())));
        row.push(now.into());
        row
    };
    tx.batch(sql, &sites.iter().map(row).collect::<Vec<_>>())?;
    Ok(())
}
