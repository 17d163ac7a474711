//! Faults of lines that are promised by tier and service, in working time.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Callback, Step, StepKind};
use linewatch_shared::rules::{Pack, SHIPPED};
use linewatch_shared::sla::{
    Carried, Deadline, DeadlineKind, Event, Fact, Fault, LineRules, LineTerms, PackVersion, Status,
    deadlines, fold, moved,
};
use linewatch_shared::time::UnixMs;
use proptest::prelude::*;
use uuid::Uuid;

fn at(text: &str) -> UnixMs {
    UnixMs::parse_rfc3339(&format!("{}:00+08:00", text.replace(' ', "T"))).unwrap()
}

fn local(at: UnixMs) -> String {
    at.to_utc().with_timezone(&chrono_tz::Asia::Shanghai).format("%Y-%m-%d %H:%M").to_string()
}

fn rules(tier: &str, service: &str) -> LineRules {
    let text = SHIPPED.iter().find(|(file, _)| *file == "gov-enterprise.toml").unwrap().1;
    let pack = Arc::new(Pack::parse(text, "gov-enterprise.toml").unwrap());
    let terms = LineTerms {
        valid_from: UnixMs(0),
        customer: "C1".to_owned(),
        pack: "gov-enterprise".to_owned(),
        tier: tier.to_owned(),
        service: service.to_owned(),
        owner: "own".to_owned(),
        promised: true,
    };
    LineRules::new("L1", vec![terms], [PackVersion { valid_from: UnixMs(0), pack }]).unwrap()
}

/// A line goes down, then steps follow.
fn story(rules: &LineRules, down: &str, steps: &[(&str, StepKind)]) -> Fault {
    let first = Uuid::from_u128(1);
    let state = Event::Evidence { agent: "own".to_owned(), state: LineState::Down };
    let mut facts = vec![Fact { id: first, occurred_at: at(down), event: state }];
    for (number, (when, kind)) in (2..).zip(steps) {
        let event = Event::Step(Step { fault: first, kind: kind.clone(), note: None });
        facts.push(Fact { id: Uuid::from_u128(number), occurred_at: at(when), event });
    }
    fold(facts, rules, &Carried::default()).faults.remove(0)
}

fn owed(fault: &Fault, kind: DeadlineKind) -> Option<Deadline> {
    deadlines(fault, at("2026-12-31 23:00")).into_iter().find(|deadline| deadline.kind == kind)
}

fn due(fault: &Fault, kind: DeadlineKind) -> String {
    owed(fault, kind).map_or("none".to_owned(), |deadline| local(deadline.due_at))
}

/// "Answer within 1, finish within 3" working days [source]: over a weekend and a public holiday.
#[test]
fn answer_and_finish_in_working_days() {
    let fault = story(&rules("local-C", "lan"), "2026-09-23 10:00", &[]);
    assert_eq!(due(&fault, DeadlineKind::Answer), "2026-09-24 10:00");
    // Thursday the 24th, then Mid-Autumn from Friday to Sunday.
    assert_eq!(due(&fault, DeadlineKind::Restoration), "2026-09-29 10:00");
    let marks = owed(&fault, DeadlineKind::Restoration).unwrap().marks;
    assert_eq!(local(marks[0].1), "2026-09-24 22:00", "half of three working days");
}

#[test]
fn a_service_has_limits_of_its_own() {
    let due =
        |service| due(&story(&rules("group", service), "2026-09-26 10:00", &[]), DeadlineKind::Restoration);
    assert_eq!(due("sdh"), "2026-09-26 14:00");
    assert_eq!(due("LAN"), "2026-09-26 18:00");
    // Saturday of Mid-Autumn: three working days from Monday on.
    assert_eq!(due("radio"), "2026-10-01 00:00");
}

