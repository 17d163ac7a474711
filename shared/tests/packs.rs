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
