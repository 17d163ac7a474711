//! Contacts of agents since they were last written: one a second for all instead of a write for each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::store::agents::Seen;

/// The most agents whose contact waits to be written; beyond it a contact is left to the next one.
const AGENTS_MAX: usize = 100_000;

/// Contacts that wait to be written.
#[derive(Debug, Default)]
pub struct Contacts {
    waiting: Mutex<HashMap<Uuid, Seen>>,
}

impl Contacts {
    /// Notes a contact.
    pub fn note(&self, seen: Seen) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = waiting.len() >= AGENTS_MAX;
        if is_full && !waiting.contains_key(&seen.agent) {
            return;
        }
        let earlier = waiting.remove(&seen.agent).and_then(|earlier| earlier.version);
        let Seen { agent, at, clock_offset_ms, version, heads } = seen;
        waiting.insert(agent, Seen { agent, at, clock_offset_ms, version: version.or(earlier), heads });
    }

    /// Takes all that wait, ordered by agent, so that two nodes never wait for each other crosswise.
    pub fn take(&self) -> Vec<Seen> {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut seen: Vec<Seen> = waiting.into_values().collect();
        seen.sort_by_key(|seen| seen.agent);
        seen
    }
}