#[test]
fn the_answer_is_met_by_taking_up() {
    let status = |steps: &[(&str, StepKind)]| {
        let fault = story(&rules("group", "sdh"), "2026-11-23 10:00", steps);
        owed(&fault, DeadlineKind::Answer).unwrap().status(at("2026-11-23 12:00"))
    };
    assert_eq!(
        status(&[("2026-11-23 10:15", StepKind::Acknowledged)]),
        Status::Met { met_at: at("2026-11-23 10:15") }
    );
    assert_eq!(
        status(&[("2026-11-23 10:16", StepKind::Dispatched)]),
        Status::Missed { met_at: Some(at("2026-11-23 10:16")) }
    );
    assert_eq!(status(&[]), Status::Missed { met_at: None });
    assert_eq!(status(&[("2026-11-23 10:10", StepKind::Restored)]), Status::Cancelled);
}

/// The repair's working days run from the restoration on, and stand still while the customer keeps us out.
#[test]
fn a_repair_in_working_days_with_a_pause() {
    let pause = StepKind::Paused {
        cause: "customer_access".to_owned(),
        reason: String::new(),
        until: at("2026-11-27 10:00"),
        evidence: String::new(),
        grantor: "supervisor".to_owned(),
    };
    let restored = ("2026-11-23 12:00", StepKind::Restored);
    let plain = story(&rules("group", "sdh"), "2026-11-23 10:00", std::slice::from_ref(&restored));
    assert_eq!(due(&plain, DeadlineKind::Repair), "2026-11-30 12:00");
    // From Tuesday to Friday, 10:00: three working days.
    let paused = story(&rules("group", "sdh"), "2026-11-23 10:00", &[restored, ("2026-11-24 10:00", pause)]);
    assert_eq!(due(&paused, DeadlineKind::Repair), "2026-12-03 12:00");
}

/// A callback in working days is owed each time anew, however long after the start.
#[test]
fn a_callback_long_after_the_start() {
    let steps = [
        ("2026-01-05 11:00", StepKind::Restored),
        ("2026-11-20 11:00", StepKind::Repaired),
        ("2026-11-20 12:00", StepKind::Callback(Callback::StillDown)),
        ("2026-11-20 13:00", StepKind::Restored),
        ("2026-11-21 09:00", StepKind::Repaired),
    ];
    let fault = story(&rules("group", "sdh"), "2026-01-05 10:00", &steps);
    let callbacks: Vec<String> = deadlines(&fault, at("2026-12-01 00:00"))
        .iter()
        .filter(|deadline| deadline.kind == DeadlineKind::Callback)
        .map(|deadline| local(deadline.due_at))
        .collect();
    assert_eq!(callbacks, ["2026-11-23 11:00", "2026-11-24 00:00"]);
}

/// A year that the calendar does not cover is an explicit error: nothing is counted by guesswork.
#[test]
fn beyond_the_calendar_nothing_is_guessed() {
    let fault = story(&rules("local-C", "lan"), "2026-12-31 09:00", &[]);
    assert_eq!(due(&fault, DeadlineKind::Restoration), "none");
    assert!(fault.countable.missing.as_ref().unwrap().contains("does not cover 2027"));
    assert_eq!(due(&fault, DeadlineKind::Answer), "none");
    let round_the_clock = story(&rules("group", "sdh"), "2026-12-31 23:00", &[]);
    assert_eq!(due(&round_the_clock, DeadlineKind::Restoration), "2027-01-01 03:00");
    assert_eq!(round_the_clock.countable.missing, None);
}

/// What another version would move: open promises alone, from when to when.
#[test]
fn another_version_moves_what_is_open() {
    let text = SHIPPED.iter().find(|(file, _)| *file == "gov-enterprise.toml").unwrap().1;
    let sdh = "tier = \"group\"\nservice = \"sdh\"\n";
    assert!(text.contains(sdh));
    let text =
        text.replace("\"2026.1\"", "\"2026.2\"").replace(sdh, &format!("{sdh}feedback_every = \"15m\"\n"));
    let text = text.replacen("finish_within = \"4h\"", "finish_within = \"1wd\"", 1);
    let pack = Pack::parse(&text, "gov-enterprise.toml").unwrap();
    let now = at("2026-11-20 10:40");
    let moves = |steps: &[(&str, StepKind)]| -> Vec<String> {
        let fault = story(&rules("group", "sdh"), "2026-11-20 10:00", steps);
        let there = fault.under(&pack).unwrap();
        assert_eq!(there.terms.version, "2026.2");
        let shown = |due: Option<UnixMs>| due.map_or("-".to_owned(), local);
        moved(&deadlines(&fault, now), &deadlines(&there, now))
            .iter()
            .map(|moved| format!("{} {} {}", moved.kind.name(), shown(moved.from), shown(moved.to)))
            .collect()
    };
    let restoration = "restoration 2026-11-20 14:00 2026-11-23 10:00";
    assert_eq!(moves(&[]), [restoration]);
    let feedback = "feedback 2026-11-20 11:02 2026-11-20 10:47";
    assert_eq!(moves(&[("2026-11-20 10:32", StepKind::Acknowledged)]), [restoration, feedback]);
    let restored = [("2026-11-20 10:20", StepKind::Restored)];
    assert_eq!(moves(&restored), ["feedback 2026-11-20 10:50 2026-11-20 10:35"]);
    let fault = story(&rules("local-C", "lan"), "2026-11-20 10:00", &[]);
    assert_eq!(fault.under(&Pack::parse(SHIPPED[0].1, "group-line.toml").unwrap()), None);
}

