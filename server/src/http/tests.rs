use std::fmt::Write;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use super::testing::{START, TestDesk};
use super::{Access, extract};
use crate::app::{import, users};
use crate::auth::Role;
use crate::db::{Db, testing};

const PASSWORD: &str = "long enough now";

async fn desk() -> (TestDesk, testing::TestDatabase) {
    let database = testing::sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    (TestDesk::new(db).await, database)
}

/// `/faults/{id}` with something in the place of `{id}`.
fn filled(path: &str) -> String {
    let mut out = String::from("/api/v1");
    for part in path.split('/').skip(1) {
        out.push('/');
        out.push_str(if part.starts_with('{') { "x" } else { part });
    }
    out
}

/// The names under which types stand in the description of the API: two of one name would be described as one.
#[test]
fn each_type_of_the_api_has_a_name_of_its_own() {
    let mut files = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut names = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let described = source.split("ToSchema)]").skip(1).filter_map(|after| {
                let mut words =
                    after.split_whitespace().skip_while(|word| !matches!(*word, "struct" | "enum"));
                words.nth(1).map(|name| name.split(['<', '(', '{']).next().unwrap_or_default().to_owned())
            });
            names.extend(described);
        }
    }
    let all: std::collections::BTreeSet<_> = names.iter().collect();
    let twice: Vec<_> =
        all.iter().filter(|name| names.iter().filter(|other| *other == **name).count() > 1).collect();
    assert!(names.len() > 100 && twice.is_empty(), "{} names; more than once: {twice:?}", names.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_customer_has_the_name_of_a_list() {
    let (desk, _database) = desk().await;
    let lists: Vec<&str> = desk
        .declared
        .iter()
        .filter_map(|(_, path, _)| path.strip_prefix("/customers/"))
        .filter(|rest| !rest.contains(['{', '/']))
        .collect();
    assert!(lists.contains(&"at-risk"), "{lists:?}");
    for list in lists {
        let file = format!("code,name,tier\n{list},Sample,AAA\n");
        let refused = import::bytes(&desk.app.db, &desk.app.packs, file.as_bytes(), false, START).await;
        let reason = refused.unwrap_err().to_string();
        assert!(reason.contains(&format!("/customers/{list}")), "{list}: {reason}");
    }
    // A customer who has had it since before the rule is changed as any other.
    let file = "code,name,tier\nshop,Sample,AAA\n";
    import::bytes(&desk.app.db, &desk.app.packs, file.as_bytes(), false, START).await.unwrap();
    let renamed = |tx: &mut crate::db::Tx<'_>| {
        tx.execute("UPDATE customer SET code = 'at-risk' WHERE code = 'shop'", &[])
    };
    desk.app.db.write(crate::db::Priority::Api, renamed).await.unwrap();
    let file = "code,name,tier\nat-risk,Another name,AAA\n";
    let known = import::bytes(&desk.app.db, &desk.app.packs, file.as_bytes(), false, START).await.unwrap();
    assert_eq!(known.changed, ["at-risk"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_its_role() {
    let (desk, _database) = desk().await;
    let spec = desk.call(None, Method::GET, "/api/v1/openapi.json", None).await.json;
    let mut documented: Vec<String> = Vec::new();
    for (path, item) in spec["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            documented.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    let mut declared: Vec<String> = desk.declared.iter().map(|(m, p, _)| format!("{m} /api/v1{p}")).collect();
    documented.sort();
    declared.sort();
    assert_eq!(documented, declared);
    assert!(declared.len() >= 7, "{declared:?}");
    let mut refused = 0;
    for (method, path, access) in &desk.declared {
        let path = filled(path);
        if *access == Access::Public {
            continue;
        }
        let answer = desk.call(None, method.clone(), &path, None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(answer.json["code"], "unauthenticated");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        for role in Role::ALL.into_iter().filter(|role| !access.allows(*role)) {
            let answer = desk.call(Some(role), method.clone(), &path, None).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} as {role:?}");
            refused += 1;
        }
    }
    let public: Vec<&str> =
        desk.declared.iter().filter(|(_, _, a)| *a == Access::Public).map(|(_, p, _)| p.as_str()).collect();
    let by_provider = ["/session/ways", "/session/single-sign-on", "/session/single-sign-on/return"];
    let signing_in = [&["/session", "/session", "/session/second-factor"][..], &by_provider].concat();
    assert_eq!(public, signing_in, "only signing in and out may be public; {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_role_is_refused() {
    assert!(Access::DESK.allows(Role::Manager) && !Access::NOC.allows(Role::Manager));
    assert!(Role::ALL.into_iter().all(|role| Access::ADMIN.allows(role) == (role == Role::Admin)));
    assert!(Role::ALL.into_iter().all(|role| Access::ANY_ROLE.allows(role)));
}

async fn sign_in(desk: &TestDesk, user: &str, password: &str) -> super::testing::TestAnswer {
    let body = json!({ "user": user, "password": password });
    desk.call(None, Method::POST, "/api/v1/session", Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_and_out() {
    let (desk, _database) = desk().await;
    users::add(&desk.app.db, "ops", Role::Noc, PASSWORD, START).await.unwrap();
    let answer = sign_in(&desk, "ops", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let token = answer.json["token"].clone();
    assert_eq!(answer.json, json!({ "user": "ops", "name": "ops", "role": "noc", "token": token }));
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let value = cookie.split(';').next().unwrap();
    let request = |method: &str, header: Option<(&str, &str)>| {
        let mut request = Request::builder().method(method).uri("/api/v1/session");
        request = request.header("cookie", value).header("host", "desk.test");
        if let Some((name, content)) = header {
            request = request.header(name, content);
        }
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(desk.send(request("GET", None)).await.status, StatusCode::OK);
    for foreign in [None, Some(("origin", "http://evil.test")), Some(("sec-fetch-site", "cross-site"))] {
        let answer = desk.send(request("DELETE", foreign)).await;
        assert_eq!(
            (answer.status, answer.json["code"].as_str()),
            (StatusCode::FORBIDDEN, Some("cross_site"))
        );
    }
    let own = Some(("origin", "http://desk.test"));
    assert_eq!(desk.send(request("DELETE", own)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.send(request("GET", None)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_by_cookie_needs_the_pages_token() {
    let (desk, _database) = desk().await;
    users::add(&desk.app.db, "ops", Role::Noc, PASSWORD, START).await.unwrap();
    let enter = async || {
        let answer = sign_in(&desk, "ops", PASSWORD).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        (cookie, answer.json["token"].as_str().unwrap().to_owned())
    };
    let ((cookie, token), (_, of_another)) = (enter().await, enter().await);
    let call = |method: &str, path: &str, token: Option<&str>| {
        let mut request = Request::builder().method(method).uri(path).header("cookie", &cookie);
        request = request.header("host", "desk.test").header("origin", "http://desk.test");
        if let Some(token) = token {
            request = request.header("x-linewatch-token", token);
        }
        desk.send(request.header("content-type", "application/json").body(Body::from("{}")).unwrap())
    };
    for wrong in [None, Some(""), Some(of_another.as_str())] {
        let answer = call("POST", "/api/v1/faults", wrong).await;
        assert_eq!((answer.status, &answer.json["code"]), (StatusCode::FORBIDDEN, &json!("page_token")));
    }
    let answer = call("POST", "/api/v1/faults", Some(&token)).await;
    assert_eq!(answer.json["code"], "invalid_field", "it is looked at now: {}", answer.text);
    // A page that was loaded anew asks for it; a program has none and needs none.
    assert_eq!(call("GET", "/api/v1/session", None).await.json["token"], json!(token));
    let by_token = desk.call(Some(Role::Noc), Method::GET, "/api/v1/session", None).await;
    assert_eq!(by_token.json["token"], serde_json::Value::Null);
    let answer = desk.call(Some(Role::Noc), Method::POST, "/api/v1/faults", Some(json!({}))).await;
    assert_eq!(answer.json["code"], "invalid_field", "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_browsers_are_told_to_stay_there() {
    let database = testing::sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    let desk = TestDesk::at(db, "https://desk.test").await;
    for path in ["/", "/api/v1/board", "/docs/", "/healthz"] {
        let answer = desk.call(None, Method::GET, path, None).await;
        let sts = answer.headers["strict-transport-security"].to_str().unwrap();
        assert_eq!(sts, "max-age=31536000; includeSubDomains", "{path}");
    }
    let (plain, _database) = self::desk().await;
    let answer = plain.call(None, Method::GET, "/", None).await;
    assert!(!answer.headers.contains_key("strict-transport-security"));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_the_cookie_is_tied_to_the_host() {
    let database = testing::sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    let desk = TestDesk::at(db, "https://desk.test").await;
    users::add(&desk.app.db, "ops", Role::Noc, PASSWORD, START).await.unwrap();
    let answer = sign_in(&desk, "ops", PASSWORD).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-linewatch_session=") && cookie.contains("; Secure"), "{cookie}");
    // Another host of the same domain may set a cookie without that prefix: it is worth nothing.
    let secret = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap().1;
    for (name, status) in
        [("__Host-linewatch_session", StatusCode::OK), ("linewatch_session", StatusCode::UNAUTHORIZED)]
    {
        let request = Request::get("/api/v1/session").header("cookie", format!("{name}={secret}"));
        assert_eq!(desk.send(request.body(Body::empty()).unwrap()).await.status, status, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_and_tells_nothing() {
    let (desk, _database) = desk().await;
    users::add(&desk.app.db, "ops", Role::Noc, PASSWORD, START).await.unwrap();
    let (wrong, nobody) = (sign_in(&desk, "ops", "wrong").await, sign_in(&desk, "nobody", PASSWORD).await);
    assert_eq!((wrong.status, wrong.json), (nobody.status, nobody.json));
    for _ in 1..crate::auth::throttle::ACCOUNT_FAILURES_MAX {
        assert_eq!(sign_in(&desk, "ops", "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    let slowed = sign_in(&desk, "ops", PASSWORD).await;
    assert_eq!(
        (slowed.status, slowed.json["code"].as_str()),
        (StatusCode::TOO_MANY_REQUESTS, Some("too_many_attempts"))
    );
    assert_eq!(slowed.headers["retry-after"], "900");
    desk.clock.advance(crate::auth::throttle::WINDOW_MS);
    assert_eq!(sign_in(&desk, "ops", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_calls_get_one_clear_error() {
    let (desk, _database) = desk().await;
    let cases = [
        ("/api/v1/customers?limit=0", 400, "invalid_parameter"),
        ("/api/v1/customers?limit=501", 400, "invalid_parameter"),
        ("/api/v1/customers?limit=-1", 400, "invalid_parameter"),
        ("/api/v1/customers?cursor=zzz", 400, "invalid_parameter"),
        ("/api/v1/lines?colour=red", 400, "invalid_parameter"),
        ("/api/v1/nothing", 404, "unknown_path"),
    ];
    for (path, status, code) in cases {
        let answer = desk.call(Some(Role::Noc), Method::GET, path, None).await;
        assert_eq!((answer.status.as_u16(), answer.json["code"].as_str()), (status, Some(code)), "{path}");
        assert_eq!(answer.json["type"], format!("urn:linewatch:problem:{code}"));
    }
    let post = |kind: &str, body: String| {
        Request::post("/api/v1/session").header("content-type", kind).body(Body::from(body)).unwrap()
    };
    let large = format!("{{\"user\":\"{}\"}}", "x".repeat(extract::BODY_BYTES_MAX));
    let cases = [
        (post("text/plain", "{}".into()), 415, "not_json"),
        (post("application/json", "{".into()), 400, "bad_json"),
        (post("application/json", large), 413, "body_too_large"),
        (
            post("application/json", "{\"user\":\"a\",\"password\":\"b\",\"x\":1}".into()),
            422,
            "invalid_field",
        ),
    ];
    for (request, status, code) in cases {
        let answer = desk.send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json["code"].as_str()),
            (status, Some(code)),
            "{}",
            answer.text
        );
    }
    let answer = desk.call(Some(Role::Noc), Method::POST, "/api/v1/board", None).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_and_searched() {
    testing::both(|db| async move {
        let desk = TestDesk::new(db).await;
        let mut customers = String::from("code,name,tier\n");
        let mut lines = String::from("code,customer,site\n");
        for n in 0..7 {
            writeln!(customers, "c{n},Sample 客户 {n}%,AAA").unwrap();
            writeln!(lines, "l{n},c{},Site_{n}", n % 2).unwrap();
        }
        for text in [customers, lines] {
            let done =
                crate::app::import::bytes(&desk.app.db, &desk.app.packs, text.as_bytes(), false, START).await;
            done.unwrap();
        }
        let mut codes = Vec::new();
        let mut path = "/api/v1/customers?limit=3".to_owned();
        loop {
            let page = desk.call(Some(Role::Manager), Method::GET, &path, None).await.json;
            codes.extend(
                page["items"].as_array().unwrap().iter().map(|c| c["code"].as_str().unwrap().to_owned()),
            );
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/customers?limit=3&cursor={cursor}");
        }
        assert_eq!(codes, ["c0", "c1", "c2", "c3", "c4", "c5", "c6"]);
        let count = async |path: &str| {
            let answer = desk.call(Some(Role::Technician), Method::GET, path, None).await;
            answer.json["items"].as_array().unwrap_or_else(|| panic!("{path}: {}", answer.text)).len()
        };
        assert_eq!(count("/api/v1/lines?customer=c0").await, 4);
        assert_eq!(count("/api/v1/lines?q=SITE_3").await, 1);
        assert_eq!(count("/api/v1/lines?q=%E5%AE%A2%E6%88%B7").await, 7);
        assert_eq!(count("/api/v1/customers?q=3%25").await, 1);
        assert_eq!(count("/api/v1/customers?q=S%25e").await, 0);
        assert_eq!(count("/api/v1/agents").await, 0);
        let packs = desk.call(Some(Role::Noc), Method::GET, "/api/v1/packs", None).await.json;
        let packs = packs["items"].as_array().unwrap();
        let lines = packs.iter().find(|pack| pack["name"] == "group-line").unwrap();
        assert_eq!(lines["tiers"][0]["name"], "AAA");
        let desk = packs.iter().find(|pack| pack["name"] == "service-desk").unwrap();
        assert_eq!(desk["calendar_covers_until"], "2027-01-01");
        assert_eq!(
            desk["classes"][0]["answer_within"],
            serde_json::json!({ "ms": 900_000, "counts": "always" })
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_can_watch_this_one() {
    super::health::install_metrics();
    let (desk, _database) = desk().await;
    let get = async |path: &str| desk.call(None, Method::GET, path, None).await;
    assert_eq!(get("/healthz").await.text, "ok\n");
    let ready = get("/readyz").await;
    assert_eq!(
        (ready.status, ready.json["engine"].as_bool()),
        (StatusCode::SERVICE_UNAVAILABLE, Some(false))
    );
    desk.app.engine.beat(desk.app.clock.as_ref(), 0);
    assert_eq!(get("/readyz").await.status, StatusCode::OK);
    desk.clock.advance(crate::app::PULSE_LIMIT_MS + 1);
    assert_eq!(get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    get("/api/v1/customers?q=secret").await;
    let metrics = get("/metrics").await.text;
    assert!(metrics.contains("# HELP linewatch_http_requests_total "), "{metrics}");
    assert!(metrics.contains("route=\"/api/v1/customers\"") && !metrics.contains("secret"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_served_with_their_headers() {
    let (desk, _database) = desk().await;
    for path in ["/", "/faults/some-id", "/docs/", "/api/v1/openapi.json"] {
        let answer = desk.call(None, Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let csp = answer.headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"] {
            assert!(csp.contains(part), "{csp}");
        }
        assert!(!csp.contains("unsafe"), "{path}: {csp}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        assert!(answer.headers.contains_key("x-request-id"));
    }
    let docs = desk.call(None, Method::GET, "/docs/swagger-initializer.js", None).await;
    assert!(docs.text.contains("/api/v1/openapi.json"), "{}", docs.text);
    assert_eq!(desk.call(None, Method::GET, "/no-such.js", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_stays_signed_in_and_reads_the_board_alone() {
    let (desk, _database) = desk().await;
    users::add(&desk.app.db, "ops", Role::Admin, PASSWORD, START).await.unwrap();
    let body = json!({ "user": "ops", "password": PASSWORD, "screen": true });
    let answer = desk.call(None, Method::POST, "/api/v1/session", Some(body)).await;
    assert_eq!(answer.json["screen"], true, "{}", answer.text);
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("Max-Age=") && cookie.contains("HttpOnly"), "{cookie}");
    let value = cookie.split(';').next().unwrap().to_owned();
    let call = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header("cookie", &value);
        let request = request.header("host", "desk.test").header("origin", "http://desk.test");
        desk.send(request.body(Body::empty()).unwrap())
    };
    desk.clock.advance(7 * linewatch_shared::time::DAY_MS);
    for path in ["/api/v1/board", "/api/v1/session"] {
        assert_eq!(call("GET", path).await.status, StatusCode::OK, "{path}");
    }
    for (method, path) in
        [("GET", "/api/v1/customers"), ("GET", "/api/v1/faults"), ("POST", "/api/v1/faults")]
    {
        let answer = call(method, path).await;
        assert_eq!(
            (answer.status, &answer.json["code"]),
            (StatusCode::FORBIDDEN, &json!("screen")),
            "{path}"
        );
    }
    assert_eq!(call("DELETE", "/api/v1/session").await.status, StatusCode::NO_CONTENT);
    assert_eq!(call("GET", "/api/v1/board").await.status, StatusCode::UNAUTHORIZED);
}
