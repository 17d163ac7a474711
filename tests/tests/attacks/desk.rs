//! A desk under attack: two customers with a line and an agent each, people of each role.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_agent::enroll::Identity;
use linewatch_agent::journal::open_vault;
use linewatch_agent::sync::tls::as_agent;
use linewatch_agent::vault::VaultConfig;
use linewatch_server::db::testing;
use linewatch_shared::wire::{CONTENT_TYPE, GENERATION_HEADER};
use linewatch_tests::harness::{
    Agent, Answer, Api, Folder, Server, ServerOptions, Store, block_on, eventually, story,
};
use serde_json::{Value, json};

pub const PASSWORD: &str = "a sample password of the desk";
pub const OURS: &str = "agent-ours";
pub const THEIRS: &str = "agent-theirs";

/// What may change without anybody having got anything: when agents and people were heard, and keys of writes. The audit trail is left
/// out beside them: there the refusals are.
const BOOKKEEPING: [&str; 12] = [
    "session.seen_at_ms",
    "api_token.used_at_ms",
    "head",
    "agent.last_seen_at_ms",
    "agent.clock_offset_ms",
    "agent.version",
    "agent.generation",
    "agent.generation_at_ms",
    "agent_head",
    // Whose password was right, until the second proof.
    "pending_sign_in",
    "idempotency",
    "contact_read",
];

pub struct Desk {
    pub server: Server,
    pub noc: Api,
    pub admin: Api,
    pub ours: Agent,
    pub theirs: Agent,
    pub store: Store,
}

impl Desk {
    pub fn open(folder: &Folder, db_url: Option<String>, more: &str) -> Result<Self> {
        // Its agents say nothing for a while, and that changes nothing.
        let more = format!("silence.grace = \"1d\"\nsilence.tell_after = \"1d\"\n{more}");
        let options = ServerOptions { db_url: db_url.clone(), more, ..ServerOptions::default() };
        let mut server = Server::new(&folder.sub("server")?, &options)?;
        let noc = server.user("desk", "noc", PASSWORD)?;
        let admin = server.user("head", "admin", PASSWORD)?;
        server.import(
            "customers.csv",
            "code,name,tier,pack,manager,manager_email\n\
             OURS,Sample One,AAA,group-line,manager-1,manager-1@desk.example\n\
             THEIRS,Sample Two,AAA,group-line,manager-2,manager-2@desk.example\n",
        )?;
        let lines = format!("code,customer,agent\nL-OURS,OURS,{OURS}\nL-THEIRS,THEIRS,{THEIRS}\n");
        server.import("lines.csv", &lines)?;
        server.start()?;
        let agent = |name: &str| {
            let agent = Agent::new(&folder.path().join(name), None, &[])?;
            agent.enroll(&server, name)?;
            agent.run(&["sync", "--quiet"])?.ok()?;
            anyhow::Ok(agent)
        };
        let (ours, theirs) = (agent(OURS)?, agent(THEIRS)?);
        let store = db_url.map_or_else(|| Store::Sqlite(server.database()), Store::Postgres);
        Ok(Self { server, noc, admin, ours, theirs, store })
    }

    /// A fault of a line, with what follows from it.
    pub fn fault(&self, line: &str) -> Result<String> {
        let report = json!({ "line": line, "channel": "hotline", "reporter": "sample caller" });
        let fault = self.noc.post("/api/v1/faults", &report)?.expect(201)?;
        self.settled()?;
        Ok(fault["id"].as_str().context("id")?.to_owned())
    }

    /// Waits until nothing that was done before changes anything any more.
    pub fn settled(&self) -> Result<()> {
        let mut before = self.contents()?;
        eventually(Duration::from_secs(30), "the desk is quiet", || {
            std::thread::sleep(Duration::from_millis(700));
            let now = self.contents()?;
            let is_quiet = now == before;
            before = now;
            Ok(is_quiet.then_some(()))
        })
    }

    fn contents(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let mut contents = self.store.contents(&BOOKKEEPING)?;
        contents.retain(|table, _| !table.starts_with("audit"));
        Ok(contents)
    }

    /// Tries an attack, which must leave every table as it was.
    pub fn unchanged<T>(&self, what: &str, attack: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self.contents()?;
        let outcome = attack().with_context(|| what.to_owned())?;
        let after = self.contents()?;
        for (table, rows) in &after {
            let old = before.get(table).map(Vec::as_slice).unwrap_or_default();
            let fresh: Vec<_> = rows.iter().filter(|row| !old.contains(row)).collect();
            ensure!(old == rows.as_slice(), "{what} has changed {table}: {fresh:?}");
        }
        Ok(outcome)
    }

    /// Waits until the audit trail says that something was refused for this reason.
    pub fn in_trail(&self, code: &str) -> Result<()> {
        eventually(Duration::from_secs(20), &format!("{code} in the trail"), || {
            let trail = self.admin.get("/api/v1/audit?limit=500")?.expect(200)?;
            let entries = trail["items"].as_array().cloned().unwrap_or_default();
            Ok(entries.iter().any(|entry| entry["subject"] == code).then_some(()))
        })
    }

    /// Waits until the audit trail says that something was done.
    pub fn did(&self, action: &str) -> Result<()> {
        eventually(Duration::from_secs(20), &format!("{action} in the trail"), || {
            let trail = self.admin.get("/api/v1/audit?limit=500")?.expect(200)?;
            let entries = trail["items"].as_array().cloned().unwrap_or_default();
            Ok(entries.iter().any(|entry| entry["action"] == action).then_some(()))
        })
    }

    /// What the server says to bytes that an agent sends.
    pub fn sync_call(&self, agent: &Agent, call: &str, body: Vec<u8>) -> Result<Answer> {
        let identity = Identity::load(&agent.data_dir())?.context("not enrolled")?;
        let vault = open_vault(&agent.data_dir(), &VaultConfig::default())?;
        let key_pem = identity.key_pem(&vault)?;
        let tls = as_agent(&identity.authority_pem, &identity.certificate_pem, &key_pem)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()?;
        // Without the newest secret of its disk it would be taken for a copy.
        let newest = std::fs::read(agent.data_dir().join("identity.generation")).unwrap_or_default();
        block_on(async {
            let request = http.post(format!("https://{}/sync/v1/{call}", self.server.sync));
            let request =
                request.header("content-type", CONTENT_TYPE).header(GENERATION_HEADER, hex::encode(newest));
            let answer = request.body(body).send().await?;
            let status = answer.status().as_u16();
            let body = serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null);
            Ok(Answer { status, body })
        })
    }
}

/// Plays a story on each database.
pub fn both(more: &str, play: impl Fn(&Folder, &Desk) -> Result<()>) {
    story(|folder| play(folder, &Desk::open(folder, None, more)?));
    if std::env::var("LINEWATCH_TEST_PG").as_deref() == Ok("off") {
        return;
    }
    let database = block_on(testing::postgres());
    story(|folder| play(folder, &Desk::open(folder, Some(database.url_text()), more)?));
}

/// Plays a story where the database does not matter.
pub fn one(more: &str, play: impl FnOnce(&Folder, &Desk) -> Result<()>) {
    story(|folder| play(folder, &Desk::open(folder, None, more)?));
}

/// A refusal: a problem with this status and code.
pub fn refused(answer: &Answer, status: u16, code: &str) -> Result<()> {
    ensure!(answer.status == status, "status {}, not {status}: {}", answer.status, answer.body);
    ensure!(answer.body["code"] == code, "code {}, not {code}: {}", answer.body["code"], answer.body);
    Ok(())
}
