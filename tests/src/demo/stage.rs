//! Everything that the demo runs: server, mail receiver, agent, lines.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{LINES, Lines, Narrator, Pace};
use crate::harness::{Agent, Api, BOUND, Mailbox, Server, ServerOptions, eventually};

/// Who signs in to the board.
pub const USER: &str = "demo";
/// With which password.
pub const PASSWORD: &str = "watch-the-line";
/// How long all lines may take to be seen up: a full window of probes for each.
const UP_WITHIN: Duration = Duration::from_mins(1);

/// What differs between the demo and a test of it.
#[derive(Clone, Copy, Debug)]
pub struct StageOptions {
    /// The limits.
    pub pace: Pace,
    /// The board's port, where it is to be a certain one.
    pub http_port: Option<u16>,
}

/// The running desk. Fields end in this order.
pub struct Stage {
    /// The agent at the site.
    pub agent: Agent,
    /// The server.
    pub server: Server,
    /// The account managers' mailbox.
    pub mailbox: Mailbox,
    /// The lines.
    pub lines: Lines,
    /// The monitoring centre's access.
    pub api: Api,
}

impl Stage {
    /// Starts everything and waits until every line is seen up.
    ///
    /// # Errors
    /// When a part does not start.
    pub fn set_up(
        folder: &Path,
        lines: Lines,
        options: StageOptions,
        narrator: &mut Narrator,
    ) -> Result<Self> {
        narrator.say(&format!("lines: {}", lines.describe()));
        let mailbox = Mailbox::start(&folder.join("mail"))?;
        narrator.say(&format!("mail receiver (SMTP) on {}", mailbox.address));
        let server = start_server(folder, options, &lines, &mailbox)?;
        let api = server.1;
        let server = server.0;
        narrator.say(&format!("server on http://{}, for agents on https://{}", server.http, server.sync));
        let mut agent = Agent::new(&folder.join("agent"), lines.site(), &lines.anchors())?;
        agent.enroll(&server, "site-agent")?;
        agent.start()?;
        narrator.say("agent enrolled with a token that works once, and started");
        let stage = Self { agent, server, mailbox, lines, api };
        for (code, ..) in LINES {
            stage.wait_for_line(code, "up", UP_WITHIN)?;
        }
        narrator.step("the agent probes every line, and all are up", "API: /lines/{code}");
        Ok(stage)
    }

    /// Waits until the server knows a line to be in a state.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn wait_for_line(&self, code: &str, state: &str, bound: Duration) -> Result<()> {
        eventually(bound, &format!("line {code} is {state}"), || {
            let line = self.api.get(&format!("/api/v1/lines/{code}"))?.expect(200)?;
            Ok((line["state"] == state).then_some(()))
        })
    }

    /// What the agent itself says of a line, in its `status`.
    ///
    /// # Errors
    /// When the command fails.
    pub fn agent_line(&self, code: &str) -> Result<String> {
        let status = self.agent.run(&["status", "--json"])?.ok()?;
        let status: serde_json::Value = serde_json::from_str(&status)?;
        let lines = status["lines"].as_array().cloned().unwrap_or_default();
        let line = lines.iter().find(|line| line["line"] == code);
        Ok(line.and_then(|line| line["state"].as_str()).unwrap_or_default().to_owned())
    }

    /// Ends everything in order.
    ///
    /// # Errors
    /// When a program does not end cleanly; what is left is killed when the stage is dropped.
    pub fn take_down(mut self) -> Result<()> {
        self.agent.stop()?;
        self.server.stop()?;
        self.mailbox.stop()
    }
}

fn start_server(
    folder: &Path,
    options: StageOptions,
    lines: &Lines,
    mailbox: &Mailbox,
) -> Result<(Server, Api)> {
    let dir = folder.join("server");
    std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    let mut server = Server::new(
        &dir,
        &ServerOptions {
            sync_ip: lines.server_ip(),
            smtp: Some(mailbox.address),
            http_port: options.http_port,
            packs: vec![("demo.toml".to_owned(), options.pace.pack())],
            ..ServerOptions::default()
        },
    )?;
    let api = server.user(USER, "noc", PASSWORD)?;
    server.import(
        "customers.csv",
        "code,name,tier,pack,manager,manager_email,contact_name,contact_phone\n\
         CUST-A,示例客户甲 (sample A),AAA,demo,manager-1,manager-1@desk.example,contact-1,000-0001\n\
         CUST-B,示例客户乙 (sample B),AA,demo,manager-1,manager-1@desk.example,contact-2,000-0002\n\
         CUST-C,示例客户丙 (sample C),standard,demo,manager-2,manager-2@desk.example,contact-3,000-0003\n",
    )?;
    let mut csv = vec!["code,customer,site,service,agent,probe,interval".to_owned()];
    for (n, (code, customer, site, service)) in LINES.iter().enumerate() {
        csv.push(format!("{code},{customer},{site},{service},site-agent,{},1s", lines.probe(n)));
    }
    server.import("lines.csv", &csv.join("\n"))?;
    server.launch()?;
    server.wait_ready(BOUND)?;
    Ok((server, api))
}
