//! The bounded pool for probes that are conversations: TCP connect, HTTP(S), DNS.
//!
//! A target has at most one probe under way; a turn that falls into it is passed over. A turn that finds the
//! whole pool busy is told as not sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linewatch_shared::probe_url::ProbeSpec;
use linewatch_shared::sample::{LossCause, NotSentCause, Outcome, Sample};
use linewatch_shared::time::{MonoMs, UnixMs};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::schedule::Turns;
use super::sink::Batch;
use super::stats::Counts;
use super::wheel::{TICK_MS, Wheel, tick_of};
use crate::clock::NanoClock;

mod dns;
mod http;
mod tcp;
#[cfg(test)]
mod tests;

/// Most conversations at once.
pub const MAX_IN_FLIGHT: usize = 64;
/// Longest sleep when there is nothing to do.
const MAX_SLEEP_MS: i64 = 60_000;
/// A probe ends this long before its target's next turn, when its timeout would end at that turn.
const BREATH_MS: i64 = 20;
const NS_PER_MS: i64 = 1_000_000;

/// What the pool is told about a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolTarget {
    pub id: u32,
    pub spec: ProbeSpec,
    pub interval_ms: u32,
    pub timeout_ms: u32,
    pub phase_key: u64,
}

#[derive(Default)]
struct Orders {
    targets: Option<Vec<PoolTarget>>,
    intervals: HashMap<u32, u32>,
}

/// Orders for the pool; later ones take the place of earlier ones.
#[derive(Default)]
pub struct PoolMailbox {
    orders: Mutex<Orders>,
    counts: Mutex<Counts>,
    ring: Notify,
}

impl PoolMailbox {
    pub fn set_targets(&self, targets: Vec<PoolTarget>) {
        *lock(&self.orders) = Orders { targets: Some(targets), ..Orders::default() };
        self.ring.notify_one();
    }

    pub fn set_interval(&self, id: u32, interval_ms: u32) {
        let mut orders = lock(&self.orders);
        if orders.intervals.len() < super::MAX_TARGETS || orders.intervals.contains_key(&id) {
            orders.intervals.insert(id, interval_ms);
        }
        drop(orders);
        self.ring.notify_one();
    }

    pub fn counts(&self) -> Counts {
        *lock(&self.counts)
    }
}

struct Place {
    target: Arc<PoolTarget>,
    turns: Turns,
    due_ms: i64,
    busy: bool,
}

/// What a conversation needs besides its target.
#[derive(Clone)]
struct Tools {
    clock: Arc<dyn NanoClock>,
    http: Arc<http::Client>,
}

struct Done {
    place: u32,
    target: u32,
    sample: Sample,
}

/// The pool; [`run`](Self::run) is its life.
pub struct Pool {
    tools: Tools,
    mailbox: Arc<PoolMailbox>,
    sink: mpsc::Sender<Batch>,
    places: Vec<Option<Place>>,
    wheel: Wheel,
    running: JoinSet<Done>,
    ready: Vec<Sample>,
    counts: Counts,
}

