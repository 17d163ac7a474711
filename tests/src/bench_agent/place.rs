//! Where the agent is measured: a network namespace of its own as root, the machine itself otherwise.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::harness::{Namespace, is_root, remove_leftovers, run};

/// What names of namespaces begin with; the process id follows.
const PREFIX: &str = "lwbench";
/// Where links to the server have their addresses, four for each: the range that is set aside for benchmarks (RFC 2544).
const LINKS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// As many as that range has room for; which one is ours follows from our process id.
const LINKS_MAX: u32 = 1 << 14;
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// Which ICMP sockets the kernel lets the agent have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sockets {
    /// Raw ones only: `net.ipv4.ping_group_range` is empty, as the kernel ships it.
    Raw,
    /// Datagram ones: the range is open, as our package sets it.
    Datagram,
}

/// See the module's text.
pub struct Place {
    namespace: Option<Namespace>,
    server_ip: Ipv4Addr,
    agent_ip: Ipv4Addr,
}

impl Place {
    /// As good a place as this user can have.
    ///
    /// # Errors
    /// When root cannot make a namespace.
    pub fn new() -> Result<Self> {
        if !is_root() {
            let own = Ipv4Addr::LOCALHOST;
            return Ok(Self { namespace: None, server_ip: own, agent_ip: own });
        }
        remove_leftovers(PREFIX)?;
        let pid = std::process::id();
        let namespace = Namespace::new(&format!("{PREFIX}{pid}-agent"))?;
        let first = u32::from(LINKS) + pid % LINKS_MAX * 4;
        let [server_ip, agent_ip] = [first + 1, first + 2].map(Ipv4Addr::from);
        let [server_net, agent_net] = [server_ip, agent_ip].map(|ip| format!("{ip}/30"));
        namespace.link_host("uplink0", &agent_net, &link_of(pid), &server_net)?;
        Ok(Self { namespace: Some(namespace), server_ip, agent_ip })
    }

    /// The namespace, if there is one.
    pub fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// Where the agent reaches the server.
    pub const fn server_ip(&self) -> IpAddr {
        IpAddr::V4(self.server_ip)
    }

    /// Where what runs beside the agent is reached from outside.
    pub const fn agent_ip(&self) -> IpAddr {
        IpAddr::V4(self.agent_ip)
    }

    /// What came over the link from the agent so far, in bytes, with the heads of all packets; none without a namespace.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn received_bytes(&self) -> Result<Option<u64>> {
        if self.namespace.is_none() {
            return Ok(None);
        }
        let path = format!("/sys/class/net/{}/statistics/rx_bytes", link_of(std::process::id()));
        Ok(Some(std::fs::read_to_string(path)?.trim().parse()?))
    }

    /// Sets what the kernel allows from now on; without a namespace it stays as it is.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn allow(&self, sockets: Sockets) -> Result<()> {
        let range = match sockets {
            Sockets::Raw => "1 0",
            Sockets::Datagram => "0 2147483647",
        };
        self.namespace.as_ref().map_or(Ok(()), |namespace| namespace.set("net/ipv4/ping_group_range", range))
    }

    /// Runs a command there, to its end.
    ///
    /// # Errors
    /// When it fails.
    pub fn exec(&self, command: &[&str]) -> Result<()> {
        let namespace = self.namespace.as_ref().context("there is no namespace")?;
        let head = ["netns", "exec", namespace.name()];
        let args: Vec<_> = head.iter().chain(command).map(OsStr::new).collect();
        run(Path::new("ip"), &args, "")?.ok().with_context(|| command.join(" "))?;
        Ok(())
    }

    /// Asks the agent that runs there with this configuration for its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn status(&self, config: &Path) -> Result<Value> {
        let (_, body) = self.ask(config, "GET", "/status", "", "")?;
        Ok(serde_json::from_str(&body)?)
    }

    /// Asks the page that this agent serves: `headers` are whole lines, each with its end. The answer's head and body.
    ///
    /// # Errors
    /// When there is no answer, or it is a refusal.
    pub fn ask(
        &self,
        config: &Path,
        verb: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<(String, String)> {
        let config: toml::Table = std::fs::read_to_string(config)?.parse()?;
        let listen: SocketAddr = config["ui"]["listen"].as_str().context("ui.listen")?.parse()?;
        let length = body.len();
        let request = format!(
            "{verb} {path} HTTP/1.1\r\nHost: {listen}\r\nOrigin: http://{listen}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        let Some(namespace) = &self.namespace else { return talk(listen, &request) };
        let asking = namespace.spawn(move || talk(listen, &request))?;
        asking.join().map_err(|_| anyhow!("asking the agent panicked"))?
    }
}

/// The server's end of the link.
fn link_of(pid: u32) -> String {
    format!("lwb{pid}")
}

fn talk(listen: SocketAddr, request: &str) -> Result<(String, String)> {
    let mut stream = TcpStream::connect_timeout(&listen, ASK_TIMEOUT)?;
    stream.set_read_timeout(Some(ASK_TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 2") => Ok((head.to_owned(), body.to_owned())),
        _ => bail!("the agent's page: {}", answer.lines().next().unwrap_or("no answer")),
    }
}
