//! What a user is at the desk.

use serde::{Deserialize, Serialize};

/// A role. `Admin` may do everything that the others may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The monitoring centre.
    Noc,
    /// An account manager.
    Manager,
    /// A technician.
    Technician,
    /// Whoever runs the installation.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Noc, Self::Manager, Self::Technician, Self::Admin];

    /// The name in the database, the API and the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noc => "noc",
            Self::Manager => "manager",
            Self::Technician => "technician",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
