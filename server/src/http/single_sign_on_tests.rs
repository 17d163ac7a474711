//! Single sign-on with a provider that says what each test makes it say, on both databases. A real one is in the tests of
//! the browser.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::{identities, second_factor, users};
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::{both, int};
use crate::oidc::ATTEMPT_MS;
use crate::oidc::testing::Provider;

const PASSWORD: &str = "long enough now";
const ROLES: &str = "[auth.oidc.roles]\nnoc = [\"lines-noc\"]\nmanager = [\"lines-sales\"]\n";

async fn desk(db: Db, provider: &Provider, more: &str) -> TestDesk {
    let issuer = &provider.issuer;
    let own = format!(
        "[auth.oidc]\nissuer = \"{issuer}\"\nclient_id = \"linewatch\"\nclient_secret = \"s:cret\"\n{more}"
    );
    let desk = TestDesk::with(db, "http://desk.test", &own).await;
    users::add(&desk.app.db, "ops", Role::Noc, PASSWORD, START).await.unwrap();
    desk
}

/// Calls as the page does, with these cookies.
async fn page(desk: &TestDesk, method: &str, path: &str, cookies: &str, body: &Value) -> TestAnswer {
    let session = cookies.split("linewatch_session=").nth(1).and_then(|rest| rest.split(';').next());
    let request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("cookie", cookies);
    let token = super::page_token::of_session(session.unwrap_or_default());
    let request = request.header("x-linewatch-token", token);
    let request = request.header("host", "desk.test").header("origin", "http://desk.test");
    let request = request.header("content-type", "application/json");
    desk.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn cookies_of(answer: &TestAnswer) -> String {
    let all = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    all.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}

fn code_of(answer: &TestAnswer) -> (u16, &str) {
    (answer.status.as_u16(), answer.json["code"].as_str().unwrap_or(""))
}

/// Somebody who is at the provider.
struct Gone {
    cookies: String,
    query: HashMap<String, String>,
}

async fn leave(desk: &TestDesk, provider: &Provider, path: &str, cookies: &str, body: Value) -> Gone {
    let answer = page(desk, "POST", path, cookies, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let location = reqwest::Url::parse(answer.json["location"].as_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(&format!("{}/authorize?", provider.issuer)));
    let query: HashMap<String, String> = location.query_pairs().into_owned().collect();
    assert_eq!(query["redirect_uri"], "http://desk.test/signed-in");
    assert_eq!(
        (query["scope"].as_str(), query["code_challenge_method"].as_str()),
        ("openid profile", "S256")
    );
    let set = answer.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains(&query["state"]));
    provider.say(|says| says.challenge.clone_from(&query["code_challenge"]));
    Gone { cookies: format!("{cookies}; {}", cookies_of(&answer)), query }
}

impl Gone {
    /// What an honest provider says of a subject.
    fn claims(&self, provider: &Provider, subject: &str, groups: &[&str]) -> Value {
        let now_s = START.0 / 1_000;
        json!({
            "iss": provider.issuer, "aud": "linewatch", "sub": subject, "nonce": self.query["nonce"],
            "iat": now_s, "exp": now_s + 7_200, "preferred_username": format!("{subject}.name"), "groups": groups,
        })
    }

    async fn back(&self, desk: &TestDesk, code: &str) -> TestAnswer {
        let body = json!({ "code": code, "state": self.query["state"] });
        page(desk, "POST", "/session/single-sign-on/return", &self.cookies, &body).await
    }
}

async fn gone(desk: &TestDesk, provider: &Provider) -> Gone {
    leave(desk, provider, "/session/single-sign-on", "", json!({})).await
}

async fn arrive(desk: &TestDesk, provider: &Provider, subject: &str, groups: &[&str]) -> TestAnswer {
    let gone = gone(desk, provider).await;
    provider.say(|says| says.claims = gone.claims(provider, subject, groups));
    gone.back(desk, "right").await
}

async fn is_signed_in(desk: &TestDesk, answer: &TestAnswer) -> bool {
    page(desk, "GET", "/session", &cookies_of(answer), &Value::Null).await.status == StatusCode::OK
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_new_comes_in_by_groups_and_follows_them() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk = desk(db, &provider, ROLES).await;
        let ways = page(&desk, "GET", "/session/ways", "", &Value::Null).await;
        assert_eq!(ways.json, json!({ "single_sign_on": {} }));
        let nobody = arrive(&desk, &provider, "u1", &["others"]).await;
        assert_eq!(code_of(&nobody), (403, "identity_unknown"));
        let first = arrive(&desk, &provider, "u1", &["others", "lines-noc"]).await;
        assert_eq!(
            (first.json["user"].as_str(), first.json["role"].as_str()),
            (Some("u1.name"), Some("noc"))
        );
        assert!(is_signed_in(&desk, &first).await);
        let again = arrive(&desk, &provider, "u1", &["lines-noc"]).await;
        assert!(is_signed_in(&desk, &again).await && is_signed_in(&desk, &first).await);
        let moved = arrive(&desk, &provider, "u1", &["lines-sales"]).await;
        assert_eq!(moved.json["role"], "manager");
        assert!(!is_signed_in(&desk, &first).await, "what the former role had begun is over");
        let out = arrive(&desk, &provider, "u1", &[]).await;
        assert_eq!(code_of(&out), (403, "identity_without_role"));
        assert!(!is_signed_in(&desk, &moved).await);
        // Another subject of the same name is somebody else.
        let gone = gone(&desk, &provider).await;
        let mut claims = gone.claims(&provider, "u2", &["lines-noc"]);
        claims["preferred_username"] = json!("u1.name");
        provider.say(|says| says.claims = claims);
        assert_eq!(code_of(&gone.back(&desk, "right").await), (403, "identity_name_taken"));
        let users = int(&desk.app.db, "SELECT COUNT(*) FROM app_user WHERE name LIKE 'u%'").await.unwrap();
        assert_eq!(users, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_nothing_lets_nobody_in() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk = desk(db, &provider, ROLES).await;
        let lies: [(&str, Value); 13] = [
            ("nonce", json!("another")),
            ("nonce", Value::Null),
            ("aud", json!("somebody-else")),
            ("aud", json!(["linewatch", "somebody-else"])),
            ("aud", Value::Null),
            ("azp", json!("somebody-else")),
            ("iss", json!("https://elsewhere.example")),
            ("sub", json!("")),
            ("sub", Value::Null),
            ("exp", json!(START.0 / 1_000 - 61)),
            ("exp", Value::Null),
            ("iat", json!(START.0 / 1_000 + 7_000)),
            ("nbf", json!(START.0 / 1_000 + 7_000)),
        ];
        for (claim, lie) in lies {
            let gone = gone(&desk, &provider).await;
            let mut claims = gone.claims(&provider, "u1", &["lines-noc"]);
            claims[claim] = lie.clone();
            provider.say(|says| says.claims = claims);
            let refused = gone.back(&desk, "right").await;
            assert_eq!(code_of(&refused), (401, "bad_identity"), "{claim} {lie}: {}", refused.text);
            assert!(!cookies_of(&refused).contains("linewatch_session"));
        }
        let users = int(&desk.app.db, "SELECT COUNT(*) FROM identity").await.unwrap();
        assert_eq!(users, 0);
    })
    .await;
}

