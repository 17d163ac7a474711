//! What one shift hands to the next: filled in by the system, worded by who leaves, signed by the relief, reviewed.

use chrono_tz::Tz;
use linewatch_shared::time::{HOUR_MS, UnixMs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::daily_list::{ListItem, everything_open, item};
use crate::app::desk::DeskError;
use crate::app::{Action, audit};
use crate::db::{DbError, Tx};
use crate::store::shift::{self, Handover, OpenItem};

/// What falls due within so long is handed over by name.
const SOON_MS: i64 = 12 * HOUR_MS;

/// What the system fills in when a shift leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HandoverState {
    /// Everything open, counted.
    pub open: usize,
    /// What is overdue, or falls due within twelve hours.
    pub items: Vec<ListItem>,
}

/// The leaving shift writes its handover.
///
/// # Errors
/// When one waits for its relief already.
pub fn leave(
    tx: &mut Tx<'_>,
    id: Uuid,
    (by, words): (&str, &str),
    zone: Tz,
    now: UnixMs,
) -> Result<Handover, DeskError> {
    if let Some(waiting) = shift::waiting(tx)? {
        let detail = format!(
            "the handover of {} at {} waits for its relief to sign",
            waiting.left_by,
            waiting.left_at.to_rfc3339()
        );
        return Err(DeskError::Impossible { detail, possible: vec!["sign"] });
    }
    let (open, _) = everything_open(tx, zone, now)?;
    let soon = |item: &OpenItem| item.overdue > 0 || item.due_at.is_some_and(|due| due.since(now) <= SOON_MS);
    let mut state = HandoverState { open: open.len(), items: Vec::new() };
    state.items = open.into_iter().filter(soon).map(|open| item(open, now)).collect();
    state.items.sort_by_key(|item| (item.overdue == 0, item.due_at.clone(), item.id));
    let state = serde_json::to_string(&state).map_err(|error| DbError::Data(error.to_string()))?;
    let handover = Handover {
        id,
        left_by: by.to_owned(),
        left_at: now,
        words: words.to_owned(),
        state,
        taken: None,
        reviewed: None,
    };
    shift::insert_handover(tx, &handover)?;
    audit(tx, now.0, by, Action::HandoverWritten, &id.to_string(), None)?;
    Ok(handover)
}

/// The relief signs: from now on it is its shift. Nobody relieves oneself.
///
/// # Errors
/// When there is none, it was signed already, or the signer is who leaves.
pub fn sign(tx: &mut Tx<'_>, id: Uuid, by: &str, now: UnixMs) -> Result<Handover, DeskError> {
    let handover = shift::handover_of(tx, id)?.ok_or(DeskError::NoHandover(id))?;
    if let Some((who, at)) = &handover.taken {
        let detail = format!("{who} signed it at {}", at.to_rfc3339());
        return Err(DeskError::Impossible { detail, possible: vec!["review"] });
    }
    if handover.left_by == by {
        let detail = "nobody relieves oneself: the relief signs".to_owned();
        return Err(DeskError::Impossible { detail, possible: Vec::new() });
    }
    shift::take(tx, id, by, now)?;
    audit(tx, now.0, by, Action::HandoverSigned, &id.to_string(), None)?;
    shift::handover_of(tx, id)?.ok_or(DeskError::NoHandover(id))
}

/// The log is reviewed, weekly.
///
/// # Errors
/// When there is none, or it was not signed yet.
pub fn review(tx: &mut Tx<'_>, id: Uuid, by: &str, now: UnixMs) -> Result<Handover, DeskError> {
    let handover = shift::handover_of(tx, id)?.ok_or(DeskError::NoHandover(id))?;
    if handover.taken.is_none() {
        let detail = "the relief has not signed it yet".to_owned();
        return Err(DeskError::Impossible { detail, possible: vec!["sign"] });
    }
    shift::review(tx, id, by, now)?;
    audit(tx, now.0, by, Action::HandoverReviewed, &id.to_string(), None)?;
    shift::handover_of(tx, id)?.ok_or(DeskError::NoHandover(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::desk::tests::{Fixture, TEN};
    use crate::db::Priority;
    use crate::db::testing::both;

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_shift_leaves_when_its_relief_has_signed() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            f.report("L1", TEN, TEN).await.unwrap();
            let id = Uuid::now_v7();
            let write = |work: fn(&mut Tx<'_>, Uuid) -> Result<Handover, DeskError>| {
                f.db.write(Priority::Api, move |tx| work(tx, id))
            };
            let left = write(|tx, id| leave(tx, id, ("noc-1", "watch L1"), ZONE, TEN)).await.unwrap();
            let state: HandoverState = serde_json::from_str(&left.state).unwrap();
            assert_eq!((state.open, state.items.len()), (1, 1));
            assert!(write(|tx, id| review(tx, id, "head-1", TEN)).await.is_err(), "not signed yet");
            assert!(write(|tx, id| sign(tx, id, "noc-1", TEN)).await.is_err(), "nobody relieves oneself");
            assert!(
                write(|tx, _| leave(tx, Uuid::now_v7(), ("noc-2", ""), ZONE, TEN)).await.is_err(),
                "one waits already"
            );
            let signed = write(|tx, id| sign(tx, id, "noc-2", TEN + 1)).await.unwrap();
            assert_eq!(signed.taken, Some(("noc-2".to_owned(), TEN + 1)));
            assert!(write(|tx, id| sign(tx, id, "noc-3", TEN + 2)).await.is_err(), "signed once");
            write(|tx, id| review(tx, id, "head-1", TEN + 3)).await.unwrap();
            write(|tx, _| leave(tx, Uuid::now_v7(), ("noc-2", ""), ZONE, TEN + 4)).await.unwrap();
        })
        .await;
    }
}
