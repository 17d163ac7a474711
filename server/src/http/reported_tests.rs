//! Visit reports of agents as the rounds that they report, on both databases.

use std::sync::Arc;

use axum::http::Method;
use linewatch_shared::facts::{Body, Lane, Promised, Reading, Record, Visit, When};
use linewatch_shared::matter::Point;
use linewatch_shared::time::{DAY_MS, MonoMs, UnixMs};
use linewatch_shared::wire::{Chain, Envelope, PROTOCOL, record_hash};
use serde_json::{Value, json};
use uuid::Uuid;

use super::testing::{START, TestDesk};
use crate::app::desk::ingest::{Part, Taken, take};
use crate::app::import;
use crate::app::matters::duties::{assign, begin_rounds};
use crate::auth::Role;
use crate::db::testing::both;
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::agents;

const CUSTOMERS: &str = "code,name,tier,pack,manager\nbank,Sample Bank,AAA,group-line,manager\n\
     key,Sample Key,gold,key-account,manager\nother,Sample Other,AAA,group-line,manager\n";
const LINES: &str = "code,customer,site,agent\nL1,bank,HQ,site-1\nK1,key,HQ,site-1\nO1,other,HQ,site-2\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
    }
    let (inner, now) = (desk.app.desk.clone(), desk.app.now());
    let begun: Result<_, DbError> = desk
        .app
        .db
        .write(Priority::Engine, move |tx| {
            assign(&inner, tx, "", now)?;
            begin_rounds(&inner, tx, now)
        })
        .await;
    assert_eq!(begun.unwrap(), 3, "a round of visits for each customer");
    desk
}

fn visit(number: u128, customer: &str, at: UnixMs, visit: Visit) -> Record {
    let reading = Reading { wall: at, mono: MonoMs(1) };
    let body = Body::Visit(Visit { customer: customer.to_owned(), ..visit });
    let by = Some("technician".to_owned());
    Record {
        id: Uuid::from_u128(number),
        boot: Uuid::nil(),
        written: reading,
        occurred: When::Typed(at),
        by,
        body,
    }
}

/// Pushes each record in a batch of its own, in this order; answers how many statements each took.
async fn push(desk: &TestDesk, records: &[Record]) -> Vec<u64> {
    let (mut chain, mut costs) = (Chain::START, Vec::new());
    for (first, record) in (1..).zip(records) {
        let bytes = record.to_bytes().unwrap();
        let envelope = Envelope { protocol: PROTOCOL, epoch: 1, lane: Lane::Desk, first, chain, count: 1 };
        chain = chain.after(record_hash(&bytes));
        let (inner, now) = (desk.app.desk.clone(), desk.app.now());
        let push = move |tx: &mut Tx<'_>| {
            let agent = agents::ids_by_name(tx)?["site-1"];
            let bodies = vec![bytes.clone()];
            let taken =
                take(&inner, tx, &Part { agent, envelope: &envelope, bodies: &bodies, skip: 0 }, now)?;
            Ok((taken, tx.work().statements))
        };
        let pushed: Result<_, DbError> = desk.app.db.write(Priority::Ingest, push).await;
        let (taken, cost) = pushed.unwrap();
        assert!(matches!(taken, Taken::Upto(_, 0)), "{taken:?}");
        costs.push(cost);
    }
    costs
}

async fn items(desk: &TestDesk, path: &str) -> Vec<Value> {
    let answer = desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json["items"].as_array().unwrap().clone()
}

/// The rounds of a customer, the oldest first: state, when they were opened and made, and what is owed.
async fn rounds(desk: &TestDesk, customer: &str) -> Vec<Value> {
    let mut rounds = items(desk, &format!("/matters?kind=visit&customer={customer}")).await;
    rounds.reverse();
    let shown = |round: &Value| {
        let owed = round["deadlines"][0].clone();
        json!([
            round["id"],
            round["state"],
            round["opened_at"],
            round["resolved_at"],
            owed["due_at"],
            owed["state"]
        ])
    };
    rounds.iter().map(shown).collect()
}

/// Reports that do not fit stay facts of their round; each further one costs what the one before did.
#[tokio::test(flavor = "multi_thread")]
async fn reports_that_do_not_fit_make_the_next_one_no_dearer() {
    both(|db| async move {
        let desk = desk(db).await;
        let round = rounds(&desk, "bank").await[0][0].as_str().unwrap().parse().unwrap();
        let report = |n: i64| {
            let named = Visit { round: Some(round), ..Visit::default() };
            visit(n as u128 + 1, "bank", START - DAY_MS + n * 60_000, named)
        };
        let costs = push(&desk, &(0..60).map(report).collect::<Vec<_>>()).await;
        assert_eq!(costs[59], costs[9], "{costs:?}");
    })
    .await;
}

