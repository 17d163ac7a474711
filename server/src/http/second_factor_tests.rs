//! Signing in with a second factor, on both databases.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::testing::{START, TestAnswer, TestDesk};
use crate::app::second_factor::{self, TRIES_MAX, WAIT_MS};
use crate::app::users;
use crate::auth::{Role, totp};
use crate::db::Db;
use crate::db::testing::{both, int};

const PASSWORD: &str = "long enough now";
const STEP_MS: i64 = 30_000;

async fn desk(db: Db, settings: &str) -> TestDesk {
    let desk = TestDesk::with(db, "http://desk.test", settings).await;
    users::add(&desk.app.db, "ops", Role::Noc, PASSWORD, START).await.unwrap();
    desk
}

async fn post(desk: &TestDesk, path: &str, body: Value) -> TestAnswer {
    desk.call(None, Method::POST, &format!("/api/v1{path}"), Some(body)).await
}

async fn password(desk: &TestDesk) -> TestAnswer {
    post(desk, "/session", json!({ "user": "ops", "password": PASSWORD })).await
}

async fn prove(desk: &TestDesk, pending: &Value, code: &str) -> TestAnswer {
    post(desk, "/session/second-factor", json!({ "pending": pending, "code": code })).await
}

fn code_of(answer: &TestAnswer) -> (u16, &str) {
    (answer.status.as_u16(), answer.json["code"].as_str().unwrap_or(""))
}

