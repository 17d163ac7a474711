//! Admission: where the desk asks for it, a new customer is proposed until a superior has decided. Until then nothing is
//! promised to it; what is reported is taken in all the same, and nothing comes round.

use linewatch_shared::time::UnixMs;
use serde_json::json;

use crate::app::desk::DeskError;
use crate::app::{Action, audit};
use crate::db::Tx;
use crate::store::admission::{self, Admission};
use crate::store::{line_rows, reference};

/// A superior's decision about a customer.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The customer's code.
    pub customer: String,
    /// Whether it is admitted.
    pub admitted: bool,
    /// Why; a refusal needs it.
    pub reason: String,
    /// Who decides.
    pub by: String,
}

/// Admits a customer, or refuses it. A refused one may be admitted later.
///
/// # Errors
/// When there is no such customer, it is admitted already, or who decides has proposed it.
pub fn decide(tx: &mut Tx<'_>, decision: &Decision, now: UnixMs) -> Result<Admission, DeskError> {
    let Decision { customer, admitted, reason, by } = decision;
    let missing = || DeskError::NoCustomer(customer.clone());
    let before = admission::of(tx, customer)?.ok_or_else(missing)?;
    let impossible = |detail: String| DeskError::Impossible { detail, possible: Vec::new() };
    if before.state == "admitted" {
        return Err(impossible(format!("customer {customer} is admitted already")));
    }
    if before.proposed_by.as_ref() == Some(by) {
        return Err(impossible(format!("{by} has proposed customer {customer}: somebody else decides")));
    }
    if !admitted && reason.trim().is_empty() {
        return Err(DeskError::Invalid { field: "reason", reason: "a refusal has a reason".to_owned() });
    }
    admission::decide(tx, customer, *admitted, reason, (by, now))?;
    let action = if *admitted { Action::CustomerAdmitted } else { Action::CustomerRefused };
    let detail = json!({ "reason": reason, "proposed_by": before.proposed_by });
    audit(tx, now.0, by, action, &format!("customer {customer}"), Some(&detail))?;
    let lines = line_rows::save_changed_terms(tx, now)?;
    let mut changed = vec![(reference::Kind::Customer, customer.clone())];
    changed.extend(lines.into_iter().map(|line| (reference::Kind::Line, line)));
    reference::changed(tx, &changed)?;
    admission::of(tx, customer)?.ok_or_else(missing)
}
