//! Bad input: each gets one clear error that names what and where, and changes nothing.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use linewatch_agent::enroll::Identity;
use linewatch_agent::journal::open_vault;
use linewatch_agent::sync::generation::Generations;
use linewatch_agent::sync::tls::as_agent;
use linewatch_agent::vault::VaultConfig;
use linewatch_shared::wire::{CONTENT_TYPE, GENERATION_HEADER};
use linewatch_tests::harness::{
    Agent, Answer, Api, Folder, Server, ServerOptions, Store, block_on, eventually, now, sample, story,
};
use serde_json::{Value, json};

const AGENT: &str = "field-laptop";
/// Everything that input could change.
const TABLES: [&str; 12] = [
    "agent",
    "customer",
    "line",
    "line_terms",
    "reference_change",
    "record",
    "aside",
    "fact",
    "fault",
    "deadline",
    "outbox",
    "stream",
];

struct Desk {
    server: Server,
    api: Api,
    agent: Agent,
    store: Store,
}

impl Desk {
    fn open(folder: &Folder) -> Result<Self> {
        let mut server = Server::new(&folder.sub("server")?, &ServerOptions::default())?;
        let api = server.user("desk", "noc", "a sample password")?;
        sample::import(&server, "group-line", "AAA", 2, AGENT)?;
        server.start()?;
        let agent = Agent::new(&folder.path().join("agent"), None, &[])?;
        agent.enroll(&server, AGENT)?;
        agent.run(&["sync", "--quiet"])?.ok()?;
        let store = Store::Sqlite(server.database());
        Ok(Self { server, api, agent, store })
    }

    fn rows(&self) -> Result<Vec<i64>> {
        TABLES.iter().map(|table| self.store.number(&format!("SELECT COUNT(*) FROM {table}"))).collect()
    }

    /// Waits until the line's yearly allowance was looked at, a moment after the fault was taken in.
    fn settled(&self) -> Result<()> {
        eventually(Duration::from_secs(20), "the line's allowance", || {
            let owed = self.store.number("SELECT COUNT(*) FROM deadline WHERE kind = 'interruption'")?;
            Ok((owed > 0).then_some(()))
        })
    }

    /// Calls `bad`, which must leave every table as it was.
    fn unchanged<T>(&self, what: &str, bad: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self.rows()?;
        let answer = bad().with_context(|| what.to_owned())?;
        let after = self.rows()?;
        ensure!(before == after, "{what} has changed something: {before:?} became {after:?} in {TABLES:?}");
        Ok(answer)
    }

    /// What the server says to an agent's call with any bytes.
    fn sync_call(&self, call: &str, body: Vec<u8>) -> Result<Answer> {
        let identity = Identity::load(&self.agent.data_dir())?.context("not enrolled")?;
        let vault = open_vault(&self.agent.data_dir(), &VaultConfig::default())?;
        let key_pem = identity.key_pem(&vault)?;
        let tls = as_agent(&identity.authority_pem, &identity.certificate_pem, &key_pem)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()?;
        block_on(async {
            let request = http.post(format!("{}/sync/v1/{call}", identity.server));
            let newest = Generations::of(&self.agent.data_dir()).newest()?.unwrap_or_default();
            let request = request.header(GENERATION_HEADER, hex::encode(newest));
            let answer = request.header("content-type", CONTENT_TYPE).body(body).send().await?;
            let status = answer.status().as_u16();
            let body = serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null);
            Ok(Answer { status, body })
        })
    }
}

