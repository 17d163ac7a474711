//! Who gets in.

use serde_json::json;

use super::*;

#[tokio::test]
async fn only_this_machines_own_page_may_call() {
    let desk = Desk::new().await;
    let mut cases: Vec<(&str, Request<Body>, u16)> = Vec::new();
    let plain = || desk.request("GET", "/api/work", &Value::Null);
    let write = || desk.request("POST", "/api/drafts", &json!({}));
    let with = |mut request: Request<Body>, name: &'static str, value: &'static str| {
        if value.is_empty() {
            request.headers_mut().remove(name);
        } else {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    cases.push(("as the page does", plain(), 200));
    cases.push(("by a name of another site", with(plain(), "host", "evil.example:8090"), 403));
    cases.push(("by no name", with(plain(), "host", ""), 400));
    cases.push(("from another site", with(plain(), "sec-fetch-site", "cross-site"), 403));
    cases.push(("without a session", with(plain(), "cookie", ""), 401));
    cases.push(("with an invented session", with(plain(), "cookie", "lw_field=abc"), 401));
    cases.push(("a write as the page does", write(), 201));
    cases.push(("a write of another origin", with(write(), "origin", "http://127.0.0.1:9999"), 403));
    cases.push(("a write of no origin", with(write(), "origin", ""), 403));
    cases.push(("a write without the token", with(write(), "x-linewatch-token", ""), 403));
    cases.push(("a write with another token", with(write(), "x-linewatch-token", "x"), 403));
    cases.push(("a write as a form would", with(write(), "content-type", "text/plain"), 415));
    cases.push(("the page itself", with(desk.request("GET", "/", &Value::Null), "cookie", ""), 200));
    cases.push(("the status", with(desk.request("GET", "/status", &Value::Null), "cookie", ""), 200));
    cases.push((
        "the status by another name",
        with(desk.request("GET", "/status", &Value::Null), "host", "evil.example"),
        403,
    ));
    cases.push(("a post to the page", desk.request("POST", "/", &Value::Null), 404));
    cases.push(("no such call", desk.request("GET", "/api/secrets", &Value::Null), 404));
    for (name, request, expected) in cases {
        let answer = desk.send(request).await;
        assert_eq!(answer.status().as_u16(), expected, "{name}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{name}: {policy}");
    }
    assert_eq!(
        desk.get("/api/drafts").await.as_array().unwrap().len(),
        1,
        "what was refused changed nothing"
    );
}

#[tokio::test]
async fn one_signs_in_offline_and_the_name_stays_with_what_one_writes() {
    let mut desk = Desk::signed_out().await;
    let session = desk.get("/api/session").await;
    assert_eq!(session["people"], json!(["technician-1", "technician-2"]));
    assert_eq!((&session["user"], &session["device"]["name"]), (&Value::Null, &json!("laptop-1")));
    let wrong = json!({ "user": "technician-1", "password": "not this" });
    let (status, problem) = desk.call("POST", "/api/session", wrong).await;
    assert_eq!((status, problem["code"].as_str()), (401, Some("wrong_password")));
    let nobody = json!({ "user": "nobody", "password": PASSWORD });
    let (status, problem) = desk.call("POST", "/api/session", nobody).await;
    assert_eq!((status, problem["code"].as_str()), (401, Some("wrong_password")), "a name is not given away");
    desk.sign_in("technician-2").await;
    let (_, draft) = desk.call("POST", "/api/drafts", json!({ "customer": "C1" })).await;
    assert_eq!(draft["by"], "technician-2");
    assert_eq!(desk.get("/api/session").await["user"]["name"], "technician-2");
    let (status, _) = desk.call("DELETE", "/api/session", Value::Null).await;
    assert_eq!(status, 204);
    assert_eq!(desk.call("GET", "/api/work", Value::Null).await.0, 401);
}

#[tokio::test]
async fn passwords_are_not_tried_without_end() {
    let desk = Desk::signed_out().await;
    let wrong = || json!({ "user": "technician-1", "password": "not this" });
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(desk.call("POST", "/api/session", wrong()).await.0);
    }
    assert_eq!(answers, [401, 401, 401, 401, 429, 429]);
    let right = json!({ "user": "technician-1", "password": PASSWORD });
    let (status, problem) = desk.call("POST", "/api/session", right.clone()).await;
    assert_eq!(
        (status, problem["retry_after_s"].as_i64()),
        (429, Some(2)),
        "not even the right one, for a moment"
    );
    desk.clock.advance(2_000);
    assert_eq!(desk.call("POST", "/api/session", right).await.0, 200);
}

#[tokio::test]
async fn before_the_desk_said_who_nobody_signs_in() {
    let desk = Desk::signed_out().await;
    let page =
        PullPage { fresh: true, rows: Vec::new(), cursor: Cursor(vec![2]), more: false, reference_head: 2 };
    desk.journal.write(move |tx| scope::apply(tx, &page)).await.unwrap();
    let right = json!({ "user": "technician-1", "password": PASSWORD });
    let (status, problem) = desk.call("POST", "/api/session", right).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("nobody_yet")));
}
