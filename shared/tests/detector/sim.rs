//! A prober and its network in miniature: patterns say when a target answers, the detector's wishes for
//! other intervals are obeyed, results arrive when they would (an answer after its round trip, a loss after
//! its timeout).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use linewatch_shared::detector::{
    AnchorRole, AnchorSpec, Detector, DetectorConfig, Effect, LineSpec, Moment, Quality, Transition,
};
use linewatch_shared::sample::{LossCause, NotSentCause, Outcome, Sample};
use linewatch_shared::time::{MonoMs, UnixMs};

/// 2026-01-01T00:00:00Z; the simulation starts here.
pub const START: i64 = 1_767_225_600_000;
const TICK_MS: i64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Line { on_link: bool },
    Anchor(AnchorRole),
}

#[derive(Clone, Debug)]
pub struct SimTarget {
    pub number: u32,
    pub role: Role,
    pub uplink: u8,
    pub interval_ms: u32,
    pub phase_ms: i64,
    pub rtt_ms: i64,
    pub timeout_ms: i64,
    /// One mark a second; the last one goes on. `.` answers, `s` answers slowly (ten times the round trip), `x` no answer, `u` unreachable (known at
    /// once), `n` no route, `b` buffer full, `-` not probed.
    pub pattern: Vec<u8>,
}

impl SimTarget {
    fn mark(&self, at_ms: i64) -> u8 {
        let second = usize::try_from(at_ms / 1_000).unwrap();
        *self.pattern.get(second).or(self.pattern.last()).unwrap_or(&b'-')
    }
}

#[derive(Clone, Debug, Default)]
pub struct Script {
    pub targets: Vec<SimTarget>,
    /// `(time, uplink, is up)`.
    pub carrier: Vec<(i64, u8, bool)>,
    /// The machine sleeps in `from..to`: no probes, no ticks.
    pub asleep: Option<(i64, i64)>,
    /// `(time, by)`: the wall clock is stepped.
    pub wall_step: Option<(i64, i64)>,
    pub until_ms: i64,
    /// What the contracts of all lines allow.
    pub quality: Quality,
}

#[derive(Debug, Default)]
pub struct Outcomes {
    pub transitions: Vec<Transition>,
    /// Every interval asked for: `(time, target, interval)`.
    pub intervals: Vec<(i64, u32, u32)>,
    /// Every probe judged, by target: monotonic time and whether it was lost.
    pub judged: BTreeMap<u32, Vec<(i64, bool)>>,
    pub samples: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Tick,
    Carrier(usize),
    Probe { target: usize, generation: u32 },
    Result { target: usize, sent: i64, mark: u8 },
}

struct Sim<'a> {
    script: &'a Script,
    detector: Detector,
    queue: BinaryHeap<Reverse<(i64, u64, Event)>>,
    count: u64,
    /// By target: interval, last probe, generation of the next one.
    pace: Vec<(u32, i64, u32)>,
    effects: Vec<Effect>,
    out: Outcomes,
}

pub fn run(config: &DetectorConfig, script: &Script) -> Outcomes {
    let mut sim = Sim {
        script,
        detector: Detector::new(config.clone()),
        queue: BinaryHeap::new(),
        count: 0,
        pace: script.targets.iter().map(|t| (t.interval_ms, t.phase_ms, 0)).collect(),
        effects: Vec::new(),
        out: Outcomes::default(),
    };
    sim.start();
    while let Some(Reverse((now, _, event))) = sim.queue.pop() {
        if now > script.until_ms {
            break;
        }
        sim.handle(now, event);
        sim.obey(now);
    }
    sim.out
}