/// Three visits of a customer that is owed one every 30 days after the last: the same rounds in any order of arrival, and a
/// visit in time that is learnt late corrects the miss.
#[tokio::test(flavor = "multi_thread")]
async fn visits_make_their_rounds_in_any_order_of_arrival() {
    let days = [20, 25, 70];
    let mut found: Vec<Vec<Value>> = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1], [1, 2, 0]] {
        let kept = Arc::new(std::sync::Mutex::new(Vec::new()));
        let inner = Arc::clone(&kept);
        both(move |db| {
            let kept = Arc::clone(&inner);
            async move {
                let desk = desk(db).await;
                desk.clock.advance(80 * DAY_MS);
                let record = |n: usize| {
                    visit(
                        n as u128 + 1,
                        "bank",
                        START + days[n] * DAY_MS,
                        Visit { site: "HQ".to_owned(), ..Visit::default() },
                    )
                };
                push(&desk, &order.map(record)).await;
                let found = rounds(&desk, "bank").await;
                kept.lock().unwrap().push(found);
                let reports = items(&desk, "/visits").await;
                assert!(reports.iter().all(|report| report["why"] == Value::Null), "{reports:?}");
            }
        })
        .await;
        found.append(&mut kept.lock().unwrap());
    }
    assert_eq!(found[0].len(), 4, "three made and one owed: {:?}", found[0]);
    let states: Vec<&Value> = found[0].iter().map(|round| &round[5]).collect();
    assert_eq!(states, ["met", "met", "missed", "running"]);
    for other in &found {
        assert_eq!(*other, found[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_kept_and_says_why() {
    both(|db| async move {
        let desk = desk(db).await;
        let at = START + DAY_MS;
        desk.clock.advance(2 * DAY_MS);
        let key = rounds(&desk, "key").await[0][0].as_str().unwrap().to_owned();
        let named = |round: &str| Visit { round: round.parse().ok(), ..Visit::default() };
        let promised = vec![Promised { title: "a drawing".to_owned(), until: START + 5 * DAY_MS }];
        let by_call = Visit { mode: Some("call".to_owned()), promised, ..Visit::default() };
        let point = Point {
            name: "x".to_owned(),
            ok: false,
            reading: None,
            note: String::new(),
            class: Some("huge".to_owned()),
            equipment: None,
        };
        let records = [
            visit(1, "key", at, by_call),
            visit(2, "other", at, Visit::default()),
            visit(3, "nobody", at, Visit::default()),
            visit(4, "bank", at, named(&key)),
            visit(5, "bank", START - DAY_MS, Visit::default()),
            visit(6, "key", at + 1, Visit { points: vec![point], ..named(&key) }),
        ];
        push(&desk, &records).await;
        let reports = items(&desk, "/visits").await;
        let why = |n: u128| {
            let own = reports.iter().find(|report| report["id"] == Uuid::from_u128(n).to_string()).unwrap();
            (own["matter"].as_str().map(str::to_owned), own["why"].as_str().unwrap_or_default().to_owned())
        };
        for (n, matter, said) in [
            (1, Some(&key), "\"call\" does not count here; what counts: face_to_face"),
            (2, None, "none of the customer's lines was ever the agent's"),
            (3, None, "there is no customer called \"nobody\""),
            (4, None, "is another customer's"),
            (5, None, "no round of visits was owed there then"),
            (6, Some(&key), ""),
        ] {
            let (found, why) = why(n);
            assert!(found.as_ref() == matter && why.contains(said), "{n}: {found:?} {why}");
        }
        let round =
            desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1/matters/{key}"), None).await.json;
        let facts: Vec<(&Value, bool)> = round["facts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fact| (&fact["kind"], fact["misfit"].is_null()))
            .collect();
        assert_eq!(facts, [(&json!("opened"), true), (&json!("made"), false), (&json!("made"), true)]);
        assert_eq!((&round["state"], &round["failed_points"]), (&json!("resolved"), &json!(["x"])));
        let promises = items(&desk, "/matters?kind=promise").await;
        assert_eq!(
            (promises.len(), &promises[0]["title"]),
            (1, &json!("a drawing")),
            "owed, whatever the call counts for"
        );
        let defects = items(&desk, "/matters?kind=defect").await;
        assert_eq!(
            (defects.len(), &defects[0]["class"]),
            (1, &json!("general")),
            "the mildest for a class that no pack knows"
        );
        let path = format!(
            "/managers/manager/diary?from={}&until={}",
            (START - 2 * DAY_MS).to_rfc3339(),
            (START + 3 * DAY_MS).to_rfc3339()
        );
        let diary = desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await.json;
        let reasons = diary["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["kind"] == "visit_report" && !entry["why"].is_null());
        assert_eq!(reasons.count(), 4, "{diary}");
    })
    .await;
}
