//! The command line as a script meets it: real processes, exit codes, what goes where.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "data_dir = {:?}\n{more}\n[http]\nlisten = \"127.0.0.1:0\"\n[sync]\nlisten = \"127.0.0.1:0\"\n",
            folder.path().join("data").display()
        );
        std::fs::write(folder.path().join("server.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linewatch-server"));
        command.arg("--config").arg(self.path("server.toml")).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str], input: &str) -> (i32, String, String) {
        let mut child = self.command(args).spawn().unwrap();
        // A command that does not read it may be gone already.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn ok(&self, args: &[&str], input: &str) -> String {
        let (code, out, err) = self.run(args, input);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}: {out}");
        out
    }

    fn refused(&self, args: &[&str], input: &str) -> (String, String) {
        let (code, out, err) = self.run(args, input);
        assert_eq!(code, 1, "{args:?}: {out}{err}");
        assert_eq!(err.lines().count(), 1, "{args:?}: {err}");
        (out, err)
    }
}

#[test]
fn users() {
    let desk = Desk::new("");
    desk.ok(&["user", "add", "ops", "--role", "noc"], "long enough now\n");
    let (_, short) = desk.refused(&["user", "add", "x", "--role", "noc"], "short\n");
    assert!(short.contains("at least 12 characters"), "{short}");
    let (_, none) = desk.refused(&["user", "add", "x", "--role", "noc"], "");
    assert!(none.contains("standard input"), "{none}");
    let (_, twice) = desk.refused(&["user", "add", "ops", "--role", "noc"], "long enough now\n");
    assert_eq!(twice, "linewatch-server: there is already a user called \"ops\"\n");
    assert_eq!(desk.run(&["user", "add", "x", "--role", "boss"], "").0, 2);
    let token = desk.ok(&["user", "token", "ops"], "");
    assert!(token.starts_with("lw_") && token.lines().count() == 1 && !token.trim().contains(' '), "{token}");
    let all: serde_json::Value = serde_json::from_str(&desk.ok(&["user", "list", "--json"], "")).unwrap();
    assert_eq!((all[0]["name"].as_str(), all[0]["tokens"].as_i64()), (Some("ops"), Some(1)));
    assert!(desk.ok(&["user", "list"], "").contains("ops"));
    desk.ok(&["user", "disable", "ops"], "");
    desk.refused(&["user", "token", "ops"], "");
    desk.refused(&["user", "token", "nobody"], "");
    desk.ok(&["user", "reset", "ops"], "long enough too\n");
}

#[test]
fn what_a_user_is_given_to_see() {
    let desk = Desk::new("");
    std::fs::write(desk.path("customers.csv"), "code,name,tier,region\nbank,Sample Bank,AAA,north\n")
        .unwrap();
    desk.ok(&["import", &desk.path("customers.csv")], "");
    desk.ok(&["user", "add", "ops", "--role", "noc"], "long enough now\n");
    let args =
        ["user", "scope", "ops", "--region", "north", "--region", "south", "--customer", "bank", "--json"];
    let given: serde_json::Value = serde_json::from_str(&desk.ok(&args, "")).unwrap();
    let expected = serde_json::json!({ "persons": [], "regions": ["north", "south"], "customers": ["bank"] });
    assert_eq!(given, expected);
    assert!(desk.ok(&["user", "list"], "").contains("region north, region south, customer bank"));
    let all: serde_json::Value = serde_json::from_str(&desk.ok(&["user", "list", "--json"], "")).unwrap();
    assert_eq!(all[0]["given"], expected);
    desk.refused(&["user", "scope", "ops", "--customer", "nobody"], "");
    desk.refused(&["user", "scope", "nobody"], "");
    assert_eq!(desk.run(&["user", "scope", "ops", "--none", "--region", "north"], "").0, 2);
    assert_eq!(desk.ok(&["user", "scope", "ops", "--none"], "").trim(), "ops: nothing");
    let trail = desk.ok(&["audit", "export", "-"], "");
    assert!(trail.contains("scope given"), "{trail}");
}

