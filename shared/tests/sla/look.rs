//! Compares what a desk sees with what a story says.

use linewatch_shared::rules::{format_duration, parse_duration};
use linewatch_shared::sla::{
    Allowance, Carried, Deadline, DeadlineKind, Effect, Fault, Status, deadlines, fold,
};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::desk::Desk;
use crate::scenario::Teller;
use crate::written::Look;

impl Teller<'_> {
    pub fn look(&self, desk: &mut Desk, from: UnixMs, look: &Look) -> Result<UnixMs, String> {
        let now = self.clock.time(&look.at);
        desk.run_until(from, now);
        let what = |what: &str| format!("at {}: {what}", look.at);
        if let Some(expected) = &look.faults {
            let found =
                desk.states.iter().map(|s| format!("{} {}", self.name(s.fault.id), s.fault.state.name()));
            compare(&what("faults"), expected, &found.collect::<Vec<_>>())?;
        }
        if let Some(expected) = &look.owed {
            compare(&what("owed"), expected, &self.owed(desk, now))?;
        }
        let figures = desk.figures(now);
        if let Some(expected) = &look.outage {
            let found = figures.interruption.ms;
            compare(
                &what("outage in ms"),
                &[parse_duration(expected).unwrap_or(0).to_string()],
                &[found.to_string()],
            )?;
        }
        if let Some(expected) = look.count {
            compare(&what("count"), &[expected.to_string()], &[figures.repeat_count.to_string()])?;
        }
        if let Some(expected) = &look.exhausted {
            let last = desk.allowances(now).into_iter().rfind(|a| a.kind == DeadlineKind::Interruption);
            let at = last.unwrap().figures(&desk.outages(), now).exhausted_at;
            let found = at.map_or("never".to_owned(), |at| self.clock.text(at));
            compare(&what("exhausted"), std::slice::from_ref(expected), &[found])?;
        }
        if let Some(expected) = &look.allowances {
            compare(&what("allowances"), expected, &self.allowances(desk, now))?;
        }
        if let Some(expected) = &look.misfits {
            let found = desk
                .states
                .iter()
                .flat_map(|state| &state.fault.facts)
                .filter(|placed| placed.misfit.is_some());
            let found: Vec<String> = found.map(|placed| self.name(placed.id).to_owned()).collect();
            compare(&what("misfits"), expected, &found)?;
        }
        if let Some(expected) = &look.follows {
            let found =
                desk.states.iter().map(|s| s.fault.follows.map_or("nothing", |id| self.name(id)).to_owned());
            compare(&what("follows"), expected, &found.collect::<Vec<_>>())?;
        }
        self.look_closer(desk, now, look)?;
        Ok(now)
    }

    fn look_closer(&self, desk: &Desk, now: UnixMs, look: &Look) -> Result<(), String> {
        let what = |what: &str| format!("at {}: {what}", look.at);
        let faults = || desk.states.iter().map(|state| &state.fault);
        let lengths =
            |of: fn(&Fault, UnixMs) -> i64| faults().map(|f| length(of(f, now))).collect::<Vec<_>>();
        if let Some(expected) = &look.gross {
            compare(&what("gross"), expected, &lengths(Fault::gross_ms))?;
        }
        if let Some(expected) = &look.net {
            compare(&what("net"), expected, &lengths(Fault::net_ms))?;
        }
        if let Some(expected) = &look.aliases {
            let names = |f: &Fault| f.aliases.iter().map(|id| self.name(*id)).collect::<Vec<_>>().join(" ");
            compare(&what("aliases"), expected, &faults().map(names).collect::<Vec<_>>())?;
        }
        if let Some(expected) = &look.history {
            compare(&what("history"), expected, &self.history(desk, now))?;
        }
        if let Some(expected) = &look.possible {
            let found = faults().next_back().map(|fault| fault.possible(now)).unwrap_or_default();
            compare(&what("possible"), expected, &found.into_iter().map(str::to_owned).collect::<Vec<_>>())?;
        }
        if let Some(expected) = &look.line {
            let folded = fold(desk.facts.clone(), &desk.rules, &Carried::default());
            compare(&what("line"), std::slice::from_ref(expected), &[folded.line_state.name().to_owned()])?;
        }
        Ok(())
    }

    fn history(&self, desk: &Desk, now: UnixMs) -> Vec<String> {
        let mut all = Vec::new();
        for state in &desk.states {
            for deadline in deadlines(&state.fault, now) {
                let Some(entry) = state.ledger.entry(deadline.kind, deadline.period) else { continue };
                let past: Vec<String> = entry
                    .history
                    .iter()
                    .map(|p| {
                        format!(
                            "{} {} (learnt {})",
                            p.verdict.name(),
                            self.clock.text(p.at),
                            self.clock.text(p.learnt_at)
                        )
                    })
                    .collect();
                if !past.is_empty() {
                    let fault = self.name(state.fault.id);
                    all.push(format!("{fault} {}: {}", deadline.kind.name(), past.join(", ")));
                }
            }
        }
        all
    }

    fn owed(&self, desk: &Desk, now: UnixMs) -> Vec<String> {
        let several = desk.states.len() > 1;
        let mut all = Vec::new();
        for state in &desk.states {
            for deadline in deadlines(&state.fault, now) {
                let fault = if several { format!("{} ", self.name(state.fault.id)) } else { String::new() };
                all.push(format!("{fault}{}", self.deadline(&deadline, now)));
            }
        }
        all
    }

    fn deadline(&self, deadline: &Deadline, now: UnixMs) -> String {
        let status = deadline.status(now);
        let met_at = match status {
            Status::Met { met_at } | Status::Missed { met_at: Some(met_at) } => {
                format!(" {}", self.clock.text(met_at))
            }
            _ => String::new(),
        };
        let due_at = self.clock.text(deadline.due_at);
        format!("{} {} due {due_at}{met_at}", deadline.kind.name(), status.name())
    }

    fn allowances(&self, desk: &Desk, now: UnixMs) -> Vec<String> {
        let outages = desk.outages();
        let one = |allowance: Allowance| {
            let left_ms = allowance.figures(&outages, now).left_ms();
            let left = if left_ms < 0 { format!("-{}", length(-left_ms)) } else { length(left_ms) };
            format!("{}, {left} left", self.deadline(&allowance.deadline(&outages, now), now))
        };
        desk.allowances(now).into_iter().map(one).collect()
    }

    pub fn told(&self, told: &[(UnixMs, Effect)]) -> Vec<String> {
        let line = |(now, effect): &(UnixMs, Effect)| {
            let late = if effect.late { " late" } else { "" };
            format!("{} {} {}{late}", self.clock.text(*now), effect.key.kind.name(), effect.key.mark)
        };
        told.iter().map(line).collect()
    }

    fn name(&self, id: Uuid) -> &str {
        self.names.iter().find(|(known, _)| *known == id).map_or("?", |(_, name)| name)
    }
}

fn length(ms: i64) -> String {
    if ms == 0 { "0".to_owned() } else { format_duration(ms) }
}

pub fn compare(what: &str, expected: &[String], found: &[String]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!("  {what}\n    expected: {expected:#?}\n    found:    {found:#?}"))
}
