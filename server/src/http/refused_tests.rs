//! Refused requests are in the audit trail, without what they carried.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::auth::Role;
use crate::db::testing::both;
use crate::http::testing::TestDesk;

/// What nobody may find in the trail again.
const SECRET: &str = "canary-7141";

async fn trail(desk: &TestDesk) -> Vec<Value> {
    let (now, mono) = (desk.app.clock.now(), desk.app.clock.mono());
    desk.app.refusals.write(&desk.app.db, now, mono, true).await.unwrap();
    let answer = desk.call(Some(Role::Admin), Method::GET, "/api/v1/audit?limit=500", None).await;
    assert!(!answer.text.contains(SECRET), "{}", answer.text);
    answer.json["items"].as_array().unwrap().clone()
}

fn entry<'a>(trail: &'a [Value], who: &str, code: &str) -> &'a Value {
    let found = trail.iter().find(|entry| entry["who"] == who && entry["subject"] == code);
    found.unwrap_or_else(|| panic!("no {code} of {who} in {trail:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_in_the_trail_without_what_it_carried() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let faults = "/api/v1/faults";
        let body = || Some(json!({ "line": SECRET, "nonsense": SECRET }));
        let path = format!("{faults}/{SECRET}?q={SECRET}");
        let calls = [
            (None, Method::GET, path.as_str(), None, StatusCode::UNAUTHORIZED),
            (Some(Role::Noc), Method::GET, path.as_str(), None, StatusCode::NOT_FOUND),
            (Some(Role::Technician), Method::GET, "/api/v1/audit", None, StatusCode::FORBIDDEN),
            (Some(Role::Noc), Method::POST, faults, body(), StatusCode::UNPROCESSABLE_ENTITY),
            (Some(Role::Noc), Method::PATCH, faults, body(), StatusCode::METHOD_NOT_ALLOWED),
            (None, Method::GET, "/admin.php", None, StatusCode::NOT_FOUND),
        ];
        for (role, method, path, body, status) in calls {
            let answer = desk.call(role, method, path, body).await;
            let invalid = status == StatusCode::NOT_FOUND && answer.status == StatusCode::BAD_REQUEST;
            assert!(answer.status == status || invalid, "{path}: {} {}", answer.status, answer.text);
        }
        let asked = json!({ "user": SECRET, "password": SECRET });
        let signed_in = desk.call(None, Method::POST, "/api/v1/session", Some(asked)).await;
        assert_eq!(signed_in.status, StatusCode::UNAUTHORIZED);
        let trail = trail(&desk).await;
        let forbidden = entry(&trail, "technician", "forbidden");
        assert_eq!(forbidden["action"], "refused");
        assert_eq!(forbidden["detail"]["routes"], json!(["GET /api/v1/audit"]));
        assert_eq!(forbidden["detail"]["address"], "127.0.0.1");
        assert_eq!(forbidden["detail"]["count"], 1);
        let without = entry(&trail, "nobody", "unauthenticated");
        assert_eq!(without["detail"]["routes"], json!(["GET /api/v1/faults/{id}"]));
        entry(&trail, "noc", "invalid_field");
        assert!(trail.iter().any(|entry| entry["subject"] == "method_not_allowed"), "{trail:#?}");
        assert_eq!(entry(&trail, "nobody", "bad_credentials")["action"], "sign-in refused");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_asks_who_is_signed_in_is_no_refusal() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let answer = desk.call(None, Method::GET, "/api/v1/session", None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(trail(&desk).await.iter().all(|entry| entry["action"] != "refused"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_that_are_refused_are_named() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        desk.enrol("north").await;
        assert_eq!(desk.say("north", "/sync/v1/hello", &"nonsense").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(desk.say("nobody", "/sync/v1/hello", &"x").await.status, StatusCode::UNAUTHORIZED);
        let trail = trail(&desk).await;
        entry(&trail, "agent north", "bad_message");
        entry(&trail, "nobody", "unknown_certificate");
    })
    .await;
}
