//! Which of the due rows go out now, each by itself or as a digest, and which wait. Pure.
//!
//! A mail address gets [`PER_MINUTE`] messages within a minute without delay, another destination as many as its service
//! likes. What is above that waits
//! until the oldest of them is a minute old, and then goes out as one digest. A row that was tried
//! before stays the message that it was: it may have arrived under that Message-ID.
//!
//! A storm is one message too: alerts about more than so many faults that have their cause in common, the upstream node or
//! the customer, and are due to one address together.

use std::collections::{HashMap, HashSet};

use linewatch_shared::time::MINUTE_MS;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::channel::per_minute;
pub use crate::store::outbox::{DIGEST_PREFIX, OutboxRow, Recent, STORM_PREFIX};

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
    storm_above: usize,
) -> Plan {
    let mut plan = Plan::default();
    for (channel, destination, messages) in by_destination(rows) {
        if plan.batches.len() >= room {
            plan.more = true;
            break;
        }
        let sent = recent.get(&(channel.clone(), destination.clone())).copied().unwrap_or_default();
        // Who has no limit takes each alert for itself.
        let messages = match per_minute(&channel) {
            Some(_) => gather_storms(messages, storm_above),
            None => messages,
        };
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

/// Makes one message of those that were never tried and have their cause in common, where they are about more faults than
/// `storm_above`; it stands where the first of them stood.
fn gather_storms(messages: Vec<Message>, storm_above: usize) -> Vec<Message> {
    let fresh = |message: &Message| match message.rows.as_slice() {
        [row] if row.attempts == 0 && !row.is_digest() && !row.cause.is_empty() => Some(row.cause.clone()),
        _ => None,
    };
    let mut faults: HashMap<String, HashSet<Uuid>> = HashMap::new();
    for message in &messages {
        if let Some(cause) = fresh(message) {
            faults.entry(cause).or_default().extend(message.rows.iter().map(|row| row.subject));
        }
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut gathered: Vec<Message> = Vec::new();
    for mut message in messages {
        let storm =
            fresh(&message).filter(|cause| faults.get(cause).is_some_and(|found| found.len() > storm_above));
        let Some(cause) = storm else {
            gathered.push(message);
            continue;
        };
        let open = places.get(&cause).and_then(|at| gathered.get_mut(*at));
        if let Some(open) = open.filter(|open| open.rows.len() < DIGEST_ALERTS_MAX) {
            message.rows.iter_mut().for_each(|row| open.id().clone_into(&mut row.message_id));
            open.rows.append(&mut message.rows);
            continue;
        }
        for row in &mut message.rows {
            row.message_id = digest_id(STORM_PREFIX, &row.key);
        }
        places.insert(cause, gathered.len());
        gathered.push(message);
    }
    gathered
}

/// The Message-ID of a digest that begins with the row of that key.
pub(super) fn digest_id(prefix: &str, key: &str) -> String {
    format!("{prefix}{}@linewatch>", hex::encode(&Sha256::digest(key)[..16]))
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
        let plan = plan(NOW, rows, &HashMap::new(), 8, 5);
        assert_eq!(shape(&plan)[0].1.len(), PER_MINUTE);
        assert_eq!(plan.holds.len(), 1);
        assert_eq!(plan.holds[0].rows.iter().map(|r| r.n).collect::<Vec<_>>(), [30, 31, 32, 33, 34]);
        assert_eq!(plan.holds[0].until_ms, NOW + WINDOW_MS);
    }

    #[test]
    fn what_went_out_within_the_minute_counts() {
        let recent = HashMap::from([(mail("a"), Recent { count: 29, oldest_at_ms: NOW - 10_000 })]);
        let plan = plan(NOW, vec![row(1, "a"), row(2, "b"), row(3, "a")], &recent, 8, 5);
        assert_eq!(shape(&plan), [("a".into(), vec![vec![1]]), ("b".into(), vec![vec![2]])]);
        assert_eq!((plan.holds[0].rows[0].n, plan.holds[0].until_ms), (3, NOW + 50_000));
    }

    #[test]
    fn a_digest_is_one_message_and_takes_one_slot() {
        let recent = HashMap::from([(mail("a"), Recent { count: 28, oldest_at_ms: NOW - 1 })]);
        let mut rows: Vec<_> = (0..100).map(|n| digest(n, "a", "x")).collect();
        rows.insert(40, row(200, "a"));
        let plan = plan(NOW, rows, &recent, 8, 5);
        assert_eq!(shape(&plan)[0].1, [(0..100).collect::<Vec<_>>(), vec![200]]);
        assert!(plan.holds.is_empty());
    }

    #[test]
    fn a_webhook_has_no_such_limit_and_no_digests() {
        let rows = (0..40).map(|n| OutboxRow { channel: super::super::WEBHOOK.into(), ..row(n, "w") });
        let plan = plan(NOW, rows.collect(), &HashMap::new(), 8, 5);
        assert_eq!(shape(&plan)[0].1.len(), PER_CLAIM_MAX);
        assert!(plan.holds.is_empty() && plan.more);
    }

    #[test]
    fn a_robot_gets_no_more_than_its_service_likes() {
        let rows = (0..20).map(|n| OutboxRow { channel: "wecom_robot".into(), ..row(n, "duty") }).collect();
        let plan =
            plan(NOW, rows, &HashMap::from([(mail("duty"), Recent { count: 9, oldest_at_ms: 0 })]), 8, 5);
        assert_eq!((shape(&plan)[0].1.len(), plan.holds[0].rows.len()), (18, 2));
    }

    /// An alert of a fault of its own.
    fn of(n: i64, destination: &str, cause: &str) -> OutboxRow {
        let subject = Uuid::from_u128(n.unsigned_abs().into());
        OutboxRow { subject, cause: cause.to_owned(), ..row(n, destination) }
    }

    #[test]
    fn what_has_its_cause_in_common_comes_as_one_message() {
        let mut rows: Vec<_> = (0..6).map(|n| of(n, "a", "upstream/olt-1")).collect();
        rows.insert(2, of(20, "a", "customer/bank"));
        rows.extend((30..35).map(|n| of(n, "a", "customer/mill")));
        rows.extend((40..46).map(|n| OutboxRow { subject: Uuid::nil(), ..of(n, "a", "customer/shop") }));
        rows.extend((50..56).map(|n| OutboxRow { attempts: 1, ..of(n, "a", "customer/port") }));
        rows.extend((60..66).map(|n| of(n, "b", "upstream/olt-1")));
        let plan = plan(NOW, rows, &HashMap::new(), 8, 5);
        let shape = shape(&plan);
        let alone = |from: i64, to: i64| (from..to).map(|n| vec![n]).collect::<Vec<_>>();
        let mut expected = vec![(0..6).collect::<Vec<_>>(), vec![20]];
        // Five faults are no storm, nor six alerts of one fault, nor what was tried before.
        expected.extend([alone(30, 35), alone(40, 46), alone(50, 56)].concat());
        assert_eq!(shape[0], ("a".into(), expected));
        assert_eq!(shape[1], ("b".into(), vec![(60..66).collect::<Vec<_>>()]));
        let storm = &plan.batches[0].messages[0];
        assert!(
            storm.rows.iter().all(|row| row.message_id == storm.id()) && storm.id().starts_with(STORM_PREFIX)
        );
        assert_ne!(storm.id(), plan.batches[1].messages[0].id());
    }

    #[test]
    fn a_storm_has_a_bound_and_a_service_that_keeps_incidents_none() {
        let rows = (0..450).map(|n| of(n, "a", "upstream/olt-1")).collect();
        let of_mail = plan(NOW, rows, &HashMap::new(), 8, 5);
        let sizes: Vec<usize> =
            of_mail.batches[0].messages.iter().map(|message| message.rows.len()).collect();
        assert_eq!(sizes, [DIGEST_ALERTS_MAX, DIGEST_ALERTS_MAX, 50]);
        let incidents =
            (0..8).map(|n| OutboxRow { channel: "pagerduty".into(), ..of(n, "p", "upstream/olt-1") });
        assert_eq!(plan(NOW, incidents.collect(), &HashMap::new(), 8, 5).batches[0].messages.len(), 8);
    }

    #[test]
    fn no_more_destinations_than_there_is_room() {
        let plan = plan(NOW, vec![row(1, "a"), row(2, "b"), row(3, "c")], &HashMap::new(), 2, 5);
        assert_eq!(shape(&plan).len(), 2);
        assert!(plan.more);
    }
}
