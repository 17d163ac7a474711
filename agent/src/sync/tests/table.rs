//! The planner as a table: what is the next thing to say.

use linewatch_shared::facts::Lane;
use linewatch_shared::time::MonoMs;
use linewatch_shared::wire::Limits;

use crate::journal::{LaneView, Span};
use crate::sync::plan::{Action, HEARTBEAT_MS, HELLO_AGAIN_MS, Planner, REFUSED_MS, Rejected};

const LIMITS: Limits = Limits { batch_records: 100, batch_bytes: 1 << 20, body_bytes: 1 << 20 };

fn view(lane: Lane, last: u64, pruned: u64, held: &[(u64, u64)]) -> LaneView {
    let held = held.iter().map(|(first, last)| Span { first: *first, last: *last }).collect();
    LaneView { lane, last, pruned, held }
}

fn up(reference_head: u64, pulled: Option<u64>) -> Planner {
    let mut planner = Planner::new(Box::new(|| 0.0), pulled);
    planner.on_hello(MonoMs(0), LIMITS, reference_head, 0);
    planner
}

fn said(planner: &Planner, now: i64, lanes: &[LaneView]) -> String {
    match planner.next(MonoMs(now), lanes, false) {
        Action::Push(wanted) => format!("{} {}-{}", wanted.lane.name(), wanted.first, wanted.last),
        Action::Wait(at) => format!("wait {}", at.0),
        other => format!("{other:?}").to_lowercase(),
    }
}

#[test]
fn a_hello_is_said_again_each_hour_of_a_conversation_that_goes_well() {
    let mut planner = up(3, Some(3));
    let mut now = 0;
    while now + HEARTBEAT_MS < HELLO_AGAIN_MS {
        now += HEARTBEAT_MS;
        assert_eq!(said(&planner, now, &[]), "heartbeat");
        planner.on_heartbeat(MonoMs(now), 3);
    }
    assert_eq!(said(&planner, HELLO_AGAIN_MS, &[]), "hello");
    planner.on_hello(MonoMs(HELLO_AGAIN_MS), LIMITS, 3, 0);
    assert_eq!(said(&planner, HELLO_AGAIN_MS + HEARTBEAT_MS, &[]), "heartbeat");
}

#[test]
fn the_order_of_things() {
    let (f, d, s) = (Lane::Fault, Lane::Desk, Lane::Summary);
    let many: Vec<(u64, u64)> = (1..=64).map(|n| (n * 3, n * 3)).collect();
    let cases = [
        ("nothing at all", 0, vec![], "wait 15000"),
        ("a heartbeat is due", HEARTBEAT_MS, vec![view(f, 1, 0, &[])], "heartbeat"),
        ("all is held", 0, vec![view(f, 3, 0, &[(1, 3)]), view(s, 2, 0, &[(1, 2)])], "wait 15000"),
        (
            "faults first",
            0,
            vec![view(s, 9, 0, &[]), view(f, 5, 0, &[(1, 2)]), view(d, 1, 0, &[])],
            "fault 3-5",
        ),
        (
            "then desk",
            0,
            vec![view(s, 9, 0, &[]), view(f, 2, 0, &[(1, 2)]), view(d, 4, 0, &[(1, 3)])],
            "desk 4-4",
        ),
        ("newest summaries", 0, vec![view(s, 9, 0, &[(3, 4), (6, 7)])], "summary 8-9"),
        ("the next older gap", 0, vec![view(s, 9, 0, &[(3, 4), (6, 9)])], "summary 5-5"),
        ("the oldest gap at 64 ranges", 0, vec![view(s, 300, 0, &many)], "summary 1-2"),
        ("nothing below what is pruned", 0, vec![view(s, 9, 4, &[(1, 9)])], "wait 15000"),
        ("from the pruned point on", 0, vec![view(f, 9, 4, &[])], "fault 5-9"),
    ];
    let planner = up(3, Some(3));
    for (name, now, lanes, expected) in cases {
        assert_eq!(said(&planner, now, &lanes), expected, "{name}");
    }
}

#[test]
fn a_pull_comes_after_faults_and_before_summaries() {
    let planner = up(4, Some(3));
    assert_eq!(said(&planner, 0, &[view(Lane::Fault, 1, 0, &[])]), "fault 1-1");
    assert_eq!(said(&planner, 0, &[view(Lane::Summary, 1, 0, &[])]), "pull");
    assert_eq!(said(&up(0, None), 0, &[]), "pull", "nothing was ever pulled");
}

#[test]
fn failures_wait_longer_and_longer_and_a_retry_after_is_obeyed() {
    let mut planner = Planner::new(Box::new(|| 0.0), None);
    assert_eq!(said(&planner, 0, &[]), "hello");
    let mut waits = Vec::new();
    for _ in 0..9 {
        planner.on_failure(MonoMs(0), None);
        waits.push(said(&planner, 0, &[]));
    }
    assert_eq!(waits[0], "wait 500");
    assert_eq!(waits[8], "wait 60000");
    assert_eq!(said(&planner, 60_000, &[]), "hello");
    planner.on_failure(MonoMs(0), Some(90_000));
    assert_eq!(said(&planner, 0, &[]), "wait 90000");
    planner.on_hello(MonoMs(0), LIMITS, 0, 0);
    planner.on_failure(MonoMs(0), None);
    assert_eq!(said(&planner, 0, &[]), "wait 500", "an answer begins anew");
    planner.on_refused(MonoMs(0));
    assert_eq!(said(&planner, 0, &[]), format!("wait {REFUSED_MS}"));
}

#[test]
fn a_lost_server_is_not_asked_by_everyone_at_once() {
    let mut planner = Planner::new(Box::new(|| 0.5), None);
    planner.on_hello(MonoMs(0), LIMITS, 0, 0);
    planner.on_failure(MonoMs(0), None);
    assert_eq!(said(&planner, 0, &[]), "wait 3125", "500 ms, a quarter more, and half of 5 s");
}

#[test]
fn a_rejected_batch_is_halved_down_to_one() {
    let mut planner = up(0, Some(0));
    let lanes = [view(Lane::Fault, 1_000, 0, &[])];
    let most = |planner: &Planner| match planner.next(MonoMs(0), &lanes, false) {
        Action::Push(wanted) => wanted.most_records,
        other => panic!("{other:?}"),
    };
    assert_eq!(most(&planner), 100);
    for expected in [50, 25, 12, 6, 3, 1] {
        assert_eq!(planner.on_rejected(Lane::Fault, 1, most(&planner)), Rejected::Halved);
        assert_eq!(most(&planner), expected);
    }
    assert_eq!(planner.on_rejected(Lane::Fault, 7, 1), Rejected::Alone { lane: Lane::Fault, number: 7 });
    for _ in 0..10 {
        planner.on_pushed(Lane::Fault, 100);
    }
    assert_eq!(most(&planner), 100, "good batches grow again");
}

#[test]
fn slow_links_get_small_batches_and_quick_ones_large() {
    let mut planner = up(0, Some(0));
    let lanes = [view(Lane::Summary, 1_000, 0, &[])];
    let bytes = |planner: &Planner| match planner.next(MonoMs(0), &lanes, false) {
        Action::Push(wanted) => wanted.most_bytes,
        other => panic!("{other:?}"),
    };
    for _ in 0..10 {
        planner.on_pushed(Lane::Summary, 5_000);
    }
    assert_eq!(bytes(&planner), 16 << 10);
    for _ in 0..20 {
        planner.on_pushed(Lane::Summary, 10);
    }
    assert!(bytes(&planner) > 1_000_000 && bytes(&planner) < 1 << 20, "the envelope fits, too");
}
