//! Customers and their lines, as lists show them.

use linewatch_shared::time::UnixMs;
use serde::Serialize;

use super::contact_reads;
use super::desk::DeskError;
use super::scopes::sees_customer;
use crate::db::{Db, DbError, Priority};
pub use crate::store::customers::Search;
use crate::store::customers::{self, ListedCustomer};
use crate::store::line_rows::{self, ListedLine};
use crate::store::scope::Scope;

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
    /// Who maintains its lines, unless they say otherwise.
    pub contractor: Option<String>,
    /// How many lines it has.
    pub lines: u32,
    /// From when on nothing is promised, RFC 3339; null while its service goes on.
    pub service_ends_at: Option<String>,
    /// When what is personal of it was erased, RFC 3339.
    pub erased_at: Option<String>,
    /// `proposed`, `admitted` or `refused`: only an admitted one is promised anything.
    pub admission: String,
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
    /// Its customer's region.
    pub region: Option<String>,
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
    /// The day since when it serves.
    pub in_service: Option<String>,
    /// Who maintains it, where that is not its customer's contractor.
    pub contractor: Option<String>,
}

/// Customers, by code.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, search: Search) -> Result<Vec<Customer>, DbError> {
    let listed = db.read(move |tx| customers::list(tx, &search)).await?;
    Ok(listed.into_iter().map(Customer::from).collect())
}

/// One customer. Who reads whom to call there is in the audit trail.
///
/// # Errors
/// When there is no such customer.
pub async fn one(
    db: &Db,
    (code, scope): (String, Scope),
    reads_contact: Option<String>,
    now: UnixMs,
) -> Result<Customer, DeskError> {
    let subject = format!("customer/{code}");
    let looked: Result<_, DeskError> = db
        .read(move |tx| {
            sees_customer(tx, &scope, &code)?;
            let found = customers::one(tx, &code)?.ok_or_else(|| DeskError::NoCustomer(code.clone()))?;
            let found = Customer::from(found);
            let says = found.contact_name.is_some() || found.contact_phone.is_some();
            let by = reads_contact.clone().filter(|_| says);
            let unnoted = match by {
                Some(by) => {
                    (!contact_reads::is_noted(tx, &by, &subject, now)?).then_some((by, subject.clone()))
                }
                None => None,
            };
            Ok((found, unnoted))
        })
        .await;
    let (found, unnoted) = looked?;
    if let Some((by, subject)) = unnoted {
        db.write(Priority::Api, move |tx| contact_reads::note(tx, &by, &subject, now)).await?;
    }
    Ok(found)
}

/// Lines, by code.
///
/// # Errors
/// The database's.
pub async fn list_lines(db: &Db, search: Search) -> Result<Vec<LineItem>, DbError> {
    let listed = db.read(move |tx| line_rows::list(tx, &search)).await?;
    Ok(listed.into_iter().map(LineItem::from).collect())
}

impl From<ListedCustomer> for Customer {
    fn from(listed: ListedCustomer) -> Self {
        let ListedCustomer { code, row, lines, service_ends_at, erased_at, admission } = listed;
        let [region, manager, manager_email, deputy, deputy_email, contact_name, contact_phone, contractor] =
            row.rest;
        Self {
            code,
            name: row.name,
            tier: row.tier,
            pack: row.pack,
            region,
            manager,
            manager_email,
            deputy,
            deputy_email,
            contact_name,
            contact_phone,
            contractor,
            lines,
            service_ends_at: service_ends_at.map(UnixMs::to_rfc3339),
            erased_at: erased_at.map(UnixMs::to_rfc3339),
            admission,
        }
    }
}

impl From<ListedLine> for LineItem {
    fn from(listed: ListedLine) -> Self {
        let ListedLine { code, row, customer_name, region, tier } = listed;
        Self {
            code,
            customer: row.customer,
            customer_name,
            region,
            site: row.site,
            service: row.service,
            tier,
            agent: row.agent,
            probe: row.probe,
            interval_ms: row.interval_ms,
            upstream: row.upstream,
            in_service: row.in_service,
            contractor: row.contractor,
        }
    }
}
