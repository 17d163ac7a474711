//! What a version of a pack would move, and what a re-rate moves, over the API, on both databases.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::rules::SHIPPED;
use linewatch_shared::time::{HOUR_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::desk::Desk;
use crate::app::desk::recount::recount;
use crate::app::import;
use crate::auth::Role;
use crate::db::{Db, testing::both};
use crate::store::packs::PackCache;

const CUSTOMERS: &str = "code,name,tier,pack,manager\nbank,Sample Bank,AAA,,Manager A\nhall,Sample Hall,group,gov-enterprise,Manager B\n";
const LINES: &str = "code,customer,site,service\nL1,bank,HQ,\nL2,hall,Hall,SDH专线\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        import::bytes(&desk.app.db, &Arc::clone(&desk.app.packs), file.as_bytes(), false, START)
            .await
            .unwrap();
    }
    desk
}

async fn call(desk: &TestDesk, role: Role, method: Method, path: &str, body: Option<Value>) -> TestAnswer {
    desk.call(Some(role), method, &format!("/api/v1{path}"), body).await
}

fn shipped(name: &str, edit: impl Fn(String) -> String) -> Value {
    let (_, text) = SHIPPED.iter().find(|(file, _)| *file == format!("{name}.toml")).unwrap();
    json!({ "text": edit(text.replace("\"2026.1\"", "\"2026.2\"")) })
}

