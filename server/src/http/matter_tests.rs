//! Matters and duties over the API, on both databases: what is refused, and that a refusal changes nothing.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::app::matters::duties::begin_rounds;
use crate::auth::Role;
use crate::db::{Db, Priority, testing::both};

const CUSTOMERS: &str = "code,name,tier,manager\nbank,Sample Bank,AAA,Manager A\nshop,Sample Shop,A,\n";
const LINES: &str = "code,customer,site\nL1,bank,HQ\nL3,shop,Shop\n";

pub(super) async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        let packs = Arc::clone(&desk.app.packs);
        import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
    }
    desk
}

fn complaint() -> Value {
    json!({ "kind": "complaint", "class": "minor", "customer": "bank", "title": "no invoice" })
}

pub(super) fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

pub(super) fn after(span_ms: i64) -> Value {
    json!((START + span_ms).to_rfc3339())
}

pub(super) async fn call(desk: &TestDesk, role: Role, path: &str, body: Value) -> TestAnswer {
    desk.call(Some(role), Method::POST, &format!("/api/v1{path}"), Some(body)).await
}

pub(super) async fn post(desk: &TestDesk, path: &str, body: Value) -> TestAnswer {
    call(desk, Role::Noc, path, body).await
}

pub(super) async fn items(desk: &TestDesk, path: &str) -> Vec<Value> {
    let answer = desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await;
    answer.json["items"].as_array().unwrap_or_else(|| panic!("{path}: {}", answer.text)).clone()
}

/// How many matters, facts of theirs, and duties there are.
async fn rows(desk: &TestDesk) -> (usize, usize, usize) {
    let matters = items(desk, "/matters").await;
    let mut facts = 0;
    for matter in &matters {
        let path = format!("/api/v1/matters/{}", matter["id"].as_str().unwrap());
        let read = desk.call(Some(Role::Noc), Method::GET, &path, None).await;
        facts += read.json["facts"].as_array().unwrap().len();
    }
    (matters.len(), facts, items(desk, "/duties").await.len())
}

