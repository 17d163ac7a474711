//! Who there is, and every record of the year.

use std::collections::BTreeMap;

use chrono_tz::Asia::Shanghai;
use linewatch_server::app::desk::step::NewStep;
use linewatch_shared::detector::{Evidence, LineState};
use linewatch_shared::facts::{
    Body, Channel, ClockFact, LineChange, Reading, Record, Report, Step, StepKind, When,
};
use linewatch_shared::sla::year_bounds;
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, MonoMs, SECOND_MS, UnixMs};
use uuid::Uuid;

use super::deeds::{Deed, Deeds, What};
use super::story;
use crate::harness::Seed;

/// The year, in the packs' time zone.
pub const YEAR: i32 = 2026;
/// How long a device runs until it is started again.
const BOOT_MS: i64 = 30 * DAY_MS;
/// A fault is done with by then, almost always.
const FAULT_MS: i64 = 12 * DAY_MS;
/// How often a free line is looked for.
const TRIES: usize = 20;
/// Some life goes on before and after the year, so that it has ends to be cut at.
pub(super) const AROUND_MS: i64 = 20 * DAY_MS;
/// Lines that hang on one node.
const LINES_PER_NODE: u64 = 20;

/// How much life there is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Lines.
    pub lines: u64,
    /// Customers.
    pub customers: u64,
    /// Faults.
    pub faults: u64,
    /// Of a hundred of them, how many may fall on a line whose last one is not done with.
    pub overlapping_percent: u64,
}

impl Scale {
    /// What so many lines have, as a province has it.
    #[must_use]
    pub const fn of_lines(lines: u64) -> Self {
        let customers = if lines < 40 { 2 } else { lines / 20 };
        Self { lines, customers, faults: 2 * lines, overlapping_percent: 10 }
    }

    /// What a check before a change can wait for.
    pub const SMALL: Self = Self { lines: 200, customers: 20, faults: 300, overlapping_percent: 10 };
    /// A province's lines.
    pub const FULL: Self = Self { lines: 10_000, customers: 500, faults: 20_000, overlapping_percent: 10 };
}

/// A record, by whom it is sent, and when it was true.
#[derive(Clone, Debug)]
pub struct Written {
    /// The agent, by number.
    pub agent: usize,
    /// When it happened.
    pub at: UnixMs,
    /// The record's bytes.
    pub bytes: Vec<u8>,
}

/// A year.
#[derive(Clone, Debug)]
pub struct Life {
    /// How much there is.
    pub scale: Scale,
    /// Before everything.
    pub begins: UnixMs,
    /// After everything.
    pub ends: UnixMs,
    /// Every record, agent by agent.
    pub records: Vec<Written>,
    /// What the desk does itself, in its order.
    pub deeds: Vec<Deed>,
}

/// One agent's device: a clock that is wrong by a little, and boots.
struct Device {
    agent: usize,
    begins: UnixMs,
    skew_ms: i64,
}

/// What writes the year down.
pub(super) struct Writer {
    pub seed: Seed,
    pub records: Vec<Written>,
    /// What a supervisor decides of faults.
    decisions: Vec<Deed>,
    device: Device,
}

impl Life {
    /// Makes one up.
    #[must_use]
    pub fn of(scale: Scale, seed: Seed) -> Self {
        let (from, to) = year_bounds(Shanghai, YEAR);
        let (begins, ends) = (from - AROUND_MS, to + AROUND_MS);
        let device = Device { agent: 0, begins, skew_ms: 0 };
        let mut writer = Writer { seed, records: Vec::new(), decisions: Vec::new(), device };
        let agents = Self::agents_of(scale);
        let mut failing = Vec::new();
        for agent in 0..agents {
            // Most devices are right to the second, some are minutes off.
            let skew_ms = writer.seed.below(2 * 280_000) as i64 - 280_000;
            let skew_ms = if writer.seed.below(4) == 0 { skew_ms } else { skew_ms / 300 };
            writer.device = Device { agent, begins, skew_ms };
            writer.clocks(ends);
            let lines: Vec<u64> = (0..scale.lines).filter(|n| (*n as usize) % agents == agent).collect();
            let faults = scale.faults / agents as u64;
            let mut taken: BTreeMap<u64, Vec<UnixMs>> = BTreeMap::new();
            for _ in 0..faults {
                let at = begins + writer.seed.below((ends.since(begins) - FAULT_MS) as u64) as i64;
                let line = writer.line_for(scale, &lines, &taken, at);
                taken.entry(line).or_default().push(at);
                failing.push((line, at));
                story::any(&mut writer, &line_code(line), at);
            }
            // Around New Year's midnight there is always something.
            for _ in 0..2 {
                let line = lines[writer.seed.below(lines.len() as u64) as usize];
                let midnight = if writer.seed.below(2) == 0 { from } else { to };
                let at = midnight - writer.seed.below(3 * HOUR_MS as u64) as i64;
                story::fault(&mut writer, &line_code(line), at);
            }
        }
        let mut deeds = Deeds::of(scale, (begins, ends), &failing, writer.seed);
        deeds.extend(writer.decisions);
        deeds.sort_by_key(|deed| deed.at);
        Self { scale, begins, ends, records: writer.records, deeds }
    }

    /// How many agents there are.
    #[must_use]
    pub const fn agents(&self) -> usize {
        Self::agents_of(self.scale)
    }

    const fn agents_of(scale: Scale) -> usize {
        let agents = scale.lines / 100;
        if agents < 4 { 4 } else { agents as usize }
    }

