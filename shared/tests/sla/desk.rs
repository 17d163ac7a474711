//! A desk without IO: it learns facts at their moments, wakes when it must, and keeps what it told.

use std::collections::BTreeMap;

use linewatch_shared::sla::{
    Allowance, Carried, DeadlineKind, Effect, Fact, FaultState, Interval, Ledger, LineRules, YearFigures,
    advance, carry, contributions, fold, judge_all, local_year, next_mark, next_wake, year_bounds,
};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

/// The most wake-ups of one story: more is a loop.
const WAKES_MAX: usize = 100_000;

/// How long a judge may have waited for its turn.
const WAITED_MS: i64 = 60_000;

pub struct Desk {
    pub rules: LineRules,
    pub facts: Vec<Fact>,
    pub states: Vec<FaultState>,
    pub told: Vec<(UnixMs, Effect)>,
    /// When planned work ends: the line is looked at again then.
    pub work_ends: Vec<UnixMs>,
    /// Since when the line serves.
    pub in_service: UnixMs,
    /// What was told of its allowances of interruption, and when.
    pub ledgers: BTreeMap<(DeadlineKind, UnixMs), Ledger>,
    pub warned: Vec<(UnixMs, Effect)>,
}

impl Desk {
    pub fn new(rules: LineRules) -> Self {
        Self {
            rules,
            facts: Vec::new(),
            states: Vec::new(),
            told: Vec::new(),
            work_ends: Vec::new(),
            in_service: UnixMs(0),
            ledgers: BTreeMap::new(),
            warned: Vec::new(),
        }
    }

    /// Takes in facts that arrive together.
    pub fn learn(&mut self, facts: impl IntoIterator<Item = Fact>, now: UnixMs) {
        self.facts.extend(facts);
        let folded =
            fold(self.facts.clone(), &self.rules, &Carried { as_of: Some(now), ..Carried::default() });
        self.states = carry(std::mem::take(&mut self.states), folded.faults);
        self.advance(now);
    }

    fn advance(&mut self, now: UnixMs) {
        for state in &mut self.states {
            self.told.extend(advance(state, now).into_iter().map(|effect| (now, effect)));
            assert_eq!(advance(state, now), [], "a second call at the same time says nothing");
            assert_eq!(
                advance(state, now + -WAITED_MS),
                [],
                "nor does one who looked at the clock before it"
            );
        }
        let outages = self.outages();
        for allowance in self.allowances(now) {
            let ledger = self.ledgers.entry((allowance.kind, allowance.from)).or_default();
            let effects = judge_allowance(&allowance, &outages, ledger, now);
            assert_eq!(judge_allowance(&allowance, &outages, ledger, now), []);
            assert_eq!(judge_allowance(&allowance, &outages, ledger, now + -WAITED_MS), []);
            self.warned.extend(effects.into_iter().map(|effect| (now, effect)));
        }
    }

    /// The outages that count.
    pub fn outages(&self) -> Vec<Interval> {
        let faults = self.states.iter().map(|state| &state.fault).filter(|fault| fault.counts());
        faults.flat_map(|fault| fault.outage.iter().copied()).collect()
    }

    /// What the line may be without service, in each year since its first outage.
    pub fn allowances(&self, now: UnixMs) -> Vec<Allowance> {
        let (pack, tier) = self.rules.pack_at(now);
        let zone = pack.time_zone;
        let first = self.outages().iter().map(|outage| outage.from).min().unwrap_or(now);
        let mut list = Vec::new();
        for year in local_year(zone, first)..=local_year(zone, now) {
            let (from, to) = year_bounds(zone, year);
            list.extend(Allowance::interruption(tier, zone, year));
            let span = (from.max(self.in_service), to);
            list.extend(pack.availability.as_ref().map(|promise| Allowance::availability(promise, span)));
        }
        list
    }

    /// Lets the time pass, waking whenever something is due. Answers the number of wake-ups.
    pub fn run_until(&mut self, from: UnixMs, until: UnixMs) -> usize {
        let mut now = from;
        for wakes in 0..WAKES_MAX {
            let works = self.work_ends.iter().copied().filter(|at| *at > now);
            let outages = self.outages();
            let spans = self.allowances(now).into_iter().filter_map(|allowance| {
                let ledger = self.ledgers.get(&(allowance.kind, allowance.from)).cloned().unwrap_or_default();
                let end = Some(allowance.to).filter(|to| *to > now);
                next_mark(&[allowance.deadline(&outages, now)], &ledger, now).into_iter().chain(end).min()
            });
            let faults = self.states.iter().filter_map(|state| next_wake(state, now));
            let next = faults.chain(works).chain(spans).min();
            let Some(next) = next.filter(|next| *next <= until) else {
                self.advance(until);
                return wakes;
            };
            now = next;
            if self.work_ends.contains(&now) {
                self.learn([], now);
            } else {
                self.advance(now);
            }
        }
        panic!("the desk never sleeps");
    }

    /// The line's figures of the year of `now`.
    pub fn figures(&self, now: UnixMs) -> YearFigures {
        let pack = self.rules.pack_at(now).0;
        let year = linewatch_shared::sla::local_year(pack.time_zone, now);
        let rows: Vec<_> =
            self.states.iter().flat_map(|state| contributions(&state.fault, pack.time_zone)).collect();
        YearFigures::of(&rows, year, pack.time_zone, pack.repeat_counts, now)
    }
}

fn judge_allowance(
    allowance: &Allowance,
    outages: &[Interval],
    ledger: &mut Ledger,
    now: UnixMs,
) -> Vec<Effect> {
    let now = ledger.as_of(now);
    let deadline = allowance.deadline(outages, now);
    ledger.unwarn(&deadline, now);
    judge_all(Uuid::nil(), &[deadline], ledger, now)
}
