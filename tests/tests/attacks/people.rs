//! Attacks with what people have: tokens, sessions, keys of writes.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_server::auth::totp;
use linewatch_tests::harness::{Answer, Api, block_on, now};
use reqwest::Method;
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::{Value, json};

use crate::desk::{Desk, PASSWORD, both, refused};

/// A browser, as far as it matters: it sends what it is told to.
struct Browser {
    http: reqwest::Client,
    base: String,
}

/// A call with headers.
struct Call<'a> {
    method: Method,
    path: &'a str,
    headers: Vec<(&'a str, String)>,
    body: Value,
}

impl Browser {
    fn new(desk: &Desk) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?;
        Ok(Self { http, base: format!("http://{}", desk.server.http) })
    }

    fn call(&self, call: Call<'_>) -> Result<(Answer, HeaderMap)> {
        let mut request = self.http.request(call.method, format!("{}/api/v1{}", self.base, call.path));
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if !call.body.is_null() {
            request = request.json(&call.body);
        }
        block_on(async {
            let answer = request.send().await?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null);
            Ok((Answer { status, body }, headers))
        })
    }

    /// Signs in; answers the cookie.
    fn sign_in(&self, user: &str, headers: Vec<(&str, String)>) -> Result<String> {
        let body = json!({ "user": user, "password": PASSWORD });
        let (answer, headers) = self.call(Call { method: Method::POST, path: "/session", headers, body })?;
        answer.expect(200)?;
        cookie_in(&headers)
    }

    /// Writes without a cookie.
    fn post(&self, path: &str, body: Value) -> Result<(Answer, HeaderMap)> {
        self.call(Call { method: Method::POST, path, headers: Vec::new(), body })
    }

    fn who(&self, cookie: &str) -> Result<Answer> {
        let headers = vec![("cookie", cookie.to_owned())];
        Ok(self.call(Call { method: Method::GET, path: "/session", headers, body: Value::Null })?.0)
    }
}

fn cookie_in(headers: &HeaderMap) -> Result<String> {
    let set = headers.get(SET_COOKIE).context("no cookie")?.to_str()?;
    Ok(set.split(';').next().unwrap_or_default().to_owned())
}

fn report() -> Value {
    json!({ "line": "L-OURS", "channel": "noc", "description": "forged" })
}

#[test]
fn a_stolen_credential_ends_with_its_user() {
    both("", |_, desk| {
        let stolen = desk.server.user("leaver", "noc", PASSWORD)?;
        stolen.get("/api/v1/board")?.expect(200)?;
        let browser = Browser::new(desk)?;
        let cookie = browser.sign_in("leaver", Vec::new())?;
        ensure!(browser.who(&cookie)?.status == 200);
        desk.server.run(&["user", "disable", "leaver"], "")?.ok()?;
        desk.settled()?;
        desk.unchanged("a stolen token", || {
            refused(&stolen.get("/api/v1/board")?, 401, "unauthenticated")?;
            refused(&stolen.post("/api/v1/faults", &report())?, 401, "unauthenticated")
        })?;
        desk.in_trail("unauthenticated")?;
        desk.unchanged("a stolen session", || {
            ensure!(browser.who(&cookie)?.status == 401, "the session lives on");
            Ok(())
        })
    });
}

#[test]
fn tokens_are_not_guessed_and_not_half_believed() {
    both("", |_, desk| {
        let base = format!("http://{}", desk.server.http);
        for wrong in ["x", "' OR '1'='1", "lw_", &"0".repeat(64), &"é".repeat(40)] {
            let Ok(answer) = Api::new(&base, wrong)?.get("/api/v1/board") else { continue };
            ensure!(answer.status == 401, "{wrong}: {answer:?}");
        }
        // A session's secret is no token, and a token no session.
        let browser = Browser::new(desk)?;
        let cookie = browser.sign_in("desk", Vec::new())?;
        let secret = cookie.split_once('=').context("cookie")?.1;
        refused(&Api::new(&base, secret)?.get("/api/v1/board")?, 401, "unauthenticated")
    });
}

#[test]
fn a_session_is_never_one_that_somebody_else_chose() {
    both("", |_, desk| {
        let browser = Browser::new(desk)?;
        let mine = browser.sign_in("desk", Vec::new())?;
        let name = mine.split('=').next().context("cookie")?;
        let planted = format!("{name}={}", "a".repeat(43));
        desk.settled()?;
        let got = browser.sign_in("desk", vec![("cookie", planted.clone())])?;
        ensure!(got != planted, "the planted secret became the session's");
        ensure!(got != mine, "two sign-ins have one secret");
        ensure!(browser.who(&planted)?.status == 401, "the planted secret lets in");
        // An earlier session of the same browser is not taken over either.
        let again = browser.sign_in("desk", vec![("cookie", mine.clone())])?;
        ensure!(again != mine, "signing in again kept the secret");
        Ok(())
    });
}

