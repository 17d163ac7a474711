//! Whether an agent is the only one of its kind.
//!
//! With a hello an agent gets the next *generation* of a secret, and shows with each request the newest that it has
//! stored. The server remembers the newest that was shown. A disk that was copied, or put back as it was, shows an older
//! one, sooner or later: then there are two, nobody but a person can say which is the right one, and what either sends is
//! kept aside until somebody has.
//!
//! What is handed out counts only once it is shown. An answer that is lost, or a device that dies before it has stored it,
//! leaves both sides where they were.

use std::cmp::Ordering;

use linewatch_shared::time::{SECOND_MS, UnixMs};
use linewatch_shared::wire::Generation;
use serde_json::json;
use uuid::Uuid;

use super::seal::AgentKey;
use crate::app::{Action, audit};
use crate::db::{DbError, Tx};
use crate::store::agents::{self, Turn};
use crate::store::outgoing::{EventKind, NewEvent, append_events};
use crate::store::reference;

/// So long after a generation was first shown a request with the one before it may still be under way: from another process
/// of the same device, or one that the device has given up (ms).
const UNDER_WAY_MS: i64 = 30 * SECOND_MS;
/// What generations are sealed as.
const GENERATION: &[u8] = b"generation";

/// What a request shows of its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The newest; or there is none yet.
    Newest,
    /// One that was handed out and is shown for the first time.
    Next(i64),
    /// The one before, a moment after.
    UnderWay,
    /// An older one, or none: a copy.
    Copied,
}

pub(super) fn judge(turn: &Turn, shown: Option<i64>, now: UnixMs) -> Verdict {
    // After enrolment, or a person's release, whoever comes first goes on.
    let shown = shown.unwrap_or(0);
    match shown.cmp(&turn.generation) {
        Ordering::Equal => Verdict::Newest,
        // Beyond what is known: handed out, or the server's database was put back, and nobody else has its key.
        Ordering::Greater => Verdict::Next(shown),
        Ordering::Less if shown == turn.generation - 1 && is_fresh(turn, now) => Verdict::UnderWay,
        Ordering::Less => Verdict::Copied,
    }
}

/// Whether requests with the generation before may still be under way.
fn is_fresh(turn: &Turn, now: UnixMs) -> bool {
    turn.at.is_some_and(|at| now.since(at) < UNDER_WAY_MS)
}

/// The generation after which the next one is handed out. None while requests with the one before may still be under way:
/// with one more of them they would look like a copy's.
pub(super) fn settled(turn: &Turn, now: UnixMs) -> Option<i64> {
    (!is_fresh(turn, now)).then_some(turn.generation)
}

/// The generation as the agent keeps it.
#[must_use]
pub fn seal(key: &AgentKey, agent: Uuid, generation: i64) -> Generation {
    Generation(key.seal(GENERATION, agent, &generation.to_be_bytes()))
}

/// Which one it is; none of one that is not ours, or another agent's.
pub(super) fn open(key: &AgentKey, agent: Uuid, sealed: &[u8]) -> Option<i64> {
    let body = key.open(GENERATION, agent, sealed)?;
    Some(i64::from_be_bytes(body.try_into().ok()?))
}

/// Judges what a request shows, and notes what follows. Answers the generation after which the next one is handed out; none
/// once the agent's records are kept aside, for a request that was under way, and while others may be.
pub(super) fn take(
    tx: &mut Tx<'_>,
    agent: Uuid,
    name: &str,
    shown: Option<i64>,
    now: UnixMs,
) -> Result<Option<i64>, DbError> {
    let turn = agents::turn(tx, agent)?;
    if turn.quarantined {
        return Ok(None);
    }
    match judge(&turn, shown, now) {
        Verdict::Newest => Ok(settled(&turn, now)),
        Verdict::UnderWay => Ok(None),
        Verdict::Next(next) => {
            agents::save_generation(tx, agent, next, now)?;
            Ok(None)
        }
        Verdict::Copied => {
            agents::quarantine(tx, agent, now)?;
            let detail = json!({ "shown": shown, "newest": turn.generation });
            audit(tx, now.0, &format!("agent {name}"), Action::AgentQuarantined, name, Some(&detail))?;
            tracing::error!(
                %agent,
                "there are two of this agent; what they send is kept aside: see `agent release`"
            );
            metrics::counter!("linewatch_agents_quarantined_total").increment(1);
            reference::changed(tx, &[(reference::Kind::Agent, name.to_owned())])?;
            let body = json!({ "name": name, "state": "quarantined" }).to_string();
            append_events(tx, &[NewEvent { kind: EventKind::Agent, subject: None, body }], now)?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_honest_agent_is_never_taken_for_a_copy_whatever_answer_is_lost() {
        let at = UnixMs(1_000_000);
        let turn = |generation| Turn { generation, at: Some(at), quarantined: false };
        let late = at + UNDER_WAY_MS;
        let cases = [
            ("just enrolled, or an older program", 0, None, at, Verdict::Newest),
            ("its first", 0, Some(1), at, Verdict::Next(1)),
            ("the answer with the next was lost, again and again", 7, Some(7), late, Verdict::Newest),
            ("it stored the next and died before it said so", 7, Some(8), late, Verdict::Next(8)),
            ("the server's database was put back", 3, Some(9), late, Verdict::Next(9)),
            ("another process of it has just gone on", 7, Some(6), late - 1, Verdict::UnderWay),
            ("sent before it had its first", 1, None, late - 1, Verdict::UnderWay),
            ("a copy from before", 7, Some(6), late, Verdict::Copied),
            ("a copy from long before", 7, Some(2), at, Verdict::Copied),
            ("a copy that hides it", 7, None, at, Verdict::Copied),
            ("after a release the first to come goes on", 0, Some(4), late, Verdict::Next(4)),
        ];
        for (what, generation, shown, now, wanted) in cases {
            assert_eq!(judge(&turn(generation), shown, now), wanted, "{what}");
        }
    }

    #[test]
    fn the_next_is_not_handed_out_while_the_one_before_may_be_under_way() {
        let at = UnixMs(1_000_000);
        let turn = |at| Turn { generation: 7, at, quarantined: false };
        assert_eq!(settled(&turn(Some(at)), at + (UNDER_WAY_MS - 1)), None);
        assert_eq!(settled(&turn(Some(at)), at + UNDER_WAY_MS), Some(7));
        assert_eq!(settled(&turn(None), at), Some(7));
    }

    #[test]
    fn a_generation_is_one_agents_alone() {
        let key = AgentKey::new([1; 32]);
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let Generation(sealed) = seal(&key, one, 5);
        assert_eq!(open(&key, one, &sealed), Some(5));
        assert_eq!(open(&key, two, &sealed), None);
        assert_eq!(open(&AgentKey::new([2; 32]), one, &sealed), None);
        assert_eq!(open(&key, one, &key.seal(b"challenge", one, &5_i64.to_be_bytes())), None);
        assert_eq!(open(&key, one, &[]), None);
    }
}