#[test]
fn agents() {
    let desk = Desk::new("");
    let token = desk.ok(&["agent", "token", "site-1"], "");
    let parsed = linewatch_shared::enrol_token::EnrolToken::parse(&token).unwrap();
    assert_eq!(parsed.name, "site-1");
    let all: serde_json::Value = serde_json::from_str(&desk.ok(&["agent", "list", "--json"], "")).unwrap();
    assert_eq!((all[0]["name"].as_str(), all[0]["state"].as_str()), (Some("site-1"), Some("known")));
    desk.ok(&["user", "add", "tech-1", "--role", "technician"], "long enough now\n");
    let change = ["agent", "people", "site-1", "--add", "tech-1", "--json"];
    let people: serde_json::Value = serde_json::from_str(&desk.ok(&change, "")).unwrap();
    assert_eq!(people, serde_json::json!([{ "name": "tech-1", "role": "technician", "enabled": true }]));
    desk.refused(&["agent", "people", "site-1", "--add", "nobody"], "");
    desk.refused(&["agent", "people", "site-9"], "");
    assert!(desk.ok(&["agent", "people", "site-1"], "").contains("tech-1"));
    assert!(!desk.ok(&["agent", "people", "site-1", "--remove", "tech-1"], "").contains("tech-1"));
    desk.ok(&["agent", "revoke", "site-1"], "");
    desk.refused(&["agent", "revoke", "nobody"], "");
}

#[test]
fn imports_and_backups() {
    let desk = Desk::new("");
    let file = desk.path("customers.csv");
    std::fs::write(&file, "code,name,tier\nbank,Sample Bank,AAA\nmill,Sample Mill,BBB\n").unwrap();
    let (out, err) = desk.refused(&["import", &file], "");
    assert!(out.contains("line 3, tier: \"BBB\" is not a tier"), "{out}");
    assert!(err.contains("1 mistake") && err.contains("nothing was imported"), "{err}");
    let (out, _) = desk.refused(&["import", &file, "--json"], "");
    let mistakes: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(mistakes["mistakes"][0]["line"], 3);
    std::fs::write(&file, "code,name,tier\nbank,Sample Bank,AAA\n").unwrap();
    assert!(desk.ok(&["import", &file, "--dry-run"], "").contains("would be created: bank"));
    assert!(desk.ok(&["import", &file], "").contains("1 created"));
    assert!(desk.ok(&["import", &file], "").contains("1 unchanged"));
    desk.refused(&["import", "/nonexistent.csv"], "");
    let copy = desk.path("copy.db");
    desk.ok(&["backup", &copy], "");
    assert!(Path::new(&copy).exists());
    desk.refused(&["backup", &copy], "");
}

