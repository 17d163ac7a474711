//! The equipment ledger over the API, on both databases: what is refused, what falls due, what is kept.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use serde_json::{Value, json};

use super::matter_tests::{after, desk, items, post, refused, round, with};
use super::testing::{START, TestDesk};
use crate::app::import::{self, ImportError, Summary};
use crate::app::matters::duties::{assign, begin_rounds};
use crate::auth::Role;
use crate::db::{Db, DbError, Priority, Tx, testing::both};

const CUSTOMERS: &str =
    "code,name,tier,pack,manager\nworks,Sample Works,standard,power-distribution,Manager P\n";
const SITES: &str = "customer,name,access_hours\nworks,Room 1,\nworks,Room 2,\nbank,HQ,\n";

async fn import(desk: &TestDesk, text: &str) -> Result<Summary, ImportError> {
    import::bytes(&desk.app.db, &Arc::clone(&desk.app.packs), text.as_bytes(), false, START).await
}

/// A desk with a customer whose equipment is looked after, and the ids of its two rooms and of another's site.
async fn with_rooms(db: Db) -> (TestDesk, [String; 3]) {
    let desk = desk(db).await;
    for file in [CUSTOMERS, SITES] {
        import(&desk, file).await.unwrap();
    }
    let sites = items(&desk, "/sites").await;
    let ids = ["Room 1", "Room 2", "HQ"].map(|name| {
        let site = sites.iter().find(|site| site["name"] == name).unwrap();
        site["id"].as_str().unwrap().to_owned()
    });
    (desk, ids)
}

/// The day so many days before the desk begins, as it is there.
fn day(before: i64) -> String {
    let at = (START - before * DAY_MS).to_utc().with_timezone(&chrono_tz::Asia::Shanghai);
    at.format("%Y-%m-%d").to_string()
}

/// Midnight of that day.
fn midnight(day: &str) -> UnixMs {
    UnixMs::parse_rfc3339(&format!("{day}T00:00:00+08:00")).unwrap()
}

fn transformer() -> Value {
    json!({ "label": "T1", "kind": "transformer", "condition": "class-1", "tested_on": day(300) })
}

async fn get(desk: &TestDesk, path: &str) -> Value {
    let answer = desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json
}

fn made(names: &[&str], wrong: &str) -> Value {
    let points: Vec<Value> = names.iter().map(|name| json!({ "name": name, "ok": *name != wrong })).collect();
    json!({ "kind": "made", "mode": "on_site", "points": points, "report": "PT-2026-17" })
}

/// A permit that has all that it takes, from now on for so long.
fn permit(span_ms: i64) -> Value {
    let certificate = json!({ "name": "electrician", "number": "E-17", "valid_until": after(30 * DAY_MS) });
    json!({ "kind": "permit_granted", "permit": { "to": "technician-1", "from": after(0), "until": after(span_ms),
        "work": "test of T1", "ticket": "W-1", "briefing": true, "certificates": [certificate] } })
}

