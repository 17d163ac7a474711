//! What to say to the server next. Pure: time, the journal's heads and the answers go in, actions come out.
//!
//! Order: a hello first; a heartbeat when it is due; then faults, desk, the pull, open work, the newest summaries,
//! older ones, parts of reports. Each action is decided anew from what is true at that moment, so a fault that is written
//! during a long catch-up goes out after the batch that is on its way.

use linewatch_shared::backoff::{Backoff, BackoffPolicy};
use linewatch_shared::facts::Lane;
use linewatch_shared::time::MonoMs;
use linewatch_shared::wire::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, BODY_BYTES_MAX, Limits};

use super::beside::{Beside, Besides};
use crate::journal::{LaneView, RANGES_MAX, Span, Wanted, is_ordered};

/// Time between heartbeats.
pub const HEARTBEAT_MS: i64 = 15_000;
/// Time after which a hello is said again on a conversation that goes well: it tells what changes seldom, and turns the
/// agent's generation on.
pub const HELLO_AGAIN_MS: i64 = 3_600_000;
/// Time between tries after the server refused this agent's credential.
pub const REFUSED_MS: i64 = 600_000;
/// Room for a batch's envelope, in bytes.
const ENVELOPE_BYTES: usize = 4_100;
/// What a batch is aimed at to begin with, in bytes before compression.
const AIM_BYTES: usize = 64 << 10;
/// The least that a batch is aimed at.
const AIM_BYTES_MIN: usize = 16 << 10;
/// A batch that took longer than this makes the next ones smaller: a new fault must not wait long.
const SLOW_MS: i64 = 2_000;
/// A batch that was quicker makes them larger.
const QUICK_MS: i64 = 500;
/// Forks in a row, without anything acknowledged, after which there is a pause as after a failure.
const FORKS_MAX: u32 = 3;

/// Draws numbers in `0.0..1.0`, so that agents don't come back in step.
pub type Chance = Box<dyn FnMut() -> f64 + Send + Sync>;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Begin a conversation.
    Hello,
    /// Say that this agent is alive.
    Heartbeat,
    /// Send records.
    Push(Wanted),
    /// Ask for reference data.
    Pull,
    /// What is beside the lanes.
    Beside(Beside),
    /// Nothing until then, unless something is written.
    Wait(MonoMs),
}

/// What became of a batch that the server could not take in at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// Smaller batches are tried next.
    Halved,
    /// It was one record alone.
    Alone {
        /// Its lane.
        lane: Lane,
        /// Its number.
        number: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// A hello is due at this time.
    Down(MonoMs),
    /// The server answered; the next heartbeat is due at this time.
    Up(MonoMs),
}

/// Fewer records a batch, after one was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cap {
    lane: Lane,
    records: usize,
}

/// The state of the conversation.
pub struct Planner {
    link: Link,
    backoff: Backoff,
    chance: Chance,
    limits: Limits,
    aim_bytes: usize,
    cap: Option<Cap>,
    forks: u32,
    /// The server's newest number of reference data.
    reference_head: u64,
    /// The number that the agent's reference data stands for; none before the first pull.
    pulled: Option<u64>,
    /// When a hello is due again.
    hello_at: MonoMs,
    /// What is beside the lanes.
    pub beside: Besides,
}

impl Planner {
    /// A conversation that has not begun. `pulled` is what the stored reference data stands for.
    #[must_use]
    pub fn new(chance: Chance, pulled: Option<u64>) -> Self {
        let limits = Limits {
            batch_records: BATCH_RECORDS_MAX as u32,
            batch_bytes: BATCH_BYTES_MAX as u32,
            body_bytes: BODY_BYTES_MAX as u32,
        };
        Self {
            link: Link::Down(MonoMs(0)),
            backoff: Backoff::new(BackoffPolicy::default()),
            chance,
            limits,
            aim_bytes: AIM_BYTES,
            cap: None,
            forks: 0,
            reference_head: 0,
            pulled,
            hello_at: MonoMs(0),
            beside: Besides::default(),
        }
    }

    /// What to do at `now`, given how far the lanes are and whether parts of reports are left.
    #[must_use]
    pub fn next(&self, now: MonoMs, lanes: &[LaneView], parts_left: bool) -> Action {
        let heartbeat_at = match self.link {
            Link::Down(at) if now >= at => return Action::Hello,
            Link::Down(at) => return Action::Wait(at),
            Link::Up(at) if now >= at && now >= self.hello_at => return Action::Hello,
            Link::Up(at) if now >= at => return Action::Heartbeat,
            Link::Up(at) => at,
        };
        let ordered = lanes.iter().filter(|view| is_ordered(view.lane)).find_map(|view| self.push(view));
        if let Some(wanted) = ordered {
            return Action::Push(wanted);
        }
        if self.pulled.is_none_or(|pulled| pulled < self.reference_head) {
            return Action::Pull;
        }
        if self.beside.is_work_due(now) {
            return Action::Beside(Beside::Work);
        }
        let summaries = lanes.iter().filter(|view| !is_ordered(view.lane)).find_map(|view| self.push(view));
        if let Some(wanted) = summaries {
            return Action::Push(wanted);
        }
        if let Some(beside) = self.beside.of_parts(now).filter(|_| parts_left) {
            return Action::Beside(beside);
        }
        let beside_at = self.beside.next_at(parts_left).unwrap_or(heartbeat_at);
        Action::Wait(heartbeat_at.min(beside_at))
    }

