//! Which of the due rows go out now, each by itself or as a digest, and which wait. Pure.
//!
//! A mail address gets [`PER_MINUTE`] messages within a minute without delay, another destination as many as its service
//! likes. What is above that waits
//! until the oldest of them is a minute old, and then goes out as one digest. A row that was tried
//! before stays the message that it was: it may have arrived under that Message-ID.

use std::collections::HashMap;

use linewatch_shared::time::MINUTE_MS;

use super::channel::per_minute;
pub use crate::store::outbox::{DIGEST_PREFIX, OutboxRow, Recent};

/// Messages to one address within a minute that are never delayed.
pub const PER_MINUTE: usize = 30;
/// The minute, in milliseconds.
pub const WINDOW_MS: i64 = MINUTE_MS;
/// Messages to one destination that are claimed at once.
pub const PER_CLAIM_MAX: usize = 32;
/// Alerts in one digest; more make a second one.
pub const DIGEST_ALERTS_MAX: usize = 200;

/// Rows that go out under one Message-ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// At least one.
    pub rows: Vec<OutboxRow>,
}

impl Message {
    /// The Message-ID.
    #[must_use]
    pub fn id(&self) -> &str {
        self.rows.first().map_or("", |row| &row.message_id)
    }
}

/// Messages for one destination, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// `email` or `webhook`.
    pub channel: String,
    /// The address, or the webhook's name.
    pub destination: String,
    /// At least one.
    pub messages: Vec<Message>,
}

/// Rows of one destination that are over its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// At least one, all of one destination.
    pub rows: Vec<OutboxRow>,
    /// When the next message may go.
    pub until_ms: i64,
}

/// What is to be done with the due rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be sent.
    pub batches: Vec<Batch>,
    /// To wait.
    pub holds: Vec<Hold>,
    /// True when due rows were left for want of room.
    pub more: bool,
}

/// Plans `rows`, which are in order, for at most `room` destinations. `recent` is by channel and destination.
#[must_use]
pub(super) fn plan(
    now_ms: i64,
    rows: Vec<OutboxRow>,
    recent: &HashMap<(String, String), Recent>,
    room: usize,
) -> Plan {
    let mut plan = Plan::default();
    for (channel, destination, messages) in by_destination(rows) {
        if plan.batches.len() >= room {
            plan.more = true;
            break;
        }
        let sent = recent.get(&(channel.clone(), destination.clone())).copied().unwrap_or_default();
        let slots = per_minute(&channel).map_or(usize::MAX, |most| most.saturating_sub(sent.count));
        let mut now_going = messages;
        let over = now_going.split_off(slots.min(now_going.len()));
        if now_going.len() > PER_CLAIM_MAX {
            now_going.truncate(PER_CLAIM_MAX);
            plan.more = true;
        }
        if !over.is_empty() {
            let from_ms = if sent.count == 0 { now_ms } else { sent.oldest_at_ms };
            let until_ms = (from_ms + WINDOW_MS).max(now_ms + 1);
            plan.holds.push(Hold { rows: over.into_iter().flat_map(|m| m.rows).collect(), until_ms });
        }
        if !now_going.is_empty() {
            plan.batches.push(Batch { channel, destination, messages: now_going });
        }
    }
    plan
}

