//! One round of the ladders: alerts that nobody has taken go to the next ones. Takes no input, can be repeated, and costs
//! what is due, not what is told.

use linewatch_shared::rules::Occasion;
use linewatch_shared::sla::Status;
use linewatch_shared::time::UnixMs;

use super::morning;
use super::standing::{Now, Subject, kind_of};
use super::tell::Teller;
use crate::app::desk::Desk;
use crate::db::{DbError, Tx};
use crate::store::alerts::{self, StoredAlert};

/// The most ladders, and the most mails kept back, of one transaction.
pub const CLIMB_MAX: i64 = 100;

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Climbed {
    /// Ladders and mails that were due.
    pub due: usize,
    /// The next moment at which something is due.
    pub next: Option<UnixMs>,
}

/// Climbs what is due by now, and lets go what waited for the end of quiet hours. Call it again at once while it answers
/// that something was due.
///
/// # Errors
/// The database's.
pub fn round(desk: &Desk, tx: &mut Tx<'_>, now: UnixMs) -> Result<Climbed, DbError> {
    if alerts::next_due(tx)?.is_none_or(|next| next > now) {
        return Ok(Climbed { due: 0, next: alerts::next_due(tx)? });
    }
    tx.lock(&[alerts::lock_key()])?;
    let mut teller = Teller::new(desk, now);
    let due = alerts::due(tx, now, CLIMB_MAX)?;
    for alert in &due {
        climb(desk, tx, &mut teller, alert, now)?;
    }
    let released = morning::release(desk, tx, &mut teller, now)?;
    teller.finish(tx)?;
    Ok(Climbed { due: due.len() + released, next: alerts::next_due(tx)? })
}

fn climb(
    desk: &Desk,
    tx: &mut Tx<'_>,
    teller: &mut Teller<'_>,
    alert: &StoredAlert,
    now: UnixMs,
) -> Result<(), DbError> {
    let (Some(subject), Some(rung)) =
        (Subject::read(tx, alert.subject, alert.of_matter)?, alert.ladder.get(alert.rung))
    else {
        return alerts::end(tx, &alert.key, "gone");
    };
    let status = subject.status(tx, alert, now)?;
    if let Some(why) = settled(alert, status) {
        return alerts::end(tx, &alert.key, why);
    }
    if let Some((by, at)) = subject.handled(tx, alert.began_at)? {
        alerts::take(tx, &alert.key, &by, "desk", at)?;
        return Ok(());
    }
    let number = alert.rung + 1;
    let scene = Now::of(desk, tx, alert, subject)?;
    let promise = (occasion(&alert.mark), kind_of(&alert.kind), alert.period.clone());
    teller.climb(tx, &scene.about(now), &promise, (number, rung), &scene.alert)?;
    metrics::counter!("linewatch_alerts_climbed_total").increment(1);
    let next = alert.ladder.get(number).map(|rung| alert.began_at + rung.after_ms);
    alerts::climbed(tx, &alert.key, number, next)
}

/// Why there is nothing to take any more.
pub(super) fn settled(alert: &StoredAlert, status: Option<Status>) -> Option<&'static str> {
    match status {
        None | Some(Status::Met { .. } | Status::Cancelled | Status::Missed { met_at: Some(_) }) => {
            Some("settled")
        }
        // It is not missed after all.
        Some(Status::Running | Status::Paused) if alert.mark == "missed" => Some("corrected"),
        // The miss has a ladder of its own.
        Some(Status::Missed { met_at: None }) if alert.mark.starts_with("warn_") => Some("overtaken"),
        Some(Status::Running | Status::Paused | Status::Missed { met_at: None }) => None,
    }
}

/// What a stored mark is.
pub(super) fn occasion(mark: &str) -> Occasion {
    match mark {
        "missed" => Occasion::Missed,
        "met_late" => Occasion::MetLate,
        "corrected" => Occasion::Corrected,
        _ => Occasion::Warning,
    }
}
