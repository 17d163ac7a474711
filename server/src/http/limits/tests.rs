use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::http::Method;
use futures::stream;

use super::*;
use crate::auth::Role;
use crate::db::Db;
use crate::db::testing::{TestDatabase, sqlite};
use crate::http::testing::{TestAnswer, TestDesk};

const SETTINGS: &str = "[http]\ntrusted_proxies = [\"192.0.2.1\"]\n[limits]\nrequests_per_address = 5\nrequests_per_user = 4\n\
    streams_per_user = 1\npatience = \"200ms\"\nrequests_per_agent = 3\nstrangers_per_address = 2\n";

async fn desk() -> (TestDesk, TestDatabase) {
    let database = sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    (TestDesk::with(db, "http://desk.test", SETTINGS).await, database)
}

fn is(answer: &TestAnswer, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.json["code"].as_str()),
        (status, Some(code)),
        "{}",
        answer.text
    );
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let may_try_again = [408, 429, 503].contains(&status);
    assert_eq!(answer.headers.contains_key("retry-after"), may_try_again, "{status}");
}

fn get(path: &str) -> axum::http::request::Builder {
    Request::get(path)
}

async fn from(desk: &TestDesk, address: &str, forwarded: Option<&str>) -> TestAnswer {
    let mut request = get("/healthz");
    if let Some(forwarded) = forwarded {
        request = request.header("x-forwarded-for", forwarded);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let address: SocketAddr = format!("{address}:1").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(Peer { address, certificate: None }));
    desk.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_requests_a_minute() {
    let (desk, _database) = desk().await;
    for _ in 0..5 {
        assert_eq!(from(&desk, "203.0.113.1", None).await.status, StatusCode::OK);
    }
    is(&from(&desk, "203.0.113.1", None).await, 429, "too_many_requests");
    // Its own word about where it comes from does not help it.
    is(&from(&desk, "203.0.113.1", Some("203.0.113.77")).await, 429, "too_many_requests");
    // Nor does it hinder others, also behind a proxy that is trusted.
    assert_eq!(from(&desk, "203.0.113.2", None).await.status, StatusCode::OK);
    for n in 0..20 {
        let forwarded = format!("198.51.100.{n}");
        assert_eq!(from(&desk, "192.0.2.1", Some(&forwarded)).await.status, StatusCode::OK);
    }
    is(&from(&desk, "192.0.2.1", Some("203.0.113.1")).await, 429, "too_many_requests");
    desk.clock.advance(60_000);
    assert_eq!(from(&desk, "203.0.113.1", None).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_so_many_requests_a_minute_and_so_many_streams() {
    let (desk, _database) = desk().await;
    let read = |role, path| desk.call(Some(role), Method::GET, path, None);
    for _ in 0..4 {
        assert_eq!(read(Role::Noc, "/api/v1/session").await.status, StatusCode::OK);
    }
    is(&read(Role::Noc, "/api/v1/session").await, 429, "too_many_requests");
    assert_eq!(read(Role::Admin, "/api/v1/session").await.status, StatusCode::OK);

    let gate = Gate::new(&desk.app, Side::Desk);
    let open = || Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let first = gate.stream("a", || Response::new(open())).unwrap();
    assert_eq!(gate.stream("a", || Response::new(open())).unwrap_err().code(), "too_many_streams");
    gate.stream("b", || Response::new(open())).unwrap();
    drop(first);
    gate.stream("a", || Response::new(open())).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_counted_by_their_certificate_and_strangers_by_address() {
    let (desk, _database) = desk().await;
    for agent in ["a", "b", "c"] {
        desk.enrol(agent).await;
        for _ in 0..3 {
            let answer = desk.say(agent, "/sync/v1/nothing", &0).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
        }
        is(&desk.say(agent, "/sync/v1/nothing", &0).await, 429, "too_many_requests");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_have_bounds() {
    let (desk, _database) = desk().await;
    let long = get(&format!("/api/v1/board?x={}", "y".repeat(URI_BYTES_MAX)));
    is(&desk.send(long.body(Body::empty()).unwrap()).await, 414, "uri_too_long");
    for path in ["/api/v1/lines/L%00", "/api/v1/lines?q=%00"] {
        is(&desk.send(get(path).body(Body::empty()).unwrap()).await, 400, "nul_in_address");
    }
    let mut many = get("/healthz");
    for n in 0..=HEADERS_MAX {
        many = many.header(format!("x-{n}"), "1");
    }
    is(&desk.send(many.body(Body::empty()).unwrap()).await, 431, "headers_too_large");
    let large = get("/healthz").header("x-large", "y".repeat(HEADER_BYTES_MAX));
    is(&desk.send(large.body(Body::empty()).unwrap()).await, 431, "headers_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_neither_too_large_nor_too_slow() {
    let (desk, _database) = desk().await;
    let sign_in = || Request::post("/api/v1/session").header("content-type", "application/json");
    let large = "x".repeat(17 * 1024);
    let declared = sign_in().header("content-length", large.len()).body(Body::from(large.clone()));
    is(&desk.send(declared.unwrap()).await, 413, "body_too_large");
    let parts = stream::iter(
        large
            .into_bytes()
            .chunks(1024)
            .map(|part| Ok::<_, std::io::Error>(part.to_vec()))
            .collect::<Vec<_>>(),
    );
    is(&desk.send(sign_in().body(Body::from_stream(parts)).unwrap()).await, 413, "body_too_large");
    let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    is(&desk.send(sign_in().body(silent).unwrap()).await, 408, "too_slow");
}
