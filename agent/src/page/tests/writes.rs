//! Facts in one go.

use linewatch_shared::time::MINUTE_MS;
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_fault_is_reported_stepped_on_and_counted_down() {
    let desk = Desk::new().await;
    let fault = Uuid::now_v7();
    let report =
        json!({ "id": fault, "line": "L1", "reporter": "Sample Contact", "description": "no light" });
    assert_eq!(desk.call("POST", "/api/faults", report.clone()).await.0, 201);
    assert_eq!(
        desk.call("POST", "/api/faults", report).await.0,
        200,
        "a call that is repeated is stored once"
    );
    let work = desk.get("/api/work").await;
    let found = &work["faults"][0];
    assert_eq!(
        (work["faults"].as_array().unwrap().len(), &found["state"], &found["mine"]),
        (1, &json!("open"), &json!(true))
    );
    let restoration =
        &found["deadlines"].as_array().unwrap().iter().find(|d| d["kind"] == "restoration").unwrap();
    assert_eq!(
        (restoration["remaining_ms"].as_i64(), restoration["warn_at"].as_array().unwrap().len()),
        (Some(4 * 60 * MINUTE_MS), 2)
    );
    assert_eq!(work["lines"][0]["fault"], json!(fault));

    let steps = format!("/api/faults/{fault}/steps");
    let step = |kind: &str| json!({ "id": Uuid::now_v7(), "kind": kind });
    desk.clock.advance(30 * MINUTE_MS);
    assert_eq!(desk.call("POST", &steps, step("arrived")).await.0, 201);
    assert_eq!(desk.get("/api/work").await["faults"][0]["state"], "dispatched");
    let (status, problem) = desk.call("POST", &steps, step("repaired")).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("impossible")));
    assert!(problem["possible"].as_array().unwrap().contains(&json!("restored")), "{problem}");
    let back = (NOW + 20 * MINUTE_MS).to_rfc3339();
    let mut restored = step("restored");
    restored["occurred_at"] = json!(back);
    let (status, problem) = desk.call("POST", &steps, restored.clone()).await;
    assert_eq!((status, problem["code"].as_str()), (422, Some("reason_missing")));
    restored["reason"] = json!("no network in the basement");
    assert_eq!(desk.call("POST", &steps, restored).await.0, 201);
    let work = desk.get("/api/work").await;
    let facts = work["faults"][0]["facts"].as_array().unwrap().clone();
    let restored = facts.iter().find(|fact| fact["kind"] == "restored").unwrap();
    assert_eq!(
        (&restored["occurred_at"], &restored["text"]),
        (&json!(back), &json!("no network in the basement"))
    );
    let ahead = json!({ "id": Uuid::now_v7(), "kind": "repaired", "occurred_at": (NOW + 90 * MINUTE_MS).to_rfc3339() });
    assert_eq!(desk.call("POST", &steps, ahead).await.1["code"], "in_the_future");
}

#[tokio::test]
async fn what_is_wrong_is_said_and_changes_nothing() {
    let desk = Desk::new().await;
    let id = || Uuid::now_v7();
    let cases = [
        ("/api/faults", json!({ "id": id(), "line": "L9", "description": "x" }), 422, "unknown_line"),
        ("/api/faults", json!({ "id": id(), "line": "L1", "description": " " }), 422, "field_missing"),
        ("/api/faults", json!({ "id": Uuid::nil(), "line": "L1", "description": "x" }), 422, "bad_id"),
        ("/api/faults", json!({ "id": id(), "line": "L1" }), 400, "bad_body"),
        (
            "/api/faults",
            json!({ "id": id(), "line": "L1", "description": "x", "colour": 1 }),
            400,
            "bad_body",
        ),
        (
            "/api/matters",
            json!({ "id": id(), "kind": "visit", "customer": "C1", "title": "x" }),
            422,
            "unknown_kind",
        ),
        (
            "/api/matters",
            json!({ "id": id(), "kind": "defect", "customer": "C9", "title": "x" }),
            422,
            "unknown_customer",
        ),
        (
            "/api/matters",
            json!({ "id": id(), "kind": "defect", "customer": "C1", "title": "" }),
            422,
            "field_missing",
        ),
    ];
    for (path, said, status, code) in cases {
        let answer = desk.call("POST", path, said.clone()).await;
        assert_eq!((answer.0, answer.1["code"].as_str()), (status, Some(code)), "{said}");
    }
    let step = json!({ "id": id(), "kind": "restored" });
    assert_eq!(desk.call("POST", &format!("/api/faults/{}/steps", id()), step).await.0, 404);
    assert_eq!(desk.get("/api/saved").await, json!([]));
}

#[tokio::test]
async fn matters_are_taken_in_and_seen_to() {
    let desk = Desk::new().await;
    let complaint = json!({ "id": Uuid::now_v7(), "kind": "complaint", "customer": "C1", "line": "L1", "title": "slow at noon" });
    assert_eq!(desk.call("POST", "/api/matters", complaint.clone()).await.0, 201);
    assert_eq!(desk.call("POST", "/api/matters", complaint).await.0, 200);
    let deed = json!({ "id": Uuid::now_v7(), "kind": "resolved", "how": "a drawing was handed over" });
    assert_eq!(desk.call("POST", &format!("/api/matters/{}/steps", Uuid::now_v7()), deed).await.0, 201);
    let kinds: Vec<String> = desk
        .get("/api/saved")
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["deed", "opened"]);
    let forms = desk.get("/api/forms").await;
    assert_eq!((&forms[0]["for"], &forms[0]["name"]), (&json!("visit"), &json!("line-visit")));
    let classes = desk.get("/api/classes").await;
    let names: Vec<&str> =
        classes.as_array().unwrap().iter().map(|class| class["name"].as_str().unwrap()).collect();
    assert!(
        names.contains(&"minor") && !names.contains(&"invalid"),
        "a supervisor's class is not offered: {names:?}"
    );
}
