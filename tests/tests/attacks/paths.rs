//! Paths that want out of where they belong.

use anyhow::ensure;

use crate::desk::{both, one};
use crate::raw::get;

/// What only files outside of the board hold.
const OUTSIDE: [&str; 4] = ["root:x:0", "data_dir", "PRIVATE KEY", "[package]"];

#[test]
fn no_path_leads_out_of_the_boards_files() {
    one("", |_, desk| {
        let host = desk.server.http;
        let (_, page) = get(host, "/")?;
        let body =
            |answer: &str| answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned());
        for path in [
            "/../../../../../../etc/passwd",
            "/..%2f..%2f..%2f..%2fetc%2fpasswd",
            "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "/%252e%252e/%252e%252e/etc/passwd",
            "/assets/../../Cargo.toml",
            "/assets/..%2f..%2fCargo.toml",
            "/assets/..%5c..%5cCargo.toml",
            "/assets/%2e%2e%2f%2e%2e%2fCargo.toml",
            "//etc/passwd",
            "///etc/passwd",
            "/etc/passwd%00.js",
            "/assets/index.js%00",
            "/docs/../../Cargo.toml",
            "/docs/..%2f..%2fCargo.toml",
            "/docs/%2e%2e/%2e%2e/Cargo.toml",
            "/./././etc/passwd",
            "/.git/config",
            "/.env",
            "file:///etc/passwd",
            "/api/v1/../../etc/passwd",
            "/survey/..%2f..%2fetc%2fpasswd",
            "/a/..%2f..%2fetc%2fpasswd",
        ] {
            let (status, answer) = get(host, path)?;
            ensure!((200..500).contains(&status), "{path}: {answer}");
            ensure!(!OUTSIDE.iter().any(|word| answer.contains(word)), "{path}: {answer}");
            // What is no file is the board itself, whatever it is called, or a refusal.
            ensure!(status >= 400 || body(&answer) == body(&page), "{path}: {status} {answer}");
        }
        desk.in_trail("unknown_path")
    });
}

#[test]
fn parameters_in_paths_are_looked_up_and_nothing_else() {
    both("", |_, desk| {
        desk.fault("L-OURS")?;
        for parameter in [
            "..%2f..%2fhead",
            "%2e%2e%2fL-OURS",
            "L-OURS%00",
            "L-OURS%2f..",
            "%00",
            "%ff%fe",
            "..",
            "%20",
            "L-OURS%0d%0aSet-Cookie:%20x=1",
        ] {
            desk.unchanged(parameter, || {
                for list in ["lines", "customers", "faults", "visits", "matters", "sites", "export", "papers"]
                {
                    let path = format!("/api/v1/{list}/{parameter}");
                    let answer = desk.admin.get(&path)?;
                    ensure!((200..500).contains(&answer.status), "{path}: {answer:?}");
                    ensure!(answer.body["code"] != "internal", "{path}: {answer:?}");
                }
                Ok(())
            })?;
        }
        Ok(())
    });
}

#[test]
fn other_methods_and_hidden_things_are_not_there() {
    one("", |_, desk| {
        let host = desk.server.http;
        let token = desk.server.run(&["user", "token", "head"], "")?.ok()?;
        for method in ["TRACE", "CONNECT", "PROPFIND", "DEBUG", "PUT", "DELETE"] {
            let request = format!(
                "{method} /api/v1/board HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
                token.trim()
            );
            let answer = crate::raw::send(host, request.as_bytes())?;
            let status = crate::raw::status(&answer);
            ensure!(status == 405, "{method}: {answer}");
        }
        desk.in_trail("method_not_allowed")
    });
}