/// A token with a head of the test's making, and a signature.
fn forged(head: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(head), part(claims))
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_others_and_none_at_all_are_refused() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk = desk(db, &provider, ROLES).await;
        let gone = gone(&desk, &provider).await;
        let claims = gone.claims(&provider, "u1", &["lines-noc"]);
        let public = provider.says.lock().unwrap().keys[0].1.clone();
        let with_public = EncodingKey::from_secret(json!(public).to_string().as_bytes());
        let hmac = Header { kid: Some("first".to_owned()), ..Header::new(Algorithm::HS256) };
        let right = {
            let says = provider.says.lock().unwrap();
            let header = Header { kid: Some("first".to_owned()), ..Header::new(Algorithm::ES256) };
            jsonwebtoken::encode(&header, &claims, &says.keys[0].0).unwrap()
        };
        let mut other = claims.clone();
        other["sub"] = json!("u2");
        let (_, signature) = right.rsplit_once('.').unwrap();
        for token in [
            forged(&json!({ "alg": "none", "kid": "first" }), &claims, ""),
            forged(&json!({ "alg": "NONE" }), &claims, ""),
            jsonwebtoken::encode(&hmac, &claims, &with_public).unwrap(),
            forged(&json!({ "alg": "ES256", "kid": "first" }), &other, signature),
            forged(&json!({ "alg": "ES256", "kid": "first" }), &claims, ""),
            forged(&json!({ "alg": "RS256", "kid": "first" }), &claims, signature),
            String::new(),
            "a.b.c".to_owned(),
        ] {
            provider.say(|says| says.token = Some(token.clone()));
            assert_eq!(code_of(&gone.back(&desk, "right").await), (401, "bad_identity"), "{token}");
        }
        // A key that nobody was told of, and then the same key when it was.
        let gone = self::gone(&desk, &provider).await;
        let claims = gone.claims(&provider, "u1", &["lines-noc"]);
        provider.say(|says| (says.token, says.signs, says.claims) = (None, 1, claims));
        assert_eq!(code_of(&gone.back(&desk, "right").await), (401, "bad_identity"));
        provider.say(|says| says.tells = vec![1]);
        assert_eq!(code_of(&gone.back(&desk, "right").await), (401, "bad_identity"), "not asked so soon");
        desk.clock.advance(11_000);
        assert_eq!(gone.back(&desk, "right").await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_belongs_to_the_browser_that_asked_and_to_its_time() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk = desk(db, &provider, ROLES).await;
        let (mine, theirs) = (gone(&desk, &provider).await, gone(&desk, &provider).await);
        provider.say(|says| says.claims = theirs.claims(&provider, "u1", &["lines-noc"]));
        for cookies in [String::new(), mine.cookies.clone(), "linewatch_attempt=AAAA".to_owned()] {
            let other = Gone { cookies, query: theirs.query.clone() };
            assert_eq!(code_of(&other.back(&desk, "right").await), (401, "sign_in_over"));
        }
        assert_eq!(code_of(&theirs.back(&desk, "wrong").await), (401, "bad_identity"), "a code of nobody");
        let body =
            json!({ "code": "right", "state": theirs.query["state"], "iss": "https://elsewhere.example" });
        let path = "/session/single-sign-on/return";
        let mixed = page(&desk, "POST", path, &theirs.cookies, &body).await;
        assert_eq!(code_of(&mixed), (401, "bad_identity"), "another provider's");
        // From another page.
        let request = Request::post(format!("/api/v1{path}")).header("cookie", &theirs.cookies);
        let request = request.header("host", "desk.test").header("origin", "http://evil.test");
        let request = request.header("content-type", "application/json");
        let sent = desk.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN);
        desk.clock.advance(ATTEMPT_MS);
        assert_eq!(code_of(&theirs.back(&desk, "right").await), (401, "sign_in_over"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_cannot_be_tried_out_and_who_tries_keeps_nobody_beside_them_out() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk = desk(db, &provider, ROLES).await;
        let trying = gone(&desk, &provider).await;
        for _ in 0..10 {
            assert_eq!(code_of(&trying.back(&desk, "wrong").await), (401, "bad_identity"));
        }
        assert_eq!(code_of(&trying.back(&desk, "right").await), (429, "too_many_attempts"));
        let others = arrive(&desk, &provider, "u1", &["lines-noc"]).await;
        assert_eq!(others.status, StatusCode::OK, "from the same address");
        // Whom the provider proves to be somebody has not failed to prove it, whoever it is.
        for _ in 0..60 {
            let nobody = arrive(&desk, &provider, "u2", &[]).await;
            assert_eq!(code_of(&nobody), (403, "identity_unknown"));
        }
        for _ in 0..4 {
            let trying = gone(&desk, &provider).await;
            for _ in 0..10 {
                trying.back(&desk, "wrong").await;
            }
        }
        let others = arrive(&desk, &provider, "u1", &["lines-noc"]).await;
        assert_eq!(code_of(&others), (429, "too_many_attempts"), "too many from one address");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_by_its_owner_and_names_open_nothing() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk = desk(db, &provider, "").await;
        let body = json!({ "user": "ops", "password": PASSWORD });
        let signed_in = page(&desk, "POST", "/session", "", &body).await;
        let own = cookies_of(&signed_in);
        // Without groups of the configuration nobody new comes in, whatever the name.
        let gone = gone(&desk, &provider).await;
        let mut claims = gone.claims(&provider, "u1", &["lines-noc"]);
        claims["preferred_username"] = json!("ops");
        provider.say(|says| says.claims = claims);
        assert_eq!(code_of(&gone.back(&desk, "right").await), (403, "identity_unknown"));
        let wrong = page(&desk, "POST", "/account/identity", &own, &json!({ "password": "no" })).await;
        assert_eq!(code_of(&wrong), (401, "bad_credentials"));
        let body = json!({ "password": PASSWORD });
        let connecting = leave(&desk, &provider, "/account/identity", &own, body).await;
        provider.say(|says| says.claims = connecting.claims(&provider, "u1", &[]));
        // In a browser where somebody else is signed in, or nobody.
        let attempt = connecting.cookies.split("; ").last().unwrap().to_owned();
        let elsewhere = Gone { cookies: attempt, query: connecting.query.clone() };
        assert_eq!(code_of(&elsewhere.back(&desk, "right").await), (401, "sign_in_over"));
        assert_eq!(connecting.back(&desk, "right").await.status, StatusCode::NO_CONTENT);
        let account = page(&desk, "GET", "/account", &own, &Value::Null).await;
        assert!(account.json["single_sign_on"]["connected_at"].is_string(), "{}", account.text);
        let by_provider = arrive(&desk, &provider, "u1", &[]).await;
        assert_eq!(
            (by_provider.json["user"].as_str(), by_provider.json["role"].as_str()),
            (Some("ops"), Some("noc"))
        );
        // What is one's is nobody else's.
        users::add(&desk.app.db, "two", Role::Noc, PASSWORD, START).await.unwrap();
        let taken = identities::link(&desk.app.db, (&provider.issuer, "u1"), "two", "x", START).await;
        assert!(taken.unwrap_err().to_string().contains("another user"));
        let admin =
            desk.call(Some(Role::Admin), axum::http::Method::DELETE, "/api/v1/users/ops/identity", None);
        assert_eq!(admin.await.status, StatusCode::NO_CONTENT);
        assert!(!is_signed_in(&desk, &by_provider).await);
        assert_eq!(code_of(&arrive(&desk, &provider, "u1", &[]).await), (403, "identity_unknown"));
        identities::link(&desk.app.db, (&provider.issuer, "u1"), "two", "x", START).await.unwrap();
        assert_eq!(arrive(&desk, &provider, "u1", &[]).await.json["user"], "two");
        users::disable(&desk.app.db, "two", "x", START).await.unwrap();
        assert_eq!(code_of(&arrive(&desk, &provider, "u1", &[]).await), (403, "identity_disabled"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_factor_is_asked_for_unless_the_provider_had_one() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk =
            desk(db, &provider, &format!("acr = [\"mfa\"]\n{ROLES}[auth]\nsecond_factor = \"required\"\n"))
                .await;
        let asked = arrive(&desk, &provider, "u1", &["lines-noc"]).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
        assert!(
            asked.json["setup"]["secret"].is_string() && !cookies_of(&asked).contains("linewatch_session")
        );
        for (acr, status) in [("mfa", 200), ("password", 202)] {
            let gone = gone(&desk, &provider).await;
            assert_eq!(gone.query["acr_values"], "mfa");
            let mut claims = gone.claims(&provider, "u1", &["lines-noc"]);
            claims["acr"] = json!(acr);
            provider.say(|says| says.claims = claims);
            assert_eq!(gone.back(&desk, "right").await.status.as_u16(), status);
        }
        let state = second_factor::state(&desk.app.db, &desk.app.settings.auth, "u1.name", Role::Noc);
        assert!(state.await.unwrap().required);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_token_leaves_out_is_asked_for_and_has_to_be_about_the_same() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk = desk(db, &provider, ROLES).await;
        let gone = gone(&desk, &provider).await;
        let mut claims = gone.claims(&provider, "u1", &[]);
        claims.as_object_mut().unwrap().retain(|claim, _| claim != "groups" && claim != "preferred_username");
        provider.say(|says| says.claims = claims);
        let more =
            |subject: &str| json!({ "sub": subject, "preferred_username": "u.one", "groups": "lines-noc" });
        provider.say(|says| says.more = more("u2"));
        assert_eq!(code_of(&gone.back(&desk, "right").await), (401, "bad_identity"));
        provider.say(|says| says.more = more("u1"));
        assert_eq!(gone.back(&desk, "right").await.json["user"], "u.one");
        // A name that no user can have.
        let gone = self::gone(&desk, &provider).await;
        let mut claims = gone.claims(&provider, "u3", &["lines-noc"]);
        claims["preferred_username"] = json!("<script>");
        provider.say(|says| says.claims = claims);
        assert_eq!(code_of(&gone.back(&desk, "right").await), (403, "identity_without_name"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_of_no_use_is_told_apart_from_people_who_are_not_known() {
    both(|db| async move {
        let provider = Provider::start().await;
        let desk = desk(db.clone(), &provider, ROLES).await;
        let gone = gone(&desk, &provider).await;
        provider.say(|says| says.status = 500);
        for _ in 0..12 {
            assert_eq!(
                code_of(&gone.back(&desk, "right").await),
                (502, "provider_unusable"),
                "and not counted"
            );
        }
        provider.say(|says| says.issuer = "https://elsewhere.example".to_owned());
        desk.clock.advance(ATTEMPT_MS);
        let start = page(&desk, "POST", "/session/single-sign-on", "", &json!({})).await;
        assert_eq!(code_of(&start), (502, "provider_unusable"));
        assert!(!start.text.contains("elsewhere"), "the reason is in the log");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_there_is_no_such_way() {
    both(|db| async move {
        let desk = TestDesk::new(db).await;
        let ways = page(&desk, "GET", "/session/ways", "", &Value::Null).await;
        assert_eq!(ways.json, json!({}));
        let start = page(&desk, "POST", "/session/single-sign-on", "", &json!({})).await;
        assert_eq!(code_of(&start), (404, "no_single_sign_on"));
    })
    .await;
}