#[test]
fn check_lists_every_mistake() {
    let desk = Desk::new("");
    assert!(desk.ok(&["check"], "").contains("group-line"));
    assert!(!Path::new(&desk.path("data")).exists(), "check must not write");
    let packs = desk.path("packs");
    std::fs::create_dir(&packs).unwrap();
    let (_, shipped) = linewatch_shared::rules::SHIPPED[0];
    std::fs::write(format!("{packs}/own.toml"), shipped.replace("\"30m\"", "\"half an hour\"")).unwrap();
    let text =
        format!("data_dir = \"/x\"\ncolour = \"red\"\n[packs]\ndir = {packs:?}\n[http]\nlisten = \"no\"\n");
    std::fs::write(desk.path("server.toml"), text).unwrap();
    let (out, err) = desk.refused(&["check"], "");
    for part in [
        "server.toml:2:1: colour: unknown key",
        "server.toml:6:10: http.listen: ",
        "own.toml:",
        "half an hour",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    assert!(err.contains("mistakes to correct"), "{err}");
    let (code, _, err) = desk.run(&["user", "list"], "");
    assert_eq!(code, 1);
    assert!(err.contains("server.toml:2:1: colour"), "{err}");
}

#[test]
fn check_says_what_a_pack_would_move() {
    let desk = Desk::new("");
    let (_, shipped) = linewatch_shared::rules::SHIPPED[0];
    let file = desk.path("next.toml");
    std::fs::write(&file, shipped.replace("\"2026.1\"", "\"2026.2\"")).unwrap();
    let out = desk.ok(&["check", "--preview", &file], "");
    assert!(
        out.contains("group-line 2026.2 instead of 2026.1: 0 faults and 0 matters open under it"),
        "{out}"
    );
    assert!(out.contains("0 promises would move"), "{out}");
    let json: serde_json::Value =
        serde_json::from_str(&desk.ok(&["check", "--preview", &file, "--json"], "")).unwrap();
    assert_eq!(json["moved_count"], 0);
    std::fs::write(&file, shipped.replace("feedback_every = \"30m\"", "feedback_every = \"half an hour\""))
        .unwrap();
    let (out, err) = desk.refused(&["check", "--preview", &file], "");
    assert!(out.contains("next.toml:") && out.contains("half an hour"), "{out}");
    assert!(err.contains("1 mistake to correct"), "{err}");
}

#[test]
fn usage_and_version() {
    let desk = Desk::new("");
    assert_eq!(desk.ok(&["version"], ""), format!("linewatch-server {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(desk.run(&["nonsense"], "").0, 2);
    assert_eq!(desk.run(&[], "").0, 2);
    for command in ["serve", "check", "import", "user", "agent", "backup", "version"] {
        assert_eq!(desk.run(&[command, "--help"], "").0, 0, "{command}");
    }
}

#[test]
fn serve_ends_when_asked() {
    let desk = Desk::new("log.format = \"json\"");
    let mut child = desk.command(&["serve"]).spawn().unwrap();
    let log = wait_for_line(&mut child, "linewatch-server is up");
    let up: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert!(up["http_addr"].as_str().unwrap().starts_with("127.0.0.1:"), "{log}");
    // Other commands work while it runs.
    desk.ok(&["user", "add", "ops", "--role", "noc"], "long enough now\n");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    for _ in 0..400 {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

/// The first line of standard error that has `text` in it.
fn wait_for_line(child: &mut Child, text: &str) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    let mut err = child.stderr.take().unwrap();
    while err.read(&mut byte).unwrap() == 1 {
        if byte[0] != b'\n' {
            seen.push(byte[0]);
            continue;
        }
        let line = String::from_utf8_lossy(&seen).into_owned();
        seen.clear();
        if line.contains(text) {
            // Keep reading, so that the log never blocks the server.
            std::thread::spawn(move || std::io::copy(&mut err, &mut std::io::sink()));
            return line;
        }
    }
    panic!("it ended without saying \"{text}\"");
}

#[test]
fn reports() {
    let desk = Desk::new("");
    let json: serde_json::Value = serde_json::from_str(&desk.ok(&["report", "--json"], "")).unwrap();
    assert_eq!((json["kind"].as_str(), json["complete"].as_bool()), (Some("month"), Some(true)));
    let csv = desk.ok(&["report", "--quarter", "--format", "csv", "--lang", "en"], "");
    assert!(csv.starts_with("\u{feff}Tier,Name,Faults,"), "{csv}");
    let pdf = desk.path("year.pdf");
    assert_eq!(desk.ok(&["report", "--year", "--out", &pdf], ""), "");
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    let (_, terminal) = desk.refused(&["report", "--format", "xlsx"], "");
    assert!(terminal.contains("--out FILE"), "{terminal}");
    let (_, month) = desk.refused(&["report", "--month", "2026-13"], "");
    assert!(month.contains("2026-13") && month.contains("such as 2026-10"), "{month}");
    let (_, ahead) = desk.refused(&["report", "--year", "2999"], "");
    assert!(ahead.contains("has not begun"), "{ahead}");
    assert_eq!(desk.run(&["report", "--month", "--year"], "").0, 2);
    let (_, nobody) = desk.refused(&["assessment", "--customer", "nobody"], "");
    assert!(nobody.contains("there is no customer with the code \"nobody\""), "{nobody}");
    assert_eq!(desk.run(&["assessment", "--year", "2026"], "").0, 2);
    assert_eq!(desk.run(&["report", "--group", "colour"], "").0, 2);
}

#[test]
fn admission_is_decided_by_another_than_who_proposed() {
    let desk = Desk::new("desk.admission = true");
    assert_eq!(desk.ok(&["admission", "list", "--json"], "").trim(), "[]");
    std::fs::write(desk.path("customers.csv"), "code,name,tier\nC1,Sample One,AAA\nC2,Sample Two,AAA\n")
        .unwrap();
    desk.ok(&["import", &desk.path("customers.csv")], "");
    let listed = desk.ok(&["admission", "list"], "");
    assert!(listed.contains("C1") && listed.contains("proposed"), "{listed}");
    let (_, refusal) = desk.refused(&["admission", "approve", "C1"], "");
    assert!(refusal.contains("somebody else decides"), "{refusal}");
    let (_, nobody) = desk.refused(&["admission", "approve", "C1", "--by", "head"], "");
    assert!(nobody.contains("no user with the role manager"), "{nobody}");
    desk.ok(&["user", "add", "head", "--role", "manager"], "a long password for a test\n");
    assert_eq!(desk.ok(&["admission", "approve", "C1", "--by", "head"], "").trim(), "admitted C1");
    assert_eq!(desk.run(&["admission", "refuse", "C2", "--by", "head"], "").0, 2, "a refusal has a reason");
    desk.refused(&["admission", "refuse", "C2", "--reason", " ", "--by", "head"], "");
    let refuse = ["admission", "refuse", "C2", "--reason", "no contract", "--by", "head"];
    assert_eq!(desk.ok(&refuse, "").trim(), "refused C2");
    let left = desk.ok(&["admission", "list", "--json"], "");
    assert!(left.contains("\"no contract\"") && !left.contains("\"C1\""), "{left}");
    desk.refused(&["admission", "approve", "C9"], "");
}

#[test]
fn words_of_alerts_are_set_seen_and_taken_back() {
    let desk = Desk::new("");
    let subject = |args: &[&str]| {
        let seen = desk.ok(&[&["alert", "preview", "--lang", "en"], args].concat(), "");
        seen.lines().next().unwrap().to_owned()
    };
    assert!(subject(&[]).contains("SAMPLE-1: restoration missed"), "{}", subject(&[]));
    let set =
        desk.ok(&["alert", "set-text", "en", "restoration-missed.what", "-"], "Not restored: { $site }\n");
    assert_eq!(
        set.trim(),
        "restoration-missed.what in en is the desk's own now; it leaves out $due_short, $late"
    );
    assert!(subject(&["--kind", "restoration"]).ends_with("SAMPLE-1: Not restored: 样例现场 Sample site"));
    assert!(subject(&["--late"]).contains("learnt late: Not restored"), "{}", subject(&["--late"]));
    let (_, why) = desk.refused(&["alert", "set-text", "en", "restoration-missed.what", "{ $whom }"], "");
    assert!(why.contains("$due_short"), "{why}");
    desk.refused(&["alert", "preview", "--mark", "sung"], "");
    assert_eq!(desk.run(&["alert", "set-text", "fr", "subject", "x"], "").0, 2);
    let own = desk.ok(&["alert", "texts", "--own"], "");
    assert!(own.contains("Not restored: { $site }") && own.lines().count() == 2, "{own}");
    desk.ok(&["alert", "reset-text", "en", "restoration-missed.what"], "");
    assert_eq!(desk.ok(&["alert", "texts", "--own", "--json"], "").trim(), "[]");
    desk.refused(&["alert", "reset-text", "en", "restoration-missed.what"], "");
}

#[test]
fn the_audit_trail_is_checked_and_exported() {
    let desk = Desk::new("");
    desk.ok(&["user", "add", "ops", "--role", "noc"], "a long enough password\n");
    let whole = desk.ok(&["audit", "verify"], "");
    assert!(whole.starts_with("whole up to entry "), "{whole}");
    let file = desk.path("trail.jsonl");
    desk.ok(&["audit", "export", &file], "");
    desk.refused(&["audit", "export", &file], "");
    desk.ok(&["audit", "verify", "--file", &file], "");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"subject\":\"ops\""), "{text}");
    let changed = desk.path("changed.jsonl");
    std::fs::write(&changed, text.replace("\"subject\":\"ops\"", "\"subject\":\"eve\"")).unwrap();
    let (_, broken) = desk.refused(&["audit", "verify", "--file", &changed], "");
    assert!(broken.contains("the audit trail is broken at entry"), "{broken}");
    let anchors: serde_json::Value =
        serde_json::from_str(&desk.ok(&["audit", "anchors", "--json"], "")).unwrap();
    assert!(anchors[0]["n"].as_i64().is_some_and(|n| n > 1), "{anchors}");
    let (_, nothing) = desk.refused(&["audit", "restored", "--reason", "none"], "");
    assert!(nothing.contains("nothing is missing"), "{nothing}");
    assert!(desk.ok(&["audit", "export", "-", "--format", "csv"], "").contains(",user added,ops,"));
}
