//! Ways in and out beside people and agents: an Alertmanager's notifications, and trials of channels.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::routing::post;
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::db::testing::{both, int};
use crate::db::{DbError, Priority};

const CUSTOMERS: &str = "code,name,tier\nbank,Sample Bank,AAA\n";
const LINES: &str = "code,customer,site\nL1,bank,HQ\nL2,bank,Branch\n";

async fn call(desk: &TestDesk, role: Role, method: Method, path: &str, body: Option<Value>) -> TestAnswer {
    desk.call(Some(role), method, &format!("/api/v1{path}"), body).await
}

async fn notify(desk: &TestDesk, alerts: Value) -> TestAnswer {
    let body = json!({
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "linewatch",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am", "alerts": alerts,
    });
    call(desk, Role::Noc, Method::POST, "/alertmanager", Some(body)).await
}

fn alert(line: &str, status: &str, from_min: i64, until_min: Option<i64>) -> Value {
    let at = |minutes: i64| UnixMs(START.0 + minutes * MINUTE_MS).to_rfc3339();
    json!({
        "status": status, "labels": { "alertname": "PortDown", "line": line }, "annotations": {},
        "startsAt": at(from_min), "endsAt": until_min.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), at),
        "generatorURL": "http://prometheus/graph", "fingerprint": format!("f-{line}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alertmanagers_alert_is_evidence_about_its_line() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        for file in [CUSTOMERS, LINES] {
            let packs = Arc::clone(&desk.app.packs);
            import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
        }
        desk.clock.advance(20 * MINUTE_MS);
        let told =
            notify(&desk, json!([alert("L1", "firing", 5, None), alert("L9", "firing", 5, None)])).await;
        assert_eq!((told.status, &told.json["taken"]), (StatusCode::OK, &json!(1)), "{}", told.text);
        assert_eq!(told.json["refused"][0]["alert"], 1);
        assert!(told.json["refused"][0]["reason"].as_str().unwrap().contains("L9"), "{}", told.text);
        let faults = call(&desk, Role::Noc, Method::GET, "/faults", None).await.json;
        let fault = &faults["items"][0];
        assert_eq!(
            (&fault["line"], &fault["state"], &fault["line_state"]),
            (&json!("L1"), &json!("open"), &json!("down"))
        );
        assert_eq!(fault["started_at"], UnixMs(START.0 + 5 * MINUTE_MS).to_rfc3339());

        // Alertmanager repeats itself, and tells of ends whose beginnings it may have told nobody.
        for _ in 0..2 {
            notify(&desk, json!([alert("L1", "firing", 5, None)])).await;
        }
        let ends = json!([alert("L1", "resolved", 5, Some(15)), alert("L2", "resolved", 6, Some(16))]);
        assert_eq!(notify(&desk, ends).await.json["taken"], 2);
        let faults = call(&desk, Role::Noc, Method::GET, "/faults", None).await.json;
        let states: Vec<_> = faults["items"].as_array().unwrap().iter().map(|f| &f["state"]).collect();
        assert_eq!(states, ["restored", "restored"], "{faults}");
        assert_eq!(int(&desk.app.db, "SELECT COUNT(*) FROM fact").await.unwrap(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_fails_an_alertmanager_is_told_to_come_again() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        for file in [CUSTOMERS, LINES] {
            let packs = Arc::clone(&desk.app.packs);
            import::bytes(&desk.app.db, &packs, file.as_bytes(), false, START).await.unwrap();
        }
        let rename = async |from: &str, to: &str| {
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            let renamed = desk.app.db.write(Priority::Api, move |tx| tx.execute(&sql, &[])).await;
            renamed.map_err(|error: DbError| error).unwrap();
        };
        rename("line", "line_away").await;
        let answer = notify(&desk, json!([alert("L1", "firing", 0, None)])).await;
        assert!(answer.status.is_server_error(), "{}", answer.text);
        rename("line_away", "line").await;
        let answer = notify(&desk, json!([alert("L1", "firing", 0, None)])).await;
        assert_eq!((answer.status, &answer.json["taken"]), (StatusCode::OK, &json!(1)), "{}", answer.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_alertmanager_may_not_say() {
    let database = crate::db::testing::sqlite();
    let desk = TestDesk::new(crate::db::Db::open(&database.url, 0).await.unwrap()).await;
    let wrong = [
        (json!({ "labels": {} }), "label \"line\""),
        (json!({ "labels": { "line": "L1", "line_state": "sad" } }), "down or degraded"),
        (json!({ "status": "maybe" }), "firing or resolved"),
        (json!({ "startsAt": "yesterday" }), "startsAt"),
    ];
    for (change, expected) in wrong {
        let mut told = alert("L1", "firing", 0, None);
        told.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = notify(&desk, json!([told])).await;
        let reason = answer.json["refused"][0]["reason"].as_str().unwrap_or_default().to_owned();
        assert!(reason.contains(expected), "{}", answer.text);
    }
    let other = json!({ "version": "3", "alerts": [] });
    let answer = call(&desk, Role::Noc, Method::POST, "/alertmanager", Some(other.clone())).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let answer = call(&desk, Role::Technician, Method::POST, "/alertmanager", Some(other)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_listed_without_its_key_and_tried() {
    let service = axum::Router::new()
        .route("/good", post(async || "ok"))
        .route("/bad", post(async || (StatusCode::NOT_FOUND, "no_service")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, service).await });
    let settings = format!(
        "[notify]\nallow_private = true\n[channels.good]\nkind = \"slack\"\nurl = \"{base}/good?hush\"\nmarks = [\"missed\"]\n\
         [channels.bad]\nkind = \"slack\"\nurl = \"{base}/bad\"\nfallback = \"good\"\n"
    );
    let database = crate::db::testing::sqlite();
    let db = crate::db::Db::open(&database.url, 0).await.unwrap();
    let desk = TestDesk::with(db, "http://desk.test", &settings).await;
    let list = call(&desk, Role::Admin, Method::GET, "/channels", None).await;
    assert_eq!(list.json[0]["name"], "bad", "{}", list.text);
    assert_eq!(list.json[1]["kind"], "slack");
    assert!(!list.text.contains("hush"));
    let trial = async |name: &str, role| {
        call(&desk, role, Method::POST, &format!("/channels/{name}/test"), Some(json!({}))).await
    };
    assert_eq!(trial("good", Role::Admin).await.status, StatusCode::NO_CONTENT);
    let refused = trial("bad", Role::Admin).await;
    assert_eq!(
        (refused.status, refused.json["code"].as_str()),
        (StatusCode::BAD_GATEWAY, Some("channel_refused"))
    );
    assert!(refused.json["detail"].as_str().unwrap().contains("no_service"), "{}", refused.text);
    assert_eq!(trial("none", Role::Admin).await.status, StatusCode::NOT_FOUND);
    assert_eq!(trial("email", Role::Admin).await.status, StatusCode::NOT_FOUND);
    assert_eq!(trial("good", Role::Noc).await.status, StatusCode::FORBIDDEN);
    let tried = int(&desk.app.db, "SELECT COUNT(*) FROM audit WHERE action = 'channel tried'").await.unwrap();
    assert_eq!(tried, 2);
}