#[test]
fn a_write_by_another_site_is_refused() {
    both("", |_, desk| {
        let browser = Browser::new(desk)?;
        let cookie = browser.sign_in("desk", Vec::new())?;
        desk.settled()?;
        let own = format!("http://{}", desk.server.http);
        let ways: [(&str, Vec<(&str, String)>); 7] = [
            ("nothing says where from", vec![]),
            ("another site", vec![("origin", "https://evil.example".to_owned())]),
            ("no site", vec![("origin", "null".to_owned())]),
            ("a longer name", vec![("origin", format!("{own}.evil.example"))]),
            ("another port", vec![("origin", "http://127.0.0.1:1".to_owned())]),
            ("a neighbour", vec![("origin", own.clone()), ("sec-fetch-site", "same-site".to_owned())]),
            ("across sites", vec![("origin", own.clone()), ("sec-fetch-site", "cross-site".to_owned())]),
        ];
        for (what, mut headers) in ways {
            headers.push(("cookie", cookie.clone()));
            let call = Call { method: Method::POST, path: "/faults", headers, body: report() };
            let answer = desk.unchanged(what, || Ok(browser.call(call)?.0))?;
            refused(&answer, 403, "cross_site").context(what)?;
        }
        // From our own origin, but not from our page, which knows the token.
        let foreign_token = "0".repeat(64);
        for token in [None, Some(&foreign_token)] {
            let mut headers = vec![("cookie", cookie.clone()), ("origin", own.clone())];
            headers.extend(token.map(|token| ("x-linewatch-token", token.clone())));
            let call = Call { method: Method::POST, path: "/faults", headers, body: report() };
            let answer = desk.unchanged("without the token", || Ok(browser.call(call)?.0))?;
            refused(&answer, 403, "page_token")?;
        }
        desk.in_trail("cross_site")?;
        desk.in_trail("page_token")?;
        // A form's body is no JSON, whoever sends it.
        let plain =
            vec![("cookie", cookie.clone()), ("content-type", "text/plain".to_owned()), ("origin", own)];
        let call = Call { method: Method::POST, path: "/faults", headers: plain, body: Value::Null };
        let answer = desk.unchanged("a form", || Ok(browser.call(call)?.0))?;
        ensure!([403, 415].contains(&answer.status), "{answer:?}");
        Ok(())
    });
}

#[test]
fn a_key_of_anothers_write_gives_nothing_away() {
    both("", |_, desk| {
        let browser = Browser::new(desk)?;
        let token = |name: &str| desk.server.run(&["user", "token", name], "")?.ok();
        let (first, second) = (token("desk")?, token("head")?);
        let write = |token: &str, body: Value| {
            let headers = vec![
                ("authorization", format!("Bearer {}", token.trim())),
                ("idempotency-key", "key-1".to_owned()),
            ];
            Ok::<_, anyhow::Error>(
                browser.call(Call { method: Method::POST, path: "/faults", headers, body })?.0,
            )
        };
        let done = write(&first, report())?.expect(201)?;
        desk.settled()?;
        // Somebody else with the same key gets an answer of their own: here, that the report joins.
        let other = write(&second, report())?;
        ensure!(other.status == 200, "the first one's answer came back: {other:?}");
        // The same person with another body is told so, and nothing is done.
        let changed = json!({ "line": "L-THEIRS", "channel": "noc" });
        desk.settled()?;
        let answer = desk.unchanged("a replayed key", || write(&first, changed))?;
        refused(&answer, 422, "idempotency_mismatch")?;
        desk.in_trail("idempotency_mismatch")?;
        let again = desk.unchanged("a repeated write", || write(&first, report()))?;
        ensure!(again.status == 201 && again.body["id"] == done["id"], "{again:?}");
        Ok(())
    });
}

/// The bytes of a text in base 32.
fn unbase32(text: &str) -> Vec<u8> {
    let digit = |c: u8| if c.is_ascii_digit() { c - b'2' + 26 } else { c - b'A' };
    let bits: Vec<u8> = text.bytes().flat_map(|c| (0..5).rev().map(move |bit| digit(c) >> bit & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit)).collect()
}

