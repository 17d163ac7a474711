//! A technician's or account manager's presence at a customer.

use serde::{Deserialize, Serialize};

/// A visit report: text fields for what was seen, heard and promised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The customer's code.
    pub customer: String,
    /// The site's name, where it was at one.
    #[serde(default)]
    pub site: String,
    /// Who was met.
    #[serde(default)]
    pub met: String,
    /// What for.
    #[serde(default)]
    pub purpose: String,
    /// What was found.
    #[serde(default)]
    pub findings: String,
    /// What the customer asked for.
    #[serde(default)]
    pub needs: String,
    /// What was promised.
    #[serde(default)]
    pub promises: String,
}
