//! In which order, how late and how often the records of a year arrive.

use std::collections::BTreeMap;

use linewatch_shared::time::{DAY_MS, MINUTE_MS, UnixMs};

use super::life::Life;
use crate::harness::Seed;

/// Records that a day or a laptop's sync brings at once, at most.
const RECORDS_AT_ONCE: usize = 100;
/// Of a hundred records, how many come twice.
const TWICE_PERCENT: u64 = 2;

/// When a record is handed over, by which agent, and a number drawn for its place among those of that evening.
type Place = (UnixMs, usize, u64);

/// How a year's records arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Within minutes of what they tell of.
    Prompt,
    /// Devices are offline for days, some for three weeks.
    Late,
    /// All after the year is over, in no order at all.
    Shuffled,
}

/// Records of one agent that arrive at once.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The agent, by number.
    pub agent: usize,
    /// When they arrive.
    pub at: UnixMs,
    /// Their bytes.
    pub bodies: Vec<Vec<u8>>,
}

/// A year's arrivals, the earliest first. The same life, order and seed give the same arrivals.
#[must_use]
pub fn arrivals(life: &Life, order: Order, mut seed: Seed) -> Vec<Arrival> {
    let mut offline = BTreeMap::new();
    let mut placed: Vec<(Place, &[u8])> = Vec::new();
    for record in &life.records {
        let copies = if seed.below(100) < TWICE_PERCENT { 2 } else { 1 };
        for _ in 0..copies {
            let at = match order {
                Order::Prompt => record.at + seed.below(MINUTE_MS as u64) as i64,
                Order::Late => {
                    let week = record.at.since(life.begins) / (7 * DAY_MS);
                    let until = offline.entry((record.agent, week)).or_insert_with(|| delay_ms(&mut seed));
                    record.at + seed.below(60 * MINUTE_MS as u64) as i64 + *until
                }
                Order::Shuffled => life.ends + seed.below(DAY_MS as u64) as i64,
            };
            // What came in within a day is handed over at its end.
            let evening = at - at.since(life.begins).rem_euclid(DAY_MS) + DAY_MS;
            placed.push(((evening, record.agent, seed.draw()), &record.bytes));
        }
    }
    placed.sort_unstable();
    let mut arrivals: Vec<Arrival> = Vec::new();
    for ((at, agent, _), bytes) in placed {
        match arrivals.last_mut() {
            Some(last) if last.at == at && last.agent == agent && last.bodies.len() < RECORDS_AT_ONCE => {
                last.bodies.push(bytes.to_vec());
            }
            _ => arrivals.push(Arrival { agent, at, bodies: vec![bytes.to_vec()] }),
        }
    }
    if order == Order::Shuffled {
        shuffle(&mut arrivals, &mut seed);
    }
    arrivals
}

/// For how long a device is away in one week.
fn delay_ms(seed: &mut Seed) -> i64 {
    match seed.below(10) {
        0..=5 => 0,
        6..=8 => seed.below(3 * DAY_MS as u64) as i64,
        _ => seed.below(21 * DAY_MS as u64) as i64,
    }
}

/// Agents take turns at random; all of it happens within one evening.
fn shuffle(arrivals: &mut [Arrival], seed: &mut Seed) {
    let last = arrivals.iter().map(|arrival| arrival.at).max();
    for at in (1..arrivals.len()).rev() {
        arrivals.swap(at, seed.below(at as u64 + 1) as usize);
    }
    for arrival in arrivals {
        arrival.at = last.unwrap_or(arrival.at);
    }
}
