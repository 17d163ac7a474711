//! A small desk: server, mailbox, one enrolled agent.

use anyhow::{Context, Result};
use linewatch_shared::time::UnixMs;
use linewatch_tests::harness::{
    Agent, Api, BOUND, Folder, Mail, Mailbox, Server, ServerOptions, eventually, sample,
};
use serde_json::Value;

pub const AGENT: &str = "field-laptop";

pub struct Desk {
    pub server: Server,
    pub mailbox: Mailbox,
    pub api: Api,
    pub agent: Agent,
}

impl Desk {
    /// With lines of the AAA tier of `group-line`.
    pub fn open(folder: &Folder, lines: usize) -> Result<Self> {
        let mailbox = Mailbox::start(&folder.sub("mail")?)?;
        let options = ServerOptions { smtp: Some(mailbox.address), ..ServerOptions::default() };
        let mut server = Server::new(&folder.sub("server")?, &options)?;
        let api = server.user("desk", "noc", "a sample password")?;
        sample::import(&server, "group-line", "AAA", lines, AGENT)?;
        server.start()?;
        let agent = Agent::new(&folder.path().join("agent"), None, &[])?;
        agent.enroll(&server, AGENT)?;
        Ok(Self { server, mailbox, api, agent })
    }

    /// The only fault of a line, with its story.
    pub fn fault_of(&self, line: &str) -> Result<Value> {
        let list = self.api.get(&format!("/api/v1/faults?line={line}"))?.expect(200)?;
        let items = list["items"].as_array().context("items")?;
        anyhow::ensure!(items.len() == 1, "{} faults of {line}: {list}", items.len());
        self.api.fault(items[0]["id"].as_str().context("id")?)
    }

    /// Waits until nothing waits in the outbox any more; answers the mails.
    pub fn all_mails(&self) -> Result<Vec<Mail>> {
        let store = linewatch_tests::harness::Store::Sqlite(self.server.database());
        eventually(BOUND, "the outbox is empty", || {
            Ok((store.number("SELECT COUNT(*) FROM outbox WHERE state = 'pending'")? == 0).then_some(()))
        })?;
        let done = store.number("SELECT COUNT(DISTINCT message_id) FROM outbox WHERE state = 'done'")?;
        eventually(BOUND, "every mail has arrived", || {
            let mails = self.mailbox.mails()?;
            Ok((i64::try_from(mails.len())? >= done).then_some(mails))
        })
    }
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The promise of a kind; the only one.
pub fn promise<'a>(fault: &'a Value, kind: &str) -> Result<&'a Value> {
    let found: Vec<_> =
        fault["deadlines"].as_array().context("deadlines")?.iter().filter(|d| d["kind"] == kind).collect();
    anyhow::ensure!(found.len() == 1, "{} promises of kind {kind}: {fault}", found.len());
    Ok(found[0])
}

pub fn at(value: &Value) -> Result<UnixMs> {
    Ok(UnixMs::parse_rfc3339(text(value))?)
}

/// How many of the mails tell of this promise of a fault.
pub fn told(mails: &[Mail], fault: &str, kind: &str) -> usize {
    let prefix = format!("{fault}/{kind}/");
    mails.iter().flat_map(|mail| &mail.keys).filter(|key| key.starts_with(&prefix)).count()
}
