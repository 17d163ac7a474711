//! A desk for measuring: one server, one agent, and as many loopback lines as asked for.
//!
//! As root the agent lives in a network namespace of its own, so that nobody else's ICMP packets reach its
//! sockets, the kind of socket can be chosen, and packets can be dropped without touching the machine's rules.

mod cut;
mod place;
mod syncs;
mod window;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

pub use self::cut::{Latency, cut_lines};
pub use self::place::{Place, Sockets};
pub use self::syncs::syncs_per_minute;
pub use self::window::{PASSWORD, USER, Window};
use crate::bench_probe::{Load, loopback_targets, measure};
use crate::harness::{Agent, Api, BOUND, Process, Server, ServerOptions, eventually};

/// How long all lines may take to be seen up on a busy machine: pull, a full window of probes, and room.
const UP_WITHIN: Duration = Duration::from_secs(90);
/// A span begins this long after the last line came up: the burst of changes is saved and sent by then.
const SETTLE: Duration = Duration::from_secs(5);

/// Server and agent, enrolled with each other, with `count` lines between them.
pub struct Desk {
    running: Option<Process>,
    agent: Agent,
    agent_config: PathBuf,
    server: Server,
    /// The monitoring centre's access.
    pub api: Api,
    targets: Vec<Ipv4Addr>,
    /// How much of the agent's log was read: what follows is of the present run.
    log_read: usize,
}

/// What the agent cost over a span, and what it did meanwhile.
#[derive(Clone, Debug)]
pub struct Measured {
    /// CPU and memory, from the kernel.
    pub load: Load,
    /// What IPv4 probes went through.
    pub socket: String,
    /// Probes that left, were answered, were lost, since the start of the process.
    pub probes: [u64; 3],
}

impl Desk {
    /// Starts a server, imports the lines, enrols the agent. The agent does not run yet.
    ///
    /// # Errors
    /// When a program refuses.
    pub fn set_up(folder: &Path, place: &Place, count: u32) -> Result<Self> {
        let options = ServerOptions { sync_ip: place.server_ip(), ..ServerOptions::default() };
        std::fs::create_dir_all(folder.join("server"))?;
        let mut server = Server::new(&folder.join("server"), &options)?;
        let api = server.user("bench", "noc", "watch-the-line")?;
        server.import("customers.csv", "code,name,tier,manager\nBENCH,Sample customer,AA,manager-1\n")?;
        let targets: Vec<_> = loopback_targets(count).collect();
        let mut csv = "code,customer,site,service,agent,probe,interval\n".to_owned();
        for (n, ip) in targets.iter().enumerate() {
            writeln!(csv, "{},BENCH,Sample site,SDH,bench-agent,icmp://{ip},1s", line_code(n))?;
        }
        server.import("lines.csv", &csv).context("import the lines")?;
        server.start()?;
        let agent_dir = folder.join("agent");
        let agent = Agent::new(&agent_dir, place.namespace(), &[])?;
        agent.enroll(&server, "bench-agent")?;
        server.user(USER, "technician", PASSWORD)?;
        server.run(&["agent", "people", "bench-agent", "--add", USER], "")?.ok()?;
        let agent_config = agent_dir.join("agent.toml");
        Ok(Self { running: None, agent, agent_config, server, api, targets, log_read: 0 })
    }

    /// The addresses that are probed, in the order of the lines.
    pub fn targets(&self) -> &[Ipv4Addr] {
        &self.targets
    }

    /// Starts the agent's `run` and waits until it has seen every line up.
    ///
    /// # Errors
    /// When it ends, or a line does not come up in time.
    pub fn start_agent(&mut self) -> Result<()> {
        self.log_read = self.log_text().len();
        self.running = Some(self.agent.start_command(&["run"])?);
        let wanted = self.targets.len();
        eventually(UP_WITHIN, &format!("{wanted} lines are up"), || {
            ensure!(self.is_running()?, "the agent ended; see {}", self.agent.log().display());
            let up = self.changes("Up");
            if up < wanted {
                bail!("{up} so far")
            }
            Ok(Some(()))
        })
    }

    /// Measures the running agent over a span, then asks it what it did. In a span of 60 s the minute's sums are
    /// cut, committed and sent once, as in every minute.
    ///
    /// # Errors
    /// When it ends, or a line was not up all the time.
    pub fn measure_agent(&self, place: &Place, span: Duration) -> Result<Measured> {
        let pid = self.pid()?;
        std::thread::sleep(SETTLE);
        let before = self.changes("");
        let load = measure(&[pid], Duration::ZERO, span)?;
        let changes = self.changes("") - before;
        ensure!(changes == 0, "{changes} lines changed their state while nothing happened");
        // Only now: the answer takes memory of its own.
        let status = place.status(&self.agent_config)?;
        let probe = |n: usize| status["probes"][n].as_u64().unwrap_or_default();
        let socket = status["socket_v4"].as_str().unwrap_or_default().to_owned();
        Ok(Measured { load, socket, probes: [probe(0), probe(1), probe(2)] })
    }

    /// Opens the page of the running agent in one window.
    ///
    /// # Errors
    /// When nobody may sign in there in time.
    pub fn open_window<'a>(&'a self, place: &'a Place) -> Result<Window<'a>> {
        Window::open(place, &self.agent_config)
    }

    /// The running agent's process.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.running.as_ref().context("the agent does not run")?.pid())
    }

    /// Ends the agent cleanly.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop_agent(&mut self) -> Result<()> {
        let Some(mut process) = self.running.take() else { return Ok(()) };
        let status = process.terminate(BOUND)?;
        ensure!(status.success(), "the agent ended with {status}");
        Ok(())
    }

    /// Ends both programs cleanly.
    ///
    /// # Errors
    /// When one does not end in time.
    pub fn take_down(mut self) -> Result<()> {
        self.stop_agent()?;
        self.server.stop()
    }

    fn is_running(&mut self) -> Result<bool> {
        Ok(match &mut self.running {
            Some(process) => process.ended()?.is_none(),
            None => false,
        })
    }

    /// How many changes of a line to `state` the present run's log tells; all changes for an empty one.
    fn changes(&self, state: &str) -> usize {
        let text = self.log_text();
        let text = text.get(self.log_read..).unwrap_or_default();
        text.lines().filter(|l| l.contains("line changed") && l.contains(&format!("state={state}"))).count()
    }

    fn log_text(&self) -> String {
        // Not there before the first start.
        std::fs::read_to_string(self.agent.log()).unwrap_or_default()
    }
}

/// The code of the `n`-th line.
fn line_code(n: usize) -> String {
    format!("BENCH-{n:05}")
}

/// A board's faults of one line.
fn faults_of(board: &Value, code: &str) -> Option<Value> {
    board["faults"].as_array()?.iter().find(|fault| fault["line"] == code).cloned()
}
