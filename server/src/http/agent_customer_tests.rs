//! A laptop in the field: what it sees of customers whose lines other agents watch, and what it may say of them, on both
//! databases.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::detector::{Evidence, LineState};
use linewatch_shared::facts::{Body, LineChange, Reading, Record, Visit, When};
use linewatch_shared::time::{MINUTE_MS, MonoMs, UnixMs};
use linewatch_shared::wire::{Cursor, LEVEL, Pull, PullPage, Reference, Tasks, TasksAnswer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::testing::{START, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::both;

const CUSTOMERS: &str =
    "code,name,tier,pack\nbank,Sample Bank,AAA,group-line\nmill,Sample Mill,A,group-line\n";
const LINES: &str = "code,customer,site,agent\nL1,bank,HQ,site-1\nM1,mill,Mill,site-1\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
    }
    for agent in ["site-1", "laptop-1"] {
        desk.enrol(agent).await;
    }
    desk
}

async fn show(desk: &TestDesk, customers: Value) -> StatusCode {
    let body = json!({ "customers": customers });
    desk.call(Some(Role::Admin), Method::PUT, "/api/v1/agents/laptop-1/customers", Some(body)).await.status
}

async fn pull(desk: &TestDesk, level: u16, cursor: Option<Cursor>) -> PullPage {
    desk.told("laptop-1", "/sync/v1/pull", &Pull { cursor, level }).await
}

fn lines(page: &PullPage) -> Vec<&str> {
    let line = |row: &'_ Reference| match row {
        Reference::Line(line) => Some(line.code.clone()),
        _ => None,
    };
    let codes: Vec<String> = page.rows.iter().filter_map(line).collect();
    ["L1", "M1"].into_iter().filter(|code| codes.iter().any(|known| known == code)).collect()
}

fn record(number: u128, at: UnixMs, body: Body) -> Record {
    let written = Reading { wall: at, mono: MonoMs(1) };
    Record {
        id: Uuid::from_u128(number),
        boot: Uuid::nil(),
        written,
        occurred: When::Typed(at),
        by: Some("technician-1".to_owned()),
        body,
    }
}

fn seen(number: u128, at: UnixMs, state: LineState) -> Record {
    record(number, at, Body::Line(LineChange { line: "L1".to_owned(), state, evidence: Evidence::default() }))
}

fn visit(number: u128, at: UnixMs) -> Record {
    record(
        number,
        at,
        Body::Visit(Visit { customer: "bank".to_owned(), met: "reception".to_owned(), ..Visit::default() }),
    )
}

async fn faults(desk: &TestDesk) -> Vec<Value> {
    let answer = desk.call(Some(Role::Noc), Method::GET, "/api/v1/faults", None).await;
    answer.json["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_sees_the_customers_that_it_is_shown() {
    both(|db| async move {
        let desk = desk(db).await;
        let first = pull(&desk, LEVEL, None).await;
        assert!(lines(&first).is_empty());
        assert_eq!(show(&desk, json!(["nobody"])).await, StatusCode::NOT_FOUND);
        assert_eq!(show(&desk, json!(["bank"])).await, StatusCode::OK);
        let page = pull(&desk, LEVEL, Some(first.cursor)).await;
        assert_eq!((page.fresh, lines(&page)), (true, vec!["L1"]));
        assert!(
            lines(&pull(&desk, 0, None).await).is_empty(),
            "an older agent would probe it: it is not told"
        );
        let report =
            json!({ "line": "L1", "channel": "hotline", "reporter": "x", "description": "no service" });
        desk.call(Some(Role::Noc), Method::POST, "/api/v1/faults", Some(report)).await;
        let told: TasksAnswer = desk.told("laptop-1", "/sync/v1/tasks", &Tasks { known: None }).await;
        assert_eq!(told.work.unwrap().faults.len(), 1);
        // A change of the customer's line is one of the laptop's scope.
        let changed = "code,customer,site,agent\nL1,bank,Branch,site-1\n";
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, changed.as_bytes(), false, START).await.unwrap();
        let page = pull(&desk, LEVEL, Some(page.cursor)).await;
        assert!(page.fresh);
        assert_eq!(show(&desk, json!([])).await, StatusCode::OK);
        let page = pull(&desk, LEVEL, Some(page.cursor)).await;
        assert_eq!((page.fresh, lines(&page)), (true, vec![]), "what is no longer shown is taken away");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_laptop_says_joins_what_the_lines_own_agent_says_and_counts_once() {
    both(|db| async move {
        let desk = desk(db).await;
        show(&desk, json!(["bank"])).await;
        let at = |minute: i64| START - 60 * MINUTE_MS + minute * MINUTE_MS;
        assert_eq!(desk.push("site-1", &[seen(1, at(0), LineState::Down)]).await, 0);
        assert_eq!(desk.push("laptop-1", &[seen(2, at(2), LineState::Down)]).await, 0, "in its scope");
        let listed = faults(&desk).await;
        assert_eq!(listed.len(), 1, "one outage, seen twice");
        assert_eq!(listed[0]["started_at"], json!(at(0).to_rfc3339()));
        assert_eq!(desk.push("laptop-1", &[seen(3, at(5), LineState::Up)]).await, 0);
        assert_eq!(faults(&desk).await[0]["state"], "open", "the line's own agent decides");
        assert_eq!(desk.push("site-1", &[seen(4, at(9), LineState::Up)]).await, 0);
        let listed = faults(&desk).await;
        assert_eq!((listed.len(), listed[0]["interruption"]["ms"].as_i64()), (1, Some(9 * MINUTE_MS)));
        // What was written down while it was in scope counts when it comes later.
        show(&desk, json!([])).await;
        assert_eq!(desk.push("laptop-1", &[seen(7, at(6), LineState::Down)]).await, 0);
        assert_eq!(desk.push("laptop-1", &[visit(5, at(30))]).await, 0);
        let visits = desk.call(Some(Role::Noc), Method::GET, "/api/v1/visits", None).await.json;
        assert!(!visits["items"][0]["why"].as_str().unwrap_or_default().contains("scope"), "{visits}");
        let other = record(
            6,
            at(31),
            Body::Line(LineChange {
                line: "M1".to_owned(),
                state: LineState::Down,
                evidence: Evidence::default(),
            }),
        );
        assert_eq!(desk.push("laptop-1", &[other]).await, 1, "nobody showed it that customer");
    })
    .await;
}
