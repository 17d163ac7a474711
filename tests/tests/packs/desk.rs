//! A server with one pack of seconds, its mails, and those who speak to it.

use anyhow::{Context, Result, ensure};
use linewatch_shared::time::UnixMs;
use linewatch_tests::harness::{Answer, Api, BOUND, Folder, Mailbox, Server, ServerOptions, eventually, now};
use serde_json::{Value, json};

use crate::quick::Quick;

pub struct Desk {
    _server: Server,
    pub mailbox: Mailbox,
    /// The desk.
    pub noc: Api,
    /// A supervisor.
    pub head: Api,
}

impl Desk {
    pub fn open(folder: &Folder, pack: &Quick, customers: &str, lines: &str) -> Result<Self> {
        let mailbox = Mailbox::start(&folder.sub("mail")?)?;
        let options = ServerOptions {
            smtp: Some(mailbox.address),
            packs: vec![pack.file()],
            ..ServerOptions::default()
        };
        let mut server = Server::new(&folder.sub("server")?, &options)?;
        let noc = server.user("desk", "noc", "a sample password")?;
        let head = server.user("head", "admin", "a sample password")?;
        server.import("customers.csv", customers)?;
        if !lines.is_empty() {
            server.import("lines.csv", lines)?;
        }
        server.start()?;
        Ok(Self { _server: server, mailbox, noc, head })
    }

    /// Reports a line as lost now; answers the fault.
    pub fn report(&self, line: &str) -> Result<Value> {
        let body = json!({ "line": line, "channel": "hotline", "reporter": "sample caller", "description": "no service" });
        self.noc.fault(&id(&self.noc.post("/api/v1/faults", &body)?.expect(201)?)?)
    }

    /// A step of a fault; answers the fault with its promises.
    pub fn fault_step(&self, fault: &str, body: &Value) -> Result<Value> {
        self.noc.step(fault, body)?;
        self.noc.fault(fault)
    }

    /// Takes a matter in; answers its id.
    pub fn take_in(&self, body: &Value) -> Result<String> {
        id(&self.noc.post("/api/v1/matters", body)?.expect(201)?)
    }

    pub fn matter(&self, matter: &str) -> Result<Value> {
        self.noc.get(&format!("/api/v1/matters/{matter}"))?.expect(200)
    }

    /// A step of a matter, as it is answered.
    pub fn try_step(api: &Api, matter: &str, body: &Value) -> Result<Answer> {
        api.post(&format!("/api/v1/matters/{matter}/facts"), body)
    }

    /// A step of a matter; answers the matter.
    pub fn step(&self, matter: &str, body: &Value) -> Result<Value> {
        Self::try_step(&self.noc, matter, body)?.expect(200).with_context(|| body.to_string())
    }

    /// What a list holds.
    pub fn items(&self, path: &str) -> Result<Vec<Value>> {
        let list = self.noc.get(&format!("/api/v1/{path}"))?.expect(200)?;
        list["items"].as_array().cloned().with_context(|| list.to_string())
    }

    /// Waits until a list has what is wanted.
    pub fn wait_for(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        eventually(BOUND, what, || Ok(self.items(path)?.into_iter().find(|item| wanted(item))))
    }

    /// Waits until a promise of a fault or matter has been missed, by the list of every promise.
    pub fn wait_missed(&self, kind: &str, subject: &str) -> Result<Value> {
        let path = format!("deadlines?kind={kind}&state=missed&limit=500");
        self.wait_for(&path, &format!("{kind} of {subject} is missed"), |item| {
            item["fault"] == subject || item["matter"] == subject
        })
    }
}

pub fn id(of: &Value) -> Result<String> {
    of["id"].as_str().map(str::to_owned).with_context(|| of.to_string())
}

pub fn at(value: &Value) -> Result<UnixMs> {
    UnixMs::parse_rfc3339(value.as_str().unwrap_or_default()).with_context(|| value.to_string())
}

/// So long from now, as the API writes it.
pub fn ahead(span_ms: i64) -> String {
    (now() + span_ms).to_rfc3339()
}

/// The promises of a kind, in their order.
pub fn promises<'a>(of: &'a Value, kind: &str) -> Vec<&'a Value> {
    of["deadlines"].as_array().into_iter().flatten().filter(|deadline| deadline["kind"] == kind).collect()
}

/// The last promise of a kind.
pub fn promise<'a>(of: &'a Value, kind: &str) -> Result<&'a Value> {
    promises(of, kind).pop().with_context(|| format!("no {kind} is owed: {of}"))
}

/// The last promise of a kind stands so.
pub fn ensure_state(of: &Value, kind: &str, state: &str) -> Result<()> {
    let found = promise(of, kind)?;
    ensure!(found["state"] == state, "{kind} is not {state}: {found}");
    Ok(())
}

/// The last promise of a kind gives so much time from its start on.
pub fn ensure_allows(of: &Value, kind: &str, span_ms: i64) -> Result<()> {
    let found = promise(of, kind)?;
    let allowed_ms = at(&found["due_at"])?.since(at(&found["started_at"])?);
    ensure!(allowed_ms == span_ms, "{kind} allows {allowed_ms} ms instead of {span_ms}: {of}");
    Ok(())
}

/// Nothing is owed any more.
pub fn ensure_done(of: &Value, state: &str) -> Result<()> {
    ensure!(of["state"] == state, "not {state}: {of}");
    let open = |deadline: &&Value| deadline["state"] == "running" || deadline["state"] == "paused";
    let owed: Vec<_> = of["deadlines"].as_array().context("deadlines")?.iter().filter(open).collect();
    ensure!(owed.is_empty(), "still owed: {owed:?}");
    Ok(())
}
