//! Probes whose outcome is not known or not yet told.
//!
//! A probe stays here until its deadline even when it was answered before, so that a second answer is known to be
//! a duplicate. Outcomes are told in the order of sending: an answer waits for the probes sent before it to the
//! same target, at most until their deadlines.

use linewatch_shared::sample::Outcome;

use crate::probe::wheel::Wheel;

/// Most probes under way at once: 10,000 targets at one second with a timeout of 25 s.
pub const MAX_OUTSTANDING: usize = 262_144;
pub const NONE: u32 = u32::MAX;

/// One probe under way.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    pub slot: u32,
    pub counter: u32,
    pub sent_mono_ns: i64,
    pub sent_at_ms: i64,
    pub outcome: Option<Outcome>,
    /// The next probe to the same target.
    younger: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    /// Before its deadline and not yet told.
    Waiting,
    /// Told; kept until its deadline to know duplicates.
    Told,
    /// Past its deadline, or never sent: goes as soon as it is told.
    Ending,
}

/// A target's probes that were not yet told, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Untold {
    oldest: u32,
    newest: u32,
}

impl Untold {
    pub const EMPTY: Self = Self { oldest: NONE, newest: NONE };
}

/// See the module's text.
pub struct Outstanding {
    probes: Vec<Probe>,
    free: Vec<u32>,
    deadlines: Wheel,
}

impl Outstanding {
    pub fn new(now_tick: i64) -> Self {
        Self { probes: Vec::new(), free: Vec::new(), deadlines: Wheel::new(now_tick) }
    }

    /// Takes in the newest probe of the target that `untold` belongs to; `None` when [`MAX_OUTSTANDING`] are under way.
    pub fn add(&mut self, untold: &mut Untold, slot: u32, counter: u32, at: (i64, i64)) -> Option<u32> {
        let (sent_mono_ns, sent_at_ms) = at;
        let state = State::Ending;
        let probe = Probe { slot, counter, sent_mono_ns, sent_at_ms, outcome: None, younger: NONE, state };
        let index = match self.free.pop() {
            Some(index) => {
                self.probes[index as usize] = probe;
                index
            }
            None if self.probes.len() < MAX_OUTSTANDING => {
                self.probes.push(probe);
                self.probes.len() as u32 - 1
            }
            None => return None,
        };
        if untold.newest == NONE {
            untold.oldest = index;
        } else {
            self.probes[untold.newest as usize].younger = index;
        }
        untold.newest = index;
        Some(index)
    }

    /// The probe has left this machine: it waits for an answer until `deadline_tick`.
    pub fn sent(&mut self, index: u32, sent_mono_ns: i64, sent_at_ms: i64, deadline_tick: i64) {
        let probe = &mut self.probes[index as usize];
        probe.sent_mono_ns = sent_mono_ns;
        probe.sent_at_ms = sent_at_ms;
        probe.state = State::Waiting;
        self.deadlines.insert(index, deadline_tick);
    }

    /// The probe at `index`, if it is that probe and not a later user of its place.
    pub fn find(&self, index: u32, slot: u32, counter: u32) -> Option<&Probe> {
        let probe = self.probes.get(index as usize)?;
        (probe.state != State::Free && probe.slot == slot && probe.counter == counter).then_some(probe)
    }

    pub fn probe(&self, index: u32) -> Option<&Probe> {
        self.probes.get(index as usize).filter(|p| p.state != State::Free)
    }

    /// Fixes a probe's outcome and tells whatever of its target is now in turn.
    pub fn resolve(
        &mut self,
        untold: &mut Untold,
        index: u32,
        outcome: Outcome,
        mut tell: impl FnMut(&Probe),
    ) {
        self.probes[index as usize].outcome = Some(outcome);
        while untold.oldest != NONE {
            let oldest = untold.oldest;
            let probe = &mut self.probes[oldest as usize];
            if probe.outcome.is_none() {
                return;
            }
            tell(probe);
            untold.oldest = probe.younger;
            if untold.oldest == NONE {
                untold.newest = NONE;
            }
            match probe.state {
                State::Waiting => probe.state = State::Told,
                State::Ending | State::Told | State::Free => self.release(oldest),
            }
        }
    }

    /// Moves the probes whose deadline is up to `tick` and whose outcome is still open to `expired`.
    pub fn expire(&mut self, tick: i64, scratch: &mut Vec<u32>, expired: &mut Vec<u32>) {
        scratch.clear();
        self.deadlines.pop_due(tick, scratch);
        for index in scratch.iter().copied() {
            let probe = &mut self.probes[index as usize];
            match probe.state {
                State::Told => self.release(index),
                State::Waiting if probe.outcome.is_none() => {
                    probe.state = State::Ending;
                    expired.push(index);
                }
                _ => probe.state = State::Ending,
            }
        }
    }

    /// Forgets every untold probe of a target that is gone.
    pub fn forget(&mut self, untold: &mut Untold) {
        while untold.oldest != NONE {
            let index = untold.oldest;
            untold.oldest = self.probes[index as usize].younger;
            self.deadlines.remove(index);
            self.release(index);
        }
        *untold = Untold::EMPTY;
    }

    pub fn next_tick(&self) -> Option<i64> {
        self.deadlines.next_tick()
    }

    fn release(&mut self, index: u32) {
        self.probes[index as usize].state = State::Free;
        self.free.push(index);
    }
}
