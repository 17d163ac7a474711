//! Faults over the API, on both databases.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use linewatch_shared::time::MINUTE_MS;
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::{Db, testing::both};

const CUSTOMERS: &str = "code,name,tier,manager,manager_email\nbank,Sample Bank,AAA,Manager A,\nmill,Sample Mill,A,Manager B,b@example.com\n";
const LINES: &str = "code,customer,site\nL1,bank,HQ\nL2,bank,Branch\nL3,mill,Mill\n";

async fn desk(db: Db) -> TestDesk {
    let desk = TestDesk::new(db).await;
    for file in [CUSTOMERS, LINES] {
        import::bytes(&desk.app.db, &Arc::clone(&desk.app.packs), file.as_bytes(), false, START)
            .await
            .unwrap();
    }
    desk
}

fn report(line: &str) -> Value {
    json!({ "line": line, "channel": "hotline", "reporter": "caller", "description": "no service" })
}

async fn post(desk: &TestDesk, path: &str, body: Value) -> TestAnswer {
    desk.call(Some(Role::Noc), Method::POST, &format!("/api/v1{path}"), Some(body)).await
}

async fn get(desk: &TestDesk, path: &str) -> TestAnswer {
    desk.call(Some(Role::Noc), Method::GET, &format!("/api/v1{path}"), None).await
}

