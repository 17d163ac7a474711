//! How a story is written, and the facts that it means.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use linewatch_shared::facts::Callback;
use linewatch_shared::matter::{
    Certificate, MatterEvent, MatterFact, MatterStep, Opening, Papers, PermitGrant, Point, Side, period,
};
use linewatch_shared::rules::{Checklist, Every, MatterKind, Reading};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;

use crate::story::{Teller, id};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What is shown.
    pub title: String,
    /// The rulebook's words.
    pub rule: String,
    #[serde(default = "day")]
    pub day: NaiveDate,
    /// A shipped pack's name.
    pub pack: String,
    /// Text to put in the place of text in the pack.
    #[serde(default)]
    pub change: Vec<[String; 2]>,
    pub kind: String,
    /// The class, or the cadence of a round.
    pub class: String,
    /// When it was opened; a round is opened with the period in which this lies.
    pub opened: String,
    /// When the desk learnt of the opening, where that was later.
    pub learnt: Option<String>,
    pub wanted_by: Option<String>,
    pub unit: Option<String>,
    /// Why the opening is refused.
    pub refused: Option<String>,
    #[serde(default)]
    pub step: Vec<StepLine>,
    #[serde(default)]
    pub look: Vec<Look>,
    /// Every effect: `when what mark [late]`.
    pub told: Option<Vec<String>>,
    /// Why steps had no effect: `#number part of the reason`.
    #[serde(default)]
    pub misfits: Vec<String>,
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepLine {
    pub at: String,
    pub is: String,
    pub learnt: Option<String>,
    pub until: Option<String>,
    pub class: Option<String>,
    pub level: Option<u32>,
    pub owner: Option<String>,
    pub supervisor: Option<String>,
    pub mode: Option<String>,
    pub cause: Option<String>,
    /// Points of the checklist that are wrong; the others are well. `*` leaves the first one out.
    #[serde(default)]
    pub wrong: Vec<String>,
    /// What was measured, where it is not simply within its range; `~` for nothing.
    #[serde(default)]
    pub reading: BTreeMap<String, toml::Value>,
    /// Who signed, `sample` unless said otherwise.
    pub name: Option<String>,
    pub permit: Option<PermitLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermitLine {
    pub until: String,
    pub ticket: Option<String>,
    #[serde(default)]
    pub briefing: bool,
    /// `name until`.
    #[serde(default)]
    pub certificates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    pub at: String,
    pub state: Option<String>,
    pub class: Option<String>,
    pub level: Option<u32>,
    pub owner: Option<String>,
    pub repeats: Option<usize>,
    pub planned: Option<String>,
    pub exempted: Option<bool>,
    /// `kind state due [met]`.
    pub owed: Option<Vec<String>>,
    #[serde(default)]
    pub has: Vec<String>,
    pub wrong: Option<Vec<String>>,
    /// Steps that fit now, and such as do not.
    #[serde(default)]
    pub possible: Vec<String>,
    #[serde(default)]
    pub impossible: Vec<String>,
    /// Every verdict so far on the kinds that are named here: `kind verdict at time learnt time`.
    #[serde(default)]
    pub history: Vec<String>,
}

impl Teller<'_> {
    pub fn opening(&self) -> MatterFact {
        let story = self.story;
        let kind = MatterKind::from_name(&story.kind).unwrap_or_else(|| panic!("no kind {}", story.kind));
        let opened = self.time(&story.opened);
        let cadence = self.pack.cadences.iter().find(|cadence| cadence.name == story.class);
        let comes_round = cadence.filter(|cadence| cadence.every != Every::Once);
        let round = comes_round.map(|cadence| period(cadence.every, opened, self.clock.zone));
        let opening = Opening {
            kind,
            class: story.class.clone(),
            customer: "bank".to_owned(),
            line: None,
            site: None,
            title: "sample".to_owned(),
            description: String::new(),
            reporter: String::new(),
            owner: "manager-1".to_owned(),
            first_receiver: "desk-1".to_owned(),
            unit: story.unit.clone(),
            wanted_by: story.wanted_by.as_ref().map(|at| self.time(at)).or(round.map(|(_, due)| due)),
            about: None,
            equipment: None,
        };
        let event = MatterEvent::Opened(Box::new(opening));
        MatterFact { id: id(0), occurred_at: opened, event }
    }

    pub fn step(&self, number: usize, line: &StepLine) -> Result<MatterFact, String> {
        let event = MatterEvent::Step(self.kind(line)?);
        Ok(MatterFact { id: id(number), occurred_at: self.time(&line.at), event })
    }

    fn kind(&self, line: &StepLine) -> Result<MatterStep, String> {
        let text = || "sample".to_owned();
        let name = || line.name.clone().unwrap_or_else(text);
        let until = || line.until.as_ref().map(|at| self.time(at)).ok_or("until is missing");
        Ok(match line.is.as_str() {
            "answered" => MatterStep::Answered,
            "agreed" => MatterStep::Agreed { until: until()? },
            "routed" => MatterStep::Routed { unit: text() },
            "told" => MatterStep::Told { reached: true },
            "not reached" => MatterStep::Told { reached: false },
            "postponed" => {
                MatterStep::Postponed { until: until()?, reason: text(), supervisor: line.supervisor.clone() }
            }
            "reclassed" => MatterStep::Reclassed {
                class: line.class.clone().ok_or("class is missing")?,
                reason: text(),
                supervisor: line.supervisor.clone(),
                until: line.until.as_ref().map(|at| self.time(at)),
            },
            "raised" => MatterStep::Raised { level: line.level.ok_or("level is missing")?, reason: text() },
            "assigned" => MatterStep::Assigned { owner: line.owner.clone().ok_or("owner is missing")? },
            "repeated" => MatterStep::Repeated { complaint: id(900) },
            "noticed" => MatterStep::Noticed { to: text() },
            "resolved" => MatterStep::Resolved { how: text() },
            "inspected well" => MatterStep::Inspected { ok: true },
            "inspected not well" => MatterStep::Inspected { ok: false },
            "callback not reached" => MatterStep::Callback(Callback::NotReached),
            "satisfied" => MatterStep::Callback(Callback::Satisfied),
            "not satisfied" => MatterStep::Callback(Callback::Unsatisfied),
            "signed" => MatterStep::Signed { name: name(), side: None },
            "signed by us" => MatterStep::Signed { name: name(), side: Some(Side::Ours) },
            "refused" => MatterStep::Refused { reason: text() },
            "begun" => MatterStep::Begun,
            "permit granted" => MatterStep::PermitGranted(Box::new(self.permit(line)?)),
            "permit returned" => MatterStep::PermitReturned,
            "planned" => MatterStep::Planned { at: until()?, agreed_by: None },
            "made" => MatterStep::Made {
                mode: line.mode.clone().unwrap_or_default(),
                met: text(),
                points: self.points(line),
                papers: Papers::default(),
            },
            "reviewed" => MatterStep::Reviewed { ok: true },
            "sent back" => MatterStep::Reviewed { ok: false },
            "paused" => MatterStep::Paused {
                cause: line.cause.clone().unwrap_or_else(|| "customer_hold".to_owned()),
                reason: text(),
                until: until()?,
                grantor: text(),
            },
            "resumed" => MatterStep::Resumed,
            "exempted" => MatterStep::Exempted {
                cause: line.cause.clone().unwrap_or_else(|| "force_majeure".to_owned()),
                grantor: text(),
            },
            "closed by a supervisor" => MatterStep::ClosedUnconfirmed { reason: text(), supervisor: text() },
            "cancelled" => MatterStep::Cancelled { reason: text() },
            "note" => MatterStep::Note { text: text() },
            other => return Err(format!("no step \"{other}\"")),
        })
    }

    fn points(&self, line: &StepLine) -> Vec<Point> {
        let wrong = &line.wrong;
        let cadence = self.pack.cadences.iter().find(|cadence| cadence.name == self.story.class);
        let checklist = cadence.and_then(|cadence| cadence.checklist.as_ref());
        let list = self.pack.checklists.iter().find(|list| Some(&list.name) == checklist);
        let skip = usize::from(wrong.iter().any(|name| name == "*"));
        let items = list.into_iter().flat_map(|list| list.items.iter().map(move |(name, _)| (list, name)));
        items
            .skip(skip)
            .map(|(list, name)| Point {
                name: name.clone(),
                ok: !wrong.contains(name),
                reading: reading(list, name, line),
                note: String::new(),
                class: None,
                equipment: None,
            })
            .collect()
    }

    fn permit(&self, line: &StepLine) -> Result<PermitGrant, String> {
        let permit = line.permit.as_ref().ok_or("permit is missing")?;
        let certificate = |text: &String| {
            let (name, until) = text.split_once(' ').ok_or("a certificate is `name until`")?;
            let valid_until = self.time(until);
            Ok(Certificate { name: name.to_owned(), number: String::new(), valid_until })
        };
        Ok(PermitGrant {
            by: "sample".to_owned(),
            to: "sample".to_owned(),
            from: self.time(&line.at),
            until: self.time(&permit.until),
            work: "sample".to_owned(),
            ticket: permit.ticket.clone(),
            briefing: permit.briefing,
            certificates: permit.certificates.iter().map(certificate).collect::<Result<_, String>>()?,
        })
    }

    pub fn time(&self, text: &str) -> UnixMs {
        self.clock.time(text)
    }

    pub fn text(&self, at: UnixMs) -> String {
        self.clock.text(at)
    }
}

/// What was measured at a point: as the story says, else what is well.
fn reading(list: &Checklist, point: &str, line: &StepLine) -> Option<Reading> {
    let range = list.readings.get(point)?;
    match line.reading.get(point) {
        Some(toml::Value::Float(number)) => Reading::new(*number),
        Some(_) => None,
        None => range.at_least.or(range.at_most),
    }
}
