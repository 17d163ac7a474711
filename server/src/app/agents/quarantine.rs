//! What becomes of an agent of which there were two, once a person has looked: its records are taken in, or left aside for
//! good, and the next of the two to come goes on alone.

use linewatch_shared::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::{Action, AppError, audit};
use crate::db::{Db, Priority};
use crate::store::{agents, records, reference};

/// What becomes of the records that were kept aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// They count, as if they had come now.
    Take,
    /// They stay aside for good, and count for nothing.
    Discard,
}

/// Ends an agent's quarantine; answers how many records had been kept aside. The engine takes them in.
///
/// # Errors
/// When there is no such agent, or nothing of it is kept aside.
pub async fn release(db: &Db, name: &str, kept: Kept, by: &str, now: UnixMs) -> Result<u64, AppError> {
    let (name, by) = (name.to_owned(), by.to_owned());
    db.write(Priority::Api, move |tx| {
        let unknown = || AppError::Unknown { kind: "agent", name: name.clone() };
        let agent = agents::id_of(tx, &name)?.ok_or_else(unknown)?;
        let records = match kept {
            Kept::Take => records::release_quarantined(tx, agent, now)?,
            Kept::Discard => records::discard_quarantined(tx, agent, &by)?,
        };
        if !agents::release(tx, agent)? && records == 0 {
            return Err(AppError::Refused(format!("agent {name} is not quarantined")));
        }
        let detail = json!({ "records": records, "kept": kept });
        audit(tx, now.0, &by, Action::AgentReleased, &name, Some(&detail))?;
        if kept == Kept::Discard {
            audit(tx, now.0, &by, Action::AgentRecordsDiscarded, &name, Some(&detail))?;
        }
        reference::changed(tx, &[(reference::Kind::Agent, name.clone())])?;
        Ok(records)
    })
    .await
}
