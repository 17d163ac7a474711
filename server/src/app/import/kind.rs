//! What a file holds: seen from its header, with the columns that it may have.

use serde::Serialize;

use super::RowMistake;
use super::table::mistake;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Customers.
    Customers,
    /// Lines.
    Lines,
    /// Sites of customers.
    Sites,
    /// The equipment of sites.
    Equipment,
}

const CUSTOMER_COLUMNS: &[&str] = &[
    "code",
    "name",
    "tier",
    "pack",
    "region",
    "manager",
    "manager_email",
    "deputy",
    "deputy_email",
    "contact_name",
    "contact_phone",
    "contractor",
];
const LINE_COLUMNS: &[&str] = &[
    "code",
    "customer",
    "site",
    "service",
    "tier",
    "agent",
    "probe",
    "interval",
    "upstream",
    "in_service",
    "contractor",
];
const SITE_COLUMNS: &[&str] =
    &["customer", "name", "time_zone", "access_hours", "closed_dates", "access_contact", "access_phone"];

const EQUIPMENT_COLUMNS: &[&str] =
    &["customer", "site", "label", "kind", "condition", "reason", "installed_on", "tested_on"];

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Customers, Self::Lines, Self::Sites, Self::Equipment];

    /// The name in commands and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Lines => "lines",
            Self::Sites => "sites",
            Self::Equipment => "equipment",
        }
    }

    /// The columns of its files.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Customers => CUSTOMER_COLUMNS,
            Self::Lines => LINE_COLUMNS,
            Self::Sites => SITE_COLUMNS,
            Self::Equipment => EQUIPMENT_COLUMNS,
        }
    }

    /// Those that must be there.
    const fn required(self) -> &'static [&'static str] {
        match self {
            Self::Customers => &["code", "name", "tier"],
            Self::Lines => &["code", "customer"],
            Self::Sites => &["customer", "name"],
            Self::Equipment => &["customer", "site", "label", "kind", "condition"],
        }
    }

    /// The kind whose header this is.
    pub(super) fn of_header(columns: &[String]) -> Result<Self, Vec<RowMistake>> {
        let has = |name: &str| columns.iter().any(|column| column == name);
        let kind = match (has("code"), has("customer")) {
            (true, true) => Self::Lines,
            (true, false) => Self::Customers,
            (false, true) if has("label") => Self::Equipment,
            (false, true) => Self::Sites,
            (false, false) => {
                let known = Self::ALL.map(|kind| format!("{} ({})", kind.name(), kind.columns().join(", ")));
                let reason = format!("the header names none of: {}", known.join("; "));
                return Err(vec![mistake(1, "", reason)]);
            }
        };
        let mut mistakes = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            if !kind.columns().contains(&column.as_str()) {
                let reason = format!("unknown column; known: {}", kind.columns().join(", "));
                mistakes.push(mistake(1, column, reason));
            } else if columns[..index].contains(column) {
                mistakes.push(mistake(1, column, "the column is there twice"));
            }
        }
        for column in kind.required() {
            if !has(column) {
                mistakes.push(mistake(1, column, "the column is missing"));
            }
        }
        if mistakes.is_empty() { Ok(kind) } else { Err(mistakes) }
    }
}