impl Sim<'_> {
    fn push(&mut self, at: i64, event: Event) {
        // What would happen during sleep happens on waking up.
        let at = match self.script.asleep {
            Some((from, to)) if at >= from && at < to => to,
            _ => at,
        };
        self.count += 1;
        self.queue.push(Reverse((at, self.count, event)));
    }

    fn wall(&self, mono: i64) -> UnixMs {
        let step = self.script.wall_step.filter(|&(at, _)| mono >= at).map_or(0, |(_, by)| by);
        UnixMs(START + mono + step)
    }

    fn moment(&self, mono: i64) -> Moment {
        Moment { at: self.wall(mono), mono: MonoMs(mono) }
    }

    fn start(&mut self) {
        let now = self.moment(0);
        for (index, target) in self.script.targets.iter().enumerate() {
            let (uplink, interval_ms) = (target.uplink, target.interval_ms);
            match target.role {
                Role::Line { on_link } => {
                    let spec = LineSpec { interval_ms, uplink, on_link, quality: self.script.quality };
                    self.detector.add_line(target.number, spec, now, &mut self.effects).unwrap();
                }
                Role::Anchor(role) => {
                    let spec = AnchorSpec { role, interval_ms, uplink };
                    self.detector.add_anchor(target.number, spec).unwrap();
                }
            }
            self.push(target.phase_ms, Event::Probe { target: index, generation: 0 });
        }
        for index in 0..self.script.carrier.len() {
            self.push(self.script.carrier[index].0, Event::Carrier(index));
        }
        self.push(0, Event::Tick);
        self.obey(0);
    }

    fn handle(&mut self, now: i64, event: Event) {
        let moment = self.moment(now);
        match event {
            Event::Tick => {
                self.detector.on_tick(moment, &mut self.effects);
                self.push(now + TICK_MS, Event::Tick);
            }
            Event::Carrier(index) => {
                let (_, uplink, is_up) = self.script.carrier[index];
                self.detector.set_carrier(uplink, is_up, moment, &mut self.effects);
            }
            Event::Probe { target, generation } if generation == self.pace[target].2 => {
                self.probe(now, target);
            }
            Event::Probe { .. } => {}
            Event::Result { target, sent, mark } => self.result(moment, target, sent, mark),
        }
    }

    fn probe(&mut self, now: i64, index: usize) {
        let target = &self.script.targets[index];
        let mark = target.mark(now);
        let (interval_ms, _, generation) = self.pace[index];
        self.pace[index].1 = now;
        let delay = match mark {
            b'.' | b'u' => Some(target.rtt_ms),
            b's' => Some(target.rtt_ms * 10),
            b'x' => Some(target.timeout_ms),
            b'-' => None,
            _ => Some(0),
        };
        if let Some(delay) = delay {
            self.push(now + delay, Event::Result { target: index, sent: now, mark });
        }
        self.push(now + i64::from(interval_ms), Event::Probe { target: index, generation });
    }

    fn result(&mut self, now: Moment, index: usize, sent: i64, mark: u8) {
        let target = &self.script.targets[index];
        let outcome = match mark {
            b'.' => Outcome::Answered { rtt_us: u32::try_from(target.rtt_ms * 1_000).unwrap() },
            b's' => Outcome::Answered { rtt_us: u32::try_from(target.rtt_ms * 10_000).unwrap() },
            b'x' => Outcome::Lost(LossCause::Timeout),
            b'u' => Outcome::Lost(LossCause::Unreachable),
            b'n' => Outcome::NotSent(NotSentCause::NoRoute),
            b'b' => Outcome::NotSent(NotSentCause::BufferFull),
            other => panic!("pattern mark {other}"),
        };
        let sample =
            Sample { target: target.number, sent_at: self.wall(sent), sent_mono: MonoMs(sent), outcome };
        if !matches!(outcome, Outcome::NotSent(_)) {
            self.out.judged.entry(target.number).or_default().push((sent, mark != b'.'));
        }
        self.out.samples += 1;
        self.detector.on_sample(&sample, now, &mut self.effects);
    }

    fn obey(&mut self, now: i64) {
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Changed(transition) => self.out.transitions.push(*transition),
                Effect::SetInterval { target, interval_ms } => {
                    self.out.intervals.push((now, target, interval_ms));
                    let index = self.script.targets.iter().position(|t| t.number == target).unwrap();
                    let (_, last, generation) = self.pace[index];
                    self.pace[index] = (interval_ms, last, generation + 1);
                    let next = (last + i64::from(interval_ms)).max(now + 1);
                    self.push(next, Event::Probe { target: index, generation: generation + 1 });
                }
            }
        }
    }
}
