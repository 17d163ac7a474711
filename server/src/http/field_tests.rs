//! What technicians bring back besides visit reports, and what of it does not fit, on both databases.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::facts::{
    Body, Channel, Deed, Diagnosis, Finding, Grade, Opened, Reading, Record, Report, Step, StepKind, Visit,
    When,
};
use linewatch_shared::matter::MatterStep;
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::{DAY_MS, MINUTE_MS, MonoMs, UnixMs};
use serde_json::{Value, json};
use uuid::Uuid;

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::both;

const CUSTOMERS: &str = "code,name,tier,manager\nbank,Sample Bank,AAA,manager-1\nmill,Sample Mill,AAA,manager-2\nshop,Sample Shop,A,\n";
const LINES: &str = "code,customer,site,agent\nL1,bank,HQ,site-1\nM1,mill,Mill,site-2\nS1,shop,Shop,site-1\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
    }
    for agent in ["site-1", "site-2"] {
        desk.enrol(agent).await;
    }
    desk.clock.advance(DAY_MS);
    desk
}

fn record(id: u128, at: UnixMs, body: Body) -> Record {
    let written = Reading { wall: at, mono: MonoMs(1) };
    let by = Some("tech-1".to_owned());
    Record { id: Uuid::from_u128(id), boot: Uuid::nil(), written, occurred: When::Typed(at), by, body }
}

fn opened(customer: &str) -> Opened {
    Opened {
        kind: MatterKind::Complaint,
        class: None,
        customer: customer.to_owned(),
        line: None,
        site: None,
        title: "too slow in the morning".to_owned(),
        description: "since Monday".to_owned(),
        reporter: "Sample Person".to_owned(),
    }
}