    /// The customers, for an import; `upgraded` is after some of them have moved up a tier in summer.
    #[must_use]
    pub fn customers(&self, upgraded: bool) -> String {
        let mut rows = vec!["code,name,tier,region,manager".to_owned()];
        for n in 0..self.scale.customers {
            let at = |step: u64, of: usize| (n / step) as usize % of;
            let tier = ["AAA", "AA", "A", "standard"][at(1, 4)];
            let tier = if upgraded && n % 8 == 3 { "AA" } else { tier };
            let kind = ["银行", "医院", "学校", "工厂", "酒店", "物流"][at(1, 6)];
            let region = ["东区", "南区", "西区", "北区"][at(4, 4)];
            let code = customer_code(n);
            rows.push(format!("{code},示例{kind}{n:03},{tier},{region},示例经理{}", n / 8));
        }
        rows.join("\n")
    }

    /// The lines, for an import.
    #[must_use]
    pub fn lines(&self) -> String {
        let agents = self.agents();
        let line = |n: u64| {
            let customer = customer_code(n % self.scale.customers);
            format!("{},{customer},agent-{},{}", line_code(n), n as usize % agents, node_of(n))
        };
        std::iter::once("code,customer,agent,upstream".to_owned())
            .chain((0..self.scale.lines).map(line))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

pub(super) fn line_code(n: u64) -> String {
    format!("LINE-{n:05}")
}

pub(super) fn customer_code(n: u64) -> String {
    format!("C-{n:03}")
}

/// The node that a line hangs on.
pub(super) fn node_of(line: u64) -> String {
    format!("NODE-{:03}", line / LINES_PER_NODE)
}

impl Writer {
    /// So many minutes up to a bound, at least one.
    pub fn minutes(&mut self, most: i64) -> i64 {
        (1 + self.seed.below(most.max(1).unsigned_abs()) as i64) * MINUTE_MS + self.seed.below(60_000) as i64
    }

    /// A line for a fault: one whose other faults are far enough away, unless overlapping is wanted or there is none.
    fn line_for(
        &mut self,
        scale: Scale,
        lines: &[u64],
        taken: &BTreeMap<u64, Vec<UnixMs>>,
        at: UnixMs,
    ) -> u64 {
        let overlapping = self.chance(scale.overlapping_percent);
        let mut line = lines[0];
        for _ in 0..TRIES {
            line = lines[self.seed.below(lines.len() as u64) as usize];
            let near = |other: &UnixMs| at.since(*other).abs() < FAULT_MS;
            if overlapping || !taken.get(&line).is_some_and(|others| others.iter().any(near)) {
                break;
            }
        }
        line
    }

    /// Whether something that happens so often in a hundred happens.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.seed.below(100) < percent
    }

    /// Writes down what the machine saw.
    pub fn seen(&mut self, line: &str, at: UnixMs, state: LineState) -> Uuid {
        self.saw(line, at, state, Evidence::default())
    }

    /// The line answers, and worse than promised.
    pub fn seen_degraded(&mut self, line: &str, at: UnixMs) -> Uuid {
        self.saw(line, at, LineState::Up, Evidence { degraded: true, ..Evidence::default() })
    }

    fn saw(&mut self, line: &str, at: UnixMs, state: LineState, evidence: Evidence) -> Uuid {
        let change = LineChange { line: line.to_owned(), state, evidence };
        let reading = self.reading(at);
        self.write(at, When::Machine(reading), Body::Line(change))
    }

    /// Writes down what a person did, who says when.
    pub fn said(&mut self, at: UnixMs, body: Body) -> Uuid {
        self.write(at, When::Typed(at), body)
    }

    /// Writes down what a supervisor decides of a fault, at the desk.
    pub fn decided(&mut self, fault: Uuid, at: UnixMs, kind: StepKind) {
        let id = Uuid::from_u64_pair(self.seed.draw(), self.seed.draw());
        let step = Step { fault, kind, note: None };
        let new = NewStep { id, step, occurred_at: at, by: "head".to_owned() };
        self.decisions.push(Deed { at, what: What::Decide(Box::new(new)) });
    }

    /// Writes down a report.
    pub fn reported(&mut self, line: &str, at: UnixMs) -> Uuid {
        let report = Report {
            line: line.to_owned(),
            channel: Channel::Hotline,
            reporter: "sample caller".to_owned(),
            description: "nothing goes through".to_owned(),
        };
        self.said(at, Body::Report(report))
    }

    /// A comparison of clocks soon after each start and now and then.
    fn clocks(&mut self, ends: UnixMs) {
        let mut at = self.device.begins + SECOND_MS;
        while at < ends {
            let fact = ClockFact { device: self.reading(at), server: at, round_trip_ms: 20 };
            let reading = self.reading(at);
            self.write(at, When::Machine(reading), Body::Clock(fact));
            at = at + BOOT_MS / 2;
        }
    }

    fn boot(&self, at: UnixMs) -> i64 {
        at.since(self.device.begins).div_euclid(BOOT_MS)
    }

    fn reading(&self, at: UnixMs) -> Reading {
        let booted = self.device.begins + self.boot(at) * BOOT_MS;
        Reading { wall: at + self.device.skew_ms, mono: MonoMs(at.since(booted)) }
    }

    fn write(&mut self, at: UnixMs, occurred: When, body: Body) -> Uuid {
        let id = Uuid::from_u64_pair(self.seed.draw(), self.seed.draw());
        let boot = Uuid::from_u64_pair(self.device.agent as u64 + 1, self.boot(at).unsigned_abs());
        let by = matches!(occurred, When::Typed(_)).then(|| "sample technician".to_owned());
        let record = Record { id, boot, written: self.reading(at), occurred, by, body };
        // The encoder refuses nothing that this program makes.
        if let Ok(bytes) = record.to_bytes() {
            self.records.push(Written { agent: self.device.agent, at, bytes });
        }
        id
    }
}
