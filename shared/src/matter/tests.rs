//! The walk, by hand-made classes. The stories of each pack are scenario files.

use uuid::Uuid;

use super::*;
use crate::facts::Callback;
use crate::rules::{
    Cadence, Checklist, Class, ClosedBy, Every, Label, Limit, MatterKind, Pack, Postponing, SHIPPED,
};
use crate::sla::DeadlineKind;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, UnixMs};

const TEN: UnixMs = UnixMs(1_772_330_400_000);

fn label() -> Label {
    Label { zh: "样例".to_owned(), en: "Sample".to_owned() }
}

fn class(name: &str, answer_ms: i64, resolve_ms: Option<i64>) -> Class {
    Class {
        matter: MatterKind::Complaint,
        name: name.to_owned(),
        label: label(),
        answer_within: Some(Limit::always(answer_ms)),
        route_within: Some(Limit::always(30 * MINUTE_MS)),
        resolve_within: resolve_ms.map(Limit::always),
        progress_every: Some(Limit::always(DAY_MS)),
        callback_within: Some(Limit::always(DAY_MS)),
        callback_retries_ms: vec![2 * HOUR_MS, DAY_MS],
        supervisor_within_ms: DAY_MS,
        permit: None,
        closed_by: ClosedBy::Customer,
        supervisor_only: false,
        repeat_becomes: Some("major".to_owned()),
        reported_to: Vec::new(),
        level: 1,
        warn_at_permille: vec![500, 800],
    }
}

fn pack() -> Pack {
    let mut pack = Pack::parse(SHIPPED[0].1, "p.toml").unwrap();
    let minor = class("minor", 15 * MINUTE_MS, Some(DAY_MS));
    let major =
        Class { closed_by: ClosedBy::Signature, level: 3, ..class("major", DAY_MS, Some(7 * DAY_MS)) };
    let invalid =
        Class { closed_by: ClosedBy::Supervisor, supervisor_only: true, ..class("invalid", DAY_MS, None) };
    pack.classes = vec![minor, major, invalid];
    pack.postponing = Some(Postponing { times: 1, at_most_ms: 7 * DAY_MS });
    pack.checklists = vec![Checklist {
        name: "room".to_owned(),
        label: label(),
        items: vec![("clean".to_owned(), label()), ("labels".to_owned(), label())],
        readings: std::collections::BTreeMap::new(),
    }];
    pack.cadences = vec![Cadence {
        matter: MatterKind::Patrol,
        name: "quarterly".to_owned(),
        label: label(),
        tiers: Vec::new(),
        every: Every::Quarter,
        modes: Vec::new(),
        checklist: Some("room".to_owned()),
        equipment: Vec::new(),
        permit: None,
        report: false,
        review_within: Some(Limit::always(DAY_MS)),
        acceptance: None,
        warn_at_permille: vec![800],
    }];
    pack
}

struct Story {
    facts: Vec<MatterFact>,
}

impl Story {
    fn new(kind: MatterKind, class: &str) -> Self {
        let opening = Opening {
            kind,
            class: class.to_owned(),
            customer: "bank".to_owned(),
            line: None,
            site: None,
            title: "sample".to_owned(),
            description: String::new(),
            reporter: String::new(),
            owner: "manager-1".to_owned(),
            first_receiver: "noc-1".to_owned(),
            unit: None,
            wanted_by: (kind == MatterKind::Patrol).then_some(TEN + 30 * DAY_MS),
            about: None,
            equipment: None,
        };
        let event = MatterEvent::Opened(Box::new(opening));
        Self { facts: vec![MatterFact { id: Uuid::from_u128(1), occurred_at: TEN, event }] }
    }

    fn then(mut self, after_ms: i64, step: MatterStep) -> Self {
        let id = Uuid::from_u128(self.facts.len() as u128 + 1);
        self.facts.push(MatterFact { id, occurred_at: TEN + after_ms, event: MatterEvent::Step(step) });
        self
    }

    fn fold(&self) -> Matter {
        let pack = pack();
        let matter = fold(self.facts.clone(), &pack).unwrap().unwrap();
        let mut backwards = self.facts.clone();
        backwards.reverse();
        backwards.extend(self.facts.clone());
        assert_eq!(fold(backwards, &pack).unwrap().unwrap(), matter, "order and repetition change nothing");
        matter
    }
}

fn status(matter: &Matter, kind: DeadlineKind, after_ms: i64) -> Vec<&'static str> {
    let now = TEN + after_ms;
    deadlines(matter, now).iter().filter(|d| d.kind == kind).map(|d| d.status(now).name()).collect()
}

fn resolved() -> MatterStep {
    MatterStep::Resolved { how: "done".to_owned() }
}

fn put_off(days: i64, supervisor: Option<&str>) -> MatterStep {
    MatterStep::Postponed {
        until: TEN + days * DAY_MS,
        reason: "parts".to_owned(),
        supervisor: supervisor.map(str::to_owned),
    }
}