    fn push(&self, view: &LaneView) -> Option<Wanted> {
        let newest_first = !is_ordered(view.lane) && view.held.len() < RANGES_MAX;
        let gaps = view.gaps();
        let Span { first, last } = *if newest_first { gaps.last() } else { gaps.first() }?;
        let cap = self.cap.filter(|cap| cap.lane == view.lane).map_or(usize::MAX, |cap| cap.records);
        let most_records = (self.limits.batch_records as usize).clamp(1, BATCH_RECORDS_MAX).min(cap);
        let most_bytes =
            (self.limits.batch_bytes as usize).min(BATCH_BYTES_MAX).saturating_sub(ENVELOPE_BYTES);
        let most_bytes = most_bytes.min(self.aim_bytes);
        Some(Wanted { lane: view.lane, first, last, newest_first, most_records, most_bytes })
    }

    /// The server answered a hello, and what it holds was noted.
    pub fn on_hello(&mut self, now: MonoMs, limits: Limits, reference_head: u64, level: u16) {
        self.beside.on_hello(now, level);
        self.backoff.succeeded();
        self.limits = limits;
        self.reference_head = reference_head;
        self.link = Link::Up(MonoMs(now.0 + HEARTBEAT_MS));
        self.hello_at = MonoMs(now.0 + HELLO_AGAIN_MS);
    }

    /// The server answered a heartbeat.
    pub fn on_heartbeat(&mut self, now: MonoMs, reference_head: u64) {
        self.reference_head = reference_head;
        self.link = Link::Up(MonoMs(now.0 + HEARTBEAT_MS));
    }

    /// A hello is needed before anything else: the server is another one than before.
    pub const fn on_new_server(&mut self, now: MonoMs) {
        self.link = Link::Down(now);
    }

    /// A batch was acknowledged after `took_ms`.
    pub fn on_pushed(&mut self, lane: Lane, took_ms: i64) {
        self.forks = 0;
        if took_ms > SLOW_MS {
            self.aim_bytes = (self.aim_bytes / 2).max(AIM_BYTES_MIN);
        } else if took_ms < QUICK_MS {
            self.aim_bytes = (self.aim_bytes * 2).min(BATCH_BYTES_MAX);
        }
        if let Some(cap) = self.cap.filter(|cap| cap.lane == lane) {
            let records = cap.records * 2;
            self.cap = (records < BATCH_RECORDS_MAX).then_some(Cap { lane, records });
        }
    }

    /// The server could not take in a batch of `count` records from `first` on.
    pub const fn on_rejected(&mut self, lane: Lane, first: u64, count: usize) -> Rejected {
        if count > 1 {
            self.cap = Some(Cap { lane, records: count / 2 });
            return Rejected::Halved;
        }
        Rejected::Alone { lane, number: first }
    }

    /// The journal has begun a new epoch; the server is asked anew what it holds.
    pub fn on_fork(&mut self, now: MonoMs) {
        self.forks += 1;
        self.cap = None;
        if self.forks > FORKS_MAX {
            self.on_failure(now, None);
        } else {
            self.link = Link::Down(now);
        }
    }

    /// Reference data up to a number was stored; none means that it was dropped and is wanted whole.
    pub const fn on_pulled(&mut self, pulled: Option<u64>) {
        self.pulled = pulled;
    }

    /// Something failed that says nothing about the records: no answer, 429, 5xx.
    pub fn on_failure(&mut self, now: MonoMs, retry_after_ms: Option<i64>) {
        self.aim_bytes = (self.aim_bytes / 2).max(AIM_BYTES_MIN);
        self.beside.on_failure();
        let asked_ms = retry_after_ms.and_then(|asked| u64::try_from(asked).ok());
        let mut delay_ms = self.backoff.failed(asked_ms, (self.chance)());
        if self.is_up() {
            // Everyone whom this server was serving lost it at this moment.
            delay_ms += self.backoff.reconnect_delay_ms((self.chance)());
        }
        let delay_ms = i64::try_from(delay_ms).unwrap_or(i64::MAX);
        self.link = Link::Down(MonoMs(now.0.saturating_add(delay_ms)));
    }

    /// The server refuses this agent's credential.
    pub const fn on_refused(&mut self, now: MonoMs) {
        self.link = Link::Down(MonoMs(now.0 + REFUSED_MS));
    }

    /// Somebody wants the server to be contacted now.
    pub const fn on_wish(&mut self, now: MonoMs) {
        match self.link {
            Link::Down(_) => self.link = Link::Down(now),
            Link::Up(_) => self.beside.wish_work(now),
        }
    }

    /// Whether the server answered last time.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.link, Link::Up(_))
    }
}
