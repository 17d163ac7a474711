//! What people and the notifier do at the server.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use linewatch_server::notify::outbox::{self, Ending, Finished};
use linewatch_shared::time::Clock;
use serde_json::{Value, json};

use super::counts::Counts;
use super::nodes::{Answered, Node};
use super::template::{LAPTOPS, LINES, line};
use crate::harness::Seed;

/// Destinations of one claim.
const ROOM: usize = 16;
/// Faults in one message above which it is a storm.
const STORM_ABOVE: usize = 20;

/// What left the desk, and what it was told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// How often each message arrived somewhere, by Message-ID.
    pub arrived: BTreeMap<String, u64>,
    /// How often a node died between handing a message over and writing that down.
    pub ends_lost: BTreeMap<String, u64>,
    /// Reports and steps that the desk's API has taken in.
    pub accepted: i64,
}

impl Told {
    /// Sends what is due from one node; each message has a fate of its own.
    pub async fn notify(
        &mut self,
        node: &Node,
        seed: &mut Seed,
        counts: &mut Counts,
        faults: bool,
    ) -> Result<usize> {
        let now = node.app.clock.now();
        let claimed = outbox::claim(&node.app.db, now, ROOM, STORM_ABOVE).await?;
        let mut finished = Vec::new();
        let mut tried = 0;
        for message in claimed.batches.iter().flat_map(|batch| &batch.messages) {
            tried += 1;
            let rows = message.rows.iter().map(|row| (row.n, row.attempts)).collect();
            let ending = match if faults { seed.below(8) } else { 7 } {
                0 => {
                    counts.add("alerts that failed at first");
                    Ending::Retry { next_at_ms: now.0 + 30_000, error: "451 try later".to_owned() }
                }
                1 => {
                    counts.add("alerts sent whose end was lost");
                    *self.arrived.entry(message.id().to_owned()).or_default() += 1;
                    *self.ends_lost.entry(message.id().to_owned()).or_default() += 1;
                    continue;
                }
                2 => Ending::Released { next_at_ms: None },
                _ => {
                    counts.add("alerts sent");
                    *self.arrived.entry(message.id().to_owned()).or_default() += 1;
                    Ending::Sent
                }
            };
            finished.push(Finished { rows, ending, pause: None });
        }
        outbox::finish(&node.app.db, now, finished).await?;
        Ok(tried)
    }

    /// A person types something in. Where the answer does not come, the same is sent again, to any node.
    pub async fn type_in(
        &mut self,
        nodes: &[Node],
        (path, body): (&str, Value),
        token: &str,
        (seed, counts): (&mut Seed, &mut Counts),
    ) -> Result<Option<Value>> {
        let key = format!("{:016x}", seed.draw());
        let pick = |seed: &mut Seed| &nodes[seed.below(nodes.len() as u64) as usize];
        let mut answered = pick(seed).post(path, token, &key, &body).await?;
        if seed.below(4) == 0 {
            counts.add("reports repeated after a lost answer");
            let first = text(&answered);
            answered = pick(seed).post(path, token, &key, &body).await?;
            ensure!(
                first == text(&answered),
                "the same report was answered otherwise: {first}, then {}",
                text(&answered)
            );
        }
        let status = answered.status.as_u16();
        ensure!(
            matches!(status, 200 | 201 | 404 | 409 | 422),
            "POST {path} {body}: {status} {}",
            String::from_utf8_lossy(&answered.body)
        );
        if !answered.status.is_success() {
            return Ok(None);
        }
        self.accepted += 1;
        Ok(Some(serde_json::from_slice(&answered.body)?))
    }
}

fn text(answered: &Answered) -> String {
    // What is left in milliseconds is counted anew.
    let body: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
    format!("{} {} {} {}", answered.status, body["id"], body["code"], body["detail"])
}

/// A customer calls.
pub fn report(seed: &mut Seed, clock: &dyn Clock) -> (&'static str, Value) {
    let line = line(seed.below(LAPTOPS as u64) as usize, seed.below(LINES as u64) as usize);
    let at = clock.now() + -60_000 * seed.below(60) as i64;
    let body = json!({
        "line": line, "reported_at": at.to_rfc3339(), "channel": "hotline",
        "reporter": "sample caller", "description": "nothing goes through",
    });
    ("/faults", body)
}

/// A step of a fault.
pub fn step(seed: &mut Seed) -> Value {
    match seed.below(7) {
        0 => json!({"kind": "acknowledged"}),
        1 => json!({"kind": "dispatched"}),
        2 => json!({"kind": "restored"}),
        3 => json!({"kind": "repaired"}),
        4 => json!({"kind": "feedback", "reached": true}),
        5 => json!({"kind": "callback", "reached": true, "result": "satisfied"}),
        _ => json!({"kind": "note", "text": "sample note"}),
    }
}
