//! One round of the engine over matters: what is due is judged, told and saved.

use linewatch_shared::time::UnixMs;

use super::{finish, settle};
use crate::app::desk::Desk;
use crate::app::desk::engine::Round;
use crate::db::{DbError, Tx};
use crate::store::matters;

/// The most matters of one transaction.
pub const MATTERS_PER_ROUND_MAX: i64 = 200;

/// Judges what is due by now. Call it again at once while it answers that as many were due as fit.
///
/// # Errors
/// The database's.
pub fn round(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<Round, DbError> {
    let due = matters::due(tx, now, MATTERS_PER_ROUND_MAX)?;
    let keys: Vec<_> = due.iter().map(|(id, _)| matters::lock_key(*id)).collect();
    tx.lock(&keys)?;
    let mut changed = Vec::new();
    for (id, _) in &due {
        // Read again under the lock: another node may have been here before; then nothing is left to tell.
        if let Some(standing) = matters::one(tx, *id)? {
            changed.push(settle(tx, standing.matter, standing.ledger, now)?);
        }
    }
    finish(desk, tx, &changed, now)?;
    Ok(Round {
        due: due.len(),
        lag_ms: due.first().map_or(0, |(_, wake)| now.since(*wake)),
        next: matters::next_due(tx)?,
    })
}