impl Pool {
    pub fn new(clock: Arc<dyn NanoClock>, mailbox: Arc<PoolMailbox>, sink: mpsc::Sender<Batch>) -> Self {
        let wheel = Wheel::new(clock.mono().0 / TICK_MS);
        Self {
            tools: Tools { clock, http: Arc::default() },
            mailbox,
            sink,
            places: Vec::new(),
            wheel,
            running: JoinSet::new(),
            ready: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Probes until the receiver of samples is gone or the task is aborted.
    pub async fn run(mut self) {
        let mailbox = Arc::clone(&self.mailbox);
        loop {
            let now_ms = self.tools.clock.mono().0;
            let next_ms = self.wheel.next_tick().map_or(i64::MAX, |tick| tick * TICK_MS);
            let nap_ms = next_ms.min(now_ms + MAX_SLEEP_MS) - now_ms;
            tokio::select! {
                () = sleep(Duration::from_millis(nap_ms.max(0).unsigned_abs())) => {}
                () = mailbox.ring.notified() => self.take_orders(),
                Some(done) = self.running.join_next() => {
                    if let Ok(done) = done {
                        self.finish(&done);
                    }
                }
            }
            self.start_due();
            *lock(&self.mailbox.counts) = self.counts;
            if !self.ready.is_empty() {
                let batch = Batch { samples: std::mem::take(&mut self.ready), late: Vec::new() };
                if self.sink.send(batch).await.is_err() {
                    return;
                }
            }
        }
    }

    fn take_orders(&mut self) {
        let Orders { targets, intervals } = std::mem::take(&mut *lock(&self.mailbox.orders));
        let now_ms = self.tools.clock.mono().0;
        if let Some(targets) = targets {
            self.set_targets(targets, now_ms);
        }
        for (id, interval_ms) in intervals {
            let place = self.places.iter_mut().position(|p| p.as_ref().is_some_and(|p| p.target.id == id));
            if let Some(index) = place {
                self.set_interval(index, interval_ms, now_ms);
            }
        }
    }

    fn set_targets(&mut self, targets: Vec<PoolTarget>, now_ms: i64) {
        let mut wanted: HashMap<u32, PoolTarget> = targets.into_iter().map(|t| (t.id, t)).collect();
        for index in 0..self.places.len() {
            let Some(place) = &self.places[index] else { continue };
            let same = wanted
                .get(&place.target.id)
                .is_some_and(|t| *t == PoolTarget { interval_ms: t.interval_ms, ..(*place.target).clone() });
            if same {
                let interval_ms = wanted.remove(&place.target.id).map(|t| t.interval_ms);
                self.set_interval(index, interval_ms.unwrap_or_default(), now_ms);
            } else {
                self.places[index] = None;
                self.wheel.remove(index as u32);
            }
        }
        for target in wanted.into_values() {
            let turns = Turns::new(target.interval_ms, target.phase_key);
            let place = Place { turns, due_ms: turns.after(now_ms), busy: false, target: Arc::new(target) };
            let index = self.places.iter().position(Option::is_none).unwrap_or(self.places.len());
            self.wheel.insert(index as u32, tick_of(place.due_ms));
            if index == self.places.len() {
                self.places.push(Some(place));
            } else {
                self.places[index] = Some(place);
            }
        }
    }

    fn set_interval(&mut self, index: usize, interval_ms: u32, now_ms: i64) {
        let Some(place) = &mut self.places[index] else { return };
        if place.target.interval_ms != interval_ms {
            place.target = Arc::new(PoolTarget { interval_ms, ..(*place.target).clone() });
            place.turns = Turns::new(interval_ms, place.target.phase_key);
            place.due_ms = place.turns.after(now_ms);
            self.wheel.insert(index as u32, tick_of(place.due_ms));
        }
    }

    fn start_due(&mut self) {
        let now_ms = self.tools.clock.mono().0;
        let mut due = Vec::new();
        self.wheel.pop_due(now_ms / TICK_MS, &mut due);
        for index in due {
            let Some(place) = self.places.get_mut(index as usize).and_then(Option::as_mut) else { continue };
            self.counts.lateness.add((now_ms - place.due_ms) * NS_PER_MS, now_ms);
            let missed = place.turns.missed(place.due_ms, now_ms);
            place.due_ms = place.turns.after(now_ms.max(place.due_ms));
            self.wheel.insert(index, tick_of(place.due_ms));
            self.counts.count_overruns((missed - 1).max(0));
            if place.busy {
                continue;
            }
            let sent_at = self.tools.clock.now();
            if missed > 0 {
                let at = (sent_at - missed, MonoMs(now_ms - missed));
                tell_overrun(&mut self.ready, &mut self.counts, place.target.id, at);
            }
            if self.running.len() < MAX_IN_FLIGHT {
                place.busy = true;
                self.counts.sent += 1;
                self.running.spawn(converse(self.tools.clone(), Arc::clone(&place.target), index));
            } else {
                tell_overrun(&mut self.ready, &mut self.counts, place.target.id, (sent_at, MonoMs(now_ms)));
            }
        }
    }

    fn finish(&mut self, done: &Done) {
        let place = self.places.get_mut(done.place as usize).and_then(Option::as_mut);
        let Some(place) = place.filter(|p| p.target.id == done.target) else { return };
        place.busy = false;
        if let Outcome::NotSent(_) = done.sample.outcome {
            self.counts.sent -= 1;
        }
        if let Outcome::Answered { .. } = done.sample.outcome {
            self.counts.received += 1;
        }
        self.counts.count(done.sample.outcome);
        self.ready.push(done.sample);
    }
}

fn tell_overrun(ready: &mut Vec<Sample>, counts: &mut Counts, target: u32, at: (UnixMs, MonoMs)) {
    let outcome = Outcome::NotSent(NotSentCause::Overrun);
    counts.count(outcome);
    ready.push(Sample { target, sent_at: at.0, sent_mono: at.1, outcome });
}

async fn converse(tools: Tools, target: Arc<PoolTarget>, place: u32) -> Done {
    let clock = &tools.clock;
    let (sent_at, sent_mono) = (clock.now(), clock.mono());
    let limit = Duration::from_millis(limit_ms(&target).unsigned_abs());
    let outcome = timeout(limit, probe(&tools, &target.spec)).await;
    let outcome = outcome.unwrap_or(Outcome::Lost(LossCause::Timeout));
    Done { place, target: target.id, sample: Sample { target: target.id, sent_at, sent_mono, outcome } }
}

/// The timeout, a little shortened where it would end exactly at the next turn.
fn limit_ms(target: &PoolTarget) -> i64 {
    let (timeout_ms, interval_ms) = (i64::from(target.timeout_ms), i64::from(target.interval_ms));
    let ends_at_turn = timeout_ms <= interval_ms && timeout_ms > interval_ms - BREATH_MS;
    if ends_at_turn { (interval_ms - BREATH_MS).max(timeout_ms / 2) } else { timeout_ms }
}

async fn probe(tools: &Tools, spec: &ProbeSpec) -> Outcome {
    let clock = &*tools.clock;
    match spec {
        ProbeSpec::Tcp { host, port, options, .. } => tcp::probe(clock, host, *port, *options).await,
        ProbeSpec::Http { url } => tools.http.probe(clock, url).await,
        ProbeSpec::Dns { server, port, name, record, .. } => {
            dns::probe(clock, server, *port, name, *record).await
        }
        // The reactor's, which never gives them away.
        ProbeSpec::Icmp { .. } => Outcome::NotSent(NotSentCause::Refused),
    }
}

fn answered_since(clock: &dyn NanoClock, start_ns: i64) -> Outcome {
    let rtt_us = ((clock.mono_ns() - start_ns) / 1_000).clamp(1, i64::from(u32::MAX));
    Outcome::Answered { rtt_us: rtt_us as u32 }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