/// What it is, the path, the body, and the problem: one of these statuses, its code, words in it.
type Post<'a> = (&'a str, &'a str, Value, &'a [u16], &'a str, &'a [&'a str]);

/// A problem with one of these statuses, this code, and these words somewhere in it.
fn is_problem(answer: &Answer, statuses: &[u16], code: &str, words: &[&str]) -> Result<()> {
    ensure!(statuses.contains(&answer.status), "status {}: {}", answer.status, answer.body);
    ensure!(answer.body["code"] == code, "code {}, not {code}: {}", answer.body["code"], answer.body);
    let text = answer.body.to_string();
    for word in words {
        ensure!(text.contains(word), "{word:?} is not in {text}");
    }
    Ok(())
}

fn names(said: &str, words: &[&str]) -> Result<()> {
    match words.iter().find(|word| !said.contains(**word)) {
        Some(word) => bail!("{word:?} is not in {said:?}"),
        None => Ok(()),
    }
}

#[test]
fn configurations() {
    story(|folder| {
        let server = Server::new(&folder.sub("server")?, &ServerOptions::default())?;
        let good = std::fs::read_to_string(server.config())?;
        for (addition, words) in [
            ("[speed]\nlimit = 3\n", ["server.toml:", "speed"]),
            ("[silence]\ngrace = \"90 parsecs\"\n", ["server.toml:", "silence.grace"]),
            ("[log]\nformat = \"xml\"\n", ["server.toml:", "log.format"]),
        ] {
            std::fs::write(server.config(), format!("{good}{addition}"))?;
            let refused = server.run(&["serve"], "")?.refusal().with_context(|| addition.to_owned())?;
            names(&refused, &words)?;
            let checked = server.run(&["check"], "")?;
            ensure!(checked.code == 1, "{checked:?}");
            names(&(checked.out + &checked.err), &words)?;
        }
        let agent = Agent::new(&folder.path().join("agent"), None, &[])?;
        let config = folder.path().join("agent").join("agent.toml");
        let good = std::fs::read_to_string(&config)?;
        std::fs::write(&config, format!("{good}speed = 3\n"))?;
        names(&agent.run(&["status"])?.refusal()?, &["agent.toml:", "speed"])?;
        ensure!(!agent.data_dir().exists(), "the data folder was made all the same");
        Ok(())
    });
}

#[test]
fn packs() {
    story(|folder| {
        let tier = |name: &str, restore: &str| {
            format!(
                "[[tier]]\nname = \"{name}\"\nlabel = {{ zh = \"x\", en = \"x\" }}\nrestore_within = \"{restore}\"\n\
                 repair_within = \"3d\"\nfeedback_every = \"30m\"\ncallback_within = \"24h\"\n\
                 faults_per_year_below = 4\ninterruption_per_year_at_most = \"6h\"\nvisit_every = \"30d\"\n\
                 warn_at = [0.5, 0.8]\n"
            )
        };
        let head =
            "[pack]\nname = \"bad\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\ncalendar = \"24x7\"\n";
        let text = format!("{head}{}{}{}", tier("AAA", "2h"), tier("AAA", "3h"), tier("AA", "2 hours"));
        let options =
            ServerOptions { packs: vec![("bad.toml".to_owned(), text)], ..ServerOptions::default() };
        let server = Server::new(&folder.sub("server")?, &options)?;
        let checked = server.run(&["check"], "")?;
        ensure!(checked.code == 1, "{checked:?}");
        names(&checked.out, &["bad.toml:", "AAA", "restore_within", "2 hours"])?;
        let lines: Vec<_> = checked.out.lines().filter(|line| line.contains("bad.toml:")).collect();
        ensure!(lines.len() == 2, "two mistakes, each with its place: {}", checked.out);
        let served = server.run(&["serve"], "")?;
        ensure!(served.code == 1, "{served:?}");
        names(&served.err, &["bad.toml:"])?;
        ensure!(!server.database().exists(), "a database was made all the same");
        Ok(())
    });
}

#[test]
fn imports() {
    story(|folder| {
        let desk = Desk::open(folder)?;
        let csv = "code,customer,agent,probe\nNEW-1,CUST-1,field-laptop,icmp://127.0.0.1\n\
             NEW-2,NOBODY,field-laptop,icmp://127.0.0.1\nNEW-3,CUST-1,another-agent,ftp://127.0.0.1\n";
        let file = folder.file("bad.csv", csv)?.display().to_string();
        for args in [&["import", &file, "--dry-run"][..], &["import", &file]] {
            let ran = desk.unchanged("a bad import", || desk.server.run(args, ""))?;
            ensure!(ran.code == 1, "{ran:?}");
            names(&ran.out, &["3", "NOBODY", "4", "ftp"])?;
            ensure!(ran.err.trim().lines().count() == 1, "one clear line: {}", ran.err);
        }
        let file = folder.file("odd.csv", "code,customer,agent,colour\nNEW-1,CUST-1,field-laptop,red\n")?;
        let file = file.display().to_string();
        let ran = desk.unchanged("an unknown column", || desk.server.run(&["import", &file], ""))?;
        ensure!(ran.code == 1 && (ran.out.clone() + &ran.err).contains("colour"), "{ran:?}");
        Ok(())
    });
}

#[test]
fn a_token_used_twice() {
    story(|folder| {
        let desk = Desk::open(folder)?;
        let token = desk.server.agent_token("other-laptop")?;
        let url = format!("https://{}", desk.server.sync);
        let first = Agent::new(&folder.path().join("first"), None, &[])?;
        first.run(&["enroll", &url, "--token", &token])?.ok()?;
        let second = Agent::new(&folder.path().join("second"), None, &[])?;
        let refused =
            desk.unchanged("a used token", || second.run(&["enroll", &url, "--token", &token])?.refusal())?;
        names(&refused, &["already used", "used_token"])?;
        ensure!(Identity::load(&second.data_dir())?.is_none(), "an identity was stored all the same");
        let broken = second.run(&["enroll", &url, "--token", "lw1.nonsense"])?.refusal()?;
        names(&broken, &["token"])
    });
}

#[test]
fn the_api() {
    story(|folder| {
        let desk = Desk::open(folder)?;
        let line = sample::line(0);
        let report = json!({ "line": line, "channel": "hotline", "reporter": "sample caller" });
        let fault = desk.api.post("/api/v1/faults", &report)?.expect(201)?;
        desk.settled()?;
        let facts = format!("/api/v1/faults/{}/facts", fault["id"].as_str().context("id")?);
        let soon = (now() + 600_000).to_rfc3339();
        let posts: [Post<'_>; 8] = [
            (
                "an impossible step",
                &facts,
                json!({ "kind": "repaired" }),
                &[409],
                "step_impossible",
                &["possible", "restored"],
            ),
            (
                "an unknown kind",
                &facts,
                json!({ "kind": "mended" }),
                &[400, 422],
                "invalid_field",
                &["kind", "mended"],
            ),
            (
                "an unknown field",
                &facts,
                json!({ "kind": "restored", "colour": 1 }),
                &[400, 422],
                "invalid_field",
                &["colour"],
            ),
            (
                "a field of another kind",
                &facts,
                json!({ "kind": "restored", "reached": true }),
                &[400, 422],
                "invalid_field",
                &["reached"],
            ),
            (
                "an unknown line",
                "/api/v1/faults",
                json!({ "line": "NO-LINE", "channel": "noc" }),
                &[404, 422],
                "unknown_line",
                &["NO-LINE"],
            ),
            (
                "a wrong channel",
                "/api/v1/faults",
                json!({ "line": line, "channel": "pigeon" }),
                &[400, 422],
                "invalid_field",
                &["channel"],
            ),
            (
                "a wrong time",
                "/api/v1/faults",
                json!({ "line": line, "channel": "noc", "reported_at": "noon" }),
                &[400, 422],
                "invalid_field",
                &["reported_at"],
            ),
            (
                "a report from the future",
                "/api/v1/faults",
                json!({ "line": line, "channel": "noc", "reported_at": soon }),
                &[400, 422],
                "invalid_field",
                &["reported_at"],
            ),
        ];
        for (what, path, body, statuses, code, words) in posts {
            let answer = desk.unchanged(what, || desk.api.post(path, &body))?;
            is_problem(&answer, statuses, code, words).with_context(|| what.to_owned())?;
        }
        for path in [
            "/api/v1/faults?limit=0",
            "/api/v1/faults?limit=501",
            "/api/v1/faults?cursor=nonsense",
            "/api/v1/faults?colour=red",
        ] {
            let answer = desk.api.get(path)?;
            ensure!(
                matches!(answer.status, 400 | 422) && answer.body["code"].is_string(),
                "{path}: {answer:?}"
            );
        }
        let large = desk
            .unchanged("a body too large", || desk.api.post_bytes("/api/v1/faults", vec![b' '; 8 << 20]))?;
        is_problem(&large, &[413], "body_too_large", &[]).context("a body too large")?;
        let nonsense =
            desk.unchanged("no JSON", || desk.api.post_bytes("/api/v1/faults", b"{\"line\":".to_vec()))?;
        ensure!(matches!(nonsense.status, 400 | 422) && nonsense.body["code"].is_string(), "{nonsense:?}");
        Ok(())
    });
}

#[test]
fn agents_calls() {
    story(|folder| {
        let desk = Desk::open(folder)?;
        // A bomb: small, but far more nested than any message.
        let nested = [vec![0x91_u8; 60_000], vec![0xc0]].concat();
        for call in ["hello", "pull", "heartbeat", "push"] {
            for (what, body) in
                [("nonsense", b"\xc1nonsense".to_vec()), ("nesting", nested.clone()), ("nothing", Vec::new())]
            {
                let what = format!("{what} to {call}");
                let answer = desk.unchanged(&what, || desk.sync_call(call, body))?;
                ensure!(answer.status == 400 && answer.body["code"].is_string(), "{what}: {answer:?}");
            }
        }
        // Whoever is still writing when the answer comes has to read it all the same.
        let bytes = (4 << 20) + (64 << 10);
        let large = desk.unchanged("a batch too large", || desk.sync_call("push", vec![0; bytes]))?;
        is_problem(&large, &[413], "body_too_large", &[]).context("a batch too large")?;
        // The server is as well as before.
        desk.agent.run(&["visit", "new", "--customer", sample::CUSTOMER])?.ok()?;
        desk.agent.run(&["sync", "--quiet"])?.ok()?;
        Ok(())
    });
}