async fn post_once(desk: &TestDesk, path: &str, key: &str, body: &Value) -> TestAnswer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {}", desk.token(Role::Noc)))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    desk.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_begins_a_fault_once_and_the_next_one_joins() {
    both(|db| async move {
        let desk = desk(db).await;
        let first = post_once(&desk, "/faults", "k1", &report("L1")).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
        let again = post_once(&desk, "/faults", "k1", &report("L1")).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        let other = post_once(&desk, "/faults", "k1", &report("L2")).await;
        assert_eq!(
            (other.status, &other.json["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_mismatch"))
        );
        let joined = post(&desk, "/faults", report("L1")).await;
        assert_eq!((joined.status, &joined.json["id"]), (StatusCode::OK, &first.json["id"]));
        assert_eq!(get(&desk, "/faults").await.json["items"].as_array().unwrap().len(), 1);
        let by_alias = joined.json["aliases"][0].as_str().unwrap().to_owned();
        let read = get(&desk, &format!("/faults/{by_alias}")).await.json;
        assert_eq!(read["id"], first.json["id"]);
        assert_eq!(read["facts"].as_array().unwrap().len(), 2);
        assert_eq!(read["restoration"]["remaining_ms"], 120 * MINUTE_MS);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_and_where() {
    both(|db| async move {
        let desk = desk(db).await;
        let fault = post(&desk, "/faults", report("L1")).await.json["id"].as_str().unwrap().to_owned();
        let steps = format!("/faults/{fault}/facts");
        let with = |field: &str, value: Value| {
            let mut body = report("L2");
            body[field] = value;
            body
        };
        for (path, body, status, code) in [
            ("/faults", with("line", json!("L9")), 404, "unknown_line"),
            ("/faults", with("channel", json!("pigeon")), 422, "invalid_field"),
            ("/faults", with("reported_at", json!("2099-01-01T00:00:00Z")), 422, "invalid_field"),
            ("/faults", with("reported_at", json!("yesterday")), 422, "invalid_field"),
            ("/faults", with("colour", json!("red")), 422, "invalid_field"),
            ("/faults", with("description", json!("x".repeat(5_000))), 422, "invalid_field"),
            (steps.as_str(), json!({ "kind": "repaired" }), 409, "step_impossible"),
            (steps.as_str(), json!({ "kind": "mended" }), 422, "invalid_field"),
            (steps.as_str(), json!({ "kind": "exempted", "cause": "weather" }), 422, "invalid_field"),
            ("/faults/x/facts", json!({ "kind": "restored" }), 404, "unknown_fault"),
        ] {
            let answer = post(&desk, path, body.clone()).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json["code"]),
                (status, &json!(code)),
                "{path} {body}"
            );
            assert!(!answer.json["detail"].as_str().unwrap().is_empty());
        }
        let impossible =
            post(&desk, &steps, json!({ "kind": "callback", "reached": true, "result": "satisfied" })).await;
        assert!(impossible.json["possible"].as_array().unwrap().contains(&json!("restored")));
        for path in [
            "/faults?limit=0",
            "/faults?limit=501",
            "/faults?cursor=x",
            "/deadlines?state=late",
            "/faults?colour=red",
        ] {
            assert_eq!(get(&desk, path).await.status, StatusCode::BAD_REQUEST, "{path}");
        }
        let read = get(&desk, &format!("/faults/{fault}")).await.json;
        assert_eq!((&read["state"], read["facts"].as_array().unwrap().len()), (&json!("open"), 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_supervisor_closes_without_the_customer_s_word() {
    both(|db| async move {
        let desk = desk(db).await;
        let fault = post(&desk, "/faults", report("L1")).await.json["id"].as_str().unwrap().to_owned();
        let steps = format!("/faults/{fault}/facts");
        assert_eq!(post(&desk, &steps, json!({ "kind": "restored" })).await.status, StatusCode::OK);
        let close = json!({ "kind": "closed_unconfirmed", "reason": "nobody answers" });
        for role in [Role::Noc, Role::Manager, Role::Technician] {
            let path = format!("/api/v1{steps}");
            let refused = desk.call(Some(role), Method::POST, &path, Some(close.clone())).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
        }
        let path = format!("/api/v1{steps}");
        let closed = desk.call(Some(Role::Admin), Method::POST, &path, Some(close)).await;
        assert_eq!((closed.status, &closed.json["state"]), (StatusCode::OK, &json!("closed_unconfirmed")));
        let read = get(&desk, &format!("/faults/{fault}")).await.json;
        assert_eq!((&read["gross_ms"], &read["net_ms"]), (&json!(0), &json!(0)));
        assert_eq!(read["facts"][2]["supervisor"], "admin");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_within_planned_work_is_answered_with_the_work() {
    both(|db| async move {
        let desk = desk(db).await;
        let at = |minutes: i64| (START + minutes * MINUTE_MS).to_rfc3339();
        let work = json!({
            "reason": "cut-over", "lines": ["L1"], "from": at(5), "to": at(65),
            "applied_at": at(-3_000), "announced_at": at(-60),
        });
        let technician =
            desk.call(Some(Role::Technician), Method::POST, "/api/v1/planned-work", Some(work.clone()));
        assert_eq!(technician.await.status, StatusCode::FORBIDDEN);
        let added = post_once(&desk, "/planned-work", "w1", &work).await;
        assert_eq!(
            (added.status, &added.json["exempt"]),
            (StatusCode::CREATED, &json!(true)),
            "{}",
            added.text
        );
        let again = post_once(&desk, "/planned-work", "w1", &work).await;
        assert_eq!(again.text, added.text);
        desk.clock.advance(10 * MINUTE_MS);
        let tied = post(&desk, "/faults", report("L1")).await;
        assert_eq!(
            (tied.status, &tied.json["planned_work"]["id"]),
            (StatusCode::ACCEPTED, &added.json["id"])
        );
        assert_eq!(get(&desk, "/faults").await.json["items"], json!([]));
        let path = format!("/planned-work/{}", added.json["id"].as_str().unwrap());
        let read = get(&desk, &path).await.json;
        assert_eq!((&read["reports"][0]["id"], &read["lines"]), (&tied.json["report"], &json!(["L1"])));
        let listed = get(&desk, "/planned-work?limit=1").await.json;
        assert_eq!((&listed["items"][0]["id"], &listed["next_cursor"]), (&added.json["id"], &Value::Null));
        let cancelled = post(&desk, &format!("{path}/cancel"), json!({})).await;
        assert_eq!((cancelled.status, &cancelled.json["exempt"]), (StatusCode::OK, &json!(false)));
        let fault = get(&desk, &format!("/faults/{}", tied.json["report"].as_str().unwrap())).await;
        assert_eq!((fault.status, &fault.json["state"]), (StatusCode::OK, &json!("open")));
        let neither = json!({ "reason": "x", "from": at(5), "to": at(65) });
        assert_eq!(post(&desk, "/planned-work", neither).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_s_customers_are_told_together() {
    both(|db| async move {
        let desk = desk(db).await;
        let on_node = "code,customer,upstream\nL1,bank,node-1\nL3,mill,node-1\n";
        import::bytes(&desk.app.db, &Arc::clone(&desk.app.packs), on_node.as_bytes(), false, START).await.unwrap();
        for line in ["L1", "L3"] {
            assert_eq!(post(&desk, "/faults", report(line)).await.status, StatusCode::CREATED);
        }
        let node = get(&desk, "/upstreams/node-1").await.json;
        assert_eq!((&node["causes"][0]["lines"], node["faults"].as_array().unwrap().len()), (&json!(2), 2));
        let body = json!({ "note": "a card is being replaced" });
        let told = post_once(&desk, "/upstreams/node-1/feedback", "f1", &body).await;
        assert_eq!((told.status, told.json["told"].as_array().unwrap().len()), (StatusCode::OK, 2), "{}", told.text);
        let again = post_once(&desk, "/upstreams/node-1/feedback", "f1", &body).await;
        assert_eq!(again.text, told.text);
        let other = json!({ "cause": "x" });
        let wrong = post(&desk, "/upstreams/node-1/feedback", other).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(get(&desk, "/upstreams/node-9").await.status, StatusCode::NOT_FOUND);
        let planned = json!({
            "reason": "card", "upstream": "node-1", "from": "2030-01-01T00:00:00Z", "to": "2030-01-01T04:00:00Z",
        });
        let planned = post(&desk, "/planned-work", planned).await;
        assert_eq!(planned.json["not_exempt_because"], "it was not announced to the customers");
        let path = format!("/planned-work/{}", planned.json["id"].as_str().unwrap());
        assert_eq!(get(&desk, &path).await.json["lines"], json!(["L1", "L3"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_judged_as_of_the_reading_and_come_in_pages() {
    both(|db| async move {
        let desk = desk(db).await;
        for line in ["L1", "L2", "L3"] {
            assert_eq!(post(&desk, "/faults", report(line)).await.status, StatusCode::CREATED);
            desk.clock.advance(MINUTE_MS);
        }
        let mut seen = Vec::new();
        let mut path = "/faults?limit=2".to_owned();
        loop {
            let page = get(&desk, &path).await.json;
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["line"].as_str().unwrap().to_owned()),
            );
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/faults?limit=2&cursor={cursor}");
        }
        assert_eq!(seen, ["L3", "L2", "L1"]);
        // No engine runs here: what has passed is missed all the same.
        desk.clock.advance(121 * MINUTE_MS);
        let board = get(&desk, "/board").await.json;
        let states: Vec<&Value> =
            board["faults"].as_array().unwrap().iter().map(|f| &f["restoration"]["state"]).collect();
        assert_eq!(states, ["missed", "missed", "running"]);
        let missed = get(&desk, "/deadlines?state=missed&kind=restoration").await.json;
        let lines: Vec<&Value> = missed["items"].as_array().unwrap().iter().map(|d| &d["line"]).collect();
        assert_eq!(lines, ["L1", "L2"]);
        let line = get(&desk, "/lines/L1").await.json;
        assert_eq!((&line["state"], &line["repeat"]["count"]), (&json!("down"), &json!(1)));
        assert_eq!(line["interruption"]["ms"], 124 * MINUTE_MS);
        let out = line["outages"].as_array().unwrap();
        assert_eq!((out.len(), &out[0]["to"]), (1, &Value::Null));
        let minutes = |n: i64| (desk.app.now() + n * MINUTE_MS).to_rfc3339();
        let work = |lines: [&str; 1], from, to| {
            json!({ "reason": "card", "lines": lines, "from": minutes(from), "to": minutes(to) })
        };
        for body in [work(["L1"], -30, 30), work(["L1"], -300, -200), work(["L2"], -30, 30)] {
            assert_eq!(post(&desk, "/planned-work", body).await.status, StatusCode::CREATED);
        }
        let planned = &get(&desk, "/lines/L1").await.json["planned_work"];
        assert_eq!((planned.as_array().unwrap().len(), &planned[0]["exempt"]), (1, &json!(false)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_nobody_could_be_told_is_listed_and_sent_again_once_somebody_is_named() {
    both(|db| async move {
        let desk = desk(db).await;
        let fault = post(&desk, "/faults", report("L1")).await.json["id"].as_str().unwrap().to_owned();
        let put = "INSERT INTO outbox (key, subject, channel, destination, message_id, alert, state, next_at_ms, created_at_ms, \
             finished_at_ms, error) VALUES ('k', $1, 'email', '', '<k@linewatch>', '{}', 'dead', $2, $2, $2, 'nobody')";
        let id: uuid::Uuid = fault.parse().unwrap();
        let write = move |tx: &mut crate::db::Tx<'_>| tx.execute(put, &[id.into(), START.into()]);
        desk.app.db.write(crate::db::Priority::Api, write).await.unwrap();
        let letters = get(&desk, "/dead-letters").await.json;
        assert_eq!((&letters["items"][0]["fault"], &letters["items"][0]["error"]), (&json!(fault), &json!("nobody")));
        let named = "code,name,tier,manager_email\nbank,Sample Bank,AAA,a@example.com\n";
        import::bytes(&desk.app.db, &Arc::clone(&desk.app.packs), named.as_bytes(), false, START).await.unwrap();
        let path = format!("/dead-letters/{}/resend", letters["items"][0]["n"]);
        assert_eq!(post(&desk, &path, json!({})).await.status, StatusCode::NO_CONTENT);
        assert_eq!(get(&desk, "/dead-letters").await.json["items"], json!([]));
        let sent = "SELECT COUNT(*) FROM outbox WHERE state = 'pending' AND destination = 'a@example.com'";
        assert_eq!(crate::db::testing::int(&desk.app.db, sent).await.unwrap(), 1);
        assert_eq!(post(&desk, &path, json!({})).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
