//! Compares what is found with what a story says.

use linewatch_shared::matter::{MatterFact, Standing, deadlines, fold};
use linewatch_shared::sla::{Deadline, Effect, Ledger, Status};
use linewatch_shared::time::UnixMs;

use crate::story::{Teller, id};
use crate::written::Look;

impl Teller<'_> {
    pub fn look(&self, look: &Look, Standing { matter, ledger }: &Standing) -> Result<(), String> {
        let now = self.time(&look.at);
        same("state", look.state.as_deref(), look.state.as_ref().map(|_| matter.state.name()))?;
        same("class", look.class.as_ref(), look.class.as_ref().map(|_| &matter.class))?;
        same("level", look.level, look.level.map(|_| matter.level))?;
        same("wrong", look.wrong.as_ref(), look.wrong.as_ref().map(|_| &matter.failed_points))?;
        same("owner", look.owner.as_ref(), look.owner.as_ref().map(|_| &matter.owner))?;
        same("repeats", look.repeats, look.repeats.map(|_| matter.repeats.len()))?;
        same("exempted", look.exempted, look.exempted.map(|_| matter.exemption.is_some()))?;
        let planned = look.planned.as_ref().and(matter.planned_at).map(|at| self.text(at));
        same("planned", look.planned.as_ref(), planned.as_ref())?;
        let possible = matter.possible(now);
        let odd = |step: &&String| possible.contains(&step.as_str()) == look.impossible.contains(step);
        if let Some(step) = look.possible.iter().chain(&look.impossible).find(odd) {
            return Err(format!("\"{step}\" among what is possible: {}", possible.join(", ")));
        }
        let list = deadlines(matter, now);
        let owed: Vec<String> = list.iter().map(|deadline| self.owed(deadline, now)).collect();
        if let Some(missing) = look.has.iter().find(|line| !owed.contains(line)) {
            return Err(format!("\"{missing}\" is not among what is owed: {owed:#?}"));
        }
        same("owed", look.owed.as_ref(), look.owed.as_ref().map(|_| &owed))?;
        same("history", Some(&look.history), Some(&self.history(look, &list, ledger)))
    }

    fn history(&self, look: &Look, list: &[Deadline], ledger: &Ledger) -> Vec<String> {
        let named = |deadline: &&Deadline| {
            let kind = format!("{} ", deadline.kind.name());
            look.history.iter().any(|line| line.starts_with(&kind))
        };
        let entries = list.iter().filter(named).filter_map(|deadline| {
            Some((deadline.kind.name(), ledger.entry(deadline.kind, deadline.period)?))
        });
        entries
            .flat_map(|(kind, entry)| entry.history.iter().map(move |past| (kind, past)))
            .map(|(kind, past)| {
                let (at, learnt) = (self.text(past.at), self.text(past.learnt_at));
                format!("{kind} {} at {at} learnt {learnt}", past.verdict.name())
            })
            .collect()
    }

    fn owed(&self, deadline: &Deadline, now: UnixMs) -> String {
        let status = deadline.status(now);
        let due =
            if deadline.due_at == UnixMs::MAX { "never".to_owned() } else { self.text(deadline.due_at) };
        let mut text = format!("{} {} due {due}", deadline.kind.name(), status.name());
        if let Status::Met { met_at } | Status::Missed { met_at: Some(met_at) } = status {
            text = format!("{text} met {}", self.text(met_at));
        }
        text
    }

    pub fn effect(&self, now: UnixMs, effect: &Effect) -> String {
        let late = if effect.late { " late" } else { "" };
        format!("{} {} {}{late}", self.text(now), effect.key.kind.name(), effect.key.mark)
    }

    pub fn misfits(&self, arrivals: &[(UnixMs, MatterFact)]) -> Result<(), String> {
        let facts = arrivals.iter().map(|(_, fact)| fact.clone()).collect();
        let matter = fold(facts, &self.pack)?.ok_or("no matter was found")?;
        let found = (1..=self.story.step.len()).filter_map(|n| Some((n, matter.misfit(id(n))?)));
        let found: Vec<(usize, &str)> = found.collect();
        let expected: Vec<(usize, &str)> = self
            .story
            .misfits
            .iter()
            .map(|line| {
                let (number, reason) = line.split_once(' ').unwrap();
                (number.trim_start_matches('#').parse().unwrap(), reason)
            })
            .collect();
        let fits = found.len() == expected.len()
            && found
                .iter()
                .zip(&expected)
                .all(|((n, why), (number, part))| n == number && why.contains(part));
        if fits { Ok(()) } else { Err(format!("misfits: expected {expected:?}\n          found {found:?}")) }
    }
}

pub fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: Option<T>,
    found: Option<T>,
) -> Result<(), String> {
    let pair = (expected, found);
    if pair.0 == pair.1 {
        return Ok(());
    }
    let (expected, found) = pair;
    Err(format!(
        "{what}: expected {expected:#?}
found {found:#?}"
    ))
}
