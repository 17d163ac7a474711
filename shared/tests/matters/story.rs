//! Reads a story of one matter and compares what is found.
//!
//! Times are `HH:MM[:SS]` of the story's `day` in the pack's time zone, with `+N` days in front where needed
//! (`+2 09:30`). A step is `{ at, is, … }`; `learnt` says when the desk got it (default: `at`). A look is what the desk
//! should see at a moment; texts are compared word by word.

use std::path::Path;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use linewatch_shared::facts::Callback;
use linewatch_shared::matter::{
    Matter, MatterEvent, MatterFact, MatterStep, Opening, Point, Standing, advance, deadlines, fold,
    next_wake, period,
};
use linewatch_shared::rules::{MatterKind, Pack, SHIPPED};
use linewatch_shared::sla::{Deadline, Effect, Ledger, Status};
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

/// The most wake-ups of one story: more is a loop.
const WAKES_MAX: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// What is shown.
    title: String,
    /// The rulebook's words.
    rule: String,
    #[serde(default = "day")]
    day: NaiveDate,
    /// A shipped pack's name.
    pack: String,
    /// Text to put in the place of text in the pack.
    #[serde(default)]
    change: Vec<[String; 2]>,
    kind: String,
    /// The class, or the cadence of a round.
    class: String,
    /// When it was opened; a round is opened with the period in which this lies.
    opened: String,
    wanted_by: Option<String>,
    unit: Option<String>,
    /// Why the opening is refused.
    refused: Option<String>,
    #[serde(default)]
    step: Vec<StepLine>,
    #[serde(default)]
    look: Vec<Look>,
    /// Every effect: `when what mark [late]`.
    told: Option<Vec<String>>,
    /// Why steps had no effect: `#number part of the reason`.
    #[serde(default)]
    misfits: Vec<String>,
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepLine {
    at: String,
    is: String,
    learnt: Option<String>,
    until: Option<String>,
    class: Option<String>,
    level: Option<u32>,
    supervisor: Option<String>,
    mode: Option<String>,
    cause: Option<String>,
    /// Points of the checklist that are wrong; the others are well. `*` leaves the first one out.
    #[serde(default)]
    wrong: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    at: String,
    state: Option<String>,
    class: Option<String>,
    level: Option<u32>,
    /// `kind state due [met]`.
    owed: Option<Vec<String>>,
    wrong: Option<Vec<String>>,
}

pub fn check(file: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let story: Story =
        toml::from_str(&std::fs::read_to_string(file).unwrap()).map_err(|e| format!("{name}: {e}"))?;
    assert!(!story.rule.is_empty(), "{name}: a story names its rule");
    let pack = pack(&story);
    let teller = Teller { zone: pack.time_zone, pack, story: &story };
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

struct Teller<'a> {
    story: &'a Story,
    pack: Pack,
    zone: Tz,
}

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