#[test]
fn a_minor_complaint_runs_its_course() {
    let story = Story::new(MatterKind::Complaint, "minor")
        .then(10 * MINUTE_MS, MatterStep::Answered)
        .then(3 * HOUR_MS, resolved())
        .then(4 * HOUR_MS, MatterStep::Callback(Callback::NotReached))
        .then(5 * HOUR_MS, MatterStep::Callback(Callback::Satisfied));
    let matter = story.fold();
    assert_eq!(matter.state, MatterState::Closed);
    for kind in [DeadlineKind::Answer, DeadlineKind::Resolution] {
        assert_eq!(status(&matter, kind, DAY_MS), ["met"], "{kind:?}");
    }
    assert_eq!(status(&matter, DeadlineKind::Callback, DAY_MS), ["cancelled", "met"], "tried again");
    assert_eq!(status(&matter, DeadlineKind::Progress, DAY_MS), ["cancelled"]);
}

#[test]
fn the_second_postponement_needs_a_supervisor() {
    let once = Story::new(MatterKind::Complaint, "minor").then(HOUR_MS, put_off(3, None));
    let twice = once.then(2 * HOUR_MS, put_off(5, None));
    let matter = twice.fold();
    assert!(matter.misfit(Uuid::from_u128(3)).unwrap().contains("supervisor"));
    let resolution = |matter: &Matter| {
        deadlines(matter, TEN).iter().find(|d| d.kind == DeadlineKind::Resolution).unwrap().due_at
    };
    assert_eq!(resolution(&matter), TEN + 3 * DAY_MS);
    let special = twice.then(3 * HOUR_MS, put_off(5, Some("head-1"))).fold();
    assert_eq!((special.postponed, resolution(&special)), (2, TEN + 5 * DAY_MS));
    let far = Story::new(MatterKind::Complaint, "minor").then(HOUR_MS, put_off(9, None)).fold();
    assert!(far.misfit(Uuid::from_u128(2)).unwrap().contains("at most 7d"));
    let late = Story::new(MatterKind::Complaint, "minor").then(25 * HOUR_MS, put_off(3, None)).fold();
    assert!(late.misfit(Uuid::from_u128(2)).unwrap().contains("passed"));
}

#[test]
fn the_answer_may_wait_where_the_customer_agreed_in_time() {
    let agreed = |at| {
        Story::new(MatterKind::Complaint, "minor").then(at, MatterStep::Agreed { until: TEN + 2 * HOUR_MS })
    };
    let matter = agreed(10 * MINUTE_MS).then(90 * MINUTE_MS, MatterStep::Answered).fold();
    assert_eq!(status(&matter, DeadlineKind::Answer, DAY_MS), ["met"]);
    let late = agreed(16 * MINUTE_MS).fold();
    assert!(late.misfit(Uuid::from_u128(2)).is_some());
    assert_eq!(status(&late, DeadlineKind::Answer, HOUR_MS), ["missed"]);
}

#[test]
fn every_day_without_a_word_is_a_miss_and_one_chain() {
    let matter = Story::new(MatterKind::Complaint, "major")
        .then(50 * HOUR_MS, MatterStep::Told { reached: true })
        .fold();
    assert_eq!(status(&matter, DeadlineKind::Progress, 51 * HOUR_MS), ["missed", "missed", "met", "running"]);
    let list = deadlines(&matter, TEN + 51 * HOUR_MS);
    let quiet = list.iter().filter(|d| d.kind == DeadlineKind::Progress).map(|d| d.quiet);
    assert_eq!(quiet.collect::<Vec<_>>(), [false, true, true, false]);
}

#[test]
fn a_repeat_complaint_makes_it_major_and_a_major_one_closes_by_signature_only() {
    let repeated = MatterStep::Repeated { complaint: Uuid::from_u128(99) };
    let story = Story::new(MatterKind::Complaint, "minor")
        .then(20 * HOUR_MS, repeated)
        .then(30 * HOUR_MS, resolved())
        .then(31 * HOUR_MS, MatterStep::Callback(Callback::Satisfied));
    let matter = story.fold();
    assert_eq!((matter.class.as_str(), matter.level, matter.repeats.len()), ("major", 3, 1));
    assert_eq!(matter.state, MatterState::Resolved, "satisfied on the phone is not enough");
    assert_eq!(
        status(&matter, DeadlineKind::Resolution, 40 * HOUR_MS),
        ["met"],
        "seven days from the start on"
    );
    assert_eq!(
        story.then(32 * HOUR_MS, MatterStep::Signed { name: "customer".to_owned(), side: None }).fold().state,
        MatterState::Closed
    );
}

