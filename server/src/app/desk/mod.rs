//! The desk: facts in, faults found, promises judged, people told. Each use case is one transaction.

pub(in crate::app) mod alerts;
pub mod allowances;
pub mod board;
mod changes;
mod correct;
pub mod detail;
pub mod engine;
pub mod ingest;
pub mod line_view;
pub mod outside;
pub mod planned;
pub mod pull;
pub mod recount;
mod refold;
pub mod report;
pub mod silence;
pub mod site_access;
pub mod step;
pub mod tasks;
#[cfg(test)]
pub(in crate::app) mod tests;
pub mod upstream;
pub mod view;

pub use changes::Changes;
pub use refold::{Touched, refold};

use std::collections::BTreeMap;
use std::sync::Arc;

use linewatch_shared::sla::{Mark, PackVersion};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, Tx};
use crate::notify::channel::Way;
use crate::store::{faults, outgoing::NewEvent, packs::PackCache};

/// Over which channels alerts go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// An SMTP server is configured.
    pub email: bool,
    /// A webhook is configured.
    pub webhook: bool,
    /// Whatever else is configured.
    pub ways: Arc<[Way]>,
}

impl Channels {
    /// Whether anybody is told of such an effect. That a late promise was met after all alarms nobody; it ends an
    /// incident where incidents are kept.
    #[must_use]
    pub fn tell(&self, mark: Mark) -> bool {
        alerts::alarms(mark) || (mark == Mark::MetLate && self.ways.iter().any(Way::resolves))
    }
}

/// What the use cases of the desk share.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// Parsed packs.
    pub packs: Arc<PackCache>,
    /// Over which channels alerts go.
    pub channels: Channels,
    /// What links in alerts begin with; no slash at the end.
    pub link_base: String,
    /// The desk's own address; empty where it has none.
    pub noc_email: String,
    /// Addresses of those to whom matters go up.
    pub supervisors: Vec<String>,
    /// By the end of which day of a month the summary of the month before is approved.
    pub summary_day: u32,
}

impl Desk {
    /// Refolds the touched lines, each once and locked in order, and writes what follows.
    ///
    /// # Errors
    /// The database's.
    pub fn settle(
        &self,
        tx: &mut Tx<'_>,
        touched: &BTreeMap<String, Touched>,
        now: UnixMs,
    ) -> Result<Changes, DbError> {
        self.settle_with(tx, touched, Vec::new(), now)
    }

    /// The same, and tells the boards of agents too.
    ///
    /// # Errors
    /// The database's.
    pub fn settle_with(
        &self,
        tx: &mut Tx<'_>,
        touched: &BTreeMap<String, Touched>,
        agents: Vec<NewEvent>,
        now: UnixMs,
    ) -> Result<Changes, DbError> {
        let keys: Vec<_> = touched.keys().map(|line| faults::lock_key(line)).collect();
        tx.lock(&keys)?;
        let versions = if touched.is_empty() { Vec::new() } else { self.packs.versions(tx)? };
        let mut changes = Changes { agents, ..Changes::default() };
        refold(tx, &versions, touched, now, &mut changes)?;
        self.finish(tx, &changes, &versions, now)?;
        Ok(changes)
    }

    /// Writes the outbox and the events of a transaction: its last statements.
    fn finish(
        &self,
        tx: &mut Tx<'_>,
        changes: &Changes,
        versions: &[PackVersion],
        now: UnixMs,
    ) -> Result<(), DbError> {
        alerts::send(self, tx, changes, versions, now)?;
        changes.append_events(tx, now)?;
        if changes.is_empty() { Ok(()) } else { tx.notify("engine") }
    }
}

/// Why the desk refuses.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No such line.
    #[error("there is no line called \"{0}\"")]
    NoLine(String),
    /// No such customer.
    #[error("there is no customer called \"{0}\"")]
    NoCustomer(String),
    /// No such alert.
    #[error("there is no alert with the key \"{0}\"")]
    NoAlert(String),
    /// No such fault.
    #[error("there is no fault {0}")]
    NoFault(Uuid),
    /// No such complaint, request, defect, promise or round.
    #[error("there is no matter {0}")]
    NoMatter(Uuid),
    /// No such duty.
    #[error("there is no duty {0}")]
    NoDuty(Uuid),
    /// No such absence.
    #[error("there is no absence {0} that goes on")]
    NoAbsence(Uuid),
    /// No such agreement.
    #[error("there is no agreement {0} that goes on")]
    NoAgreement(Uuid),
    /// No such risk.
    #[error("there is no risk {0} that goes on")]
    NoRisk(Uuid),
    /// No such survey, or no such link to one.
    #[error("there is no such survey")]
    NoSurvey(Uuid),
    /// There is no such contractor.
    #[error("there is no contractor with the code \"{0}\"")]
    NoContractor(String),
    /// No such proposal.
    #[error("there is no proposal {0}")]
    NoProposal(Uuid),
    /// No such handover.
    #[error("there is no handover {0}")]
    NoHandover(Uuid),
    /// No such piece of equipment.
    #[error("there is no equipment {0}")]
    NoEquipment(Uuid),
    /// No such site.
    #[error("there is no site {0}")]
    NoSite(Uuid),
    /// No line hangs on such a node.
    #[error("no line hangs on a node called \"{0}\"")]
    NoUpstream(String),
    /// Nothing of that id does not fit.
    #[error("there is no conflict {0}")]
    NoConflict(Uuid),
    /// No such visit report.
    #[error("there is no visit report {0}")]
    NoVisit(Uuid),
    /// No such planned work.
    #[error("there is no planned work {0}")]
    NoWork(Uuid),
    /// A field is not acceptable.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// Why, and what would be right.
        reason: String,
    },
    /// The step does not fit the fault's life.
    #[error("{detail}")]
    Impossible {
        /// Why.
        detail: String,
        /// What would fit.
        possible: Vec<&'static str>,
    },
}
