//! How a story is written, and the facts, rules and planned work that it means.

use std::sync::Arc;

use chrono::NaiveDate;
use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Callback, Channel, Reopening, Step, StepKind};
use linewatch_shared::rules::{Pack, SHIPPED};
use linewatch_shared::sla::{Event, Fact, LineRules, LineTerms, PackVersion, Window};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use crate::scenario::Teller;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What is shown.
    pub title: String,
    /// The rulebook's words.
    pub rule: String,
    #[serde(default = "day")]
    pub day: NaiveDate,
    #[serde(default = "tier")]
    pub tier: String,
    /// Keys of the pack's head to change, such as `clock_starts`.
    #[serde(default)]
    pub pack: toml::Table,
    /// Keys of the tier to change; an empty text takes one away.
    #[serde(default)]
    pub limits: toml::Table,
    /// Tier of the line from a moment on, beside the first one.
    #[serde(default)]
    pub terms: Vec<TermsLine>,
    /// Planned work on the line.
    #[serde(default)]
    pub window: Vec<WindowLine>,
    pub fact: Vec<FactLine>,
    #[serde(default)]
    pub look: Vec<Look>,
    /// Every effect: `when what mark [late]`.
    pub told: Option<Vec<String>>,
    /// The same of the allowances of interruption.
    pub warned: Option<Vec<String>>,
    /// The availability that the pack promises, as it is written there.
    pub availability: Option<toml::Table>,
    /// Since when the line serves.
    pub in_service: Option<String>,
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

fn tier() -> String {
    "AAA".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsLine {
    pub from: String,
    pub tier: String,
    /// False: from then on nothing is promised.
    pub promised: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowLine {
    pub from: String,
    pub to: String,
    pub applied: String,
    pub announced: Option<String>,
    /// When the desk got to know of it (default: when it was applied for), and when it was called off.
    pub learnt: Option<String>,
    pub cancelled: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactLine {
    pub at: String,
    pub is: String,
    /// A name for the fact, by which steps name its fault; the first fact's is `f`.
    pub id: Option<String>,
    /// The fault that a step names (default `f`).
    pub of: Option<String>,
    pub learnt: Option<String>,
    pub agent: Option<String>,
    pub until: Option<String>,
    pub cause: Option<String>,
    /// The fault into which a merge goes.
    pub into: Option<String>,
    /// The facts that a split takes out.
    pub reports: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    pub at: String,
    /// `id state`, each fault in the order of their starts.
    pub faults: Option<Vec<String>>,
    /// `[id] kind state due [met]`.
    pub owed: Option<Vec<String>>,
    pub outage: Option<String>,
    pub count: Option<u32>,
    pub exhausted: Option<String>,
    /// `kind state due [met], length left` of each allowance of interruption.
    pub allowances: Option<Vec<String>>,
    pub misfits: Option<Vec<String>>,
    pub follows: Option<Vec<String>>,
    /// Time without service of each fault, and the time that its restoration took without pauses.
    pub gross: Option<Vec<String>>,
    pub net: Option<Vec<String>>,
    /// Ids that answer, beside its own, for each fault.
    pub aliases: Option<Vec<String>>,
    /// `[id] kind: verdict at (learnt at), …` of each deadline that was ever decided.
    pub history: Option<Vec<String>>,
    /// The steps that fit the last fault.
    pub possible: Option<Vec<String>>,
    pub line: Option<String>,
}

pub fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

pub fn name(number: usize, line: &FactLine) -> String {
    line.id.clone().unwrap_or_else(|| if number == 0 { "f".to_owned() } else { format!("#{number}") })
}

impl Teller<'_> {
    /// When a window is learnt of, and when it is called off.
    pub fn turns(&self, line: &WindowLine) -> Vec<UnixMs> {
        let learnt = line.learnt.as_ref().unwrap_or(&line.applied);
        std::iter::once(learnt).chain(&line.cancelled).map(|at| self.clock.time(at)).collect()
    }

    /// The planned work that the desk knows of at a moment.
    fn windows(&self, now: UnixMs) -> Vec<Window> {
        let mut windows = Vec::new();
        for (number, line) in self.story.window.iter().enumerate() {
            let turns = self.turns(line);
            if turns[0] <= now && turns.get(1).is_none_or(|cancelled| *cancelled > now) {
                windows.push(Window {
                    id: id(1_000 + number),
                    from: self.clock.time(&line.from),
                    to: self.clock.time(&line.to),
                    applied_at: self.clock.time(&line.applied),
                    announced_at: line.announced.as_ref().map(|at| self.clock.time(at)),
                });
            }
        }
        windows
    }

    pub fn rules(&self, now: UnixMs) -> LineRules {
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
        if let Some(promise) = &self.story.availability {
            text.insert("availability".to_owned(), promise.clone().into());
        }
        let pack = Pack::parse(&toml::to_string(&text).unwrap(), "story").unwrap();
        let terms = |valid_from, tier: &str, promised| LineTerms {
            valid_from,
            customer: "C1".to_owned(),
            pack: "group-line".to_owned(),
            tier: tier.to_owned(),
            service: String::new(),
            owner: "own".to_owned(),
            promised,
        };
        let mut all = vec![terms(UnixMs(0), &self.story.tier, true)];
        let later =
            |line: &TermsLine| terms(self.clock.time(&line.from), &line.tier, line.promised.unwrap_or(true));
        all.extend(self.story.terms.iter().map(later));
        let rules = LineRules::new("L1", all, [PackVersion { valid_from: UnixMs(0), pack: Arc::new(pack) }]);
        rules.unwrap().with_windows(self.windows(now))
    }

    pub fn fact(&self, number: usize, line: &FactLine) -> Fact {
        Fact { id: id(number), occurred_at: self.clock.time(&line.at), event: self.event(line) }
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
            "arrived" => StepKind::Arrived,
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
                until: self.clock.time(line.until.as_deref().unwrap()),
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
}
