//! Sessions and API tokens, as people and programs meet them, on both databases.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use linewatch_shared::time::DAY_MS;
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::users;
use crate::auth::Role;
use crate::auth::credential::IDLE_MS;
use crate::db::testing::both;

const PASSWORD: &str = "long enough now";

/// A browser: its cookie, what its page knows, and what it sends along.
struct Browser<'a> {
    desk: &'a TestDesk,
    cookie: String,
    token: String,
}

impl<'a> Browser<'a> {
    async fn sign_in(desk: &'a TestDesk, user: &str) -> Self {
        let body = json!({ "user": user, "password": PASSWORD });
        let answer = desk.call(None, Method::POST, "/api/v1/session", Some(body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        let token = answer.json["token"].as_str().unwrap().to_owned();
        Self { desk, cookie: cookie.split(';').next().unwrap().to_owned(), token }
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> TestAnswer {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header("cookie", &self.cookie).header("host", "desk.test");
        let request = request.header("x-linewatch-token", &self.token);
        let request = request.header("origin", "http://desk.test").header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.desk.send(request.body(body).unwrap()).await
    }

    async fn sessions(&self) -> Vec<Value> {
        let answer = self.call("GET", "/account/sessions", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json["items"].as_array().unwrap().clone()
    }

    async fn is_in(&self) -> bool {
        self.call("GET", "/session", None).await.status == StatusCode::OK
    }
}

async fn by_token(desk: &TestDesk, token: &str, method: &str, path: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    let request = request.header("authorization", format!("Bearer {token}"));
    let answer = desk.send(request.body(Body::empty()).unwrap()).await;
    (answer.status.as_u16(), answer.json)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_their_sessions_and_end_them() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        for user in ["ops", "other"] {
            users::add(&desk.app.db, user, Role::Noc, PASSWORD, START).await.unwrap();
        }
        let here = Browser::sign_in(&desk, "ops").await;
        let elsewhere = Browser::sign_in(&desk, "ops").await;
        let other = Browser::sign_in(&desk, "other").await;
        assert_ne!(here.cookie, elsewhere.cookie, "each sign-in has a secret of its own");
        let shown = here.sessions().await;
        assert_eq!(shown.iter().filter(|session| session["here"] == true).count(), 1);
        assert_eq!(shown.len(), 2, "{shown:?}");
        let of =
            |here: bool| shown.iter().find(|s| s["here"] == here).unwrap()["id"].as_str().unwrap().to_owned();
        // Nobody ends another's.
        let path = format!("/account/sessions/{}", of(false));
        assert_eq!(other.call("DELETE", &path, None).await.status, StatusCode::NOT_FOUND);
        assert!(elsewhere.is_in().await);
        assert_eq!(here.call("DELETE", &path, None).await.status, StatusCode::NO_CONTENT);
        assert!(here.is_in().await && !elsewhere.is_in().await);
        let again = Browser::sign_in(&desk, "ops").await;
        assert_eq!(again.call("DELETE", "/account/sessions", None).await.status, StatusCode::NO_CONTENT);
        assert!(!here.is_in().await && !again.is_in().await && other.is_in().await);
        // Programs change no access.
        let (status, answer) = by_token(&desk, desk.token(Role::Noc), "DELETE", "/account/sessions").await;
        assert_eq!((status, answer["code"].as_str()), (403, Some("session_only")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_nothing_is_asked() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        users::add(&desk.app.db, "ops", Role::Noc, PASSWORD, START).await.unwrap();
        let browser = Browser::sign_in(&desk, "ops").await;
        for _ in 0..3 {
            desk.clock.advance(IDLE_MS - 60_000);
            assert!(browser.is_in().await);
        }
        desk.clock.advance(IDLE_MS + 60_000);
        assert!(!browser.is_in().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_signs_somebody_out() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        users::add(&desk.app.db, "ops", Role::Noc, PASSWORD, START).await.unwrap();
        let browser = Browser::sign_in(&desk, "ops").await;
        let token = users::token(&desk.app.db, "ops", users::COMMAND, START).await.unwrap();
        let path = "/api/v1/users/ops/sessions";
        assert_eq!(
            desk.call(Some(Role::Admin), Method::DELETE, path, None).await.status,
            StatusCode::NO_CONTENT
        );
        assert!(!browser.is_in().await);
        assert_eq!(by_token(&desk, &token, "GET", "/session").await.0, 200, "tokens stay");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_what_it_is_for_until_it_ends() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        users::add(&desk.app.db, "ops", Role::Admin, PASSWORD, START).await.unwrap();
        let browser = Browser::sign_in(&desk, "ops").await;
        let asked = json!({ "password": "not this one here", "scope": "read", "label": "wall", "days": 30 });
        let wrong = browser.call("POST", "/account/tokens", Some(asked.clone())).await;
        assert_eq!((wrong.status.as_u16(), wrong.json["code"].as_str()), (401, Some("bad_credentials")));
        let mut asked = asked;
        asked["password"] = json!(PASSWORD);
        let made = browser.call("POST", "/account/tokens", Some(asked.clone())).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let token = made.json["token"].as_str().unwrap();
        assert!(token.starts_with("lw_") && token.len() == 46, "{}", token.len());
        assert_eq!(by_token(&desk, token, "GET", "/users").await.0, 200);
        let (status, answer) = by_token(&desk, token, "POST", "/users/ops/disable").await;
        assert_eq!((status, answer["code"].as_str()), (403, Some("token_scope")));
        let shown = browser.call("GET", "/account/tokens", None).await;
        let shown = &shown.json["items"][0];
        assert_eq!((shown["label"].as_str(), shown["scope"].as_str()), (Some("wall"), Some("read")));
        assert!(shown["used_on"].is_string() && !shown.to_string().contains(token));
        asked["days"] = json!(367);
        assert_eq!(browser.call("POST", "/account/tokens", Some(asked)).await.status.as_u16(), 422);
        let second = users::token(&desk.app.db, "ops", users::COMMAND, START).await.unwrap();
        let path = format!("/users/ops/tokens/{}", shown["id"].as_str().unwrap());
        let path = format!("/api/v1{path}");
        assert_eq!(
            desk.call(Some(Role::Admin), Method::DELETE, &path, None).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(by_token(&desk, token, "GET", "/users").await.0, 401);
        desk.clock.advance(89 * DAY_MS);
        assert_eq!(by_token(&desk, &second, "GET", "/users").await.0, 200);
        desk.clock.advance(DAY_MS);
        assert_eq!(by_token(&desk, &second, "GET", "/users").await.0, 401);
    })
    .await;
}