async fn preview(desk: &TestDesk, body: Value) -> TestAnswer {
    call(desk, Role::Admin, Method::POST, "/packs/preview", Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn open_promises_that_would_move_are_listed_and_nothing_is_changed() {
    both(|db| async move {
        let desk = desk(db).await;
        for line in ["L1", "L2"] {
            let report =
                json!({ "line": line, "channel": "hotline", "reporter": "caller", "description": "down" });
            let opened = call(&desk, Role::Noc, Method::POST, "/faults", Some(report)).await;
            assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text);
        }
        let faults = call(&desk, Role::Noc, Method::GET, "/faults", None).await.text;
        let shorter = shipped("group-line", |text| {
            text.replacen("restore_within = \"2h\"", "restore_within = \"90m\"", 1)
        });
        let found = preview(&desk, shorter).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.text);
        assert_eq!((&found.json["version"], &found.json["in_force"]), (&json!("2026.2"), &json!("2026.1")));
        assert_eq!((&found.json["faults"], &found.json["moved_count"]), (&json!(1), &json!(1)));
        let moved = &found.json["moved"][0];
        let at = |ms: i64| json!((START + ms).to_rfc3339());
        assert_eq!((&moved["line"], &moved["kind"]), (&json!("L1"), &json!("restoration")));
        assert_eq!((&moved["from"], &moved["to"]), (&at(2 * HOUR_MS), &at(HOUR_MS * 3 / 2)));
        let same = preview(&desk, shipped("group-line", |text| text)).await.json;
        assert_eq!(same["moved_count"], 0);
        // By tier and service: the line's own cell.
        let cell = "tier = \"group\"\nservice = \"sdh\"\nanswer_within = \"15m\"";
        let later = shipped("gov-enterprise", |text| {
            assert!(text.contains(cell));
            text.replace(cell, "tier = \"group\"\nservice = \"sdh\"\nanswer_within = \"20m\"")
        });
        let found = preview(&desk, later).await.json;
        assert_eq!((&found["moved_count"], &found["moved"][0]["kind"]), (&json!(1), &json!("answer")));
        let without = shipped("gov-enterprise", |text| text.replace("\"group\"", "\"nation\""));
        let found = preview(&desk, without).await.json;
        assert_eq!((&found["moved_count"], &found["unfit_count"]), (&json!(0), &json!(1)));
        assert!(found["unfit"][0]["reason"].as_str().unwrap().contains("no tier \"group\""), "{found}");
        assert_eq!(call(&desk, Role::Noc, Method::GET, "/faults", None).await.text, faults);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_matters_are_looked_at_too_and_mistakes_are_told() {
    both(|db| async move {
        let desk = desk(db).await;
        let complaint = json!({
            "kind": "complaint", "class": "minor", "customer": "bank", "title": "slow", "description": "slow",
            "reporter": "caller",
        });
        let opened = call(&desk, Role::Noc, Method::POST, "/matters", Some(complaint)).await;
        assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text);
        let found = preview(
            &desk,
            shipped("service-desk", |text| {
                text.replacen("resolve_within = \"24h\"", "resolve_within = \"12h\"", 1)
            }),
        )
        .await
        .json;
        assert_eq!((&found["matters"], &found["moved_count"]), (&json!(1), &json!(1)), "{found}");
        let moved = &found["moved"][0];
        assert_eq!((&moved["subject"], &moved["kind"]), (&json!("matter"), &json!("resolution")));
        assert_eq!(moved["to"], json!((START + 12 * HOUR_MS).to_rfc3339()));
        let gone = shipped("service-desk", |text| text.replacen("name = \"minor\"", "name = \"small\"", 1));
        let found = preview(&desk, gone).await.json;
        assert!(found["unfit"][0]["reason"].as_str().unwrap().contains("\"minor\" is no class"), "{found}");
        let wrong = shipped("service-desk", |text| text.replacen("= \"15m\"", "= \"a while\"", 1));
        let refused = preview(&desk, wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("answer_within: \\\"a while\\\" is not a limit"), "{}", refused.text);
        let noc = call(&desk, Role::Noc, Method::POST, "/packs/preview", Some(json!({ "text": "" }))).await;
        assert_eq!(noc.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_re_rate_moves_what_is_open_and_is_in_the_audit_trail() {
    both(|db| async move {
        let desk = desk(db).await;
        let report =
            json!({ "line": "L1", "channel": "hotline", "reporter": "caller", "description": "down" });
        let opened = call(&desk, Role::Noc, Method::POST, "/faults", Some(report)).await.json;
        let path = format!("/faults/{}", opened["id"].as_str().unwrap());
        let to = format!("{path}/re-rate");
        let body = json!({ "tier": "standard", "reason": "sample" });
        let noc = call(&desk, Role::Noc, Method::POST, &to, Some(body.clone())).await;
        assert_eq!(noc.status, StatusCode::FORBIDDEN, "{}", noc.text);
        desk.clock.advance(HOUR_MS);
        let done = call(&desk, Role::Admin, Method::POST, &to, Some(body.clone())).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        assert_eq!(done.json["tier"], "standard");
        assert_eq!(done.json["restoration"]["due_at"], json!((START + 8 * HOUR_MS).to_rfc3339()));
        let again = call(&desk, Role::Admin, Method::POST, &to, Some(body)).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
        for (body, said) in [
            (json!({ "reason": "sample" }), "names a tier"),
            (json!({ "tier": "AAA", "reason": " " }), "must not be empty"),
            (json!({ "tier": "AAA", "reason": "sample", "colour": "red" }), "colour"),
        ] {
            let refused = call(&desk, Role::Admin, Method::POST, &to, Some(body)).await;
            assert!(refused.status.is_client_error() && refused.text.contains(said), "{}", refused.text);
        }
        let other = json!({ "pack_version": "1999", "reason": "sample" });
        let refused = call(&desk, Role::Admin, Method::POST, &to, Some(other)).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text.contains("has no version"), "{}", refused.text);
        let story = call(&desk, Role::Noc, Method::GET, &path, None).await.json;
        let facts = story["facts"].as_array().unwrap();
        let last = facts.last().unwrap();
        assert_eq!(
            (&last["kind"], &last["tier"], &last["by"]),
            (&json!("rerated"), &json!("standard"), &json!("admin"))
        );
        assert_eq!(facts.len(), 2, "a refused one leaves nothing behind");
        let audited = "SELECT COUNT(*) FROM audit WHERE action = 'step granted' AND who = 'admin'";
        assert_eq!(crate::db::testing::int(&desk.app.db, audited).await.unwrap(), 1);
    })
    .await;
}

/// A year that the calendar does not cover is shown, never guessed; with the calendar that has it, the promise is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_promise_beyond_the_calendar_is_counted_once_the_calendar_has_the_year() {
    both(|db| async move {
        let desk = desk(db).await;
        let now = UnixMs::parse_rfc3339("2026-12-31T01:00:00Z").unwrap();
        desk.clock.advance(now.since(START));
        for file in [
            "code,name,tier,pack,manager\nshop,Sample Shop,local-C,gov-enterprise,Manager C\n",
            "code,customer,service\nL3,shop,lan\n",
        ] {
            import::bytes(&desk.app.db, &Arc::clone(&desk.app.packs), file.as_bytes(), false, now)
                .await
                .unwrap();
        }
        let report =
            json!({ "line": "L3", "channel": "hotline", "reporter": "caller", "description": "down" });
        let opened = call(&desk, Role::Noc, Method::POST, "/faults", Some(report)).await;
        assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text);
        let path = format!("/faults/{}", opened.json["id"].as_str().unwrap());
        let read = async || {
            let story = call(&desk, Role::Noc, Method::GET, &path, None).await.json;
            let of_kind = |kind: &str| {
                let deadlines = story["deadlines"].as_array().unwrap();
                deadlines.iter().find(|d| d["kind"] == kind).map(|d| d["due_at"].clone())
            };
            (story["not_counted"].clone(), of_kind("restoration"), of_kind("feedback").is_some())
        };
        let (why, restoration, feedback) = read().await;
        assert!(why.as_str().unwrap().contains("does not cover 2027"), "{why}");
        assert_eq!(
            (restoration, feedback),
            (None, true),
            "what runs round the clock is promised all the same"
        );
        let mut calendars = desk.app.packs.calendars().clone();
        let text = include_str!("../../../shared/calendars/cn.toml");
        let sample = "[[year]]\nyear = 2027\nsource = \"sample\"\nholidays = [\"2027-01-01\"]\n";
        calendars.add(&format!("{text}\n{sample}"), "cn.toml").unwrap();
        let again = Desk { packs: Arc::new(PackCache::new(calendars)), ..desk.app.desk.clone() };
        let listed = "SELECT COUNT(*) FROM fault WHERE uncounted = 1";
        assert_eq!(crate::db::testing::int(&desk.app.db, listed).await.unwrap(), 1);
        assert_eq!(recount(&desk.app.db, &again, now).await.unwrap(), 1);
        assert_eq!(crate::db::testing::int(&desk.app.db, listed).await.unwrap(), 0);
        let (why, restoration, _) = read().await;
        // Thursday the 31st, then Friday the holiday and a weekend: Monday and Tuesday, to Wednesday at 9.
        assert_eq!((why, restoration), (Value::Null, Some(json!("2027-01-06T01:00:00.000Z"))));
        // A database from before has every live fault on the list.
        let all =
            |tx: &mut crate::db::Tx<'_>| tx.execute("UPDATE fault SET uncounted = 1 WHERE live = 1", &[]);
        assert_eq!(desk.app.db.write(crate::db::Priority::Engine, all).await.unwrap(), 1);
        assert_eq!(recount(&desk.app.db, &again, now).await.unwrap(), 0);
        assert_eq!(crate::db::testing::int(&desk.app.db, listed).await.unwrap(), 0);
    })
    .await;
}
