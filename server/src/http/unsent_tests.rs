//! What agents have written and not sent, as the desk sees it, on both databases.

use axum::http::Method;
use linewatch_shared::facts::{Body, Lane, Opened, Part, Reading, Record, Visit, When};
use linewatch_shared::health::Health;
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::{HOUR_MS, MINUTE_MS, MonoMs, UnixMs};
use linewatch_shared::wire::{
    Batch, Chain, Envelope, Head, Heartbeat, HeartbeatAnswer, PROTOCOL, PushAnswer, record_hash,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::part_tests::{desk, named, photo, send};
use super::testing::{START, TestDesk};
use crate::auth::Role;
use crate::db::{DbError, Priority, testing::both};
use crate::store::agents;

/// A heartbeat, and the write of all contacts that follows within a second.
async fn beat(desk: &TestDesk, epoch: u64, heads: &[(Lane, u64)]) {
    let beat = Heartbeat {
        device: Reading { wall: desk.app.now(), mono: MonoMs(1) },
        boot: Uuid::nil(),
        epoch,
        heads: heads.iter().map(|(lane, last)| Head { lane: *lane, last: *last }).collect(),
    };
    desk.told::<HeartbeatAnswer>("site-1", "/sync/v1/heartbeat", &beat).await;
    let seen = desk.app.seen.take();
    let saved: Result<(), DbError> =
        desk.app.db.write(Priority::Ingest, move |tx| agents::save_seen(tx, &seen)).await;
    saved.unwrap();
}

/// So many records of a lane, the first of which has a number; all are pushed but those that are left out.
async fn push(desk: &TestDesk, epoch: u64, first: u64, records: &[Record]) {
    let mut chain = Chain::START;
    let lane = records[0].body.lane();
    for (number, record) in (1..).zip(records) {
        let bytes = record.to_bytes().unwrap();
        if number >= first {
            let envelope = Envelope { protocol: PROTOCOL, epoch, lane, first: number, chain, count: 1 };
            let packed = Batch { envelope, bodies: vec![bytes.clone()] }.pack().unwrap();
            let answer: PushAnswer = desk.told_bytes("site-1", "/sync/v1/push", packed).await;
            assert_eq!(answer.set_aside, 0);
        }
        chain = chain.after(record_hash(&bytes));
    }
}

fn record(id: u128, body: Body) -> Record {
    let written = Reading { wall: START, mono: MonoMs(1) };
    Record {
        id: Uuid::from_u128(id),
        boot: Uuid::nil(),
        written,
        occurred: When::Typed(START),
        by: None,
        body,
    }
}

fn opened(id: u128) -> Record {
    record(
        id,
        Body::Opened(Opened {
            kind: MatterKind::Complaint,
            class: None,
            customer: "bank".to_owned(),
            line: None,
            site: None,
            title: "too slow".to_owned(),
            description: String::new(),
            reporter: String::new(),
        }),
    )
}

async fn unsent(desk: &TestDesk) -> (Value, Value) {
    let answer = desk.call(Some(Role::Noc), Method::GET, "/api/v1/agents", None).await;
    let agents = answer.json["items"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
    assert_eq!((&agents[1]["name"], &agents[1]["unsent"]), (&json!("site-2"), &json!([])));
    (agents[0]["unsent"].clone(), agents[0]["parts_missing"].clone())
}

fn of(lane: &str, records: u64, since: UnixMs) -> Value {
    json!([{ "lane": lane, "records": records, "since_at": since.to_rfc3339() }])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unsent_is_known_with_its_age() {
    both(|db| async move {
        let desk = desk(db).await;
        let records: Vec<Record> = (1..=10).map(opened).collect();
        beat(&desk, 7, &[(Lane::Desk, 0), (Lane::Fault, 0)]).await;
        assert_eq!(unsent(&desk).await.0, json!([]));
        desk.clock.advance(HOUR_MS);
        let first = desk.app.now();
        beat(&desk, 7, &[(Lane::Desk, 3), (Lane::Fault, 0)]).await;
        assert_eq!(unsent(&desk).await.0, of("desk", 3, first));
        // More comes to it: the oldest is as old as it was.
        desk.clock.advance(MINUTE_MS);
        let second = desk.app.now();
        beat(&desk, 7, &[(Lane::Desk, 5)]).await;
        assert_eq!(unsent(&desk).await.0, of("desk", 5, first));
        push(&desk, 7, 1, &records[..2]).await;
        assert_eq!(unsent(&desk).await.0, of("desk", 3, first), "a part of the first ones");
        push(&desk, 7, 3, &records[..4]).await;
        assert_eq!(unsent(&desk).await.0, of("desk", 1, second), "those that were known first are here");
        // It is kept out, and what it has is not forgotten.
        desk.call(Some(Role::Admin), Method::POST, "/api/v1/agents/site-1/revocation", None).await;
        desk.clock.advance(HOUR_MS);
        assert_eq!(unsent(&desk).await.0, of("desk", 1, second));
        desk.enrol("site-1").await;
        desk.clock.advance(HOUR_MS);
        beat(&desk, 7, &[(Lane::Desk, 6)]).await;
        assert_eq!(unsent(&desk).await.0, of("desk", 2, second));
        push(&desk, 7, 5, &records[..6]).await;
        assert_eq!(unsent(&desk).await.0, json!([]));
        desk.clock.advance(HOUR_MS);
        beat(&desk, 7, &[(Lane::Desk, 7)]).await;
        assert_eq!(unsent(&desk).await.0, of("desk", 1, desk.app.now()), "nothing was unsent in between");
        // A new journal begins with what the old one had not sent.
        beat(&desk, 8, &[(Lane::Desk, 1)]).await;
        assert_eq!(unsent(&desk).await.0, of("desk", 1, desk.app.now()));
        beat(&desk, 8, &[(Lane::Desk, u64::MAX)]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_of_the_lane_without_order_and_photos_are_counted_too() {
    both(|db| async move {
        let desk = desk(db).await;
        let health: Vec<Record> = (1..=6).map(|n| record(n, Body::Health(Health::default()))).collect();
        let at = desk.app.now();
        beat(&desk, 1, &[(Lane::Summary, 6)]).await;
        push(&desk, 1, 5, &health).await;
        assert_eq!(unsent(&desk).await, (of("summary", 4, at), json!(0)), "the newest come first");
        push(&desk, 1, 1, &health).await;
        assert_eq!(unsent(&desk).await.0, json!([]));
        let (one, other) = (photo(2_000, 1), photo(2_000, 2));
        let parts: Vec<Part> = vec![named(&one), named(&other), named(&one)];
        let visit = Visit { customer: "bank".to_owned(), parts, ..Visit::default() };
        desk.push("site-1", &[record(50, Body::Visit(visit))]).await;
        assert_eq!(unsent(&desk).await.1, json!(2));
        send(&desk, "site-1", &one).await;
        assert_eq!(unsent(&desk).await.1, json!(1));
    })
    .await;
}