#[test]
fn a_code_that_was_seen_is_worth_nothing() {
    both("", |_, desk| {
        let browser = Browser::new(desk)?;
        let password = json!({ "user": "desk", "password": PASSWORD });
        let (session, headers) = browser.post("/session", password.clone())?;
        let own = vec![
            ("cookie", cookie_in(&headers)?),
            ("origin", format!("http://{}", desk.server.http)),
            ("x-linewatch-token", session.body["token"].as_str().context("token")?.to_owned()),
        ];
        let write = |path: &str, body: Value| {
            Ok::<_, anyhow::Error>(
                browser.call(Call { method: Method::POST, path, headers: own.clone(), body })?.0,
            )
        };
        let setup = write("/account/second-factor", json!({ "password": PASSWORD }))?.expect(201)?;
        let secret = unbase32(setup["secret"].as_str().context("secret")?);
        let code = |steps: i64| totp::code(&secret, now() + steps * 30_000);
        let seen = code(0);
        write("/account/second-factor/confirm", json!({ "code": seen }))?.expect(200)?;
        let prove = |code: &str| {
            let first = browser.post("/session", password.clone())?.0;
            let pending = first.body["pending"].clone();
            ensure!(
                pending.is_string() && first.body["user"].is_null(),
                "the password alone lets in: {first:?}"
            );
            browser.post("/session/second-factor", json!({ "pending": pending, "code": code }))
        };
        desk.settled()?;
        for wrong in [seen.as_str(), "000000", "", "' OR '1'='1"] {
            let answer = desk.unchanged("a code of before", || Ok(prove(wrong)?.0))?;
            ensure!((400..500).contains(&answer.status), "{wrong}: {answer:?}");
        }
        desk.in_trail("bad_second_factor")?;
        // The next one lets in, once.
        let next = code(1);
        prove(&next)?.0.expect(200)?;
        desk.settled()?;
        let again = desk.unchanged("a code sent again", || Ok(prove(&next)?.0))?;
        refused(&again, 401, "bad_second_factor")
    });
}

#[test]
fn what_is_anothers_is_not_there() {
    both("", |_, desk| {
        let run = |args: &[&str], input: &str| desk.server.run(args, input)?.ok();
        run(&["user", "add", "outsider", "--role", "technician"], PASSWORD)?;
        run(&["user", "scope", "outsider", "--customer", "OURS"], "")?;
        let token = run(&["user", "token", "outsider"], "")?;
        let outsider = Api::new(&format!("http://{}", desk.server.http), token.trim())?;
        let (own, foreign) = (desk.fault("L-OURS")?, desk.fault("L-THEIRS")?);
        let complaint =
            json!({ "kind": "complaint", "class": "important", "customer": "THEIRS", "title": "sample" });
        let matter = desk.noc.post("/api/v1/matters", &complaint)?.expect(201)?;
        let matter = matter["id"].as_str().context("id")?;
        outsider.get(&format!("/api/v1/faults/{own}"))?.expect(200)?;
        desk.settled()?;
        let fact = json!({ "kind": "restored" });
        desk.unchanged("ids that were guessed", || {
            for (path, body, code) in [
                (format!("faults/{foreign}"), None, "unknown_fault"),
                (format!("faults/{foreign}/facts"), Some(&fact), "unknown_fault"),
                (format!("matters/{matter}"), None, "unknown_matter"),
                (
                    format!("matters/{matter}/facts"),
                    Some(&json!({ "kind": "note", "text": "x" })),
                    "unknown_matter",
                ),
                ("lines/L-THEIRS".to_owned(), None, "unknown_line"),
                (
                    "faults".to_owned(),
                    Some(&json!({ "line": "L-THEIRS", "channel": "technician" })),
                    "unknown_line",
                ),
            ] {
                let path = format!("/api/v1/{path}");
                let answer = body.map_or_else(|| outsider.get(&path), |body| outsider.post(&path, body))?;
                refused(&answer, 404, code).context(path)?;
            }
            for path in ["customers", "customers/THEIRS", "agents", "audit", "users", "export/customers"] {
                let answer = outsider.get(&format!("/api/v1/{path}"))?;
                let told = format!("{answer:?}");
                ensure!(
                    [403, 404].contains(&answer.status) || !told.contains("THEIRS"),
                    "{path}: {answer:?}"
                );
            }
            let board = outsider.get("/api/v1/board")?.expect(200)?.to_string();
            ensure!(board.contains(&own) && !board.contains("THEIRS"), "{board}");
            Ok(())
        })?;
        for code in ["unknown_fault", "unknown_matter", "unknown_line"] {
            desk.in_trail(code)?;
        }
        Ok(())
    });
}
