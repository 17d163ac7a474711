//! Lines that can be cut: real links between network namespaces, or local ports where there are none.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::harness::{BOUND, Namespace, eventually, free_port, is_root, remove_leftovers};

/// What names of namespaces begin with; the process id follows.
const PREFIX: &str = "lwdemo";
/// How often a local port that stands for a line looks for callers.
const ACCEPT_EVERY: Duration = Duration::from_millis(10);

/// Line codes, their customers, sites and services.
pub const LINES: [(&str, &str, &str, &str); 3] = [
    ("LINE-1", "CUST-A", "Sample site A", "MPLS-VPN"),
    ("LINE-2", "CUST-B", "Sample site B", "SDH"),
    ("LINE-3", "CUST-C", "Sample site C", "Internet"),
];

/// The lines of the demo.
pub enum Lines {
    /// Customers' ends behind a router, each at the end of a real link.
    Network(Box<Network>),
    /// Local TCP ports: open is up, closed is cut.
    Ports(Vec<Port>),
}

/// The namespaces: the agent's site, the router, the customers' ends, and a host outside.
pub struct Network {
    site: Namespace,
    core: Namespace,
    ends: Vec<Namespace>,
    _outside: Namespace,
    host: Ipv4Addr,
}

impl Lines {
    /// Namespaces as root, local ports otherwise.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn new() -> Result<Self> {
        if is_root() { Self::network() } else { Self::ports() }
    }

    /// Namespaces; needs root. Those that killed demos have left behind are removed.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn network() -> Result<Self> {
        remove_leftovers(PREFIX)?;
        Ok(Self::Network(Box::new(Network::new().context("the namespaces")?)))
    }

    /// Local ports.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn ports() -> Result<Self> {
        let ports = (1..=LINES.len()).map(|n| Port::new(Ipv4Addr::new(127, 77, u8::try_from(n)?, 1)));
        Ok(Self::Ports(ports.collect::<Result<_>>()?))
    }

    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Network(network) => format!(
                "network namespaces {}, {} and one for each customer's end, linked by veth pairs; \
                 a cut takes the link at the customer's end down, and its packets are lost",
                network.site.name(),
                network.core.name()
            ),
            Self::Ports(_) => "not root, so no namespaces: each line is a TCP port on a loopback address; \
                 a cut closes the port"
                .to_owned(),
        }
    }

    /// Where the agent lives.
    #[must_use]
    pub fn site(&self) -> Option<&Namespace> {
        match self {
            Self::Network(network) => Some(&network.site),
            Self::Ports(_) => None,
        }
    }

    /// The address under which the agent's site reaches the server.
    #[must_use]
    pub fn server_ip(&self) -> IpAddr {
        match self {
            Self::Network(network) => IpAddr::V4(network.host),
            Self::Ports(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    /// Outside hosts for the agent's configuration.
    #[must_use]
    pub fn anchors(&self) -> Vec<&'static str> {
        match self {
            Self::Network(_) => vec!["icmp://10.77.9.2"],
            Self::Ports(_) => Vec::new(),
        }
    }

    /// The probe's URL of a line.
    #[must_use]
    pub fn probe(&self, line: usize) -> String {
        match self {
            Self::Network(_) => format!("icmp://{}", Network::end(line)),
            Self::Ports(ports) => format!("tcp://{}:{}", ports[line].ip, ports[line].number),
        }
    }

    /// Cuts a line; answers what was done.
    ///
    /// # Errors
    /// When that fails.
    pub fn cut(&mut self, line: usize) -> Result<String> {
        match self {
            Self::Network(network) => {
                network.ends[line].ip("link set eth0 down")?;
                Ok(format!("`ip -n {} link set eth0 down`", network.ends[line].name()))
            }
            Self::Ports(ports) => {
                ports[line].close();
                Ok(format!("the port {}:{} is closed", ports[line].ip, ports[line].number))
            }
        }
    }

    /// Mends a line; answers what was done.
    ///
    /// # Errors
    /// When that fails.
    pub fn mend(&mut self, line: usize) -> Result<String> {
        match self {
            Self::Network(network) => {
                network.ends[line].ip("link set eth0 up")?;
                // A link that goes down takes its routes with it.
                network.ends[line].ip(&format!("route replace default via {}", Network::router(line)))?;
                Ok(format!("`ip -n {} link set eth0 up`", network.ends[line].name()))
            }
            Self::Ports(ports) => {
                ports[line].open()?;
                Ok(format!("the port {}:{} is open again", ports[line].ip, ports[line].number))
            }
        }
    }
}

impl Network {
    /// The router's address on the link to a customer's end.
    fn router(line: usize) -> String {
        format!("10.77.{}.1", line + 1)
    }

    fn end(line: usize) -> String {
        format!("10.77.{}.2", line + 1)
    }

    fn new() -> Result<Self> {
        let pid = std::process::id();
        let space = |what: &str| Namespace::new(&format!("{PREFIX}{pid}-{what}"));
        let (site, core, outside) = (space("site")?, space("core")?, space("outside")?);
        core.forward()?;
        core.link("site", "10.77.0.1/30", &site, "eth0", "10.77.0.2/30")?;
        site.ip("route add default via 10.77.0.1")?;
        core.link("outside", "10.77.9.1/30", &outside, "eth0", "10.77.9.2/30")?;
        outside.ip("route add default via 10.77.9.1")?;
        let mut ends = Vec::new();
        for line in 0..LINES.len() {
            let end = space(&format!("end{}", line + 1))?;
            let (router, own) = (Self::router(line), Self::end(line));
            core.link(
                &format!("end{}", line + 1),
                &format!("{router}/30"),
                &end,
                "eth0",
                &format!("{own}/30"),
            )?;
            end.ip(&format!("route add default via {router}"))?;
            ends.push(end);
        }
        // A network of its own towards this machine, so that two demos do not meet: 198.18.0.0/15 is
        // meant for such trials and routed nowhere.
        let [.., high, low] = (pid % 16_384 * 4).to_be_bytes();
        let (host, own) = (Ipv4Addr::new(198, 18, high, low + 1), Ipv4Addr::new(198, 18, high, low + 2));
        site.link_host("host0", &format!("{own}/30"), &format!("{PREFIX}{pid}"), &format!("{host}/30"))?;
        Ok(Self { site, core, ends, _outside: outside, host })
    }
}

/// A local TCP port that stands for a line.
pub struct Port {
    ip: Ipv4Addr,
    number: u16,
    answering: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Port {
    fn new(ip: Ipv4Addr) -> Result<Self> {
        let mut port = Self { ip, number: free_port(IpAddr::V4(ip))?, answering: None };
        port.open()?;
        Ok(port)
    }

    fn open(&mut self) -> Result<()> {
        if self.answering.is_some() {
            return Ok(());
        }
        // A program that is being started may hold a copy of the old socket for a moment.
        let (ip, port) = (self.ip, self.number);
        let listener = eventually(BOUND, "a local port", || Ok(Some(TcpListener::bind((ip, port))?)))?;
        listener.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !asked.load(Ordering::SeqCst) {
                // An accepted connection is dropped at once: the handshake is the answer.
                if listener.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
                    std::thread::sleep(ACCEPT_EVERY);
                }
            }
        });
        self.answering = Some((stop, thread));
        Ok(())
    }

    fn close(&mut self) {
        if let Some((stop, thread)) = self.answering.take() {
            stop.store(true, Ordering::SeqCst);
            // The thread has nothing to tell.
            let _ = thread.join();
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.close();
    }
}