/// Begins what the engine would begin, and finds the only round of that kind.
pub(super) async fn round(desk: &TestDesk, kind: &str) -> Value {
    let inner = desk.app.desk.clone();
    desk.app.db.write(Priority::Engine, move |tx| begin_rounds(&inner, tx, START)).await.unwrap();
    let mut found = items(desk, &format!("/matters?kind={kind}")).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Each is refused with that status, code and a detail that holds the words, and changes nothing.
pub(super) async fn refused(desk: &TestDesk, cases: &[(&str, Value, u16, &str, &str)]) {
    let before = rows(desk).await;
    for (path, body, status, code, words) in cases {
        let answer = post(desk, path, body.clone()).await;
        let found = (answer.status.as_u16(), answer.json["code"].as_str().unwrap_or_default());
        assert_eq!(found, (*status, *code), "{path} {body}: {}", answer.text);
        let said = format!("{} {}", answer.json["field"], answer.json["detail"]);
        assert!(said.contains(words), "{path} {body}: \"{words}\" is not in: {said}");
        assert_eq!(rows(desk).await, before, "{path} {body} changed something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intake_that_is_wrong_says_what_and_where() {
    both(|db| async move {
        let desk = desk(db).await;
        assert_eq!(post(&desk, "/matters", complaint()).await.status, StatusCode::CREATED);
        let cases = [
            ("class", json!("huge"), "\"class\" \"\\\"huge\\\" is no class of a complaint"),
            ("class", json!("huge"), "minor, important, major, deferred, invalid"),
            ("class", json!("invalid"), "only a supervisor"),
            ("class", json!("deferred"), "name the date"),
            ("customer", json!("nobody"), "there is no customer called"),
            ("customer", json!("shop"), "\"owner\" \"customer shop has no account manager"),
            ("line", json!("L3"), "customer bank has no line called"),
            ("kind", json!("visit"), "rounds of a duty"),
            ("kind", json!("wish"), "is not one of: complaint, request"),
            ("title", json!("  "), "\"title\" \"must not be empty"),
            ("wanted_by", after(-HOUR_MS), "lies before the matter was opened"),
            ("wanted_by", json!("tomorrow"), "\"wanted_by\""),
            ("opened_at", after(DAY_MS), "more than 5 minutes in the future"),
            ("pack", json!("no-such"), "there is no pack called"),
            ("colour", json!("red"), "colour"),
        ];
        let cases = cases.map(|(field, value, words)| {
            ("/matters", with(complaint(), field, value), 422, "invalid_field", words)
        });
        refused(&desk, &cases).await;
        let unknown = with(complaint(), "about", json!("00000000-0000-7000-8000-000000000001"));
        refused(&desk, &[("/matters", unknown, 404, "unknown_matter", "matter")]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_wrong_says_what_and_where() {
    both(|db| async move {
        let desk = desk(db).await;
        let opened = post(&desk, "/matters", complaint()).await.json;
        let steps = format!("/matters/{}/facts", opened["id"].as_str().unwrap());
        let steps = steps.as_str();
        let put_off = json!({ "kind": "postponed", "until": after(2 * DAY_MS), "reason": "parts" });
        let field = |body: Value, words: &'static str| (steps, body, 422, "invalid_field", words);
        let impossible = |body: Value, words: &'static str| (steps, body, 409, "step_impossible", words);
        refused(
            &desk,
            &[
                field(json!({ "kind": "mended" }), "is no step of a matter"),
                field(
                    json!({ "kind": "answered", "unit": "billing" }),
                    "\"unit\" \"is not a field of this kind",
                ),
                field(json!({ "kind": "postponed", "reason": "parts" }), "\"until\" \"is missing"),
                field(json!({ "kind": "told" }), "\"reached\" \"is missing"),
                field(
                    json!({ "kind": "callback", "reached": true, "result": "glad" }),
                    "satisfied, unsatisfied",
                ),
                field(json!({ "kind": "note", "text": "x".repeat(5_000) }), "\"text\""),
                field(json!({ "kind": "answered", "occurred_at": after(DAY_MS) }), "in the future"),
                field(json!({ "kind": "note", "text": "x", "promises": [] , "colour": 1 }), "colour"),
                impossible(with(put_off.clone(), "until", after(-HOUR_MS)), "before its due time"),
                impossible(with(put_off.clone(), "until", after(9 * DAY_MS)), "at most 7d"),
                impossible(json!({ "kind": "callback", "reached": false }), "possible now: "),
                impossible(json!({ "kind": "reviewed", "ok": true }), "answered"),
                impossible(
                    json!({ "kind": "answered", "occurred_at": after(-DAY_MS) }),
                    "before the matter was opened",
                ),
                impossible(
                    json!({ "kind": "reclassed", "class": "huge", "reason": "x" }),
                    "minor, important",
                ),
                impossible(json!({ "kind": "raised", "level": 9, "reason": "x" }), "3 levels"),
                (steps, with(put_off.clone(), "special", json!(true)), 403, "supervisor_only", "supervisor"),
                (
                    steps,
                    json!({ "kind": "closed_unconfirmed", "reason": "x" }),
                    403,
                    "supervisor_only",
                    "supervisor",
                ),
                ("/matters/x/facts", json!({ "kind": "answered" }), 404, "unknown_matter", "x"),
            ],
        )
        .await;
        let special = with(with(put_off, "special", json!(true)), "until", after(9 * DAY_MS));
        let taken = call(&desk, Role::Admin, steps, special).await;
        assert_eq!((taken.status, &taken.json["postponed"]), (StatusCode::OK, &json!(1)), "{}", taken.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_is_wrong_says_what_and_where() {
    both(|db| async move {
        let desk = desk(db).await;
        let duty = json!({ "pack": "power-distribution", "cadence": "seasonal", "customer": "bank", "site": "Room 1" });
        let bad = |name: &str, value: &str| with(duty.clone(), name, json!(value));
        refused(
            &desk,
            &[
                ("/duties", bad("pack", "x"), 422, "invalid_field", "there is no pack called"),
                ("/duties", bad("cadence", "daily"), 422, "invalid_field", "seasonal"),
                ("/duties", bad("customer", "nobody"), 422, "invalid_field", "there is no customer called"),
                ("/duties", bad("since", "soon"), 422, "invalid_field", "\"since\""),
                ("/duties", bad("since", "1999-01-01T00:00:00Z"), 422, "invalid_field", "more than a year back"),
                ("/duties", bad("colour", "red"), 422, "invalid_field", "colour"),
            ],
        )
        .await;
        assert_eq!(post(&desk, "/duties", duty.clone()).await.status, StatusCode::OK);
        assert_eq!(post(&desk, "/duties", duty).await.status, StatusCode::OK, "the same one again");
        let steps = format!("/matters/{}/facts", round(&desk, "patrol").await["id"].as_str().unwrap());
        let steps = steps.as_str();
        let permit = json!({ "to": "technician-1", "from": after(0), "until": after(DAY_MS), "work": "tests",
            "ticket": "T-1", "briefing": true,
            "certificates": [{ "name": "electrician", "number": "E-1", "valid_until": after(30 * DAY_MS) }] });
        for step in [json!({ "kind": "permit_granted", "permit": permit }), json!({ "kind": "permit_returned" })] {
            assert_eq!(post(&desk, steps, step).await.status, StatusCode::OK);
        }
        let point = |name: &str| json!({ "name": name, "ok": true });
        let names = ["insulation", "earth_resistance", "protection", "report"];
        let all: Vec<Value> = names.iter().map(|name| point(name)).collect();
        let made = |points: &[Value]| json!({ "kind": "made", "mode": "on_site", "points": points });
        let changed = |n: usize, value: Value| {
            let mut points = all.clone();
            points[n] = value;
            made(&points)
        };
        let twice = [all.as_slice(), &[point("report")]].concat();
        let more = [all.as_slice(), &[point("roof")]].concat();
        let wrong = json!({ "name": "report", "ok": false, "class": "huge" });
        refused(
            &desk,
            &[
                (steps, made(&all[1..]), 409, "step_impossible", "insulation"),
                (steps, made(&twice), 409, "step_impossible", "report"),
                (steps, made(&more), 409, "step_impossible", "\\\"roof\\\" is no point"),
                (steps, changed(3, wrong), 422, "invalid_field", "emergency, major, general"),
                (steps, changed(3, with(point("report"), "class", json!("major"))), 422, "invalid_field", "is well"),
            ],
        )
        .await;
        let failed = json!({ "name": "report", "ok": false, "note": "not filed" });
        assert_eq!(post(&desk, steps, changed(3, failed)).await.status, StatusCode::OK);
        let defects = items(&desk, "/matters?kind=defect").await;
        let found: Vec<_> = defects.iter().map(|d| (d["class"].as_str(), d["title"].as_str())).collect();
        assert_eq!(found, [(Some("general"), Some("Room 1: report"))], "the mildest where nobody said");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_promised_on_a_visit_is_owed_by_its_day() {
    both(|db| async move {
        let desk = desk(db).await;
        let duty = json!({ "pack": "group-line", "cadence": "visit-AAA", "customer": "bank" });
        assert_eq!(post(&desk, "/duties", duty).await.status, StatusCode::OK);
        let visit = round(&desk, "visit").await;
        let steps = format!("/matters/{}/facts", visit["id"].as_str().unwrap());
        let steps = steps.as_str();
        let promise = |title: &str, until: Value| json!({ "title": title, "until": until });
        let made = |promises: Value| json!({ "kind": "made", "mode": "face_to_face", "promises": promises });
        let bad = |promises: Value, words: &'static str| (steps, made(promises), 422, "invalid_field", words);
        refused(
            &desk,
            &[
                bad(json!([promise("a plan", after(-DAY_MS))]), "has passed"),
                bad(json!([promise("a plan", json!("soon"))]), "\"promises\""),
                bad(json!([promise("", after(DAY_MS))]), "must not be empty"),
                bad(json!([promise("a plan", after(DAY_MS)), promise("late", after(0))]), "has passed"),
            ],
        )
        .await;
        let days: [UnixMs; 2] = [START + 3 * DAY_MS, START + 5 * DAY_MS];
        let promises = days.map(|day| promise("a wiring plan", json!(day.to_rfc3339())));
        let taken = post(&desk, steps, made(json!(promises))).await;
        assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
        let mut found = items(&desk, "/matters?kind=promise").await;
        found.sort_by_key(|promise| promise["deadlines"][0]["due_at"].to_string());
        assert_eq!(found.len(), 2, "two of the same words are two");
        for (promise, day) in found.iter().zip(days) {
            assert_eq!((&promise["about"], &promise["owner"]), (&visit["id"], &json!("Manager A")));
            let owed = &promise["deadlines"];
            assert_eq!(
                (&owed[0]["kind"], &owed[0]["due_at"]),
                (&json!("resolution"), &json!(day.to_rfc3339()))
            );
            assert_eq!(owed.as_array().unwrap().len(), 1);
        }
    })
    .await;
}
