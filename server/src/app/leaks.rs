//! A leak of customers' data: one matter for each customer that it concerns, of the pack's class `leak`, so that each is
//! owned, answered, told, reported upwards at each change, on the day's list, and closed by a supervisor.

use linewatch_shared::matter::{Matter, Opening};
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use crate::app::desk::{Desk, DeskError};
use crate::app::matters::open::{NewMatter, open};
use crate::app::{Action, audit, derived_id};
use crate::db::Tx;

/// The class in packs.
pub const CLASS: &str = "leak";
/// The most customers of one report.
pub const CUSTOMERS_MAX: usize = 200;

/// A leak that somebody reports.
#[derive(Clone, Debug)]
pub struct NewLeak {
    /// Its id, made beforehand so that a second try is the same report.
    pub id: Uuid,
    /// What leaked, and how.
    pub what: String,
    /// Whose data.
    pub customers: Vec<String>,
    /// When it was learnt of.
    pub learnt_at: UnixMs,
    /// Who sees to it; each customer's account manager where nobody is named.
    pub owner: String,
    /// Who reports it.
    pub by: String,
}

/// Takes a leak in: all of its matters, or none. Later ones are about the first.
///
/// # Errors
/// When a customer is not known, stands there twice, or nobody would own its matter.
pub fn report(desk: &Desk, tx: &mut Tx<'_>, new: &NewLeak, now: UnixMs) -> Result<Vec<Matter>, DeskError> {
    let invalid = |reason: String| Err(DeskError::Invalid { field: "customers", reason });
    if new.customers.is_empty() || new.customers.len() > CUSTOMERS_MAX {
        return invalid(format!("are 1 to {CUSTOMERS_MAX}"));
    }
    let mut opened: Vec<Matter> = Vec::with_capacity(new.customers.len());
    for customer in &new.customers {
        if opened.iter().any(|matter| matter.customer == *customer) {
            return invalid(format!("\"{customer}\" stands there twice"));
        }
        let opening = Opening {
            kind: MatterKind::Request,
            class: CLASS.to_owned(),
            customer: customer.clone(),
            line: None,
            site: None,
            title: "data of the customer has leaked".to_owned(),
            description: new.what.clone(),
            reporter: new.by.clone(),
            owner: new.owner.clone(),
            first_receiver: new.by.clone(),
            unit: None,
            wanted_by: None,
            about: opened.first().map(|matter| matter.id),
            equipment: None,
        };
        let id = derived_id(new.id, customer.as_bytes());
        let matter = NewMatter { id, opening, pack: None, opened_at: new.learnt_at, by: new.by.clone() };
        opened.push(open(desk, tx, &matter, now)?);
    }
    let ids: Vec<Uuid> = opened.iter().map(|matter| matter.id).collect();
    let detail = json!({ "customers": new.customers, "matters": ids });
    audit(tx, now.0, &new.by, Action::LeakReported, &new.id.to_string(), Some(&detail))?;
    Ok(opened)
}
