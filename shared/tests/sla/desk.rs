//! A desk without IO: it learns facts at their moments, wakes when it must, and keeps what it told.

use linewatch_shared::sla::{
    Carried, Effect, Fact, FaultState, LineRules, YearFigures, advance, carry, contributions, fold, next_wake,
};
use linewatch_shared::time::UnixMs;

/// The most wake-ups of one story: more is a loop.
const WAKES_MAX: usize = 100_000;

pub struct Desk {
    pub rules: LineRules,
    pub facts: Vec<Fact>,
    pub states: Vec<FaultState>,
    pub told: Vec<(UnixMs, Effect)>,
    /// When planned work ends: the line is looked at again then.
    pub work_ends: Vec<UnixMs>,
}

impl Desk {
    pub fn new(rules: LineRules) -> Self {
        Self { rules, facts: Vec::new(), states: Vec::new(), told: Vec::new(), work_ends: Vec::new() }
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
        }
    }

    /// Lets the time pass, waking whenever something is due. Answers the number of wake-ups.
    pub fn run_until(&mut self, from: UnixMs, until: UnixMs) -> usize {
        let mut now = from;
        for wakes in 0..WAKES_MAX {
            let works = self.work_ends.iter().copied().filter(|at| *at > now);
            let next = self.states.iter().filter_map(|state| next_wake(state, now)).chain(works).min();
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
