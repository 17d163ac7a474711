//! Reads a story and compares what the desk makes of it.
//!
//! Times are `HH:MM[:SS]` of the story's `day` in the pack's time zone, with `+N` days in front where
//! needed (`+2 09:30`, `-1 23:00`). A fact is `{ at, is, … }`; `learnt` says when the desk got it (default:
//! `at`). A look is what the desk should see at a moment; texts are compared word by word.

use std::path::Path;
use std::sync::Arc;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Callback, Channel, Reopening, Step, StepKind};
use linewatch_shared::rules::{Pack, SHIPPED, format_duration, parse_duration};
use linewatch_shared::sla::{
    Carried, Deadline, Event, Fact, Fault, LineRules, LineTerms, PackVersion, Status, Window, deadlines, fold,
};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use super::desk::Desk;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// What is shown.
    title: String,
    /// The rulebook's words.
    rule: String,
    #[serde(default = "day")]
    day: NaiveDate,
    #[serde(default = "tier")]
    tier: String,
    /// Keys of the pack's head to change, such as `clock_starts`.
    #[serde(default)]
    pack: toml::Table,
    /// Keys of the tier to change; an empty text takes one away.
    #[serde(default)]
    limits: toml::Table,
    /// Tier of the line from a moment on, beside the first one.
    #[serde(default)]
    terms: Vec<TermsLine>,
    /// Planned work on the line.
    #[serde(default)]
    window: Vec<WindowLine>,
    fact: Vec<FactLine>,
    #[serde(default)]
    look: Vec<Look>,
    /// Every effect: `when what mark [late]`.
    told: Option<Vec<String>>,
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