fn rerated(tier: Option<&str>, version: Option<&str>) -> StepKind {
    let (tier, version) = (tier.map(str::to_owned), version.map(str::to_owned));
    StepKind::Rerated { tier, version, reason: "sample".to_owned(), grantor: "supervisor".to_owned() }
}

/// Re-rated while open: the start and the pauses stay.
#[test]
fn a_re_rate_keeps_the_start() {
    let rate = |when: &'static str, tier| (when, rerated(Some(tier), None));
    let rules = rules("local-A", "sdh");
    let fault = story(&rules, "2026-11-20 10:00", &[rate("2026-11-20 11:00", "group")]);
    assert_eq!(due(&fault, DeadlineKind::Restoration), "2026-11-20 14:00");
    assert_eq!(fault.terms.tier.name, "group");
    let pause = StepKind::Paused {
        cause: "customer_hold".to_owned(),
        reason: String::new(),
        until: at("2026-11-20 10:50"),
        evidence: String::new(),
        grantor: "supervisor".to_owned(),
    };
    let steps = [("2026-11-20 10:20", pause), rate("2026-11-20 11:00", "provincial")];
    assert_eq!(
        due(&story(&rules, "2026-11-20 10:00", &steps), DeadlineKind::Restoration),
        "2026-11-20 16:30"
    );
    // Twice; and what is promised in working time counts by the terms of its own.
    let steps = [rate("2026-11-20 11:00", "group"), ("2026-11-20 12:00", StepKind::Restored)];
    assert_eq!(due(&story(&rules, "2026-11-20 10:00", &steps), DeadlineKind::Repair), "2026-11-27 12:00");
}

/// A re-rate never corrects a miss, and takes away nothing that was kept.
#[test]
fn a_re_rate_corrects_no_miss() {
    let rules = rules("group", "sdh");
    let status = |steps: &[(&str, StepKind)], kind| {
        let fault = story(&rules, "2026-11-20 10:00", steps);
        let deadline = owed(&fault, kind).unwrap();
        (local(deadline.due_at), deadline.status(at("2026-11-20 23:00")).name())
    };
    let late = [("2026-11-20 15:00", rerated(Some("local-C"), None))];
    assert_eq!(status(&late, DeadlineKind::Restoration), ("2026-11-20 14:00".to_owned(), "missed"));
    let in_time = [("2026-11-20 14:00", rerated(Some("local-C"), None))];
    assert_eq!(status(&in_time, DeadlineKind::Restoration), ("2026-11-21 10:00".to_owned(), "running"));
    let kept = [
        ("2026-11-20 10:10", StepKind::Acknowledged),
        ("2026-11-20 10:30", rerated(Some("local-C"), None)),
        ("2026-11-20 10:40", rerated(Some("group"), None)),
    ];
    assert_eq!(status(&kept, DeadlineKind::Answer), ("2026-11-20 10:15".to_owned(), "met"));
    assert_eq!(status(&kept, DeadlineKind::Restoration), ("2026-11-20 14:00".to_owned(), "missed"));
    // A restoration before the due time, learnt later, does correct it.
    let mut corrected = vec![("2026-11-20 13:00", StepKind::Restored)];
    corrected.extend(late);
    assert_eq!(status(&corrected, DeadlineKind::Restoration), ("2026-11-20 14:00".to_owned(), "met"));
    // Feedback that runs keeps its interval; the next one has the new one.
    let told = [
        ("2026-11-20 10:10", StepKind::Acknowledged),
        ("2026-11-20 10:20", rerated(Some("local-C"), None)),
        ("2026-11-20 10:35", StepKind::Feedback { reached: true }),
    ];
    let fault = story(&rules, "2026-11-20 10:00", &told);
    let feedback: Vec<String> = deadlines(&fault, at("2026-11-20 10:36"))
        .iter()
        .filter(|deadline| deadline.kind == DeadlineKind::Feedback)
        .map(|deadline| local(deadline.due_at))
        .collect();
    assert_eq!(feedback, ["2026-11-20 10:40", "2026-11-20 11:35"]);
}

