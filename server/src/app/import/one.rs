//! One new customer, checked and written like a row of a file.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::table::{Table, mistake};
use super::{ImportError, apply, plan};
use crate::app::packs::PackSet;
use crate::app::{Action, audit};
use crate::db::{DbError, Tx};

/// A new customer.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// The pack of its lines; `group-line` where it is left out.
    pub pack: Option<String>,
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
}

/// Writes a new customer down, proposed where somebody proposes it.
///
/// # Errors
/// When a field is not acceptable, or there is such a customer.
pub fn new_customer(
    tx: &mut Tx<'_>,
    packs: &PackSet,
    new: &NewCustomer,
    (by, proposer): (&str, Option<&str>),
    now: UnixMs,
) -> Result<(), ImportError> {
    let fields = serde_json::to_value(new).map_err(|error| DbError::Data(error.to_string()))?;
    let fields: BTreeMap<String, Option<String>> =
        serde_json::from_value(fields).map_err(|error| DbError::Data(error.to_string()))?;
    let (columns, cells): (Vec<String>, Vec<String>) =
        fields.into_iter().filter_map(|(name, value)| Some((name, value?.trim().to_owned()))).unzip();
    let rows = [Ok((1, columns)), Ok((2, cells))];
    let (table, early) = Table::of_rows(rows.into_iter()).map_err(ImportError::Mistakes)?;
    let plan = plan::make(tx, &table, packs, early, now)?;
    if !plan.summary(false).created.contains(&new.code) {
        let reason = format!("\"{}\" is a customer already", new.code);
        return Err(ImportError::Mistakes(vec![mistake(2, "code", reason)]));
    }
    audit(tx, now.0, by, Action::CustomerWritten, &format!("customer {}", new.code), None)?;
    apply::run(tx, &plan, proposer, now)
}