fn deed(matter: Uuid, step: MatterStep) -> Body {
    Body::Deed(Deed { matter, step })
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

async fn get(desk: &TestDesk, path: &str) -> Value {
    let answer = desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json
}

async fn post(desk: &TestDesk, role: Role, path: &str, body: Value) -> TestAnswer {
    desk.call(Some(role), Method::POST, &format!("/api/v1{path}"), Some(body)).await
}

/// The conflicts, the newest first: record, kind, and why.
async fn conflicts(desk: &TestDesk) -> Vec<(u128, String, String)> {
    let items = get(desk, "/conflicts").await["items"].as_array().unwrap().clone();
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let shown = |item: &Value| {
        let id: Uuid = text(item, "id").parse().unwrap();
        (id.as_u128(), text(item, "kind"), text(item, "why"))
    };
    items.iter().map(shown).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_in_on_site_becomes_a_matter_and_its_steps_count() {
    both(|db| async move {
        let desk = desk(db).await;
        let at = START + MINUTE_MS;
        let in_full =
            Opened { line: Some("L1".to_owned()), class: Some("major".to_owned()), ..opened("bank") };
        let aside = desk
            .push(
                "site-1",
                &[
                    record(1, at, Body::Opened(opened("bank"))),
                    record(2, at, deed(id(1), MatterStep::Answered)),
                    record(3, at, Body::Opened(Opened { kind: MatterKind::Defect, ..in_full.clone() })),
                    record(4, at + 1, deed(id(1), MatterStep::Resolved { how: "explained".to_owned() })),
                ],
            )
            .await;
        assert_eq!(aside, 0);
        let matter = get(&desk, &format!("/matters/{}", id(1))).await;
        for (key, value) in [
            ("kind", json!("complaint")),
            ("owner", json!("manager-1")),
            ("first_receiver", json!("tech-1")),
            ("title", json!("too slow in the morning")),
            ("state", json!("resolved")),
            ("opened_at", json!(at.to_rfc3339())),
        ] {
            assert_eq!(matter[key], value, "{key}: {matter}");
        }
        let kinds: Vec<&str> =
            matter["facts"].as_array().unwrap().iter().map(|fact| fact["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["opened", "answered", "resolved"]);
        assert_eq!(matter["facts"][2]["by"], "tech-1 (agent site-1)");
        // No class of defects is called so: the first one takes its place.
        let defect = get(&desk, &format!("/matters/{}", id(3))).await;
        assert_eq!((&defect["kind"], &defect["line"]), (&json!("defect"), &json!("L1")));
        assert_ne!(matter["class"], "leak");
        // Sent again by a restored laptop: once.
        desk.push("site-1", &[record(1, at, Body::Opened(opened("bank")))]).await;
        assert_eq!(get(&desk, "/matters?kind=complaint").await["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_kept_listed_and_settled() {
    both(|db| async move {
        let desk = desk(db).await;
        let at = START + MINUTE_MS;
        let of = |kind| Body::Opened(Opened { kind, ..opened("bank") });
        let named = |class: &str| Body::Opened(Opened { class: Some(class.to_owned()), ..opened("bank") });
        let line = Body::Opened(Opened { line: Some("M1".to_owned()), ..opened("bank") });
        let records = [
            record(1, at, Body::Opened(opened("mill"))),
            record(2, at, Body::Opened(opened("nobody"))),
            record(3, at, of(MatterKind::Visit)),
            record(4, at, named("huge")),
            record(5, at, line),
            record(6, at, Body::Opened(opened("shop"))),
            record(7, at, deed(id(99), MatterStep::Answered)),
            record(8, at + 2, deed(id(4), MatterStep::Told { reached: true })),
            record(9, at + 1, deed(id(4), MatterStep::Answered)),
        ];
        assert_eq!(desk.push("site-1", &records).await, 0, "never refused");
        let found = conflicts(&desk).await;
        let why =
            |n: u128| found.iter().find(|(record, ..)| *record == n).map_or("", |(.., why)| why.as_str());
        for (n, words, is_opened) in [
            (1, "none of the customer's lines was ever the agent's", false),
            (2, "there is no customer called \"nobody\"", false),
            (3, "a visit is not taken in on site", false),
            (4, "\"huge\" is no class of a complaint", true),
            (5, "customer bank has no line called \"M1\"", true),
            (6, "has no account manager", true),
            (7, "there is no matter", false),
        ] {
            assert!(why(n).contains(words), "{n}: {found:?}");
            let path = format!("/api/v1/matters/{}", id(n));
            let matter = desk.call(Some(Role::Noc), Method::GET, &path, None).await;
            assert_eq!(matter.status == StatusCode::OK, is_opened, "{n}: {}", matter.text);
        }
        let shop = get(&desk, &format!("/matters/{}", id(6))).await;
        assert_eq!(shop["owner"], "tech-1", "never nobody's");

        // The desk's own steps, and those of others' matters, are put aside.
        let foreign = post(
            &desk,
            Role::Noc,
            "/matters",
            json!({ "kind": "complaint", "class": "minor", "customer": "mill",
            "title": "no invoice" }),
        )
        .await;
        let foreign: Uuid = foreign.json["id"].as_str().unwrap().parse().unwrap();
        let cancelled = MatterStep::Cancelled { reason: "no".to_owned() };
        let aside =
            [record(20, at, deed(id(4), cancelled)), record(21, at, deed(foreign, MatterStep::Answered))];
        assert_eq!(desk.push("site-1", &aside).await, 2);

        let settled = json!({ "note": "asked the technician" });
        let path = format!("/conflicts/{}/settled", id(4));
        let answer = post(&desk, Role::Manager, &path, settled.clone()).await;
        assert_eq!(
            (answer.status, &answer.json["settled_by"]),
            (StatusCode::OK, &json!("manager")),
            "{}",
            answer.text
        );
        let open = get(&desk, "/conflicts?settled=false").await["items"].as_array().unwrap().len();
        let over = get(&desk, "/conflicts?settled=true").await["items"].clone();
        assert_eq!((open, over.as_array().unwrap().len()), (found.len() - 1, 1));
        assert_eq!((&over[0]["note"], &over[0]["settled"]), (&json!("asked the technician"), &json!(true)));
        let unknown = post(&desk, Role::Noc, &format!("/conflicts/{}/settled", id(77)), settled).await;
        assert_eq!(
            (unknown.status, unknown.json["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("unknown_conflict"))
        );
        let trail = desk.call(Some(Role::Admin), Method::GET, "/api/v1/audit", None).await;
        assert!(trail.text.contains("conflict settled"), "{}", trail.text);
        let page = get(&desk, "/conflicts?limit=2").await;
        let cursor = page["next_cursor"].as_str().unwrap();
        let next = get(&desk, &format!("/conflicts?limit=2&cursor={cursor}")).await;
        assert!(
            page["items"][1]["id"] != next["items"][0]["id"] && next["items"].as_array().unwrap().len() == 2
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_contradict_are_conflicts_until_they_fit() {
    both(|db| async move {
        let desk = desk(db).await;
        let at = START + MINUTE_MS;
        let report = Report {
            line: "L1".to_owned(),
            channel: Channel::Technician,
            reporter: "Sample Person".to_owned(),
            description: String::new(),
        };
        let step = |fault: u128, kind| Body::Step(Step { fault: id(fault), kind, note: None });
        desk.push("site-1", &[record(1, at, Body::Report(report))]).await;
        desk.push("site-1", &[record(2, at + 5 * MINUTE_MS, step(1, StepKind::Repaired))]).await;
        let found = conflicts(&desk).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0, found[0].1.as_str()), (2, "step"));
        let item = get(&desk, "/conflicts").await["items"][0].clone();
        for (key, value) in [
            ("what", json!("repaired")),
            ("line", json!("L1")),
            ("customer", json!("bank")),
            ("agent", json!("site-1")),
            ("by", json!("tech-1 (agent site-1)")),
            ("fault", json!(id(1))),
            ("settled", json!(false)),
        ] {
            assert_eq!(item[key], value, "{key}: {item}");
        }
        // What was missing comes later: it fits now.
        desk.push("site-1", &[record(3, at + 3 * MINUTE_MS, step(1, StepKind::Restored))]).await;
        assert_eq!(conflicts(&desk).await, []);
        // What people at the desk write is refused there, and no conflict here.
        let path = format!("/faults/{}/facts", id(1));
        post(&desk, Role::Noc, &path, json!({ "kind": "acknowledged" })).await;
        assert_eq!(conflicts(&desk).await, []);
        // A deed that another one overtakes.
        desk.push("site-1", &[record(10, at, Body::Opened(opened("bank")))]).await;
        let done = |n, how: &str| {
            record(n, at + n as i64, deed(id(10), MatterStep::Resolved { how: how.to_owned() }))
        };
        desk.push("site-1", &[done(11, "first"), done(12, "second")]).await;
        let found = conflicts(&desk).await;
        assert_eq!(found.iter().map(|(n, kind, _)| (*n, kind.as_str())).collect::<Vec<_>>(), [(12, "deed")]);
        // A visit that no round was owed for.
        let visit = Visit { customer: "mill".to_owned(), ..Visit::default() };
        desk.push("site-1", &[record(30, at, Body::Visit(visit))]).await;
        assert_eq!(conflicts(&desk).await[0].1, "visit");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diagnosis_is_shown_with_its_line_and_its_fault() {
    both(|db| async move {
        let desk = desk(db).await;
        let at = START + MINUTE_MS;
        let body = json!({ "line": "L1", "channel": "hotline", "reporter": "x", "description": "y" });
        let fault = post(&desk, Role::Noc, "/faults", body).await.json["id"].as_str().unwrap().to_owned();
        let finding = Finding {
            check: "link".to_owned(),
            grade: Grade::Fail,
            code: "no_carrier".to_owned(),
            figures: vec![("speed_mbps".to_owned(), "0".to_owned())],
        };
        let of = |line: &str, fault: Option<Uuid>| {
            Body::Diagnosis(Diagnosis { line: line.to_owned(), fault, findings: vec![finding.clone(); 70] })
        };
        let records = [record(1, at, of("L1", fault.parse().ok())), record(2, at + 1, of("L1", None))];
        assert_eq!(desk.push("site-1", &records).await, 0);
        assert_eq!(desk.push("site-1", &[record(3, at, of("M1", None))]).await, 1, "another agent's line");
        let shown = get(&desk, &format!("/faults/{fault}")).await["diagnoses"].clone();
        assert_eq!(shown.as_array().unwrap().len(), 1);
        assert_eq!((&shown[0]["id"], &shown[0]["by"]), (&json!(id(1)), &json!("tech-1 (agent site-1)")));
        assert_eq!(shown[0]["findings"].as_array().unwrap().len(), 64, "bounded");
        let expected = json!({ "check": "link", "grade": "fail", "code": "no_carrier", "figures": [["speed_mbps", "0"]] });
        assert_eq!(shown[0]["findings"][0], expected);
        let page = get(&desk, "/lines/L1/diagnoses?limit=1").await;
        assert_eq!(page["items"][0]["id"], json!(id(2)), "the newest first");
        let next = page["next_cursor"].as_str().unwrap();
        let next = get(&desk, &format!("/lines/L1/diagnoses?limit=1&cursor={next}")).await;
        assert_eq!((&next["items"][0]["id"], &next["next_cursor"]), (&json!(id(1)), &Value::Null));
        let path = "/api/v1/lines/L9/diagnoses";
        assert_eq!(desk.call(Some(Role::Noc), Method::GET, path, None).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_that_cannot_be_stored_holds_up_nobody() {
    both(|db| async move {
        let desk = desk(db).await;
        let at = START + MINUTE_MS;
        let odd = Opened { title: "a\0b".to_owned(), ..opened("bank") };
        let visit = Visit { customer: "bank\0".to_owned(), ..Visit::default() };
        let records = [
            record(1, at, Body::Opened(odd)),
            record(2, at, Body::Visit(visit)),
            Record { by: Some("\0".to_owned()), ..record(3, at, Body::Opened(opened("bank"))) },
            record(4, at, Body::Opened(opened("bank"))),
        ];
        assert_eq!(desk.push("site-1", &records).await, 3);
        get(&desk, &format!("/matters/{}", id(4))).await;
    })
    .await;
}
