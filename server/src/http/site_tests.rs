//! Sites over the API, on both databases: when they let us in, and what follows while they do not.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use linewatch_shared::time::HOUR_MS;
use serde_json::{Value, json};

use super::matter_tests::{after, desk, items, post, refused, round, with};
use super::testing::{START, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::{Db, DbError, testing::both};

/// Nine o'clock of the next day in the pack's time zone: the desk begins on a Monday evening.
const NEXT_OPEN: &str = "2026-09-22T01:00:00.000Z";

fn hq() -> Value {
    json!({ "customer": "bank", "name": "HQ", "access_hours": "Mon-Fri 09:00-17:00",
        "closed_dates": "2026-10-01..2026-10-07", "access_contact": "reception", "access_phone": "010 5550 0100" })
}

async fn get(desk: &TestDesk, path: &str) -> Value {
    let answer = desk.call(Some(Role::Technician), Method::GET, &format!("/api/v1{path}"), None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json
}

async fn audited(db: &Db, action: &'static str) -> i64 {
    let count = db.read(move |tx| {
        tx.query_one("SELECT COUNT(*) FROM audit WHERE action = $1", &[action.into()])?.get(0)
    });
    let count: Result<i64, DbError> = count.await;
    count.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_says_when_it_lets_us_in_and_whom_to_ring() {
    both(|db| async move {
        let desk = desk(db).await;
        let bad = |field: &str, value: &str, words: &'static str| {
            ("/sites", with(hq(), field, json!(value)), 422, "invalid_field", words)
        };
        refused(
            &desk,
            &[
                bad("customer", "nobody", "there is no customer called"),
                bad("name", " ", "must not be empty"),
                bad("time_zone", "Beijing", "is no time zone such as"),
                bad("access_hours", "9 to 5", "\"access_hours\""),
                bad("closed_dates", "October", "\"closed_dates\""),
                bad("colour", "red", "colour"),
            ],
        )
        .await;
        assert!(items(&desk, "/sites").await.is_empty());
        let put = post(&desk, "/sites", hq()).await;
        assert_eq!(
            (put.status, &put.json["next_open_at"]),
            (StatusCode::OK, &json!(NEXT_OPEN)),
            "{}",
            put.text
        );
        // What is left out stays as it is, an empty text takes it away.
        let less = json!({ "customer": "bank", "name": "HQ", "closed_dates": "" });
        let put = post(&desk, "/sites", less).await.json;
        assert_eq!(
            (&put["access_hours"], &put["closed_dates"]),
            (&json!("Mon-Fri 09:00-17:00"), &Value::Null)
        );
        let listed = items(&desk, "/sites?customer=bank").await;
        assert!(listed.len() == 1 && listed[0].get("access_phone").is_none(), "{listed:?}");
        assert!(items(&desk, "/sites?customer=shop").await.is_empty());
        assert_eq!(audited(&desk.app.db, "contact read").await, 1, "what was written down");
        let read = get(&desk, &format!("/sites/{}", put["id"].as_str().unwrap())).await;
        assert_eq!((&read["access_phone"], &read["open_now"]), (&json!("010 5550 0100"), &json!(false)));
        assert_eq!(audited(&desk.app.db, "contact read").await, 2);
        let by = desk.call(Some(Role::Technician), Method::POST, "/api/v1/sites", Some(hq())).await;
        assert_eq!(by.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_are_imported_with_each_mistake_named() {
    both(|db| async move {
        let desk = desk(db).await;
        let import = |text: &'static str| {
            let (db, packs) = (desk.app.db.clone(), Arc::clone(&desk.app.packs));
            async move { import::bytes(&db, &packs, text.as_bytes(), false, START).await }
        };
        let bad = "customer,name,time_zone,access_hours,closed_dates\nbank,HQ,,Mon-Fri 09:00-17:00,\nbank,HQ,,,\n\
                   nobody,A,,,\nbank,B,Beijing,,\nbank,C,,Mon 9-5,\nbank,D,,,soon\nbank,,,,\n";
        let mistakes = import(bad).await.unwrap_err().to_string();
        let lines: Vec<&str> = mistakes.lines().collect();
        let expected = [
            "line 3, name: \"HQ\" is already on line 2",
            "line 4, customer: there is no customer",
            "line 5, time_zone: is no time zone",
            "line 6, access_hours: \"9\" is no time of day",
            "line 7, closed_dates: \"soon\" is no day",
            "line 8, name: is empty",
        ];
        assert_eq!(lines.len(), expected.len(), "{mistakes}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line} does not start with {expected}");
        }
        assert!(items(&desk, "/sites").await.is_empty());
        let good = "customer,name,access_hours,access_phone\nbank,HQ,Mon-Fri 09:00-17:00,010 5550 0100\nshop,Shop,,\n";
        assert_eq!(import(good).await.unwrap().created, ["bank/HQ", "shop/Shop"]);
        let again = "customer,name,access_hours\nbank,HQ,Mon-Sat 09:00-17:00\nshop,Shop,\n";
        let again = import(again).await.unwrap();
        assert_eq!((again.changed, again.unchanged), (vec!["bank/HQ".to_owned()], 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_planned_while_its_site_is_open_or_as_was_agreed() {
    both(|db| async move {
        let desk = desk(db).await;
        assert_eq!(post(&desk, "/sites", hq()).await.status, StatusCode::OK);
        let duty =
            json!({ "pack": "power-distribution", "cadence": "seasonal", "customer": "bank", "site": "HQ" });
        assert_eq!(post(&desk, "/duties", duty).await.status, StatusCode::OK);
        let steps = format!("/matters/{}/facts", round(&desk, "patrol").await["id"].as_str().unwrap());
        let steps = steps.as_str();
        let night = json!({ "kind": "planned", "until": after(2 * HOUR_MS) });
        let next: &'static str = "it lets us in again at 2026-09-22T01:00:00.000Z";
        refused(
            &desk,
            &[
                (steps, night.clone(), 422, "invalid_field", next),
                (steps, with(night.clone(), "agreed_by", json!("")), 422, "invalid_field", "agreed_by"),
                (
                    steps,
                    json!({ "kind": "note", "text": "x", "agreed_by": "x" }),
                    422,
                    "invalid_field",
                    "agreed_by",
                ),
            ],
        )
        .await;
        let agreed = post(&desk, steps, with(night, "agreed_by", json!("the night porter"))).await;
        assert_eq!(agreed.json["planned_at"], after(2 * HOUR_MS), "{}", agreed.text);
        let open = post(&desk, steps, json!({ "kind": "planned", "until": NEXT_OPEN })).await;
        assert_eq!(open.json["planned_at"], json!(NEXT_OPEN), "{}", open.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_sent_to_a_closed_site_is_told_so_and_may_pause() {
    both(|db| async move {
        let desk = desk(db).await;
        let report = json!({ "line": "L1", "channel": "hotline" });
        let fault = post(&desk, "/faults", report).await.json["id"].as_str().unwrap().to_owned();
        let (path, steps) = (format!("/faults/{fault}"), format!("/faults/{fault}/facts"));
        assert_eq!(get(&desk, &path).await["site_access"], Value::Null, "nothing is known of the site");
        assert_eq!(post(&desk, "/sites", hq()).await.status, StatusCode::OK);
        let access = &get(&desk, &path).await["site_access"];
        assert_eq!((&access["open_now"], &access["proposed_pause"]), (&json!(false), &Value::Null));
        let sent = post(&desk, &steps, json!({ "kind": "dispatched" })).await;
        let mut proposed = sent.json["site_access"]["proposed_pause"].clone();
        assert_eq!(proposed, json!({ "kind": "paused", "cause": "customer_access", "until": NEXT_OPEN }));
        let read = get(&desk, &path).await;
        assert_eq!(read["site_access"], sent.json["site_access"]);
        assert_eq!((&read["restoration"]["state"], &read["pauses"]), (&json!("running"), &json!([])));
        for (field, value) in [("reason", "closed"), ("evidence", "a call"), ("grantor", "head of the shift")]
        {
            proposed = with(proposed, field, json!(value));
        }
        let paused = post(&desk, &steps, proposed).await;
        assert_eq!(paused.json["restoration"]["state"], "paused", "the proposal is a step: {}", paused.text);
        assert_eq!(get(&desk, &path).await["site_access"]["proposed_pause"], Value::Null);
        desk.clock.advance(12 * HOUR_MS);
        let access = &get(&desk, &path).await["site_access"];
        assert_eq!((&access["open_now"], &access["proposed_pause"]), (&json!(true), &Value::Null));
    })
    .await;
}
