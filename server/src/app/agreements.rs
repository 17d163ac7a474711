//! Agreements of confidentiality: on record before anybody sees whom to call at a customer.

use linewatch_shared::time::{DAY_MS, UnixMs};
use serde_json::json;
use uuid::Uuid;

use crate::app::desk::DeskError;
use crate::app::{Action, audit};
use crate::db::Tx;
use crate::store::agreements::{self, Agreement};

/// The longest time for which one agreement holds (ms).
const HOLDS_MAX_MS: i64 = 10 * 366 * DAY_MS;
/// So long before its end an agreement is listed for renewal [default] (ms).
pub const EXPIRING_WITHIN_MS: i64 = 30 * DAY_MS;

/// Puts an agreement on record.
///
/// # Errors
/// When its time is not a time.
pub fn record(tx: &mut Tx<'_>, agreement: &Agreement, now: UnixMs) -> Result<(), DeskError> {
    let invalid = |field, reason: &str| Err(DeskError::Invalid { field, reason: reason.to_owned() });
    if agreement.signed_at > now {
        return invalid("signed_at", "lies ahead: an agreement is put on record once it is signed");
    }
    if agreement.until <= now {
        return invalid("until", "has passed already");
    }
    if agreement.until.since(agreement.signed_at) > HOLDS_MAX_MS {
        return invalid("until", "is more than ten years after the signature");
    }
    agreements::insert(tx, agreement, now)?;
    let Agreement { id, person, until, document, by, .. } = agreement;
    let detail = json!({ "person": person, "until": until.to_rfc3339(), "document": document });
    audit(tx, now.0, by, Action::AgreementRecorded, &id.to_string(), Some(&detail))?;
    Ok(())
}

/// Ends an agreement now, such as of somebody who leaves.
///
/// # Errors
/// When there is none that goes on.
pub fn end(tx: &mut Tx<'_>, id: Uuid, by: &str, now: UnixMs) -> Result<(), DeskError> {
    if !agreements::end(tx, id, now)? {
        return Err(DeskError::NoAgreement(id));
    }
    audit(tx, now.0, by, Action::AgreementEnded, &id.to_string(), None)?;
    Ok(())
}