const TESTED: [&str; 3] = ["insulation", "windings", "oil"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_down_wrong_says_so() {
    both(|db| async move {
        let (desk, [room, _, hq]) = with_rooms(db).await;
        let ledger = format!("/sites/{room}/equipment");
        let (ledger, of_bank) = (ledger.as_str(), format!("/sites/{hq}/equipment"));
        let bad = |field: &str, value: &str, words: &'static str| {
            (ledger, with(transformer(), field, json!(value)), 422, "invalid_field", words)
        };
        let tomorrow = day(-3);
        refused(
            &desk,
            &[
                bad("kind", "engine", "known: transformer, switchgear, relay, cable, earthing"),
                bad("condition", "fine", "known: class-1, class-2, class-3, retired"),
                bad("installed_on", "May", "is no day such as"),
                bad("tested_on", &tomorrow, "lies in the future"),
                bad("label", " ", "must not be empty"),
                bad("colour", "red", "colour"),
                (&of_bank, transformer(), 422, "invalid_field", "no pack in force for this customer"),
                ("/sites/x/equipment", transformer(), 404, "unknown_site", "x"),
                (
                    "/duties",
                    json!({ "pack": "power-distribution", "cadence": "relay-test", "customer": "works" }),
                    422,
                    "invalid_field",
                    "comes of the equipment ledger",
                ),
            ],
        )
        .await;
        assert!(items(&desk, ledger).await.is_empty());
        assert_eq!(post(&desk, ledger, transformer()).await.status, StatusCode::CREATED);
        refused(&desk, &[(ledger, transformer(), 422, "invalid_field", "is in the ledger of")]).await;
        assert_eq!(items(&desk, ledger).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_falls_due_after_the_last_one_and_leaves_its_report() {
    both(|db| async move {
        let (desk, [room, ..]) = with_rooms(db).await;
        let added = post(&desk, &format!("/sites/{room}/equipment"), transformer()).await.json;
        let path = format!("/equipment/{}", added["id"].as_str().unwrap());
        let test = round(&desk, "patrol").await;
        let due = midnight(&day(300)) + 365 * DAY_MS;
        assert_eq!((&test["title"], &test["equipment"]), (&json!("Room 1 T1"), &added["id"]));
        assert_eq!(test["deadlines"][0]["due_at"], json!(due.to_rfc3339()));
        assert_eq!(get(&desk, &path).await["next_due_at"], json!(due.to_rfc3339()));
        let steps = format!("/matters/{}/facts", test["id"].as_str().unwrap());
        refused(
            &desk,
            &[(&steps, made(&TESTED, ""), 409, "step_impossible", "no permit to work was granted")],
        )
        .await;
        for step in [permit(DAY_MS), json!({ "kind": "permit_returned" })] {
            let taken = post(&desk, &steps, step).await;
            assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
        }
        let mut silent = made(&TESTED, "");
        silent.as_object_mut().unwrap().remove("report");
        let short = made(&TESTED[1..], "");
        refused(
            &desk,
            &[
                (&steps, silent, 409, "step_impossible", "names no report"),
                (&steps, short, 409, "step_impossible", "insulation"),
            ],
        )
        .await;
        desk.clock.advance(DAY_MS);
        let taken = post(&desk, &steps, made(&TESTED, "oil")).await;
        assert_eq!(taken.json["report"], "PT-2026-17", "{}", taken.text);
        let piece = get(&desk, &path).await;
        assert_eq!(piece["last_round_at"], after(DAY_MS));
        assert_eq!(piece["next_due_at"], after(366 * DAY_MS), "the next follows at once: {piece}");
        assert_eq!(piece["rounds"].as_array().unwrap().len(), 2);
        let made =
            piece["rounds"].as_array().unwrap().iter().find(|round| round["matter"] == test["id"]).unwrap();
        assert_eq!((&made["report"], &made["failed_points"]), (&json!("PT-2026-17"), &json!(["oil"])));
        let defects = piece["defects"].as_array().unwrap();
        assert_eq!((defects.len(), &defects[0]["title"]), (1, &json!("Room 1 T1: oil")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_changes_with_its_reason_and_what_is_retired_is_owed_nothing() {
    both(|db| async move {
        let (desk, [room, ..]) = with_rooms(db).await;
        // Tested too long ago: due at once, and missed from now on, not in the years before.
        let old = with(transformer(), "tested_on", json!(day(3_000)));
        let added = post(&desk, &format!("/sites/{room}/equipment"), old).await.json;
        let test = round(&desk, "patrol").await;
        assert_eq!((&test["opened_at"], &test["deadlines"][0]["due_at"]), (&after(0), &after(0)));
        let path = format!("/equipment/{}", added["id"].as_str().unwrap());
        let graded = format!("{path}/condition");
        let graded = graded.as_str();
        let worse = json!({ "condition": "class-3", "reason": "oil leaks" });
        let bad = |field: &str, value: Value, words: &'static str| {
            (graded, with(worse.clone(), field, value), 422, "invalid_field", words)
        };
        refused(
            &desk,
            &[
                bad("condition", json!("class-1"), "it is \\\"class-1\\\" already"),
                bad("condition", json!("broken"), "is no condition"),
                bad("reason", json!(""), "must not be empty"),
                bad("at", after(-DAY_MS), "after that"),
                bad("at", after(DAY_MS), "in the future"),
                (graded, json!({ "condition": "class-3" }), 422, "invalid_field", "reason"),
            ],
        )
        .await;
        assert_eq!(post(&desk, graded, worse).await.json["condition"], "class-3");
        assert_eq!(items(&desk, "/duties?customer=works").await[0]["ended_at"], Value::Null);
        let retired = json!({ "condition": "retired", "reason": "replaced" });
        let retired = post(&desk, graded, retired).await.json;
        let history: Vec<_> = retired["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| (&c["condition"], &c["reason"]))
            .collect();
        assert_eq!(
            history,
            [
                (&json!("retired"), &json!("replaced")),
                (&json!("class-3"), &json!("oil leaks")),
                (&json!("class-1"), &json!("entered"))
            ]
        );
        assert_eq!(
            (&retired["rounds"][0]["state"], &retired["next_due_at"]),
            (&json!("cancelled"), &Value::Null)
        );
        let duty = &items(&desk, "/duties?customer=works").await[0];
        assert_eq!((&duty["equipment"], &duty["ended_at"]), (&added["id"], &after(0)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_of_a_site_s_round_may_name_the_piece() {
    both(|db| async move {
        let (desk, [room, other, _]) = with_rooms(db).await;
        let cable = json!({ "label": "C7", "kind": "cable", "condition": "class-2" });
        let here = post(&desk, &format!("/sites/{room}/equipment"), cable.clone()).await.json;
        let there = post(&desk, &format!("/sites/{other}/equipment"), cable).await.json;
        let duty = json!({ "pack": "power-distribution", "cadence": "quarterly", "customer": "works", "site": "Room 1" });
        assert_eq!(post(&desk, "/duties", duty).await.status, StatusCode::OK);
        let inner = desk.app.desk.clone();
        desk.app.db.write(Priority::Engine, move |tx| begin_rounds(&inner, tx, START)).await.unwrap();
        let rounds = items(&desk, "/matters?kind=patrol").await;
        let of_site = rounds.iter().find(|round| round["class"] == "quarterly").unwrap();
        let steps = format!("/matters/{}/facts", of_site["id"].as_str().unwrap());
        let names = ["poles", "conductors", "insulators", "clearance", "labels"];
        let named = |piece: &Value| {
            let mut body = made(&names, "labels");
            body["points"][4]["equipment"] = piece.clone();
            body
        };
        let unknown = json!("00000000-0000-7000-8000-000000000001");
        refused(
            &desk,
            &[
                (&steps, named(&there["id"]), 422, "invalid_field", "stands at \\\"Room 2\\\", not at"),
                (&steps, named(&unknown), 404, "unknown_equipment", "equipment"),
            ],
        )
        .await;
        assert_eq!(post(&desk, &steps, named(&here["id"])).await.status, StatusCode::OK);
        let by_hand = json!({ "kind": "defect", "class": "major", "customer": "works", "title": "hot joint", "equipment": here["id"] });
        let alien = with(by_hand.clone(), "customer", json!("bank"));
        refused(&desk, &[("/matters", alien, 422, "invalid_field", "has no equipment")]).await;
        assert_eq!(post(&desk, "/matters", by_hand).await.json["site"], "Room 1");
        let piece = get(&desk, &format!("/equipment/{}", here["id"].as_str().unwrap())).await;
        let mut titles: Vec<&str> =
            piece["defects"].as_array().unwrap().iter().filter_map(|defect| defect["title"].as_str()).collect();
        titles.sort_unstable();
        assert_eq!(titles, ["Room 1 C7: labels", "hot joint"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_imported_and_its_tests_come_round() {
    both(|db| async move {
        let (desk, [room, ..]) = with_rooms(db).await;
        let head = "customer,site,label,kind,condition,reason,installed_on,tested_on\n";
        let bad = format!(
            "{head}works,Room 1,T1,transformer,class-1,,,\nworks,Room 1,T1,relay,class-1,,,\nnobody,Room 1,T2,relay,class-1,,,\n\
             works,Room 9,T3,relay,class-1,,,\nworks,Room 1,T4,engine,class-1,,,\nworks,Room 1,T5,relay,fine,,,\n\
             works,Room 1,T6,relay,class-1,,May,\nworks,Room 1,,relay,class-1,,,\nworks,Room 1,T7,,class-1,,,\n"
        );
        let mistakes = import(&desk, &bad).await.unwrap_err().to_string();
        let expected = [
            "line 3, label: \"T1\" is already on line 2",
            "line 4, customer: there is no customer",
            "line 5, site: customer works has no site \"Room 9\": import sites first",
            "line 6, kind: \"engine\" is no kind of equipment",
            "line 7, condition: \"fine\" is no condition",
            "line 8, installed_on: \"May\" is no day",
            "line 9, label: is empty",
            "line 10, kind: is empty",
        ];
        let lines: Vec<&str> = mistakes.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{mistakes}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line} does not start with {expected}");
        }
        let good = format!("{head}works,Room 1,T1,transformer,class-1,,2020-05-01,{}\nworks,Room 1,R1,relay,class-2,,,\n", day(10));
        assert_eq!(import(&desk, &good).await.unwrap().created, ["works/Room 1/T1", "works/Room 1/R1"]);
        assert_eq!(import(&desk, &good).await.unwrap().unchanged, 2);
        let tested = day(10);
        for (cells, words) in [
            (format!("T1,transformer,class-2,,{tested}"), "line 2, reason: is empty: the condition changes from \"class-1\""),
            (format!("T1,transformer,retired,gone,{tested}"), "line 2, condition: is changed to retired by"),
            ("T1,transformer,class-1,,2026-09-20".to_owned(), "line 2, tested_on: a later test is entered as its round"),
        ] {
            let text = format!("customer,site,label,kind,condition,reason,tested_on\nworks,Room 1,{cells}\n");
            let refused = import(&desk, &text).await.unwrap_err().to_string();
            assert!(refused.starts_with(words), "{refused}");
        }
        let worse = "customer,site,label,kind,condition,reason\nworks,Room 1,T1,transformer,class-2,dust\n";
        assert_eq!(import(&desk, worse).await.unwrap().changed, ["works/Room 1/T1"]);
        let inner = desk.app.desk.clone();
        let assigned = move |tx: &mut Tx<'_>| {
            assign(&inner, tx, "", START)?;
            begin_rounds(&inner, tx, START)
        };
        let begun: Result<usize, DbError> = desk.app.db.write(Priority::Engine, assigned).await;
        // Two pieces, and the visit that the bank's tier is owed.
        assert!(begun.unwrap() >= 2);
        let pieces = items(&desk, &format!("/sites/{room}/equipment")).await;
        let due = |label: &str| pieces.iter().find(|piece| piece["label"] == label).unwrap()["next_due_at"].clone();
        assert_eq!(due("T1"), json!((midnight(&day(10)) + 365 * DAY_MS).to_rfc3339()));
        assert_eq!(due("R1"), after(365 * DAY_MS), "never tested: from when it became known");
        assert_eq!(items(&desk, "/matters?kind=patrol").await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dangerous_work_takes_a_permit_that_comes_back() {
    both(|db| async move {
        let (desk, [room, ..]) = with_rooms(db).await;
        post(&desk, &format!("/sites/{room}/equipment"), transformer()).await;
        let test = round(&desk, "patrol").await;
        assert_eq!(test["permit"], "electrical");
        let path = format!("/matters/{}", test["id"].as_str().unwrap());
        let steps = format!("{path}/facts");
        let steps = steps.as_str();
        let begun = json!({ "kind": "begun" });
        let without = |field: &str, value: Value| {
            let mut body = permit(HOUR_MS);
            body["permit"][field] = value;
            body
        };
        let short_lived = json!([{ "name": "electrician", "valid_until": after(HOUR_MS / 2) }]);
        let impossible = |body: Value, words: &'static str| (steps, body, 409, "step_impossible", words);
        let field = |body: Value, words: &'static str| (steps, body, 422, "invalid_field", words);
        refused(
            &desk,
            &[
                impossible(
                    begun.clone(),
                    "takes a safety briefing, a work ticket, the certificate \\\"electrician\\\"",
                ),
                impossible(json!({ "kind": "permit_returned" }), "permit_granted"),
                impossible(without("briefing", json!(false)), "lacks: the safety briefing"),
                impossible(without("ticket", Value::Null), "lacks: the work ticket"),
                impossible(without("certificates", json!([])), "lacks: the certificate"),
                impossible(without("certificates", short_lived), "valid to its end: it expires at"),
                impossible(without("until", after(-HOUR_MS)), "ends before it begins"),
                field(without("to", json!("")), "must not be empty"),
                field(json!({ "kind": "permit_granted" }), "\"permit\" \"is missing"),
                field(
                    with(begun.clone(), "permit", permit(1)["permit"].clone()),
                    "is not a field of this kind",
                ),
            ],
        )
        .await;
        assert_eq!(post(&desk, steps, permit(HOUR_MS)).await.status, StatusCode::OK);
        let taken = post(&desk, steps, begun.clone()).await;
        assert_eq!(taken.json["begun_at"], after(0), "{}", taken.text);
        refused(&desk, &[impossible(made(&TESTED, ""), "is still out: permit_returned first")]).await;
        // Past its end, the owner is alarmed and the day's list has it.
        let listed = async || {
            let list = get(&desk, "/daily-list").await;
            let owners = list["owners"].as_array().unwrap().clone();
            owners
                .iter()
                .any(|owner| owner["items"].as_array().unwrap().iter().any(|item| item["id"] == test["id"]))
        };
        assert!(!listed().await);
        desk.clock.advance(2 * HOUR_MS);
        assert!(listed().await);
        let owed = get(&desk, &path).await["deadlines"].as_array().unwrap().clone();
        let permit = owed.iter().find(|deadline| deadline["kind"] == "permit").unwrap().clone();
        assert_eq!((&permit["state"], &permit["due_at"]), (&json!("missed"), &after(HOUR_MS)));
        assert_eq!(post(&desk, steps, json!({ "kind": "permit_returned" })).await.status, StatusCode::OK);
        assert!(!listed().await);
        assert_eq!(post(&desk, steps, made(&TESTED, "")).await.status, StatusCode::OK);
        // Sent back, the work is done once more, under a permit of its own.
        assert_eq!(
            post(&desk, steps, json!({ "kind": "reviewed", "ok": false })).await.status,
            StatusCode::OK
        );
        desk.clock.advance(1_000);
        refused(&desk, &[impossible(begun, "no permit to work is in force")]).await;
    })
    .await;
}