/// Calls with the cookie that an answer set.
async fn with_cookie(
    desk: &TestDesk,
    signed_in: &TestAnswer,
    method: &str,
    path: &str,
    body: Value,
) -> TestAnswer {
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("cookie", cookie);
    let token = signed_in.json["token"].as_str().unwrap_or_default();
    let request = request.header("x-linewatch-token", token);
    let request = request.header("host", "desk.test").header("origin", "http://desk.test");
    let request = request.header("content-type", "application/json");
    desk.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn secret_of(setup: &Value) -> Vec<u8> {
    let text = setup["secret"].as_str().unwrap();
    let bits: Vec<u8> = text
        .bytes()
        .flat_map(|c| {
            let digit = if c.is_ascii_digit() { c - b'2' + 26 } else { c - b'A' };
            (0..5).rev().map(move |at| digit >> at & 1)
        })
        .collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

/// Sets a factor up for `ops`; its secret and its recovery codes.
async fn with_factor(desk: &TestDesk) -> (Vec<u8>, Vec<String>) {
    let signed_in = password(desk).await;
    let wrong =
        with_cookie(desk, &signed_in, "POST", "/account/second-factor", json!({ "password": "no" })).await;
    assert_eq!(code_of(&wrong), (401, "bad_credentials"));
    let body = json!({ "password": PASSWORD });
    let setup = with_cookie(desk, &signed_in, "POST", "/account/second-factor", body).await;
    assert_eq!(setup.status, StatusCode::CREATED, "{}", setup.text);
    assert!(setup.json["uri"].as_str().unwrap().starts_with("otpauth://totp/linewatch:ops?secret="));
    assert_eq!(password(desk).await.status, StatusCode::OK, "not asked for before it is in force");
    let secret = secret_of(&setup.json);
    let confirm = async |code: &str| {
        let path = "/account/second-factor/confirm";
        with_cookie(desk, &signed_in, "POST", path, json!({ "code": code })).await
    };
    assert_eq!(code_of(&confirm("000000").await), (401, "bad_second_factor"));
    let confirmed = confirm(&totp::code(&secret, desk.app.now())).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    let codes: Vec<String> = serde_json::from_value(confirmed.json["recovery_codes"].clone()).unwrap();
    desk.clock.advance(STEP_MS);
    (secret, codes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_and_good_once() {
    both(|db| async move {
        let desk = desk(db, "").await;
        let (secret, _) = with_factor(&desk).await;
        let stored =
            int(&desk.app.db, "SELECT COUNT(*) FROM second_factor WHERE confirmed_at_ms IS NOT NULL");
        assert_eq!(stored.await.unwrap(), 1);
        let first = password(&desk).await;
        assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.text);
        assert!(first.headers.get("set-cookie").is_none() && first.json["setup"].is_null());
        let pending = &first.json["pending"];
        // What the password gave opens nothing.
        let request = Request::get("/api/v1/session")
            .header("cookie", format!("linewatch_session={}", pending.as_str().unwrap()));
        assert_eq!(desk.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(code_of(&prove(&desk, pending, "000000").await), (401, "bad_second_factor"));
        let code = totp::code(&secret, desk.app.now());
        let signed_in = prove(&desk, pending, &code).await;
        assert_eq!(signed_in.json["user"], "ops", "{}", signed_in.text);
        let who = with_cookie(&desk, &signed_in, "GET", "/session", Value::Null).await;
        assert_eq!(who.status, StatusCode::OK);
        assert_eq!(code_of(&prove(&desk, pending, &code).await), (401, "sign_in_over"));
        // The same code once more, with the password.
        let again = password(&desk).await;
        assert_eq!(code_of(&prove(&desk, &again.json["pending"], &code).await), (401, "bad_second_factor"));
        desk.clock.advance(STEP_MS);
        let next = totp::code(&secret, desk.app.now());
        assert_eq!(prove(&desk, &again.json["pending"], &next).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_is_good_once() {
    both(|db| async move {
        let desk = desk(db, "").await;
        let (_, codes) = with_factor(&desk).await;
        assert_eq!(codes.len(), second_factor::RECOVERY_CODES);
        assert!(codes.iter().all(|code| code.len() == 19), "{codes:?}");
        let sign_in = async |code: &str| {
            let pending = password(&desk).await.json["pending"].clone();
            prove(&desk, &pending, code).await
        };
        let signed_in = sign_in(&codes[0].to_lowercase().replace('-', " ")).await;
        assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.text);
        let account = with_cookie(&desk, &signed_in, "GET", "/account", Value::Null).await;
        assert_eq!(account.json["second_factor"]["recovery_codes"], 9, "{}", account.text);
        assert_eq!(code_of(&sign_in(&codes[0]).await), (401, "bad_second_factor"));
        assert_eq!(sign_in(&codes[1]).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_and_time_are_bounded() {
    both(|db| async move {
        let desk = desk(db, "").await;
        let (secret, _) = with_factor(&desk).await;
        let pending = password(&desk).await.json["pending"].clone();
        for _ in 0..TRIES_MAX {
            assert_eq!(code_of(&prove(&desk, &pending, "000000").await), (401, "bad_second_factor"));
        }
        let code = totp::code(&secret, desk.app.now());
        assert_eq!(code_of(&prove(&desk, &pending, &code).await), (401, "sign_in_over"));
        let pending = password(&desk).await.json["pending"].clone();
        desk.clock.advance(WAIT_MS);
        let code = totp::code(&secret, desk.app.now());
        assert_eq!(code_of(&prove(&desk, &pending, &code).await), (401, "sign_in_over"));
        // Over several passwords the account is slowed.
        let mut refused = Vec::new();
        for _ in 0..3 {
            let pending = password(&desk).await.json["pending"].clone();
            for _ in 0..TRIES_MAX {
                refused.push(prove(&desk, &pending, "000000").await.status.as_u16());
            }
        }
        assert!(refused.starts_with(&[401]) && refused.ends_with(&[429]), "{refused:?}");
        let second = int(&desk.app.db, "SELECT COUNT(*) FROM session WHERE user_name = 'ops'").await.unwrap();
        assert_eq!(second, 2, "only those of before the factor");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_required_it_is_set_up_at_sign_in() {
    both(|db| async move {
        let desk = desk(db, "[auth]\nsecond_factor_roles = [\"noc\"]\n").await;
        let first = password(&desk).await;
        assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.text);
        let secret = secret_of(&first.json["setup"]);
        let signed_in = prove(&desk, &first.json["pending"], &totp::code(&secret, desk.app.now())).await;
        assert_eq!(signed_in.json["recovery_codes"].as_array().map(Vec::len), Some(10), "{}", signed_in.text);
        desk.clock.advance(STEP_MS);
        let off = json!({ "password": PASSWORD, "code": totp::code(&secret, desk.app.now()) });
        let refused = with_cookie(&desk, &signed_in, "POST", "/account/second-factor/off", off).await;
        assert_eq!(code_of(&refused), (422, "refused"));
        // An administrator takes it away; then it is set up anew.
        let path = "/api/v1/users/ops/second-factor";
        let taken = desk.call(Some(Role::Admin), Method::DELETE, path, None).await;
        assert_eq!(taken.status, StatusCode::NO_CONTENT, "{}", taken.text);
        let who = with_cookie(&desk, &signed_in, "GET", "/session", Value::Null).await;
        assert_eq!(who.status, StatusCode::UNAUTHORIZED);
        assert!(password(&desk).await.json["setup"]["secret"].is_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_turned_off_with_both_proofs() {
    both(|db| async move {
        let desk = desk(db, "").await;
        let (secret, _) = with_factor(&desk).await;
        let pending = password(&desk).await.json["pending"].clone();
        let signed_in = prove(&desk, &pending, &totp::code(&secret, desk.app.now())).await;
        desk.clock.advance(STEP_MS);
        let code = totp::code(&secret, desk.app.now());
        for (password, code, refused) in
            [("not this one", code.as_str(), "bad_credentials"), (PASSWORD, "000000", "bad_second_factor")]
        {
            let body = json!({ "password": password, "code": code });
            let answer = with_cookie(&desk, &signed_in, "POST", "/account/second-factor/off", body).await;
            assert_eq!(code_of(&answer), (401, refused));
        }
        let body = json!({ "password": PASSWORD, "code": code });
        let answer = with_cookie(&desk, &signed_in, "POST", "/account/second-factor/off", body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        assert_eq!(password(&desk).await.status, StatusCode::OK);
    })
    .await;
}