/// Groups rows by destination and then by message, each in the order of its first row.
fn by_destination(rows: Vec<OutboxRow>) -> Vec<(String, String, Vec<Message>)> {
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let mut digests: HashMap<(usize, String), usize> = HashMap::new();
    let mut groups: Vec<(String, String, Vec<Message>)> = Vec::new();
    for row in rows {
        let place = *places.entry((row.channel.clone(), row.destination.clone())).or_insert_with(|| {
            groups.push((row.channel.clone(), row.destination.clone(), Vec::new()));
            groups.len() - 1
        });
        let messages = &mut groups[place].2;
        if row.is_digest() {
            let at = *digests.entry((place, row.message_id.clone())).or_insert(messages.len());
            if let Some(message) = messages.get_mut(at) {
                message.rows.push(row);
                continue;
            }
        }
        messages.push(Message { rows: vec![row] });
    }
    groups
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn row(n: i64, destination: &str) -> OutboxRow {
        OutboxRow {
            n,
            key: format!("k{n}"),
            subject: Uuid::nil(),
            channel: super::super::EMAIL.to_owned(),
            destination: destination.to_owned(),
            message_id: format!("<{n}@linewatch>"),
            alert: String::new(),
            attempts: 0,
            created_at_ms: NOW,
            alert_key: None,
            cause: String::new(),
        }
    }

    fn mail(address: &str) -> (String, String) {
        (super::super::EMAIL.to_owned(), address.to_owned())
    }

    fn digest(n: i64, destination: &str, id: &str) -> OutboxRow {
        OutboxRow { message_id: format!("{DIGEST_PREFIX}{id}@linewatch>"), ..row(n, destination) }
    }

    fn shape(plan: &Plan) -> Vec<(String, Vec<Vec<i64>>)> {
        let ns = |m: &Message| m.rows.iter().map(|r| r.n).collect();
        plan.batches.iter().map(|b| (b.destination.clone(), b.messages.iter().map(ns).collect())).collect()
    }

    #[test]
    fn thirty_go_at_once_and_the_rest_waits_a_minute() {
        let rows = (0..35).map(|n| row(n, "a")).collect();
        let plan = plan(NOW, rows, &HashMap::new(), 8);
        assert_eq!(shape(&plan)[0].1.len(), PER_MINUTE);
        assert_eq!(plan.holds.len(), 1);
        assert_eq!(plan.holds[0].rows.iter().map(|r| r.n).collect::<Vec<_>>(), [30, 31, 32, 33, 34]);
        assert_eq!(plan.holds[0].until_ms, NOW + WINDOW_MS);
    }

    #[test]
    fn what_went_out_within_the_minute_counts() {
        let recent = HashMap::from([(mail("a"), Recent { count: 29, oldest_at_ms: NOW - 10_000 })]);
        let plan = plan(NOW, vec![row(1, "a"), row(2, "b"), row(3, "a")], &recent, 8);
        assert_eq!(shape(&plan), [("a".into(), vec![vec![1]]), ("b".into(), vec![vec![2]])]);
        assert_eq!((plan.holds[0].rows[0].n, plan.holds[0].until_ms), (3, NOW + 50_000));
    }

    #[test]
    fn a_digest_is_one_message_and_takes_one_slot() {
        let recent = HashMap::from([(mail("a"), Recent { count: 28, oldest_at_ms: NOW - 1 })]);
        let mut rows: Vec<_> = (0..100).map(|n| digest(n, "a", "x")).collect();
        rows.insert(40, row(200, "a"));
        let plan = plan(NOW, rows, &recent, 8);
        assert_eq!(shape(&plan)[0].1, [(0..100).collect::<Vec<_>>(), vec![200]]);
        assert!(plan.holds.is_empty());
    }

    #[test]
    fn a_webhook_has_no_such_limit_and_no_digests() {
        let rows = (0..40).map(|n| OutboxRow { channel: super::super::WEBHOOK.into(), ..row(n, "w") });
        let plan = plan(NOW, rows.collect(), &HashMap::new(), 8);
        assert_eq!(shape(&plan)[0].1.len(), PER_CLAIM_MAX);
        assert!(plan.holds.is_empty() && plan.more);
    }

    #[test]
    fn a_robot_gets_no_more_than_its_service_likes() {
        let rows = (0..20).map(|n| OutboxRow { channel: "wecom_robot".into(), ..row(n, "duty") }).collect();
        let plan = plan(NOW, rows, &HashMap::from([(mail("duty"), Recent { count: 9, oldest_at_ms: 0 })]), 8);
        assert_eq!((shape(&plan)[0].1.len(), plan.holds[0].rows.len()), (18, 2));
    }

    #[test]
    fn no_more_destinations_than_there_is_room() {
        let plan = plan(NOW, vec![row(1, "a"), row(2, "b"), row(3, "c")], &HashMap::new(), 2);
        assert_eq!(shape(&plan).len(), 2);
        assert!(plan.more);
    }
}
