//! What people type, and what lets them in, is in no log and in no answer that it does not belong into: every route is
//! called with words that nobody else says, and then they are looked for in all that was logged meanwhile, at `trace`.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::time::SECOND_MS;
use linewatch_shared::wire::{self, Enroll, HelloAnswer, LEVEL};
use serde_json::{Map, Value, json};
use tracing_subscriber::util::SubscriberInitExt;

use super::copied_tests::{beat, hello};
use super::testing::{START, TestAnswer, TestDesk};
use crate::app::import;
use crate::auth::Role;
use crate::config::LogFormat;
use crate::db::testing::{both, int};

/// What is in every canary.
const CANARY: &str = "canary7141";
/// How deep a body is made up.
const DEPTH_MAX: usize = 6;

/// All that is logged by this process while the ear is open.
#[derive(Clone, Copy)]
struct Ear;

static OPEN: AtomicBool = AtomicBool::new(false);
static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static BEGUN: OnceLock<()> = OnceLock::new();

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if OPEN.load(Ordering::Relaxed) {
            HEARD.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen() {
    BEGUN.get_or_init(|| {
        let subscriber = crate::log::subscriber("trace", LogFormat::Text, || Ear).unwrap();
        subscriber.try_init().unwrap();
    });
    HEARD.lock().unwrap().clear();
    OPEN.store(true, Ordering::Relaxed);
}

fn heard() -> String {
    OPEN.store(false, Ordering::Relaxed);
    String::from_utf8_lossy(&HEARD.lock().unwrap()).into_owned()
}

/// A body for a schema: what it may be, with a canary wherever there is a text.
fn sample(spec: &Value, schema: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(name) = schema["$ref"].as_str() {
        let found = spec.pointer(name.trim_start_matches('#')).cloned().unwrap_or_default();
        return sample(spec, &found, depth + 1);
    }
    for of in ["allOf", "oneOf", "anyOf"] {
        if let Some(first) = schema[of].as_array().and_then(|all| all.iter().find(|s| s["type"] != "null")) {
            return sample(spec, first, depth + 1);
        }
    }
    if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default(),
        other => other.clone(),
    };
    match kind.as_str() {
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([sample(spec, &schema["items"], depth + 1)]),
        Some("object") => {
            let fields = schema["properties"].as_object().cloned().unwrap_or_default();
            let filled = fields.iter().map(|(name, of)| (name.clone(), sample(spec, of, depth + 1)));
            Value::Object(filled.collect::<Map<_, _>>())
        }
        _ => json!(format!("{CANARY} of a text")),
    }
}

/// A path whose parts in braces are canaries.
fn filled(template: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { format!("{CANARY}-part") } else { part.to_owned() };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn request(method: &Method, path: &str, token: &str, body: Option<String>) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("cookie", format!("linewatch_session={CANARY}-session"))
        .header("user-agent", format!("{CANARY}-agent"))
        .header("idempotency-key", format!("{CANARY}-key"));
    match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body)).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

/// An answer that says that something failed inside says nothing else.
fn check(what: &str, answer: &TestAnswer, token: &str) {
    assert!(!answer.text.contains(token), "{what} answers with the token: {}", answer.text);
    if answer.status.is_server_error() {
        assert!(!answer.text.contains(CANARY), "{what}: {}", answer.text);
    }
}

