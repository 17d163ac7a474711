//! What was promised and what was told: every promise judged, every alert sent, under one `Message-ID` each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::harness::eventually;

use super::world::World;

/// A killed node's lease runs out first, then retries.
const SETTLED_WITHIN: Duration = Duration::from_mins(3);
/// Destinations that a node may be sending to when it is killed.
const SENDING_MAX: u64 = 16;

/// Waits until everything is judged and told, and checks it. Says how many faults, alerts and messages there are, and how
/// many mails came a second time.
///
/// # Errors
/// When a promise is not judged, an alert not told, or told under another id.
pub(super) fn check(world: &World, kills: u64) -> Result<(i64, usize, usize, usize)> {
    let store = &world.store;
    let count = |what: &str| store.number(&format!("SELECT COUNT(*) FROM {what}"));
    eventually(SETTLED_WITHIN, "every promise is judged and every alert told", || {
        let running = count("deadline WHERE kind = 'restoration' AND state <> 'missed'")?;
        let pending = count("outbox WHERE state = 'pending'")?;
        Ok((running == 0 && pending == 0).then_some(()))
    })?;
    let faults = count("fault")?;
    let judged = count("deadline WHERE kind = 'restoration' AND state = 'missed'")?;
    ensure!(judged == faults, "{faults} faults and {judged} promises to restore");
    ensure!(count("outbox WHERE state = 'dead'")? == 0, "alerts were given up");
    let alerts = usize::try_from(count("outbox WHERE state = 'done'")?)?;
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for mail in world.mail.received() {
        let id = mail.header("Message-ID");
        for key in mail.header("X-Linewatch-Key").split(", ") {
            told.entry(key.to_owned()).or_default().insert(id.clone());
        }
        *copies.entry(id).or_default() += 1;
    }
    ensure!(told.len() == alerts, "{alerts} alerts were noted as told, {} arrived", told.len());
    let twice = told.iter().find(|(_, ids)| ids.len() > 1);
    ensure!(twice.is_none(), "told under several ids: {twice:?}");
    let mut missed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for key in told.keys() {
        let parts: Vec<_> = key.split('/').collect();
        if let [fault, "restoration", _, "missed", ..] = parts[..] {
            missed.entry(fault).or_default().push(key);
        }
    }
    let again: Vec<_> = missed.values().filter(|keys| keys.len() > 1).collect();
    ensure!(
        again.is_empty() && i64::try_from(missed.len())? == faults,
        "{faults} promises were missed, {} of them told; told more than once: {again:?}",
        missed.len()
    );
    let second_copies: usize = copies.values().map(|count| count - 1).sum();
    ensure!(
        second_copies as u64 <= kills * SENDING_MAX,
        "{second_copies} mails came again after {kills} kills"
    );
    Ok((faults, alerts, copies.len(), second_copies))
}