#[test]
fn an_impossible_re_rate_says_why() {
    let rules = rules("group", "sdh");
    let misfit = |steps: &[(&str, StepKind)]| {
        let fault = story(&rules, "2026-11-20 10:00", steps);
        let last = fault.facts.last().unwrap().misfit.clone();
        (fault.former.len(), last.unwrap())
    };
    for (step, why) in [
        (rerated(Some("AAA"), None), "\"AAA\" is no tier of the pack gov-enterprise 2026.1; it has: group, "),
        (rerated(None, Some("1999")), "the pack gov-enterprise has no version \"1999\""),
        (rerated(None, None), "it is promised by that tier and version already"),
        (rerated(Some("group"), Some("2026.1")), "it is promised by that tier and version already"),
    ] {
        let (former, said) = misfit(&[("2026-11-20 10:30", step)]);
        assert!(former == 0 && said.contains(why), "{said}");
    }
    let closed = [
        ("2026-11-20 10:30", StepKind::Restored),
        ("2026-11-20 10:40", StepKind::Repaired),
        ("2026-11-20 10:50", StepKind::Callback(Callback::Satisfied)),
        ("2026-11-20 11:00", rerated(Some("local-C"), None)),
    ];
    assert!(misfit(&closed).1.contains("while it is open; it is closed"));
}

proptest! {
    /// What was missed, or kept, before a re-rate is so after it, however often it is re-rated.
    #[test]
    fn no_re_rate_changes_what_was_settled(
        rates in proptest::collection::vec((1_i64..900, 0_usize..5), 1..6),
        taken_up in 1_i64..120,
        cut in 1_i64..900,
    ) {
        let tiers = ["group", "provincial", "local-A", "local-B", "local-C"];
        let rules = rules("local-A", "sdh");
        let start = at("2026-11-20 08:00");
        let first = Uuid::from_u128(1);
        let fact = |number: u128, minute: i64, kind: StepKind| {
            let event = Event::Step(Step { fault: first, kind, note: None });
            Fact { id: Uuid::from_u128(number), occurred_at: start + minute * 60_000, event }
        };
        let down = Event::Evidence { agent: "own".to_owned(), state: LineState::Down };
        let mut facts = vec![
            Fact { id: first, occurred_at: start, event: down },
            fact(2, taken_up, StepKind::Acknowledged),
        ];
        facts.extend((3..).zip(&rates).map(|(number, (minute, tier))| fact(number, *minute, rerated(Some(tiers[*tier]), None))));
        let cut = start + cut * 60_000;
        let until = facts.iter().filter(|fact| fact.occurred_at <= cut).cloned().collect::<Vec<_>>();
        let settled = |facts: &[Fact]| {
            let mut turned = facts.to_vec();
            turned.reverse();
            let fault = fold(turned, &rules, &Carried::default()).faults.remove(0);
            deadlines(&fault, cut)
                .into_iter()
                .map(|deadline| (deadline.kind, deadline.period, deadline.due_at, deadline.status(cut).name()))
                .filter(|(.., status)| matches!(*status, "met" | "missed"))
                .collect::<Vec<_>>()
        };
        let (before, after) = (settled(&until), settled(&facts));
        for one in &before {
            prop_assert!(after.contains(one), "{one:?} is not in {after:?}");
        }
    }
}
