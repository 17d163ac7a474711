//! Slow callers and many callers: others do not notice them.

use std::io::{Read, Write};
use std::time::Duration;

use anyhow::ensure;
use linewatch_tests::harness::{eventually, mono_ms};

use crate::desk::one;
use crate::raw::{connect, rest, send, status};

/// Impatient enough for a test.
const IMPATIENT: &str = "limits.patience = \"1s\"\n";

#[test]
fn a_head_that_never_ends_is_cut_off() {
    one(IMPATIENT, |_, desk| {
        let began_ms = mono_ms();
        let mut stream = connect(desk.server.http)?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")?;
        // A byte now and then keeps it awake, and does not help it.
        let closed = eventually(Duration::from_secs(15), "the slow head is cut off", || {
            std::thread::sleep(Duration::from_millis(100));
            let gone = stream.write_all(b"X").is_err();
            stream.set_read_timeout(Some(Duration::from_millis(10)))?;
            let ended = matches!(stream.read(&mut [0; 256]), Ok(0));
            Ok((gone || ended).then_some(()))
        });
        ensure!(closed.is_ok(), "still open after {} ms", mono_ms() - began_ms);
        desk.in_trail("slow_head")
    });
}

#[test]
fn a_body_that_never_ends_is_cut_off() {
    one(IMPATIENT, |_, desk| {
        let form = "application/x-www-form-urlencoded";
        for (path, media) in [("/api/v1/session", "application/json"), ("/survey/some", form)] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {media}\r\nContent-Length: 1000\r\n\r\n{{",
                desk.server.http
            );
            let answer = desk.unchanged(path, || {
                let mut stream = connect(desk.server.http)?;
                stream.write_all(head.as_bytes())?;
                rest(&mut stream)
            })?;
            ensure!(status(&answer) == 408 && answer.contains("too_slow"), "{path}: {answer}");
        }
        desk.in_trail("too_slow")
    });
}

#[test]
fn large_heads_are_refused() {
    one("", |_, desk| {
        let host = desk.server.http;
        let many = (0..90).map(|n| format!("X-{n}: 1\r\n")).collect::<Vec<_>>().concat();
        let long = format!("X-Long: {}\r\n", "y".repeat(30_000));
        let huge = format!("X-Huge: {}\r\n", "y".repeat(2_000_000));
        for (what, headers, statuses) in [
            ("many headers", many, [431, 431]),
            ("a long header", long, [431, 431]),
            ("a huge header", huge, [431, 0]),
        ] {
            let head = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
            let answer = send(host, head.as_bytes())?;
            ensure!(statuses.contains(&status(&answer)), "{what}: {answer}");
        }
        let line =
            format!("GET /{} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", "y".repeat(10_000));
        let answer = send(host, line.as_bytes())?;
        ensure!(status(&answer) == 414, "a long address: {answer}");
        desk.in_trail("headers_too_large")?;
        desk.in_trail("uri_too_long")
    });
}

#[test]
fn requests_are_not_smuggled() {
    one("", |_, desk| {
        let host = desk.server.http;
        let hidden = "GET /api/v1/board HTTP/1.1\r\nHost: x\r\n\r\n";
        for (what, head) in [
            ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n".to_owned()),
            ("a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n".to_owned()),
            ("an unknown coding", "Transfer-Encoding: xchunked\r\n".to_owned()),
            ("a length that is none", "Content-Length: +5\r\n".to_owned()),
            ("a line broken in a header", "X-A: b\r\n c: d\r\n".to_owned()),
        ] {
            let request = format!(
                "POST /api/v1/session HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\n\
                 {head}\r\n0\r\n\r\n{hidden}"
            );
            let answer = desk.unchanged(what, || send(host, request.as_bytes()))?;
            ensure!((400..500).contains(&status(&answer)), "{what}: {answer}");
            ensure!(answer.matches("HTTP/1.1 ").count() <= 1, "{what}: answered twice: {answer}");
        }
        desk.in_trail("unreadable_head")
    });
}

#[test]
fn many_idle_connections_of_one_address_leave_room() {
    one("limits.connections_per_address = 40\nlimits.patience = \"2s\"\n", |_, desk| {
        let mut open = Vec::new();
        for _ in 0..80 {
            open.push(connect(desk.server.http)?);
        }
        // Those over the bound are closed at once; the others when they have said nothing for too long.
        let closed = |stream: &mut std::net::TcpStream| {
            stream.set_read_timeout(Some(Duration::from_millis(20)))?;
            anyhow::Ok(matches!(stream.read(&mut [0; 16]), Ok(0)))
        };
        eventually(Duration::from_secs(15), "the idle ones are closed", || {
            let mut left = Vec::new();
            for mut stream in open.drain(..) {
                if !closed(&mut stream)? {
                    left.push(stream);
                }
            }
            open = left;
            Ok(open.is_empty().then_some(()))
        })?;
        ensure!(desk.noc.get("/api/v1/board")?.status == 200, "nobody gets in any more");
        desk.in_trail("too_many_connections")
    });
}

#[test]
fn guessing_passwords_is_slowed() {
    one("", |_, desk| {
        let body = r#"{"user":"desk","password":"a wrong password 1"}"#;
        let head = format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            desk.server.http,
            body.len()
        );
        let mut statuses = Vec::new();
        for _ in 0..15 {
            statuses.push(status(&send(desk.server.http, head.as_bytes())?));
        }
        ensure!(statuses.first() == Some(&401) && statuses.last() == Some(&429), "{statuses:?}");
        desk.in_trail("bad_credentials")?;
        desk.in_trail("too_many_attempts")
    });
}

#[test]
fn nested_and_packed_bodies_are_refused() {
    one("", |_, desk| {
        let nested = [vec![b'['; 200_000], vec![b']'; 200_000]].concat();
        let objects = format!("{}0{}", "{\"line\":".repeat(50_000), "}".repeat(50_000));
        for (what, body) in [("nested lists", nested), ("nested objects", objects.into_bytes())] {
            let answer = desk.unchanged(what, || desk.noc.post_bytes("/api/v1/faults", body))?;
            ensure!([400, 422].contains(&answer.status), "{what}: {answer:?}");
        }
        desk.in_trail("invalid_field")?;
        // Nothing is unpacked on the way in: packed bytes are no JSON.
        let gzip = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let head = format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            desk.server.http,
            gzip.len()
        );
        let answer = desk.unchanged("a packed body", || {
            send(desk.server.http, &[head.as_bytes(), gzip.as_slice()].concat())
        })?;
        ensure!([400, 415].contains(&status(&answer)), "a packed body: {answer}");
        Ok(())
    });
}