impl Teller<'_> {
    fn tell(&self) -> Result<(), String> {
        let opening = self.opening();
        if let Some(reason) = &self.story.refused {
            let error = fold(vec![opening.clone()], &self.pack).err().ok_or("the opening was not refused")?;
            return same("refused", error.contains(reason.as_str()).then_some(reason), Some(&error));
        }
        let mut arrivals = vec![(opening.occurred_at, opening)];
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
            ledger = wake(matter.clone(), ledger, (*moment, until), &mut told);
            for look in looks.iter().filter(|look| self.time(&look.at) == *moment) {
                self.look(look, &matter).map_err(|difference| format!("at {}: {difference}", look.at))?;
            }
        }
        Ok(told)
    }

    fn look(&self, look: &Look, matter: &Matter) -> Result<(), String> {
        let now = self.time(&look.at);
        same("state", look.state.as_deref(), look.state.as_ref().map(|_| matter.state.name()))?;
        same("class", look.class.as_ref(), look.class.as_ref().map(|_| &matter.class))?;
        same("level", look.level, look.level.map(|_| matter.level))?;
        same("wrong", look.wrong.as_ref(), look.wrong.as_ref().map(|_| &matter.failed_points))?;
        let Some(expected) = &look.owed else { return Ok(()) };
        let owed: Vec<String> =
            deadlines(matter, now).iter().map(|deadline| self.owed(deadline, now)).collect();
        same("owed", Some(expected), Some(&owed))
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

    fn effect(&self, now: UnixMs, effect: &Effect) -> String {
        let late = if effect.late { " late" } else { "" };
        format!("{} {} {}{late}", self.text(now), effect.key.kind.name(), effect.key.mark)
    }

    fn misfits(&self, arrivals: &[(UnixMs, MatterFact)]) -> Result<(), String> {
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

    fn opening(&self) -> MatterFact {
        let story = self.story;
        let kind = MatterKind::from_name(&story.kind).unwrap_or_else(|| panic!("no kind {}", story.kind));
        let opened = self.time(&story.opened);
        let cadence = self.pack.cadences.iter().find(|cadence| cadence.name == story.class);
        let round = cadence.map(|cadence| period(cadence.every, opened, self.zone));
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
        };
        let event = MatterEvent::Opened(Box::new(opening));
        MatterFact { id: id(0), occurred_at: opened, event }
    }

    fn step(&self, number: usize, line: &StepLine) -> Result<MatterFact, String> {
        let event = MatterEvent::Step(self.kind(line)?);
        Ok(MatterFact { id: id(number), occurred_at: self.time(&line.at), event })
    }

    fn kind(&self, line: &StepLine) -> Result<MatterStep, String> {
        let text = || "sample".to_owned();
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
            "assigned" => MatterStep::Assigned { owner: text() },
            "repeated" => MatterStep::Repeated { complaint: id(900) },
            "noticed" => MatterStep::Noticed { to: text() },
            "resolved" => MatterStep::Resolved { how: text() },
            "inspected well" => MatterStep::Inspected { ok: true },
            "inspected not well" => MatterStep::Inspected { ok: false },
            "callback not reached" => MatterStep::Callback(Callback::NotReached),
            "satisfied" => MatterStep::Callback(Callback::Satisfied),
            "not satisfied" => MatterStep::Callback(Callback::Unsatisfied),
            "signed" => MatterStep::Signed { name: text() },
            "planned" => MatterStep::Planned { at: until()? },
            "made" => MatterStep::Made {
                mode: line.mode.clone().unwrap_or_default(),
                met: text(),
                points: self.points(&line.wrong),
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

    fn points(&self, wrong: &[String]) -> Vec<Point> {
        let cadence = self.pack.cadences.iter().find(|cadence| cadence.name == self.story.class);
        let checklist = cadence.and_then(|cadence| cadence.checklist.as_ref());
        let list = self.pack.checklists.iter().find(|list| Some(&list.name) == checklist);
        let skip = usize::from(wrong.iter().any(|name| name == "*"));
        let items = list.into_iter().flat_map(|list| &list.items).skip(skip);
        items
            .map(|(name, _)| Point { name: name.clone(), ok: !wrong.contains(name), note: String::new() })
            .collect()
    }

    fn time(&self, text: &str) -> UnixMs {
        let (days, clock) = match text.split_once(' ') {
            Some((days, clock)) => {
                (days.parse::<i64>().unwrap_or_else(|_| panic!("no day in {text}")), clock)
            }
            None => (0, text),
        };
        let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
        let clock =
            NaiveTime::parse_from_str(&clock, "%H:%M:%S").unwrap_or_else(|_| panic!("no time: {text}"));
        let day = if days < 0 {
            self.story.day - Days::new(days.unsigned_abs())
        } else {
            self.story.day + Days::new(days.unsigned_abs())
        };
        let at = self.zone.from_local_datetime(&day.and_time(clock)).earliest().unwrap();
        UnixMs(at.timestamp_millis())
    }

    /// The other way; the last millisecond of a day is written `24:00`.
    fn text(&self, at: UnixMs) -> String {
        let last = (at.0 + 1) % 86_400_000 == self.midnight_ms();
        let local = at.to_utc().with_timezone(&self.zone);
        let days = local.date_naive().signed_duration_since(self.story.day).num_days();
        let clock = match local.format("%H:%M:%S").to_string() {
            _ if last => "24:00".to_owned(),
            clock if clock.ends_with(":00") => clock[..5].to_owned(),
            clock => clock,
        };
        if days == 0 { clock } else { format!("{days:+} {clock}") }
    }

    fn midnight_ms(&self) -> i64 {
        self.time("00:00").0 % 86_400_000
    }
}

/// Advances from a moment on, and at every wake-up until the next one that something happens at.
fn wake(
    matter: Matter,
    ledger: Ledger,
    (from, until): (UnixMs, UnixMs),
    told: &mut Vec<(UnixMs, Effect)>,
) -> Ledger {
    let mut standing = Standing { matter, ledger };
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

fn same<T: PartialEq + std::fmt::Debug>(
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