fn tier() -> String {
    "AAA".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsLine {
    from: String,
    tier: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowLine {
    from: String,
    to: String,
    applied: String,
    announced: Option<String>,
    /// When the desk got to know of it (default: when it was applied for), and when it was called off.
    learnt: Option<String>,
    cancelled: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactLine {
    at: String,
    is: String,
    /// A name for the fact, by which steps name its fault; the first fact's is `f`.
    id: Option<String>,
    /// The fault that a step names (default `f`).
    of: Option<String>,
    learnt: Option<String>,
    agent: Option<String>,
    until: Option<String>,
    cause: Option<String>,
    /// The fault into which a merge goes.
    into: Option<String>,
    /// The facts that a split takes out.
    reports: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    at: String,
    /// `id state`, each fault in the order of their starts.
    faults: Option<Vec<String>>,
    /// `[id] kind state due [met]`.
    owed: Option<Vec<String>>,
    outage: Option<String>,
    count: Option<u32>,
    exhausted: Option<String>,
    misfits: Option<Vec<String>>,
    follows: Option<Vec<String>>,
    /// Time without service of each fault, and the time that its restoration took without pauses.
    gross: Option<Vec<String>>,
    net: Option<Vec<String>>,
    /// Ids that answer, beside its own, for each fault.
    aliases: Option<Vec<String>>,
    /// `[id] kind: verdict at (learnt at), …` of each deadline that was ever decided.
    history: Option<Vec<String>>,
    /// The steps that fit the last fault.
    possible: Option<Vec<String>>,
    line: Option<String>,
}

pub fn check(file: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let story: Story =
        toml::from_str(&std::fs::read_to_string(file).unwrap()).map_err(|e| format!("{name}: {e}"))?;
    assert!(!story.rule.is_empty(), "{name}: a story names its rule");
    Teller::new(&story).tell().map_err(|difference| format!("{name}: {}\n{difference}", story.title))
}

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

fn name(number: usize, line: &FactLine) -> String {
    line.id.clone().unwrap_or_else(|| if number == 0 { "f".to_owned() } else { format!("#{number}") })
}

struct Teller<'a> {
    story: &'a Story,
    zone: Tz,
    names: Vec<(Uuid, String)>,
}

impl<'a> Teller<'a> {
    fn new(story: &'a Story) -> Self {
        Self { story, zone: chrono_tz::Asia::Shanghai, names: Vec::new() }
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
            let learnt = line.learnt.as_ref().map_or(fact.occurred_at, |at| self.time(at));
            facts.push((learnt, Some(fact)));
        }
        facts.extend(self.story.window.iter().flat_map(|line| self.turns(line)).map(|at| (at, None)));
        facts.sort_by_key(|(learnt, _)| *learnt);
        let mut desk = Desk::new(self.rules(UnixMs(0)));
        desk.work_ends = self.story.window.iter().map(|line| self.time(&line.to)).collect();
        let mut looks = self.story.look.iter().peekable();
        let mut now = facts[0].0;
        for batch in facts.chunk_by(|a, b| a.0 == b.0) {
            let learnt = batch[0].0;
            while let Some(look) = looks.next_if(|look| self.time(&look.at) < learnt) {
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
        match &self.story.told {
            Some(expected) => compare("told", expected, &self.told(&desk)),
            None => Ok(()),
        }
    }

    /// When a window is learnt of, and when it is called off.
    fn turns(&self, line: &WindowLine) -> Vec<UnixMs> {
        let learnt = line.learnt.as_ref().unwrap_or(&line.applied);
        std::iter::once(learnt).chain(&line.cancelled).map(|at| self.time(at)).collect()
    }

    /// The planned work that the desk knows of at a moment.
    fn windows(&self, now: UnixMs) -> Vec<Window> {
        let mut windows = Vec::new();
        for (number, line) in self.story.window.iter().enumerate() {
            let turns = self.turns(line);
            if turns[0] <= now && turns.get(1).is_none_or(|cancelled| *cancelled > now) {
                windows.push(Window {
                    id: id(1_000 + number),
                    from: self.time(&line.from),
                    to: self.time(&line.to),
                    applied_at: self.time(&line.applied),
                    announced_at: line.announced.as_ref().map(|at| self.time(at)),
                });
            }
        }
        windows
    }

    fn rules(&self, now: UnixMs) -> LineRules {
        let mut text: toml::Table = toml::from_str(SHIPPED[0].1).unwrap();
        let head = text.get_mut("pack").unwrap().as_table_mut().unwrap();
        head.extend(self.story.pack.clone());
        for tier in text.get_mut("tier").unwrap().as_array_mut().unwrap() {
            let tier = tier.as_table_mut().unwrap();
            for (key, value) in &self.story.limits {
                tier.insert(key.clone(), value.clone());
                tier.retain(|_, value| value.as_str() != Some(""));
            }
        }
        let pack = Pack::parse(&toml::to_string(&text).unwrap(), "story").unwrap();
        let terms = |valid_from, tier: &str| LineTerms {
            valid_from,
            customer: "C1".to_owned(),
            pack: "group-line".to_owned(),
            tier: tier.to_owned(),
            service: String::new(),
            owner: "own".to_owned(),
        };
        let mut all = vec![terms(UnixMs(0), &self.story.tier)];
        all.extend(self.story.terms.iter().map(|line| terms(self.time(&line.from), &line.tier)));
        let rules = LineRules::new("L1", all, [PackVersion { valid_from: UnixMs(0), pack: Arc::new(pack) }]);
        rules.unwrap().with_windows(self.windows(now))
    }

    fn fact(&self, number: usize, line: &FactLine) -> Fact {
        Fact { id: id(number), occurred_at: self.time(&line.at), event: self.event(line) }
    }

    fn event(&self, line: &FactLine) -> Event {
        let agent = line.agent.clone().unwrap_or_else(|| "own".to_owned());
        let evidence = |state| Event::Evidence { agent, state };
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "customer_access".to_owned());
        let kind = match line.is.as_str() {
            "down" => return evidence(LineState::Down),
            "up" => return evidence(LineState::Up),
            "unknown" => return evidence(LineState::Unknown),
            "degraded" => return evidence(LineState::Degraded),
            "reported" => {
                let (reporter, description) = (String::new(), String::new());
                return Event::Report { channel: Channel::Hotline, reporter, description };
            }
            "suspected" => return Event::Suspected,
            "cleared" => return Event::Cleared,
            "acknowledged" => StepKind::Acknowledged,
            "dispatched" => StepKind::Dispatched,
            "restored" => StepKind::Restored,
            "repaired" => StepKind::Repaired,
            "told the customer" => StepKind::Feedback { reached: true },
            "called in vain" => StepKind::Feedback { reached: false },
            "satisfied" => StepKind::Callback(Callback::Satisfied),
            "unsatisfied" => StepKind::Callback(Callback::Unsatisfied),
            "still down" => StepKind::Callback(Callback::StillDown),
            "not reached" => StepKind::Callback(Callback::NotReached),
            "never came back" => StepKind::Reopened { reason: String::new(), case: Reopening::NeverCameBack },
            "failed again" => StepKind::Reopened { reason: String::new(), case: Reopening::FailedAgain },
            "paused" => StepKind::Paused {
                cause: text(&line.cause),
                reason: String::new(),
                until: self.time(line.until.as_deref().unwrap()),
                evidence: String::new(),
                grantor: "supervisor".to_owned(),
            },
            "resumed" => StepKind::Resumed,
            "exempted" => StepKind::Exempted { cause: text(&line.cause), grantor: "supervisor".to_owned() },
            "closed unconfirmed" => StepKind::ClosedUnconfirmed {
                reason: "nobody answers".to_owned(),
                by: "supervisor".to_owned(),
            },
            "merged" => StepKind::Merged { into: self.id_of(line.into.as_deref().unwrap()) },
            "split" => StepKind::Split {
                reports: line.reports.as_ref().unwrap().iter().map(|name| self.id_of(name)).collect(),
            },
            "note" => StepKind::Note { text: String::new() },
            other => panic!("a story does not know \"{other}\""),
        };
        let fault = self.id_of(line.of.as_deref().unwrap_or("f"));
        Event::Step(Step { fault, kind, note: None })
    }

    /// The fact of that name; of no fact at all where the story has none.
    fn id_of(&self, name: &str) -> Uuid {
        self.names.iter().find(|(_, known)| known == name).map_or(Uuid::from_u128(u128::MAX), |(id, _)| *id)
    }

    fn time(&self, text: &str) -> UnixMs {
        let (days, clock) = match text.split_once(' ') {
            Some((days, clock)) => (days.parse::<i64>().unwrap_or_else(|_| panic!("time {text}")), clock),
            None => (0, text),
        };
        let seconds = if clock.matches(':').count() == 1 { format!("{clock}:00") } else { clock.to_owned() };
        let clock =
            NaiveTime::parse_from_str(&seconds, "%H:%M:%S%.f").unwrap_or_else(|_| panic!("time {text}"));
        let day = if days < 0 {
            self.story.day - Days::new(days.unsigned_abs())
        } else {
            self.story.day + Days::new(days.unsigned_abs())
        };
        UnixMs(self.zone.from_local_datetime(&day.and_time(clock)).unwrap().timestamp_millis())
    }

    /// The inverse of `time`.
    fn clock(&self, at: UnixMs) -> String {
        let local = at.to_utc().with_timezone(&self.zone);
        let days = (local.date_naive() - self.story.day).num_days();
        let clock = match at.0 % 60_000 {
            0 => local.format("%H:%M"),
            rest if rest % 1_000 == 0 => local.format("%H:%M:%S"),
            _ => local.format("%H:%M:%S%.3f"),
        };
        if days == 0 { clock.to_string() } else { format!("{days:+} {clock}") }
    }

    fn name(&self, id: Uuid) -> &str {
        self.names.iter().find(|(known, _)| *known == id).map_or("?", |(_, name)| name)
    }

    fn look(&self, desk: &mut Desk, from: UnixMs, look: &Look) -> Result<UnixMs, String> {
        let now = self.time(&look.at);
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
            let limit = desk.rules.pack_at(now).1.interruption_per_year_at_most_ms.unwrap();
            let found = figures.exhausted_at(limit, now).map_or("never".to_owned(), |at| self.clock(at));
            compare(&what("exhausted"), std::slice::from_ref(expected), &[found])?;
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
                            self.clock(p.at),
                            self.clock(p.learnt_at)
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
                format!(" {}", self.clock(met_at))
            }
            _ => String::new(),
        };
        let due_at = self.clock(deadline.due_at);
        format!("{} {} due {due_at}{met_at}", deadline.kind.name(), status.name())
    }

    fn told(&self, desk: &Desk) -> Vec<String> {
        let line = |(now, effect): &(UnixMs, linewatch_shared::sla::Effect)| {
            let late = if effect.late { " late" } else { "" };
            format!("{} {} {}{late}", self.clock(*now), effect.key.kind.name(), effect.key.mark)
        };
        desk.told.iter().map(line).collect()
    }
}

fn length(ms: i64) -> String {
    if ms == 0 { "0".to_owned() } else { format_duration(ms) }
}

fn compare(what: &str, expected: &[String], found: &[String]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!("  {what}\n    expected: {expected:#?}\n    found:    {found:#?}"))
}
