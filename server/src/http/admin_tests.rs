//! Users, agents' enrolment and the audit trail through the API.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::testing::{TestAnswer, TestDesk};
use crate::auth::Role;
use crate::db::testing::both;

async fn admin(desk: &TestDesk, method: Method, path: &str, body: Option<Value>) -> TestAnswer {
    desk.call(Some(Role::Admin), method, &format!("/api/v1{path}"), body).await
}

async fn audited(desk: &TestDesk, query: &str) -> Vec<String> {
    let list = admin(desk, Method::GET, &format!("/audit{query}"), None).await.json;
    let text = |item: &Value| {
        let of = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", of("who"), of("action"), of("subject"))
    };
    list["items"].as_array().into_iter().flatten().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_lets_people_in_and_keeps_them_out() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let new = json!({ "name": "duty-1", "role": "noc", "password": "sample password" });
        let added = admin(&desk, Method::POST, "/users", Some(new.clone())).await;
        assert_eq!(
            (added.status, &added.json["role"]),
            (StatusCode::CREATED, &json!("noc")),
            "{}",
            added.text
        );
        let twice = admin(&desk, Method::POST, "/users", Some(new)).await;
        assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
        let short = json!({ "name": "duty-2", "role": "noc", "password": "too few" });
        let short = admin(&desk, Method::POST, "/users", Some(short)).await;
        assert!(short.status.is_client_error() && !short.text.contains("too few"), "{}", short.text);

        let token = admin(&desk, Method::POST, "/users/duty-1/tokens", None).await;
        assert!(token.json["token"].as_str().is_some_and(|token| token.len() > 30), "{}", token.text);
        let list = admin(&desk, Method::GET, "/users", None).await;
        let found =
            list.json["items"].as_array().unwrap().iter().find(|user| user["name"] == "duty-1").unwrap();
        assert_eq!((&found["tokens"], &found["disabled"]), (&json!(1), &json!(false)));
        assert!(!list.text.contains("argon2") && !list.text.contains("hash"), "{}", list.text);

        let role = json!({ "role": "manager" });
        let given = admin(&desk, Method::PUT, "/users/duty-1/role", Some(role.clone())).await;
        assert_eq!(
            (&given.json["role"], &given.json["tokens"]),
            (&json!("manager"), &json!(0)),
            "{}",
            given.text
        );
        assert_eq!(
            admin(&desk, Method::POST, "/users/duty-1/disable", None).await.status,
            StatusCode::NO_CONTENT
        );
        let list = admin(&desk, Method::GET, "/users", None).await;
        assert!(list.text.contains(r#""disabled":true"#), "{}", list.text);
        let password = json!({ "password": "another password" });
        let reset = admin(&desk, Method::PUT, "/users/duty-1/password", Some(password)).await;
        assert_eq!(reset.status, StatusCode::NO_CONTENT, "{}", reset.text);

        // Whoever could lock themselves out is told that another one does it.
        for (method, path, body) in
            [(Method::POST, "/users/admin/disable", None), (Method::PUT, "/users/admin/role", Some(role))]
        {
            let refused = admin(&desk, method, path, body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
            assert!(refused.text.contains("another administrator"), "{}", refused.text);
        }
        let nobody = admin(&desk, Method::POST, "/users/nobody/disable", None).await;
        assert_eq!(nobody.status, StatusCode::NOT_FOUND);

        let trail = audited(&desk, "?subject=duty-1").await;
        let expected = [
            "admin password reset duty-1",
            "admin user disabled duty-1",
            "admin role given duty-1",
            "admin token made duty-1",
            "admin user added duty-1",
        ];
        assert_eq!(trail, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_let_in_by_a_token_of_the_page_and_kept_out_again() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let made = admin(&desk, Method::POST, "/agents/site-7/enrolment", None).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let token =
            linewatch_shared::enrol_token::EnrolToken::parse(made.json["token"].as_str().unwrap()).unwrap();
        assert_eq!(
            (token.name.as_str(), token.authority_sha256),
            ("site-7", desk.app.authorities.now().shown.fingerprint())
        );
        assert!(made.json["port"].as_u64().is_some(), "{}", made.text);
        let revoked = admin(&desk, Method::POST, "/agents/site-7/revocation", None).await;
        assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);
        let agents = admin(&desk, Method::GET, "/agents", None).await;
        assert_eq!(agents.json["items"][0]["state"], "revoked", "{}", agents.text);
        assert_eq!(
            admin(&desk, Method::POST, "/agents/other/revocation", None).await.status,
            StatusCode::NOT_FOUND
        );
        let bad = admin(&desk, Method::POST, "/agents/-x/enrolment", None).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", bad.text);
        for (method, path) in
            [(Method::POST, "/agents/site-7/enrolment"), (Method::GET, "/users"), (Method::GET, "/audit")]
        {
            let noc = desk.call(Some(Role::Noc), method, &format!("/api/v1{path}"), None).await;
            assert_eq!(noc.status, StatusCode::FORBIDDEN, "{}", noc.text);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_is_read_page_by_page_from_its_end() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        for n in 0..5 {
            admin(&desk, Method::POST, &format!("/agents/site-{n}/enrolment"), None).await;
        }
        let made = audited(&desk, "?action=enrolment%20token%20made&who=admin").await;
        assert_eq!(made.len(), 5);
        assert!(made[0].ends_with("site-4"), "{made:?}");
        let first =
            admin(&desk, Method::GET, "/audit?action=enrolment%20token%20made&limit=3", None).await.json;
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = audited(&desk, &format!("?action=enrolment%20token%20made&limit=3&cursor={cursor}")).await;
        assert_eq!(rest.len(), 2);
        assert!(rest[1].ends_with("site-0"), "{rest:?}");
        let later = audited(&desk, "?from=2199-01-01T00:00:00Z").await;
        assert!(later.is_empty());
        let bad = admin(&desk, Method::GET, "/audit?from=yesterday", None).await;
        assert!(bad.status.is_client_error(), "{}", bad.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_whether_the_trail_is_whole() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let chain = admin(&desk, Method::GET, "/audit/chain", None).await;
        assert_eq!((chain.status, &chain.json["whole"]), (StatusCode::OK, &json!(true)), "{}", chain.text);
        assert!(chain.json["upto"].as_i64().is_some_and(|n| n > 0), "{}", chain.text);
        let noc = desk.call(Some(Role::Noc), Method::GET, "/api/v1/audit/chain", None).await;
        assert_eq!(noc.status, StatusCode::FORBIDDEN);
    })
    .await;
}