async fn every_route(desk: &TestDesk) -> usize {
    let spec = desk.call(None, Method::GET, "/api/v1/openapi.json", None).await.json;
    let (mut calls, forged) = (0, format!("lw_{CANARY}-token"));
    for (method, template, _) in &desk.declared {
        if template == "/events" {
            continue;
        }
        let path = format!("/api/v1{}", filled(template));
        let operation = &spec["paths"][format!("/api/v1{template}")][method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{method} {template} is not described");
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = (!schema.is_null()).then(|| sample(&spec, schema, 0).to_string());
        let bad = body.as_ref().map(|body| format!("{body} {CANARY}"));
        let own = desk.token(Role::Admin);
        for (path, token, body) in [
            (path.clone(), own, body.clone()),
            (path.clone(), own, bad),
            (format!("{path}?{CANARY}=1&limit={CANARY}"), own, body.clone()),
            (path.clone(), forged.as_str(), body),
        ] {
            let answer = desk.send(request(method, &path, token, body)).await;
            check(&format!("{method} {path}"), &answer, token);
            calls += 1;
        }
    }
    calls
}

/// What succeeds, with words of its own in every field.
async fn what_succeeds(desk: &TestDesk) -> Vec<String> {
    let mut secrets = Vec::new();
    for file in [
        format!(
            "code,name,tier,manager,manager_email,contact_name,contact_phone\nbank,{CANARY} Bank,AAA,{CANARY} A,{CANARY}@example.com,{CANARY} Li,{CANARY}1390000\n"
        ),
        "code,customer,site\nL1,bank,HQ\n".to_owned(),
    ] {
        import::bytes(&desk.app.db, &desk.app.packs, file.as_bytes(), false, START).await.unwrap();
    }
    let ask = async |method: Method, path: &str, body: Value, status: StatusCode| {
        let body = (!body.is_null()).then_some(body);
        let answer = desk.call(Some(Role::Admin), method, &format!("/api/v1{path}"), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let user = json!({ "name": CANARY, "role": "noc", "password": format!("{CANARY} password") });
    ask(Method::POST, "/users", user, StatusCode::CREATED).await;
    let token = ask(Method::POST, &format!("/users/{CANARY}/tokens"), Value::Null, StatusCode::CREATED).await;
    secrets.extend(token.json["token"].as_str().map(str::to_owned));
    let enrolment =
        ask(Method::POST, &format!("/agents/{CANARY}/enrolment"), Value::Null, StatusCode::CREATED).await;
    secrets.extend(enrolment.json["token"].as_str().map(str::to_owned));
    let report = json!({ "line": "L1", "channel": "hotline", "reporter": CANARY, "description": CANARY });
    ask(Method::POST, "/faults", report, StatusCode::CREATED).await;
    ask(Method::GET, "/customers/bank", Value::Null, StatusCode::OK).await;
    for password in ["wrong", "password"] {
        let asked = json!({ "user": CANARY, "password": format!("{CANARY} {password}") });
        let answer = desk.call(None, Method::POST, "/api/v1/session", Some(asked)).await;
        assert!(!answer.text.contains(&format!("{CANARY} {password}")), "{}", answer.text);
        let cookie = answer.headers.get("set-cookie").and_then(|value| value.to_str().ok());
        let value = cookie.and_then(|cookie| Some(cookie.split_once('=')?.1.split(';').next()?.to_owned()));
        secrets.extend(value);
    }
    assert_eq!(secrets.len(), 3, "two tokens and a session");
    secrets
}

/// The port for agents: a forged token, a real one that is spent, and what is no message.
async fn agents(desk: &TestDesk, enrolment: &str) {
    for secret in [CANARY.as_bytes().to_vec(), EnrolToken::parse(enrolment).unwrap().secret.to_vec()] {
        let (csr_der, version) = (CANARY.as_bytes().to_vec(), CANARY.to_owned());
        let asked = Enroll { secret, csr_der, version, level: LEVEL };
        let answer = desk.say(CANARY, "/sync/v1/enroll", &asked).await;
        assert!(!answer.status.is_success() && !answer.text.contains(CANARY), "{}", answer.text);
    }
    desk.enrol(CANARY).await;
    for path in
        ["hello", "push", "pull", "tasks", "parts", "chunk", "heartbeat", "renew", "challenge", "prove"]
    {
        let answer = desk.say(CANARY, &format!("/sync/v1/{path}"), &CANARY).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.text);
    }
    // There are two of it.
    let told: HelloAnswer = desk.told(CANARY, "/sync/v1/hello", &hello(LEVEL)).await;
    let (path, body) = ("/sync/v1/heartbeat", wire::encode(&beat()).unwrap());
    for generation in [told.generation.as_ref(), None] {
        desk.clock.advance(31 * SECOND_MS);
        let answer = desk.post_showing(CANARY, path, body.clone(), generation).await;
        assert!(answer.status.is_success(), "{}", answer.text);
    }
    let quarantined = "SELECT COUNT(*) FROM agent WHERE quarantined_at_ms IS NOT NULL";
    assert_eq!(int(&desk.app.db, quarantined).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_people_type_and_nothing_secret_is_logged() {
    both(|db| async move {
        listen();
        let desk = TestDesk::new(db).await;
        tracing::debug!("the ear hears this");
        let secrets = what_succeeds(&desk).await;
        agents(&desk, &secrets[1]).await;
        let calls = every_route(&desk).await;
        assert!(calls > 400, "only {calls} calls");
        let (now, mono) = (desk.app.clock.now(), desk.app.clock.mono());
        desk.app.refusals.write(&desk.app.db, now, mono, true).await.unwrap();
        let heard = heard();
        assert!(heard.contains("the ear hears this") && heard.contains("answered"), "the test hears nothing");
        for word in secrets.iter().map(String::as_str).chain([CANARY, desk.token(Role::Admin)]) {
            let line = heard.lines().find(|line| line.contains(word));
            assert_eq!(line, None, "the log has {word}");
        }
        // What the trail keeps of refusals has none of it either, but the name of who was refused.
        let trail =
            desk.call(Some(Role::Admin), Method::GET, "/api/v1/audit?action=refused&limit=500", None).await;
        let items = trail.json["items"].as_array().unwrap();
        assert!(items.len() > 3, "{}", trail.text);
        for item in items {
            assert!(!item["detail"].to_string().contains(CANARY), "{item}");
        }
    })
    .await;
}
