//! Reads a story of one matter and compares what is found.
//!
//! Times are a [`StoryClock`]'s, in the pack's time zone. A step is `{ at, is, … }`; `learnt` says when the desk got it
//! (default: `at`). A look is what the desk should see at a moment; texts are compared word by word. `owed` is all that
//! is owed, `has` a part of it.

use std::path::Path;

use linewatch_shared::matter::{MatterFact, Standing, advance, fold, next_wake};
use linewatch_shared::rules::{Pack, SHIPPED};
use linewatch_shared::sla::{Effect, Ledger};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::common::StoryClock;
use crate::look::same;
use crate::written::{Look, Story};

/// The most wake-ups of one story: more is a loop.
const WAKES_MAX: usize = 10_000;

pub fn check(file: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let story: Story =
        toml::from_str(&std::fs::read_to_string(file).unwrap()).map_err(|e| format!("{name}: {e}"))?;
    assert!(!story.rule.is_empty(), "{name}: a story names its rule");
    let pack = pack(&story);
    let teller = Teller { clock: StoryClock { zone: pack.time_zone, day: story.day }, pack, story: &story };
    teller.tell().map_err(|difference| format!("{name}: {}\n{difference}", story.title))
}

fn pack(story: &Story) -> Pack {
    let file = format!("{}.toml", story.pack);
    let (_, text) =
        SHIPPED.iter().find(|(name, _)| *name == file).unwrap_or_else(|| panic!("no pack {file}"));
    let mut text = (*text).to_owned();
    for [from, to] in &story.change {
        assert!(text.contains(from.as_str()), "{}: the pack has no {from}", story.title);
        text = text.replacen(from.as_str(), to, 1);
    }
    Pack::parse(&text, &file).unwrap()
}

pub struct Teller<'a> {
    pub story: &'a Story,
    pub pack: Pack,
    pub clock: StoryClock,
}

pub fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

impl Teller<'_> {
    fn tell(&self) -> Result<(), String> {
        let opening = self.opening();
        if let Some(reason) = &self.story.refused {
            let error = fold(vec![opening.clone()], &self.pack).err().ok_or("the opening was not refused")?;
            if error.contains(reason.as_str()) {
                return Ok(());
            }
            return Err(format!("refused, but not for \"{reason}\": {error}"));
        }
        let learnt = self.story.learnt.as_ref().map_or(opening.occurred_at, |learnt| self.time(learnt));
        let mut arrivals = vec![(learnt, opening)];
        for (number, line) in self.story.step.iter().enumerate() {
            let fact = self.step(number + 1, line)?;
            let learnt = line.learnt.as_ref().map_or(fact.occurred_at, |learnt| self.time(learnt));
            arrivals.push((learnt, fact));
        }
        arrivals.sort_by_key(|(learnt, _)| *learnt);
        let told = self.live(&arrivals)?;
        if let Some(expected) = &self.story.told {
            let told: Vec<String> = told.iter().map(|(now, effect)| self.effect(*now, effect)).collect();
            same("told", Some(expected), Some(&told))?;
        }
        self.misfits(&arrivals)
    }

    /// Lets the story happen: facts come when they are learnt, the desk wakes when it must, and looks in between.
    fn live(&self, arrivals: &[(UnixMs, MatterFact)]) -> Result<Vec<(UnixMs, Effect)>, String> {
        let mut told = Vec::new();
        let mut ledger = Ledger::default();
        let mut looks: Vec<&Look> = self.story.look.iter().collect();
        looks.sort_by_key(|look| self.time(&look.at));
        let end = looks.last().map_or(arrivals[arrivals.len() - 1].0, |look| self.time(&look.at));
        let mut moments: Vec<UnixMs> = arrivals.iter().map(|(at, _)| *at).collect();
        moments.extend(looks.iter().map(|look| self.time(&look.at)));
        moments.sort_unstable();
        moments.dedup();
        for (n, moment) in moments.iter().enumerate() {
            let facts = arrivals.iter().filter(|(learnt, _)| learnt <= moment).map(|(_, fact)| fact.clone());
            let matter = fold(facts.collect(), &self.pack)?.ok_or("no matter was found")?;
            let until = moments.get(n + 1).copied().unwrap_or(end);
            let mut standing = Standing { matter, ledger };
            told.extend(advance(&mut standing, *moment).into_iter().map(|effect| (*moment, effect)));
            for look in looks.iter().filter(|look| self.time(&look.at) == *moment) {
                self.look(look, &standing).map_err(|difference| format!("at {}: {difference}", look.at))?;
            }
            ledger = wake(standing, (*moment, until), &mut told);
        }
        Ok(told)
    }
}

/// Advances from a moment on, and at every wake-up until the next one that something happens at.
fn wake(mut standing: Standing, (from, until): (UnixMs, UnixMs), told: &mut Vec<(UnixMs, Effect)>) -> Ledger {
    let mut now = from;
    for _ in 0..WAKES_MAX {
        told.extend(advance(&mut standing, now).into_iter().map(|effect| (now, effect)));
        assert_eq!(advance(&mut standing, now), [], "a second call at the same time says nothing");
        match next_wake(&standing, now).filter(|next| *next < until) {
            Some(next) => now = next,
            None => return standing.ledger,
        }
    }
    panic!("the desk never sleeps");
}
