//! Reads a story and lets it happen.
//!
//! Times are a [`StoryClock`]'s. A fact is `{ at, is, … }`; `learnt` says when the desk got it (default: `at`). A look is
//! what the desk should see at a moment; texts are compared word by word.

use std::path::Path;

use linewatch_shared::sla::Fact;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::common::StoryClock;
use crate::desk::Desk;
use crate::look::compare;
use crate::written::{Story, id, name};

pub fn check(file: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let story: Story =
        toml::from_str(&std::fs::read_to_string(file).unwrap()).map_err(|e| format!("{name}: {e}"))?;
    assert!(!story.rule.is_empty(), "{name}: a story names its rule");
    Teller::new(&story).tell().map_err(|difference| format!("{name}: {}\n{difference}", story.title))
}

pub struct Teller<'a> {
    pub story: &'a Story,
    pub clock: StoryClock,
    pub names: Vec<(Uuid, String)>,
}

impl<'a> Teller<'a> {
    fn new(story: &'a Story) -> Self {
        let clock = StoryClock { zone: chrono_tz::Asia::Shanghai, day: story.day };
        Self { story, clock, names: Vec::new() }
    }

    fn tell(mut self) -> Result<(), String> {
        self.names = self
            .story
            .fact
            .iter()
            .enumerate()
            .map(|(number, line)| (id(number), name(number, line)))
            .collect();
        let mut facts: Vec<(UnixMs, Option<Fact>)> = Vec::new();
        for (number, line) in self.story.fact.iter().enumerate() {
            let fact = self.fact(number, line);
            let learnt = line.learnt.as_ref().map_or(fact.occurred_at, |at| self.clock.time(at));
            facts.push((learnt, Some(fact)));
        }
        facts.extend(self.story.window.iter().flat_map(|line| self.turns(line)).map(|at| (at, None)));
        facts.sort_by_key(|(learnt, _)| *learnt);
        let mut desk = Desk::new(self.rules(UnixMs(0)));
        desk.in_service = self.story.in_service.as_ref().map_or(UnixMs(0), |at| self.clock.time(at));
        desk.work_ends = self.story.window.iter().map(|line| self.clock.time(&line.to)).collect();
        let mut looks = self.story.look.iter().peekable();
        let mut now = facts[0].0;
        for batch in facts.chunk_by(|a, b| a.0 == b.0) {
            let learnt = batch[0].0;
            while let Some(look) = looks.next_if(|look| self.clock.time(&look.at) < learnt) {
                now = self.look(&mut desk, now, look)?;
            }
            desk.run_until(now, learnt);
            desk.rules = self.rules(learnt);
            desk.learn(batch.iter().filter_map(|(_, fact)| fact.clone()), learnt);
            now = learnt;
        }
        for look in looks {
            now = self.look(&mut desk, now, look)?;
        }
        if let Some(expected) = &self.story.told {
            compare("told", expected, &self.told(&desk.told))?;
        }
        match &self.story.warned {
            Some(expected) => compare("warned", expected, &self.told(&desk.warned)),
            None => Ok(()),
        }
    }
}