#[test]
fn only_a_supervisor_judges_a_complaint_invalid() {
    let judged = |supervisor: Option<&str>| MatterStep::Reclassed {
        class: "invalid".to_owned(),
        reason: "not ours".to_owned(),
        supervisor: supervisor.map(str::to_owned),
        until: None,
    };
    let refused = Story::new(MatterKind::Complaint, "minor").then(HOUR_MS, judged(None)).fold();
    assert!(refused.misfit(Uuid::from_u128(2)).unwrap().contains("supervisor"));
    let matter = Story::new(MatterKind::Complaint, "minor").then(HOUR_MS, judged(Some("head-1"))).fold();
    assert_eq!(matter.class, "invalid");
    assert!(status(&matter, DeadlineKind::Resolution, HOUR_MS).is_empty());
}

#[test]
fn a_customer_who_is_not_satisfied_sends_it_back_to_work() {
    let matter = Story::new(MatterKind::Complaint, "minor")
        .then(HOUR_MS, resolved())
        .then(2 * HOUR_MS, MatterStep::Callback(Callback::Unsatisfied))
        .fold();
    assert_eq!(matter.state, MatterState::Answered);
    assert_eq!(
        status(&matter, DeadlineKind::Resolution, 25 * HOUR_MS),
        ["missed"],
        "it runs on from its beginning"
    );
    assert_eq!(status(&matter, DeadlineKind::Callback, 25 * HOUR_MS), ["met"]);
}

#[test]
fn a_pause_moves_the_work_and_not_the_word_to_the_customer() {
    let paused = MatterStep::Paused {
        cause: "customer_access".to_owned(),
        reason: "closed".to_owned(),
        until: TEN + 11 * HOUR_MS,
        grantor: "noc-1".to_owned(),
    };
    let matter = Story::new(MatterKind::Complaint, "minor").then(HOUR_MS, paused).fold();
    let list = deadlines(&matter, TEN + 2 * HOUR_MS);
    let due = |kind| list.iter().find(|d| d.kind == kind).unwrap().due_at;
    assert_eq!(due(DeadlineKind::Resolution), TEN + 34 * HOUR_MS);
    assert_eq!(due(DeadlineKind::Progress), TEN + DAY_MS);
    assert_eq!(status(&matter, DeadlineKind::Resolution, 2 * HOUR_MS), ["paused"]);
}

#[test]
fn a_round_needs_every_point_and_its_review() {
    let made = |points: &[(&str, bool)]| MatterStep::Made {
        mode: "on_site".to_owned(),
        met: String::new(),
        points: points
            .iter()
            .map(|(name, ok)| Point {
                name: (*name).to_owned(),
                ok: *ok,
                reading: None,
                note: String::new(),
                class: None,
                equipment: None,
            })
            .collect(),
        papers: Papers::default(),
    };
    let short = Story::new(MatterKind::Patrol, "quarterly").then(DAY_MS, made(&[("clean", true)])).fold();
    assert!(short.misfit(Uuid::from_u128(2)).unwrap().ends_with("labels"));
    let story =
        Story::new(MatterKind::Patrol, "quarterly").then(DAY_MS, made(&[("clean", true), ("labels", false)]));
    let matter = story.fold();
    assert_eq!(matter.failed_points, ["labels"]);
    assert_eq!(status(&matter, DeadlineKind::Patrol, 40 * DAY_MS), ["met"]);
    assert_eq!(status(&matter, DeadlineKind::Review, 3 * DAY_MS), ["missed"]);
    let back = story.then(2 * DAY_MS, MatterStep::Reviewed { ok: false }).fold();
    assert_eq!(
        (back.state, status(&back, DeadlineKind::Patrol, 3 * DAY_MS)),
        (MatterState::Open, vec!["running"])
    );
    let never = Story::new(MatterKind::Patrol, "quarterly").fold();
    assert_eq!(status(&never, DeadlineKind::Patrol, 31 * DAY_MS), ["missed"]);
}

#[test]
fn what_was_told_is_told_once() {
    let mut standing = Standing {
        matter: Story::new(MatterKind::Complaint, "minor").fold(),
        ledger: crate::sla::Ledger::default(),
    };
    let mut told = Vec::new();
    let mut now = TEN;
    while let Some(wake) = next_wake(&standing, now).filter(|wake| *wake < TEN + 2 * DAY_MS) {
        now = wake;
        told.extend(advance(&mut standing, now).iter().map(|effect| effect.key.to_string()));
        assert!(advance(&mut standing, now).is_empty());
    }
    let named = |what: &str| told.iter().filter(|key| key.contains(what)).count();
    assert_eq!((named("/answer/"), named("/resolution/"), named("/progress/")), (3, 3, 3), "{told:#?}");
}

#[test]
fn a_class_that_the_pack_does_not_know_is_refused_with_those_that_it_does() {
    let pack = pack();
    let facts = Story::new(MatterKind::Complaint, "huge").facts;
    let error = fold(facts, &pack).unwrap_err();
    assert!(error.ends_with("minor, major, invalid"), "{error}");
}
